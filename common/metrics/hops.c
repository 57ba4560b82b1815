#include "metrics/hops.h"

#include "base/units.h"

#define TUNE_INTERVAL_NS ((uint64_t)NS_PER_SECOND)

void hop_tune(struct hop_sampler *sampler, uint64_t count, uint64_t now_ns)
{
    uint64_t elapsed_ns = now_ns - sampler->tuned_ns;
    if (elapsed_ns < TUNE_INTERVAL_NS)
        return;
    double rate = (double)(count - sampler->last_count) * NS_PER_SECOND / (double)elapsed_ns;
    uint64_t mask = 0;
    while (mask < HOP_SAMPLE_MASK_MAX && rate > HOP_SAMPLES_A_SECOND * (double)(mask + 1))
        mask = 2 * mask + 1;
    sampler->mask = mask;
    sampler->tuned_ns = now_ns;
    sampler->last_count = count;
}
