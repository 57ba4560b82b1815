/* The grid, what is drawn on it, and how figures are written in few columns. */
#include "perf/dash/cells.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#define EIGHTHS 8

static bool inside(const struct cells *cells, int y, int x)
{
    return y >= 0 && y < cells->height && x >= 0 && x < cells->width;
}

static void put(struct cells *cells, int y, int x, uint16_t character, enum look look)
{
    if (!inside(cells, y, x))
        return;
    cells->at[y][x].character = character;
    cells->at[y][x].look = (uint8_t)look;
}

void cells_clear(struct cells *cells, int width, int height, bool unicode)
{
    cells->width = width < CELLS_WIDTH_MAX ? width : CELLS_WIDTH_MAX;
    cells->height = height < CELLS_HEIGHT_MAX ? height : CELLS_HEIGHT_MAX;
    cells->unicode = unicode;
    for (int y = 0; y < cells->height; y++)
        for (int x = 0; x < cells->width; x++)
            cells->at[y][x] = (struct cell){.character = ' '};
}

int cells_text(struct cells *cells, int y, int x, int max, enum look look, const char *text)
{
    for (int i = 0; text[i] && (max < 0 || i < max); i++, x++)
        put(cells, y, x, (unsigned char)text[i] < 128 ? (uint16_t)text[i] : '?', look);
    return x;
}

int cells_print(struct cells *cells, int y, int x, enum look look, const char *format, ...)
{
    char text[CELLS_WIDTH_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return cells_text(cells, y, x, -1, look, text);
}

void cells_right(struct cells *cells, int y, int x_end, enum look look, const char *text)
{
    cells_text(cells, y, x_end - (int)strlen(text), -1, look, text);
}

void cells_bar(struct cells *cells, int y, int x, int width, double fraction, enum look look)
{
    static const uint16_t parts[EIGHTHS] = {0x00b7, 0x258f, 0x258e, 0x258d, 0x258c, 0x258b, 0x258a, 0x2589};
    if (isnan(fraction))
        return;
    int eighths = (int)(fraction * width * EIGHTHS + 0.5);
    if (eighths == 0 && fraction > 0)
        eighths = 1;
    for (int i = 0; i < width; i++) {
        int left = eighths - i * EIGHTHS;
        bool full = left >= EIGHTHS;
        bool none = left <= 0;
        uint16_t character = full ? (cells->unicode ? 0x2588 : '#') : none ? (cells->unicode ? 0x00b7 : '.') : '#';
        if (cells->unicode && !full && !none)
            character = parts[left];
        put(cells, y, x + i, character, none ? LOOK_DIM : look);
    }
}

void cells_spark(struct cells *cells, int y, int x, int width, const double *values, uint32_t count, enum look look)
{
    static const char ascii[EIGHTHS] = {'_', '.', ',', '-', '=', '+', '*', '#'};
    double most = 0;
    uint32_t first = count > (uint32_t)width ? count - (uint32_t)width : 0;
    for (uint32_t i = first; i < count; i++)
        most = values[i] > most ? values[i] : most;
    for (uint32_t i = first; i < count; i++) {
        int height = most > 0 ? (int)(values[i] / most * (EIGHTHS - 1) + 0.5) : 0;
        put(cells, y, x + (int)(i - first), cells->unicode ? (uint16_t)(0x2581 + height) : (uint16_t)ascii[height],
            look);
    }
}

void cells_rule(struct cells *cells, int y, const char *title, const char *right, bool focused)
{
    for (int x = 0; x < cells->width; x++)
        put(cells, y, x, cells->unicode ? 0x2500 : '-', LOOK_DIM);
    put(cells, y, 1, ' ', LOOK_PLAIN);
    int x = 2;
    if (focused) {
        put(cells, y, x++, cells->unicode ? 0x25b8 : '>', LOOK_TITLE);
        put(cells, y, x++, ' ', LOOK_TITLE);
    }
    x = cells_text(cells, y, x, -1, LOOK_TITLE, title);
    put(cells, y, x, ' ', LOOK_PLAIN);
    if (!right || !*right)
        return;
    int start = cells->width - (int)strlen(right) - 3;
    put(cells, y, start, ' ', LOOK_PLAIN);
    start = cells_text(cells, y, start + 1, -1, LOOK_DIM, right);
    put(cells, y, start, ' ', LOOK_PLAIN);
}

void cells_select(struct cells *cells, int y)
{
    for (int x = 0; y >= 0 && y < cells->height && x < cells->width; x++)
        cells->at[y][x].look = (uint8_t)(cells->at[y][x].look | LOOK_SELECTED);
}

static void put_utf8(uint16_t character, FILE *to)
{
    if (character < 0x80) {
        putc(character, to);
    } else if (character < 0x800) {
        putc(0xc0 | character >> 6, to);
        putc(0x80 | (character & 0x3f), to);
    } else {
        putc(0xe0 | character >> 12, to);
        putc(0x80 | (character >> 6 & 0x3f), to);
        putc(0x80 | (character & 0x3f), to);
    }
}

void cells_write(const struct cells *cells, FILE *to)
{
    for (int y = 0; y < cells->height; y++) {
        int end = cells->width;
        while (end > 0 && cells->at[y][end - 1].character == ' ')
            end--;
        for (int x = 0; x < end; x++)
            put_utf8(cells->at[y][x].character, to);
        putc('\n', to);
    }
}

/* ---- figures ------------------------------------------------------------------------------------------------------
 */

const char *number_text(double number, char text[NUMBER_BYTES])
{
    if (isnan(number))
        snprintf(text, NUMBER_BYTES, "-");
    else if (number < 9.95 && number > 0.05 && fabs(number - round(number)) > 0.05)
        snprintf(text, NUMBER_BYTES, "%.1f", number);
    else if (number < 999.5)
        snprintf(text, NUMBER_BYTES, "%.0f", number);
    else if (number < 99999.5)
        snprintf(text, NUMBER_BYTES, "%d,%03d", (int)(number + 0.5) / 1000, (int)(number + 0.5) % 1000);
    else if (number < 999500)
        snprintf(text, NUMBER_BYTES, "%.0fk", number / 1e3);
    else if (number < 99.95e6)
        snprintf(text, NUMBER_BYTES, "%.2fM", number / 1e6);
    else if (number < 999.5e6)
        snprintf(text, NUMBER_BYTES, "%.0fM", number / 1e6);
    else
        snprintf(text, NUMBER_BYTES, "%.1fG", number / 1e9);
    return text;
}

const char *span_text(uint64_t ns, char text[NUMBER_BYTES])
{
    double value = (double)ns;
    if (value < 999.5)
        snprintf(text, NUMBER_BYTES, "%.0fns", value);
    else if (value < 9950)
        snprintf(text, NUMBER_BYTES, "%.1fus", value / 1e3);
    else if (value < 999500)
        snprintf(text, NUMBER_BYTES, "%.0fus", value / 1e3);
    else if (value < 99.5e6)
        snprintf(text, NUMBER_BYTES, "%.1fms", value / 1e6);
    else if (value < 999.5e6)
        snprintf(text, NUMBER_BYTES, "%.0fms", value / 1e6);
    else
        snprintf(text, NUMBER_BYTES, "%.1fs", value / 1e9);
    return text;
}

const char *bytes_text(uint64_t bytes, char text[NUMBER_BYTES])
{
    double value = (double)bytes;
    if (value < 999.5 * 1024)
        snprintf(text, NUMBER_BYTES, "%.0fk", value / 1024);
    else if (value < 999.5 * 1048576)
        snprintf(text, NUMBER_BYTES, "%.0fM", value / 1048576);
    else
        snprintf(text, NUMBER_BYTES, "%.1fG", value / 1073741824);
    return text;
}
