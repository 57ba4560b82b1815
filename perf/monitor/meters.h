/*
 * The metrics files of all processes, followed from one life of a process to the next, and of each histogram what came
 * in during the last second: quantiles of now, where the file itself holds those of a lifetime.
 */
#ifndef RINGSIDE_MONITOR_METERS_H
#define RINGSIDE_MONITOR_METERS_H

#include "metrics/metrics_read.h"
#include "topology/topology.h"

#include <stdbool.h>
#include <stdint.h>

/* Of a histogram, over the last second; in the stored unit. */
struct meter_recent {
    uint64_t count;
    uint64_t p50;
    uint64_t p99;
    uint64_t p999;
    uint64_t max;
};

struct meter_window {
    uint32_t entry;
    struct metrics_distribution earlier;
    struct meter_recent recent;
};

struct meter {
    const char *process; /* as the run names it */
    struct metrics_reader reader;
    char why[ERROR_WHAT_BYTES]; /* why it is not attached; empty: it is, or there is no such file */
    uint32_t window_count;
    struct meter_window *windows; /* one for each histogram */
};

struct meters {
    uint32_t count;
    struct metrics_distribution now; /* for meters_sample alone: too large for a stack */
    struct metrics_distribution since;
    struct meter meters[TOPOLOGY_PROCESSES_MAX];
};

/* Attaches what is not attached or was replaced. */
void meters_follow(struct meters *meters, uint32_t index, const char *directory, const char *process);

/* Once a second. */
void meters_sample(struct meters *meters);

void meters_close(struct meters *meters);

/* Of a histogram's entry; NULL if it is none. */
const struct meter_recent *meter_recent(const struct meter *meter, uint32_t entry);

/* The largest, over all processes and labels, of a counter or gauge with that name, in its unit. */
double meters_max(const struct meters *meters, const char *name, bool *ret_found);

#endif
