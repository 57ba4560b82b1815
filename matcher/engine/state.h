/*
 * What the engine knows, and where it lies: one arena, cut into regions at creation, everything in it found by index.
 *
 *   engine        numbers, hashes, the pools' marks, the command at hand and the sweep it may have left unfinished
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
#ifndef RINGSIDE_ENGINE_STATE_H
#define RINGSIDE_ENGINE_STATE_H

#include "hash.h"
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

/* A firm that is restricted in some way. */
struct firm {
    uint32_t name; /* 0: unused */
    uint32_t quantity_max;
    uint64_t notional_max;
    uint32_t disabled;
    uint32_t reserved0;
};

/* A trade of this day, kept so that it can be broken. */
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
    uint8_t codes; /* side codes: the taker's, then the maker's shifted by 4 */
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
    uint8_t reserved0[7];
    uint64_t reserved1[2];
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
    uint32_t slot; /* where it goes in the index; INDEX_SLOT_NONE: to be looked for */
    uint32_t reserved1;
    struct terms terms;
    uint8_t rare;     /* it goes by arrive.c */
    uint8_t collared; /* a collar keeps it from prices within its limit */
    uint8_t reserved0[2];
    uint32_t passed; /* hidden maker that it has passed over last, and all before it; 0: none */
};

/* What of an arrival a full step has left undone. */
enum taking { TAKING_NOTHING = 0, TAKING_MATCH };

/* Looking ahead in a batch (prefetch.h): what one round leaves for the next, and how far each has come. */
#define LOOK_GROUP  8u /* commands */
#define LOOK_GROUPS 8u
#define LOOK_ROUNDS 3u
#define LOOK_EVERY  2u /* commands: then it is the next round's turn */

struct look_change {
    uint32_t hash;
    uint32_t order;
};

struct look_entry {
    union {
        const uint32_t *page;      /* where its page's number stands */
        const struct level *level; /* from the second round on */
    };
    uint32_t key;
    uint32_t instrument;
    uint32_t side;
    uint32_t maker; /* the oldest order of the best level that it crosses; 0: it crosses none */
};

struct look_group {
    uint32_t change_count;
    uint32_t entry_count;
    struct look_change changes[LOOK_GROUP + 1]; /* one place more than ever counts: see look_first */
    struct look_entry entries[LOOK_GROUP + 1];
};

struct looks {
    uint64_t done[LOOK_ROUNDS];            /* groups below this one have had this round */
    struct look_group groups[LOOK_GROUPS]; /* group n at n modulo their number */
};

/* What a command has left to do when its step is full. */
enum sweep {
    SWEEP_NONE = 0,
    SWEEP_DAY_START,
    SWEEP_DAY_END_SESSIONS,
    SWEEP_TENURE,
    SWEEP_CANCELS, /* cancels.h */
    SWEEP_STATES,  /* states.h */
    SWEEP_EXPIRY,
};

/* What the command at hand has left to do, all zero if nothing: asked as one word, several times a command. */
struct work {
    uint8_t sweep;   /* enum sweep */
    uint8_t taking;  /* enum taking */
    uint8_t follows; /* what follows from a change in touched_instrument's book is not done (follow.h) */
    uint8_t reserved0;
    uint32_t cancel_due_count; /* sessions that have ended and whose orders are to go */
};

_Static_assert(sizeof(struct work) == sizeof(uint64_t), "one word");

/* Which orders a walk over the books cancels, and how it ends. */
enum cancels { CANCELS_OF_FIRM = 0, CANCELS_OF_SESSIONS, CANCELS_OF_DAY, CANCELS_AT_CLOSE };

/* A walk over the orders of a book: the next one to visit. */
struct tour {
    uint32_t instrument;
    uint32_t stop; /* number of the place in the order of the walk; TOUR_STOPS: at the end */
    uint32_t order;
};

struct cancel_sweep {
    struct tour tour;
    uint32_t instrument_last;
    uint32_t firm;
    uint32_t group;
    uint32_t session; /* who asked */
    uint32_t user_ref;
    uint32_t options;
    uint8_t cancels; /* enum cancels */
    uint8_t code;    /* CODE_NONE: both sides */
    uint8_t user_ref_index;
    uint8_t reason;
    uint8_t flags;
    uint8_t one; /* of one instrument only */
    uint8_t book_begun;
    uint8_t reserved0;
};

/* A change of market state under way. */
enum state_phase {
    STATE_NEXT = 0, /* of the next instrument */
    STATE_AUCTION,
    STATE_IMBALANCE,
    STATE_LEFT,
    STATE_CLOSE,
    STATE_FOLLOW,
};

struct state_sweep {
    uint32_t instrument;
    uint32_t instrument_last;
    int32_t reference_ticks;
    int32_t price_ticks; /* of the auction; 0: none */
    uint32_t left;       /* order to look at next */
    uint32_t stop;
    uint8_t state;
    uint8_t phase; /* enum state_phase */
    uint8_t kind;  /* of the auction: O, H, C; 0: none */
    uint8_t on_open;
    uint8_t entered_continuous;
    uint8_t reserved0[3];
};

struct engine {
    /* the command at hand */
    struct engine_output output;
    uint64_t command_seq; /* last applied */
    uint64_t event_seq_next;
    uint64_t time_ns;
    uint64_t step_limit;  /* a sweep stops before this number */
    uint64_t hashed_next; /* number of the first event that event_hash has not taken yet */
    struct work work;
    uint32_t event_index;      /* within the command */
    int32_t round_first_ticks; /* first trade of the arrival at hand; 0: none */
    uint32_t touched_instrument;
    uint8_t touched; /* sides of touched_instrument whose best level may have changed: bits 1 << side */
    uint8_t pauses;  /* this step has done enough */
    uint8_t shard;
    uint8_t day_open;
    uint32_t pass_at;
    uint8_t passing; /* a pass over the pegs is under way, at pass_at */
    uint8_t reserved1[3];
    uint64_t event_hash;
    uint64_t state_hash;
    uint64_t order_ref_last;
    uint64_t match_number_last;
    uint64_t live_orders;
    struct taker taker;
    uint64_t checkpoint_next; /* a checkpoint follows this command */

    struct looks looks;

    /* the arena */
    struct book *books;
    uint64_t *directory;
    struct level *levels; /* of page p: from p * PAGE_LEVELS on */
    uint64_t *page_bits;  /* of page p: which levels are not empty; of a free one: the next free one */
    struct far_level *far_levels;
    struct far_fork *far_forks;
    struct order *orders;
    struct index_bucket *index;
    struct session *sessions;
    struct channel *channels;
    struct annex *annexes;
    struct special *specials;
    uint32_t *expiries; /* a heap of specials, the first to expire on top at 1 */
    struct firm *firms; /* an open table by name */
    struct trade_note *trades;
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
    uint32_t expiry_count;
    uint32_t firm_count;
    uint32_t firms_mask;
    uint32_t trades_mask;
    uint64_t firms_hash;  /* what they add to the state hash */
    uint64_t trade_first; /* the first of this day */
    struct pool order_pool;
    struct pool special_pool;
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
    struct cancel_sweep cancel;
    struct state_sweep states;
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

static inline uint32_t order_where(const struct order *order)
{
    return order->place >> PLACE_WHERE_SHIFT & 7;
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

static inline uint32_t smaller(uint32_t left, uint32_t right)
{
    return left < right ? left : right;
}

static inline uint64_t two_words(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

/* What the order adds to the state hash for each of its shares: all of it that matters later. */
static inline uint64_t order_weight(const struct order *order)
{
    return hash_fold(order->identity ^ HASH_ODD_3, ((uint64_t)order->key << 32 | order->user_ref) ^ HASH_ODD_4) +
           order->place * HASH_ODD_5;
}

/* What an instrument adds to the state hash. */
static inline uint64_t book_hash(const struct book *book, uint32_t instrument)
{
    uint64_t symbol;
    __builtin_memcpy(&symbol, book->symbol, sizeof(symbol));
    return hash_fold(symbol ^ HASH_ODD_1, instrument ^ HASH_ODD_2) +
           two_words(book->tick_ticks, book->lot_quantity) * HASH_ODD_3 +
           two_words((uint32_t)book->reference_ticks, book->state) * HASH_ODD_5;
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

/* As events tell it. */
static inline int32_t key_told(const struct book *book, uint32_t side, uint32_t key)
{
    return key == KEY_MARKET ? PRICE_TICKS_MARKET : key_price(book, side, key);
}

/* Whole ticks in a price below 2^31. (p + 1) * floor((2^64 - 1) / t) / 2^64 is p / t, rounded down, for all such p, t.
 */
static inline uint32_t price_index(const struct book *book, int32_t price_ticks)
{
    return (uint32_t)((hash_wide)((uint64_t)(uint32_t)price_ticks + 1) * book->tick_inverse >> 64);
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

/* Of hidden orders, and of stops: all levels are far. */
static inline struct ladder ladder_without_window(struct book_side *side)
{
    struct ladder ladder = {side, NULL, NULL};
    return ladder;
}

static inline bool step_full(const struct engine *engine)
{
    return engine->event_seq_next >= engine->step_limit;
}

/* Asked before an event is written, never after: so the step that follows has something to say, and the last step of a
 * command is never an empty one. */
static inline bool must_pause(struct engine *engine)
{
    engine->pauses = step_full(engine);
    return engine->pauses;
}

/* The letters of market states. */
static inline bool is_state(uint8_t letter)
{
    return letter == 'P' || letter == 'O' || letter == 'H' || letter == 'C' || letter == 'X';
}

static inline bool state_continuous(uint8_t state)
{
    return state == 'O' || state == 'X';
}

static inline uint32_t pool_room(const struct pool *pool)
{
    return pool->room;
}

#endif
