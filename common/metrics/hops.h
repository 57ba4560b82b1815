/*
 * The time of records from one place of their way to the next, by the stamps that they carry (record/stamp.h).
 *
 * Rules
 *   1. The clock is CLOCK_MONOTONIC: the same in all processes, read without a system call, and kept by the kernel from
 *      the processor's time stamp counter, so its calibration is nobody's business here.
 *   2. A record whose number a stage samples gets an exact stamp when it is published; the others have the time of
 * their batch. Each hop is sampled by the number that the record has where the hop begins, as the stage there stamped
 * it.
 *   3. Every record while there are few, one of 2, 4, ... 64 when there are many: some 4,000 a second. A sample counts
 *      for as many as it stands for, so a histogram holds about as many values as there were records.
 *   4. Nothing that is decided depends on any of this.
 *
 * Touches the histogram it is given, and no clock.
 */
#ifndef RINGSIDE_METRICS_HOPS_H
#define RINGSIDE_METRICS_HOPS_H

#include "metrics/metrics.h"

#include <stdbool.h>
#include <stdint.h>

#define HOP_SAMPLE_MASK_MAX  63u /* one record in 64 */
#define HOP_SAMPLES_A_SECOND 4096u

struct hop_sampler {
    uint64_t mask;       /* numbers that have none of these bits are sampled */
    uint64_t tuned_ns;   /* when it was last set */
    uint64_t last_count; /* records until then */
};

static inline bool hop_sampled(const struct hop_sampler *sampler, uint64_t number)
{
    return (number & sampler->mask) == 0;
}

#define HOP_SKEW_NS_MAX 1000000u

/*
 * From stamp to stamp, both the low 32 bits of the clock; a stamp of 0 was not taken. One that is a little later than
 * the place where the hop ends, for it was taken a batch at a time, is a hop of 0.
 */
static inline void hop_record(struct metrics_histogram *histogram, const struct hop_sampler *sampler,
                              uint32_t from_ns_low, uint32_t to_ns_low)
{
    uint32_t hop_ns = to_ns_low - from_ns_low;
    if (UINT32_MAX - hop_ns < HOP_SKEW_NS_MAX)
        hop_ns = 0;
    if (from_ns_low != 0)
        metrics_record_times(histogram, hop_ns, sampler->mask + 1);
}

/* About every 100 ms, with the records there have been in all: how many are to be sampled from now on. */
void hop_tune(struct hop_sampler *sampler, uint64_t count, uint64_t now_ns);

#endif
