/*
 * Mixing of words, by 64 x 64 -> 128 bit multiplication: the same on every machine and compiler. For integrity against
 * accidents and for spreading keys, not against an adversary.
 */
#ifndef RINGSIDE_ENGINE_HASH_H
#define RINGSIDE_ENGINE_HASH_H

#include "record/event.h"

#include <immintrin.h>
#include <stdint.h>

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
 * Sums wrap, so it does not matter in which order and how many at once: every machine comes to the same.
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

/* As many bytes at once as the machine that this is built for can take: each x86-64 has 16 at least. */
#if defined(__AVX512F__)
typedef __m512i hash_lanes;
#define HASH_LANES(operation) _mm512_##operation
#define HASH_WHOLE(operation) _mm512_##operation##_si512
#elif defined(__AVX2__)
typedef __m256i hash_lanes;
#define HASH_LANES(operation) _mm256_##operation
#define HASH_WHOLE(operation) _mm256_##operation##_si256
#else
typedef __m128i hash_lanes;
#define HASH_LANES(operation) _mm_##operation
#define HASH_WHOLE(operation) _mm_##operation##_si128
#endif
_Static_assert(HASH_PRODUCTS * sizeof(uint32_t) % sizeof(hash_lanes) == 0, "whole vectors");

static inline hash_lanes hash_load(const void *from)
{
    return HASH_WHOLE(loadu)(from);
}

static inline uint64_t hash_lanes_sum(hash_lanes lanes)
{
#if defined(__AVX512F__)
    return (uint64_t)_mm512_reduce_add_epi64(lanes);
#else
#if defined(__AVX2__)
    __m128i pair = _mm_add_epi64(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
#else
    __m128i pair = lanes;
#endif
    return (uint64_t)_mm_cvtsi128_si64(_mm_add_epi64(pair, _mm_unpackhi_epi64(pair, pair)));
#endif
}

/* One step that waits for the event before, so a chain of events costs a few ns each. */
static inline uint64_t hash_event(uint64_t hash, const struct event *event)
{
    const uint8_t *first = (const uint8_t *)event + RECORD_HEAD_BYTES;
    const uint8_t *later = (const uint8_t *)event + HASH_LATER_BYTES;
    hash_lanes sum = HASH_WHOLE(setzero)();
    for (size_t at = 0; at < HASH_PRODUCTS * sizeof(uint32_t); at += sizeof(hash_lanes)) {
        hash_lanes left = hash_load(first + at), right = hash_load(later + at);
        sum = HASH_LANES(add_epi64)(sum, HASH_LANES(add_epi64)(left, right));
        left = HASH_WHOLE(xor)(left, hash_load((const uint8_t *)hash_keys[0] + at));
        right = HASH_WHOLE(xor)(right, hash_load((const uint8_t *)hash_keys[1] + at));
        /* the words with an even number, then the others */
        sum = HASH_LANES(add_epi64)(sum, HASH_LANES(mul_epu32)(left, right));
        left = HASH_LANES(srli_epi64)(left, 32), right = HASH_LANES(srli_epi64)(right, 32);
        sum = HASH_LANES(add_epi64)(sum, HASH_LANES(mul_epu32)(left, right));
    }
    uint64_t turned = hash << 29 | hash >> 35;
    return (turned ^ hash_lanes_sum(sum)) * HASH_ODD_2 + HASH_ODD_1;
}

#endif
