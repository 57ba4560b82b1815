/*
 * Goal: the engine does what the reference model does, event by event and order by order, whatever it is told.
 * Method: random commands from a seed, under random limits, to both; all events and the full books are compared after
 * each command, and the engine's own rules checked. A failing run is shrunk to the fewest commands that still fail, and
 * printed with its seed.
 *
 * usage: test_model [SEEDS [COMMANDS [FIRST_SEED]]]
 */
#include "generate.h"
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS    1200
#define COMMANDS 500

struct bench {
    struct engine_limits limits;
    void *memory;
    size_t memory_bytes;
    struct model *model;
    char why[512];
};

static void describe_event(char *text, size_t bytes, const struct event *event)
{
    snprintf(text, bytes, "%s #%llu session %u/%u ref %u side %c reason %c", event_kind_name(event->kind),
             (unsigned long long)event->event_seq, event->session, event->message_no, event->user_ref,
             event->side ? event->side : '-', event->reason ? event->reason : '-');
}

static bool same_event(struct bench *bench, const struct event *got, const struct event *wanted)
{
    const char *rule = event_invalid(got);
    if (rule) {
        snprintf(bench->why, sizeof(bench->why), "no event that could be: %s", rule);
        return false;
    }
    if (memcmp(got, wanted, sizeof(*got)) == 0)
        return true;
    char left[160];
    char right[160];
    size_t byte = 0;
    while (((const uint8_t *)got)[byte] == ((const uint8_t *)wanted)[byte])
        byte++;
    describe_event(left, sizeof(left), got);
    describe_event(right, sizeof(right), wanted);
    snprintf(bench->why, sizeof(bench->why), "event differs at byte %zu\n    engine %s\n    model  %s", byte, left,
             right);
    return false;
}

/* All events of one command, over as many steps as it takes. */
static bool same_events(struct bench *bench, struct engine *engine, const struct command *command)
{
    static struct event events[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = events, .mask = ENGINE_EVENTS_MAX - 1};
    static struct event all[MODEL_EVENTS_MAX];
    uint32_t count = 0;
    int step = engine_apply(engine, command, &output);
    for (;;) {
        if (step < 0 || step > ENGINE_EVENTS_MAX || count + (uint32_t)step > MODEL_EVENTS_MAX) {
            snprintf(bench->why, sizeof(bench->why), "a step returned %d", step);
            return false;
        }
        uint64_t first = engine_event_seq_next(engine) - (uint64_t)step;
        for (int i = 0; i < step; i++)
            all[count++] = events[(first + (uint64_t)i) & output.mask];
        if (!engine_more(engine))
            break;
        step = engine_continue(engine, &output);
    }
    bench->model->state_hash = engine_state_hash(engine);
    model_apply(bench->model, command);
    for (uint32_t i = 0; i < count && i < bench->model->event_count; i++) {
        if (!same_event(bench, &all[i], &bench->model->events[i]))
            return false;
    }
    if (count == bench->model->event_count)
        return true;
    snprintf(bench->why, sizeof(bench->why), "%u events, the model has %u", count, bench->model->event_count);
    return false;
}

/* The index of the first command after which the two differ, or count. */
static uint32_t run(struct bench *bench, struct command *commands, uint32_t count)
{
    memset(bench->memory, 0, bench->memory_bytes);
    struct engine *engine = engine_create(bench->memory, &bench->limits);
    model_init(bench->model, &bench->limits);
    for (uint32_t i = 0; i < count; i++) {
        commands[i].command_seq = i + 1;
        if (!same_events(bench, engine, &commands[i]))
            return i;
        const char *rule = model_differs(bench->model, engine);
        if (!rule)
            rule = engine_invalid(engine);
        if (!rule && engine_event_hash(engine) != bench->model->event_hash)
            rule = "the event hashes differ";
        if (rule) {
            snprintf(bench->why, sizeof(bench->why), "%s", rule);
            return i;
        }
    }
    return count;
}

/* Leaves out whatever can be left out of a failing run. Returns how many are left. */
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

static void print_command(const struct command *command)
{
    const struct command_order *order = &command->order;
    printf("  %-16s gateway %u tenure %u session %u ref %u", command_kind_name(command->kind), command->gateway,
           command->tenure, command->session, command->user_ref);
    if (command->kind >= COMMAND_ENTER && command->kind <= COMMAND_REFUSED)
        printf(" channel %u target %u instrument %u side %c quantity %u price %d tif %c options %x flags %x",
               order->user_ref_index, order->target_user_ref, order->instrument,
               order->side > ' ' && order->side < 127 ? order->side : '?', order->quantity, order->price_ticks,
               order->time_in_force, order->options, command->flags);
    else if (command->kind == COMMAND_LOGIN || command->kind == COMMAND_LOGOUT)
        printf(" user %.6s connection %llu flag %u", command->login.user, (unsigned long long)command->login.connection,
               command->login.flag);
    else if (command->kind == COMMAND_INSTRUMENT_ADD)
        printf(" symbol %.8s tick %d", command->admin.symbol, command->admin.tick_ticks);
    else if (command->kind == COMMAND_DAY_START)
        printf(" date %u", command->day.date);
    printf("\n");
}

static void print_failure(struct bench *bench, struct command *commands, uint32_t count, uint64_t seed)
{
    count = shrink(bench, commands, count);
    run(bench, commands, count);
    const struct engine_limits *limits = &bench->limits;
    printf("seed %llu: %s\n  limits: orders %u instruments %u sessions %u levels %u channels %u pages %u checkpoint %u "
           "tops %u\n  the fewest commands that fail:\n",
           (unsigned long long)seed, bench->why, limits->orders_max, limits->instruments_max, limits->sessions_max,
           limits->levels_max, limits->channels_max, limits->pages_max, limits->checkpoint_commands,
           limits->report_tops);
    for (uint32_t i = 0; i < count; i++)
        print_command(&commands[i]);
}

static bool run_seed(struct bench *bench, uint64_t seed, uint32_t count)
{
    struct generator generator;
    generator_init(&generator, seed, &bench->limits);
    struct command *commands = malloc(count * sizeof(*commands));
    for (uint32_t i = 0; i < count; i++)
        generate(&generator, &commands[i]);
    bench->memory_bytes = engine_bytes(&bench->limits);
    bench->memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, bench->memory_bytes);
    uint32_t failed = run(bench, commands, count);
    if (failed < count)
        print_failure(bench, commands, failed + 1, seed);
    free(bench->memory);
    free(commands);
    return failed == count;
}

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : SEEDS;
    uint32_t count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : COMMANDS;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    struct bench bench = {.model = malloc(sizeof(struct model))};
    uint64_t failed = 0;
    for (uint64_t seed = first; seed < first + seeds && failed < 3; seed++) {
        if (!run_seed(&bench, seed, count)) {
            failed++;
            printf("  again: %s 1 %u %llu\n", argv[0], count, (unsigned long long)seed);
        }
    }
    free(bench.model);
    printf("%llu seeds of %u commands, %llu failed\n", (unsigned long long)seeds, count, (unsigned long long)failed);
    return failed != 0;
}
