/* Looks are attributes first and colours second: what is bad is bold or reversed too, for who sees no red. */
#include "perf/dash/terminal.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum pair { PAIR_TITLE = 1, PAIR_GOOD, PAIR_WARN, PAIR_BAD };

bool terminal_unicode(void)
{
    if (!setlocale(LC_CTYPE, ""))
        (void)setlocale(LC_CTYPE, "C");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *terminal_open(void)
{
    if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
        return "neither input nor output may be redirected; --once is for scripts";
    const char *type = getenv("TERM");
    if (!type || !newterm(type, stdout, stdin))
        return "the terminal's type (TERM) is not known";
    (void)cbreak();
    (void)noecho();
    (void)curs_set(0);
    (void)keypad(stdscr, TRUE);
    if (!has_colors())
        return NULL;
    (void)start_color();
    (void)use_default_colors();
    (void)init_pair(PAIR_TITLE, COLOR_CYAN, -1);
    (void)init_pair(PAIR_GOOD, COLOR_GREEN, -1);
    (void)init_pair(PAIR_WARN, COLOR_YELLOW, -1);
    (void)init_pair(PAIR_BAD, COLOR_RED, -1);
    return NULL;
}

static attr_t attributes(uint8_t look, short *ret_pair)
{
    static const struct {
        attr_t attributes;
        short pair;
    } looks[LOOK_COUNT] = {
        [LOOK_PLAIN] = {A_NORMAL, 0},        [LOOK_DIM] = {A_DIM, 0},
        [LOOK_TITLE] = {A_BOLD, PAIR_TITLE}, [LOOK_BOLD] = {A_BOLD, 0},
        [LOOK_GOOD] = {A_NORMAL, PAIR_GOOD}, [LOOK_WARN] = {A_BOLD, PAIR_WARN},
        [LOOK_BAD] = {A_BOLD, PAIR_BAD},
    };
    uint8_t plain = (uint8_t)(look & ~LOOK_SELECTED);
    *ret_pair = looks[plain].pair;
    return looks[plain].attributes | (look & LOOK_SELECTED ? A_REVERSE : A_NORMAL);
}

enum terminal_input terminal_input(int wait_ms, enum screen_key *ret_key)
{
    static const struct {
        int code;
        enum screen_key key;
    } table[] = {{'\t', KEY_NEXT_PART}, {KEY_UP, KEY_UP_ROW}, {'k', KEY_UP_ROW},   {KEY_DOWN, KEY_DOWN_ROW},
                 {'j', KEY_DOWN_ROW},   {'s', KEY_SORT},      {'r', KEY_REVERSE},  {'p', KEY_PAUSE},
                 {' ', KEY_PAUSE},      {'h', KEY_SHOW_HELP}, {'?', KEY_SHOW_HELP}};
    timeout(wait_ms);
    int code = getch();
    if (code == 'q' || code == 'Q')
        return INPUT_QUIT;
    if (code == '+' || code == '-')
        return code == '+' ? INPUT_FASTER : INPUT_SLOWER;
    if (code == KEY_RESIZE)
        return INPUT_RESIZED;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].code != code)
            continue;
        *ret_key = table[i].key;
        return INPUT_KEY;
    }
    return INPUT_NONE;
}

void terminal_size(int *ret_width, int *ret_height)
{
    getmaxyx(stdscr, *ret_height, *ret_width);
}

void terminal_show(const struct cells *cells)
{
    (void)erase();
    for (int y = 0; y < cells->height; y++) {
        for (int x = 0; x < cells->width; x++) {
            const struct cell *cell = &cells->at[y][x];
            const wchar_t text[2] = {cell->character, L'\0'};
            short pair;
            attr_t attribute = attributes(cell->look, &pair);
            cchar_t character;
            (void)setcchar(&character, text, attribute, pair, NULL);
            (void)mvadd_wch(y, x, &character);
        }
    }
    (void)refresh();
}

void terminal_close(void)
{
    (void)endwin();
}
