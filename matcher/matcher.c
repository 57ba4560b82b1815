#include "matcher.h"

#include "base/units.h"
#include "books.h"
#include "env/clock.h"
#include "log/log.h"
#include "pump.h"
#include "recover.h"
#include "ringside_engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define HEARTBEAT_INTERVAL_NS ((uint64_t)NS_PER_SECOND)

#define POPULATED_EARLY_BYTES ((size_t)16 * MIB) /* at once, while the rings are not there yet */
#define POPULATED_LIVE_BYTES  ((size_t)2 * MIB)  /* between commands */

struct matcher {
    struct stage_context context;
    uint32_t doorbell;
    bool joined;
    bool recovered;
    struct ring commands;
    struct ring events;
    struct books books;
    struct pump pump;
    struct recovery *recovery; /* NULL once it is done */
    uint64_t heartbeat_next_ns;
    uint64_t opened_ns;
};

/* ---- opening ------------------------------------------------------------------------------------------------------
 */

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
    books_close(&matcher->books);
    tally_finish(&matcher->pump.tally);
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
    matcher->opened_ns = clock_monotonic_ns();
    matcher->pump.tally.values = context->values;
    int result = books_open(&matcher->books, context->config, error);
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
    result = ring_producer_open(&matcher->pump.producer, &matcher->events, matcher->doorbell, error);
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
        result =
            ring_consumer_open(&matcher->pump.consumer, &matcher->commands, LINE_MATCHER, matcher->doorbell, error);
    if (result == 0)
        result = ring_consumer_add_barrier(&matcher->pump.consumer, LINE_JOURNALER, error);
    if (result < 0)
        return result;
    return 0;
}

static void recovery_begin(struct matcher *matcher)
{
    const struct config *config = matcher->context.config;
    struct recovery *recovery = matcher->recovery;
    recovery->books = &matcher->books;
    recovery->producer = &matcher->pump.producer;
    recovery->consumer = &matcher->pump.consumer;
    recovery->directory = config->journal_directory;
    recovery->snapshots_directory = config->snapshots_directory;
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
        if (result == 0) {
            pump_join(&matcher->pump);
            recovery_begin(matcher);
        }
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
    uint64_t status = engine_timer_armed(matcher->books.engine) ? EVENT_RING_TIMER_ARMED : 0;
    _Atomic uint64_t *told = &matcher->events.file->producer.status;
    if (atomic_load_explicit(told, memory_order_relaxed) != status)
        atomic_store_explicit(told, status, memory_order_release);
}

static int recover(struct matcher *matcher, uint64_t now_ns, struct error *error)
{
    struct recovery *recovery = matcher->recovery;
    uint64_t before = recovery->progress_count;
    struct matcher_values *values = matcher->pump.tally.values;
    int result = recover_poll(recovery, now_ns, error);
    if (recovery->hash_differs && values)
        metrics_set(&values->hash_differs, 1);
    if (result < 0)
        return result;
    bool progress = recovery->progress_count != before;
    if (progress)
        run_ring_listeners(matcher->context.run);
    if (result == 0)
        return progress;
    matcher->pump.engine = matcher->books.engine;
    matcher->pump.consumer.next = engine_command_seq_next(matcher->books.engine);
    ring_release(&matcher->pump.consumer, matcher->pump.consumer.next);
    run_ring_listeners(matcher->context.run);
    char fields[120];
    snprintf(fields, sizeof(fields), "commands=%llu events_published=%llu live_orders=%llu",
             (unsigned long long)recovery->replayed_count, (unsigned long long)recovery->published_count,
             (unsigned long long)engine_live_orders(matcher->books.engine));
    log_line(LOG_LEVEL_INFO, fields, "books made from the journal");
    if (values) {
        metrics_set(&values->recovery_ns, now_ns - matcher->opened_ns);
        metrics_set(&values->recovered, recovery->replayed_count);
    }
    recover_finish(recovery);
    free(recovery);
    matcher->recovery = NULL;
    matcher->recovered = true;
    tell_timer(matcher);
    return 1;
}

/* ---- working ------------------------------------------------------------------------------------------------------
 */

/* Commands before the journaler's cursor are whole in the ring, and durable. */
static int work(struct matcher *matcher, struct error *error)
{
    int count = pump_work(&matcher->pump, error);
    if (count <= 0)
        return count;
    tell_timer(matcher);
    run_ring_listeners(matcher->context.run);
    return count;
}

static void beat(struct matcher *matcher, uint64_t now_ns)
{
    if (now_ns < matcher->heartbeat_next_ns)
        return;
    matcher->heartbeat_next_ns = now_ns + HEARTBEAT_INTERVAL_NS;
    ring_producer_beat(&matcher->pump.producer, now_ns);
    ring_consumer_beat(&matcher->pump.consumer, now_ns);
}

/* The engine's memory comes in while there is nothing to do: a recovery touches but a part, and others wait for it. */
static int populate(struct matcher *matcher, size_t bytes, struct error *error)
{
    if (LIKELY(matcher->books.memory.absent_bytes == 0))
        return 0;
    return memory_populate(&matcher->books.memory, bytes, error);
}

static int matcher_poll(void *stage, uint64_t now_ns, struct error *error)
{
    struct matcher *matcher = stage;
    int count = 0;
    if (LIKELY(matcher->recovered)) {
        count = work(matcher, error);
        if (count == 0)
            count = populate(matcher, POPULATED_LIVE_BYTES, error);
    } else {
        int result = attach(matcher, error);
        if (result <= 0)
            return result < 0 ? result : populate(matcher, POPULATED_EARLY_BYTES, error);
        count = recover(matcher, now_ns, error);
    }
    beat(matcher, now_ns);
    return count;
}

static void matcher_measure(void *stage, uint64_t now_ns)
{
    struct matcher *matcher = stage;
    if (matcher->recovered)
        tally_measure(&matcher->pump.tally, matcher->books.engine, &matcher->pump.producer,
                      matcher->context.run->directory, now_ns);
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
                 (unsigned long long)engine_command_seq_next(matcher->books.engine),
                 (unsigned long long)engine_event_seq_next(matcher->books.engine),
                 (unsigned long long)engine_live_orders(matcher->books.engine),
                 engine_instruments(matcher->books.engine), engine_sessions(matcher->books.engine));
}

const struct stage_definition matcher_stage = {
    .name = "matcher",
    .kind = PROCESS_MATCHER,
    .summary = "matches orders: durable commands in, events out",
    .values = &matcher_values_table,
    .measure = matcher_measure,
    .open = matcher_open,
    .poll = matcher_poll,
    .ready = matcher_ready,
    .describe = matcher_describe,
    .close = matcher_close,
};
