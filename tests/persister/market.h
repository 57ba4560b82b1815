/*
 * A market that only pretends: events as an engine could have written them, by a seed, and beside them what the tables
 * must say afterwards, kept in the plainest way. It shares no code with the persister.
 */
#ifndef RINGSIDE_TESTS_PERSISTER_MARKET_H
#define RINGSIDE_TESTS_PERSISTER_MARKET_H

#include "record/event.h"

#include <stdbool.h>
#include <stdint.h>

#define MARKET_INSTRUMENTS 5
#define MARKET_SESSIONS    7

struct market_order {
    uint64_t order_ref, previous_order_ref, entered_ns, updated_ns, entered_seq, event_seq;
    uint64_t value_ticks;
    uint32_t session, user_ref, instrument, quantity, executed, canceled, leaves;
    uint32_t min_quantity, expire_s; /* 0: none */
    int32_t peg_offset_ticks;
    int32_t price_ticks;
    char side, time_in_force, reason;
    const char *state;
    char client_order_id[CLIENT_ORDER_ID_BYTES + 1];
};

struct market_login {
    uint32_t logins;
    bool is_connected;
};

struct market {
    uint64_t random;
    bool is_one_day; /* else time leaps into other days now and then */
    uint64_t next_ref, next_match, next_command, time_ns;
    uint32_t next_user_ref;
    struct event *events; /* all so far; number n is at n - 1 */
    uint32_t event_count, event_max;
    struct market_order *orders; /* in the order of their first numbers */
    uint32_t order_count, order_max;
    uint32_t *live; /* indexes of orders that live */
    uint32_t live_count;
    uint32_t trade_count, rejection_count, break_count;
    uint32_t last_trade[MARKET_INSTRUMENTS + 1]; /* index of the event + 1; 0: none */
    uint32_t last_top[MARKET_INSTRUMENTS + 1];
    struct market_login logins[MARKET_SESSIONS + 1];
};

extern const char *const market_symbols[MARKET_INSTRUMENTS + 1];
extern const char *const market_users[MARKET_SESSIONS + 1];

/* With its trading day, instruments and sessions already there. */
void market_init(struct market *market, uint64_t seed, uint32_t event_max);
void market_finish(struct market *market);

/* Commands until there are at least so many events more. */
void market_run(struct market *market, uint32_t events);

/* Best prices and nothing else, up to that event; then another trading day, which begins with no order. */
void market_idle_until(struct market *market, uint32_t event_seq, uint32_t date);

uint32_t market_random(struct market *market, uint32_t below);

#endif
