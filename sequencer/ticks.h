/*
 * Ticks: that time passes is a command too, so that what ends by the clock ends at the same place in every replay. They
 * are published only while the engine has a timer armed, which the matcher says in the status of the event ring; until
 * its tick an order trades (docs/engine.md).
 */
#ifndef RINGSIDE_SEQUENCER_TICKS_H
#define RINGSIDE_SEQUENCER_TICKS_H

#include "base/error.h"
#include "merge.h"
#include "run/run.h"

#include <stdint.h>

struct ticks {
    struct ring events; /* for its status alone; not attached while there is none */
    uint64_t interval_ns;
    uint64_t next_ns; /* CLOCK_MONOTONIC */
};

void ticks_open(struct ticks *ticks, const struct config *config);

/* Attaches to the event ring, if it is there and not attached yet. 0, or negative: it is not of this run. */
int ticks_attach(struct ticks *ticks, struct run *run, struct error *error);

/* Publishes a tick if one is due and there is room for it. The number of records published. */
int ticks_publish(struct ticks *ticks, struct merge *merge, uint64_t realtime_ns, uint64_t now_ns);

void ticks_close(struct ticks *ticks);

#endif
