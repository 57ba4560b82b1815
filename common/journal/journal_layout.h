/*
 * The journal on disk: the contract between the journaler and whoever reads. docs/journal.md explains it.
 *
 * Segments, files "journal-%010u.seg" in one directory, numbered from 1 without gaps (the oldest may have been taken
 * away). A segment is one block of 4096 bytes, struct journal_segment_header, then batches, each beginning at a
 * multiple of 4096: struct journal_batch_header, `payload_bytes` of records, zeros up to the next multiple of 4096.
 *
 *   offset        what
 *   0             struct journal_segment_header
 *   4096          first batch: header 128, records, zeros
 *   ...           next batch
 *   ..bytes       zeros, written ahead of use; of a recycled segment: what an older one left
 *
 * A record is a command without its head: a u16 whose bit i says that the eight-byte word i of the 112-byte body is not
 * zero (bit 0, the number, is never set: record i of a batch has the number first_seq + i), then those words in order.
 *
 * Rules
 *   1. A batch is whole if magic, checksum, instance, segment, epoch and offset of its header are right, its previous
 *      chain is the chain of the batch before, its first number the one that is due, its chain what the fields give,
 * its payload checks, and the rest of its last block is zero.
 *   2. The next segment's header says at which offset, number and chain the segment before was cut. Nothing beyond that
 *      counts, whatever it looks like: a dead process's write may still have landed there.
 *   3. A segment's header and its first batch are one write. A segment whose header is not whole has not begun.
 *   4. `durable_offset` of a batch: when it was written, everything before that offset of its segment was on the
 * medium. So a bad batch at an offset below the durable_offset of any whole header further on is corruption; otherwise
 * it is a torn tail, of which nobody was told.
 *   5. A batch of no records seals the one before when nothing follows, so that it too has a witness.
 *   6. Opening for writing begins a new segment with a new epoch; nothing is ever written into an older epoch's.
 *   7. A file of an older segment may be used anew (journal/spares.h): until it begins it holds that segment's header
 *      and batches, and behind its end it holds batches still. Their number is a lower one, so they count for nothing.
 *   8. Numbers are little-endian. Reserved fields are zero. Unknown incompatible flags refuse, compatible ones do not.
 */
#ifndef RINGSIDE_JOURNAL_LAYOUT_H
#define RINGSIDE_JOURNAL_LAYOUT_H

#include "base/require.h"
#include "record/stamp.h"

#include <stdint.h>

#define JOURNAL_MAGIC             0x314745534a444952u /* "RIDJSEG1" */
#define JOURNAL_BATCH_MAGIC       0x5441424au         /* "JBAT" */
#define JOURNAL_VERSION           1
#define JOURNAL_BLOCK_BYTES       4096u
#define JOURNAL_FLAG_RECYCLED     1u /* compatible: behind the end lie not zeros but batches of an older segment */
#define JOURNAL_BATCH_BYTES_MAX   ((size_t)8 << 20) /* a batch with its header and zeros */
#define JOURNAL_SEGMENT_BYTES_MIN ((size_t)64 << 10)
#define JOURNAL_RECORD_WORDS      (RECORD_BODY_BYTES / 8)
#define JOURNAL_RECORD_BYTES_MAX  (2 + 8 * (JOURNAL_RECORD_WORDS - 1))
#define JOURNAL_RECORD_BYTES_MIN  2

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct journal_segment_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;
    uint32_t compatible_flags;
    uint32_t incompatible_flags;
    uint8_t instance[16];      /* random, made with the first segment: which journal this is */
    uint32_t segment;          /* its number, as in its name */
    uint32_t epoch;            /* raised at each opening for writing, from 1 */
    uint64_t first_seq;        /* number of its first command: at which the segment before was cut */
    uint64_t chain;            /* value before its first batch: at which the segment before was cut */
    uint64_t previous_end;     /* offset at which the segment before was cut; 0: there is none */
    uint32_t previous_segment; /* 0: none */
    uint32_t batch_bytes_max;  /* no batch of this segment is longer, header and zeros included */
    uint64_t segment_bytes;
    uint64_t record_hash;  /* command_layout_hash() */
    uint64_t last_time_ns; /* of the last command before it; 0: none */
    uint64_t created_ns;   /* CLOCK_REALTIME */
    uint8_t reserved[JOURNAL_BLOCK_BYTES - 116];
    uint32_t checksum; /* crc32c of the block before it */
};

struct journal_checkpoint {
    uint64_t command_seq; /* 0: none yet */
    uint64_t event_hash;
    uint64_t state_hash; /* 0: not known */
};

struct journal_batch_header {
    uint32_t magic;
    uint32_t header_checksum;  /* crc32c of these 128 bytes with this field as 0 */
    uint32_t payload_checksum; /* crc32c */
    uint32_t payload_bytes;
    uint64_t first_seq; /* of its first record; of the next one if it has none */
    uint32_t count;
    uint32_t segment;
    uint32_t epoch;
    uint32_t instance_low; /* first four bytes of the instance */
    uint64_t offset;       /* of this batch in its segment */
    uint64_t previous_chain;
    uint64_t chain;
    uint64_t durable_seq;    /* first number that was not on the medium when this was written */
    uint64_t durable_offset; /* offset in this segment below which all was on the medium; 0: nothing of it */
    uint64_t events_synced;  /* first event number that was not on the medium in the event log */
    uint64_t last_time_ns;   /* of its last command or of the last before it */
    struct journal_checkpoint checkpoint; /* the newest that is known */
    uint64_t reserved;
};

#pragma GCC diagnostic pop

#define JOURNAL_FIELDS(X)                                                                                              \
    X(journal_segment_header, magic, 0, 8)                                                                             \
    X(journal_segment_header, version, 8, 4)                                                                           \
    X(journal_segment_header, header_bytes, 12, 4)                                                                     \
    X(journal_segment_header, compatible_flags, 16, 4)                                                                 \
    X(journal_segment_header, incompatible_flags, 20, 4)                                                               \
    X(journal_segment_header, instance, 24, 16)                                                                        \
    X(journal_segment_header, segment, 40, 4)                                                                          \
    X(journal_segment_header, epoch, 44, 4)                                                                            \
    X(journal_segment_header, first_seq, 48, 8)                                                                        \
    X(journal_segment_header, chain, 56, 8)                                                                            \
    X(journal_segment_header, previous_end, 64, 8)                                                                     \
    X(journal_segment_header, previous_segment, 72, 4)                                                                 \
    X(journal_segment_header, batch_bytes_max, 76, 4)                                                                  \
    X(journal_segment_header, segment_bytes, 80, 8)                                                                    \
    X(journal_segment_header, record_hash, 88, 8)                                                                      \
    X(journal_segment_header, last_time_ns, 96, 8)                                                                     \
    X(journal_segment_header, created_ns, 104, 8)                                                                      \
    X(journal_segment_header, reserved, 112, 3980)                                                                     \
    X(journal_segment_header, checksum, 4092, 4)                                                                       \
    X(journal_batch_header, magic, 0, 4)                                                                               \
    X(journal_batch_header, header_checksum, 4, 4)                                                                     \
    X(journal_batch_header, payload_checksum, 8, 4)                                                                    \
    X(journal_batch_header, payload_bytes, 12, 4)                                                                      \
    X(journal_batch_header, first_seq, 16, 8)                                                                          \
    X(journal_batch_header, count, 24, 4)                                                                              \
    X(journal_batch_header, segment, 28, 4)                                                                            \
    X(journal_batch_header, epoch, 32, 4)                                                                              \
    X(journal_batch_header, instance_low, 36, 4)                                                                       \
    X(journal_batch_header, offset, 40, 8)                                                                             \
    X(journal_batch_header, previous_chain, 48, 8)                                                                     \
    X(journal_batch_header, chain, 56, 8)                                                                              \
    X(journal_batch_header, durable_seq, 64, 8)                                                                        \
    X(journal_batch_header, durable_offset, 72, 8)                                                                     \
    X(journal_batch_header, events_synced, 80, 8)                                                                      \
    X(journal_batch_header, last_time_ns, 88, 8)                                                                       \
    X(journal_batch_header, checkpoint.command_seq, 96, 8)                                                             \
    X(journal_batch_header, checkpoint.event_hash, 104, 8)                                                             \
    X(journal_batch_header, checkpoint.state_hash, 112, 8)                                                             \
    X(journal_batch_header, reserved, 120, 8)

#define X(type, field, offset, bytes) CONTRACT_FIELD(struct type, field, offset, bytes);
JOURNAL_FIELDS(X)
#undef X
_Static_assert(sizeof(struct journal_segment_header) == JOURNAL_BLOCK_BYTES, "one block");
_Static_assert(sizeof(struct journal_batch_header) == 128, "records begin at a cache line");

/* Bytes that a batch with so much payload takes on disk. */
static inline uint64_t journal_batch_bytes(uint64_t payload_bytes)
{
    uint64_t bytes = sizeof(struct journal_batch_header) + payload_bytes;
    return (bytes + JOURNAL_BLOCK_BYTES - 1) / JOURNAL_BLOCK_BYTES * JOURNAL_BLOCK_BYTES;
}

#endif
