/*
 * A log-linear histogram of unsigned values (latencies in ns, batch sizes): constant memory, constant time to record,
 * relative error at most 1/128 (under 0.8 %). The bucket scheme is that of HdrHistogram: values below 256 exactly,
 * above that 128 buckets for each power of two. No allocation; merge adds two of them. One writer; readers take a copy.
 */
#ifndef RINGSIDE_BASE_HISTOGRAM_H
#define RINGSIDE_BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS     7
#define HISTOGRAM_BUCKET_COUNT ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t min; /* UINT64_MAX when empty */
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKET_COUNT];
};

void histogram_clear(struct histogram *histogram);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The smallest recorded magnitude such that at least `fraction` (0..1) of the values are at or below it; 0 if empty. */
uint64_t histogram_quantile(const struct histogram *histogram, double fraction);

/* The bucket of a value where there are 2^sub_bits of them for each power of two, and the largest value in a bucket. */
static inline uint32_t histogram_bucket_at(uint64_t value, uint32_t sub_bits)
{
    if (value < (UINT64_C(2) << sub_bits))
        return (uint32_t)value;
    uint32_t shift = (uint32_t)(63 - __builtin_clzll(value)) - sub_bits;
    return (shift << sub_bits) + (uint32_t)(value >> shift);
}

static inline uint64_t histogram_upper_at(uint32_t bucket, uint32_t sub_bits)
{
    if (bucket < (UINT64_C(2) << sub_bits))
        return bucket;
    uint32_t shift = (bucket >> sub_bits) - 1;
    uint64_t magnitude = bucket - ((uint64_t)shift << sub_bits);
    return ((magnitude + 1) << shift) - 1;
}

static inline uint32_t histogram_bucket(uint64_t value)
{
    return histogram_bucket_at(value, HISTOGRAM_SUB_BITS);
}

static inline void histogram_record(struct histogram *histogram, uint64_t value)
{
    histogram->count++;
    histogram->sum += value;
    if (value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->buckets[histogram_bucket(value)]++;
}

#endif
