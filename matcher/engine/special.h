/*
 * What few orders have besides: a record beside the order's line, kept from its entry to its end, also while the order
 * is out of the book as a taker. Movers are those that a book looks at when prices move: pegs and trailing stops.
 */
#ifndef RINGSIDE_ENGINE_SPECIAL_H
#define RINGSIDE_ENGINE_SPECIAL_H

#include "pool.h"
#include "state.h"

/* A record, all zero; 0: there is none left. */
uint32_t special_take(struct engine *engine);

/* The order of this instrument has ended; the record leaves the movers and the expiries. */
void special_free(struct engine *engine, uint32_t instrument, uint32_t index);

void mover_add(struct engine *engine, uint32_t instrument, uint32_t index);
void mover_remove(struct engine *engine, uint32_t instrument, uint32_t index);

/* Into the heap of expiries: expire_ns and entered are set. */
void expiry_add(struct engine *engine, uint32_t index);
void expiry_remove(struct engine *engine, uint32_t index);

/* A rare flag of a book, by whether it holds. */
static inline void rare_set(struct engine *engine, uint32_t instrument, uint8_t flag, bool holds)
{
    struct book *book = &engine->books[instrument];
    book->rare = (uint8_t)(holds ? book->rare | flag : book->rare & ~flag);
}

static inline struct special *special_of(const struct engine *engine, const struct order *order)
{
    return &engine->specials[order->terms.special]; /* 0 is nobody's, and all zero */
}

static inline uint32_t order_leaves(const struct engine *engine, const struct order *order)
{
    return LIKELY((order->place & PLACE_SPECIAL) == 0) ? order->quantity
                                                       : order->quantity + special_of(engine, order)->reserve;
}

/* The limit of an order that stands nowhere. */
static inline uint32_t taker_limit_key(const struct engine *engine, const struct taker *taker)
{
    const struct special *special = &engine->specials[taker->terms.special];
    return UNLIKELY(special->peg != 0) ? special->limit_key : taker->key;
}

/* What the record adds to the state hash. */
static inline uint64_t special_weight(const struct special *special, uint64_t identity)
{
    uint64_t hash = hash_fold(identity ^ two_words(special->reserve, special->min_quantity), HASH_ODD_0);
    hash ^= hash_fold(identity ^ two_words(special->max_floor, special->random_reserve), HASH_ODD_1);
    hash ^= hash_fold(identity ^ two_words(special->trigger_ticks, special->peak_ticks), HASH_ODD_2);
    hash ^= hash_fold(identity ^ special->expire_ns, HASH_ODD_4);
    return hash + hash_fold(identity ^ two_words(special->refills, special->trigger_kind | (uint32_t)special->peg << 8),
                            HASH_ODD_6);
}

/* All that an order adds to the state hash. */
static inline uint64_t order_hash(const struct engine *engine, const struct order *order)
{
    uint64_t hash = order_weight(order) * order->quantity;
    return LIKELY((order->place & PLACE_SPECIAL) == 0)
               ? hash
               : hash + special_weight(special_of(engine, order), order->identity);
}

#endif
