/*
 * Any bytes at all, read as commands: the engine does what the reference model does.
 *
 * The first bytes choose the stream of the generator (generate.h) that the run begins with, so that there are sessions,
 * books and orders; then every few bytes are one command of that stream with changes: a byte of the record, another
 * value. What the fuzzer finds out about the engine's branches so steers which commands come, not only their noise.
 *
 * Built as a libFuzzer target with -Dfuzz=true (clang), and with a main of its own that takes its bytes from a seed:
 * fuzz_engine [SECONDS [SEED]]; a failure prints the seed that repeats it.
 */
#include "bench.h"
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMANDS_MAX  400
#define BYTES_MAX     4096
#define CHANGES_BEGIN 44 /* of a record: behind its numbers and time, which are the sequencer's */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of the bytes. */
struct input {
    const uint8_t *bytes;
    size_t left;
};

static uint8_t take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->bytes++;
}

/* 0 to 3 changes: bytes from the gateway's number on, but for what has only one value yet. */
static void change(struct input *input, struct command *command)
{
    for (uint32_t changes = take(input) % 4; changes > 0; changes--) {
        size_t at = CHANGES_BEGIN + take(input) % (RECORD_BYTES - CHANGES_BEGIN);
        ((uint8_t *)command)[at] = take(input);
    }
    command->flags &= COMMAND_HAS_APPENDAGE;
    command->shard = 0;
}

/* Whether the two were the same all the way. */
static bool run(struct bench *bench, struct generator *generator, struct input input)
{
    struct command command;
    uint32_t count = 0;
    bench_begin(bench);
    while (count++ < COMMANDS_MAX && input.left > 0 && !bench->full) {
        uint8_t skipped = take(&input) % 4; /* commands of the stream that are left out */
        for (uint32_t i = 0; i <= skipped; i++)
            generate(generator, &command);
        change(&input, &command);
        /* What a gateway may not write of an order is not judged by the engine: groups have 16 bits. */
        if (command.kind <= COMMAND_ACCOUNT_QUERY && command_invalid(&command))
            continue;
        if (!bench_apply(bench, &command)) {
            show_command(&command);
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size < BYTES_MAX ? size : BYTES_MAX};
    struct generator generator;
    struct engine_limits limits;
    uint64_t seed = take(&input);
    generator_init(&generator, seed | (uint64_t)take(&input) << 8, &limits);
    bench_widen(&limits);
    limits.orders_max = 1024;
    struct bench *bench = bench_open(&limits);
    bool same = run(bench, &generator, input);
    if (!same) {
        printf("the engine and its model differ: %s\n", bench->why);
        fflush(stdout);
        abort();
    }
    bench_close(bench);
    return 0;
}

#ifndef FUZZ_BY_LIBFUZZER

static void one_case(uint64_t seed)
{
    static uint8_t bytes[BYTES_MAX];
    struct random random = {seed};
    size_t count = 1 + random_below(&random, BYTES_MAX);
    for (size_t i = 0; i < count; i++) /* mostly a command as it is */
        bytes[i] = random_chance(&random, 70) ? 0 : (uint8_t)random_next(&random);
    bytes[0] = (uint8_t)random_next(&random);
    LLVMFuzzerTestOneInput(bytes, count);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL) << 20;
    uint64_t cases = 0;
    clock_t until = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
    do {
        printf("\rfuzz_engine 0 %llu ", (unsigned long long)seed + cases);
        fflush(stdout);
        one_case(seed + cases++);
    } while (argc <= 3 && clock() < until);
    printf("\n%llu streams of commands\n", (unsigned long long)cases);
    return 0;
}

#endif
