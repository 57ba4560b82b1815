#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY 8 /* commands, at what takes long */

void bench_widen(struct engine_limits *limits)
{
    limits->orders_max = MODEL_ORDERS_MAX;
    limits->far_levels_max = 2 * MODEL_ORDERS_MAX;
    limits->specials_max = MODEL_ORDERS_MAX;
    limits->movers_max = MODEL_ORDERS_MAX;
    limits->firms_max = MODEL_FIRMS_MAX;
    limits->checkpoint_commands = UINT32_MAX;
}

struct bench *bench_open(const struct engine_limits *limits)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->limits = *limits;
    bench->memory_bytes = engine_bytes(limits);
    bench->memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, bench->memory_bytes);
    bench->model = calloc(1, sizeof(*bench->model));
    bench_begin(bench);
    return bench;
}

void bench_close(struct bench *bench)
{
    free(bench->model);
    free(bench->memory);
    free(bench);
}

void bench_begin(struct bench *bench)
{
    memset(bench->memory, 0, bench->memory_bytes);
    bench->engine = engine_create(bench->memory, &bench->limits);
    if (!bench->engine)
        abort();
    model_init(bench->model, &bench->limits);
    bench->full = false;
    bench->misled = false;
}

/* All events of one command, over as many steps as it takes. */
static bool apply_to_engine(struct bench *bench, const struct command *command)
{
    static struct event slots[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = slots, .mask = ENGINE_EVENTS_MAX - 1};
    int step = engine_apply(bench->engine, command, &output);
    bench->event_count = 0;
    for (;;) {
        if (step < 0 || step > ENGINE_EVENTS_MAX) {
            snprintf(bench->why, sizeof(bench->why), "a step returned %d", step);
            return false;
        }
        if (bench->event_count + (uint32_t)step >= MODEL_EVENTS_MAX) {
            bench->full = true;
            return true;
        }
        uint64_t first = engine_event_seq_next(bench->engine) - (uint64_t)step;
        for (int i = 0; i < step; i++)
            bench->events[bench->event_count++] = slots[(first + (uint64_t)i) & output.mask];
        if (!engine_more(bench->engine))
            return true;
        step = engine_continue(bench->engine, &output);
    }
}

static bool same_events(struct bench *bench)
{
    const struct model *model = bench->model;
    for (bench->different = 0; bench->different < bench->event_count; bench->different++) {
        const struct event *got = &bench->events[bench->different];
        const char *rule = bench->misled ? NULL : event_invalid(got);
        if (rule) {
            snprintf(bench->why, sizeof(bench->why), "no event that could be: %s", rule);
            return false;
        }
        if (bench->different >= model->event_count)
            break;
        if (memcmp(got, &model->events[bench->different], sizeof(*got)) != 0) {
            show_difference(bench->why, sizeof(bench->why), got, &model->events[bench->different]);
            return false;
        }
    }
    if (bench->event_count == model->event_count)
        return true;
    snprintf(bench->why, sizeof(bench->why), "%u events in the engine, %u in the model", bench->event_count,
             model->event_count);
    return false;
}

/* What is wrong with the state of either, or between them. */
static const char *states_differ(struct bench *bench, uint64_t command_seq)
{
    const char *rule = model_differs(bench->model, bench->engine);
    if (!rule && engine_event_hash(bench->engine) != bench->model->event_hash)
        rule = "the event hashes differ";
    if (rule || command_seq % LOOK_EVERY != 0)
        return rule;
    rule = engine_invalid(bench->engine);
    return rule ? rule : model_invalid(bench->model);
}

bool bench_apply(struct bench *bench, struct command *command)
{
    command->command_seq = engine_command_seq_next(bench->engine);
    bench->misled = bench->misled || command_invalid(command) != NULL;
    bool applied = apply_to_engine(bench, command);
    if (bench->full)
        return true;
    model_apply(bench->model, command);
    bench->full = bench->model->full;
    if (bench->full)
        return true;
    if (!applied || !same_events(bench))
        return false;
    const char *rule = states_differ(bench, command->command_seq);
    if (rule)
        snprintf(bench->why, sizeof(bench->why), "%s", rule);
    return !rule;
}
