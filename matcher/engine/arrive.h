/*
 * An order arrives (docs/engine.md): from its entry, its trigger or its new price on, until it stands somewhere or is
 * gone. engine->taker is the order; it has been told.
 */
#ifndef RINGSIDE_ENGINE_ARRIVE_H
#define RINGSIDE_ENGINE_ARRIVE_H

#include "state.h"

/* From the first step on. */
void taker_arrive(struct engine *engine);

/* From step 4 on: its trigger has fired, or it is no longer parked. */
void taker_enter(struct engine *engine);

/* An order in the book gets its turn: it becomes the taker with a new order_ref, is told so, and enters. */
void order_activate(struct engine *engine, uint32_t index);

/* The key of the price that a peg has now; KEY_NONE: it has none. */
int32_t peg_key(const struct engine *engine, uint32_t instrument, uint32_t side, const struct special *special);

/* What of a quantity the taker would surely get (docs/engine.md, Available); counts no further than `wanted`. */
uint32_t taker_available(const struct engine *engine, const struct taker *taker, uint32_t wanted);

#endif
