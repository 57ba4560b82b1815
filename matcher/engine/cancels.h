/*
 * Cancels of many orders: a walk over the books, each order judged, those that are meant canceled. A book that has lost
 * orders is brought to rest (follow.h) and reported before the next is begun.
 */
#ifndef RINGSIDE_ENGINE_CANCELS_H
#define RINGSIDE_ENGINE_CANCELS_H

#include "state.h"

/* All orders, as the day ends. */
void cancels_of_day(struct engine *engine);

/* Orders of the sessions that have ended and were to cancel on disconnect, if there are any. */
void cancels_of_sessions(struct engine *engine);

/* ORDERS_CANCEL. */
void orders_cancel(struct engine *engine, const struct command *command);

/* Goes on with the walk. */
void cancels_sweep(struct engine *engine);

/* TICK: cancels the first order that has expired; false: there is none. */
bool expiry_cancel(struct engine *engine);

/* CANCELED with a reason, and gone. */
void order_cancel(struct engine *engine, uint32_t index, uint8_t reason);

#endif
