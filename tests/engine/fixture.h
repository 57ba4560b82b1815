/*
 * An engine in the hands of a test: a day is open, instruments 1 (tick 100, any lot) and 2 (tick 1, lots of 10) are
 * there, sessions 1 to 3 are logged in. Each call applies one command, over as many steps as it takes, and leaves its
 * events in fixture.events. Times and numbers of commands run by themselves.
 */
#ifndef RINGSIDE_TESTS_ENGINE_FIXTURE_H
#define RINGSIDE_TESTS_ENGINE_FIXTURE_H

#include "ringside_engine.h"

#define FIXTURE_EVENTS_MAX 8192

struct fixture {
    struct engine *engine;
    void *memory;
    uint64_t command_seq;
    uint32_t user_refs[4]; /* last of each session */
    struct event events[FIXTURE_EVENTS_MAX];
    uint32_t event_count;
    uint32_t step_count;
};

extern const struct engine_limits fixture_limits;

struct fixture *fixture_open(const struct engine_limits *limits);
void fixture_close(struct fixture *fixture);

/* Applies any command; command_seq and time are filled in. Returns the number of events. */
uint32_t apply(struct fixture *fixture, struct command command);

/* The same at a time of one's own, later than all before. */
uint32_t apply_at(struct fixture *fixture, struct command command, uint64_t time_ns);

/* A day order of session for instrument 1; returns its user_ref. */
uint32_t enter(struct fixture *fixture, uint32_t session, char side, uint32_t quantity, int32_t price_ticks);

/* The command of such an order, to be changed before it is applied. */
struct command order(struct fixture *fixture, uint32_t session, char side, uint32_t quantity, int32_t price_ticks);

uint32_t cancel(struct fixture *fixture, uint32_t session, uint32_t user_ref, uint32_t quantity);
uint32_t replace(struct fixture *fixture, uint32_t session, uint32_t target_user_ref, uint32_t quantity,
                 int32_t price_ticks);
uint32_t modify(struct fixture *fixture, uint32_t session, uint32_t target_user_ref, char side, uint32_t quantity);
uint32_t login(struct fixture *fixture, const char *user, uint8_t gateway, uint32_t tenure, uint64_t connection,
               uint8_t takeover);
uint32_t of_kind(struct fixture *fixture, uint8_t kind, uint8_t gateway);

/* The n-th event (from 0) of a kind among the last command's, or NULL. */
const struct event *event_of(const struct fixture *fixture, uint8_t kind, uint32_t nth);
uint32_t count_of(const struct fixture *fixture, uint8_t kind);

/* The last command was rejected with this reason; no other event but the reject. */
bool rejected_with(const struct fixture *fixture, uint16_t reason);

/* Best price of a side of instrument 1, 0 if it is empty; what stands there. */
int32_t best(const struct fixture *fixture, char side);
uint64_t best_quantity(const struct fixture *fixture, char side);

#endif
