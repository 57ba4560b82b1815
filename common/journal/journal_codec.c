#include "journal/journal_codec.h"

#include "base/checksum.h"

uint32_t journal_record_decode(const uint8_t *from, const uint8_t *end, uint64_t seq, struct command *command)
{
    uint16_t bitmap;
    if (end - from < JOURNAL_RECORD_BYTES_MIN)
        return 0;
    memcpy(&bitmap, from, sizeof(bitmap));
    uint32_t bytes = 2 + 8 * (uint32_t)__builtin_popcount(bitmap);
    if ((bitmap & 1) != 0 || bitmap >> JOURNAL_RECORD_WORDS != 0 || (size_t)(end - from) < bytes)
        return 0;
    memset(command, 0, sizeof(*command));
    command->command_seq = seq;
    uint8_t *body = (uint8_t *)command + RECORD_HEAD_BYTES;
    const uint8_t *at = from + 2;
    for (uint32_t left = bitmap; left != 0; left &= left - 1, at += 8)
        memcpy(body + 8 * (size_t)__builtin_ctz(left), at, 8);
    return bytes;
}

/* ---- chain --------------------------------------------------------------------------------------------------------
 */

/* A bijection of 64 bits in which every bit of the input moves about half of the output's. */
static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93u;
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93u;
    value ^= value >> 32;
    return value;
}

uint64_t journal_chain_first(const uint8_t instance[16])
{
    uint64_t halves[2];
    memcpy(halves, instance, sizeof(halves));
    return mix(mix(halves[0]) + halves[1]);
}

uint64_t journal_chain_after(const struct journal_batch_header *header)
{
    uint64_t chain = mix(header->previous_chain + header->first_seq);
    chain = mix(chain + ((uint64_t)header->count << 32 | header->payload_checksum));
    chain = mix(chain + ((uint64_t)header->segment << 32 | header->epoch));
    return mix(chain + header->offset);
}

/* ---- segments -----------------------------------------------------------------------------------------------------
 */

static uint32_t segment_checksum(const struct journal_segment_header *header)
{
    return crc32c(0, header, offsetof(struct journal_segment_header, checksum));
}

void journal_segment_seal(struct journal_segment_header *header)
{
    header->checksum = segment_checksum(header);
}

bool journal_block_blank(const void *block)
{
    const uint8_t *bytes = block;
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, JOURNAL_BLOCK_BYTES - 1) == 0;
}

const char *journal_segment_invalid(const struct journal_segment_header *header, uint32_t segment)
{
    if (header->magic != JOURNAL_MAGIC)
        return "segment header: magic";
    if (header->checksum != segment_checksum(header))
        return "segment header: checksum";
    if (header->segment != segment)
        return "segment header: number is not that of the file's name";
    if (header->segment_bytes < JOURNAL_SEGMENT_BYTES_MIN || header->segment_bytes % JOURNAL_BLOCK_BYTES != 0 ||
        header->batch_bytes_max > JOURNAL_BATCH_BYTES_MAX || header->batch_bytes_max % JOURNAL_BLOCK_BYTES != 0 ||
        header->first_seq == 0 || header->epoch == 0)
        return "segment header: a size or number is out of bounds";
    return NULL;
}

const char *journal_segment_unreadable(const struct journal_segment_header *header)
{
    if (header->version != JOURNAL_VERSION || header->header_bytes != JOURNAL_BLOCK_BYTES)
        return "written by another version";
    if (header->incompatible_flags != 0)
        return "needs features that this version does not have";
    if (!command_layout_readable(header->record_hash))
        return "holds commands of another layout";
    return NULL;
}

const char *journal_segment_breaks(const struct journal_segment_header *header, const struct journal_cursor *cursor,
                                   const struct journal_segment_header *next)
{
    if (memcmp(next->instance, header->instance, sizeof(header->instance)) != 0)
        return "next segment: instance";
    if (next->previous_segment != header->segment)
        return "next segment: previous segment";
    if (next->epoch < header->epoch)
        return "next segment: epoch goes back";
    if (next->previous_end != cursor->offset)
        return next->previous_end > cursor->offset ? "next segment: says that this one goes on"
                                                   : "next segment: says that this one ends before";
    if (next->first_seq != cursor->seq)
        return "next segment: first number";
    return next->chain == cursor->chain ? NULL : "next segment: chain";
}

/* ---- batches ------------------------------------------------------------------------------------------------------
 */

static uint32_t header_checksum(const struct journal_batch_header *header)
{
    struct journal_batch_header copy = *header;
    copy.header_checksum = 0;
    return crc32c(0, &copy, sizeof(copy));
}

void journal_batch_seal(struct journal_batch_header *header)
{
    uint8_t *payload = (uint8_t *)(header + 1);
    uint64_t used = sizeof(*header) + header->payload_bytes;
    memset(payload + header->payload_bytes, 0, journal_batch_bytes(header->payload_bytes) - used);
    header->magic = JOURNAL_BATCH_MAGIC;
    header->payload_checksum = crc32c(0, payload, header->payload_bytes);
    header->chain = journal_chain_after(header);
    header->header_checksum = header_checksum(header);
}

const char *journal_batch_invalid(const struct journal_batch_header *header,
                                  const struct journal_segment_header *segment, uint64_t offset)
{
    if (header->magic != JOURNAL_BATCH_MAGIC)
        return "batch header: magic";
    if (header->header_checksum != header_checksum(header))
        return "batch header: checksum";
    if (memcmp(&header->instance_low, segment->instance, sizeof(header->instance_low)) != 0)
        return "batch header: instance";
    if (header->segment != segment->segment)
        return "batch header: segment";
    if (header->epoch != segment->epoch)
        return "batch header: epoch";
    if (header->offset != offset)
        return "batch header: offset";
    uint64_t bytes = journal_batch_bytes(header->payload_bytes);
    if (bytes > segment->batch_bytes_max || offset + bytes > segment->segment_bytes ||
        (uint64_t)header->count * JOURNAL_RECORD_BYTES_MIN > header->payload_bytes)
        return "batch header: size";
    return NULL;
}

const char *journal_batch_misfits(const struct journal_batch_header *header, const struct journal_cursor *cursor)
{
    if (header->previous_chain != cursor->chain)
        return "batch header: previous chain";
    if (header->first_seq != cursor->seq)
        return "batch header: first number";
    return header->chain == journal_chain_after(header) ? NULL : "batch header: chain";
}

static bool all_zero(const uint8_t *bytes, size_t count)
{
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

const char *journal_batch_damaged(const struct journal_batch_header *header)
{
    const uint8_t *payload = (const uint8_t *)(header + 1);
    if (crc32c(0, payload, header->payload_bytes) != header->payload_checksum)
        return "batch: checksum of its records";
    uint64_t used = sizeof(*header) + header->payload_bytes;
    bool clean = all_zero(payload + header->payload_bytes, journal_batch_bytes(header->payload_bytes) - used);
    return clean ? NULL : "batch: bytes after its records are not zero";
}
