/*
 * Auctions (docs/engine.md): one price for all of a book, at which most can trade.
 */
#ifndef RINGSIDE_ENGINE_AUCTION_H
#define RINGSIDE_ENGINE_AUCTION_H

#include "state.h"

/* The cross orders join the book. */
void auction_gather(struct engine *engine, const struct state_sweep *states);

/* The price at which an instrument's book trades; 0: it does not. */
int32_t auction_price(const struct engine *engine, uint32_t instrument);

/* Trades at states->price_ticks; false: the step is full. First book against book, then what is left with the orders
 * that only take an imbalance. */
bool auction_trade(struct engine *engine, const struct state_sweep *states);
bool auction_imbalance(struct engine *engine, struct state_sweep *states);

/* Cancels what is left of the cross orders; false: the step is full. */
bool auction_left(struct engine *engine, struct state_sweep *states);

#endif
