/*
 * The last ten minutes, a value a second: what the page draws as charts, so that whoever opens it sees at once what
 * went before. Columns come into being when they first get a value; a second without one is a gap.
 */
#ifndef RINGSIDE_MONITOR_HISTORY_H
#define RINGSIDE_MONITOR_HISTORY_H

#include "perf/monitor/watch.h"

#include <stdint.h>

#define HISTORY_SECONDS     600
#define HISTORY_COLUMNS_MAX 64
#define HISTORY_GAP         (-1.0F) /* no value is below zero */

struct history_column {
    char name[48]; /* "rate:command", "fill:event", "p99:way" */
    float values[HISTORY_SECONDS];
    uint64_t weight; /* of this second's quantiles: how many they are of; 0: there are none yet */
};

struct history {
    uint32_t column_count;
    uint32_t next;  /* index of the next second, modulo HISTORY_SECONDS */
    uint32_t count; /* seconds held */
    uint64_t next_ns;
    uint64_t times_s[HISTORY_SECONDS];      /* since the epoch */
    uint64_t ring_seqs[RUN_VIEW_RINGS_MAX]; /* at the second before */
    uint64_t ring_ns;
    double cpu_s[TOPOLOGY_PROCESSES_MAX];
    struct history_column columns[HISTORY_COLUMNS_MAX];
};

void history_init(struct history *history);

/* Takes down a second, if one is over. */
void history_note(struct history *history, const struct watch *watch);

/* The value of the newest second; HISTORY_GAP if there is none. */
float history_last(const struct history *history, const char *name);

#endif
