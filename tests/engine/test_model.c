/*
 * Goal: the engine does what the reference model does, event by event and order by order, whatever it is told.
 * Method: random commands from a seed, of every kind, to both; all events and the full books are compared after each
 * command, and now and then the rules that each of them keeps for itself. A failing run is shrunk to the fewest
 * commands that still fail, and printed with its seed.
 *
 * usage: test_model [--seeds FIRST..LAST] [--commands N]
 */
#include "bench.h"
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS        720
#define COMMANDS     500
#define FAILURES_MAX 3

/* The index of the first command after which the two differ, or count. */
static uint32_t run(struct bench *bench, struct command *commands, uint32_t count)
{
    bench_begin(bench);
    for (uint32_t i = 0; i < count && !bench->full; i++) {
        if (!bench_apply(bench, &commands[i]))
            return i;
    }
    return count;
}

/* Leaves out whatever can be left out of a failing run, chunk by chunk. Returns how many are left. */
static uint32_t shrink(struct bench *bench, struct command *commands, uint32_t count)
{
    struct command *tried = malloc(count * sizeof(*tried));
    for (uint32_t chunk = count / 2; chunk > 0; chunk /= 2) {
        for (uint32_t at = 0; at < count;) {
            uint32_t left_out = chunk < count - at ? chunk : count - at;
            memcpy(tried, commands, at * sizeof(*tried));
            memcpy(tried + at, commands + at + left_out, (count - at - left_out) * sizeof(*tried));
            uint32_t failed = run(bench, tried, count - left_out);
            if (failed < count - left_out) {
                count = failed + 1;
                memcpy(commands, tried, count * sizeof(*tried));
            } else {
                at += chunk;
            }
        }
    }
    free(tried);
    return count;
}

static void print_failure(struct bench *bench, struct command *commands, uint32_t count, uint64_t seed)
{
    count = shrink(bench, commands, count);
    count = shrink(bench, commands, count); /* once more: what was needed for a part now gone */
    run(bench, commands, count);
    printf("seed %llu: %s\n  the fewest commands that fail:\n", (unsigned long long)seed, bench->why);
    for (uint32_t i = 0; i < count; i++)
        show_command(&commands[i]);
    printf("  events of the last one in the engine:\n");
    for (uint32_t i = 0; i < bench->event_count; i++)
        show_event(&bench->events[i]);
    printf("  in the model:\n");
    for (uint32_t i = 0; i < bench->model->event_count; i++)
        show_event(&bench->model->events[i]);
}

/* Only streams about bad values may hold records that nobody could have written. */
static bool well_formed(const struct generator *generator, const struct command *command)
{
    const char *rule = generator->profile->bad ? NULL : command_invalid(command);
    if (rule) {
        printf("the generator made a bad command: %s\n", rule);
        show_command(command);
    }
    return !rule;
}

static bool run_seed(uint64_t seed, uint32_t count)
{
    struct generator generator;
    struct engine_limits limits;
    generator_init(&generator, seed, &limits);
    bench_widen(&limits);
    struct bench *bench = bench_open(&limits);
    struct command *commands = malloc(count * sizeof(*commands));
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        generate(&generator, &commands[i]);
        good = well_formed(&generator, &commands[i]) && good;
    }
    uint32_t failed = run(bench, commands, count);
    if (failed < count)
        print_failure(bench, commands, failed + 1, seed);
    bench_close(bench);
    free(commands);
    return good && failed == count;
}

static int usage(void)
{
    fprintf(stderr, "usage: test_model [--seeds FIRST..LAST] [--commands N]\n  N at most %d\n", MODEL_ORDERS_MAX);
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t first = 1;
    uint64_t last = SEEDS;
    uint64_t count = COMMANDS;
    for (int i = 1; i < argc; i += 2) {
        char *end = NULL;
        if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0) {
            first = last = strtoull(argv[i + 1], &end, 10);
            if (strncmp(end, "..", 2) == 0)
                last = strtoull(end + 2, &end, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--commands") == 0) {
            count = strtoull(argv[i + 1], &end, 10);
        }
        if (!end || *end != '\0' || count == 0 || count > MODEL_ORDERS_MAX)
            return usage();
    }
    uint64_t failed = 0;
    uint64_t seed = first;
    for (; seed <= last && failed < FAILURES_MAX; seed++) {
        if (run_seed(seed, (uint32_t)count))
            continue;
        failed++;
        printf("  again: %s --seeds %llu --commands %llu\n", argv[0], (unsigned long long)seed,
               (unsigned long long)count);
    }
    printf("%llu seeds of %llu commands, %llu failed\n", (unsigned long long)(seed - first), (unsigned long long)count,
           (unsigned long long)failed);
    return failed != 0;
}
