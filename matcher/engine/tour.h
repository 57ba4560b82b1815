/*
 * The walk over all live orders of a book (docs/engine.md, Where a live order stands): displayed bids, hidden bids,
 * displayed asks, hidden asks, buy stops, sell stops, waiting. The order at hand may be taken out after tour_next has
 * gone on.
 */
#ifndef RINGSIDE_ENGINE_TOUR_H
#define RINGSIDE_ENGINE_TOUR_H

#include "state.h"

#define TOUR_DISPLAYED_BIDS 0u
#define TOUR_HIDDEN_BIDS    1u
#define TOUR_DISPLAYED_ASKS 2u
#define TOUR_HIDDEN_ASKS    3u
#define TOUR_BUY_STOPS      4u
#define TOUR_SELL_STOPS     5u
#define TOUR_WAITING        6u
#define TOUR_STOPS          7u

/* tour->order is the first order, or 0. */
struct tour tour_begin(const struct engine *engine, uint32_t instrument, uint32_t stop);

/* Goes on to the next: tour->order is 0 at the end. */
void tour_next(const struct engine *engine, struct tour *tour);

#endif
