/*
 * Goal: an engine restored from an image goes on exactly as the one it was made of: the same events, the same hashes,
 * whenever the image was made, and with limits that have grown. An image that is damaged, cut short or of something
 * else is refused by name.
 * Method: at every tenth command of random streams an image is made and restored, and the restored engine goes on in
 * the original's place. At the end its hashes are compared with those of an engine that was never written.
 */
#include "generate.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS    30
#define COMMANDS 1000
#define EVERY    10

static struct event events[64];
static const struct engine_output output = {.events = events, .mask = 63};

static void *memory_for(const struct engine_limits *limits)
{
    size_t bytes = engine_bytes(limits);
    void *memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, bytes);
    memset(memory, 0, bytes);
    return memory;
}

static void apply(struct engine *engine, const struct command *command)
{
    cr_assert_geq(engine_apply(engine, command, &output), 0);
    while (engine_more(engine))
        engine_continue(engine, &output);
}

/* The engine of `memory` written and restored in memory of its own; the old one is freed. */
static struct engine *reborn(struct engine *engine, void **memory, const struct engine_limits *limits)
{
    size_t bytes = engine_snapshot_bytes(engine);
    uint8_t *image = malloc(bytes);
    cr_assert_eq(engine_snapshot(engine, image, bytes - 1), 0, "it does not fit");
    cr_assert_eq(engine_snapshot(engine, image, bytes), bytes);
    free(*memory);
    *memory = memory_for(limits);
    struct engine *restored = NULL;
    const char *why = engine_restore(*memory, limits, image, bytes, &restored);
    cr_assert_null(why, "%s", why);
    free(image);
    return restored;
}

/* `grown`: from the middle on, everything that may grow has doubled. */
static void run_stream(uint64_t seed, bool grown)
{
    struct engine_limits limits;
    struct generator generator;
    generator_init(&generator, seed, &limits);
    void *memory_alone = memory_for(&limits);
    void *memory = memory_for(&limits);
    struct engine *alone = engine_create(memory_alone, &limits);
    struct engine *engine = engine_create(memory, &limits);
    limits.orders_max *= 1 + grown;
    limits.sessions_max *= 1 + grown;
    limits.instruments_max *= 1 + grown;
    for (uint32_t seq = 1; seq <= COMMANDS; seq++) {
        struct command command;
        generate(&generator, &command);
        command.command_seq = seq;
        if (seq % EVERY == 0 && (!grown || seq == COMMANDS / 2))
            engine = reborn(engine, &memory, &limits);
        apply(alone, &command);
        apply(engine, &command);
        if (grown && seq < COMMANDS / 2)
            continue;
        const char *rule = seq % 50 == 0 ? engine_invalid(engine) : NULL;
        cr_assert_null(rule, "seed %lu, command %u: %s", seed, seq, rule);
    }
    if (!grown)
        cr_expect_eq(engine_event_hash(engine), engine_event_hash(alone), "seed %lu", seed);
    if (!grown)
        cr_expect_eq(engine_state_hash(engine), engine_state_hash(alone), "seed %lu", seed);
    free(memory);
    free(memory_alone);
}

Test(snapshot, restored_at_every_tenth_command_it_goes_on_the_same)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_stream(seed, false);
}

Test(snapshot, limits_may_grow)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_stream(seed, true);
}

static const char *why_not(const struct engine_limits *limits, const void *image, size_t bytes)
{
    struct engine *engine = NULL;
    void *memory = memory_for(limits);
    const char *why = engine_restore(memory, limits, image, bytes, &engine);
    free(memory);
    return why;
}

Test(snapshot, what_is_no_image_is_refused_by_name)
{
    struct engine_limits limits;
    struct generator generator;
    generator_init(&generator, 1, &limits);
    void *memory = memory_for(&limits);
    struct engine *engine = engine_create(memory, &limits);
    for (uint32_t seq = 1; seq <= 200; seq++) {
        struct command command;
        generate(&generator, &command);
        command.command_seq = seq;
        apply(engine, &command);
    }
    size_t bytes = engine_snapshot_bytes(engine);
    uint8_t *image = malloc(bytes);
    cr_assert_eq(engine_snapshot(engine, image, bytes), bytes);
    cr_expect_null(why_not(&limits, image, bytes));
    cr_expect_str_eq(why_not(&limits, image, 100), "the image is too short");
    cr_expect_str_eq(why_not(&limits, image, bytes - 8), "the image is not whole");
    struct engine_limits other = limits;
    other.levels_max *= 2;
    cr_expect_str_eq(why_not(&other, image, bytes), "levels_max is not that of the image");
    other = limits;
    other.sessions_max = 1;
    cr_expect_str_eq(why_not(&other, image, bytes), "instruments_max or sessions_max is too small for the image");
    struct random random = {1};
    for (int i = 0; i < 200; i++) {
        size_t at = random_next(&random) % bytes;
        uint8_t bit = (uint8_t)(1u << random_below(&random, 8));
        image[at] ^= bit;
        cr_expect_not_null(why_not(&limits, image, bytes), "bit %u of byte %zu", bit, at);
        image[at] ^= bit;
    }
    free(image);
    free(memory);
}
