#include "market.h"

#include <stdbool.h>
#include <stdlib.h>

#define BAND_STEPS     200u /* the middle stays within so many ticks of where it began, fewer for small prices */
#define DEPTH_STEPS    32u
#define CROSSING_STEPS 8u
#define LOTS_MAX       10u

int market_init(struct market *market, const struct load_options *options)
{
    *market = (struct market){.random = options->seed * 0xda942042e4dd58b5u + 1,
                              .instruments = options->instruments,
                              .instrument_count = options->instrument_count};
    market->middle_steps = calloc(options->instrument_count, sizeof(*market->middle_steps));
    return market->middle_steps ? 0 : -1;
}

void market_finish(struct market *market)
{
    free(market->middle_steps);
    market->middle_steps = NULL;
}

enum market_action market_choose(struct market *market, uint32_t live_count, uint32_t live_max)
{
    if (live_count >= live_max)
        return MARKET_CANCEL;
    uint32_t roll = market_below(market, 100);
    if (roll < 50)
        return MARKET_PASSIVE;
    if (roll < 60)
        return MARKET_CROSSING;
    return live_count > live_max / 4 ? MARKET_CANCEL : MARKET_PASSIVE;
}

/* The price so many ticks from where the instrument began; at least one tick. */
static int32_t price_at(const struct load_instrument *instrument, int32_t steps)
{
    int64_t start = instrument->middle_ticks - instrument->middle_ticks % instrument->tick_ticks;
    int64_t price = start + (int64_t)steps * instrument->tick_ticks;
    if (price < instrument->tick_ticks)
        return instrument->tick_ticks;
    return price > 1999999900 ? 1999999900 - 1999999900 % instrument->tick_ticks : (int32_t)price;
}

static void walk(struct market *market, uint32_t which)
{
    uint64_t random = market_random(market);
    if ((random & 31) != 0)
        return;
    int32_t *steps = &market->middle_steps[which];
    int32_t band = (int32_t)BAND_STEPS;
    if (random >> 63)
        *steps += *steps < band;
    else
        *steps -= *steps > -band;
}

void market_order(struct market *market, enum market_action action, struct market_order *ret)
{
    uint32_t which = market_below(market, market_below(market, market->instrument_count) + 1);
    const struct load_instrument *instrument = &market->instruments[which];
    walk(market, which);
    bool is_buy = market_random(market) >> 63;
    uint32_t away;
    if (action == MARKET_CROSSING)
        away = market_below(market, CROSSING_STEPS);
    else
        away = market_below(market, market_below(market, DEPTH_STEPS) + 1);
    int32_t steps = 1 + (int32_t)away;
    bool upwards = is_buy == (action == MARKET_CROSSING);
    ret->instrument = which;
    ret->side = is_buy ? 'B' : 'S';
    ret->price_ticks = price_at(instrument, market->middle_steps[which] + (upwards ? steps : -steps));
    ret->quantity = instrument->lot * (1 + market_below(market, LOTS_MAX)) * (instrument->lot == 1 ? 10 : 1);
    if (ret->quantity > 999999)
        ret->quantity = 999999 - 999999 % instrument->lot;
    bool immediate = action == MARKET_CROSSING && (market_random(market) >> 63);
    ret->time_in_force = immediate ? '3' : '0';
}
