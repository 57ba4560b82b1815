/*
 * An exchange around one gateway, in one thread: a run with real rings and a real event log, the gateway's stage polled
 * by hand, and a scripted stand-in for sequencer, journaler and matcher that answers each command with the events a
 * matcher would send. It trades nothing unless told: an order is accepted, cancelled, replaced.
 *
 *   1. Everything lives in one temporary folder, which goes with the fixture.
 *   2. `hold` stops the stand-in from taking commands; the inbound ring then fills up.
 *   3. Every event goes to the event ring and the event log; the ring is small, so a replay needs both.
 */
#ifndef RINGSIDE_TESTS_GATEWAY_STAND_IN_H
#define RINGSIDE_TESTS_GATEWAY_STAND_IN_H

#include "config/config.h"
#include "eventlog/eventlog.h"
#include "record/command.h"
#include "record/event.h"
#include "ring/ring.h"
#include "run/run.h"
#include "stage/stage.h"

#include <stdbool.h>
#include <stdint.h>

#define STAND_IN_DATE     20261123u
#define STAND_IN_MIDNIGHT (UINT64_C(1795392000) * NS_PER_SECOND)
#define STAND_IN_USERS    64u
#define STAND_IN_PASSWORD "secret"

struct stand_in_session {
    char user[USER_BYTES];
    uint32_t message_next;
    uint32_t user_ref_next;
    uint64_t connection; /* 0: nobody's */
    uint32_t tenure;
};

struct stand_in {
    char folder[64];
    struct config config;
    struct run journaler_run; /* makes the run */
    struct run gateway_run;
    void *gateway;
    struct ring event_ring;
    struct ring inbound_ring;
    struct ring_producer events;
    struct ring_consumer event_log_line;
    struct ring_consumer commands;
    struct eventlog_writer *log;
    bool attached;
    bool hold;
    struct engine *engine; /* instead of the script */
    void *engine_memory;
    uint64_t command_seq;
    uint64_t event_seq_next;
    uint64_t order_ref;
    uint32_t session_count;
    struct stand_in_session sessions[STAND_IN_USERS + 1];
    uint64_t command_count[256]; /* taken, by kind; logins that the gateway refused are not among them */
    uint64_t failed_login_count;
    struct command last[256]; /* the last of each kind */
};

/* `settings`: overrides of the configuration, NULL-terminated. Users are u01 ... of firm FRMA. */
void stand_in_open(struct stand_in *exchange, const char *const *settings);
/* The same with the real engine in the script's place: nothing but what clients ask for happens then. */
void stand_in_open_engine(struct stand_in *exchange, const char *const *settings);
void stand_in_close(struct stand_in *exchange);

/* The gateway ends without a word and a new one is opened. */
void stand_in_restart_gateway(struct stand_in *exchange);

/* One poll of all. Returns the work done. */
int stand_in_poll(struct stand_in *exchange);

/* An event of the stand-in's own making; its number, time and cause are filled in. */
void stand_in_event(struct stand_in *exchange, struct event *event);

/* With the real engine: a command from elsewhere, such as an operator's; time_ns 0: now. */
void stand_in_command(struct stand_in *exchange, const struct command *command);

/* An ACCEPTED for the session, as if it had entered an order. */
void stand_in_accepted(struct stand_in *exchange, uint32_t session, uint32_t user_ref);

/* A trade between two sessions, which may be the same. */
void stand_in_trade(struct stand_in *exchange, uint32_t taker, uint32_t maker);

/* The day ends and the next one begins. */
void stand_in_next_day(struct stand_in *exchange);

uint32_t stand_in_session_of(const struct stand_in *exchange, const char *user);

#endif
