/* Records and headers of the journal, to bytes and back. Pure: no I/O, no clock, no allocation. */
#ifndef RINGSIDE_JOURNAL_CODEC_H
#define RINGSIDE_JOURNAL_CODEC_H

#include "base/error.h"
#include "journal/journal_layout.h"
#include "record/command.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends the compact form of a command; the buffer has room for JOURNAL_RECORD_BYTES_MAX + 6. Returns the bytes used.
 */
static inline size_t journal_record_encode(uint8_t *bytes, const struct command *command)
{
    uint8_t *at = bytes + sizeof(uint16_t);
    uint32_t bitmap = 0;
    for (uint32_t word = 1; word < JOURNAL_RECORD_WORDS; word++) {
        uint64_t value;
        __builtin_memcpy(&value, (const uint8_t *)command + RECORD_HEAD_BYTES + 8 * word, sizeof(value));
        /* Always stored, kept only if it is not zero: no branch to mispredict. */
        __builtin_memcpy(at, &value, sizeof(value));
        at += value ? sizeof(value) : 0;
        bitmap |= (uint32_t)(value != 0) << word;
    }
    uint16_t stored = (uint16_t)bitmap;
    __builtin_memcpy(bytes, &stored, sizeof(stored));
    return (size_t)(at - bytes);
}

/* Bytes taken from the payload, or 0 if it does not hold a whole record. The head is zero, command_seq is `seq`. */
size_t journal_record_decode(const uint8_t *bytes, size_t available, uint64_t seq, struct command *command);

/* Chain value after a batch, from the one before and what identifies this one. */
uint64_t journal_chain(uint64_t previous, const struct journal_batch_header *header);

/* Sets chain and checksum; every other field is filled. The payload has its checksum already. */
void journal_batch_seal(struct journal_batch_header *header);
void journal_segment_seal(struct journal_segment_header *header);

/* What a batch must agree with. */
struct journal_place {
    uint64_t instance_low;
    uint64_t offset;
    uint32_t segment;
    uint32_t epoch;
};

/* NULL if the header is whole and belongs at this place, else the check that failed. */
const char *journal_batch_header_invalid(const struct journal_batch_header *header, const struct journal_place *place);

/* NULL if the payload (payload_bytes of it) matches its header. */
const char *journal_payload_invalid(const struct journal_batch_header *header, const uint8_t *payload);

/* NULL if the segment's header is whole and one that this program can read. */
const char *journal_segment_header_invalid(const struct journal_segment_header *header);

/* Bytes of a batch on disk with so much payload. */
static inline uint64_t journal_batch_bytes(uint64_t payload_bytes)
{
    uint64_t bytes = sizeof(struct journal_batch_header) + payload_bytes;
    return (bytes + JOURNAL_BLOCK_BYTES - 1) / JOURNAL_BLOCK_BYTES * JOURNAL_BLOCK_BYTES;
}

#define JOURNAL_PATH_BYTES 320
void journal_segment_path(const char *directory, uint32_t segment, char path[JOURNAL_PATH_BYTES]);

#endif
