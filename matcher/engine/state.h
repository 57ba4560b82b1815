/*
 * What the engine knows, and where it lies: one arena, cut into regions at creation, everything in it found by index.
 *
 *   engine        numbers, hashes, the pools' marks, the command at hand and the sweep it may have left unfinished
 *   books         128 bytes an instrument: tick, lot, and of each side the best price and the window
 *   directory     of each side of each book: which pages of 64 prices are in the window (levels.h)
 *   pages, bits   levels of 64 neighbouring prices, in a pool
 *   far           levels of prices outside the windows, in a tree (far.h)
 *   orders        a line each: 32 bytes that matching and cancelling touch, 32 that only changes and reports do
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
#ifndef RINGSIDE_ENGINE_STATE_H
#define RINGSIDE_ENGINE_STATE_H

#include "hash.h"
#include "ringside_engine.h"

#include <stdint.h>

/* A guarantee of the engine does not hold: it stops on the spot, and asks nobody how. */
#define ENGINE_REQUIRE(expression) (LIKELY(expression) ? (void)0 : __builtin_trap())

#define PAGE_LEVELS    64u
#define PAGE_SHIFT     6
#define KEY_MASK       0x7fffffffu
#define KEY_NONE       (-1)
#define PAGES_OF_ALL   ((KEY_MASK >> PAGE_SHIFT) + 1)
#define ORDER_REF_BITS 48
#define ORDER_REF_MAX  ((UINT64_C(1) << ORDER_REF_BITS) - 1)
#define GATEWAYS_MAX   256
#define FIRM_BLANK     0x20202020u
#define EVENTS_AT_END  4 /* places that a sweep leaves for what follows it */

enum { SIDE_BUY = 0, SIDE_SELL = 1 };

/* Side letters as two bits: 0 is B, the others sell. */
enum side_code { CODE_BUY = 0, CODE_SELL = 1, CODE_SHORT = 2, CODE_EXEMPT = 3, CODE_NONE = 4 };

struct index_slot;

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
    uint8_t reserved0[2];
    uint64_t reserved1;
};

struct order {
    uint32_t next; /* younger order of the level; of a free one: the next free one */
    uint32_t prev;
    uint32_t quantity; /* open shares */
    uint32_t key;
    uint32_t user_ref;
    uint32_t place;    /* instrument - 1: 17 bits, user_ref_index: 8, side code: 2, flags: 5 */
    uint64_t identity; /* order_ref: 48 bits, session - 1: 16 */
    struct terms terms;
};

#define PLACE_INDEX_SHIFT 17
#define PLACE_SIDE_SHIFT  25
#define PLACE_APPENDAGE   (1u << 27) /* its Enter or Replace carried an Appendage Length */

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
    uint32_t reserved0;
    struct book_side sides[2];
    uint64_t reserved1[2];
};

struct session {
    uint64_t owner; /* owner_of the connection's gateway and tenure; 0: not connected */
    uint64_t connection;
    uint32_t message_no;    /* of its last message */
    uint32_t user_ref_last; /* of channel 0 */
    uint32_t channel_first; /* others; 0: none */
    uint32_t firm;
    char user[USER_BYTES];
    uint8_t reserved0[2];
    uint64_t reserved1[3];
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

struct index_slot {
    uint32_t order; /* 0: empty */
    uint32_t tag;
};

_Static_assert(sizeof(struct level) == 16 && sizeof(struct order) == 64 && sizeof(struct terms) == 32, "the footprint");
_Static_assert(sizeof(struct book) == 128 && sizeof(struct session) == 64, "whole cache lines");

/* A pool's free elements: taken last in first out, else one that was never used. */
struct pool {
    uint32_t free_first;
    uint32_t used;       /* elements ever used; they are 1..used */
    uint32_t free_count; /* of those, how many are free */
    uint32_t max;
};

/* A side of a book with its directory at hand. */
struct ladder {
    struct book_side *side;
    uint64_t *occupied; /* which pages of the window are in use */
    uint32_t *pages;    /* their numbers in the pool; 0: none */
};

/* The order that has just arrived, while it trades. */
struct taker {
    uint64_t order_ref;
    uint32_t instrument;
    uint32_t session;
    uint32_t user_ref;
    uint32_t quantity;
    uint32_t key;   /* on its own side */
    uint32_t limit; /* the worst key of the other side that it takes */
    uint8_t user_ref_index;
    uint8_t code;  /* enum side_code */
    uint8_t rests; /* what is left stays in the book */
    uint8_t event_flags;
    struct index_slot *slot; /* where it goes in the index; NULL: to be looked for */
    struct terms terms;
};

/* Looking ahead in a batch (prefetch.h): what one round leaves for the next, and how far each has come. */
#define LOOK_DISTANCE_FIRST  16u
#define LOOK_DISTANCE_SECOND 10u
#define LOOK_DISTANCE_THIRD  5u
#define LOOKS                32u

struct look {
    const struct index_slot *slot;
    uint32_t order;
};

struct look_rounds {
    uint64_t first;
    uint64_t second;
    uint64_t third;
    struct look of[LOOKS]; /* of command s at s modulo their number */
};

/* What a command has left to do when its step is full. */
enum sweep {
    SWEEP_NONE = 0,
    SWEEP_MATCH,
    SWEEP_DAY_START,
    SWEEP_DAY_END_ORDERS,
    SWEEP_DAY_END_SESSIONS,
    SWEEP_TENURE,
};

struct engine {
    /* the command at hand */
    struct engine_output output;
    uint64_t command_seq; /* last applied */
    uint64_t event_seq_next;
    uint64_t time_ns;
    uint64_t step_first;  /* number of the first event of this step */
    uint64_t step_limit;  /* a sweep stops before this number */
    uint32_t event_index; /* within the command */
    uint8_t sweep;        /* enum sweep */
    uint8_t shard;
    uint8_t touched; /* sides of touched_instrument whose best level may have changed: bits 1 << side */
    uint8_t day_open;
    uint32_t touched_instrument;
    uint64_t event_hash;
    uint64_t state_hash;
    uint64_t order_ref_last;
    uint64_t match_number_last;
    uint64_t live_orders;
    struct taker taker;
    uint64_t checkpoint_next; /* a checkpoint follows this command */

    struct look_rounds looks;

    /* the arena */
    struct book *books;
    uint64_t *directory;
    struct level *levels; /* of page p: from p * PAGE_LEVELS on */
    uint64_t *page_bits;  /* of page p: which levels are not empty; of a free one: the next free one */
    struct far_level *far_levels;
    struct far_fork *far_forks;
    struct order *orders;
    struct index_slot *index;
    struct session *sessions;
    struct channel *channels;
    uint32_t *user_names;
    uint32_t *symbol_names;

    uint32_t window_pages;    /* pages of a window */
    uint32_t directory_words; /* of one side */
    uint32_t occupied_words;
    uint32_t index_mask; /* buckets less one */
    uint32_t user_names_mask;
    uint32_t symbol_names_mask;
    uint32_t report_tops;
    uint32_t instrument_count;
    uint32_t session_count;
    uint32_t channel_count;
    struct pool order_pool;
    struct pool page_pool;
    struct pool far_level_pool;
    struct pool far_fork_pool;
    struct engine_limits limits;

    /* the day, and sweeps over sessions or books */
    uint64_t midnight_ns;
    uint32_t date;
    uint32_t date_next; /* DAY_START under way */
    uint32_t sweep_place;
    uint32_t sweep_left;
    uint64_t sweep_owner;
    uint32_t connected_counts[GATEWAYS_MAX];
};

/* ---- orders ---- */

static inline uint32_t order_instrument(const struct order *order)
{
    return (order->place & (ENGINE_INSTRUMENTS_MAX - 1)) + 1;
}

static inline uint8_t order_user_ref_index(const struct order *order)
{
    return (uint8_t)(order->place >> PLACE_INDEX_SHIFT);
}

static inline uint32_t order_code(const struct order *order)
{
    return order->place >> PLACE_SIDE_SHIFT & 3;
}

static inline uint32_t code_side(uint32_t code)
{
    return code != CODE_BUY;
}

static inline uint8_t code_letter(uint32_t code)
{
    return (uint8_t)("BSTE"[code]);
}

static inline uint64_t order_ref(const struct order *order)
{
    return order->identity & ORDER_REF_MAX;
}

static inline uint32_t order_session(const struct order *order)
{
    return (uint32_t)(order->identity >> ORDER_REF_BITS) + 1;
}

/* What the order adds to the state hash for each of its shares: all of it that matters later. */
static inline uint64_t order_weight(const struct order *order)
{
    return hash_fold(order->identity ^ HASH_ODD_3, ((uint64_t)order->key << 32 | order->user_ref) ^ HASH_ODD_4) +
           order->place * HASH_ODD_5;
}

/* ---- prices ---- */

/* From ticks to keys and back, by side. */
static inline uint32_t key_flip(uint32_t side)
{
    return KEY_MASK & (0u - side);
}

static inline int32_t key_price(const struct book *book, uint32_t side, uint32_t key)
{
    return (int32_t)((key ^ key_flip(side)) * book->tick_ticks);
}

/* Whole ticks in a price below 2^31. (p + 1) * floor((2^64 - 1) / t) / 2^64 is p / t, rounded down, for all such p, t.
 */
static inline uint32_t price_index(const struct book *book, int32_t price_ticks)
{
    return (uint32_t)((((hash_wide)(uint32_t)price_ticks + 1) * book->tick_inverse) >> 64);
}

/* ---- sessions ---- */

static inline uint64_t owner_of(uint8_t gateway, uint32_t tenure)
{
    return UINT64_C(1) << 63 | (uint64_t)gateway << 32 | tenure;
}

/* ---- regions ---- */

static inline struct ladder ladder_of(const struct engine *engine, uint32_t instrument, uint32_t side)
{
    uint64_t *words = engine->directory + ((size_t)instrument * 2 + side) * engine->directory_words;
    struct ladder ladder = {&engine->books[instrument].sides[side], words,
                            (uint32_t *)(words + engine->occupied_words)};
    return ladder;
}

static inline uint32_t pool_room(const struct pool *pool)
{
    return pool->free_count + (pool->max - pool->used);
}

#endif
