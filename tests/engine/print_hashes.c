/*
 * What the engine says of fixed streams of commands, as hashes: one at a time, and restored from an image of itself at
 * every tenth command. For test_compilers.py, which compares what programs of different compilers print, and made of
 * nothing but the engine's sources and the generator's.
 *
 * usage: print_hashes SEEDS
 */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMANDS 1000
#define EVERY    10

struct subject {
    struct engine *engine;
    void *memory;
};

static void *memory_for(const struct engine_limits *limits)
{
    size_t bytes = engine_bytes(limits);
    void *memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, bytes);
    if (!memory)
        exit(1);
    return memset(memory, 0, bytes);
}

static void apply(struct engine *engine, const struct command *command)
{
    static struct event events[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = events, .mask = ENGINE_EVENTS_MAX - 1};
    if (engine_apply(engine, command, &output) < 0)
        exit(1);
    while (engine_more(engine))
        engine_continue(engine, &output);
}

static void reborn(struct subject *subject, const struct engine_limits *limits)
{
    size_t bytes = engine_snapshot_bytes(subject->engine);
    uint8_t *image = malloc(bytes);
    if (!image || engine_snapshot(subject->engine, image, bytes) != bytes)
        exit(1);
    free(subject->memory);
    subject->memory = memory_for(limits);
    if (engine_restore(subject->memory, limits, image, bytes, &subject->engine))
        exit(1);
    free(image);
}

/* Prints both hashes; returns them as one. */
static uint64_t run(uint64_t seed, bool restores)
{
    struct engine_limits limits;
    struct generator generator;
    generator_init(&generator, seed, &limits);
    struct subject subject = {.memory = memory_for(&limits)};
    subject.engine = engine_create(subject.memory, &limits);
    for (uint32_t seq = 1; seq <= COMMANDS; seq++) {
        struct command command;
        generate(&generator, &command);
        command.command_seq = seq;
        if (restores && seq % EVERY == 0)
            reborn(&subject, &limits);
        apply(subject.engine, &command);
    }
    uint64_t event_hash = engine_event_hash(subject.engine);
    uint64_t state_hash = engine_state_hash(subject.engine);
    printf("seed %llu %s 0x%016llx 0x%016llx\n", (unsigned long long)seed, restores ? "restored" : "plain",
           (unsigned long long)event_hash, (unsigned long long)state_hash);
    free(subject.memory);
    return event_hash ^ state_hash;
}

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t all[2] = {0, 0}; /* plain, restored; as test_determinism.c folds them */
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        for (unsigned restores = 0; restores < 2; restores++)
            all[restores] = (all[restores] ^ run(seed, restores)) * UINT64_C(0x100000001b3);
    }
    printf("all plain 0x%016llx\n", (unsigned long long)all[0]);
    printf("all restored 0x%016llx\n", (unsigned long long)all[1]);
    return 0;
}
