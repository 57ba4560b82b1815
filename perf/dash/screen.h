/*
 * What the dashboard shows, drawn into cells: a model, a tape and what the person has asked for in, characters out.
 * Pure, so that tests can look at a screen of any size.
 *
 *   head        the run, the whole way, the history
 *   stages      one line a process
 *   instruments the busiest
 *   sessions    the busiest
 *   alarms      what is wrong now, and below it what was
 *   foot        keys, or more about what is selected
 *
 * On a wide terminal instruments and sessions stand side by side; on a low one parts give up lines, the stages last.
 */
#ifndef RINGSIDE_DASH_SCREEN_H
#define RINGSIDE_DASH_SCREEN_H

#include "perf/dash/cells.h"
#include "perf/dash/model.h"
#include "perf/dash/tape.h"

enum part {
    PART_STAGES,
    PART_INSTRUMENTS,
    PART_SESSIONS,
    PART_ALARMS,
    PART_COUNT,
};

#define SCREEN_ROWS_MAX 4096u

/* What the person has asked for. */
struct screen {
    enum part focus;
    uint32_t sort[PART_COUNT]; /* index of the part's sort keys */
    bool reversed[PART_COUNT];
    uint32_t selected[PART_COUNT];  /* row */
    uint32_t row_count[PART_COUNT]; /* of the last drawing */
    bool paused;
    bool help;
    bool selecting; /* a row was chosen by hand */
    const char *durability;
    const char *directory;
    uint32_t order[PART_COUNT][SCREEN_ROWS_MAX]; /* numbers of the rows as they are sorted */
};

enum screen_key {
    KEY_NOTHING,
    KEY_NEXT_PART,
    KEY_UP_ROW,
    KEY_DOWN_ROW,
    KEY_SORT,
    KEY_REVERSE,
    KEY_PAUSE,
    KEY_SHOW_HELP,
};

void screen_key(struct screen *screen, enum screen_key key);

void screen_draw(struct screen *screen, struct cells *cells, const struct dash_model *model, const struct tape *tape);

/* The name of the key by which a part is sorted; "" if it is not. */
const char *screen_sort_name(const struct screen *screen, enum part part);

/* Sorts the rows of a part; screen_draw does it too. */
void screen_sort(struct screen *screen, const struct dash_model *model, const struct tape *tape);

#endif
