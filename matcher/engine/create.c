/* Limits, and cutting the caller's memory into regions. Nothing but the engine's own head is written at creation. */
#include "state.h"

#include "order_index.h"
#include "pool.h"

#include <stddef.h>

#define FAR_LEVELS_MIN 1024u
#define SPECIALS_MIN   1024u

static bool power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

const char *engine_limits_invalid(const struct engine_limits *limits)
{
    if (limits->orders_max == 0 || limits->orders_max > ENGINE_ORDERS_MAX)
        return "orders_max is 1 to 67108864";
    if (limits->instruments_max == 0 || limits->instruments_max > ENGINE_INSTRUMENTS_MAX)
        return "instruments_max is 1 to 131072";
    if (limits->sessions_max == 0 || limits->sessions_max > ENGINE_SESSIONS_MAX)
        return "sessions_max is 1 to 65536";
    if (!power_of_two(limits->levels_max) || limits->levels_max < ENGINE_LEVELS_MIN ||
        limits->levels_max > ENGINE_LEVELS_MAX)
        return "levels_max is a power of two, 64 to 1048576";
    if (limits->channels_max > ENGINE_SESSIONS_MAX * 255)
        return "channels_max is at most 255 a session";
    if (limits->pages_max > ENGINE_ORDERS_MAX || limits->far_levels_max > ENGINE_ORDERS_MAX)
        return "pages_max and far_levels_max are at most 67108864";
    if (limits->specials_max > ENGINE_ORDERS_MAX || limits->movers_max > ENGINE_ORDERS_MAX)
        return "specials_max and movers_max are at most 67108864";
    if (limits->firms_max > ENGINE_INSTRUMENTS_MAX)
        return "firms_max is at most 131072";
    if (limits->trades_max != 0 && (!power_of_two(limits->trades_max) || limits->trades_max > ENGINE_ORDERS_MAX))
        return "trades_max is a power of two, at most 67108864";
    if (limits->report_tops > 1)
        return "report_tops is 0 or 1";
    return NULL;
}

static uint32_t larger(uint32_t left, uint32_t right)
{
    return left > right ? left : right;
}

/*
 * As many pages as windows could use, but not more than one for 16 orders or one an instrument, whichever is more: a
 * book that spreads its orders thinner than that does well with far levels.
 */
static uint32_t pages_by_default(const struct engine_limits *limits)
{
    uint64_t all = (uint64_t)limits->instruments_max * 2 * (limits->levels_max / PAGE_LEVELS);
    uint32_t enough = larger(larger(limits->orders_max / 16, limits->instruments_max), 64);
    return all < enough ? (uint32_t)all : enough;
}

static struct engine_limits limits_filled(const struct engine_limits *limits)
{
    struct engine_limits filled = *limits;
    if (filled.channels_max == 0)
        filled.channels_max = filled.sessions_max;
    if (filled.pages_max == 0)
        filled.pages_max = pages_by_default(limits);
    if (filled.far_levels_max == 0)
        filled.far_levels_max = larger(filled.orders_max / 8, FAR_LEVELS_MIN);
    if (filled.specials_max == 0)
        filled.specials_max = larger(filled.orders_max / 16, SPECIALS_MIN);
    if (filled.movers_max == 0)
        filled.movers_max = 1024;
    if (filled.firms_max == 0)
        filled.firms_max = 1024;
    if (filled.trades_max == 0)
        filled.trades_max = 65536;
    if (filled.checkpoint_commands == 0)
        filled.checkpoint_commands = 65536;
    return filled;
}

/* The smallest power of two that is at least `value`. */
static uint32_t rounded_up(uint32_t value)
{
    return value <= 1 ? 1 : 1u << (32 - __builtin_clz(value - 1));
}

/* Gives out memory in cache lines; with no memory it only counts. */
struct arena {
    uint8_t *memory;
    size_t used;
};

static void *arena_take(struct arena *arena, size_t count, size_t element_bytes)
{
    void *region = arena->memory ? arena->memory + arena->used : NULL;
    size_t bytes = count * element_bytes;
    arena->used += (bytes + ENGINE_MEMORY_ALIGNMENT - 1) & ~(size_t)(ENGINE_MEMORY_ALIGNMENT - 1);
    return region;
}

static void sizes_set(struct engine *engine)
{
    const struct engine_limits *limits = &engine->limits;
    engine->window_pages = limits->levels_max / PAGE_LEVELS;
    engine->occupied_words = (engine->window_pages + 63) / 64;
    /* A whole number of lines for each side. */
    uint32_t words = engine->occupied_words + (engine->window_pages + 1) / 2;
    engine->directory_words = (words + 7) & ~7u;
    uint32_t buckets = rounded_up((limits->orders_max + INDEX_BUCKET_ORDERS - 1) / INDEX_BUCKET_ORDERS);
    engine->index_mask = larger(buckets, INDEX_BUCKETS_MIN) - 1;
    engine->user_names_mask = rounded_up(limits->sessions_max * 2) - 1;
    engine->symbol_names_mask = rounded_up(limits->instruments_max * 2) - 1;
    engine->firms_mask = rounded_up(limits->firms_max * 2) - 1;
    engine->trades_mask = limits->trades_max - 1;
    pool_resize(&engine->order_pool, limits->orders_max);
    pool_resize(&engine->special_pool, limits->specials_max);
    pool_resize(&engine->page_pool, limits->pages_max);
    pool_resize(&engine->far_level_pool, limits->far_levels_max);
    pool_resize(&engine->far_fork_pool, limits->far_levels_max);
}

/* Elements are counted from 1: element 0 of each region is nobody's. */
static void regions_take(struct engine *engine, struct arena *arena)
{
    const struct engine_limits *limits = &engine->limits;
    size_t books = (size_t)limits->instruments_max + 1;
    engine->books = arena_take(arena, books, sizeof(struct book));
    engine->directory = arena_take(arena, books * 2 * engine->directory_words, sizeof(uint64_t));
    engine->levels = arena_take(arena, ((size_t)limits->pages_max + 1) * PAGE_LEVELS, sizeof(struct level));
    engine->page_bits = arena_take(arena, (size_t)limits->pages_max + 1, sizeof(uint64_t));
    engine->far_levels = arena_take(arena, (size_t)limits->far_levels_max + 1, sizeof(struct far_level));
    engine->far_forks = arena_take(arena, (size_t)limits->far_levels_max + 1, sizeof(struct far_fork));
    engine->orders = arena_take(arena, (size_t)limits->orders_max + 1, sizeof(struct order));
    engine->index = arena_take(arena, (size_t)engine->index_mask + 1, sizeof(struct index_bucket));
    engine->annexes = arena_take(arena, books, sizeof(struct annex));
    engine->specials = arena_take(arena, (size_t)limits->specials_max + 1, sizeof(struct special));
    engine->expiries = arena_take(arena, (size_t)limits->specials_max + 1, sizeof(uint32_t));
    engine->firms = arena_take(arena, (size_t)engine->firms_mask + 1, sizeof(struct firm));
    engine->trades = arena_take(arena, (size_t)engine->trades_mask + 1, sizeof(struct trade_note));
    engine->sessions = arena_take(arena, (size_t)limits->sessions_max + 1, sizeof(struct session));
    engine->channels = arena_take(arena, (size_t)limits->channels_max + 1, sizeof(struct channel));
    engine->user_names = arena_take(arena, (size_t)engine->user_names_mask + 1, sizeof(uint32_t));
    engine->symbol_names = arena_take(arena, (size_t)engine->symbol_names_mask + 1, sizeof(uint32_t));
}

size_t engine_bytes(const struct engine_limits *limits)
{
    if (engine_limits_invalid(limits))
        return 0;
    struct engine engine = {.limits = limits_filled(limits)};
    struct arena arena = {0};
    arena_take(&arena, 1, sizeof(engine));
    sizes_set(&engine);
    regions_take(&engine, &arena);
    return arena.used;
}

struct engine *engine_create(void *memory, const struct engine_limits *limits)
{
    if (engine_limits_invalid(limits) || (uintptr_t)memory % ENGINE_MEMORY_ALIGNMENT != 0)
        return NULL;
    struct arena arena = {.memory = memory};
    struct engine *engine = arena_take(&arena, 1, sizeof(*engine));
    *engine = (struct engine){.event_seq_next = 1, .hashed_next = 1, .trade_first = 1, .limits = limits_filled(limits)};
    engine->report_tops = limits->report_tops;
    engine->checkpoint_next = engine->limits.checkpoint_commands == UINT32_MAX ? 0 : engine->limits.checkpoint_commands;
    sizes_set(engine);
    regions_take(engine, &arena);
    return engine;
}
