/* Reads each gateway's two histograms, and adds up what is new in them. */
#include "perf/probe/told.h"

#include "metrics/values.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *key;
    const char *metric;
    const char *label;
} parts[TOLD_PARTS] = {
    [TOLD_HOP] = {"matched -> told", "matched_to_told", HOP_NAME, "hop=\"event-socket\""},
    [TOLD_WAY] = {"received -> told", "received_to_told", "ringside_way_seconds", ""},
};

const char *told_name(enum told_part part)
{
    return parts[part].name;
}

const char *told_key(enum told_part part)
{
    return parts[part].key;
}

void told_init(struct told *told, const char *directory, uint32_t gateway_count)
{
    memset(told, 0, sizeof(*told));
    told->directory = directory;
    told->gateway_count = gateway_count;
}

/* False: no such histogram. */
static bool read_part(const struct metrics_reader *reader, enum told_part part, struct metrics_distribution *ret)
{
    const struct metrics_entry *entry =
        reader->file ? metrics_find(reader, parts[part].metric, parts[part].label) : NULL;
    if (entry)
        metrics_histogram_read(reader, entry, ret);
    return entry != NULL;
}

void told_begin(struct told *told)
{
    memset(told->before, 0, sizeof(told->before));
    for (uint32_t i = 0; i < told->gateway_count; i++) {
        char path[METRICS_PATH_BYTES];
        snprintf(path, sizeof(path), "%.200s/gateway-%u.metrics", told->directory, i + 1);
        if (metrics_follow(&told->readers[i], path, NULL) < 0)
            continue;
        for (enum told_part part = 0; part < TOLD_PARTS; part++)
            (void)read_part(&told->readers[i], part, &told->before[i][part]);
    }
}

static void add(struct metrics_distribution *sum, const struct metrics_distribution *more)
{
    sum->sub_bits = more->sub_bits;
    sum->bucket_count = more->bucket_count;
    sum->count += more->count;
    sum->sum += more->sum;
    sum->max = more->max > sum->max ? more->max : sum->max;
    for (uint32_t bucket = 0; bucket < more->bucket_count; bucket++)
        sum->buckets[bucket] += more->buckets[bucket];
}

const struct metrics_distribution *told_since(struct told *told, enum told_part part)
{
    static struct metrics_distribution sum, one;
    memset(&sum, 0, sizeof(sum));
    for (uint32_t i = 0; i < told->gateway_count; i++) {
        const struct metrics_distribution *before = &told->before[i][part];
        if (!read_part(&told->readers[i], part, &one))
            continue;
        if (before->count > 0)
            metrics_distribution_since(&one, before);
        add(&sum, &one);
    }
    return &sum;
}

void told_finish(struct told *told)
{
    for (uint32_t i = 0; i < told->gateway_count; i++)
        metrics_detach(&told->readers[i]);
}
