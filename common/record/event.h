/*
 * The event record: what the engine says of a command. Everything that is told to a client, a database or a feed is
 * made from one of these and nothing else.
 *
 * One event is one 128-byte slot of the event ring and one 128-byte place in the event log, numbered without gaps from
 * 1. The body is bytes 16 to 127. An event with `continued` set is followed by the ORDER_OPTIONS event with the next
 * number, which holds the option values that did not fit; the pair is published last slot first, so whoever sees the
 * first can read the second.
 *
 * Messages: an event with message_no != 0 is one Sequenced Data packet of `session`, with that number; EXECUTED and
 * BROKEN may be one for `trade.maker_session` too. The numbers of a session run from 1 without gaps each trading day.
 */
#ifndef RINGSIDE_RECORD_EVENT_H
#define RINGSIDE_RECORD_EVENT_H

#include "record/command.h"

/* kind, number, meaning, the OUCH message it becomes (or - for none) */
#define EVENT_KINDS(X)                                                                                                 \
    X(ACCEPTED, 1, "order accepted; reason L live or D dead at once", "A")                                             \
    X(REPLACED, 2, "order replaced, priority lost; reason L or D", "U")                                                \
    X(CANCELED, 3, "quantity taken off an order: cut.decrement, cut.leaves_quantity", "C")                             \
    X(SELF_MATCH_CANCELED, 4, "as CANCELED, by self-match prevention", "D")                                            \
    X(EXECUTED, 5, "a trade, both sides", "E")                                                                         \
    X(BROKEN, 6, "a trade is broken, both sides", "B")                                                                 \
    X(REJECTED, 7, "a request is refused: refused.reason", "J")                                                        \
    X(CANCEL_PENDING, 8, "a cancel waits", "P")                                                                        \
    X(CANCEL_REJECTED, 9, "a cancel is refused", "I")                                                                  \
    X(PRIORITY_UPDATED, 10, "new price, display or order_ref of a resting order", "T")                                 \
    X(MODIFIED, 11, "side or quantity of an order changed in place", "M")                                              \
    X(RESTATED, 12, "displayed part of an order changed", "R")                                                         \
    X(MASS_CANCELED, 13, "answer to a mass cancel, after its CANCELED events", "X")                                    \
    X(ENTRY_DISABLED, 14, "order entry of a firm disabled", "G")                                                       \
    X(ENTRY_ENABLED, 15, "order entry of a firm enabled", "K")                                                         \
    X(ACCOUNT_ANSWER, 16, "next usable user_ref: user_ref", "Q")                                                       \
    X(SYSTEM_EVENT, 17, "start (reason S) or end (reason E) of the day, told to one session", "S")                     \
    X(ORDER_OPTIONS, 24, "continuation of the event before it", "-")                                                   \
    X(LOGIN_ACCEPTED, 32, "connection owns the session; message_next is what it is told next", "-")                    \
    X(LOGIN_REFUSED, 33, "connection may not have the session: reason A or S of SoupBinTCP", "-")                      \
    X(SESSION_CLOSED, 34, "connection no longer owns the session", "-")                                                \
    X(DAY_STARTED, 48, "a trading day has begun", "-")                                                                 \
    X(DAY_ENDED, 49, "the trading day has ended", "-")                                                                 \
    X(INSTRUMENT_ADDED, 50, "an instrument exists, with its number and limits", "-")                                   \
    X(MARKET_STATE_CHANGED, 51, "an instrument's market state", "-")                                                   \
    X(LIMITS_CHANGED, 52, "limits of an instrument or a firm", "-")                                                    \
    X(BOOK_TOP, 64, "best prices of an instrument, after a command that changed them", "-")                            \
    X(COMMAND_REFUSED, 65, "an administrative command is refused: admin.refused_kind, refused_why", "-")               \
    X(CHECKPOINT, 66, "event hash and state hash at a command", "-")                                                   \
    X(OPERATOR_ACTED, 67, "what an operator asked for is done, or refused: acted.why; the end of it", "-")

enum event_kind {
#define X(name, number, meaning, message) EVENT_##name = (number),
    EVENT_KINDS(X)
#undef X
};

enum event_flag {
    EVENT_CONTINUED = 1 << 0,       /* the next event is the ORDER_OPTIONS of this one */
    EVENT_HAS_APPENDAGE = 1 << 1,   /* the message to `session` carries an Appendage Length even if empty */
    EVENT_MAKER_APPENDAGE = 1 << 2, /* the same for the maker's message */
    EVENT_LAST_OF_COMMAND = 1 << 3, /* no further event of this command follows */
};

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* ACCEPTED */
struct event_accepted {
    uint64_t order_ref; /* day-unique, given by the engine */
    char symbol[SYMBOL_BYTES];
    int32_t price_ticks; /* as accepted */
    uint32_t quantity;   /* shares, as accepted */
    uint32_t options;    /* enum order_option */
    char firm[FIRM_BYTES];
    uint8_t time_in_force;
    uint8_t display;
    uint8_t capacity;
    uint8_t cross_type;
    uint8_t price_type;
    uint8_t handle_inst;
    char client_order_id[CLIENT_ORDER_ID_BYTES];
    uint16_t group;
    uint8_t reserved0[2];
    uint32_t min_quantity;
    uint32_t max_floor;
};

/* REPLACED: the same up to client_order_id; quantity is what is left exposed, not the chain's total */
struct event_replaced {
    uint64_t order_ref; /* of the new order */
    char symbol[SYMBOL_BYTES];
    int32_t price_ticks;
    uint32_t quantity;
    uint32_t options;
    char firm[FIRM_BYTES];
    uint8_t time_in_force;
    uint8_t display;
    uint8_t capacity;
    uint8_t cross_type;
    uint8_t price_type;
    uint8_t handle_inst;
    char client_order_id[CLIENT_ORDER_ID_BYTES];
    uint32_t target_user_ref; /* OrigUserRefNum */
    uint64_t previous_order_ref;
};

/* CANCELED, SELF_MATCH_CANCELED, PRIORITY_UPDATED, MODIFIED, RESTATED, CANCEL_PENDING, CANCEL_REJECTED */
struct event_cut {
    uint64_t order_ref;
    uint64_t previous_order_ref; /* PRIORITY_UPDATED, RESTATED: the number it had; else 0 */
    int32_t price_ticks;         /* of the order */
    uint32_t decrement;          /* shares taken off now */
    uint32_t leaves_quantity;    /* shares still open */
    uint32_t prevented_quantity; /* SELF_MATCH_CANCELED: shares kept from trading */
    int32_t prevented_ticks;     /* SELF_MATCH_CANCELED: the price they would have had */
    uint8_t liquidity;           /* SELF_MATCH_CANCELED */
    uint8_t self_match;          /* SELF_MATCH_CANCELED: strategy letter */
    uint8_t display;
    uint8_t reserved0;
    uint32_t display_quantity; /* RESTATED */
    uint32_t reserved1;
    uint64_t reserved2[2];
};

/* EXECUTED, BROKEN; the header's session, user_ref, side are the taker's */
struct event_trade {
    uint64_t order_ref;
    uint64_t maker_order_ref;
    uint64_t match_number;
    int32_t price_ticks; /* the maker's price */
    uint32_t quantity;
    uint32_t leaves_quantity;
    uint32_t maker_leaves_quantity;
    uint32_t maker_session;
    uint32_t maker_message_no;
    uint32_t maker_user_ref;
    uint8_t maker_user_ref_index;
    uint8_t maker_side;
    uint8_t liquidity;       /* flag of the taker, such as R */
    uint8_t maker_liquidity; /* flag of the maker, such as A */
    uint64_t reserved0;
};

/* REJECTED */
struct event_refused {
    uint16_t reason;      /* reject reason of OUCH */
    uint8_t refused_kind; /* enum command_kind */
    uint8_t reserved0[5];
    char client_order_id[CLIENT_ORDER_ID_BYTES];
    uint8_t reserved1[2];
    uint64_t reserved2[5];
};

/* MASS_CANCELED, ENTRY_DISABLED, ENTRY_ENABLED */
struct event_mass {
    char symbol[SYMBOL_BYTES];
    char firm[FIRM_BYTES];
    uint32_t options;
    uint16_t group;
    uint8_t reserved0[6];
    uint64_t reserved1[5];
};

/* ORDER_OPTIONS */
struct event_options {
    uint32_t min_quantity;
    uint32_t max_floor;
    int32_t peg_offset_ticks;
    uint32_t random_reserve;
    uint32_t expire_s;
    int32_t trigger_ticks;
    uint16_t group;
    uint8_t trigger_kind;
    uint8_t self_match;
    uint32_t display_quantity;
    int32_t display_ticks;
    uint32_t reserved0;
    uint64_t secondary_order_ref;
    uint64_t reserved1[2];
};

/* LOGIN_ACCEPTED, LOGIN_REFUSED, SESSION_CLOSED */
struct event_session {
    uint64_t connection; /* as in the LOGIN command */
    uint32_t tenure;
    uint32_t message_next; /* number of the next message of the session */
    uint8_t gateway;
    uint8_t reserved0;
    char user[USER_BYTES];
    uint32_t user_ref_next; /* next usable UserRefNum of channel 0 */
    uint32_t date;          /* the trading day; the SoupBinTCP session id is its digits */
    char firm[FIRM_BYTES];
    uint16_t peer_port; /* LOGIN_ACCEPTED, LOGIN_REFUSED: as in the LOGIN command */
    uint8_t reserved1[2];
    uint8_t peer[PEER_BYTES];
    uint64_t reserved2;
};

/* DAY_STARTED, DAY_ENDED */
struct event_day {
    uint32_t date;
    uint32_t reserved0;
    uint64_t midnight_ns;
    uint64_t reserved1[6];
};

/* INSTRUMENT_ADDED, MARKET_STATE_CHANGED, LIMITS_CHANGED, COMMAND_REFUSED */
struct event_admin {
    char symbol[SYMBOL_BYTES];
    int32_t tick_ticks;
    uint32_t lot_quantity;
    int32_t reference_ticks;
    int32_t collar_ticks;
    int32_t fat_finger_ticks;
    uint32_t quantity_max;
    uint64_t notional_max;
    char firm[FIRM_BYTES];
    uint8_t market_state;
    uint8_t refused_kind; /* COMMAND_REFUSED: enum command_kind */
    uint8_t refused_why;  /* COMMAND_REFUSED: enum engine_refusal */
    uint8_t reserved0;
    uint64_t reserved1[2];
};

/* BOOK_TOP: prices 0 and quantities 0 where a side is empty */
struct event_top {
    char symbol[SYMBOL_BYTES];
    int32_t bid_ticks;
    int32_t ask_ticks;
    uint64_t bid_quantity;
    uint64_t ask_quantity;
    uint64_t reserved0[4];
};

/* CHECKPOINT */
struct event_checkpoint {
    uint64_t command_seq; /* all commands up to this one are in the hashes */
    uint64_t event_hash;  /* running hash of all events before this one */
    uint64_t state_hash;
    uint64_t live_order_count;
    uint64_t reserved0[4];
};

/*
 * OPERATOR_ACTED: who asked for what, and what came of it. user_ref in the header is the number of the request,
 * instrument the one that was meant.
 */
struct event_acted {
    uint64_t inbound_seq; /* of the command, with tenure: which request of which life of ringside-admin */
    uint32_t tenure;
    uint32_t operator_id;
    char operator_name[OPERATOR_NAME_BYTES];
    uint8_t kind;           /* enum command_kind */
    uint8_t why;            /* enum engine_refusal; 0: it was done, or was so already */
    uint8_t flag;           /* as in the command, so are the next */
    uint8_t target_gateway; /* of GATEWAY_DEAD */
    char firm[FIRM_BYTES];
    uint64_t match_number; /* of TRADE_BREAK */
    char user[USER_BYTES];
    uint8_t market_state; /* of MARKET_STATE */
    uint8_t reserved0;
    uint32_t event_count; /* events of the command before this one, BOOK_TOP too */
    uint32_t reserved1;
};

struct event {
    struct record_head head; /* not part of the body */
    uint64_t event_seq;      /* from 1, without gaps */
    uint64_t command_seq;    /* the cause */
    uint64_t time_ns;        /* the cause's time */
    uint16_t index;          /* number of the event within its command, modulo 65536 */
    uint8_t kind;            /* enum event_kind */
    uint8_t flags;           /* enum event_flag */
    uint32_t instrument;     /* 0: none */
    uint32_t session;        /* to whom; 0: nobody */
    uint32_t message_no;     /* number of the Sequenced Data packet; 0: none */
    uint32_t user_ref;
    uint8_t user_ref_index;
    uint8_t shard;
    uint8_t side;   /* B, S, T, E; 0: none */
    uint8_t reason; /* order state, cancel reason, break reason, event code: the letter of OUCH; 0: none */
    union {
        struct event_accepted accepted;
        struct event_replaced replaced;
        struct event_cut cut;
        struct event_trade trade;
        struct event_refused refused;
        struct event_mass mass;
        struct event_options options;
        struct event_session login;
        struct event_day day;
        struct event_admin admin;
        struct event_top top;
        struct event_checkpoint checkpoint;
        struct event_acted acted;
    };
};

#pragma GCC diagnostic pop

/* As COMMAND_FIELDS. */
#define EVENT_FIELDS(X)                                                                                                \
    X(event, head, 0, 16)                                                                                              \
    X(event, event_seq, 16, 8)                                                                                         \
    X(event, command_seq, 24, 8)                                                                                       \
    X(event, time_ns, 32, 8)                                                                                           \
    X(event, index, 40, 2)                                                                                             \
    X(event, kind, 42, 1)                                                                                              \
    X(event, flags, 43, 1)                                                                                             \
    X(event, instrument, 44, 4)                                                                                        \
    X(event, session, 48, 4)                                                                                           \
    X(event, message_no, 52, 4)                                                                                        \
    X(event, user_ref, 56, 4)                                                                                          \
    X(event, user_ref_index, 60, 1)                                                                                    \
    X(event, shard, 61, 1)                                                                                             \
    X(event, side, 62, 1)                                                                                              \
    X(event, reason, 63, 1)                                                                                            \
    X(event, accepted.order_ref, 64, 8)                                                                                \
    X(event, accepted.symbol, 72, 8)                                                                                   \
    X(event, accepted.price_ticks, 80, 4)                                                                              \
    X(event, accepted.quantity, 84, 4)                                                                                 \
    X(event, accepted.options, 88, 4)                                                                                  \
    X(event, accepted.firm, 92, 4)                                                                                     \
    X(event, accepted.time_in_force, 96, 1)                                                                            \
    X(event, accepted.display, 97, 1)                                                                                  \
    X(event, accepted.capacity, 98, 1)                                                                                 \
    X(event, accepted.cross_type, 99, 1)                                                                               \
    X(event, accepted.price_type, 100, 1)                                                                              \
    X(event, accepted.handle_inst, 101, 1)                                                                             \
    X(event, accepted.client_order_id, 102, 14)                                                                        \
    X(event, accepted.group, 116, 2)                                                                                   \
    X(event, accepted.min_quantity, 120, 4)                                                                            \
    X(event, accepted.max_floor, 124, 4)                                                                               \
    X(event, replaced.client_order_id, 102, 14)                                                                        \
    X(event, replaced.target_user_ref, 116, 4)                                                                         \
    X(event, replaced.previous_order_ref, 120, 8)                                                                      \
    X(event, cut.order_ref, 64, 8)                                                                                     \
    X(event, cut.previous_order_ref, 72, 8)                                                                            \
    X(event, cut.price_ticks, 80, 4)                                                                                   \
    X(event, cut.decrement, 84, 4)                                                                                     \
    X(event, cut.leaves_quantity, 88, 4)                                                                               \
    X(event, cut.prevented_quantity, 92, 4)                                                                            \
    X(event, cut.prevented_ticks, 96, 4)                                                                               \
    X(event, cut.liquidity, 100, 1)                                                                                    \
    X(event, cut.self_match, 101, 1)                                                                                   \
    X(event, cut.display, 102, 1)                                                                                      \
    X(event, cut.display_quantity, 104, 4)                                                                             \
    X(event, trade.order_ref, 64, 8)                                                                                   \
    X(event, trade.maker_order_ref, 72, 8)                                                                             \
    X(event, trade.match_number, 80, 8)                                                                                \
    X(event, trade.price_ticks, 88, 4)                                                                                 \
    X(event, trade.quantity, 92, 4)                                                                                    \
    X(event, trade.leaves_quantity, 96, 4)                                                                             \
    X(event, trade.maker_leaves_quantity, 100, 4)                                                                      \
    X(event, trade.maker_session, 104, 4)                                                                              \
    X(event, trade.maker_message_no, 108, 4)                                                                           \
    X(event, trade.maker_user_ref, 112, 4)                                                                             \
    X(event, trade.maker_user_ref_index, 116, 1)                                                                       \
    X(event, trade.maker_side, 117, 1)                                                                                 \
    X(event, trade.liquidity, 118, 1)                                                                                  \
    X(event, trade.maker_liquidity, 119, 1)                                                                            \
    X(event, refused.reason, 64, 2)                                                                                    \
    X(event, refused.refused_kind, 66, 1)                                                                              \
    X(event, refused.client_order_id, 72, 14)                                                                          \
    X(event, mass.symbol, 64, 8)                                                                                       \
    X(event, mass.firm, 72, 4)                                                                                         \
    X(event, mass.options, 76, 4)                                                                                      \
    X(event, mass.group, 80, 2)                                                                                        \
    X(event, options.min_quantity, 64, 4)                                                                              \
    X(event, options.max_floor, 68, 4)                                                                                 \
    X(event, options.peg_offset_ticks, 72, 4)                                                                          \
    X(event, options.random_reserve, 76, 4)                                                                            \
    X(event, options.expire_s, 80, 4)                                                                                  \
    X(event, options.trigger_ticks, 84, 4)                                                                             \
    X(event, options.group, 88, 2)                                                                                     \
    X(event, options.trigger_kind, 90, 1)                                                                              \
    X(event, options.self_match, 91, 1)                                                                                \
    X(event, options.display_quantity, 92, 4)                                                                          \
    X(event, options.display_ticks, 96, 4)                                                                             \
    X(event, options.secondary_order_ref, 104, 8)                                                                      \
    X(event, login.connection, 64, 8)                                                                                  \
    X(event, login.tenure, 72, 4)                                                                                      \
    X(event, login.message_next, 76, 4)                                                                                \
    X(event, login.gateway, 80, 1)                                                                                     \
    X(event, login.user, 82, 6)                                                                                        \
    X(event, login.user_ref_next, 88, 4)                                                                               \
    X(event, login.date, 92, 4)                                                                                        \
    X(event, login.firm, 96, 4)                                                                                        \
    X(event, login.peer_port, 100, 2)                                                                                  \
    X(event, login.peer, 104, 16)                                                                                      \
    X(event, day.date, 64, 4)                                                                                          \
    X(event, day.midnight_ns, 72, 8)                                                                                   \
    X(event, admin.symbol, 64, 8)                                                                                      \
    X(event, admin.tick_ticks, 72, 4)                                                                                  \
    X(event, admin.lot_quantity, 76, 4)                                                                                \
    X(event, admin.reference_ticks, 80, 4)                                                                             \
    X(event, admin.collar_ticks, 84, 4)                                                                                \
    X(event, admin.fat_finger_ticks, 88, 4)                                                                            \
    X(event, admin.quantity_max, 92, 4)                                                                                \
    X(event, admin.notional_max, 96, 8)                                                                                \
    X(event, admin.firm, 104, 4)                                                                                       \
    X(event, admin.market_state, 108, 1)                                                                               \
    X(event, admin.refused_kind, 109, 1)                                                                               \
    X(event, admin.refused_why, 110, 1)                                                                                \
    X(event, top.symbol, 64, 8)                                                                                        \
    X(event, top.bid_ticks, 72, 4)                                                                                     \
    X(event, top.ask_ticks, 76, 4)                                                                                     \
    X(event, top.bid_quantity, 80, 8)                                                                                  \
    X(event, top.ask_quantity, 88, 8)                                                                                  \
    X(event, checkpoint.command_seq, 64, 8)                                                                            \
    X(event, checkpoint.event_hash, 72, 8)                                                                             \
    X(event, checkpoint.state_hash, 80, 8)                                                                             \
    X(event, checkpoint.live_order_count, 88, 8)                                                                       \
    X(event, acted.inbound_seq, 64, 8)                                                                                 \
    X(event, acted.tenure, 72, 4)                                                                                      \
    X(event, acted.operator_id, 76, 4)                                                                                 \
    X(event, acted.operator_name, 80, 16)                                                                              \
    X(event, acted.kind, 96, 1)                                                                                        \
    X(event, acted.why, 97, 1)                                                                                         \
    X(event, acted.flag, 98, 1)                                                                                        \
    X(event, acted.target_gateway, 99, 1)                                                                              \
    X(event, acted.firm, 100, 4)                                                                                       \
    X(event, acted.match_number, 104, 8)                                                                               \
    X(event, acted.user, 112, 6)                                                                                       \
    X(event, acted.market_state, 118, 1)                                                                               \
    X(event, acted.event_count, 120, 4)

#define X(type, field, offset, bytes) CONTRACT_FIELD(struct type, field, offset, bytes);
EVENT_FIELDS(X)
#undef X
_Static_assert(sizeof(struct event) == RECORD_BYTES, "an event fills one slot");

const char *event_kind_name(uint8_t kind);

/* The letter of the OUCH message this kind becomes, or '-' for none. */
char event_message_letter(uint8_t kind);

/* NULL if the event is one that the engine could have written, else the rule it breaks. */
const char *event_invalid(const struct event *event);

/* A hash of EVENT_FIELDS, for ring headers and the event log. */
uint64_t event_layout_hash(void);

#endif
