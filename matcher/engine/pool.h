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
        pool->free_count--;
        return index;
    }
    return pool->used < pool->max ? ++pool->used : 0;
}

/* Gives the element back; returns what its chain must hold now. */
static inline uint32_t pool_give(struct pool *pool, uint32_t index)
{
    uint32_t next = pool->free_first;
    pool->free_first = index;
    pool->free_count++;
    return next;
}

#endif
