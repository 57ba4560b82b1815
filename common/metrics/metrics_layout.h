/*
 * The metrics file: what a process says of itself while it runs, in memory that anybody may read. docs/metrics.md
 * explains it. One file a process of a run, `ROLE.metrics` beside the rings ("matcher.metrics", "gateway-1.metrics").
 *
 *   offset        bytes   what
 *   0             128     struct metrics_header: fixed for the life of the file; magic is stored last
 *   128           128     struct metrics_writer_line: who writes, and where it stands
 *   256           256 xN  struct metrics_entry: one for each value: name, label, unit, type, help, and where it is
 *   values_offset ...     the values: 64-bit words, and histograms
 *
 * Rules
 *   1. One process writes a file, by relaxed 64-bit stores to words of their own; readers map it read-only and hold
 *      nobody. A value is as old as the writer's last batch, at most 100 ms where the table of values says so.
 *   2. The entries say all that is needed to read the values: no header of this project, and no list of names.
 *   3. A file is made under another name, whole, and then takes its place, so there is no half-made one at its path.
 *      Who starts again makes a new file: a reader that holds the old one sees no more changes, and looks at the path
 *      about once a second whether another file is there.
 *   4. Values begin at 0 with the process. Counters never fall as long as the file is the same.
 */
#ifndef RINGSIDE_METRICS_LAYOUT_H
#define RINGSIDE_METRICS_LAYOUT_H

#include "base/require.h"
#include "base/units.h"

#include <stdatomic.h>
#include <stdint.h>

#define METRICS_MAGIC          0x315254454d444952u /* "RIDMETR1" */
#define METRICS_LAYOUT_VERSION 1
#define METRICS_ENTRIES_OFFSET 256u
#define METRICS_ENTRY_BYTES    256
#define METRICS_ENTRIES_MAX    4096u
#define METRICS_BYTES_MAX      (UINT64_C(64) * MIB)

enum metrics_type {
    METRICS_COUNTER = 1,   /* a word that never falls */
    METRICS_GAUGE = 2,     /* a word that says how it is now; a signed number where `flags` says so */
    METRICS_HISTOGRAM = 3, /* struct metrics_histogram */
    METRICS_STAMPS = 4,    /* a table of times, see metrics/stamps.h: nothing to show */
};

#define METRICS_FLAG_SIGNED 1u /* gauge: the word is an int64_t */

enum metrics_state {
    METRICS_STATE_STARTING = 1, /* opening, joining, recovering */
    METRICS_STATE_READY = 2,    /* at work */
    METRICS_STATE_ENDED = 3,    /* closed in order; the values are its last */
};

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct metrics_header {
    _Atomic uint64_t magic; /* METRICS_MAGIC, stored last with release */
    uint32_t layout_version;
    uint32_t entry_bytes; /* METRICS_ENTRY_BYTES */
    uint32_t entry_count;
    uint32_t entries_offset;
    uint32_t values_offset;
    uint32_t values_bytes;
    uint64_t layout_hash; /* of all names, labels, types and places: the same hash, the same entries */
    uint64_t created_ns;  /* CLOCK_REALTIME */
    uint64_t created_monotonic_ns;
    char name[32];       /* of the process, zero-padded: "matcher", "gateway-1" */
    uint32_t pid;        /* of the writer */
    uint32_t checksum;   /* crc32c from layout_version to the last entry, this field as 0 */
    uint64_t start_time; /* of the writer's process, in clock ticks since boot (field 22 of /proc/PID/stat) */
    uint64_t reserved[3];
};

struct metrics_writer_line {
    _Atomic uint64_t run_id[2];    /* of the run that the process belongs to; 0: it has not joined one yet */
    _Atomic uint64_t state;        /* enum metrics_state */
    _Atomic uint64_t heartbeat_ns; /* CLOCK_MONOTONIC, when it last looked after its values: about ten times a second */
    _Atomic uint64_t ready_ns;     /* CLOCK_MONOTONIC, when it was ready; 0: not yet */
    uint64_t reserved[11];
};

struct metrics_entry {
    char name[64];     /* as Prometheus has it: "ringside_journal_bytes_total" */
    char label[48];    /* as Prometheus has it, without braces: `reason="halted"`; empty: none */
    char unit[16];     /* of the stored value: "records", "bytes", "ns", "" */
    uint32_t type;     /* enum metrics_type */
    uint32_t offset;   /* of the value, from the file's start; a multiple of 8 */
    uint32_t bytes;    /* of the value */
    uint32_t sub_bits; /* histogram: 2^sub_bits buckets for each power of two */
    uint32_t bucket_count;
    uint32_t flags;
    uint64_t divisor; /* stored value / divisor is in the unit that the name ends with: 10^9 for ns and _seconds */
    char help[96];
};

/*
 * Buckets are those of HdrHistogram, as base/histogram.h has them: values below 2 x 2^sub_bits exactly, above that
 * 2^sub_bits for each power of two. Values of 2^40 and more are in the last bucket.
 */
#define METRICS_SUB_BITS     6 /* relative error at most 1/64 */
#define METRICS_VALUE_BITS   40
#define METRICS_BUCKET_COUNT ((METRICS_VALUE_BITS - METRICS_SUB_BITS + 1) << METRICS_SUB_BITS)

struct metrics_histogram {
    _Atomic uint64_t count;
    _Atomic uint64_t sum;
    _Atomic uint64_t max;
    uint64_t reserved;
    _Atomic uint64_t buckets[METRICS_BUCKET_COUNT];
};

#pragma GCC diagnostic pop

/* crc32c from layout_version to the last entry, with the checksum itself as 0. */
uint32_t metrics_checksum(const struct metrics_header *header);

#define METRICS_FIELDS(X)                                                                                              \
    X(metrics_header, magic, 0, 8)                                                                                     \
    X(metrics_header, layout_version, 8, 4)                                                                            \
    X(metrics_header, entry_bytes, 12, 4)                                                                              \
    X(metrics_header, entry_count, 16, 4)                                                                              \
    X(metrics_header, entries_offset, 20, 4)                                                                           \
    X(metrics_header, values_offset, 24, 4)                                                                            \
    X(metrics_header, values_bytes, 28, 4)                                                                             \
    X(metrics_header, layout_hash, 32, 8)                                                                              \
    X(metrics_header, created_ns, 40, 8)                                                                               \
    X(metrics_header, created_monotonic_ns, 48, 8)                                                                     \
    X(metrics_header, name, 56, 32)                                                                                    \
    X(metrics_header, pid, 88, 4)                                                                                      \
    X(metrics_header, checksum, 92, 4)                                                                                 \
    X(metrics_header, start_time, 96, 8)                                                                               \
    X(metrics_writer_line, run_id, 0, 16)                                                                              \
    X(metrics_writer_line, state, 16, 8)                                                                               \
    X(metrics_writer_line, heartbeat_ns, 24, 8)                                                                        \
    X(metrics_writer_line, ready_ns, 32, 8)                                                                            \
    X(metrics_entry, name, 0, 64)                                                                                      \
    X(metrics_entry, label, 64, 48)                                                                                    \
    X(metrics_entry, unit, 112, 16)                                                                                    \
    X(metrics_entry, type, 128, 4)                                                                                     \
    X(metrics_entry, offset, 132, 4)                                                                                   \
    X(metrics_entry, bytes, 136, 4)                                                                                    \
    X(metrics_entry, sub_bits, 140, 4)                                                                                 \
    X(metrics_entry, bucket_count, 144, 4)                                                                             \
    X(metrics_entry, flags, 148, 4)                                                                                    \
    X(metrics_entry, divisor, 152, 8)                                                                                  \
    X(metrics_entry, help, 160, 96)                                                                                    \
    X(metrics_histogram, count, 0, 8)                                                                                  \
    X(metrics_histogram, sum, 8, 8)                                                                                    \
    X(metrics_histogram, max, 16, 8)                                                                                   \
    X(metrics_histogram, buckets, 32, 17920)

#define X(type, field, offset, bytes) CONTRACT_FIELD(struct type, field, offset, bytes);
METRICS_FIELDS(X)
#undef X
_Static_assert(sizeof(struct metrics_header) == LINE_PAIR_BYTES, "a line pair");
_Static_assert(sizeof(struct metrics_writer_line) == LINE_PAIR_BYTES, "a line pair");
_Static_assert(METRICS_ENTRIES_OFFSET == 2 * LINE_PAIR_BYTES, "behind the header and the writer's line");
_Static_assert(sizeof(struct metrics_entry) == METRICS_ENTRY_BYTES, "entries follow each other");
_Static_assert(sizeof(struct metrics_histogram) == 32 + 8 * METRICS_BUCKET_COUNT, "words only");

#endif
