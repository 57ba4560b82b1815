/*
 * The journaler's stage: commands from their ring through the journal, its cursor moved to what is acknowledged; events
 * into their log in the time between.
 *
 * Rules
 *   1. The cursor of its line is the journal's acknowledged number and nothing else. It never goes back.
 *   2. A run begins where the journal ends. In a run that survives, the ring's cursor must not lie beyond the journal's
 *      end; the journal may be ahead of it by what was written before the cursor was stored.
 *   3. A batch is submitted before the events are looked at, so that they use the time that it is in flight.
 */
#include "journaler.h"

#include "base/trace.h"
#include "base/units.h"
#include "env/clock.h"
#include "event_side.h"
#include "figures.h"
#include "journal.h"
#include "log/log.h"
#include "record/command.h"
#include "space.h"
#include "survivors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOK_INTERVAL_NS      ((uint64_t)NS_PER_MS) /* for rings that are not there yet */
#define HEARTBEAT_INTERVAL_NS ((uint64_t)NS_PER_SECOND)
#define TAG_EVENTS            JOURNAL_TAGS

#define GATHER_BURST       64u /* commands */
#define GATHER_INTERVAL_NS (5 * (uint64_t)NS_PER_US)

struct journaler {
    struct stage_context context;
    struct journal journal;
    struct event_side events;
    struct space space;
    struct figures figures;
    struct ring ring;
    struct ring_consumer consumer;
    bool attached;
    bool run_ready;
    uint32_t doorbell;
    uint64_t released; /* the cursor as last stored */
    uint64_t gather_next_ns;
    uint64_t look_next_ns;
    uint64_t heartbeat_next_ns;
    struct error failure; /* code 0: none */
};

/* ---- opening ------------------------------------------------------------------------------------------------------
 */

static void command_ring_parameters(const struct run *run, char path[RUN_PATH_BYTES],
                                    struct ring_parameters *parameters)
{
    run_ring_path(run, RING_NAME_COMMAND, path);
    run_ring_parameters(run, RING_NAME_COMMAND, parameters);
    parameters->record_hash = command_layout_hash();
}

static int open_all(struct journaler *journaler, uint64_t now_ns, struct error *error)
{
    const struct config *config = journaler->context.config;
    struct run *run = journaler->context.run;
    struct journal_found found;
    int result = journal_prepare(&journaler->journal, config, &found, error);
    if (result < 0)
        return result;
    int joined = survivors_join(run, error);
    if (joined < 0)
        return joined;
    uint64_t next = found.end.position.command_seq_next;
    result = survivors_check(run, joined != 0, config, &found.end, error);
    if (result == 0)
        result = journal_begin(&journaler->journal, &found, now_ns, error);
    struct run_base base = {
        .command_seq_next = next,
        .last_time_ns = found.end.position.last_time_ns,
        .epoch = journaler->journal.current.header.epoch,
        .gateway_count = (uint32_t)config->exchange_gateways,
    };
    journaler->events = (struct event_side){.run = run, .queue = journaler->journal.queue, .tag = TAG_EVENTS};
    if (result == 0)
        result = event_side_open(&journaler->events, config->events_directory, next - 1,
                                 journaler->journal.events_synced, &base.event_seq_next, error);
    if (result == 0 && !joined)
        result = run_create(run, &base, error);
    if (result < 0)
        return result;
    log_info("%s run: commands from %llu, events from %llu", joined ? "joined a surviving" : "made a new",
             (unsigned long long)next, (unsigned long long)base.event_seq_next);
    return 0;
}

static int journaler_open(void **ret_stage, const struct stage_context *context, struct error *error)
{
    struct journaler *journaler = calloc(1, sizeof(*journaler));
    if (!journaler)
        return error_system(error, errno, "journaler", "no memory");
    *ret_stage = journaler; /* half-opened: close puts away what there is */
    journaler->context = *context;
    journaler->doorbell = topology_doorbell(PROCESS_JOURNALER, 0);
    journaler->figures.values = context->values;
    space_init(&journaler->space, context->config);
    int result = open_all(journaler, clock_monotonic_ns(), error);
    journaler->run_ready = result == 0;
    journaler->journal.values = journaler->events.values = context->values;
    return result;
}

/* ---- attaching ----------------------------------------------------------------------------------------------------
 */

/* Commands that are in the journal already are passed over; they are those that follow the cursor. */
static int find_place(struct journaler *journaler, struct error *error)
{
    uint64_t next = journaler->journal.acknowledged_seq;
    struct ring_consumer *consumer = &journaler->consumer;
    const struct config *config = journaler->context.config;
    if (consumer->next > next)
        return survivors_refuse(consumer->next, next, config->journal_directory, config->journal_durability, error);
    while (consumer->next < next) {
        const struct command *command = ring_next(consumer);
        if (!command || command->command_seq != consumer->next - 1)
            return error_set(error, ERROR_MISMATCH, RING_NAME_COMMAND,
                             "the journal holds command %llu, which is not in this ring; end all stages, so that a new "
                             "run is made",
                             (unsigned long long)(next - 1));
    }
    ring_release(consumer, next);
    journaler->released = next;
    return 0;
}

static int attach_command_ring(struct journaler *journaler, struct error *error)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters;
    command_ring_parameters(journaler->context.run, path, &parameters);
    int result = ring_attach(&journaler->ring, path, true, &parameters, error);
    if (result == ERROR_NOT_YET)
        return 0;
    if (result == 0)
        result = ring_consumer_open(&journaler->consumer, &journaler->ring, LINE_JOURNALER, journaler->doorbell, error);
    if (result == 0)
        result = find_place(journaler, error);
    if (result < 0)
        return result;
    journaler->attached = true;
    run_ring_listeners(journaler->context.run);
    return 0;
}

static int look_for_rings(struct journaler *journaler, uint64_t now_ns, struct error *error)
{
    if (LIKELY(journaler->attached && journaler->events.attached) || now_ns < journaler->look_next_ns)
        return 0;
    journaler->look_next_ns = now_ns + LOOK_INTERVAL_NS;
    int result = journaler->attached ? 0 : attach_command_ring(journaler, error);
    if (result == 0 && !journaler->events.attached)
        result = event_side_attach(&journaler->events, journaler->doorbell, error);
    return result;
}

/* ---- working ------------------------------------------------------------------------------------------------------
 */

static int reap(struct journaler *journaler, uint64_t now_ns, struct error *error)
{
    struct journal *journal = &journaler->journal;
    struct disk_completion completions[DISK_QUEUE_DEPTH];
    int count = disk()->queue_reap(journal->queue, completions, DISK_QUEUE_DEPTH, error);
    for (int i = 0; i < count; i++) {
        int result = completions[i].tag >= TAG_EVENTS ? event_side_complete(&journaler->events, &completions[i], error)
                                                      : journal_complete(journal, &completions[i], now_ns, error);
        if (result < 0)
            return result;
    }
    return count;
}

/* While a batch is in flight nothing can be submitted, so there is no hurry: in bursts, or now and then. */
static bool may_gather(struct journaler *journaler, uint64_t now_ns)
{
    if (!journaler->attached || journaler->journal.stopping)
        return false;
    if (journaler->journal.in_flight && now_ns < journaler->gather_next_ns &&
        !ring_holds(&journaler->consumer, GATHER_BURST))
        return false;
    journaler->gather_next_ns = now_ns + GATHER_INTERVAL_NS;
    return true;
}

static int gather(struct journaler *journaler, uint64_t now_ns, struct error *error)
{
    struct journal *journal = &journaler->journal;
    int count = 0;
    if (!may_gather(journaler, now_ns))
        return 0;
    while (journal_has_room(journal)) {
        const struct command *command = ring_next(&journaler->consumer);
        if (!command)
            break;
        if (UNLIKELY(command->command_seq != journal_seq_next(journal)))
            return error_set(error, ERROR_CORRUPT, RING_NAME_COMMAND, "sequence %llu holds command %llu",
                             (unsigned long long)(journaler->consumer.next - 1),
                             (unsigned long long)command->command_seq);
        journal_add(journal, command);
        count++;
    }
    return count;
}

/* Tells what may be told. true: the cursor moved. */
static bool acknowledge(struct journaler *journaler)
{
    uint64_t seq = journal_acknowledged(&journaler->journal);
    if (!journaler->attached || seq == journaler->released)
        return false;
    REQUIRE(seq > journaler->released && seq <= journaler->consumer.next);
    uint64_t first_seq = journaler->released;
    figures_durable(&journaler->figures, first_seq, seq);
    journaler->released = seq;
    ring_release(&journaler->consumer, seq);
    TRACE3(journaler_durable, &journaler->ring.file->slots[first_seq & journaler->consumer.mask], seq - first_seq, seq);
    figures_hops(&journaler->figures, &journaler->consumer, first_seq, seq);
    return true;
}

static void beat(struct journaler *journaler, uint64_t now_ns)
{
    if (now_ns < journaler->heartbeat_next_ns)
        return;
    journaler->heartbeat_next_ns = now_ns + HEARTBEAT_INTERVAL_NS;
    struct ring_consumer *const consumers[] = {journaler->attached ? &journaler->consumer : NULL,
                                               journaler->events.attached ? &journaler->events.consumer : NULL};
    for (uint32_t i = 0; i < ARRAY_COUNT(consumers); i++)
        if (consumers[i])
            atomic_store_explicit(&consumers[i]->file->consumers[consumers[i]->line].heartbeat_ns, now_ns,
                                  memory_order_relaxed);
}

/* The sequencer looks at it. */
static void tell_space(struct journaler *journaler, uint64_t now_ns)
{
    space_tend(&journaler->space, journaler->journal.spare.no_space, now_ns);
    if (!journaler->attached)
        return;
    _Atomic uint64_t *told = &journaler->ring.file->consumers[journaler->consumer.line].status;
    uint64_t status = journaler->space.low ? JOURNALER_SPACE_LOW : 0;
    if (atomic_load_explicit(told, memory_order_relaxed) != status)
        atomic_store_explicit(told, status, memory_order_release);
}

/* Events, and what else has time. Returns the events handled. */
static int work_beside(struct journaler *journaler, uint64_t now_ns, struct error *error)
{
    struct journal *journal = &journaler->journal;
    int events = event_side_turn(&journaler->events, now_ns, error);
    if (events < 0)
        return events;
    journal->events_synced = eventlog_writer_synced(journaler->events.writer);
    if (journaler->events.checkpoint.command_seq != 0)
        journal->checkpoint = journaler->events.checkpoint;
    tell_space(journaler, now_ns);
    int result = event_side_sync(&journaler->events, now_ns, error);
    if (result == 0)
        result = journal_tend(journal, now_ns, error);
    return result < 0 ? result : events;
}

static int poll_once(struct journaler *journaler, uint64_t now_ns, struct error *error)
{
    int result = look_for_rings(journaler, now_ns, error);
    if (result == 0)
        result = reap(journaler, now_ns, error);
    if (result < 0)
        return result;
    bool told = acknowledge(journaler);
    int commands = gather(journaler, now_ns, error);
    if (commands < 0)
        return commands;
    result = journal_submit(&journaler->journal, now_ns, error);
    if (result < 0)
        return result;
    told |= acknowledge(journaler); /* off: what was gathered just now */
    if (told)
        run_ring_listeners(journaler->context.run);
    int events = work_beside(journaler, now_ns, error);
    if (events < 0)
        return events;
    if (events > 0)
        run_ring_listeners(journaler->context.run);
    beat(journaler, now_ns);
    return commands + events;
}

/* A failure is for good: whoever polls on gets it again, and nothing is told any more. */
static int journaler_poll(void *stage, uint64_t now_ns, struct error *error)
{
    struct journaler *journaler = stage;
    if (LIKELY(journaler->failure.code == 0)) {
        int result = poll_once(journaler, now_ns, &journaler->failure);
        if (LIKELY(result >= 0)) {
            journaler->failure.code = 0; /* what was waited for, or held, is no failure */
            return result;
        }
        journaler->failure.code = result;
    }
    if (error)
        *error = journaler->failure;
    return journaler->failure.code;
}

/* ---- the stage ----------------------------------------------------------------------------------------------------
 */

static void journaler_measure(void *stage, uint64_t now_ns)
{
    struct journaler *journaler = stage;
    if (journaler->run_ready)
        figures_measure(&journaler->figures, &journaler->journal, &journaler->events, &journaler->space, now_ns);
}

static bool journaler_ready(const void *stage)
{
    return ((const struct journaler *)stage)->run_ready;
}

static int journaler_descriptor(const void *stage)
{
    const struct journaler *journaler = stage;
    return disk()->queue_descriptor(journaler->journal.queue);
}

static bool journaler_stopped(void *stage, uint64_t now_ns)
{
    struct journaler *journaler = stage;
    (void)now_ns;
    journaler->journal.stopping = true;
    return journal_settled(&journaler->journal);
}

static void journaler_describe(const void *stage, char *text, size_t text_bytes)
{
    const struct journaler *journaler = stage;
    const struct journal *journal = &journaler->journal;
    if (!journaler->run_ready) {
        snprintf(text, text_bytes, "not open");
        return;
    }
    snprintf(text, text_bytes,
             "durability %s, next command %llu, epoch %u, segment %u, %llu batches of %llu bytes, next event %llu, "
             "held %llu times",
             config_durability_name(journal->durability), (unsigned long long)journal_acknowledged(journal),
             journal->current.header.epoch, journal->current.header.segment, (unsigned long long)journal->batch_count,
             (unsigned long long)journal->byte_count,
             (unsigned long long)eventlog_writer_next(journaler->events.writer),
             (unsigned long long)journal->hold_count);
}

static void journaler_close(void *stage)
{
    struct journaler *journaler = stage;
    if (!journaler)
        return;
    journal_close(&journaler->journal);
    event_side_close(&journaler->events);
    ring_detach(&journaler->ring);
    free(journaler);
}

const struct stage_definition journaler_stage = {
    .name = "journaler",
    .kind = PROCESS_JOURNALER,
    .pollable = true,
    .values = &journaler_values_table,
    .measure = journaler_measure,
    .summary = "makes every command durable before the matcher may have it, and keeps the event log",
    .open = journaler_open,
    .poll = journaler_poll,
    .ready = journaler_ready,
    .descriptor = journaler_descriptor,
    .stopped = journaler_stopped,
    .describe = journaler_describe,
    .close = journaler_close,
};
