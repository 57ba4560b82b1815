/* Seeds on several cores: workers that each take the next seed until there are none, or enough has been found. */
#ifndef RINGSIDE_SIMULATOR_WORKERS_H
#define RINGSIDE_SIMULATOR_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

struct workers_options {
    uint64_t first, last; /* seeds, both included */
    uint32_t jobs;
    uint32_t failures_max; /* then it is enough */
    bool trace;
    bool twice; /* each seed is run again and must go the same way */
    bool quiet; /* broken seeds are counted, not printed */
};

struct workers_totals {
    uint64_t seeds, broken;
    uint64_t commands, events, messages, polls, kills, cold_starts, faults, store_faults, noticed;
    uint64_t first_broken;      /* the one found first */
    char first_violation[1024]; /* what it was */
    double seconds;
};

/* Runs them all. false: a worker could not be made. */
bool workers_run(const struct workers_options *options, struct workers_totals *ret);

#endif
