/*
 * What the load does next: instruments, their moving middle prices, and the mix, all from one seed.
 *
 * Half the requests are passive limit orders around the middle, 40 % cancels of random live orders, 10 % orders that
 * cross it, half of those immediate-or-cancel. The middle of an instrument walks by a tick now and then and stays
 * within a band around where it began. Few instruments get most of the orders.
 */
#ifndef RINGSIDE_LOAD_MARKET_H
#define RINGSIDE_LOAD_MARKET_H

#include "options.h"

#include <stdint.h>

enum market_action {
    MARKET_PASSIVE,
    MARKET_CROSSING,
    MARKET_CANCEL,
};

struct market_order {
    uint32_t instrument;
    uint32_t quantity;
    int32_t price_ticks;
    uint8_t side;          /* B or S */
    uint8_t time_in_force; /* 0 or 3 */
};

struct market {
    uint64_t random;
    const struct load_instrument *instruments;
    uint32_t instrument_count;
    int32_t *middle_steps; /* of each instrument: ticks away from where it began */
};

int market_init(struct market *market, const struct load_options *options);
void market_finish(struct market *market);

/* splitmix64 */
static inline uint64_t market_random(struct market *market)
{
    uint64_t z = (market->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number below `bound`. */
static inline uint32_t market_below(struct market *market, uint32_t bound)
{
    return (uint32_t)((market_random(market) >> 32) * bound >> 32);
}

/* What to do, for one who has so many live orders and may have so many. */
enum market_action market_choose(struct market *market, uint32_t live_count, uint32_t live_max);

void market_order(struct market *market, enum market_action action, struct market_order *ret);

#endif
