/*
 * A screen as a grid of characters with a look each, which tests can read without a terminal. Pure.
 *
 * Writing beyond an edge is cut off, so that a view need not know what fits. Bars and lines are drawn with block
 * characters where `unicode` is set, else with ASCII.
 */
#ifndef RINGSIDE_DASH_CELLS_H
#define RINGSIDE_DASH_CELLS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CELLS_WIDTH_MAX  400
#define CELLS_HEIGHT_MAX 200

enum look {
    LOOK_PLAIN,
    LOOK_DIM,   /* what stays: units, headings of columns */
    LOOK_TITLE, /* headings of parts */
    LOOK_BOLD,
    LOOK_GOOD,
    LOOK_WARN,
    LOOK_BAD,
    LOOK_COUNT,
};
#define LOOK_SELECTED 0x80u /* the whole line, beside its look */

struct cell {
    uint16_t character; /* Unicode */
    uint8_t look;       /* enum look, and LOOK_SELECTED */
};

struct cells {
    int width, height;
    bool unicode;
    struct cell at[CELLS_HEIGHT_MAX][CELLS_WIDTH_MAX];
};

void cells_clear(struct cells *cells, int width, int height, bool unicode);

/* Writes from column x on, at most max columns (negative: to the edge); returns the column after. */
int cells_text(struct cells *cells, int y, int x, int max, enum look look, const char *text);
int cells_print(struct cells *cells, int y, int x, enum look look, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Right-aligned so that it ends before column x_end. */
void cells_right(struct cells *cells, int y, int x_end, enum look look, const char *text);

/* A bar of `width` columns, filled by the fraction. */
void cells_bar(struct cells *cells, int y, int x, int width, double fraction, enum look look);

/* One column a value, as high as its share of the largest; the newest values, if there are more than columns. */
void cells_spark(struct cells *cells, int y, int x, int width, const double *values, uint32_t count, enum look look);

/* A line across with a title in it. */
void cells_rule(struct cells *cells, int y, const char *title, const char *right, bool focused);

void cells_select(struct cells *cells, int y);

/* The lines as UTF-8, without the blanks at their ends. */
void cells_write(const struct cells *cells, FILE *to);

/* "12,345", "245k", "1.73M": at most six columns. "-" if it is NAN. */
#define NUMBER_BYTES 16
const char *number_text(double number, char text[NUMBER_BYTES]);

/* "980ns", "196us", "1.3ms", "2.0s": at most six columns. */
const char *span_text(uint64_t ns, char text[NUMBER_BYTES]);

/* "12M", "1.6G" */
const char *bytes_text(uint64_t bytes, char text[NUMBER_BYTES]);

#endif
