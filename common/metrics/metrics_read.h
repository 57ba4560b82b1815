/*
 * Reading metrics: of a process that runs, or of one that is gone, by the description in its file alone.
 *
 *   struct metrics_reader reader = {0};
 *   metrics_attach(&reader, "/dev/shm/ringside/matcher.metrics", &error);    ERROR_NOT_YET: come again
 *   for (uint32_t i = 0; i < reader.entry_count; i++)
 *       ... metrics_entry(&reader, i), metrics_value(&reader, entry), metrics_histogram_read(...)
 *   if (metrics_replaced(&reader)) detach, attach again: the process began anew, its values too
 *   metrics_detach(&reader);
 *
 * Rules
 *   1. The file is mapped read-only; nothing here can disturb its writer.
 *   2. All that is used of the description was checked when attaching: every value lies inside the file, every text
 *      ends, names are such as Prometheus takes. It does not change after that.
 *   3. Values are read one by one while their writer goes on, so two of them may be a batch apart.
 */
#ifndef RINGSIDE_METRICS_READ_H
#define RINGSIDE_METRICS_READ_H

#include "base/error.h"
#include "metrics/metrics_layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS_PATH_BYTES 256

struct metrics_reader {
    const struct metrics_header *file; /* NULL: detached */
    uint64_t bytes;
    uint64_t inode;
    uint64_t device;
    uint32_t entry_count;
    char path[METRICS_PATH_BYTES];
};

/*
 * ERROR_NOT_YET: no file, or it is being made. ERROR_MISMATCH: no metrics file, or one of another version.
 * ERROR_CORRUPT: which check failed.
 */
int metrics_attach(struct metrics_reader *reader, const char *path, struct error *error);
void metrics_detach(struct metrics_reader *reader);

/* Whether another file is at the path now, or none: the process began anew, or a new exchange did. One stat. */
bool metrics_replaced(const struct metrics_reader *reader);

/*
 * Attaches if it is not attached, and again if the file was replaced. 1: attached just now, so counters begin anew.
 * 0: attached as before. Negative: as metrics_attach; an earlier file that is there no longer is detached.
 */
int metrics_follow(struct metrics_reader *reader, const char *path, struct error *error);

static inline const struct metrics_writer_line *metrics_writer_of(const struct metrics_reader *reader)
{
    return (const struct metrics_writer_line *)(const void *)((const uint8_t *)reader->file + LINE_PAIR_BYTES);
}

static inline const struct metrics_entry *metrics_entry(const struct metrics_reader *reader, uint32_t index)
{
    const uint8_t *entries = (const uint8_t *)reader->file + (size_t)METRICS_ENTRIES_OFFSET;
    return (const struct metrics_entry *)(const void *)(entries + (size_t)index * METRICS_ENTRY_BYTES);
}

/* NULL if there is none. label: "" for none, `ring="command"`. */
const struct metrics_entry *metrics_find(const struct metrics_reader *reader, const char *name, const char *label);

/* Of a counter or a gauge, as it is stored: in entry->unit. */
static inline uint64_t metrics_value(const struct metrics_reader *reader, const struct metrics_entry *entry)
{
    const uint8_t *at = (const uint8_t *)reader->file + entry->offset;
    return atomic_load_explicit((const _Atomic uint64_t *)(const void *)at, memory_order_relaxed);
}

/* In the unit of its name, the sign heeded. */
double metrics_value_scaled(const struct metrics_reader *reader, const struct metrics_entry *entry);

/* By name and label; `fallback` if there is no such counter or gauge. */
uint64_t metrics_lookup(const struct metrics_reader *reader, const char *name, const char *label, uint64_t fallback);

/* ---- histograms -------------------------------------------------------------------------------------------------- */

/* A copy. Sizes up to those of METRICS_BUCKET_COUNT; files with larger ones are refused when attaching. */
struct metrics_distribution {
    uint64_t count; /* of all buckets together */
    uint64_t sum;
    uint64_t max;
    uint32_t sub_bits;
    uint32_t bucket_count;
    uint64_t buckets[METRICS_BUCKET_COUNT];
};

void metrics_histogram_read(const struct metrics_reader *reader, const struct metrics_entry *entry,
                            struct metrics_distribution *ret_copy);

/* later - earlier, of one file: what came in between. The max is then that of the highest bucket hit. */
void metrics_distribution_since(struct metrics_distribution *later, const struct metrics_distribution *earlier);

/* The smallest magnitude that at least `fraction` (0..1) of the values do not exceed, in the stored unit; 0: empty. */
uint64_t metrics_quantile(const struct metrics_distribution *distribution, double fraction);

/* How many values are below `bound`; exact where bound is small, a power of two, or one behind the end of a bucket. */
uint64_t metrics_count_below(const struct metrics_distribution *distribution, uint64_t bound);

#endif
