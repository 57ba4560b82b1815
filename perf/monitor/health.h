/*
 * Health: what is wrong, by name, from one look. Pure: the same look and limits give the same reasons.
 *
 * Rules
 *   1. A reason has a check (a fixed name; docs/runbook has a page for its alert), a subject (which process, ring, disk
 *      or store), a sentence, and since when.
 *   2. `blocking`: orders are not taken or not answered, or nobody can tell: not ready. Other reasons are warnings.
 *   3. Causes come before what they cause: who is gone or silent, then who is held up by him.
 */
#ifndef RINGSIDE_MONITOR_HEALTH_H
#define RINGSIDE_MONITOR_HEALTH_H

#include "perf/monitor/watch.h"

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_REASONS_MAX 64

struct reason {
    const char *check; /* "stage-silent" */
    char subject[40];  /* "matcher" */
    char text[200];
    double for_s; /* how long already; 0 where that is not known */
    bool blocking;
};

struct health {
    bool ready;
    uint32_t reason_count;
    struct reason reasons[HEALTH_REASONS_MAX];
};

void health_judge(struct health *health, const struct watch *watch);

#endif
