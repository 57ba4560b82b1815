/*
 * The engine between two rings: commands that have passed a barrier in, events out, written straight into their slots.
 *
 *   command ring --(behind the barrier)--> engine --> event ring
 *
 * Rules
 *   1. A command is applied only when ENGINE_EVENTS_MAX slots of the event ring are free.
 *   2. A command is released when all of its events are published.
 *   3. Nothing here sleeps, allocates or makes a system call but for reading the clock: once a call, and where
 *      metrics are kept once a burst, so that stamps tell within a burst when a record was published.
 *
 * It touches the two rings and the engine that it was given, which the caller opens and closes.
 */
#ifndef RINGSIDE_MATCHER_PUMP_H
#define RINGSIDE_MATCHER_PUMP_H

#include "base/error.h"
#include "ring/ring.h"
#include "ringside_engine.h"
#include "tally.h"

struct pump {
    struct engine *engine;
    struct ring_consumer consumer; /* of the command ring, with at least one barrier */
    struct ring_producer producer; /* of the event ring */
    struct engine_input input;
    struct engine_output output;
    struct tally tally; /* of nothing, unless it is given values */
};

/* Lays the engine's input and output over the rings, once both ends are open. */
void pump_join(struct pump *pump);

/*
 * Applies what has passed the barrier, some hundreds of commands at most. Returns the number of steps made (0: nothing
 * to do, or no room for events), or negative.
 */
int pump_work(struct pump *pump, struct error *error);

#endif
