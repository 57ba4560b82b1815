/*
 * What the matcher counts (metrics/values.h): events by kind and rejects by reason in plain words, which go into the
 * metrics file about every 100 ms; the hops that end here as the commands are done with.
 *
 * Rules
 *   1. Without metrics `values` is NULL, and nothing is counted.
 *   2. The times at which commands became durable are in the journaler's metrics file. It is looked for once a second;
 *      while it is not there, that hop is not measured.
 */
#ifndef RINGSIDE_MATCHER_TALLY_H
#define RINGSIDE_MATCHER_TALLY_H

#include "base/require.h"
#include "metrics/hops.h"
#include "metrics/metrics_read.h"
#include "metrics/values.h"
#include "record/command.h"
#include "record/event.h"
#include "ring/ring.h"
#include "ringside_engine.h"

struct tally {
    struct matcher_values *values;
    struct hop_sampler sampler;
    const _Atomic uint64_t *durable; /* the journaler's table of times; NULL: it is not there */
    uint64_t events[EVENT_NAME_COUNT];
    uint64_t rejects[REJECT_NAME_COUNT];
    uint64_t commands;
    struct event_checkpoint checkpoint; /* the last one; command_seq 0: none yet */
    struct metrics_reader journaler;
    uint64_t look_next_ns;
};

static inline void tally_event(struct tally *tally, const struct event *event)
{
    if (LIKELY(event->kind < EVENT_NAME_COUNT))
        tally->events[event->kind]++;
    if (UNLIKELY(event->kind == EVENT_REJECTED) && event->refused.reason < REJECT_NAME_COUNT)
        tally->rejects[event->refused.reason]++;
    if (UNLIKELY(event->kind == EVENT_CHECKPOINT))
        tally->checkpoint = event->checkpoint;
}

/* Commands from first_seq to before end_seq are done with, their events were published at `now_ns_low`. */
void tally_commands(struct tally *tally, const struct engine_input *input, uint64_t first_seq, uint64_t end_seq,
                    uint32_t now_ns_low);

/* About every 100 ms. */
void tally_measure(struct tally *tally, const struct engine *engine, const struct ring_producer *producer,
                   const char *run_directory, uint64_t now_ns);

void tally_finish(struct tally *tally);

#endif
