#include "figures.h"

#include "base/units.h"
#include "env/clock.h"
#include "record/stamp.h"

#define SPACE_INTERVAL_NS ((uint64_t)NS_PER_SECOND)

/* ---- as it happens -------------------------------------------------------------------------------------------------
 */

static uint64_t first_sampled(const struct hop_sampler *sampler, uint64_t seq)
{
    return (seq + sampler->mask) & ~sampler->mask;
}

void figures_durable(struct figures *figures, uint64_t first_seq, uint64_t end_seq)
{
    if (!figures->values)
        return;
    uint32_t now_ns_low = (uint32_t)clock_monotonic_ns();
    uint64_t step = figures->sampler.mask + 1;
    uint64_t seq = first_sampled(&figures->sampler, first_seq);
    uint64_t kept = STAMPS_COUNT * step; /* of more the table holds the last only */
    if (end_seq - first_seq > kept)
        seq = first_sampled(&figures->sampler, end_seq - kept);
    for (; seq < end_seq; seq += step)
        stamps_put(figures->values->durable, seq, now_ns_low);
}

void figures_hops(struct figures *figures, const struct ring_consumer *consumer, uint64_t first_seq, uint64_t end_seq)
{
    if (!figures->values)
        return;
    uint32_t now_ns_low = (uint32_t)clock_monotonic_ns();
    uint64_t step = figures->sampler.mask + 1;
    figures->command_count += end_seq - first_seq;
    metrics_set(&figures->values->commands, figures->command_count);
    for (uint64_t seq = first_sampled(&figures->sampler, first_seq); seq < end_seq; seq += step) {
        const struct ring_slot *slot = &consumer->file->slots[seq & consumer->mask];
        uint32_t published_ns_low = ((const struct record_head *)(const void *)slot)->published_ns_low;
        ring_fence_acquire();
        if (atomic_load_explicit(&slot->word, memory_order_relaxed) == seq + 1)
            hop_record(&figures->values->hop_ns, &figures->sampler, published_ns_low, now_ns_low);
    }
}

/* ---- how it stands -------------------------------------------------------------------------------------------------
 */

static void measure_space(struct figures *figures, const struct space *space, uint64_t now_ns)
{
    _Atomic uint64_t *const values[] = {&figures->values->free_bytes, &figures->values->events_free_bytes};
    metrics_set(&figures->values->reserve_bytes, space->reserve_bytes);
    metrics_set(&figures->values->space_low, space->low);
    if (now_ns < figures->space_next_ns)
        return;
    figures->space_next_ns = now_ns + SPACE_INTERVAL_NS;
    for (uint32_t i = 0; i < ARRAY_COUNT(values); i++) {
        uint64_t bytes;
        if (disk()->space(space->directories[i], &bytes, NULL) == 0)
            metrics_set(values[i], bytes);
    }
}

static void measure_journal(struct journaler_values *values, const struct journal *journal)
{
    uint64_t acknowledged = journal_acknowledged(journal);
    metrics_set(&values->command_next, acknowledged);
    metrics_set(&values->pending, journal_seq_next(journal) - acknowledged);
    metrics_set(&values->durability, journal->durability);
    metrics_set(&values->epoch, journal->current.header.epoch);
    metrics_set(&values->segment, journal->current.header.segment);
    metrics_set(&values->segment_used_bytes, journal->current.offset);
    metrics_set(&values->segment_bytes, journal->current.header.segment_bytes);
    metrics_set(&values->spare_ready, journal->spare.state == SPARE_READY);
    metrics_set(&values->holds, journal->hold_count);
}

static void measure_events(struct journaler_values *values, const struct event_side *events)
{
    uint64_t next = eventlog_writer_next(events->writer);
    metrics_set(&values->event_next, next);
    metrics_set(&values->events_unsynced, next - eventlog_writer_synced(events->writer));
    metrics_set(&values->events_no_space, events->no_space);
    if (!events->attached)
        return;
    uint64_t published = atomic_load_explicit(&events->ring.file->producer.cursor, memory_order_relaxed);
    metrics_set(&values->events_lag, published > next ? published - next : 0);
}

void figures_measure(struct figures *figures, const struct journal *journal, const struct event_side *events,
                     const struct space *space, uint64_t now_ns)
{
    measure_journal(figures->values, journal);
    measure_events(figures->values, events);
    measure_space(figures, space, now_ns);
    hop_tune(&figures->sampler, figures->command_count, now_ns);
    stamps_set_mask(figures->values->durable, figures->sampler.mask);
}
