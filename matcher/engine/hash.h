/*
 * Mixing of words, by 64 x 64 -> 128 bit multiplication: the same on every machine and compiler. For integrity against
 * accidents and for spreading keys, not against an adversary.
 */
#ifndef RINGSIDE_ENGINE_HASH_H
#define RINGSIDE_ENGINE_HASH_H

#include "record/event.h"

#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash_wide;

#define HASH_ODD_0 UINT64_C(0x9e3779b97f4a7c15)
#define HASH_ODD_1 UINT64_C(0xc2b2ae3d27d4eb4f)
#define HASH_ODD_2 UINT64_C(0x165667b19e3779f9)
#define HASH_ODD_3 UINT64_C(0xd6e8feb86659fd93)
#define HASH_ODD_4 UINT64_C(0xa0761d6478bd642f)
#define HASH_ODD_5 UINT64_C(0xe7037ed1a0b428db)
#define HASH_ODD_6 UINT64_C(0x8ebc6af09c88c6e3)

static inline uint64_t hash_fold(uint64_t left, uint64_t right)
{
    hash_wide product = (hash_wide)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* ---- the hash of an event -----------------------------------------------------------------------------------------
 */

/*
 * An event's body is 28 words of 32 bits. The first 16 are multiplied by the last 16, one by one (four in the middle
 * are in both), so that all products can be made at once; and because a factor may happen to be 0, all are added too.
 */
#define HASH_PRODUCTS    16u
#define HASH_LATER_BYTES (RECORD_BYTES - HASH_PRODUCTS * sizeof(uint32_t)) /* where the last 16 begin */
_Static_assert(RECORD_HEAD_BYTES + HASH_PRODUCTS * sizeof(uint32_t) >= HASH_LATER_BYTES, "no word is left out");

/* So that words that are often 0, or alike, are not when they are multiplied. */
static const uint32_t hash_keys[2][HASH_PRODUCTS] = {
    {0x89025cc1, 0x910a2dec, 0x658eec67, 0xbeeb8da1, 0xfb32555e, 0xf893a2ee, 0xee42c90b, 0x71c18690, 0xd101b5b9,
     0x71bb54d8, 0x90150280, 0xc34d0bff, 0xd7363ca5, 0xe099ec6c, 0x12278575, 0x85e7bb0f},
    {0x357e3da8, 0x491718de, 0x74616796, 0xcb435c8e, 0x01564f61, 0x6775dc77, 0x14cf8bfe, 0x9afcd44d, 0x4baa5dc0,
     0x7476cf8a, 0x90d7a28a, 0x87b341d6, 0x6f4c57a8, 0x6f9b6dae, 0xa5794a3b, 0x2ac2ce17}};

static inline uint32_t hash_half(const uint8_t *from, unsigned index)
{
    uint32_t half;
    memcpy(&half, from + sizeof(half) * (size_t)index, sizeof(half));
    return half;
}

static inline uint64_t hash_word(const uint8_t *from, unsigned index)
{
    uint64_t word;
    memcpy(&word, from + sizeof(word) * (size_t)index, sizeof(word));
    return word;
}

/* Loops that a compiler turns into vectors if it does not unroll them first. */
#if defined(__clang__)
#define HASH_LOOP
#else
#define HASH_LOOP _Pragma("GCC unroll 1")
#endif

/* One step that waits for the event before, so a chain of events costs a few ns each. */
static inline uint64_t hash_event(uint64_t hash, const struct event *event)
{
    const uint8_t *first = (const uint8_t *)event + RECORD_HEAD_BYTES;
    const uint8_t *later = (const uint8_t *)event + HASH_LATER_BYTES;
    uint64_t sum = 0;
    HASH_LOOP
    for (unsigned i = 0; i < HASH_PRODUCTS; i++)
        sum += (uint64_t)(hash_half(first, i) ^ hash_keys[0][i]) * (hash_half(later, i) ^ hash_keys[1][i]);
    HASH_LOOP
    for (unsigned i = 0; i < HASH_PRODUCTS / 2; i++)
        sum += hash_word(first, i) + hash_word(later, i);
    uint64_t turned = hash << 29 | hash >> 35;
    return (turned ^ sum) * HASH_ODD_2 + HASH_ODD_1;
}

#endif
