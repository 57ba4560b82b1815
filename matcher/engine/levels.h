/*
 * The price ladder of one side of a book: from a key to its level, and from the best level to the next.
 *
 *   key >> 6 = page number ---- in the window? ---> directory ---> page of 64 levels (1 KiB)
 *                         \---- else, or no page -> far tree (far.h)
 *
 * Rules
 *   1. A level that is not empty lies in a page of the window if that page is in use, else in the far tree. A page is
 * in use as long as one of its levels is not empty.
 *   2. The window is there for speed alone: whatever it holds, and however many pages there are, the same levels are
 *      found in the same order.
 *   3. It is moved when a new best price lies outside of it, or when it is empty and the best price is far. The best
 * price then stands at three quarters of it, for most prices come in behind the best.
 *   4. An empty level is all zero, in a page as in the far tree.
 *   5. A ladder without a window has no pages (pages is NULL), and a window_base that is beyond all keys.
 */
#ifndef RINGSIDE_ENGINE_LEVELS_H
#define RINGSIDE_ENGINE_LEVELS_H

#include "far.h"
#include "state.h"

/* The slow halves. */
struct level *level_open_slowly(struct engine *engine, struct ladder *ladder, uint32_t key);
void level_close_page(struct engine *engine, struct ladder *ladder, uint32_t window_index);
void level_best_slowly(struct engine *engine, struct ladder *ladder);

/* The largest key at or below `key` that has a level, in window and far tree; KEY_NONE. */
int32_t level_below(const struct engine *engine, const struct ladder *ladder, int32_t key);

static inline struct level *level_in_page(const struct engine *engine, uint32_t page, uint32_t key)
{
    return &engine->levels[(size_t)page * PAGE_LEVELS + (key & (PAGE_LEVELS - 1))];
}

/* The pool's number of the page that holds this key; 0: it is not in the window, or has no page. */
static inline uint32_t page_of(const struct engine *engine, const struct ladder *ladder, uint32_t key)
{
    uint32_t window_index = (key >> PAGE_SHIFT) - ladder->side->window_base;
    /* Without a window there is no such index. */
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
    return LIKELY(window_index < engine->window_pages) ? ladder->pages[window_index] : 0;
}

/* The level of a key that has one. */
static inline struct level *level_find(const struct engine *engine, const struct ladder *ladder, uint32_t key)
{
    uint32_t page = page_of(engine, ladder, key);
    if (LIKELY(page != 0))
        return level_in_page(engine, page, key);
    return far_find(engine, ladder->side, key);
}

/* The level of this key for an order that is about to join it; the best price is brought up to date. */
static inline struct level *level_open(struct engine *engine, struct ladder *ladder, uint32_t key)
{
    uint32_t page = page_of(engine, ladder, key);
    struct level *level;
    if (LIKELY(page != 0)) {
        engine->page_bits[page] |= UINT64_C(1) << (key & (PAGE_LEVELS - 1));
        level = level_in_page(engine, page, key);
    } else {
        level = level_open_slowly(engine, ladder, key);
    }
    ladder->side->best = (int32_t)key > ladder->side->best ? (int32_t)key : ladder->side->best;
    return level;
}

/*
 * In and out of a level, without a branch on who is first or last, for that cannot be predicted: order 0, who is
 * nobody, is told of neighbours too. The quantity is the caller's.
 */
static inline void level_link(struct engine *engine, struct level *level, uint32_t index)
{
    struct order *order = &engine->orders[index];
    uint32_t last = level->tail;
    order->next = 0;
    order->prev = last;
    engine->orders[last].next = index;
    level->head = last ? level->head : index;
    level->tail = index;
}

static inline void level_unlink(struct engine *engine, struct level *level, const struct order *order)
{
    uint32_t next = order->next;
    uint32_t prev = order->prev;
    uint32_t head = level->head;
    uint32_t tail = level->tail;
    engine->orders[prev].next = next;
    engine->orders[next].prev = prev;
    level->head = prev ? head : next;
    level->tail = next ? tail : prev;
}

/* The last order of this key's level has left; the level is all zero. */
static inline void level_close(struct engine *engine, struct ladder *ladder, uint32_t key)
{
    struct book_side *side = ladder->side;
    uint32_t page = page_of(engine, ladder, key);
    if (UNLIKELY(page == 0)) {
        far_close(engine, side, key);
    } else {
        uint64_t bits = engine->page_bits[page] &= ~(UINT64_C(1) << (key & (PAGE_LEVELS - 1)));
        if (UNLIKELY(bits == 0)) {
            level_close_page(engine, ladder, (key >> PAGE_SHIFT) - side->window_base);
        } else if (side->best == (int32_t)key && side->far_best < (int32_t)(key & ~(PAGE_LEVELS - 1))) {
            /* Mostly the next best is in the same page, below, and none that is far comes before it. */
            uint64_t below = bits & ((UINT64_C(1) << (key & (PAGE_LEVELS - 1))) - 1);
            if (LIKELY(below != 0)) {
                side->best = (int32_t)((key & ~(PAGE_LEVELS - 1)) | (63u - (uint32_t)__builtin_clzll(below)));
                return;
            }
        }
    }
    if (side->best == (int32_t)key)
        level_best_slowly(engine, ladder);
}

#endif
