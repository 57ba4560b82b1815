/*
 * The engine as it works: what lies where (layout.h), the command at hand and what a full step has left undone of it,
 * and the numbers and hashes that stand for all.
 */
#ifndef RINGSIDE_ENGINE_STATE_H
#define RINGSIDE_ENGINE_STATE_H

#include "hash.h"
#include "layout.h"
#include "looks.h"
#include "order.h"
#include "prices.h"
#include "ringside_engine.h"

#include <stddef.h>
#include <stdint.h>

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

/* What a command has left to do when its step is full. */
enum sweep {
    SWEEP_NONE = 0,
    SWEEP_DAY_START,
    SWEEP_DAY_END_SESSIONS,
    SWEEP_TENURE,
    SWEEP_CANCELS, /* cancels.h */
    SWEEP_STATES,  /* states.h */
    SWEEP_EXPIRY,
    SWEEP_GRACE, /* sessions that did not come back in time; expiries come after it */
};

/* What the command at hand has left to do, all zero if nothing: asked as one word, several times a command. */
struct work {
    uint8_t sweep;             /* enum sweep */
    uint8_t taking;            /* enum taking */
    uint8_t follows;           /* what follows from a change in touched_instrument's book is not done (follow.h) */
    uint8_t tells_operator;    /* an operator is to be told what came of it (operators.h) */
    uint32_t cancel_due_count; /* sessions that have ended and whose orders are to go */
};

_Static_assert(sizeof(struct work) == sizeof(uint64_t), "one word");

/* Which orders a walk over the books cancels, and how it ends. */
enum cancels { CANCELS_OF_FIRM = 0, CANCELS_OF_SESSIONS, CANCELS_OF_DAY, CANCELS_AT_CLOSE, CANCELS_OF_OPERATOR };

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
    uint32_t session; /* who asked; CANCELS_OF_OPERATOR: whose orders, 0: anybody's */
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

/* What an operator has asked for, until he is told. */
struct acting {
    uint32_t instrument; /* that was meant; 0: none or all */
    uint32_t request;
    struct event_acted acted;
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
    struct acting acting;
    uint32_t connected_counts[GATEWAYS_MAX];

    /* sessions that have ended and may come back before their orders go */
    uint64_t grace_next_ns; /* no later than the first of their moments */
    uint32_t grace_count;
    uint32_t reserved2;
};

/* ---- books ---- */

/* What an instrument adds to the state hash. */
static inline uint64_t book_hash(const struct book *book, uint32_t instrument)
{
    uint64_t symbol;
    __builtin_memcpy(&symbol, book->symbol, sizeof(symbol));
    return hash_fold(symbol ^ HASH_ODD_1, instrument ^ HASH_ODD_2) +
           two_words(book->tick_ticks, book->lot_quantity) * HASH_ODD_3 +
           two_words((uint32_t)book->reference_ticks, book->state) * HASH_ODD_5;
}

/* What the price of its last trade adds, for each tick of it. */
static inline uint64_t last_weight(uint32_t instrument)
{
    return instrument * HASH_ODD_4 | 1;
}

static inline void book_trades_at(struct engine *engine, struct book *book, uint32_t instrument, int32_t price_ticks)
{
    engine->state_hash += (uint64_t)((int64_t)price_ticks - book->last_ticks) * last_weight(instrument);
    book->last_ticks = price_ticks;
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
