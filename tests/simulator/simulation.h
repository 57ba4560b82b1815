/* One seed, from its beginning to its verdict. */
#ifndef RINGSIDE_SIMULATOR_SIMULATION_H
#define RINGSIDE_SIMULATOR_SIMULATION_H

#include <stdbool.h>
#include <stdint.h>

struct simulation_result {
    char violation[1024]; /* empty: every promise was kept */
    char plan[512];
    uint64_t commands, events, messages, polls, kills, cold_starts, faults, store_faults, noticed;
    uint64_t digest; /* of all that happened: the same seed gives the same */
};

/* directory: empty, for the rings. Returns true if no promise was broken. */
bool simulation_run(uint64_t seed, const char *directory, bool tracing, struct simulation_result *result);

#endif
