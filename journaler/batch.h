/*
 * A batch being filled: records behind a header, in a buffer that is written as it lies. Pure.
 *
 *   buffer     0        a block for the segment's header, used by the first batch of a segment only
 *              4096     struct journal_batch_header
 *              4224     records, then zeros up to the next block
 */
#ifndef RINGSIDE_JOURNALER_BATCH_H
#define RINGSIDE_JOURNALER_BATCH_H

#include "journal/journal_codec.h"

struct batch {
    uint8_t *buffer;       /* aligned to a block */
    uint64_t bytes_max;    /* of header, records and zeros; the buffer has a block more */
    uint64_t first_seq;    /* number of its first record */
    uint64_t last_time_ns; /* of its last record or of the last before it */
    uint32_t count;
    uint32_t payload_bytes;
    uint32_t payload_room; /* as many fit while whole batches of bytes_limit do */
};

/* `buffer`, which batches are written into, has bytes_max and a block more. */
void batch_init(struct batch *batch, uint8_t *buffer, uint64_t bytes_max);

/* Empties it. It will take no more than bytes_limit on disk (a multiple of the block). */
void batch_begin(struct batch *batch, uint64_t first_seq, uint64_t last_time_ns, uint64_t bytes_limit);

static inline bool batch_has_room(const struct batch *batch)
{
    return batch->payload_bytes + JOURNAL_RECORD_BYTES_MAX <= batch->payload_room;
}

static inline struct journal_batch_header *batch_header(const struct batch *batch)
{
    return (struct journal_batch_header *)(void *)(batch->buffer + JOURNAL_BLOCK_BYTES);
}

/* Adds the command that has the number due; there must be room. */
static inline void batch_add(struct batch *batch, const struct command *command)
{
    uint8_t *records = (uint8_t *)(batch_header(batch) + 1);
    batch->payload_bytes += journal_record_encode(records + batch->payload_bytes, command);
    batch->last_time_ns = command->time_ns;
    batch->count++;
}

static inline uint64_t batch_seq_next(const struct batch *batch)
{
    return batch->first_seq + batch->count;
}

/*
 * Closes it: `place` has segment, epoch, instance, offset, previous chain and what is known of durability, events and
 * checkpoint; the rest is filled in here. Returns its bytes on disk.
 */
uint64_t batch_finish(const struct batch *batch, const struct journal_batch_header *place);

#endif
