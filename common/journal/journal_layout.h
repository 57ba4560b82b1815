/*
 * The journal on disk: the contract of its segments and batches. docs/journal.md explains it.
 *
 * A journal is a directory of segments, "journal-%010u.seg" by number, without gaps. A segment is
 *
 *   0        4096   struct journal_segment_header, zero-padded
 *   4096 ..         batches, each beginning at a multiple of 4096, written once and in order
 *
 * and a batch is a struct journal_batch_header, then `count` compact records, then zeros up to a multiple of 4096.
 *
 * A batch is good if it is where it says it is (instance, segment, epoch, offset), its checksums match, and its
 * previous chain value is that of the batch before; so stale, misplaced and foreign blocks never pass. `durable_seq`
 * says what had been acknowledged when it was written: a bad batch before a good one that says it was is corruption,
 * not a torn tail.
 *
 * A compact record is a u16 bitmap of the fourteen 8-byte words of the command's body (bit 0: bytes 16 to 23) and the
 * words that are not zero. Word 0, the command's number, is always left out: it is first_seq plus the place in the
 * batch.
 */
#ifndef RINGSIDE_JOURNAL_LAYOUT_H
#define RINGSIDE_JOURNAL_LAYOUT_H

#include "base/require.h"

#include <stdint.h>

#define JOURNAL_SEGMENT_MAGIC    0x3147455344495252u /* "RRIDSEG1" */
#define JOURNAL_BATCH_MAGIC      0x3154414244495252u /* "RRIDBAT1" */
#define JOURNAL_VERSION          1
#define JOURNAL_BLOCK_BYTES      4096u
#define JOURNAL_BATCH_BYTES_MAX  (4u << 20)
#define JOURNAL_RECORD_WORDS     14
#define JOURNAL_RECORD_BYTES_MAX (2u + 8u * (JOURNAL_RECORD_WORDS - 1))
/* The chain begins here, so that it is never zero. */
#define JOURNAL_CHAIN_START 0x9ae16a3b2f90404fu

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct journal_segment_header {
    uint64_t magic;
    uint32_t version;
    uint32_t checksum;           /* crc32c of this struct, this field as 0 */
    uint32_t compatible_flags;   /* unknown ones may be ignored by readers */
    uint32_t incompatible_flags; /* unknown ones must be refused by readers */
    uint8_t instance[16];        /* random, made with the first segment */
    uint32_t segment;            /* number, from 1 */
    uint32_t epoch;              /* from 1, higher at each opening for writing */
    uint64_t first_seq;          /* of the first command in this segment: where the one before was cut */
    uint64_t chain;              /* chain value at that place */
    uint64_t previous_end;       /* offset in the segment before at which it ends; 0: this is the first */
    uint64_t segment_bytes;
    uint64_t created_ns;
    uint64_t last_time_ns; /* of the last command before this segment; 0: none */
    uint64_t reserved[3];
};

struct journal_batch_header {
    uint64_t magic;
    uint32_t checksum;         /* crc32c of this struct, this field as 0 */
    uint32_t payload_checksum; /* crc32c of the payload */
    uint32_t payload_bytes;
    uint32_t count; /* records; 0: a seal, which only bears witness */
    uint64_t first_seq;
    uint64_t previous_chain;
    uint64_t chain;
    uint32_t epoch;
    uint32_t segment;
    uint64_t offset;         /* in the segment */
    uint64_t durable_seq;    /* commands before this were acknowledged when the batch was written */
    uint64_t events_synced;  /* events before this were durable in the event log */
    uint64_t last_time_ns;   /* of the last command up to here */
    uint64_t checkpoint_seq; /* newest checkpoint known: command, event hash, state hash; 0: none */
    uint64_t checkpoint_event_hash;
    uint64_t checkpoint_state_hash;
    uint64_t instance_low; /* first 8 bytes of the instance */
    uint64_t reserved;
};

#pragma GCC diagnostic pop

#define JOURNAL_FIELDS(X)                                                                                              \
    X(journal_segment_header, magic, 0, 8)                                                                             \
    X(journal_segment_header, version, 8, 4)                                                                           \
    X(journal_segment_header, checksum, 12, 4)                                                                         \
    X(journal_segment_header, compatible_flags, 16, 4)                                                                 \
    X(journal_segment_header, incompatible_flags, 20, 4)                                                               \
    X(journal_segment_header, instance, 24, 16)                                                                        \
    X(journal_segment_header, segment, 40, 4)                                                                          \
    X(journal_segment_header, epoch, 44, 4)                                                                            \
    X(journal_segment_header, first_seq, 48, 8)                                                                        \
    X(journal_segment_header, chain, 56, 8)                                                                            \
    X(journal_segment_header, previous_end, 64, 8)                                                                     \
    X(journal_segment_header, segment_bytes, 72, 8)                                                                    \
    X(journal_segment_header, created_ns, 80, 8)                                                                       \
    X(journal_segment_header, last_time_ns, 88, 8)                                                                     \
    X(journal_segment_header, reserved, 96, 24)                                                                        \
    X(journal_batch_header, magic, 0, 8)                                                                               \
    X(journal_batch_header, checksum, 8, 4)                                                                            \
    X(journal_batch_header, payload_checksum, 12, 4)                                                                   \
    X(journal_batch_header, payload_bytes, 16, 4)                                                                      \
    X(journal_batch_header, count, 20, 4)                                                                              \
    X(journal_batch_header, first_seq, 24, 8)                                                                          \
    X(journal_batch_header, previous_chain, 32, 8)                                                                     \
    X(journal_batch_header, chain, 40, 8)                                                                              \
    X(journal_batch_header, epoch, 48, 4)                                                                              \
    X(journal_batch_header, segment, 52, 4)                                                                            \
    X(journal_batch_header, offset, 56, 8)                                                                             \
    X(journal_batch_header, durable_seq, 64, 8)                                                                        \
    X(journal_batch_header, events_synced, 72, 8)                                                                      \
    X(journal_batch_header, last_time_ns, 80, 8)                                                                       \
    X(journal_batch_header, checkpoint_seq, 88, 8)                                                                     \
    X(journal_batch_header, checkpoint_event_hash, 96, 8)                                                              \
    X(journal_batch_header, checkpoint_state_hash, 104, 8)                                                             \
    X(journal_batch_header, instance_low, 112, 8)                                                                      \
    X(journal_batch_header, reserved, 120, 8)

#define X(type, field, offset, bytes) CONTRACT_FIELD(struct type, field, offset, bytes);
JOURNAL_FIELDS(X)
#undef X
_Static_assert(sizeof(struct journal_batch_header) == 128, "records begin at byte 128 of a batch");

#endif
