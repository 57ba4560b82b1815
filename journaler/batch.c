#include "batch.h"

void batch_init(struct batch *batch, uint8_t *buffer, uint64_t bytes_max)
{
    REQUIRE(bytes_max % JOURNAL_BLOCK_BYTES == 0 && bytes_max <= JOURNAL_BATCH_BYTES_MAX);
    *batch = (struct batch){.bytes_max = bytes_max};
    batch->buffer = buffer;
}

void batch_begin(struct batch *batch, uint64_t first_seq, uint64_t last_time_ns, uint64_t bytes_limit)
{
    if (bytes_limit > batch->bytes_max)
        bytes_limit = batch->bytes_max;
    REQUIRE(bytes_limit >= JOURNAL_BLOCK_BYTES);
    batch->first_seq = first_seq;
    batch->last_time_ns = last_time_ns;
    batch->count = 0;
    batch->payload_bytes = 0;
    batch->payload_room = (uint32_t)(bytes_limit - sizeof(struct journal_batch_header));
}

uint64_t batch_finish(const struct batch *batch, const struct journal_batch_header *place)
{
    struct journal_batch_header *header = batch_header(batch);
    *header = *place;
    header->payload_bytes = batch->payload_bytes;
    header->first_seq = batch->first_seq;
    header->count = batch->count;
    header->last_time_ns = batch->last_time_ns;
    journal_batch_seal(header);
    return journal_batch_bytes(batch->payload_bytes);
}
