#include "pump.h"

#include "base/trace.h"
#include "env/clock.h"
#include "topology/topology.h"

#define STEPS_MAX      256 /* of one call, about */
#define BURST_COMMANDS 32u /* applied before what came of them is published */

_Static_assert(sizeof(struct ring_slot) == sizeof(struct event) && sizeof(struct ring_slot) == sizeof(struct command),
               "records are slots");

void pump_join(struct pump *pump)
{
    pump->input = (struct engine_input){.commands = (const struct command *)pump->consumer.file->slots,
                                        .mask = pump->consumer.mask};
    pump->output = (struct engine_output){
        .events = (struct event *)pump->producer.file->slots, .mask = pump->producer.mask, .slot_mark = RING_WRITING};
}

/* Everything the engine has written becomes visible, in order; of a continued record the second slot first. */
static void publish(struct pump *pump, uint32_t published_ns_low)
{
    struct ring_producer *producer = &pump->producer;
    uint64_t end = engine_event_seq_next(pump->engine);
    while (producer->next < end) {
        struct event *event = &pump->output.events[producer->next & producer->mask];
        const struct command *cause = &pump->input.commands[event->command_seq & pump->input.mask];
        event->head.received_ns_low = cause->head.received_ns_low;
        event->head.published_ns_low = published_ns_low;
        if (UNLIKELY(event->flags & EVENT_CONTINUED)) {
            struct ring_slot *second = &producer->file->slots[(producer->next + 1) & producer->mask];
            atomic_store_explicit(&second->word, producer->next + 2, memory_order_release);
        }
        if (pump->tally.values)
            tally_event(&pump->tally, event);
        ring_publish(producer);
    }
}

/* All commands below this number are done with. */
static uint64_t done_before(const struct pump *pump)
{
    return engine_command_seq_next(pump->engine) - engine_more(pump->engine);
}

/* Applies a burst, or goes on with an unfinished command. Steps made, or negative. */
static int burst(struct pump *pump, uint64_t room, struct error *error)
{
    if (UNLIKELY(engine_more(pump->engine))) {
        engine_continue(pump->engine, &pump->output);
        return 1;
    }
    uint64_t events = 0;
    int count = engine_apply_batch(pump->engine, &pump->input, BURST_COMMANDS, &pump->output, room, &events);
    if (count < 0)
        return error_set(error, ERROR_CORRUPT, RING_NAME_COMMAND " ring",
                         "the slot of command %llu holds another (engine: %d)",
                         (unsigned long long)engine_command_seq_next(pump->engine), count);
    return count;
}

int pump_work(struct pump *pump, struct error *error)
{
    ring_consumer_refresh(&pump->consumer);
    pump->input.end = pump->consumer.limit;
    uint32_t published_ns_low = (uint32_t)clock_monotonic_ns();
    uint64_t first = pump->producer.next;
    int total = 0;
    while (total < STEPS_MAX &&
           (engine_more(pump->engine) || engine_command_seq_next(pump->engine) < pump->input.end)) {
        uint64_t room = ring_free(&pump->producer, ENGINE_EVENTS_MAX);
        if (room < ENGINE_EVENTS_MAX)
            break;
        uint64_t before = done_before(pump);
        int count = burst(pump, room, error);
        if (count < 0)
            return count;
        if (pump->tally.values)
            published_ns_low = (uint32_t)clock_monotonic_ns();
        publish(pump, published_ns_low);
        if (pump->tally.values)
            tally_commands(&pump->tally, &pump->input, before, done_before(pump), published_ns_low);
        total += count;
    }
    if (total == 0)
        return 0;
    ring_flush(&pump->producer);
    TRACE3(matcher_publish, &pump->producer.file->slots[first & pump->producer.mask], pump->producer.next - first,
           pump->producer.next);
    /* A command that has more to say is still needed, for its stamps and if we die. */
    pump->consumer.next = done_before(pump);
    ring_release(&pump->consumer, pump->consumer.next);
    return total;
}
