/*
 * Levels outside a window: a binary tree over the bits of their keys that branches only where keys differ, so a search
 * takes at most 31 steps, inserting and removing touch one fork, and there is nothing to balance.
 *
 *   A reference is a leaf (struct far_level) or a fork (struct far_fork), told by its lowest bit; 0 is none. A fork's
 * bit is higher than those of the forks below it. n levels have n - 1 forks.
 */
#ifndef RINGSIDE_ENGINE_FAR_H
#define RINGSIDE_ENGINE_FAR_H

#include "state.h"

/* The level of this key, or NULL. */
struct level *far_find(const struct engine *engine, const struct book_side *side, uint32_t key);

/* The level of this key, made if it is not there; NULL if the pool is used up. An empty level must be closed again. */
struct level *far_open(struct engine *engine, struct book_side *side, uint32_t key);

/* Removes the level of this key, which is there. */
void far_close(struct engine *engine, struct book_side *side, uint32_t key);

/* The key of a level of this page, or KEY_NONE. */
int32_t far_in_page(const struct engine *engine, const struct book_side *side, uint32_t page_number);

/* The largest key at or below `key`, or KEY_NONE. */
int32_t far_below(const struct engine *engine, const struct book_side *side, uint32_t key);

#endif
