/*
 * What surrounds a persister, for its tests: a run, an event ring that is small enough to be overrun, and the event
 * log. One process, one thread; the persister is the real stage. Killing it is dropping it: it writes nothing at its
 * end.
 */
#ifndef RINGSIDE_TESTS_PERSISTER_EXCHANGE_H
#define RINGSIDE_TESTS_PERSISTER_EXCHANGE_H

#include "config/config.h"
#include "eventlog/eventlog.h"
#include "ring/ring.h"
#include "run/run.h"
#include "stage/stage.h"

#include <stdbool.h>
#include <stdint.h>

struct exchange {
    char directory[64]; /* rings, and the event log in "events" */
    struct config config;
    struct run journaler_run;
    struct ring ring;
    struct ring_producer producer;
    struct ring_consumer log_line;
    struct eventlog_writer *log;
    struct run persister_run;
    struct stage_context context;
    void *stage; /* NULL: none runs */
    uint64_t poll_ns_max;
    struct error error;
};

void exchange_init(struct exchange *exchange, uint32_t event_slots);

/* Makes the event ring; until then a persister has nothing to follow. */
void exchange_begin(struct exchange *exchange);
void exchange_finish(struct exchange *exchange);

/* Publishes events, and writes them to the log as the ring fills up. */
void exchange_publish(struct exchange *exchange, const struct event *events, uint32_t count);

/* All that was published into the log. */
void exchange_log(struct exchange *exchange);

void exchange_start(struct exchange *exchange);
void exchange_drop(struct exchange *exchange);

/* One poll, and a sleep on its descriptor if there was nothing to do. Returns the poll's answer; keeps the longest. */
int exchange_poll(struct exchange *exchange);

/* What the stage says of itself. */
const char *exchange_describe(struct exchange *exchange);

#endif
