/*
 * The command record: everything that changes the state of the exchange is one of these, in one order.
 *
 * One command is one 128-byte slot of an inbound ring (as the gateway wrote it) and of the command ring (as the
 * sequencer stamped it). The bodies from byte 16 on are what the journal keeps. All integers are little-endian, in
 * natural alignment; reserved bytes are zero. Text fields are padded with spaces as on the wire.
 *
 * Every offset is pinned by COMMAND_FIELDS, the table from which the assertions below, the layout hash in every ring's
 * header and docs/records.md are made. Which fields a kind uses is in COMMAND_KINDS' comment and docs/records.md.
 */
#ifndef RINGSIDE_RECORD_COMMAND_H
#define RINGSIDE_RECORD_COMMAND_H

#include "base/require.h"
#include "record/stamp.h"

#include <stdbool.h>
#include <stdint.h>

/* kind, number, what it asks for and the fields of the payload it uses */
#define COMMAND_KINDS(X)                                                                                               \
    X(ENTER, 1, "new order: side .. client_order_id")                                                                  \
    X(REPLACE, 2, "replace target_user_ref by user_ref: as ENTER, with target_user_ref in place of instrument")        \
    X(CANCEL, 3, "cancel target_user_ref down to quantity (0: all that is left)")                                      \
    X(MODIFY, 4, "change the side of target_user_ref among S, T, E, and cut it to quantity")                           \
    X(MASS_CANCEL, 5, "cancel by firm, instrument (0: all), symbol (echoed), side, group")                             \
    X(DISABLE, 6, "refuse new orders of firm")                                                                         \
    X(ENABLE, 7, "accept orders of firm again")                                                                        \
    X(ACCOUNT_QUERY, 8, "ask for the next usable user_ref")                                                            \
    X(REFUSED, 9, "a request that the gateway refused: reason, refused_kind, client_order_id")                         \
    X(LOGIN, 16, "a user's login: user, connection")                                                                   \
    X(LOGOUT, 17, "a connection has ended: connection, reason")                                                        \
    X(TENURE_BEGINS, 18, "a gateway (re)starts: all earlier connections of it are gone")                               \
    X(TICK, 32, "time passes: time_ns")                                                                                \
    X(DAY_START, 33, "a trading day begins: date, day_offset_ns")                                                      \
    X(DAY_END, 34, "the trading day ends")                                                                             \
    X(INSTRUMENT_ADD, 48, "symbol, tick_ticks, lot_quantity, reference_ticks and limits")                              \
    X(MARKET_STATE, 49, "instrument (0: all), market_state, reference_ticks")                                          \
    X(INSTRUMENT_LIMITS, 50, "instrument and limits")                                                                  \
    X(FIRM_LIMITS, 51, "firm and limits")                                                                              \
    X(TRADE_BREAK, 52, "match_number, reason")                                                                         \
    X(SESSION_BLOCK, 53, "user; flag 1 blocks, 0 unblocks")                                                            \
    X(SNAPSHOT_MARK, 54, "an operator's mark in the journal; changes nothing")                                         \
    X(SESSION_KICK, 55, "an operator ends the session of user; it may log in again")                                   \
    X(GATEWAY_DEAD, 56, "an operator says that target_gateway is gone: all connections of it have ended")              \
    X(FIRM_SWITCH, 57, "the operator's kill switch of firm; flag 1 disables, 0 enables")                               \
    X(ORDERS_CANCEL, 58, "an operator cancels all orders of firm, user and symbol, as far as they are given")

enum command_kind {
#define X(name, number, meaning) COMMAND_##name = (number),
    COMMAND_KINDS(X)
#undef X
};

enum command_flag {
    COMMAND_CONTINUED = 1 << 0,     /* the next slot belongs to this record (no kind needs it yet) */
    COMMAND_HAS_APPENDAGE = 1 << 1, /* the request carried an Appendage Length, so its answers may too */
    COMMAND_IF_NEEDED = 1 << 2,     /* of an operator: what is so already is passed over without a refusal */
};

/*
 * The gateway of what an operator asks for: the ring of ringside-admin. Its commands bear operator_id and operator_name
 * in their last 20 bytes, whatever their kind, and in user_ref a number that whoever asked gave the request; the engine
 * ends each with OPERATOR_ACTED.
 */
#define OPERATOR_GATEWAY 255

/* Bits of `options`: which option tags of OUCH the request carried, and the values of those that are yes or no. */
enum order_option {
    OPTION_FIRM = 1u << 0,            /* tag 2 */
    OPTION_MIN_QUANTITY = 1u << 1,    /* tag 3 */
    OPTION_CUSTOMER_TYPE = 1u << 2,   /* tag 4 */
    OPTION_MAX_FLOOR = 1u << 3,       /* tag 5 */
    OPTION_PRICE_TYPE = 1u << 4,      /* tag 6 */
    OPTION_PEG_OFFSET = 1u << 5,      /* tag 7 */
    OPTION_POST_ONLY = 1u << 6,       /* tag 12 */
    OPTION_RANDOM_RESERVE = 1u << 7,  /* tag 13 */
    OPTION_EXPIRE_TIME = 1u << 8,     /* tag 15 */
    OPTION_TRADE_NOW = 1u << 9,       /* tag 16 */
    OPTION_HANDLE_INST = 1u << 10,    /* tag 17 */
    OPTION_GROUP = 1u << 11,          /* tag 24 */
    OPTION_SHARES_LOCATED = 1u << 12, /* tag 25 */
    OPTION_USER_REF_INDEX = 1u << 13, /* tag 28 */
    OPTION_TRIGGER = 1u << 14,        /* tags 200 to 202, Ringside's extension */
    OPTION_SELF_MATCH = 1u << 15,     /* tag 203, Ringside's extension */
    OPTION_IS_RETAIL = 1u << 24,      /* the value of customer type: R */
    OPTION_IS_POST_ONLY = 1u << 25,   /* the value of post only: P */
    OPTION_IS_TRADE_NOW = 1u << 26,   /* the value of trade now: Y */
    OPTION_IS_LOCATED = 1u << 27,     /* the value of shares located: Y */
    OPTION_IS_SWEEP = 1u << 28,       /* inter-market sweep: Y (a field of the message, not an option) */
};

enum login_flag {
    LOGIN_TAKES_OVER = 1 << 0,            /* from an earlier connection */
    LOGIN_CANCELS_ON_DISCONNECT = 1 << 1, /* the session's orders go grace_ms after this connection has ended */
    LOGIN_FAILED = 1 << 2,                /* the gateway has refused it already: it is told, for the record */
};

#define PRICE_TICKS_MAX       1999999900 /* $199,999.99, the highest limit price of OUCH 5.0 */
#define PRICE_TICKS_MARKET    0x7fffffff /* a market order */
#define QUANTITY_MAX          999999u    /* the largest order of OUCH 5.0 */
#define USER_BYTES            6
#define FIRM_BYTES            4
#define SYMBOL_BYTES          8
#define CLIENT_ORDER_ID_BYTES 14
#define PEER_BYTES            16
#define OPERATOR_NAME_BYTES   16

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* ENTER, REPLACE, CANCEL, MODIFY, MASS_CANCEL, DISABLE, ENABLE, ACCOUNT_QUERY, REFUSED */
struct command_order {
    uint8_t user_ref_index; /* order-flow channel inside the session, 0 unless tag 28 says otherwise */
    uint8_t side;           /* B, S, T, E */
    uint8_t time_in_force;  /* 0, 3, 5, 6, E */
    uint8_t display;        /* Y, N, A */
    uint8_t capacity;       /* A, P, R, O */
    uint8_t cross_type;     /* N, O, C, H, S, R, E, A */
    uint8_t price_type;     /* L, P, M, R, Q, m */
    uint8_t handle_inst;    /* space, I, O, T, Q, B, D, R */
    union {
        uint32_t instrument;    /* number given by the engine, from 1; 0 where the kind has none */
        uint32_t replace_group; /* REPLACE: GroupID of the new order */
    };
    union {
        uint32_t target_user_ref; /* REPLACE, CANCEL, MODIFY: the order it is about */
        uint32_t group;           /* ENTER: GroupID; MASS_CANCEL: whose orders */
    };
    uint32_t quantity;     /* shares */
    int32_t price_ticks;   /* PRICE_TICKS_MARKET for a market order */
    uint32_t options;      /* enum order_option */
    char firm[FIRM_BYTES]; /* MPID, space-padded; all spaces: the session's own */
    uint32_t min_quantity; /* shares */
    uint32_t max_floor;    /* displayed shares of a reserve order */
    int32_t peg_offset_ticks;
    uint32_t random_reserve; /* shares */
    uint32_t expire_s;       /* seconds to live */
    int32_t trigger_ticks;   /* stop price, or the trailing amount */
    char client_order_id[CLIENT_ORDER_ID_BYTES];
    uint8_t trigger_kind; /* 0 none, S stop, T trailing */
    uint8_t self_match;   /* 0 none, or the strategy letter of OUCH: O W D Y o w d y */
};

/* REFUSED: what the gateway refused, and why; client_order_id stands where command_order has it */
struct command_refused {
    uint8_t user_ref_index;
    uint8_t refused_kind; /* enum command_kind */
    uint16_t reason;      /* reject reason of OUCH, such as 0x0017 */
    uint32_t reserved0;
    uint64_t reserved1[6];
    char client_order_id[CLIENT_ORDER_ID_BYTES];
    uint8_t reserved2[2];
};

/* LOGIN, LOGOUT, TENURE_BEGINS */
struct command_session {
    uint8_t reserved0;
    uint8_t flag;          /* LOGIN: enum login_flag */
    char user[USER_BYTES]; /* space-padded */
    uint64_t connection;   /* the gateway's own number for the TCP connection, unique within its tenure */
    char firm[FIRM_BYTES]; /* LOGIN: the firm that the gateway's accounts give this user */
    uint8_t reason;        /* LOGOUT: L logout request, D disconnected, T timed out, S supervisory */
    uint8_t reserved1;
    uint16_t peer_port; /* LOGIN: where the connection comes from */
    uint32_t grace_ms;  /* LOGIN: from its end to the cancels, if it cancels on disconnect */
    uint32_t reserved2;
    uint8_t peer[PEER_BYTES]; /* LOGIN: address of the other side, as of IPv6; zero: unknown */
    uint64_t reserved3[3];
};

/* DAY_START, DAY_END */
struct command_day {
    uint8_t reserved0[4];
    uint32_t date;        /* 20261123 */
    uint64_t midnight_ns; /* ns since the epoch at which OUCH timestamps of this day are 0 */
    uint64_t reserved1[4];
    uint32_t reserved2;
    uint32_t operator_id;
    char operator_name[OPERATOR_NAME_BYTES];
};

/* INSTRUMENT_ADD, INSTRUMENT_LIMITS, MARKET_STATE, FIRM_LIMITS, SNAPSHOT_MARK: what operators and configuration do */
struct command_admin {
    uint8_t reserved0;
    uint8_t market_state; /* P pre-open, O open, H halted, C closed, X extended hours */
    uint8_t reserved1[2];
    uint32_t instrument;                     /* 0: all, or none */
    char symbol[SYMBOL_BYTES];               /* space-padded */
    int32_t tick_ticks;                      /* prices are multiples of this; 0: any */
    uint32_t lot_quantity;                   /* quantities are multiples of this; 0: any */
    int32_t reference_ticks;                 /* 0: none yet */
    int32_t collar_ticks;                    /* 0: none */
    int32_t fat_finger_ticks;                /* 0: none */
    uint32_t quantity_max;                   /* 0: QUANTITY_MAX */
    uint64_t notional_max;                   /* price_ticks x shares; 0: no limit */
    char firm[FIRM_BYTES];                   /* FIRM_LIMITS */
    uint32_t operator_id;                    /* user id of who asked; 0: the configuration */
    char operator_name[OPERATOR_NAME_BYTES]; /* zero-padded */
};

/* TRADE_BREAK */
struct command_trade {
    uint8_t reserved0;
    uint8_t reason; /* E, C, S, X */
    uint8_t reserved1[2];
    uint32_t reserved2;
    uint64_t match_number;
    uint64_t reserved3[4];
    uint32_t reserved4;
    uint32_t operator_id;
    char operator_name[OPERATOR_NAME_BYTES];
};

/* SESSION_BLOCK, SESSION_KICK, GATEWAY_DEAD, FIRM_SWITCH, ORDERS_CANCEL: what operators do to members */
struct command_act {
    uint8_t reserved0;
    uint8_t flag;              /* SESSION_BLOCK: 1 blocks, 0 unblocks; FIRM_SWITCH: 1 disables, 0 enables */
    char user[USER_BYTES];     /* space-padded; ORDERS_CANCEL: zero for any */
    char symbol[SYMBOL_BYTES]; /* ORDERS_CANCEL: zero for any */
    char firm[FIRM_BYTES];     /* ORDERS_CANCEL: zero for any */
    uint8_t target_gateway;    /* GATEWAY_DEAD: from 1 */
    uint8_t reserved1[3];
    uint64_t reserved2[3];
    uint32_t reserved3;
    uint32_t operator_id;
    char operator_name[OPERATOR_NAME_BYTES];
};

struct command {
    struct record_head head; /* not part of the body */
    uint64_t command_seq;    /* from 1, without gaps; 0 until the sequencer stamps it */
    uint64_t time_ns;        /* ns since the epoch, never going back; 0 until the sequencer stamps it */
    uint64_t inbound_seq;    /* the record's sequence in its gateway's inbound ring */
    uint32_t tenure;         /* which life of the gateway this is from */
    uint8_t gateway;   /* from 1; 0: the configuration, injected by the sequencer; OPERATOR_GATEWAY: an operator */
    uint8_t shard;     /* 0 */
    uint8_t kind;      /* enum command_kind */
    uint8_t flags;     /* enum command_flag */
    uint32_t session;  /* number given by the engine at the first login, from 1; 0: none */
    uint32_t user_ref; /* UserRefNum of the request, or an operator's number of it; 0 where there is none */
    union {
        struct command_order order;
        struct command_refused refused;
        struct command_session login;
        struct command_day day;
        struct command_admin admin;
        struct command_trade trade;
        struct command_act act;
    };
};

#pragma GCC diagnostic pop

/* struct, field, offset, bytes: the contract, in order. docs/records.md prints this table; a test compares the two. */
#define COMMAND_FIELDS(X)                                                                                              \
    X(command, head, 0, 16)                                                                                            \
    X(command, command_seq, 16, 8)                                                                                     \
    X(command, time_ns, 24, 8)                                                                                         \
    X(command, inbound_seq, 32, 8)                                                                                     \
    X(command, tenure, 40, 4)                                                                                          \
    X(command, gateway, 44, 1)                                                                                         \
    X(command, shard, 45, 1)                                                                                           \
    X(command, kind, 46, 1)                                                                                            \
    X(command, flags, 47, 1)                                                                                           \
    X(command, session, 48, 4)                                                                                         \
    X(command, user_ref, 52, 4)                                                                                        \
    X(command, order.user_ref_index, 56, 1)                                                                            \
    X(command, order.side, 57, 1)                                                                                      \
    X(command, order.time_in_force, 58, 1)                                                                             \
    X(command, order.display, 59, 1)                                                                                   \
    X(command, order.capacity, 60, 1)                                                                                  \
    X(command, order.cross_type, 61, 1)                                                                                \
    X(command, order.price_type, 62, 1)                                                                                \
    X(command, order.handle_inst, 63, 1)                                                                               \
    X(command, order.instrument, 64, 4)                                                                                \
    X(command, order.replace_group, 64, 4)                                                                             \
    X(command, order.target_user_ref, 68, 4)                                                                           \
    X(command, order.group, 68, 4)                                                                                     \
    X(command, order.quantity, 72, 4)                                                                                  \
    X(command, order.price_ticks, 76, 4)                                                                               \
    X(command, order.options, 80, 4)                                                                                   \
    X(command, order.firm, 84, 4)                                                                                      \
    X(command, order.min_quantity, 88, 4)                                                                              \
    X(command, order.max_floor, 92, 4)                                                                                 \
    X(command, order.peg_offset_ticks, 96, 4)                                                                          \
    X(command, order.random_reserve, 100, 4)                                                                           \
    X(command, order.expire_s, 104, 4)                                                                                 \
    X(command, order.trigger_ticks, 108, 4)                                                                            \
    X(command, order.client_order_id, 112, 14)                                                                         \
    X(command, order.trigger_kind, 126, 1)                                                                             \
    X(command, order.self_match, 127, 1)                                                                               \
    X(command, refused.refused_kind, 57, 1)                                                                            \
    X(command, refused.reason, 58, 2)                                                                                  \
    X(command, refused.client_order_id, 112, 14)                                                                       \
    X(command, login.flag, 57, 1)                                                                                      \
    X(command, login.user, 58, 6)                                                                                      \
    X(command, login.connection, 64, 8)                                                                                \
    X(command, login.firm, 72, 4)                                                                                      \
    X(command, login.reason, 76, 1)                                                                                    \
    X(command, login.peer_port, 78, 2)                                                                                 \
    X(command, login.grace_ms, 80, 4)                                                                                  \
    X(command, login.peer, 88, 16)                                                                                     \
    X(command, day.date, 60, 4)                                                                                        \
    X(command, day.midnight_ns, 64, 8)                                                                                 \
    X(command, day.operator_id, 108, 4)                                                                                \
    X(command, day.operator_name, 112, 16)                                                                             \
    X(command, admin.market_state, 57, 1)                                                                              \
    X(command, admin.instrument, 60, 4)                                                                                \
    X(command, admin.symbol, 64, 8)                                                                                    \
    X(command, admin.tick_ticks, 72, 4)                                                                                \
    X(command, admin.lot_quantity, 76, 4)                                                                              \
    X(command, admin.reference_ticks, 80, 4)                                                                           \
    X(command, admin.collar_ticks, 84, 4)                                                                              \
    X(command, admin.fat_finger_ticks, 88, 4)                                                                          \
    X(command, admin.quantity_max, 92, 4)                                                                              \
    X(command, admin.notional_max, 96, 8)                                                                              \
    X(command, admin.firm, 104, 4)                                                                                     \
    X(command, admin.operator_id, 108, 4)                                                                              \
    X(command, admin.operator_name, 112, 16)                                                                           \
    X(command, trade.reason, 57, 1)                                                                                    \
    X(command, trade.match_number, 64, 8)                                                                              \
    X(command, trade.operator_id, 108, 4)                                                                              \
    X(command, trade.operator_name, 112, 16)                                                                           \
    X(command, act.flag, 57, 1)                                                                                        \
    X(command, act.user, 58, 6)                                                                                        \
    X(command, act.symbol, 64, 8)                                                                                      \
    X(command, act.firm, 72, 4)                                                                                        \
    X(command, act.target_gateway, 76, 1)                                                                              \
    X(command, act.operator_id, 108, 4)                                                                                \
    X(command, act.operator_name, 112, 16)

#define X(type, field, offset, bytes) CONTRACT_FIELD(struct type, field, offset, bytes);
COMMAND_FIELDS(X)
#undef X
_Static_assert(sizeof(struct command) == RECORD_BYTES, "a command fills one slot");

/* The name of a kind, such as "ENTER"; "?" for a number that is none. */
const char *command_kind_name(uint8_t kind);

/* Whether a number is a kind: cheap enough for every record of the hot path. */
#define X(name, number, meaning) _Static_assert((number) < 64, "kinds fit a word of bits");
COMMAND_KINDS(X)
#undef X
static inline bool command_kind_known(uint8_t kind)
{
#define X(name, number, meaning) | UINT64_C(1) << (number)
    return kind < 64 && ((UINT64_C(0) COMMAND_KINDS(X)) >> kind & 1) != 0;
#undef X
}

/*
 * NULL if the command could have been written by a gateway, an operator or the configuration, else the rule it breaks,
 * as text for the log and the fuzzer's report. The engine checks what depends on its state; this checks the record
 * alone.
 */
const char *command_invalid(const struct command *command);

/* Turns a command that asks for something into the refusal of it, for this reason of OUCH 5.0. */
void command_make_refused(struct command *command, uint16_t reason);

/* A hash of COMMAND_FIELDS, kept in every ring's header so that two builds with different layouts never meet. */
uint64_t command_layout_hash(void);

/*
 * Whether records of that layout may be read as ours: it is this one, or an earlier one whose fields are where they
 * were. Version 1 had no operators; what it kept of one in TRADE_BREAK nobody ever wrote.
 */
#define COMMAND_LAYOUT_HASH_1 UINT64_C(0xb906355c48840fc6)
static inline bool command_layout_readable(uint64_t hash)
{
    return hash == command_layout_hash() || hash == COMMAND_LAYOUT_HASH_1;
}

#endif
