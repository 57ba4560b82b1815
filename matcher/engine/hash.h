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

static inline uint64_t hash_word(const uint8_t *body, unsigned index)
{
    uint64_t word;
    memcpy(&word, body + 8 * (size_t)index, sizeof(word));
    return word;
}

/* Seven folds that do not wait for each other, then one step that does: a chain of events costs a few ns each. */
static inline uint64_t hash_event(uint64_t hash, const struct event *event)
{
    const uint8_t *body = (const uint8_t *)event + RECORD_HEAD_BYTES;
    uint64_t sum = hash_fold(hash_word(body, 0) ^ HASH_ODD_0, hash_word(body, 1) ^ HASH_ODD_1);
    sum += hash_fold(hash_word(body, 2) ^ HASH_ODD_1, hash_word(body, 3) ^ HASH_ODD_2);
    sum += hash_fold(hash_word(body, 4) ^ HASH_ODD_2, hash_word(body, 5) ^ HASH_ODD_3);
    sum += hash_fold(hash_word(body, 6) ^ HASH_ODD_3, hash_word(body, 7) ^ HASH_ODD_4);
    sum += hash_fold(hash_word(body, 8) ^ HASH_ODD_4, hash_word(body, 9) ^ HASH_ODD_5);
    sum += hash_fold(hash_word(body, 10) ^ HASH_ODD_5, hash_word(body, 11) ^ HASH_ODD_6);
    sum += hash_fold(hash_word(body, 12) ^ HASH_ODD_6, hash_word(body, 13) ^ HASH_ODD_0);
    uint64_t turned = hash << 29 | hash >> 35;
    return (turned ^ sum) * HASH_ODD_2 + HASH_ODD_1;
}

#endif
