/*
 * The matcher: the engine between the command ring and the event ring.
 *
 *   journal --(at start)--+
 *   command ring ---------+--> engine --> event ring
 *      behind the journaler's cursor
 *
 * Rules
 *   1. A command is applied only when the journaler's cursor has passed it, and when ENGINE_EVENTS_MAX slots of the
 * event ring are free. Events are written straight into their slots.
 *   2. A command is released when all of its events are published. So what a crash interrupts is either still in the
 *      ring or, being durable, in the journal.
 *   3. At start the books are made again from the journal (recover.h), up to the last command whose events are out or
 *      that was released; events that are out already are not written again.
 *   4. Event n is at sequence n of the event ring. If the two ever part, the matcher stops and gives the numbers.
 *
 * It touches the rings of the run, the journal (reading) and the monotonic clock, for stamps.
 */
#ifndef RINGSIDE_MATCHER_H
#define RINGSIDE_MATCHER_H

#include "stage/stage.h"

extern const struct stage_definition matcher_stage;

#endif
