/*
 * Who goes first when the machine is too small for all that is written: what is only added (events, executions) before
 * what is changed in place (orders), whose rows say what they did a moment ago until their turn comes.
 *
 * Rules
 *   1. While the first lags by more than REST_LAG_NS, the second rests behind each batch for REST_TIMES as long as the
 *      batch took. So it always has a tenth of the time, and its lag an end once the flood has one. What gathers
 *      meanwhile leaves in fuller batches, in which several changes of one order are one write.
 *   2. So it is when both come back from an outage: the rows that are only added are level first.
 *   3. A first that is away, or refuses, holds nobody.
 */
#ifndef RINGSIDE_PERSISTER_REST_H
#define RINGSIDE_PERSISTER_REST_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

#define REST_LAG_NS (100ull * NS_PER_MS)
#define REST_TIMES  9u

struct rest {
    uint64_t until_ns; /* of the last batch; CLOCK_MONOTONIC */
};

/* A batch is done that began at `began_ns`. */
static inline void rest_begin(struct rest *rest, uint64_t began_ns, uint64_t now_ns)
{
    rest->until_ns = now_ns + REST_TIMES * (now_ns - began_ns);
}

/* Whether the next batch has to wait at `now_ns`, given how far the first lags (0: level, or it does not count). */
static inline bool rest_holds(const struct rest *rest, uint64_t now_ns, uint64_t first_lag_ns)
{
    return first_lag_ns > REST_LAG_NS && now_ns < rest->until_ns;
}

#endif
