#include "levels.h"

#include "pool.h"

#include <string.h>

/* ---- pages --------------------------------------------------------------------------------------------------------
 */

static uint32_t page_take(struct engine *engine)
{
    struct pool *pool = &engine->page_pool;
    uint32_t page = pool_take(pool, (uint32_t)engine->page_bits[pool->free_first]);
    if (page != 0)
        engine->page_bits[page] = 0;
    return page;
}

static void window_mark(struct ladder *ladder, uint32_t window_index, uint32_t page)
{
    uint64_t bit = UINT64_C(1) << (window_index % 64);
    ladder->pages[window_index] = page;
    if (page != 0) {
        ladder->occupied[window_index / 64] |= bit;
        ladder->side->window_pages++;
    } else {
        ladder->occupied[window_index / 64] &= ~bit;
        ladder->side->window_pages--;
    }
}

void level_close_page(struct engine *engine, struct ladder *ladder, uint32_t window_index)
{
    uint32_t page = ladder->pages[window_index];
    window_mark(ladder, window_index, 0);
    engine->page_bits[page] = pool_give(&engine->page_pool, page);
}

/* The levels of a page that has just come into use move there from the far tree. */
static void page_gather(struct engine *engine, struct ladder *ladder, uint32_t page, uint32_t page_number)
{
    int32_t key;
    while ((key = far_in_page(engine, ladder->side, page_number)) != KEY_NONE) {
        struct level *far = far_find(engine, ladder->side, (uint32_t)key);
        *level_in_page(engine, page, (uint32_t)key) = *far;
        engine->page_bits[page] |= UINT64_C(1) << ((uint32_t)key & (PAGE_LEVELS - 1));
        *far = (struct level){0};
        far_close(engine, ladder->side, (uint32_t)key);
    }
}

/* Brings a page of the window into use; 0 if there is none left. */
static uint32_t page_begin(struct engine *engine, struct ladder *ladder, uint32_t page_number)
{
    uint32_t page = page_take(engine);
    if (page == 0)
        return 0;
    window_mark(ladder, page_number - ladder->side->window_base, page);
    if (ladder->side->far_count != 0)
        page_gather(engine, ladder, page, page_number);
    return page;
}

/* All levels of a page move to the far tree, which has room for them. */
static void page_scatter(struct engine *engine, struct ladder *ladder, uint32_t window_index)
{
    uint32_t page = ladder->pages[window_index];
    uint32_t page_number = ladder->side->window_base + window_index;
    uint64_t bits = engine->page_bits[page];
    level_close_page(engine, ladder, window_index);
    for (; bits != 0; bits &= bits - 1) {
        uint32_t key = page_number << PAGE_SHIFT | (uint32_t)__builtin_ctzll(bits);
        struct level *near = level_in_page(engine, page, key);
        struct level *far = far_open(engine, ladder->side, key);
        ENGINE_REQUIRE(far != NULL);
        *far = *near;
        *near = (struct level){0};
    }
}

/* ---- the window ---------------------------------------------------------------------------------------------------
 */

static bool window_leaves(uint32_t window_index, int64_t shift, uint32_t window_pages)
{
    int64_t moved = (int64_t)window_index - shift;
    return moved < 0 || moved >= window_pages;
}

/* How many levels would have to go to the far tree. */
static uint32_t window_leaving(const struct engine *engine, const struct ladder *ladder, int64_t shift)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < engine->window_pages; i++) {
        if (ladder->pages[i] != 0 && window_leaves(i, shift, engine->window_pages))
            count += (uint32_t)__builtin_popcountll(engine->page_bits[ladder->pages[i]]);
    }
    return count;
}

static void window_shift(struct engine *engine, struct ladder *ladder, int64_t shift)
{
    uint32_t count = engine->window_pages;
    for (uint32_t i = 0; i < count; i++) {
        if (ladder->pages[i] != 0 && window_leaves(i, shift, count))
            page_scatter(engine, ladder, i);
    }
    uint64_t distance = (uint64_t)(shift < 0 ? -shift : shift);
    uint32_t kept = distance < count ? count - (uint32_t)distance : 0;
    uint32_t from = shift > 0 ? count - kept : 0;
    uint32_t to = shift > 0 ? 0 : count - kept;
    memmove(ladder->pages + to, ladder->pages + from, kept * sizeof(*ladder->pages));
    memset(ladder->pages + (shift > 0 ? kept : 0), 0, (count - kept) * sizeof(*ladder->pages));
    memset(ladder->occupied, 0, engine->occupied_words * sizeof(*ladder->occupied));
    for (uint32_t i = 0; i < count; i++) {
        if (ladder->pages[i] != 0)
            ladder->occupied[i / 64] |= UINT64_C(1) << (i % 64);
    }
}

/* Moves the window to a page that is to hold the best price, unless what leaves it finds no room in the far tree. */
static void window_move(struct engine *engine, struct ladder *ladder, uint32_t page_number)
{
    uint32_t above = engine->window_pages - 1 - engine->window_pages * 3 / 4;
    uint32_t end = page_number + above + 1;
    end = end > PAGES_OF_ALL ? PAGES_OF_ALL : end;
    uint32_t base = end > engine->window_pages ? end - engine->window_pages : 0;
    int64_t shift = (int64_t)base - ladder->side->window_base;
    if (ladder->side->window_pages != 0) {
        if (window_leaving(engine, ladder, shift) > pool_room(&engine->far_level_pool))
            return;
        window_shift(engine, ladder, shift);
    }
    ladder->side->window_base = base;
}

/* ---- levels -------------------------------------------------------------------------------------------------------
 */

struct level *level_open_slowly(struct engine *engine, struct ladder *ladder, uint32_t key)
{
    uint32_t page_number = key >> PAGE_SHIFT;
    if (ladder->pages == NULL)
        return far_open(engine, ladder->side, key);
    if (page_number - ladder->side->window_base >= engine->window_pages && (int32_t)key > ladder->side->best &&
        pool_room(&engine->page_pool) != 0)
        window_move(engine, ladder, page_number);
    uint32_t page = 0;
    if (page_number - ladder->side->window_base < engine->window_pages)
        page = page_begin(engine, ladder, page_number);
    if (page == 0)
        return far_open(engine, ladder->side, key);
    engine->page_bits[page] |= UINT64_C(1) << (key & (PAGE_LEVELS - 1));
    return level_in_page(engine, page, key);
}

/* The highest page in use at or below window_index; -1. */
static int32_t window_below(const struct ladder *ladder, int32_t window_index)
{
    for (int32_t word = window_index / 64; word >= 0 && window_index >= 0; word--) {
        uint32_t bit = (uint32_t)window_index % 64;
        uint64_t bits = ladder->occupied[word] & (UINT64_MAX >> (63 - bit));
        if (bits != 0)
            return word * 64 + 63 - __builtin_clzll(bits);
        window_index = word * 64 - 1;
    }
    return -1;
}

/* As level_below, in the window alone. */
static int32_t near_below(const struct engine *engine, const struct ladder *ladder, int32_t key)
{
    int64_t window_index = (int64_t)(key >> PAGE_SHIFT) - ladder->side->window_base;
    if (window_index < 0 || ladder->side->window_pages == 0)
        return KEY_NONE;
    uint64_t mask = UINT64_MAX >> (63 - (key & (int32_t)(PAGE_LEVELS - 1)));
    if (window_index >= engine->window_pages) {
        window_index = engine->window_pages - 1;
        mask = UINT64_MAX;
    }
    uint32_t page = ladder->pages[window_index];
    uint64_t bits = page ? engine->page_bits[page] & mask : 0;
    if (bits == 0) {
        window_index = window_below(ladder, (int32_t)window_index - 1);
        if (window_index < 0)
            return KEY_NONE;
        bits = engine->page_bits[ladder->pages[window_index]];
    }
    uint32_t page_number = ladder->side->window_base + (uint32_t)window_index;
    return (int32_t)(page_number << PAGE_SHIFT | (63u - (uint32_t)__builtin_clzll(bits)));
}

int32_t level_below(const struct engine *engine, const struct ladder *ladder, int32_t key)
{
    if (key < 0)
        return KEY_NONE;
    int32_t near = near_below(engine, ladder, key);
    int32_t far = far_below(engine, ladder->side, (uint32_t)key);
    return near > far ? near : far;
}

void level_best_slowly(struct engine *engine, struct ladder *ladder)
{
    struct book_side *side = ladder->side;
    int32_t near = near_below(engine, ladder, (int32_t)KEY_MASK);
    side->best = near > side->far_best ? near : side->far_best;
    if (side->best == KEY_NONE || near == side->best || side->window_pages != 0 || ladder->pages == NULL)
        return;
    /* All that is left is far: the window goes there. */
    uint32_t page_number = (uint32_t)side->best >> PAGE_SHIFT;
    window_move(engine, ladder, page_number);
    page_begin(engine, ladder, page_number);
}
