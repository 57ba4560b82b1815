/*
 * Goal: the same commands give the same events, byte for byte, on any compiler and at any optimization, one at a time
 * or in batches, twice in one process, into a linear buffer or a ring's slots. And nothing that a caller can put into a
 * record brings the engine down.
 * Method: the running hash of fixed streams is compared with the one written down here. If what the engine says has
 * been changed on purpose, the new value is what this test prints.
 */
#include "generate.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS    40
#define COMMANDS 1000
#define PLACES   1024 /* command n is at n */

/* Of all streams together; see above. */
#define EXPECTED_HASH UINT64_C(0xdaf49b127dc6b0a3)

struct subject {
    struct engine *engine;
    void *memory;
};

static struct subject subject_open(const struct engine_limits *limits)
{
    size_t bytes = engine_bytes(limits);
    struct subject subject = {.memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, bytes)};
    memset(subject.memory, 0, bytes);
    subject.engine = engine_create(subject.memory, limits);
    return subject;
}

static void make_stream(uint64_t seed, struct engine_limits *limits, struct command *commands)
{
    struct generator generator;
    generator_init(&generator, seed, limits);
    for (uint32_t seq = 1; seq <= COMMANDS; seq++) {
        generate(&generator, &commands[seq]);
        commands[seq].command_seq = seq;
    }
}

static uint64_t one_at_a_time(const struct engine_limits *limits, const struct command *commands)
{
    static struct event events[64];
    const struct engine_output output = {.events = events, .mask = 63};
    struct subject subject = subject_open(limits);
    for (uint32_t seq = 1; seq <= COMMANDS; seq++) {
        cr_assert_geq(engine_apply(subject.engine, &commands[seq], &output), 0);
        while (engine_more(subject.engine))
            engine_continue(subject.engine, &output);
    }
    uint64_t hash = engine_event_hash(subject.engine) ^ engine_state_hash(subject.engine);
    free(subject.memory);
    return hash;
}

/* Batches of uneven size, into slots with marks; the hash is taken from the slots. */
static uint64_t in_batches(const struct engine_limits *limits, const struct command *commands)
{
    static struct event events[256];
    const struct engine_output output = {.events = events, .mask = 255, .slot_mark = UINT64_C(1) << 63};
    const struct engine_input input = {.commands = commands, .mask = PLACES - 1, .end = COMMANDS + 1};
    struct subject subject = subject_open(limits);
    uint64_t hash = 0;
    uint64_t hashed = 1;
    for (uint32_t turn = 0; engine_command_seq_next(subject.engine) <= COMMANDS || engine_more(subject.engine);
         turn++) {
        uint64_t written;
        if (engine_more(subject.engine))
            engine_continue(subject.engine, &output);
        else
            cr_assert_geq(engine_apply_batch(subject.engine, &input, 1 + turn % 19, &output, 200, &written), 0);
        for (; hashed < engine_event_seq_next(subject.engine); hashed++) {
            const struct event *event = &events[hashed & output.mask];
            cr_assert_eq(event->head.slot_word, hashed | UINT64_C(1) << 63);
            hash = engine_event_hash_next(hash, event);
        }
    }
    cr_assert_eq(hash, engine_event_hash(subject.engine));
    hash ^= engine_state_hash(subject.engine);
    free(subject.memory);
    return hash;
}

Test(determinism, same_events_wherever_and_however)
{
    static struct command commands[PLACES];
    uint64_t all = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct engine_limits limits;
        make_stream(seed, &limits, commands);
        uint64_t hash = one_at_a_time(&limits, commands);
        cr_assert_eq(one_at_a_time(&limits, commands), hash, "twice in one process, seed %lu", seed);
        cr_assert_eq(in_batches(&limits, commands), hash, "in batches, seed %lu", seed);
        all = (all ^ hash) * UINT64_C(0x100000001b3);
    }
    cr_expect_eq(all, EXPECTED_HASH, "the streams give 0x%016lx", all);
}

enum { MANY = 16384, RESTING = 6000 };

/* An order that no other one meets. */
static void make_rest(const struct generator *generator, struct command *command, uint32_t seq)
{
    command->kind = COMMAND_ENTER;
    command->user_ref = seq;
    command->order = (struct command_order){
        .side = seq % 2 ? 'B' : 'S',
        .time_in_force = '0',
        .display = 'Y',
        .capacity = 'A',
        .cross_type = 'N',
        .price_type = 'L',
        .handle_inst = ' ',
        .instrument = 1,
        .quantity = 1 + seq % 100,
        .price_ticks = generator->tick * (int32_t)(seq % 2 ? 1 + seq % 500 : 5000 + seq % 500),
    };
}

/* First orders that all rest, then a mix in which each third record is damaged. */
static void make_long_stream(struct engine_limits *limits, struct command *commands)
{
    struct generator generator;
    generator_init(&generator, 9, limits);
    limits->orders_max = MANY;
    for (uint32_t seq = 1; seq < MANY; seq++) {
        struct command *command = &commands[seq];
        generate(&generator, command);
        command->command_seq = seq;
        bool client = command->kind >= COMMAND_ENTER && command->kind <= COMMAND_REFUSED;
        if (seq > 20 && seq < RESTING && client)
            make_rest(&generator, command, seq);
        for (uint32_t i = 0; seq > RESTING && seq % 3 == 0 && i < 20; i++)
            ((uint8_t *)command)[32 + random_below(&generator.random, 96)] = (uint8_t)random_next(&generator.random);
        if (command->kind == COMMAND_DAY_END || (seq > 20 && seq < RESTING && !client))
            command->kind = COMMAND_TICK;
    }
}

/* Enough live orders that batches look ahead, and records that are anything: what is looked at may be nonsense. */
Test(determinism, looking_ahead_changes_nothing)
{
    struct command *commands = calloc(MANY, sizeof(*commands));
    struct engine_limits limits;
    make_long_stream(&limits, commands);
    static struct event events[64];
    const struct engine_output output = {.events = events, .mask = 63};
    const struct engine_input input = {.commands = commands, .mask = MANY - 1, .end = MANY};
    struct subject alone = subject_open(&limits);
    struct subject batch = subject_open(&limits);
    uint64_t live_most = 0;
    for (uint32_t seq = 1; seq < MANY; seq++) {
        engine_apply(alone.engine, &commands[seq], &output);
        while (engine_more(alone.engine))
            engine_continue(alone.engine, &output);
        live_most = live_most > engine_live_orders(alone.engine) ? live_most : engine_live_orders(alone.engine);
    }
    while (engine_command_seq_next(batch.engine) < MANY || engine_more(batch.engine)) {
        uint64_t written;
        if (engine_more(batch.engine))
            engine_continue(batch.engine, &output);
        else
            cr_assert_geq(engine_apply_batch(batch.engine, &input, 50, &output, 64, &written), 0);
    }
    cr_expect_gt(live_most, 4096, "%lu orders are not enough for it to look ahead", live_most);
    cr_expect_eq(engine_event_hash(alone.engine), engine_event_hash(batch.engine));
    cr_expect_null(engine_invalid(batch.engine));
    free(alone.memory);
    free(batch.memory);
    free(commands);
}

/* Bytes that nobody wrote on purpose: refused or ignored, and the books stay whole. */
Test(determinism, any_bytes_leave_the_books_whole)
{
    static struct event events[64];
    const struct engine_output output = {.events = events, .mask = 63};
    static struct command commands[PLACES];
    struct random random = {7};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct engine_limits limits;
        make_stream(seed, &limits, commands);
        struct subject subject = subject_open(&limits);
        for (uint32_t seq = 1; seq <= COMMANDS; seq++) {
            struct command command = commands[seq];
            for (uint32_t changes = random_chance(&random, 30) ? 1 + random_below(&random, 40) : 0; changes > 0;
                 changes--)
                ((uint8_t *)&command)[32 + random_below(&random, 96)] = (uint8_t)random_next(&random);
            cr_assert_geq(engine_apply(subject.engine, &command, &output), 0);
            while (engine_more(subject.engine))
                engine_continue(subject.engine, &output);
            const char *rule = seq % 8 == 0 ? engine_invalid(subject.engine) : NULL;
            cr_assert_null(rule, "seed %lu, command %u: %s", seed, seq, rule);
        }
        free(subject.memory);
    }
}
