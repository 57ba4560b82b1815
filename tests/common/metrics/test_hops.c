/*
 * Hops and stamps. Goal: what is sampled stands for what is not, at every rate; times are right across the wrap of 32
 * bits; the table of stamps gives the time of a number or nothing, never another's. Method: each property over whole
 * ranges of numbers.
 */
#include "base/units.h"
#include "metrics/hops.h"
#include "metrics/stamps.h"

#include <criterion/criterion.h>
#include <string.h>

static struct metrics_histogram *histogram(void)
{
    static struct metrics_histogram empty;
    memset(&empty, 0, sizeof(empty));
    return &empty;
}

Test(hops, the_mask_follows_the_rate)
{
    static const struct {
        uint64_t rate;
        uint64_t mask;
    } cases[] = {{0, 0}, {100, 0}, {4096, 0}, {5000, 1}, {20000, 7}, {100000, 31}, {200000, 63}, {5000000, 63}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct hop_sampler sampler = {.tuned_ns = NS_PER_SECOND, .last_count = 1000, .mask = 63};
        hop_tune(&sampler, 1000 + cases[i].rate / 2, NS_PER_SECOND + NS_PER_SECOND / 2);
        cr_expect_eq(sampler.mask, 63u, "not before a second is over");
        hop_tune(&sampler, 1000 + 2 * cases[i].rate, 3 * (uint64_t)NS_PER_SECOND);
        cr_expect_eq(sampler.mask, cases[i].mask, "%llu a second", (unsigned long long)cases[i].rate);
    }
}

/* Whatever the mask, a histogram holds about as many values as there were records, and their times. */
Test(hops, samples_stand_for_all)
{
    for (uint64_t mask = 0; mask <= HOP_SAMPLE_MASK_MAX; mask = 2 * mask + 1) {
        struct metrics_histogram *times = histogram();
        const struct hop_sampler sampler = {.mask = mask};
        for (uint64_t number = 1; number <= UINT64_C(6400); number++)
            if (hop_sampled(&sampler, number))
                hop_record(times, &sampler, 1000, 1250);
        cr_expect_eq(times->count, UINT64_C(6400), "mask %llu", (unsigned long long)mask);
        cr_expect_eq(times->sum, UINT64_C(6400) * 250);
        cr_expect_eq(times->max, 250u);
    }
}

Test(hops, times_are_modulo_the_wrap)
{
    const struct hop_sampler sampler = {.mask = 0};
    struct metrics_histogram *times = histogram();
    hop_record(times, &sampler, UINT32_MAX - 99, 400);
    cr_expect_eq(times->max, 500u);
    hop_record(times, &sampler, 0, 1000000);
    cr_expect_eq(times->count, 1u, "a stamp that was not taken is no time");
    hop_record(times, &sampler, 1000, 900); /* stamped a batch at a time: a little later than it was */
    cr_expect_eq(times->count, 2u);
    cr_expect_eq(times->max, 500u);
    hop_record(times, &sampler, 1, 3000000001u);
    cr_expect_eq(times->max, 3000000000u, "three seconds are three seconds");
}

Test(hops, stamps_give_the_time_of_a_number_or_nothing)
{
    static _Atomic uint64_t stamps[STAMPS_WORDS];
    for (uint64_t step = 1; step <= 64; step *= 2) {
        memset(stamps, 0, sizeof(stamps));
        uint64_t first = (UINT64_C(7) << 32) - 64 * step; /* across the wrap of its low 32 bits */
        uint64_t last = first + (2 * STAMPS_COUNT - 1) * step;
        for (uint64_t number = first; number <= last; number += step)
            stamps_put(stamps, number, (uint32_t)(number * 3));
        uint32_t time, found = 0;
        for (uint64_t number = first; number <= last; number++) {
            if (!stamps_find(stamps, number, &time))
                continue;
            cr_expect_eq(time, (uint32_t)(number * 3));
            cr_expect_eq(number % step, 0u);
            found++;
        }
        cr_expect(found >= STAMPS_COUNT / 2, "step %llu: %u of %u kept", (unsigned long long)step, found, STAMPS_COUNT);
        cr_expect(stamps_find(stamps, last, &time), "the newest is there");
    }
}
