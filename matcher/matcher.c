#include "matcher.h"

#include "base/units.h"
#include "config_limits.h"
#include "env/clock.h"
#include "log/log.h"
#include "memory.h"
#include "recover.h"
#include "ringside_engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH_STEPS           256 /* of one poll, about */
#define BURST_COMMANDS        32u /* applied before what came of them is published */
#define HEARTBEAT_INTERVAL_NS ((uint64_t)NS_PER_SECOND)

struct matcher {
    struct stage_context context;
    uint32_t doorbell;
    bool joined;
    bool recovered;
    struct ring commands;
    struct ring events;
    struct ring_consumer consumer;
    struct ring_producer producer;
    struct memory memory;
    struct engine *engine;
    struct recovery *recovery; /* NULL once it is done */
    struct engine_input input;
    struct engine_output output;
    uint64_t heartbeat_next_ns;
};

_Static_assert(sizeof(struct ring_slot) == sizeof(struct event) && sizeof(struct ring_slot) == sizeof(struct command),
               "records are slots");

/* ---- opening ------------------------------------------------------------------------------------------------------
 */

static int engine_open(struct matcher *matcher, struct error *error)
{
    struct engine_limits limits;
    int result = matcher_limits(&limits, matcher->context.config, error);
    if (result == 0)
        result = memory_open(&matcher->memory, engine_bytes(&limits), error);
    if (result < 0)
        return result;
    matcher->engine = engine_create(matcher->memory.start, &limits);
    REQUIRE(matcher->engine);
    return 0;
}

static void matcher_close(void *stage)
{
    struct matcher *matcher = stage;
    if (!matcher)
        return;
    if (matcher->recovery)
        recover_finish(matcher->recovery);
    free(matcher->recovery);
    ring_detach(&matcher->commands);
    ring_detach(&matcher->events);
    memory_close(&matcher->memory);
    free(matcher);
}

static int matcher_open(void **ret_stage, const struct stage_context *context, struct error *error)
{
    struct matcher *matcher = calloc(1, sizeof(*matcher));
    struct recovery *recovery = calloc(1, sizeof(*recovery));
    if (!matcher || !recovery) {
        free(matcher);
        free(recovery);
        return error_system(error, ENOMEM, "matcher", "no memory");
    }
    matcher->context = *context;
    matcher->doorbell = topology_doorbell(PROCESS_MATCHER, 0);
    matcher->recovery = recovery;
    int result = engine_open(matcher, error);
    if (result < 0) {
        matcher_close(matcher);
        return result;
    }
    *ret_stage = matcher;
    return 0;
}

/* ---- attaching ----------------------------------------------------------------------------------------------------
 */

static int open_event_ring(struct matcher *matcher, struct error *error)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters = {0};
    run_ring_path(matcher->context.run, RING_NAME_EVENT, path);
    run_ring_parameters(matcher->context.run, RING_NAME_EVENT, &parameters);
    parameters.record_hash = event_layout_hash();
    int result = ring_attach(&matcher->events, path, true, &parameters, error);
    if (result == ERROR_NOT_YET) {
        parameters.capacity = (uint32_t)matcher->context.config->rings_event_slots;
        parameters.base_seq = matcher->context.run->base.event_seq_next;
        parameters.gating_count = 1;
        parameters.gating_names[0] = LINE_EVENT_LOG;
        result = ring_create(&matcher->events, path, &parameters, error);
    }
    if (result < 0)
        return result;
    result = ring_producer_open(&matcher->producer, &matcher->events, matcher->doorbell, error);
    matcher->output = (struct engine_output){.events = (struct event *)matcher->events.file->slots,
                                             .mask = matcher->producer.mask,
                                             .slot_mark = RING_WRITING};
    return result;
}

static int open_command_ring(struct matcher *matcher, struct error *error)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters = {0};
    run_ring_path(matcher->context.run, RING_NAME_COMMAND, path);
    run_ring_parameters(matcher->context.run, RING_NAME_COMMAND, &parameters);
    parameters.record_hash = command_layout_hash();
    int result = ring_attach(&matcher->commands, path, true, &parameters, error);
    if (result == 0)
        result = ring_consumer_open(&matcher->consumer, &matcher->commands, LINE_MATCHER, matcher->doorbell, error);
    if (result == 0)
        result = ring_consumer_add_barrier(&matcher->consumer, LINE_JOURNALER, error);
    if (result < 0)
        return result;
    matcher->input = (struct engine_input){.commands = (const struct command *)matcher->commands.file->slots,
                                           .mask = matcher->consumer.mask};
    return 0;
}

static void recovery_begin(struct matcher *matcher)
{
    const struct config *config = matcher->context.config;
    struct recovery *recovery = matcher->recovery;
    recovery->engine = matcher->engine;
    recovery->producer = &matcher->producer;
    recovery->consumer = &matcher->consumer;
    recovery->directory = config->journal_directory;
    recovery->durable = config->journal_durability != DURABILITY_OFF;
}

/* 1: all is there. 0: not yet. Each part is taken up once; whoever waits for the event ring is told when it is there.
 */
static int attach(struct matcher *matcher, struct error *error)
{
    int result = matcher->joined ? 0 : run_join(matcher->context.run, error);
    if (result == 0)
        matcher->joined = true;
    if (result == 0 && !matcher->events.file) {
        result = open_event_ring(matcher, error);
        if (result == 0)
            run_ring_listeners(matcher->context.run);
    }
    if (result == 0 && !matcher->commands.file) {
        result = open_command_ring(matcher, error);
        if (result == 0)
            recovery_begin(matcher);
    }
    if (result < 0)
        return result == ERROR_NOT_YET ? 0 : result;
    return 1;
}

/* ---- recovering ---------------------------------------------------------------------------------------------------
 */

/* The sequencer publishes ticks while this says so. */
static void tell_timer(struct matcher *matcher)
{
    uint64_t status = engine_timer_armed(matcher->engine) ? EVENT_RING_TIMER_ARMED : 0;
    _Atomic uint64_t *told = &matcher->events.file->producer.status;
    if (atomic_load_explicit(told, memory_order_relaxed) != status)
        atomic_store_explicit(told, status, memory_order_release);
}

static int recover(struct matcher *matcher, uint64_t now_ns, struct error *error)
{
    struct recovery *recovery = matcher->recovery;
    uint64_t before = recovery->progress_count;
    int result = recover_poll(recovery, now_ns, error);
    if (result < 0)
        return result;
    bool progress = recovery->progress_count != before;
    if (progress)
        run_ring_listeners(matcher->context.run);
    if (result == 0)
        return progress;
    matcher->consumer.next = engine_command_seq_next(matcher->engine);
    ring_release(&matcher->consumer, matcher->consumer.next);
    run_ring_listeners(matcher->context.run);
    char fields[120];
    snprintf(fields, sizeof(fields), "commands=%llu events_published=%llu live_orders=%llu",
             (unsigned long long)recovery->replayed_count, (unsigned long long)recovery->published_count,
             (unsigned long long)engine_live_orders(matcher->engine));
    log_line(LOG_LEVEL_INFO, fields, "books made from the journal");
    recover_finish(recovery);
    free(recovery);
    matcher->recovery = NULL;
    matcher->recovered = true;
    tell_timer(matcher);
    return 1;
}

/* ---- working ------------------------------------------------------------------------------------------------------
 */

/* Everything the engine has written becomes visible, in order; of a continued record the second slot first. */
static void publish(struct matcher *matcher, uint32_t published_ns_low)
{
    struct ring_producer *producer = &matcher->producer;
    uint64_t end = engine_event_seq_next(matcher->engine);
    while (producer->next < end) {
        struct event *event = &matcher->output.events[producer->next & producer->mask];
        const struct command *cause = &matcher->input.commands[event->command_seq & matcher->input.mask];
        event->head.received_ns_low = cause->head.received_ns_low;
        event->head.published_ns_low = published_ns_low;
        if (UNLIKELY(event->flags & EVENT_CONTINUED)) {
            struct ring_slot *second = &producer->file->slots[(producer->next + 1) & producer->mask];
            atomic_store_explicit(&second->word, producer->next + 2, memory_order_release);
        }
        ring_publish(producer);
    }
}

/* Applies a burst, or goes on with an unfinished command. Steps made, or negative. */
static int burst(struct matcher *matcher, uint64_t room, struct error *error)
{
    if (UNLIKELY(engine_more(matcher->engine))) {
        engine_continue(matcher->engine, &matcher->output);
        return 1;
    }
    uint64_t events = 0;
    int count = engine_apply_batch(matcher->engine, &matcher->input, BURST_COMMANDS, &matcher->output, room, &events);
    if (count < 0)
        return error_set(error, ERROR_CORRUPT, RING_NAME_COMMAND " ring",
                         "the slot of command %llu holds another (engine: %d)",
                         (unsigned long long)engine_command_seq_next(matcher->engine), count);
    return count;
}

/* Commands before the journaler's cursor are whole in the ring, and durable. */
static int work(struct matcher *matcher, struct error *error)
{
    ring_consumer_refresh(&matcher->consumer);
    matcher->input.end = matcher->consumer.limit;
    uint32_t published_ns_low = (uint32_t)clock_monotonic_ns();
    int total = 0;
    while (total < BATCH_STEPS &&
           (engine_more(matcher->engine) || engine_command_seq_next(matcher->engine) < matcher->input.end)) {
        uint64_t room = ring_free(&matcher->producer, ENGINE_EVENTS_MAX);
        if (room < ENGINE_EVENTS_MAX)
            break;
        int count = burst(matcher, room, error);
        if (count < 0)
            return count;
        publish(matcher, published_ns_low);
        total += count;
    }
    if (total == 0)
        return 0;
    ring_flush(&matcher->producer);
    tell_timer(matcher);
    /* A command that has more to say is still needed, for its stamps and if we die. */
    matcher->consumer.next = engine_command_seq_next(matcher->engine) - engine_more(matcher->engine);
    ring_release(&matcher->consumer, matcher->consumer.next);
    run_ring_listeners(matcher->context.run);
    return total;
}

static void beat(struct matcher *matcher, uint64_t now_ns)
{
    if (now_ns < matcher->heartbeat_next_ns)
        return;
    matcher->heartbeat_next_ns = now_ns + HEARTBEAT_INTERVAL_NS;
    ring_producer_beat(&matcher->producer, now_ns);
    ring_consumer_beat(&matcher->consumer, now_ns);
}

static int matcher_poll(void *stage, uint64_t now_ns, struct error *error)
{
    struct matcher *matcher = stage;
    int count = 0;
    if (LIKELY(matcher->recovered)) {
        count = work(matcher, error);
    } else {
        int result = attach(matcher, error);
        if (result <= 0)
            return result;
        count = recover(matcher, now_ns, error);
    }
    beat(matcher, now_ns);
    return count;
}

static bool matcher_ready(const void *stage)
{
    const struct matcher *matcher = stage;
    return matcher->recovered;
}

static void matcher_describe(const void *stage, char *text, size_t text_bytes)
{
    const struct matcher *matcher = stage;
    if (!matcher->commands.file)
        snprintf(text, text_bytes, "waiting for the command ring");
    else
        snprintf(text, text_bytes, "next command %llu, next event %llu, %llu live orders, %u instruments, %u sessions",
                 (unsigned long long)engine_command_seq_next(matcher->engine),
                 (unsigned long long)engine_event_seq_next(matcher->engine),
                 (unsigned long long)engine_live_orders(matcher->engine), engine_instruments(matcher->engine),
                 engine_sessions(matcher->engine));
}

const struct stage_definition matcher_stage = {
    .name = "matcher",
    .kind = PROCESS_MATCHER,
    .summary = "matches orders: durable commands in, events out",
    .open = matcher_open,
    .poll = matcher_poll,
    .ready = matcher_ready,
    .describe = matcher_describe,
    .close = matcher_close,
};
