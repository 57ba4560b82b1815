/*
 * Which order a session means by a user_ref: (session, channel, user_ref) -> order.
 *
 * An open table in buckets of one cache line. An order takes whichever lane of its bucket is free, and if none is, one
 * in the next bucket that has room: about one in a hundred does, so that whether it has to is nearly always guessed
 * right, by the processor and by who looks ahead.
 *
 * Rules
 *   1. A bucket counts the orders that have passed it by. A search goes on to the next bucket only if there are any, so
 * nearly all searches, and all removals of orders in their own bucket, touch one line.
 *   2. Nothing ever moves: a free slot that was found stays free until something is put into it, and an order knows its
 * slot from its first moment to its last.
 *   3. There are at least three times as many slots as orders. INDEX_BUCKETS_PASSED_MAX is the bound, and an order that
 * would stand further from its bucket is refused.
 *   4. A slot is numbered bucket << INDEX_SLOT_SHIFT | lane.
 */
#ifndef RINGSIDE_ENGINE_ORDER_INDEX_H
#define RINGSIDE_ENGINE_ORDER_INDEX_H

#include "state.h"

#include <immintrin.h>

#define INDEX_BUCKET_ORDERS      4u /* of an engine that is full, on average */
#define INDEX_SLOT_SHIFT         4
#define INDEX_BUCKETS_PASSED_MAX 128u
#define INDEX_PASSED_MAX         255u
#define INDEX_BUCKET_BITS        24
#define INDEX_USED_ALL           ((1u << INDEX_LANES) - 1)
#define INDEX_BUCKETS_MIN        128u
#define INDEX_SLOT_NONE          UINT32_MAX

/* The bucket is in the low bits, the tag in the upper eight. */
static inline uint32_t index_hash(struct index_key key)
{
    uint64_t word = (uint64_t)(key.session - 1) << 40 | (uint64_t)key.user_ref_index << 32 | key.user_ref;
    return (uint32_t)hash_fold(word ^ HASH_ODD_1, HASH_ODD_0);
}

_Static_assert(ENGINE_ORDERS_MAX / INDEX_BUCKET_ORDERS == 1u << INDEX_BUCKET_BITS, "no bucket is beyond its bits");

/* What a slot keeps of its key, so that most of the others need no look at their orders. Never 0. */
static inline uint8_t index_tag(uint32_t hash)
{
    uint32_t tag = hash >> INDEX_BUCKET_BITS;
    return (uint8_t)(tag | (uint32_t)(tag == 0) << 7);
}

/* The bucket of a hash, and of a slot. */
static inline struct index_bucket *index_bucket(const struct engine *engine, uint32_t hash)
{
    return &engine->index[hash & engine->index_mask];
}

static inline struct index_bucket *index_bucket_of(const struct engine *engine, uint32_t slot)
{
    return &engine->index[slot >> INDEX_SLOT_SHIFT];
}

static inline bool index_matches(const struct order *order, struct index_key key)
{
    return order->user_ref == key.user_ref && order_session(order) == key.session &&
           order_user_ref_index(order) == key.user_ref_index;
}

static inline uint32_t index_lane_of(uint32_t slot)
{
    return slot & ((1u << INDEX_SLOT_SHIFT) - 1);
}

/* Which lanes of a bucket have this tag: bits 1 << lane. Without a branch, for which it is cannot be predicted. */
static inline uint32_t index_lanes(const struct index_bucket *bucket, uint8_t tag)
{
    const __m128i *tags = (const __m128i *)(const void *)bucket->tags;
    __m128i same = _mm_cmpeq_epi8(_mm_load_si128(tags), _mm_set1_epi8((char)tag));
    return (uint32_t)_mm_movemask_epi8(same) & INDEX_USED_ALL;
}

_Static_assert(offsetof(struct index_bucket, tags) % sizeof(__m128i) == 0 &&
                   sizeof(struct index_bucket) - offsetof(struct index_bucket, tags) == sizeof(__m128i),
               "the tags and what stands behind them are one vector");

/* The lowest lane in what index_lanes gives; the last one if there is none. */
static inline uint32_t index_lane_first(uint32_t lanes)
{
    return (uint32_t)__builtin_ctz(lanes | 1u << (INDEX_LANES - 1));
}

/* The order, or 0. */
static inline uint32_t index_find(const struct engine *engine, struct index_key key)
{
    uint32_t hash = index_hash(key);
    uint8_t tag = index_tag(hash);
    for (uint32_t away = 0; away < INDEX_BUCKETS_PASSED_MAX; away++) {
        const struct index_bucket *bucket = index_bucket(engine, hash + away);
        for (uint32_t lanes = index_lanes(bucket, tag); lanes != 0; lanes &= lanes - 1) {
            uint32_t order = bucket->orders[index_lane_first(lanes)];
            if (LIKELY(index_matches(&engine->orders[order], key)))
                return order;
        }
        if (LIKELY(bucket->passed == 0))
            return 0;
    }
    return 0;
}

/* The order that a hash most likely means, in the bucket where most are; 0 or another order: it was a guess. */
static inline uint32_t index_guess(const struct engine *engine, uint32_t hash)
{
    const struct index_bucket *bucket = index_bucket(engine, hash);
    return bucket->orders[index_lane_first(index_lanes(bucket, index_tag(hash)))];
}

/* order_index.c: as index_room, when the key's own bucket is full. */
uint32_t index_room_beyond(const struct engine *engine, uint32_t hash);

static inline uint32_t index_room_in(const struct engine *engine, uint32_t hash)
{
    uint32_t bucket = hash & engine->index_mask;
    return bucket << INDEX_SLOT_SHIFT | (uint32_t)__builtin_ctz(~(uint32_t)engine->index[bucket].used);
}

/* A free slot for a key with this hash, or INDEX_SLOT_NONE if all are too far away. */
static inline uint32_t index_room(const struct engine *engine, uint32_t hash)
{
    return LIKELY(index_bucket(engine, hash)->used != INDEX_USED_ALL) ? index_room_in(engine, hash)
                                                                      : index_room_beyond(engine, hash);
}

/* Buckets from the one of this hash to the one of a slot. */
static inline uint32_t index_away(const struct engine *engine, uint32_t hash, uint32_t slot)
{
    return ((slot >> INDEX_SLOT_SHIFT) - hash) & engine->index_mask;
}

/* Buckets between an order's own and the one that it stands in: one more, or one less, has passed them by. */
static inline void index_passed(const struct engine *engine, uint32_t slot, uint32_t away, uint8_t change)
{
    for (uint32_t bucket = slot >> INDEX_SLOT_SHIFT; UNLIKELY(away != 0); away--)
        index_bucket(engine, bucket - away)->passed = (uint8_t)(index_bucket(engine, bucket - away)->passed + change);
}

/* Into a slot that index_room has found. The order's own note of where it is comes with it. */
static inline void index_put(const struct engine *engine, uint32_t slot, uint32_t hash, uint32_t index)
{
    struct order *order = &engine->orders[index];
    struct index_bucket *bucket = index_bucket_of(engine, slot);
    uint32_t lane = index_lane_of(slot);
    uint32_t away = index_away(engine, hash, slot);
    order->terms.slot = slot;
    order->terms.away = (uint8_t)away;
    bucket->orders[lane] = index;
    bucket->used = (uint16_t)(bucket->used | 1u << lane);
    bucket->tags[lane] = index_tag(hash);
    index_passed(engine, slot, away, 1);
}

static inline void index_remove(const struct engine *engine, const struct order *order)
{
    uint32_t slot = order->terms.slot;
    struct index_bucket *bucket = index_bucket_of(engine, slot);
    uint32_t lane = index_lane_of(slot);
    bucket->orders[lane] = 0;
    bucket->used = (uint16_t)(bucket->used & ~(1u << lane));
    bucket->tags[lane] = 0;
    index_passed(engine, slot, order->terms.away, UINT8_MAX);
}

#endif
