/*
 * The reference model: what docs/engine.md says, done in the slowest and most obvious way. All orders that ever were
 * lie in one list in the order in which they were entered; to find something, it looks at each of them. It shares no
 * code with the engine, and it has room for everything: of the limits it knows only how many sessions, instruments,
 * channels and breakable trades there are, and whether tops are told. It writes no CHECKPOINT.
 */
#ifndef RINGSIDE_TESTS_ENGINE_MODEL_H
#define RINGSIDE_TESTS_ENGINE_MODEL_H

#include "ringside_engine.h"

#define MODEL_ORDERS_MAX      8192 /* ever, in one run */
#define MODEL_TRADES_MAX      16384
#define MODEL_SESSIONS_MAX    64
#define MODEL_INSTRUMENTS_MAX 16
#define MODEL_FIRMS_MAX       1024
#define MODEL_EVENTS_MAX      16384 /* of one command */
#define MODEL_TICKS_MAX       4

/* Where an order stands, in the order of the walk. What stands nowhere is not live. */
enum model_place {
    MODEL_NOWHERE,
    MODEL_DISPLAYED_BIDS,
    MODEL_HIDDEN_BIDS,
    MODEL_DISPLAYED_ASKS,
    MODEL_HIDDEN_ASKS,
    MODEL_BUY_STOPS,
    MODEL_SELL_STOPS,
    MODEL_WAITING,
    MODEL_DUE,
};

struct model_order {
    enum model_place place;
    uint64_t joined; /* when it joined its place: a number that grows */
    bool mover;
    bool appendage; /* of its own Enter or Replace */
    uint64_t order_ref, entry_ref /* as it was told by ACCEPTED or REPLACED */;
    uint32_t session, user_ref, instrument;
    uint8_t user_ref_index, side;
    int32_t limit_ticks; /* as it was given */
    int32_t price_ticks; /* where it stands; of an arriving peg, the price made for it */
    uint32_t size, leaves, shown;
    uint32_t min_quantity, max_floor, random_reserve, refills;
    uint8_t price_type, trigger_kind, self_match;
    int32_t peg_offset_ticks, trigger_ticks;
    bool has_peak;
    int32_t peak;
    bool post_only, trade_now, sweep;
    uint32_t expire_s;   /* as the request gave it; 0: none, or inherited */
    uint64_t expires_ns; /* 0: never */
    uint32_t group, options;
    char firm[FIRM_BYTES];
    uint8_t time_in_force, display, capacity, cross_type, handle_inst;
    uint64_t passed_over_by; /* order_ref of the taker that has passed it over for good */
};

struct model_trade {
    uint64_t match_number;
    bool broken;
    struct event event; /* the EXECUTED */
};

struct model_session {
    char user[USER_BYTES];
    char firm[FIRM_BYTES];
    bool connected, blocked, cancels_on_disconnect;
    uint32_t grace_ms;
    bool away;           /* it has ended, and its orders wait for it */
    uint64_t away_to_ns; /* until then */
    uint8_t gateway;
    uint32_t tenure;
    uint64_t connection;
    uint32_t message_no;
    uint32_t user_ref_last[256];
    bool channel_used[256];
};

struct model_firm {
    char firm[FIRM_BYTES];
    bool member_disabled, operator_disabled;
    uint32_t quantity_max;
    uint64_t notional_max;
};

struct model_instrument {
    char symbol[SYMBOL_BYTES];
    uint32_t tick, lot;
    int32_t reference, collar, fat_finger;
    uint32_t quantity_max;
    uint64_t notional_max;
    uint8_t state;
    int32_t last_trade;             /* 0: none ever */
    int32_t pass_bid, pass_ask;     /* best prices when the last pass began; 0: none */
    int32_t ticks[MODEL_TICKS_MAX]; /* at hand */
    uint32_t tick_count;
    struct event_top top; /* as last reported */
};

struct model {
    struct engine_limits limits;
    uint32_t order_count;
    struct model_session sessions[MODEL_SESSIONS_MAX + 1];
    uint32_t session_count;
    struct model_instrument instruments[MODEL_INSTRUMENTS_MAX + 1];
    uint32_t instrument_count;
    struct model_firm firms[MODEL_FIRMS_MAX];
    uint32_t firm_count;
    uint32_t channel_count;
    bool day_open;
    uint32_t date;
    uint64_t midnight_ns;
    uint64_t order_ref_last, match_number_last, joined_last, event_seq_last, event_hash;
    const struct command *command;
    uint32_t meant_instrument; /* by an operator's command */
    uint8_t refused_why;       /* the last refusal */
    uint32_t event_count, trade_count;
    bool full; /* there was no room for all events or trades: nothing more can be said */
    struct model_order orders[MODEL_ORDERS_MAX];
    struct model_trade trades[MODEL_TRADES_MAX]; /* of the day */
    struct event events[MODEL_EVENTS_MAX];       /* of the last command */
};

void model_init(struct model *model, const struct engine_limits *limits);

/* Applies a command; its events are in events, heads zero. */
void model_apply(struct model *model, const struct command *command);

/* NULL, or what is not the same in the engine: each live order, and the order of the walk. */
const char *model_differs(struct model *model, const struct engine *engine);

/* NULL, or the rule of an exchange that the model itself breaks. */
const char *model_invalid(const struct model *model);

#endif
