/* The terminal: cells put on it, keys and its size taken from it. All that knows of ncurses. */
#ifndef RINGSIDE_DASH_TERMINAL_H
#define RINGSIDE_DASH_TERMINAL_H

#include "perf/dash/cells.h"
#include "perf/dash/screen.h"

#include <stdbool.h>

enum terminal_input {
    INPUT_NONE,
    INPUT_KEY, /* *ret_key */
    INPUT_QUIT,
    INPUT_FASTER,
    INPUT_SLOWER,
    INPUT_RESIZED,
};

/* Whether the locale of the environment can show block characters. Sets the locale. */
bool terminal_unicode(void);

/* NULL, or why there is no screen here. */
const char *terminal_open(void);

/* Waits at most wait_ms. */
enum terminal_input terminal_input(int wait_ms, enum screen_key *ret_key);

void terminal_size(int *ret_width, int *ret_height);

void terminal_show(const struct cells *cells);

void terminal_close(void);

#endif
