/*
 * The market as the events tell it: instruments with their best prices and last trade, sessions with what they are
 * told. Pure: events in, figures out.
 *
 * Rules
 *   1. When more events come than are read, the counts of those that were are scaled up: rates are right on average,
 *      prices may be those of a moment ago.
 *   2. Counts begin with the first event taken; totals of a day are the database's business.
 */
#ifndef RINGSIDE_DASH_TAPE_H
#define RINGSIDE_DASH_TAPE_H

#include "record/event.h"

#include <stdbool.h>
#include <stdint.h>

#define TAPE_INSTRUMENTS_MAX 4096u
#define TAPE_SESSIONS_MAX    16384u

struct tape_counts {
    uint64_t events; /* about it, or messages to it */
    uint64_t orders; /* accepted, replacements too */
    uint64_t trades;
    uint64_t shares; /* traded */
    uint64_t rejects;
};

struct tape_rates {
    double events, orders, trades, shares, rejects; /* a second */
};

struct tape_instrument {
    uint32_t number; /* 0: not heard of */
    char symbol[SYMBOL_BYTES + 1];
    char state; /* market state, P O H C X; 0: not told */
    int32_t bid_ticks, ask_ticks;
    uint64_t bid_quantity, ask_quantity;
    int32_t last_ticks;
    uint32_t last_quantity; /* 0: no trade yet */
    struct tape_counts counts, before;
    struct tape_rates rates;
};

struct tape_session {
    uint32_t number; /* 0: not heard of */
    char user[USER_BYTES + 1];
    char firm[FIRM_BYTES + 1];
    uint8_t gateway;
    bool open;
    struct tape_counts counts, before;
    struct tape_rates rates;
};

struct tape {
    struct tape_instrument *instruments; /* by number */
    struct tape_session *sessions;
    uint32_t instrument_room, session_room;
    struct tape_counts counts, before;
    struct tape_rates rates;
    uint64_t overflow_count; /* events about an instrument or session beyond the limits */
};

void tape_take(struct tape *tape, const struct event *event);

/* Names and states stay, counts begin anew: what was read so far was of an earlier time. */
void tape_forget_counts(struct tape *tape);

/* Once a period: rates of what came since the last call, each event standing for `scale` of them. */
void tape_settle(struct tape *tape, double seconds, double scale);

uint32_t tape_instrument_count(const struct tape *tape);
uint32_t tape_open_sessions(const struct tape *tape);

void tape_finish(struct tape *tape);

#endif
