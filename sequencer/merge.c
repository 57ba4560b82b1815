#include "merge.h"

#include "base/trace.h"
#include "configuration.h"
#include "env/clock.h"
#include "record/command.h"

#include <stdio.h>

#define REJECT_PROCESSING_ERROR 0x000au /* OUCH 5.0: there is no room for it */

struct batch {
    uint64_t room; /* records that may still be published in it */
    bool space_low;
    uint32_t published_ns_low;
};

/* The disk is filling up: what is left is for what makes the exchange smaller, and for its operator. */
static bool adds(const struct command *command)
{
    return command->kind == COMMAND_ENTER || command->kind == COMMAND_REPLACE;
}

/* The whole record but the ring's word, and what the sequencer alone gives. */
static void publish(struct merge *merge, const struct command *from, const struct batch *batch)
{
    struct command *command = ring_claim(&merge->producer);
    REQUIRE(command); /* the batch has no more room than the ring */
    memcpy((uint8_t *)command + 8, (const uint8_t *)from + 8, sizeof(*command) - 8);
    command->head.published_ns_low = batch->published_ns_low;
    command->command_seq = merge->producer.next;
    command->time_ns = merge->time_ns;
    if (UNLIKELY(batch->space_low) && adds(command)) {
        command_make_refused(command, REJECT_PROCESSING_ERROR);
        merge->refused_count++;
    }
    ring_publish(&merge->producer);
}

/* The record stays unreleased: whoever looks finds it where the message says. */
static int refuse(struct merge_source *source, const struct command *command, struct error *error)
{
    char where[ERROR_WHERE_BYTES];
    source->consumer.next--;
    snprintf(where, sizeof(where), "inbound ring of gateway %u, sequence %llu", source->gateway,
             (unsigned long long)source->consumer.next);
    return error_set(error, ERROR_CORRUPT, where,
                     "kind %u, inbound_seq %llu, gateway %u: the gateway cannot have written it", command->kind,
                     (unsigned long long)command->inbound_seq, command->gateway);
}

/* What must hold for the command to be found again by resume.h; command_invalid knows all the rules. */
static bool acceptable(const struct merge_source *source, const struct command *command)
{
    return command->gateway == source->gateway && command->inbound_seq == source->consumer.next - 1 &&
           command_kind_known(command->kind);
}

/* The hop that ends here, of the records that the gateway's numbers sample. They are not released yet. */
static void note_hops(struct merge *merge, const struct merge_source *source, uint64_t first_seq)
{
    const struct hop_sampler *sampler = &merge->sampler;
    uint64_t step = sampler->mask + 1;
    uint64_t first_sampled = (first_seq + step - 1) & ~sampler->mask;
    uint32_t now_ns_low = first_sampled < source->consumer.next ? (uint32_t)clock_monotonic_ns() : 0;
    for (uint64_t seq = first_sampled; seq < source->consumer.next; seq += step) {
        const struct ring_slot *slot = &source->consumer.file->slots[seq & source->consumer.mask];
        const struct record_head *head = (const struct record_head *)(const void *)slot;
        hop_record(&merge->values->hop_ns, sampler, head->published_ns_low, now_ns_low);
    }
}

/* Up to a turn of one source. Records published, or negative. With metrics each turn has a time of its own. */
static int take_turn(struct merge *merge, uint32_t index, struct batch *batch, struct error *error)
{
    struct merge_source *source = &merge->sources[index];
    uint32_t most = batch->room < MERGE_TURN_RECORDS ? (uint32_t)batch->room : MERGE_TURN_RECORDS;
    uint32_t count = 0;
    uint64_t first_seq = source->consumer.next;
    if (merge->values)
        batch->published_ns_low = (uint32_t)clock_monotonic_ns();
    while (count < most) {
        const struct command *command = ring_next(&source->consumer);
        if (!command)
            break;
        if (UNLIKELY(!acceptable(source, command)))
            return refuse(source, command, error);
        publish(merge, command, batch);
        count++;
    }
    if (merge->values && count > 0)
        note_hops(merge, source, first_seq);
    batch->room -= count;
    return (int)count;
}

/* Serves the sources in turn until a whole round finds nothing or the room is used up. */
static int merge_sources(struct merge *merge, struct batch *batch, struct error *error)
{
    int total = 0;
    for (uint32_t empty = 0; empty < merge->source_count && batch->room > 0;) {
        uint32_t index = merge->turn;
        merge->turn = index + 1 < merge->source_count ? index + 1 : 0;
        int count = merge->sources[index].attached ? take_turn(merge, index, batch, error) : 0;
        if (count < 0)
            return count;
        total += count;
        empty = count == 0 ? empty + 1 : 0;
    }
    return total;
}

/* Gateway 0. It comes first, since the others can do little without instruments. */
static int merge_configuration(struct merge *merge, struct batch *batch)
{
    uint64_t count = configuration_count(merge->config);
    int published = 0;
    for (; merge->configuration_next <= count && batch->room > 0; batch->room--, published++) {
        struct command command;
        configuration_command(merge->config, merge->configuration_next, merge->time_ns, &command);
        publish(merge, &command, batch);
        merge->configuration_next++;
    }
    if (published > 0)
        atomic_store_explicit(&merge->producer.file->producer.status, merge->configuration_next - 1,
                              memory_order_release);
    return published;
}

static void release(struct merge *merge)
{
    for (uint32_t i = 0; i < merge->source_count; i++) {
        struct merge_source *source = &merge->sources[i];
        if (!source->attached || source->released == source->consumer.next)
            continue;
        source->released = source->consumer.next;
        ring_release(&source->consumer, source->released);
    }
}

static void time_goes_on(struct merge *merge, uint64_t realtime_ns)
{
    if (realtime_ns > merge->time_ns)
        merge->time_ns = realtime_ns;
}

int merge_own(struct merge *merge, const struct command *command, uint64_t realtime_ns, uint64_t monotonic_ns)
{
    const struct batch batch = {.published_ns_low = (uint32_t)monotonic_ns};
    if (ring_free(&merge->producer, 1) == 0)
        return 0;
    time_goes_on(merge, realtime_ns);
    publish(merge, command, &batch);
    ring_flush(&merge->producer);
    return 1;
}

int merge_batch(struct merge *merge, uint64_t realtime_ns, uint64_t monotonic_ns, struct error *error)
{
    struct batch batch = {.published_ns_low = (uint32_t)monotonic_ns};
    batch.space_low = merge->space && atomic_load_explicit(merge->space, memory_order_acquire) & JOURNALER_SPACE_LOW;
    batch.room = ring_free(&merge->producer, merge->batch_records_max);
    if (batch.room > merge->batch_records_max)
        batch.room = merge->batch_records_max;
    time_goes_on(merge, realtime_ns);
    uint64_t first = merge->producer.next;
    int configured = merge_configuration(merge, &batch);
    int merged = merge_sources(merge, &batch, error);
    if (merge->producer.next != first) {
        ring_flush(&merge->producer);
        TRACE3(sequencer_publish, &merge->producer.file->slots[first & merge->producer.mask],
               merge->producer.next - first, merge->producer.next);
    }
    release(merge);
    return merged < 0 ? merged : configured + merged;
}
