/*
 * The ring file: the public contract between a producer, its consumers and anybody's probes. docs/rings.md explains it.
 *
 *   offset        bytes   what
 *   0             128     struct ring_header: fixed for the life of the file; magic is stored last
 *   128           128     struct ring_producer_line: written by the producer alone
 *   256           128 x16 struct ring_consumer_line: one each, written by that consumer alone
 *   2304          ..4095  zero
 *   4096          128 x capacity   slots
 *
 * Sequences start at header.base_seq, never wrap and never restart; sequence s lives in slot s & (capacity - 1).
 *
 * The slot's first word, the only ordering between producer and consumers:
 *   s + 1              record s is complete (stored with release, loaded with acquire)
 *   s | RING_WRITING   record s is being written: stored before the first byte of the body is touched, so an observer
 *                      that copies a body and then still finds s + 1 has not copied a torn one
 *   anything else      record s is not there yet, or has been overwritten by a later one
 *
 * A gating consumer holds the producer: sequence s may be written once every gating cursor is above s - capacity.
 * Observing consumers hold nobody and need no line at all.
 */
#ifndef RINGSIDE_RING_LAYOUT_H
#define RINGSIDE_RING_LAYOUT_H

#include "base/require.h"
#include "base/units.h"

#include <stdatomic.h>
#include <stdint.h>

#define RING_MAGIC          0x31474e4952444952u /* "RIDRING1" */
#define RING_LAYOUT_VERSION 1
#define RING_HEADER_BYTES   4096
#define RING_SLOT_BYTES     128
#define RING_CONSUMERS_MAX  16
#define RING_CAPACITY_MIN   64u
#define RING_CAPACITY_MAX   (1u << 24)
#define RING_WRITING        (UINT64_C(1) << 63)
#define RING_NOBODY         UINT32_MAX

enum ring_consumer_kind {
    RING_CONSUMER_NONE = 0,
    RING_CONSUMER_GATING = 1,
    RING_CONSUMER_OBSERVING = 2, /* a line taken for show: counts what it missed, gates nothing */
};

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct ring_header {
    _Atomic uint64_t magic; /* RING_MAGIC, stored last with release */
    uint32_t layout_version;
    uint32_t header_bytes;
    uint32_t slot_bytes;
    uint32_t capacity;    /* slots, a power of two */
    uint64_t base_seq;    /* the first sequence of this file */
    uint64_t record_hash; /* command_layout_hash() or event_layout_hash() */
    uint64_t topology_hash;
    uint8_t run_id[16];
    char name[32];         /* zero-padded, such as "command" or "inbound-1" */
    uint64_t created_ns;   /* CLOCK_REALTIME */
    uint32_t gating_count; /* consumer lines 0..gating_count-1 are gating */
    uint32_t checksum;     /* crc32c of the bytes from layout_version on, this field as 0 */
    uint64_t reserved[2];
};

struct ring_producer_line {
    _Atomic uint64_t cursor;           /* a hint: next sequence to publish, at most one burst stale; never ordering */
    _Atomic uint64_t status;           /* producer-defined; event ring, bit 0: a timer is armed;
                                          command ring: commands of the configuration that are published */
    _Atomic uint64_t heartbeat_ns;     /* CLOCK_MONOTONIC, about once a second */
    _Atomic uint64_t blocked_since_ns; /* CLOCK_MONOTONIC; 0: not blocked */
    _Atomic uint64_t blocked_ns_total;
    _Atomic uint64_t stall_count; /* times the ring was found full */
    _Atomic uint64_t start_time;  /* of the process, in clock ticks since boot (field 22 of /proc/PID/stat) */
    _Atomic uint32_t pid;
    _Atomic uint32_t epoch;      /* lives of the producer on this file, from 1 */
    _Atomic uint32_t blocked_on; /* consumer line that gates a blocked producer; RING_NOBODY */
    _Atomic uint32_t doorbell;   /* of the producer's process */
    uint64_t reserved[7];
};

struct ring_consumer_line {
    _Atomic uint64_t cursor; /* next sequence wanted: all before it are done with. Stored with release */
    _Atomic uint64_t heartbeat_ns;
    _Atomic uint64_t stall_count;  /* times it found nothing */
    _Atomic uint64_t missed_count; /* observing: records overrun */
    _Atomic uint64_t start_time;
    _Atomic uint32_t pid;
    _Atomic uint32_t epoch;
    _Atomic uint32_t kind; /* enum ring_consumer_kind */
    _Atomic uint32_t doorbell;
    char name[24];           /* zero-padded */
    _Atomic uint64_t status; /* consumer-defined; command ring, journaler, bit 0: new orders are to be refused */
    uint64_t reserved[5];
};

struct ring_slot {
    _Atomic uint64_t word;
    uint8_t body[RING_SLOT_BYTES - 8];
};

#pragma GCC diagnostic pop

struct ring_file {
    struct ring_header header;
    struct ring_producer_line producer;
    struct ring_consumer_line consumers[RING_CONSUMERS_MAX];
    uint8_t zero[RING_HEADER_BYTES - (2 + RING_CONSUMERS_MAX) * LINE_PAIR_BYTES];
    struct ring_slot slots[];
};

#define RING_FIELDS(X)                                                                                                 \
    X(ring_header, magic, 0, 8)                                                                                        \
    X(ring_header, layout_version, 8, 4)                                                                               \
    X(ring_header, header_bytes, 12, 4)                                                                                \
    X(ring_header, slot_bytes, 16, 4)                                                                                  \
    X(ring_header, capacity, 20, 4)                                                                                    \
    X(ring_header, base_seq, 24, 8)                                                                                    \
    X(ring_header, record_hash, 32, 8)                                                                                 \
    X(ring_header, topology_hash, 40, 8)                                                                               \
    X(ring_header, run_id, 48, 16)                                                                                     \
    X(ring_header, name, 64, 32)                                                                                       \
    X(ring_header, created_ns, 96, 8)                                                                                  \
    X(ring_header, gating_count, 104, 4)                                                                               \
    X(ring_header, checksum, 108, 4)                                                                                   \
    X(ring_producer_line, cursor, 0, 8)                                                                                \
    X(ring_producer_line, status, 8, 8)                                                                                \
    X(ring_producer_line, heartbeat_ns, 16, 8)                                                                         \
    X(ring_producer_line, blocked_since_ns, 24, 8)                                                                     \
    X(ring_producer_line, blocked_ns_total, 32, 8)                                                                     \
    X(ring_producer_line, stall_count, 40, 8)                                                                          \
    X(ring_producer_line, start_time, 48, 8)                                                                           \
    X(ring_producer_line, pid, 56, 4)                                                                                  \
    X(ring_producer_line, epoch, 60, 4)                                                                                \
    X(ring_producer_line, blocked_on, 64, 4)                                                                           \
    X(ring_producer_line, doorbell, 68, 4)                                                                             \
    X(ring_consumer_line, cursor, 0, 8)                                                                                \
    X(ring_consumer_line, heartbeat_ns, 8, 8)                                                                          \
    X(ring_consumer_line, stall_count, 16, 8)                                                                          \
    X(ring_consumer_line, missed_count, 24, 8)                                                                         \
    X(ring_consumer_line, start_time, 32, 8)                                                                           \
    X(ring_consumer_line, pid, 40, 4)                                                                                  \
    X(ring_consumer_line, epoch, 44, 4)                                                                                \
    X(ring_consumer_line, kind, 48, 4)                                                                                 \
    X(ring_consumer_line, doorbell, 52, 4)                                                                             \
    X(ring_consumer_line, name, 56, 24)                                                                                \
    X(ring_consumer_line, status, 80, 8)                                                                               \
    X(ring_file, producer, 128, 128)                                                                                   \
    X(ring_file, consumers, 256, 2048)                                                                                 \
    X(ring_slot, word, 0, 8)                                                                                           \
    X(ring_slot, body, 8, 120)

#define X(type, field, offset, bytes) CONTRACT_FIELD(struct type, field, offset, bytes);
RING_FIELDS(X)
#undef X
_Static_assert(sizeof(struct ring_header) == LINE_PAIR_BYTES, "a line pair");
_Static_assert(sizeof(struct ring_producer_line) == LINE_PAIR_BYTES, "a line pair");
_Static_assert(sizeof(struct ring_consumer_line) == LINE_PAIR_BYTES, "a line pair");
_Static_assert(offsetof(struct ring_file, slots) == RING_HEADER_BYTES, "slots begin at their own page");

#endif
