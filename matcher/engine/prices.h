/* Prices as ticks, as keys, as events tell them, and as whole numbers of ticks. */
#ifndef RINGSIDE_ENGINE_PRICES_H
#define RINGSIDE_ENGINE_PRICES_H

#include "hash.h"
#include "layout.h"

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

#endif
