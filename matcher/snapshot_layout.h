/*
 * A snapshot on disk: the contract between who writes one and the matcher that starts from it. docs/journal.md explains
 * it.
 *
 * Files "snapshot-%020llu.image" in one directory, by the number of the command that is due next.
 *
 *   offset   what
 *   0        struct snapshot_header
 *   4096     the engine's image (ringside_engine.h), image_bytes of it
 *
 * Rules
 *   1. The name is given when the whole file is on the medium, never before: a file of that name is whole, or damaged.
 *   2. No snapshot is of a command that is not on the medium in the journal.
 *   3. It is good if the header checks, the instance is the journal's, the engine takes up the image, and the hashes
 *      and numbers of the engine are then those of the header.
 *   4. Numbers are little-endian. Reserved fields are zero.
 */
#ifndef RINGSIDE_MATCHER_SNAPSHOT_LAYOUT_H
#define RINGSIDE_MATCHER_SNAPSHOT_LAYOUT_H

#include "base/require.h"

#include <stdint.h>

#define SNAPSHOT_MAGIC        0x31504e5344495252u /* "RRIDSNP1" */
#define SNAPSHOT_VERSION      1
#define SNAPSHOT_HEADER_BYTES 4096u

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct snapshot_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;
    uint8_t instance[16]; /* of the journal */
    uint64_t command_seq_next;
    uint64_t event_seq_next;
    uint64_t event_hash;
    uint64_t state_hash;
    uint64_t live_order_count;
    uint64_t record_hash; /* command_layout_hash() */
    uint64_t image_bytes;
    uint64_t created_ns; /* CLOCK_REALTIME */
    uint8_t reserved[SNAPSHOT_HEADER_BYTES - 100];
    uint32_t checksum; /* crc32c of the header before it */
};

#pragma GCC diagnostic pop

#define SNAPSHOT_FIELDS(X)                                                                                             \
    X(snapshot_header, magic, 0, 8)                                                                                    \
    X(snapshot_header, version, 8, 4)                                                                                  \
    X(snapshot_header, header_bytes, 12, 4)                                                                            \
    X(snapshot_header, instance, 16, 16)                                                                               \
    X(snapshot_header, command_seq_next, 32, 8)                                                                        \
    X(snapshot_header, event_seq_next, 40, 8)                                                                          \
    X(snapshot_header, event_hash, 48, 8)                                                                              \
    X(snapshot_header, state_hash, 56, 8)                                                                              \
    X(snapshot_header, live_order_count, 64, 8)                                                                        \
    X(snapshot_header, record_hash, 72, 8)                                                                             \
    X(snapshot_header, image_bytes, 80, 8)                                                                             \
    X(snapshot_header, created_ns, 88, 8)                                                                              \
    X(snapshot_header, reserved, 96, 3996)                                                                             \
    X(snapshot_header, checksum, 4092, 4)

#define X(type, field, offset, bytes) CONTRACT_FIELD(struct type, field, offset, bytes);
SNAPSHOT_FIELDS(X)
#undef X
_Static_assert(sizeof(struct snapshot_header) == SNAPSHOT_HEADER_BYTES, "a block of its own");

#endif
