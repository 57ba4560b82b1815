/*
 * An engine as bytes: a header, then each region of the arena as far as it has ever been used, one after the other, as
 * it lies in memory. So writing one costs what copying costs, and an engine restored goes on exactly as the other does,
 * down to the order in which free elements are taken.
 *
 *   struct image_head | struct engine (its pointers are not looked at) | regions, each a multiple of 8 bytes
 *
 * Rules
 *   1. An image is for the same build of the same machine kind: the head says how large its structs are, and other
 * sizes are refused. Whoever has none that fits replays the journal.
 *   2. Limits may have grown or shrunk, as long as what is there fits; tables that are found by a hash are then made
 * anew. levels_max must be the same.
 *   3. The checksum is of all bytes behind it.
 */
#include "names.h"
#include "order_index.h"
#include "pool.h"
#include "state.h"

#include <string.h>

#define IMAGE_MAGIC   UINT64_C(0x32656e69676e6572) /* "rengine2" */
#define REGIONS       17
#define IMAGE_ALIGNED 8u

struct image_head {
    uint64_t magic;
    uint64_t checksum; /* of what follows */
    uint64_t bytes;    /* of all */
    uint32_t engine_bytes;
    uint32_t order_bytes;
    uint32_t annex_bytes;
    uint32_t special_bytes;
    uint64_t record_bytes;
};

/* A region: where it lies, and how much of it is in use. */
struct region {
    void *base;
    size_t bytes;
};

struct regions {
    struct region of[REGIONS];
};

/* The tables that are found by a hash come last: index, users, symbols, firms; before them the trades. */
enum { REGION_TRADES = 12, REGION_INDEX = 13, REGION_USERS = 14, REGION_SYMBOLS = 15, REGION_FIRMS = 16 };

static size_t trades_used(const struct engine *engine)
{
    uint64_t last = engine->match_number_last;
    return (size_t)(last < engine->trades_mask ? last : engine->trades_mask) + 1;
}

/* In the order in which they stand in the image. */
static struct regions regions_of(const struct engine *engine)
{
    size_t books = (size_t)engine->instrument_count + 1;
    size_t pages = (size_t)engine->page_pool.used + 1;
    struct regions regions = {
        {{engine->books, books * sizeof(struct book)},
         {engine->annexes, books * sizeof(struct annex)},
         {engine->directory, books * 2 * engine->directory_words * sizeof(uint64_t)},
         {engine->levels, pages * PAGE_LEVELS * sizeof(struct level)},
         {engine->page_bits, pages * sizeof(uint64_t)},
         {engine->far_levels, ((size_t)engine->far_level_pool.used + 1) * sizeof(struct far_level)},
         {engine->far_forks, ((size_t)engine->far_fork_pool.used + 1) * sizeof(struct far_fork)},
         {engine->orders, ((size_t)engine->order_pool.used + 1) * sizeof(struct order)},
         {engine->specials, ((size_t)engine->special_pool.used + 1) * sizeof(struct special)},
         {engine->expiries, ((size_t)engine->expiry_count + 1) * sizeof(uint32_t)},
         {engine->sessions, ((size_t)engine->session_count + 1) * sizeof(struct session)},
         {engine->channels, ((size_t)engine->channel_count + 1) * sizeof(struct channel)},
         {engine->trades, trades_used(engine) * sizeof(struct trade_note)},
         {engine->index, ((size_t)engine->index_mask + 1) * sizeof(struct index_bucket)},
         {engine->user_names, ((size_t)engine->user_names_mask + 1) * sizeof(uint32_t)},
         {engine->symbol_names, ((size_t)engine->symbol_names_mask + 1) * sizeof(uint32_t)},
         {engine->firms, ((size_t)engine->firms_mask + 1) * sizeof(struct firm)}}};
    return regions;
}

static size_t aligned(size_t bytes)
{
    return (bytes + IMAGE_ALIGNED - 1) & ~(size_t)(IMAGE_ALIGNED - 1);
}

static uint64_t checksum(const uint8_t *bytes, size_t count)
{
    uint64_t sum = count;
    for (size_t at = 0; at < count; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        sum = hash_fold(sum ^ word ^ HASH_ODD_2, HASH_ODD_4) + sum * HASH_ODD_0;
    }
    return sum;
}

/* ---- writing ------------------------------------------------------------------------------------------------------
 */

size_t engine_snapshot_bytes(const struct engine *engine)
{
    struct regions regions = regions_of(engine);
    size_t bytes = sizeof(struct image_head) + aligned(sizeof(struct engine));
    for (unsigned i = 0; i < REGIONS; i++)
        bytes += aligned(regions.of[i].bytes);
    return bytes;
}

static uint8_t *put(uint8_t *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
    memset(to + bytes, 0, aligned(bytes) - bytes);
    return to + aligned(bytes);
}

size_t engine_snapshot(const struct engine *engine, void *image, size_t image_bytes)
{
    size_t bytes = engine_snapshot_bytes(engine);
    if (engine_more(engine) || image_bytes < bytes)
        return 0;
    struct regions regions = regions_of(engine);
    struct image_head head = {.magic = IMAGE_MAGIC,
                              .bytes = bytes,
                              .engine_bytes = sizeof(struct engine),
                              .order_bytes = sizeof(struct order),
                              .annex_bytes = sizeof(struct annex),
                              .special_bytes = sizeof(struct special),
                              .record_bytes = RECORD_BYTES};
    uint8_t *at = put((uint8_t *)image + sizeof(head), engine, sizeof(*engine));
    for (unsigned i = 0; i < REGIONS; i++)
        at = put(at, regions.of[i].base, regions.of[i].bytes);
    memcpy(image, &head, sizeof(head));
    size_t summed = offsetof(struct image_head, bytes);
    head.checksum = checksum((const uint8_t *)image + summed, bytes - summed);
    memcpy(image, &head, sizeof(head));
    return bytes;
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

static const char *head_invalid(const void *image, size_t image_bytes)
{
    struct image_head head;
    if (image_bytes < sizeof(head) + sizeof(struct engine))
        return "the image is too short";
    memcpy(&head, image, sizeof(head));
    if (head.magic != IMAGE_MAGIC)
        return "this is no image of an engine";
    if (head.engine_bytes != sizeof(struct engine) || head.order_bytes != sizeof(struct order) ||
        head.annex_bytes != sizeof(struct annex) || head.special_bytes != sizeof(struct special) ||
        head.record_bytes != RECORD_BYTES)
        return "the image is of another version of the engine";
    if (head.bytes != image_bytes)
        return "the image is not whole";
    size_t summed = offsetof(struct image_head, bytes);
    if (head.checksum != checksum((const uint8_t *)image + summed, image_bytes - summed))
        return "the checksum of the image is wrong";
    return NULL;
}

/* What the image holds must fit the limits of the engine that takes it up. */
static const char *limits_too_small(const struct engine *image, const struct engine_limits *limits)
{
    if (image->limits.levels_max != limits->levels_max)
        return "levels_max is not that of the image";
    if (image->order_pool.used > limits->orders_max || image->special_pool.used > limits->specials_max)
        return "orders_max or specials_max is too small for the image";
    if (image->page_pool.used > limits->pages_max || image->far_level_pool.used > limits->far_levels_max)
        return "pages_max or far_levels_max is too small for the image";
    if (image->instrument_count > limits->instruments_max || image->session_count > limits->sessions_max)
        return "instruments_max or sessions_max is too small for the image";
    if (image->channel_count > limits->channels_max || image->firm_count > limits->firms_max)
        return "channels_max or firms_max is too small for the image";
    return NULL;
}

/* The image's numbers with the engine's own memory, sizes and limits. */
static void engine_adopt(struct engine *engine, const struct engine *image)
{
    struct engine own = *engine;
    *engine = *image;
    engine->output = own.output;
    engine->limits = own.limits;
    if (own.checkpoint_next == 0)
        engine->checkpoint_next = 0; /* none are wanted here */
    else if (image->checkpoint_next == 0)
        engine->checkpoint_next = image->command_seq + own.limits.checkpoint_commands; /* none were there */
    engine->report_tops = own.report_tops;
    engine->index_mask = own.index_mask;
    engine->user_names_mask = own.user_names_mask;
    engine->symbol_names_mask = own.symbol_names_mask;
    engine->firms_mask = own.firms_mask;
    engine->trades_mask = own.trades_mask;
    pool_resize(&engine->order_pool, own.order_pool.max);
    pool_resize(&engine->special_pool, own.special_pool.max);
    pool_resize(&engine->page_pool, own.page_pool.max);
    pool_resize(&engine->far_level_pool, own.far_level_pool.max);
    pool_resize(&engine->far_fork_pool, own.far_fork_pool.max);
    memset(&engine->looks, 0, sizeof(engine->looks));
    engine->books = own.books;
    engine->directory = own.directory;
    engine->levels = own.levels;
    engine->page_bits = own.page_bits;
    engine->far_levels = own.far_levels;
    engine->far_forks = own.far_forks;
    engine->orders = own.orders;
    engine->index = own.index;
    engine->sessions = own.sessions;
    engine->channels = own.channels;
    engine->annexes = own.annexes;
    engine->specials = own.specials;
    engine->expiries = own.expiries;
    engine->firms = own.firms;
    engine->trades = own.trades;
    engine->user_names = own.user_names;
    engine->symbol_names = own.symbol_names;
}

static void index_made_anew(struct engine *engine, const struct index_bucket *buckets, size_t count)
{
    for (size_t i = 0; i < count * INDEX_LANES; i++) {
        uint32_t index = buckets[i / INDEX_LANES].orders[i % INDEX_LANES];
        const struct order *order = &engine->orders[index];
        if (index == 0)
            continue;
        uint32_t hash =
            index_hash((struct index_key){order_session(order), order->user_ref, order_user_ref_index(order)});
        uint32_t slot = index_room(engine, hash);
        ENGINE_REQUIRE(slot != INDEX_SLOT_NONE);
        index_put(engine, slot, hash, index);
    }
}

static void name_put(uint32_t *names, uint32_t mask, uint64_t name, uint32_t number)
{
    uint32_t place = name_home(name) & mask;
    while (names[place] != 0)
        place = (place + 1) & mask;
    names[place] = number;
}

static void names_made_anew(struct engine *engine)
{
    for (uint32_t session = 1; session <= engine->session_count; session++) {
        uint64_t name = 0;
        memcpy(&name, engine->sessions[session].user, USER_BYTES);
        name_put(engine->user_names, engine->user_names_mask, name, session);
    }
    for (uint32_t instrument = 1; instrument <= engine->instrument_count; instrument++) {
        uint64_t name;
        memcpy(&name, engine->books[instrument].symbol, SYMBOL_BYTES);
        name_put(engine->symbol_names, engine->symbol_names_mask, name, instrument);
    }
}

static void firms_made_anew(struct engine *engine, const struct firm *firms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t place = name_home(firms[i].name) & engine->firms_mask;
        if (firms[i].name == 0)
            continue;
        while (engine->firms[place].name != 0)
            place = (place + 1) & engine->firms_mask;
        engine->firms[place] = firms[i];
    }
}

static void trades_made_anew(struct engine *engine, const struct trade_note *trades, uint32_t mask)
{
    uint64_t last = engine->match_number_last;
    uint32_t kept = mask < engine->trades_mask ? mask : engine->trades_mask;
    for (uint64_t match = last < kept ? 1 : last - kept; match <= last; match++)
        engine->trades[match & engine->trades_mask] = trades[match & mask];
    if (mask < engine->trades_mask && last > mask)
        engine->trade_first = engine->trade_first > last - mask ? engine->trade_first : last - mask;
}

static bool names_differ(const struct engine *engine, const struct engine *image)
{
    return engine->user_names_mask != image->user_names_mask || engine->symbol_names_mask != image->symbol_names_mask;
}

/* The regions of the image, one by one, from `at` on; those behind a hash as they are if their sizes are the same. */
static void regions_adopt(struct engine *engine, const struct engine *image, const uint8_t *at)
{
    struct regions own = regions_of(engine);
    struct regions theirs = regions_of(image);
    for (unsigned i = 0; i < REGIONS; i++) {
        const void *from = at;
        at += aligned(theirs.of[i].bytes);
        bool same = own.of[i].bytes == theirs.of[i].bytes;
        if (i == REGION_TRADES && engine->trades_mask != image->trades_mask)
            trades_made_anew(engine, from, image->trades_mask);
        else if (i == REGION_INDEX && !same)
            index_made_anew(engine, from, theirs.of[i].bytes / sizeof(struct index_bucket));
        else if (i == REGION_FIRMS && !same)
            firms_made_anew(engine, from, theirs.of[i].bytes / sizeof(struct firm));
        else if (!((i == REGION_USERS || i == REGION_SYMBOLS) && names_differ(engine, image)))
            memcpy(own.of[i].base, from, theirs.of[i].bytes);
    }
    if (names_differ(engine, image))
        names_made_anew(engine);
}

const char *engine_restore(void *memory, const struct engine_limits *limits, const void *image, size_t image_bytes,
                           struct engine **ret_engine)
{
    const char *why = head_invalid(image, image_bytes);
    if (why)
        return why;
    const uint8_t *at = (const uint8_t *)image + sizeof(struct image_head);
    struct engine *engine = engine_create(memory, limits);
    if (!engine)
        return "the limits are invalid, or the memory is not aligned";
    struct engine theirs; /* whose pointers mean nothing here */
    memcpy(&theirs, at, sizeof(theirs));
    why = limits_too_small(&theirs, &engine->limits);
    if (why)
        return why;
    engine_adopt(engine, &theirs);
    regions_adopt(engine, &theirs, at + aligned(sizeof(theirs)));
    *ret_engine = engine;
    return NULL;
}
