/* What an order says of itself, and what it adds to the state hash. */
#ifndef RINGSIDE_ENGINE_ORDER_H
#define RINGSIDE_ENGINE_ORDER_H

#include "hash.h"
#include "layout.h"

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

/* What the order adds to the state hash for each of its shares: all of it that matters later. */
static inline uint64_t order_weight(const struct order *order)
{
    const struct terms *terms = &order->terms;
    return hash_fold(order->identity ^ HASH_ODD_3, ((uint64_t)order->key << 32 | order->user_ref) ^ HASH_ODD_4) +
           order->place * HASH_ODD_5 +
           two_words(terms->firm, (uint32_t)terms->self_match << 16 | terms->group) * HASH_ODD_1;
}

#endif
