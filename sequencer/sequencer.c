#include "sequencer.h"

#include "base/units.h"
#include "clock_watch.h"
#include "configuration.h"
#include "env/clock.h"
#include "merge.h"
#include "record/command.h"
#include "resume.h"
#include "ticks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* For inbound rings that are not there yet; for that of ringside-admin alone, which may never come. */
#define LOOK_INTERVAL_NS       ((uint64_t)NS_PER_MS)
#define LOOK_ADMIN_INTERVAL_NS (100 * (uint64_t)NS_PER_MS)
#define HEARTBEAT_INTERVAL_NS  ((uint64_t)NS_PER_SECOND)

struct sequencer {
    struct stage_context context;
    bool joined;
    bool at_work; /* the command ring is there and the place in it is known */
    uint32_t doorbell;
    uint32_t gateway_count;
    uint32_t attached_count; /* of the gateways */
    uint64_t look_next_ns;
    uint64_t heartbeat_next_ns;
    struct resume resume;
    struct merge merge;
    struct ticks ticks;
    struct clock_watch clock;
    uint64_t first_seq; /* the first command of this life */
    uint64_t tick_count;
};

static int sequencer_open(void **ret_stage, const struct stage_context *context, struct error *error)
{
    struct sequencer *sequencer = calloc(1, sizeof(*sequencer));
    if (!sequencer)
        return error_system(error, errno, "sequencer", "no memory");
    sequencer->context = *context;
    sequencer->doorbell = topology_doorbell(PROCESS_SEQUENCER, 0);
    sequencer->merge.config = context->config;
    sequencer->merge.values = context->values;
    sequencer->gateway_count = (uint32_t)context->config->exchange_gateways;
    REQUIRE(sequencer->gateway_count <= TOPOLOGY_GATEWAYS_MAX);
    sequencer->merge.source_count = sequencer->gateway_count + 1;
    for (uint32_t i = 0; i < sequencer->gateway_count; i++)
        sequencer->merge.sources[i].gateway = (uint8_t)(i + 1);
    sequencer->merge.sources[sequencer->gateway_count].gateway = OPERATOR_GATEWAY;
    ticks_open(&sequencer->ticks, context->config);
    *ret_stage = sequencer;
    return 0;
}

/* ---- attaching ----------------------------------------------------------------------------------------------------
 */

static int create_command_ring(struct sequencer *sequencer, const char *path, struct ring_parameters *parameters,
                               struct error *error)
{
    /* What lies there without a magic was begun by a sequencer that died in it: nobody can have attached to it. */
    if (unlink(path) != 0 && errno != ENOENT)
        return error_system(error, errno, path, "cannot remove a half-made ring");
    parameters->capacity = (uint32_t)sequencer->context.config->rings_command_slots;
    parameters->base_seq = sequencer->context.run->base.command_seq_next;
    parameters->gating_count = 2;
    parameters->gating_names[0] = LINE_JOURNALER;
    parameters->gating_names[1] = LINE_MATCHER;
    return ring_create(&sequencer->merge.ring, path, parameters, error);
}

/* A ring that is there is gone on with as it is, even if the configuration now asks for another size. */
static int open_command_ring(struct sequencer *sequencer, struct error *error)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters = {0};
    run_ring_path(sequencer->context.run, RING_NAME_COMMAND, path);
    run_ring_parameters(sequencer->context.run, RING_NAME_COMMAND, &parameters);
    parameters.record_hash = command_layout_hash();
    int result = ring_attach(&sequencer->merge.ring, path, true, &parameters, error);
    return result == ERROR_NOT_YET ? create_command_ring(sequencer, path, &parameters, error) : result;
}

/* Where it stands in the command ring, in time, and in the configuration. */
static int find_place(struct sequencer *sequencer, struct error *error)
{
    struct merge *merge = &sequencer->merge;
    struct resume *resume = &sequencer->resume;
    int result = ring_producer_open(&merge->producer, &merge->ring, sequencer->doorbell, error);
    if (result == 0)
        result = resume_scan(resume, &merge->ring, merge->producer.next, error);
    if (result < 0)
        return result;
    merge->time_ns = resume->time_ns != 0 ? resume->time_ns : sequencer->context.run->base.last_time_ns;
    merge->space = &merge->ring.file->consumers[0].status; /* create_command_ring puts the journaler first */
    REQUIRE(strcmp(merge->ring.file->consumers[0].name, LINE_JOURNALER) == 0);
    uint64_t half = merge->ring.file->header.capacity / 2;
    merge->batch_records_max = half < MERGE_BATCH_RECORDS ? half : MERGE_BATCH_RECORDS;
    _Atomic uint64_t *status = &merge->ring.file->producer.status;
    uint64_t configured = atomic_load_explicit(status, memory_order_acquire);
    if (resume->inbound_seq_last[0] > configured) {
        configured = resume->inbound_seq_last[0]; /* the one before died in between; the ring forgets, this does not */
        atomic_store_explicit(status, configured, memory_order_release);
    }
    merge->configuration_next = configured + 1;
    sequencer->first_seq = merge->producer.next;
    return 0;
}

static int check_gateways(const struct sequencer *sequencer, struct error *error)
{
    uint32_t made_for = sequencer->context.run->base.gateway_count;
    if (made_for == sequencer->gateway_count)
        return 0;
    return error_set(error, ERROR_INVALID, "exchange.gateways",
                     "%u, but the run was made for %u; end all stages, so that a new run is made",
                     sequencer->gateway_count, made_for);
}

/* 1: at work. 0: not yet. */
static int start(struct sequencer *sequencer, struct error *error)
{
    int result = sequencer->joined ? 0 : run_join(sequencer->context.run, error);
    if (result == ERROR_NOT_YET)
        return 0;
    if (result < 0)
        return result;
    sequencer->joined = true;
    result = check_gateways(sequencer, error);
    if (result == 0)
        result = open_command_ring(sequencer, error);
    if (result == 0)
        result = find_place(sequencer, error);
    if (result < 0)
        return result;
    sequencer->at_work = true;
    run_ring_listeners(sequencer->context.run); /* who waits for the ring finds it now */
    return 1;
}

static int attach_source(struct sequencer *sequencer, struct merge_source *source, struct error *error)
{
    bool of_operators = source->gateway == OPERATOR_GATEWAY;
    uint32_t place = of_operators ? RESUME_ADMIN : source->gateway;
    char name[32];
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters = {0};
    if (of_operators)
        snprintf(name, sizeof(name), RING_NAME_ADMIN);
    else
        snprintf(name, sizeof(name), "inbound-%u", source->gateway);
    run_ring_path(sequencer->context.run, name, path);
    run_ring_parameters(sequencer->context.run, name, &parameters);
    parameters.record_hash = command_layout_hash();
    int result = ring_attach(&source->ring, path, true, &parameters, error);
    if (result == ERROR_NOT_YET)
        return 0;
    if (result == 0)
        result = ring_consumer_open(&source->consumer, &source->ring, LINE_SEQUENCER, sequencer->doorbell, error);
    if (result < 0)
        return result;
    result = resume_place(&source->consumer, sequencer->resume.inbound_seq_last[place], name, error);
    if (result < 0)
        return result;
    source->released = source->consumer.next;
    ring_release(&source->consumer, source->released); /* a gateway may be blocked by what is published long since */
    run_ring_listeners(sequencer->context.run);
    source->attached = true;
    sequencer->attached_count += !of_operators;
    return 0;
}

/* Gateways may start at any time; their first record rings the doorbell, and then their ring is there. */
static int look_for_rings(struct sequencer *sequencer, uint64_t now_ns, struct error *error)
{
    const struct merge *merge = &sequencer->merge;
    bool all = sequencer->attached_count == sequencer->gateway_count && sequencer->ticks.events.file;
    if ((all && merge->sources[sequencer->gateway_count].attached) || now_ns < sequencer->look_next_ns)
        return 0;
    sequencer->look_next_ns = now_ns + (all ? LOOK_ADMIN_INTERVAL_NS : LOOK_INTERVAL_NS);
    int attached = ticks_attach(&sequencer->ticks, sequencer->context.run, error);
    if (attached < 0)
        return attached;
    for (uint32_t i = 0; i < merge->source_count; i++) {
        if (merge->sources[i].attached)
            continue;
        int result = attach_source(sequencer, &sequencer->merge.sources[i], error);
        if (result < 0)
            return result;
    }
    return 0;
}

/* ---- working ------------------------------------------------------------------------------------------------------
 */

static void beat(struct sequencer *sequencer, uint64_t now_ns)
{
    if (now_ns < sequencer->heartbeat_next_ns)
        return;
    sequencer->heartbeat_next_ns = now_ns + HEARTBEAT_INTERVAL_NS;
    struct merge *merge = &sequencer->merge;
    ring_producer_beat(&merge->producer, now_ns);
    for (uint32_t i = 0; i < merge->source_count; i++)
        if (merge->sources[i].attached)
            ring_consumer_beat(&merge->sources[i].consumer, now_ns);
}

static int sequencer_poll(void *stage, uint64_t now_ns, struct error *error)
{
    struct sequencer *sequencer = stage;
    if (UNLIKELY(!sequencer->at_work)) {
        int result = start(sequencer, error);
        if (result <= 0)
            return result;
    }
    int result = look_for_rings(sequencer, now_ns, error);
    if (result < 0)
        return result;
    uint64_t realtime_ns = clock_realtime_ns();
    int count = merge_batch(&sequencer->merge, realtime_ns, now_ns, error);
    if (count >= 0) {
        int ticks = ticks_publish(&sequencer->ticks, &sequencer->merge, realtime_ns, now_ns);
        sequencer->tick_count += (uint64_t)ticks;
        count += ticks;
    }
    if (count > 0)
        run_ring_listeners(sequencer->context.run);
    beat(sequencer, now_ns);
    return count;
}

/* The lines of the command ring are in the order of create_command_ring. */
static void sequencer_measure(void *stage, uint64_t now_ns)
{
    struct sequencer *sequencer = stage;
    struct merge *merge = &sequencer->merge;
    struct sequencer_values *values = merge->values;
    uint64_t realtime_ns = clock_realtime_ns();
    if (!values || !sequencer->at_work)
        return;
    clock_watch_look(&sequencer->clock, realtime_ns, clock_monotonic_ns());
    uint64_t commands = merge->producer.next - sequencer->first_seq;
    metrics_set(&values->commands, commands);
    metrics_set(&values->ticks, sequencer->tick_count);
    metrics_set(&values->refused, merge->refused_count);
    metrics_set(&values->command_next, merge->producer.next);
    metrics_set(&values->stalls_journaler, merge->producer.waits.stall_counts[0]);
    metrics_set(&values->stalls_matcher, merge->producer.waits.stall_counts[1]);
    metrics_set(&values->blocked_journaler_ns, ring_producer_blocked_ns(&merge->producer, 0, now_ns));
    metrics_set(&values->blocked_matcher_ns, ring_producer_blocked_ns(&merge->producer, 1, now_ns));
    metrics_set(&values->clock_drift_ns, (uint64_t)sequencer->clock.drift_ns);
    metrics_set(&values->clock_steps, sequencer->clock.step_count);
    metrics_set(&values->clock_held_ns, merge->time_ns > realtime_ns ? merge->time_ns - realtime_ns : 0);
    hop_tune(&merge->sampler, commands, now_ns);
}

static bool sequencer_ready(const void *stage)
{
    const struct sequencer *sequencer = stage;
    return sequencer->at_work && sequencer->merge.configuration_next > configuration_count(sequencer->context.config);
}

static void sequencer_describe(const void *stage, char *text, size_t text_bytes)
{
    const struct sequencer *sequencer = stage;
    if (!sequencer->at_work)
        snprintf(text, text_bytes, "waiting for the journaler to make a run");
    else
        snprintf(text, text_bytes, "next command %llu, %u of %u gateways, %llu commands of the configuration",
                 (unsigned long long)sequencer->merge.producer.next, sequencer->attached_count,
                 sequencer->gateway_count, (unsigned long long)(sequencer->merge.configuration_next - 1));
}

static void sequencer_close(void *stage)
{
    struct sequencer *sequencer = stage;
    if (!sequencer)
        return;
    for (uint32_t i = 0; i < sequencer->merge.source_count; i++)
        ring_detach(&sequencer->merge.sources[i].ring);
    ring_detach(&sequencer->merge.ring);
    ticks_close(&sequencer->ticks);
    free(sequencer);
}

const struct stage_definition sequencer_stage = {
    .name = "sequencer",
    .kind = PROCESS_SEQUENCER,
    .summary = "puts the requests of all gateways into one order of commands",
    .values = &sequencer_values_table,
    .measure = sequencer_measure,
    .open = sequencer_open,
    .poll = sequencer_poll,
    .ready = sequencer_ready,
    .describe = sequencer_describe,
    .close = sequencer_close,
};
