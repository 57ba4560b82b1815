/*
 * A table of times in a metrics file: when commands became durable. The journaler writes it, for the commands that it
 * samples; the matcher reads it, and anybody else who wants to know that time, which no record carries.
 *
 * A word is the low 32 bits of the number, then the low 32 bits of the time (CLOCK_MONOTONIC, ns). One store, so a word
 * is never half of one and half of another; a number that is not in its place was overwritten, or not sampled. The
 * word behind the table says which numbers are sampled: those that have none of its bits.
 */
#ifndef RINGSIDE_METRICS_STAMPS_H
#define RINGSIDE_METRICS_STAMPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define STAMPS_COUNT 256u /* a power of two */
#define STAMPS_WORDS (STAMPS_COUNT + 1)

/* Consecutive numbers have places of their own, and so have numbers 2, 4, ... 64 apart. */
static inline uint32_t stamps_place(uint64_t number)
{
    return (uint32_t)(number ^ (number >> 6)) % STAMPS_COUNT;
}

static inline void stamps_put(_Atomic uint64_t stamps[STAMPS_WORDS], uint64_t number, uint32_t time_ns_low)
{
    atomic_store_explicit(&stamps[stamps_place(number)], number << 32 | time_ns_low, memory_order_relaxed);
}

static inline bool stamps_find(const _Atomic uint64_t stamps[STAMPS_WORDS], uint64_t number, uint32_t *ret_time_ns_low)
{
    uint64_t word = atomic_load_explicit(&stamps[stamps_place(number)], memory_order_relaxed);
    if (word >> 32 != (uint32_t)number)
        return false;
    *ret_time_ns_low = (uint32_t)word;
    return true;
}

static inline void stamps_set_mask(_Atomic uint64_t stamps[STAMPS_WORDS], uint64_t mask)
{
    atomic_store_explicit(&stamps[STAMPS_COUNT], mask, memory_order_relaxed);
}

static inline uint64_t stamps_mask(const _Atomic uint64_t stamps[STAMPS_WORDS])
{
    return atomic_load_explicit(&stamps[STAMPS_COUNT], memory_order_relaxed);
}

#endif
