/* The one source of chance of a simulation: everything that is drawn comes from its seed, in one order. */
#ifndef RINGSIDE_SIMULATOR_RANDOM_H
#define RINGSIDE_SIMULATOR_RANDOM_H

#include "base/require.h"

#include <stdbool.h>
#include <stdint.h>

/* Begins anew from a seed. */
void random_seed(uint64_t seed);

uint64_t random_next(void);

/* From 0 to bound - 1; bound is 1 or more. */
static inline uint64_t random_below(uint64_t bound)
{
    REQUIRE(bound > 0);
    return random_next() % bound;
}

/* From low to high, both included. */
static inline uint64_t random_between(uint64_t low, uint64_t high)
{
    return low + random_below(high - low + 1);
}

/* True so many times in a million. */
static inline bool random_chance(uint32_t per_million)
{
    return per_million > 0 && random_below(1000000) < per_million;
}

/* Small as a rule, now and then up to a thousand times as much: times that pass, delays. */
static inline uint64_t random_skewed(uint64_t typical)
{
    uint64_t kind = random_below(100);
    uint64_t most = kind < 90 ? typical : kind < 99 ? typical * 20 : typical * 1000;
    return 1 + random_below(2 * most);
}

#endif
