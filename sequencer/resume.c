#include "resume.h"

#include "record/command.h"

#include <stdio.h>

static const struct ring_slot *slot_of(const struct ring_file *file, uint64_t seq)
{
    return &file->slots[seq & (file->header.capacity - 1)];
}

static int corrupt(uint64_t seq, const struct command *command, struct error *error)
{
    char where[ERROR_WHERE_BYTES];
    snprintf(where, sizeof(where), "command ring, sequence %llu", (unsigned long long)seq);
    return error_set(error, ERROR_CORRUPT, where, "holds number %llu of gateway %u, slot word %llx",
                     (unsigned long long)command->command_seq, command->gateway,
                     (unsigned long long)command->head.slot_word);
}

/* Of a command's gateway; TOPOLOGY_SOURCES_MAX + 1: there is none. */
static uint32_t source_of(uint8_t gateway)
{
    if (gateway == OPERATOR_GATEWAY)
        return RESUME_ADMIN;
    return gateway <= TOPOLOGY_GATEWAYS_MAX ? gateway : TOPOLOGY_SOURCES_MAX + 1;
}

int resume_scan(struct resume *ret, const struct ring *command_ring, uint64_t next, struct error *error)
{
    const struct ring_file *file = command_ring->file;
    uint64_t capacity = file->header.capacity;
    uint64_t base = file->header.base_seq;
    uint64_t oldest = next - base > capacity ? next - capacity : base;
    struct resume resume = {0};
    for (uint64_t seq = oldest; seq < next; seq++) {
        const struct ring_slot *slot = slot_of(file, seq);
        const struct command *command = (const struct command *)(const void *)slot;
        uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
        uint32_t source = source_of(command->gateway);
        if (seq == oldest && word == (next | RING_WRITING))
            continue; /* the next record was begun over it */
        if (word != seq + 1 || command->command_seq != seq || source > TOPOLOGY_SOURCES_MAX)
            return corrupt(seq, command, error);
        if (command->inbound_seq > resume.inbound_seq_last[source])
            resume.inbound_seq_last[source] = command->inbound_seq;
        resume.time_ns = command->time_ns;
    }
    *ret = resume;
    return 0;
}

int resume_place(struct ring_consumer *consumer, uint64_t inbound_seq_last, const char *ring_name, struct error *error)
{
    if (inbound_seq_last < consumer->next)
        return 0;
    const struct ring_slot *slot = slot_of(consumer->file, inbound_seq_last);
    if (atomic_load_explicit(&slot->word, memory_order_acquire) != inbound_seq_last + 1)
        return error_set(error, ERROR_MISMATCH, ring_name,
                         "record %llu is in the command ring but not here; end all stages, so that a new run is made",
                         (unsigned long long)inbound_seq_last);
    consumer->next = inbound_seq_last + 1;
    return 0;
}
