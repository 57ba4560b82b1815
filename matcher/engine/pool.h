/*
 * Pools of elements found by index: what was given back last is taken first, since it is still in the cache. The
 * element itself holds the chain (where, its owner knows), so a pool is four numbers.
 */
#ifndef RINGSIDE_ENGINE_POOL_H
#define RINGSIDE_ENGINE_POOL_H

#include "state.h"

/* An element, or 0 if all are in use. `free_next` is what the first free element's chain holds, if there is one. */
static inline uint32_t pool_take(struct pool *pool, uint32_t free_next)
{
    uint32_t index = pool->free_first;
    if (LIKELY(index != 0)) {
        pool->free_first = free_next;
        pool->room--;
        return index;
    }
    if (pool->room == 0)
        return 0;
    pool->room--;
    return ++pool->used;
}

/* Gives the element back; returns what its chain must hold now. */
static inline uint32_t pool_give(struct pool *pool, uint32_t index)
{
    uint32_t next = pool->free_first;
    pool->free_first = index;
    pool->room++;
    return next;
}

/* Another number of elements in all, at least as many as were ever used. */
static inline void pool_resize(struct pool *pool, uint32_t max)
{
    pool->room += max - pool->max;
    pool->max = max;
}

#endif
