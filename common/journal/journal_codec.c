#include "journal/journal_codec.h"

#include "base/checksum.h"

#include <stdio.h>
#include <string.h>

size_t journal_record_decode(const uint8_t *bytes, size_t available, uint64_t seq, struct command *command)
{
    uint16_t bitmap;
    if (available < sizeof(bitmap))
        return 0;
    memcpy(&bitmap, bytes, sizeof(bitmap));
    size_t used = sizeof(bitmap) + 8 * (size_t)__builtin_popcount(bitmap);
    if (used > available || (bitmap & ~((1u << JOURNAL_RECORD_WORDS) - 2)) != 0)
        return 0;
    memset(command, 0, sizeof(*command));
    const uint8_t *at = bytes + sizeof(bitmap);
    for (uint32_t bits = bitmap; bits; bits &= bits - 1) {
        memcpy((uint8_t *)command + RECORD_HEAD_BYTES + 8 * __builtin_ctz(bits), at, 8);
        at += 8;
    }
    command->command_seq = seq;
    return used;
}

/* The finishing steps of a 64-bit mixer: every bit of the input reaches every bit of the result. */
static uint64_t mix(uint64_t value)
{
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdu;
    value ^= value >> 33;
    value *= 0xc4ceb9fe1a85ec53u;
    return value ^ value >> 33;
}

uint64_t journal_chain(uint64_t previous, const struct journal_batch_header *header)
{
    uint64_t chain = mix(previous ^ ((uint64_t)header->payload_checksum << 32 | header->count));
    return mix(chain ^ header->first_seq);
}

static uint32_t batch_checksum(const struct journal_batch_header *header)
{
    struct journal_batch_header copy = *header;
    copy.checksum = 0;
    return crc32c(0, &copy, sizeof(copy));
}

static uint32_t segment_checksum(const struct journal_segment_header *header)
{
    struct journal_segment_header copy = *header;
    copy.checksum = 0;
    return crc32c(0, &copy, sizeof(copy));
}

void journal_batch_seal(struct journal_batch_header *header)
{
    header->chain = journal_chain(header->previous_chain, header);
    header->checksum = batch_checksum(header);
}

void journal_segment_seal(struct journal_segment_header *header)
{
    header->checksum = segment_checksum(header);
}

const char *journal_batch_header_invalid(const struct journal_batch_header *header, const struct journal_place *place)
{
    if (header->magic != JOURNAL_BATCH_MAGIC)
        return "no batch begins here";
    if (header->checksum != batch_checksum(header))
        return "the batch header's checksum does not match";
    if (header->instance_low != place->instance_low)
        return "the batch belongs to another journal";
    if (header->segment != place->segment || header->epoch != place->epoch)
        return "the batch belongs to another segment or epoch";
    if (header->offset != place->offset)
        return "the batch belongs to another place of its segment";
    if (header->chain != journal_chain(header->previous_chain, header))
        return "the batch's chain value does not match its contents";
    if (journal_batch_bytes(header->payload_bytes) > JOURNAL_BATCH_BYTES_MAX)
        return "the batch is longer than a batch can be";
    return NULL;
}

const char *journal_payload_invalid(const struct journal_batch_header *header, const uint8_t *payload)
{
    return crc32c(0, payload, header->payload_bytes) == header->payload_checksum
               ? NULL
               : "the checksum of the batch's records does not match";
}

const char *journal_segment_header_invalid(const struct journal_segment_header *header)
{
    if (header->magic != JOURNAL_SEGMENT_MAGIC)
        return "no segment header";
    if (header->version != JOURNAL_VERSION)
        return "a version of the journal that this program does not know";
    if (header->checksum != segment_checksum(header))
        return "the segment header's checksum does not match";
    if (header->incompatible_flags != 0)
        return "the segment uses features that this program does not know";
    return NULL;
}

void journal_segment_path(const char *directory, uint32_t segment, char path[JOURNAL_PATH_BYTES])
{
    snprintf(path, JOURNAL_PATH_BYTES, "%s/journal-%010u.seg", directory, segment);
}
