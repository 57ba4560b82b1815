/*
 * The reference model: what docs/engine.md says, done in the slowest and most obvious way. All orders that ever were
 * lie in one list in the order of their numbers; to find something, it looks at each of them. It shares no code with
 * the engine.
 */
#ifndef RINGSIDE_TESTS_ENGINE_MODEL_H
#define RINGSIDE_TESTS_ENGINE_MODEL_H

#include "ringside_engine.h"

#define MODEL_ORDERS_MAX      8192 /* ever, in one run */
#define MODEL_SESSIONS_MAX    64
#define MODEL_INSTRUMENTS_MAX 16
#define MODEL_EVENTS_MAX      8192 /* of one command */

struct model_order {
    bool live;
    bool appendage;
    uint64_t order_ref;
    uint32_t session, user_ref, instrument;
    uint8_t user_ref_index, side;
    int32_t price_ticks;
    uint32_t leaves, executed;
    uint32_t options;
    char firm[FIRM_BYTES];
    uint8_t time_in_force, display, capacity, cross_type;
};

struct model_session {
    char user[USER_BYTES];
    char firm[FIRM_BYTES];
    bool connected;
    uint8_t gateway;
    uint32_t tenure;
    uint64_t connection;
    uint32_t message_no;
    uint32_t user_ref_last[256];
    bool channel_used[256];
};

struct model_instrument {
    char symbol[SYMBOL_BYTES];
    uint32_t tick, lot;
    int32_t reference;
    struct event_top top; /* as last reported */
};

struct model {
    struct engine_limits limits;
    uint32_t order_count;
    struct model_session sessions[MODEL_SESSIONS_MAX + 1];
    uint32_t session_count;
    struct model_instrument instruments[MODEL_INSTRUMENTS_MAX + 1];
    uint32_t instrument_count;
    uint32_t channel_count;
    bool day_open;
    uint32_t date;
    uint64_t midnight_ns;
    uint64_t order_ref_last, match_number_last, event_seq_last, event_hash;
    const struct command *command;
    uint32_t instrument_at_hand; /* whose top may have changed; 0: none */
    uint64_t state_hash;         /* of the engine, for checkpoints: the model has none */
    uint32_t event_count;
    struct model_order orders[MODEL_ORDERS_MAX];
    struct event events[MODEL_EVENTS_MAX]; /* of the last command */
};

void model_init(struct model *model, const struct engine_limits *limits);

/* Applies a command; its events are in events, heads zero. */
void model_apply(struct model *model, const struct command *command);

/* NULL, or what is not the same in the engine: the full books, order by order. */
const char *model_differs(struct model *model, const struct engine *engine);

#endif
