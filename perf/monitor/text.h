/*
 * What is served, as text: a buffer in memory that grows, written to as a FILE. Without memory there is no text, and
 * the request is answered by 503.
 */
#ifndef RINGSIDE_MONITOR_TEXT_H
#define RINGSIDE_MONITOR_TEXT_H

#include "perf/monitor/health.h"
#include "perf/monitor/history.h"
#include "perf/monitor/watch.h"

#include <stdio.h>

/* What the monitor knows of itself. */
struct self {
    uint64_t request_count;
    uint64_t not_found_count;
    uint64_t look_count;
    uint64_t started_ns;
};

/* All that a text is made of. */
struct scene {
    const struct watch *watch;
    const struct health *health;
    const struct history *history;
    const struct self *self;
};

void text_metrics(FILE *to, const struct scene *scene); /* Prometheus' text format, 0.0.4 */
void text_status(FILE *to, const struct scene *scene);  /* one JSON object each */
void text_health(FILE *to, const struct scene *scene);
void text_history(FILE *to, const struct scene *scene);

#endif
