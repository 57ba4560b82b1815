/*
 * Rates: so many a second, and so many at once. Pure: the caller has the clock.
 *
 * A bucket of `burst` tokens that fills with `per_s` a second is kept as one number, the time at which it will be full
 * again (the generic cell rate algorithm: the same answers as counting tokens, without rounding and without a timer).
 * Taking a token moves that time on by one period; there is one as long as it lies less than `burst` periods ahead.
 *
 * Rules
 *   1. A period of 0 is no limit.
 *   2. What is refused takes nothing.
 *   3. A full bucket is the same as none, so a table of them may forget the fullest one of a set when it needs room. A
 *      key then begins with a full bucket: a table that is too small is too lenient, never too strict.
 *
 * Allocates at open only.
 */
#ifndef RINGSIDE_GATEWAY_RATE_H
#define RINGSIDE_GATEWAY_RATE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define RATE_PER_S_MAX 1000000u
#define RATE_BURST_MAX 1000000u

struct rate {
    uint64_t period_ns;    /* from one token to the next; 0: no limit */
    uint64_t tolerance_ns; /* burst - 1 periods */
};

/* per_s 0: no limit; burst 0: as many as come in a second. */
struct rate rate_make(uint32_t per_s, uint32_t burst);

static inline bool rate_has(uint64_t full_ns, const struct rate *rate, uint64_t now_ns)
{
    return rate->period_ns == 0 || full_ns <= now_ns + rate->tolerance_ns;
}

/* Takes a token from the bucket that will be full at *full_ns; false: there is none. */
static inline bool rate_take(uint64_t *full_ns, const struct rate *rate, uint64_t now_ns)
{
    if (!rate_has(*full_ns, rate, now_ns))
        return false;
    if (rate->period_ns != 0)
        *full_ns = (*full_ns > now_ns ? *full_ns : now_ns) + rate->period_ns;
    return true;
}

/* Buckets by key. */
struct rate_entry {
    uint64_t key; /* 0: free */
    uint64_t full_ns;
};

struct rate_table {
    struct rate_entry *entries;
    uint32_t set_mask;
};

/* About `count` buckets. */
int rate_table_open(struct rate_table *table, uint32_t count, struct error *error);
void rate_table_close(struct rate_table *table);

/* A key made of two words; never 0. */
uint64_t rate_key(uint64_t one, uint64_t other);

/* Whether the bucket of this key has a token. */
bool rate_table_has(const struct rate_table *table, uint64_t key, const struct rate *rate, uint64_t now_ns);

/* Takes one; false: there is none. */
bool rate_table_take(struct rate_table *table, uint64_t key, const struct rate *rate, uint64_t now_ns);

#endif
