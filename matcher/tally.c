#include "tally.h"

#include "base/units.h"
#include "topology/topology.h"

#include <stdio.h>

#define LOOK_INTERVAL_NS ((uint64_t)NS_PER_SECOND)

static uint64_t first_sampled(const struct hop_sampler *sampler, uint64_t seq)
{
    return (seq + sampler->mask) & ~sampler->mask;
}

/* By the numbers that the journaler samples: of the others it does not say when they became durable. */
static void note_durable(const struct tally *tally, uint64_t first_seq, uint64_t end_seq, uint32_t now_ns_low)
{
    const struct hop_sampler sampler = {.mask = stamps_mask(tally->durable)};
    for (uint64_t seq = first_sampled(&sampler, first_seq); seq < end_seq; seq += sampler.mask + 1) {
        uint32_t durable_ns_low;
        if (stamps_find(tally->durable, seq, &durable_ns_low))
            hop_record(&tally->values->hop_ns, &sampler, durable_ns_low, now_ns_low);
    }
}

void tally_commands(struct tally *tally, const struct engine_input *input, uint64_t first_seq, uint64_t end_seq,
                    uint32_t now_ns_low)
{
    const struct hop_sampler *sampler = &tally->sampler;
    tally->commands += end_seq - first_seq;
    for (uint64_t seq = first_sampled(sampler, first_seq); seq < end_seq; seq += sampler->mask + 1) {
        const struct command *command = &input->commands[seq & input->mask];
        hop_record(&tally->values->command_event_ns, sampler, command->head.published_ns_low, now_ns_low);
    }
    if (tally->durable)
        note_durable(tally, first_seq, end_seq, now_ns_low);
}

/* ---- beside the path ----------------------------------------------------------------------------------------------
 */

static void look_for_stamps(struct tally *tally, const char *run_directory, uint64_t now_ns)
{
    char path[METRICS_PATH_BYTES];
    if (now_ns < tally->look_next_ns)
        return;
    tally->look_next_ns = now_ns + LOOK_INTERVAL_NS;
    snprintf(path, sizeof(path), "%s/%s.metrics", run_directory, topology_process_name(PROCESS_JOURNALER));
    if (metrics_follow(&tally->journaler, path, NULL) < 0) {
        tally->durable = NULL;
        return;
    }
    const struct metrics_entry *entry = metrics_find(&tally->journaler, "ringside_durable_stamp_seconds", "");
    bool ours = entry && entry->type == METRICS_STAMPS && entry->bytes == STAMPS_WORDS * sizeof(uint64_t);
    const uint8_t *bytes = (const uint8_t *)tally->journaler.file;
    tally->durable = ours ? (const _Atomic uint64_t *)(const void *)(bytes + entry->offset) : NULL;
}

static void publish_counts(const struct tally *tally)
{
    for (uint32_t kind = 0; kind < EVENT_NAME_COUNT; kind++)
        metrics_set(&tally->values->events[kind], tally->events[kind]);
    for (uint32_t reason = 0; reason < REJECT_NAME_COUNT; reason++)
        metrics_set(&tally->values->rejects[reason], tally->rejects[reason]);
    metrics_set(&tally->values->commands, tally->commands);
    metrics_set(&tally->values->checkpoint_command, tally->checkpoint.command_seq);
    metrics_set(&tally->values->checkpoint_event_hash, tally->checkpoint.event_hash);
    metrics_set(&tally->values->checkpoint_state_hash, tally->checkpoint.state_hash);
}

static void publish_books(const struct tally *tally, const struct engine *engine)
{
    metrics_set(&tally->values->command_next, engine_command_seq_next(engine));
    metrics_set(&tally->values->event_next, engine_event_seq_next(engine));
    metrics_set(&tally->values->live_orders, engine_live_orders(engine));
    metrics_set(&tally->values->instruments, engine_instruments(engine));
    metrics_set(&tally->values->sessions, engine_sessions(engine));
    metrics_set(&tally->values->timer_armed, engine_timer_armed(engine));
}

void tally_measure(struct tally *tally, const struct engine *engine, const struct ring_producer *producer,
                   const char *run_directory, uint64_t now_ns)
{
    if (!tally->values)
        return;
    publish_counts(tally);
    publish_books(tally, engine);
    metrics_set(&tally->values->stalls, producer->waits.stall_counts[0]);
    metrics_set(&tally->values->blocked_ns, ring_producer_blocked_ns(producer, 0, now_ns));
    hop_tune(&tally->sampler, tally->commands, now_ns);
    look_for_stamps(tally, run_directory, now_ns);
}

void tally_finish(struct tally *tally)
{
    metrics_detach(&tally->journaler);
    tally->durable = NULL;
}
