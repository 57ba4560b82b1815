/*
 * Market states: MARKET_STATE of one instrument or of all, with the auction that a change brings, the orders that a
 * close cancels and those that wait for a continuous state.
 */
#ifndef RINGSIDE_ENGINE_STATES_H
#define RINGSIDE_ENGINE_STATES_H

#include "state.h"

void market_state(struct engine *engine, const struct command *command);

/* Goes on with it. */
void states_sweep(struct engine *engine);

#endif
