/*
 * What the engine knows, and where it lies: one arena, cut into regions at creation, everything in it found by index.
 *
 *   engine        numbers, hashes, the pools' marks, the command at hand (state.h)
 *   books         128 bytes an instrument: tick, lot, and of each side the best price and the window
 *   directory     of each side of each book: which pages of 64 prices are in the window (levels.h)
 *   pages, bits   levels of 64 neighbouring prices, in a pool
 *   far           levels of prices outside the windows, in a tree (far.h)
 *   orders        a line each: 32 bytes that matching and cancelling touch, 32 that only changes and reports do
 *   annexes       256 bytes an instrument: hidden orders, stops, what waits, limits
 *   specials      64 bytes for each order that has a reserve, a minimum, a peg, a trigger or an expiry
 *   expiries, firms, trades
 *   index         (session, channel, user_ref) -> order (order_index.h)
 *   sessions, channels, names
 *
 * Rules
 *   1. Index 0 of orders, pages, sessions, books and channels is nobody.
 *   2. Prices are kept as keys: the number of ticks for bids, its complement in 31 bits for asks. So on both sides a
 *      better price is a larger key, and everything about prices is written once.
 *   3. Free elements are chained, last in first out, and a mark tells how many were ever used: creating touches
 * nothing.
 */
#ifndef RINGSIDE_ENGINE_LAYOUT_H
#define RINGSIDE_ENGINE_LAYOUT_H

#include "ringside_engine.h"

#include <stddef.h>
#include <stdint.h>

/* A guarantee of the engine does not hold: it stops on the spot, and asks nobody how. */
#define ENGINE_REQUIRE(expression)                                                                                     \
    do {                                                                                                               \
        if (UNLIKELY(!(expression)))                                                                                   \
            __builtin_trap();                                                                                          \
    } while (0)

#define PAGE_LEVELS    64u
#define PAGE_SHIFT     6
#define KEY_MASK       0x7fffffffu
#define KEY_NONE       (-1)
#define PASS_DUE       (-2) /* no best price: a pass over the pegs begins whatever it is */
#define PAGES_OF_ALL   ((KEY_MASK >> PAGE_SHIFT) + 1)
#define ORDER_REF_BITS 48
#define ORDER_REF_MAX  ((UINT64_C(1) << ORDER_REF_BITS) - 1)
#define GATEWAYS_MAX   256
#define FIRM_BLANK     0x20202020u
#define EVENTS_AT_END  10 /* places that a sweep leaves: for what one more go at it writes, and for the end */

enum { SIDE_BUY = 0, SIDE_SELL = 1 };

/* Side letters as two bits: 0 is B, the others sell. */
enum side_code { CODE_BUY = 0, CODE_SELL = 1, CODE_SHORT = 2, CODE_EXEMPT = 3, CODE_NONE = 4 };

#define INDEX_LANES 12u

struct index_key {
    uint32_t session;
    uint32_t user_ref;
    uint8_t user_ref_index;
};

struct level {
    uint32_t head; /* oldest order; 0: the level is empty and all of it zero */
    uint32_t tail;
    uint64_t quantity;
};

/* What only changes and reports touch, in the other half of an order's line. */
struct terms {
    uint32_t size; /* shares it is meant to trade in all, with its chain's executions: executed is size - quantity */
    uint32_t options;
    uint32_t firm;
    uint8_t time_in_force;
    uint8_t display;
    uint8_t capacity;
    uint8_t cross_type;
    uint8_t price_type;
    uint8_t handle_inst;
    uint16_t group;
    uint32_t special; /* what it has besides (special.h); 0: nothing */
    uint8_t self_match;
    uint8_t away; /* buckets of the index from its own to the one that it is in */
    uint8_t reserved0[2];
    uint32_t slot; /* in the index */
};
_Static_assert(offsetof(struct terms, firm) == 8 && offsetof(struct terms, time_in_force) == 12 &&
                   offsetof(struct terms, group) == 18 && offsetof(struct terms, self_match) == 24 &&
                   offsetof(struct terms, away) == 25 && offsetof(struct terms, slot) == 28,
               "straight.c writes its letters, and all behind them, as words");

struct order {
    uint32_t next; /* younger order of the level or list it is in; of a free one: the next free one */
    uint32_t prev;
    uint32_t quantity; /* open shares; of a reserve order in the book those that are shown */
    uint32_t key;      /* of the price it stands at, else of its limit; KEY_MASK: market */
    uint32_t user_ref;
    uint32_t place; /* instrument - 1: 17 bits, user_ref_index: 8, side code: 2, appendage: 1, where: 3, special: 1 */
    uint64_t identity; /* order_ref: 48 bits, session - 1: 16 */
    struct terms terms;
};

#define PLACE_INDEX_SHIFT 17
#define PLACE_SIDE_SHIFT  25
#define PLACE_APPENDAGE   (1u << 27) /* its Enter or Replace carried an Appendage Length */
#define PLACE_WHERE_SHIFT 28
#define PLACE_SPECIAL     (1u << 31)
#define KEY_MARKET        KEY_MASK /* no price: better than any */

/* Where a live order stands (docs/engine.md). */
enum where {
    WHERE_DISPLAYED = 0,
    WHERE_HIDDEN = 1,
    WHERE_STOPS = 2,
    WHERE_WAITING = 3,
    WHERE_DUE = 4,
};

/* What few orders have: a record beside the order's line. */
struct special {
    uint32_t order; /* whose it is; 0: the taker's; of a free one: the next free one */
    uint32_t reserve;
    uint32_t min_quantity;
    uint32_t max_floor;
    uint32_t random_reserve;
    uint32_t refills;
    union {
        int32_t peg_offset_ticks;
        uint32_t trigger_ticks; /* price of a stop, distance of a trailing one */
    };
    union {
        uint32_t limit_key;  /* of a peg */
        uint32_t peak_ticks; /* of a trailing stop; 0: none yet */
    };
    uint64_t expire_ns; /* 0: never */
    uint64_t
        entered; /* order_ref that it was entered with: among those that expire at one moment the smaller is first */
    uint32_t expiry_at; /* place in the heap of expiries; 0: none */
    uint32_t mover_next;
    uint32_t mover_prev;
    uint8_t trigger_kind; /* S, T; 0: none, or it has fired */
    uint8_t peg;          /* P, M, m, R; 0: none */
    uint8_t moves;        /* it is in the list of movers */
    uint8_t reserved0;
};

struct book_side {
    int32_t best;          /* key of the best level; KEY_NONE */
    uint32_t window_base;  /* number of the window's first page */
    uint32_t window_pages; /* pages in use in it */
    uint32_t far_root;
    uint32_t far_count;
    int32_t far_best;
    int32_t top_key; /* as last reported */
    uint32_t reserved0;
    uint64_t top_quantity;
};

struct book {
    char symbol[SYMBOL_BYTES];
    uint64_t tick_inverse;
    uint32_t tick_ticks;
    uint32_t lot_quantity;
    int32_t reference_ticks;
    uint8_t state; /* market state: P, O, H, C, X */
    uint8_t rare;  /* enum rare: what sends an order off the straight path */
    uint16_t reserved0;
    struct book_side sides[2];
    int32_t last_ticks; /* price of the last trade; 0: none */
    uint32_t reserved1;
    uint64_t reserved2;
};

enum rare {
    RARE_NOT_OPEN = 1 << 0,    /* the state is not O */
    RARE_LIMITS = 1 << 1,      /* collar, fat finger, largest quantity or notional */
    RARE_HIDDEN_BIDS = 1 << 2, /* there are hidden orders on this side */
    RARE_HIDDEN_ASKS = 1 << 3,
    RARE_TRIGGERS = 1 << 4, /* there are stops */
    RARE_PEGS = 1 << 5,
    RARE_WAITING = 1 << 6, /* orders in a chain */
};

/* A chain of orders that are in no level. */
struct chain {
    uint32_t head;
    uint32_t tail;
};

/* The rare side of a book, found by the same number. */
struct annex {
    struct book_side hidden[2]; /* ladders without a window */
    struct book_side stops[2];  /* keys are of trigger prices; the first to fire is the best */
    struct chain waiting;
    struct chain due;
    uint32_t mover_first; /* specials */
    uint32_t mover_last;
    uint32_t mover_count;
    uint32_t peg_count;
    uint32_t stop_count;    /* untriggered, trailing ones too */
    uint32_t reserve_count; /* orders with something in reserve */
    int32_t pass_keys[2];   /* best prices when the last pass over the pegs began */
    int32_t collar_ticks;
    int32_t fat_finger_ticks;
    uint32_t quantity_max; /* 0: none */
    uint32_t reserved0;
    uint64_t notional_max; /* 0: none */
    uint64_t reserved1[3];
};

/*
 * In firm.disabled: whose kill switch is on. Each is turned by its owner alone, and any of them refuses orders.
 *
 * An image of before they were two holds 1, which may be either's. Either may turn it off, as when it was written: so
 * nobody is left disabled whose own request cannot enable him again, and what follows that image in its journal gives
 * the events that it gave. An operator who disables the firm once more makes it his.
 */
#define DISABLED_BY_SOMEBODY 1u
#define DISABLED_BY_MEMBER   2u
#define DISABLED_BY_OPERATOR 4u

/* A firm that is restricted in some way. */
struct firm {
    uint32_t name; /* 0: unused */
    uint32_t quantity_max;
    uint64_t notional_max;
    uint32_t disabled; /* 0: it may enter orders */
    uint32_t reserved0;
};

/* A trade of this day, kept so that it can be broken. */
/* In trade_note.codes. */
#define NOTE_CODE        3u
#define NOTE_APPENDAGE   4u
#define NOTE_MAKER_SHIFT 4

struct trade_note {
    uint32_t price_ticks;
    uint32_t quantity;
    uint32_t session;
    uint32_t maker_session;
    uint32_t user_ref;
    uint32_t maker_user_ref;
    uint32_t instrument;
    uint8_t user_ref_index;
    uint8_t maker_user_ref_index;
    uint8_t
        codes; /* side codes, and whether Enter or Replace had an appendage: the taker's, the maker's shifted by 4 */
    uint8_t broken;
};

_Static_assert(sizeof(struct special) == 64 && sizeof(struct annex) == 256 && sizeof(struct trade_note) == 32,
               "the footprint");

struct session {
    uint64_t owner; /* owner_of the connection's gateway and tenure; 0: not connected */
    uint64_t connection;
    uint32_t message_no;    /* of its last message */
    uint32_t user_ref_last; /* of channel 0 */
    uint32_t channel_first; /* others; 0: none */
    uint32_t firm;
    char user[USER_BYTES];
    uint8_t blocked;
    uint8_t cancels;    /* its orders go when its connection ends */
    uint8_t cancel_due; /* and it has ended */
    uint8_t reserved0[3];
    uint32_t grace_ms;     /* they go so much later, unless it is back by then */
    uint64_t cancel_at_ns; /* and it has ended: the first TICK from then on cancels; 0: it has not */
    uint64_t reserved1;
};

struct channel {
    uint32_t next;
    uint32_t user_ref_last;
    uint32_t index;
};

struct far_level {
    struct level level;
    uint32_t key;
    uint32_t free_next;
};

struct far_fork {
    uint32_t child[2]; /* by the bit's value; free: child[0] is the next free one */
    uint32_t bit;
};

struct index_bucket {
    uint32_t orders[INDEX_LANES]; /* 0: empty */
    uint8_t tags[INDEX_LANES];    /* 0: empty */
    uint16_t used;                /* lanes in use: bits 1 << lane */
    uint8_t passed;               /* orders that have passed this bucket by */
    uint8_t reserved0;
};

_Static_assert(sizeof(struct level) == 16 && sizeof(struct order) == 64 && sizeof(struct terms) == 32, "the footprint");
_Static_assert(sizeof(struct book) == 128 && sizeof(struct session) == 64 && sizeof(struct index_bucket) == 64,
               "whole cache lines");

/* A pool's free elements: taken last in first out, else one that was never used. */
struct pool {
    uint32_t free_first;
    uint32_t used; /* elements ever used; they are 1..used */
    uint32_t room; /* elements that can still be taken: free ones, and those never used */
    uint32_t max;
};

static inline uint32_t smaller(uint32_t left, uint32_t right)
{
    return left < right ? left : right;
}

static inline uint64_t two_words(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

#endif
