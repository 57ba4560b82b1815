/*
 * Which order a session means by a user_ref: (session, channel, user_ref) -> order.
 *
 * An open table in buckets of one cache line. Eight successive user_refs of a session share a bucket, so a session's
 * new orders fill a line before they take another. Each has a lane of its own there, by its last three bits; if that is
 * taken by another, it has whichever is free, and if none is, one in the next bucket that has room.
 *
 * Rules
 *   1. A bucket counts the orders that have passed it by. A search goes on to the next bucket only if there are any, so
 * nearly all searches, and all removals of orders in their own bucket, touch one line.
 *   2. Nothing ever moves: a free slot that was found stays free until something is put into it.
 *   3. There are at least twice as many slots as orders. INDEX_BUCKETS_PASSED_MAX is the bound, and an order that would
 * stand further from its bucket is refused.
 */
#ifndef RINGSIDE_ENGINE_ORDER_INDEX_H
#define RINGSIDE_ENGINE_ORDER_INDEX_H

#include "state.h"

#define INDEX_LANES              8u
#define INDEX_LANE_BITS          3
#define INDEX_BUCKETS_PASSED_MAX 128u
#define INDEX_PASSED_MAX         255u
#define INDEX_BUCKETS_MIN        128u

static inline uint32_t index_hash(struct index_key key)
{
    uint64_t word =
        (uint64_t)(key.session - 1) << 37 | (uint64_t)key.user_ref_index << 29 | key.user_ref >> INDEX_LANE_BITS;
    return (uint32_t)((word * HASH_ODD_0) >> 32);
}

/* What a slot keeps of its key, so that most of the others need no look at their orders. */
static inline uint16_t index_tag(uint32_t hash, uint32_t user_ref)
{
    return (uint16_t)((hash >> 19 & 0x1fff) << INDEX_LANE_BITS | (user_ref & (INDEX_LANES - 1)));
}

static inline uint32_t index_lane(uint32_t hash, uint32_t user_ref)
{
    return (user_ref ^ hash >> (32 - INDEX_LANE_BITS)) & (INDEX_LANES - 1);
}

static inline struct index_slot *index_bucket(const struct engine *engine, uint32_t bucket)
{
    return &engine->index[(size_t)(bucket & engine->index_mask) * INDEX_LANES];
}

/* Where a search for the key begins. */
static inline struct index_slot *index_home(const struct engine *engine, struct index_key key)
{
    uint32_t hash = index_hash(key);
    return &index_bucket(engine, hash)[index_lane(hash, key.user_ref)];
}

static inline bool index_matches(const struct order *order, struct index_key key)
{
    return order->user_ref == key.user_ref && order_session(order) == key.session &&
           order_user_ref_index(order) == key.user_ref_index;
}

/* Which lanes of a bucket have this tag: no branch, for which lane it is cannot be predicted. */
static inline uint32_t index_lanes(const struct index_slot *bucket, uint16_t tag)
{
    uint32_t lanes = 0;
    for (uint32_t lane = 0; lane < INDEX_LANES; lane++)
        lanes |= (uint32_t)(bucket[lane].tag == tag) << lane;
    return lanes;
}

/* The order's slot, or NULL. */
static inline struct index_slot *index_find(const struct engine *engine, struct index_key key)
{
    uint32_t hash = index_hash(key);
    uint16_t tag = index_tag(hash, key.user_ref);
    for (uint32_t away = 0; away < INDEX_BUCKETS_PASSED_MAX; away++) {
        struct index_slot *bucket = index_bucket(engine, hash + away);
        for (uint32_t lanes = index_lanes(bucket, tag); lanes != 0; lanes &= lanes - 1) {
            struct index_slot *slot = &bucket[__builtin_ctz(lanes)];
            if (LIKELY(slot->order != 0 && index_matches(&engine->orders[slot->order], key)))
                return slot;
        }
        if (LIKELY(bucket->passed == 0))
            return NULL;
    }
    return NULL;
}

/* The order that the key most likely means, in the bucket where most are; 0 or another order: it was a guess. */
static inline uint32_t index_guess(const struct engine *engine, struct index_key key)
{
    uint32_t hash = index_hash(key);
    const struct index_slot *bucket = index_bucket(engine, hash);
    uint32_t lanes = index_lanes(bucket, index_tag(hash, key.user_ref));
    return bucket[__builtin_ctz(lanes | 1u << (INDEX_LANES - 1))].order;
}

/* A free slot for this key, or NULL if all are too far away. */
static inline struct index_slot *index_room(const struct engine *engine, struct index_key key)
{
    uint32_t hash = index_hash(key);
    uint32_t home = index_lane(hash, key.user_ref);
    for (uint32_t away = 0; away < INDEX_BUCKETS_PASSED_MAX; away++) {
        struct index_slot *bucket = index_bucket(engine, hash + away);
        for (uint32_t lane = 0; lane < INDEX_LANES; lane++) {
            if (LIKELY(bucket[lane ^ home].order == 0))
                return &bucket[lane ^ home];
        }
        if (UNLIKELY(bucket->passed == INDEX_PASSED_MAX))
            return NULL;
    }
    return NULL;
}

/* Buckets between a key's own and the one that it stands in: one more, or one less, has passed them by. */
static inline void index_passed(const struct engine *engine, uint32_t bucket, uint32_t away, uint8_t change)
{
    for (; UNLIKELY(away != 0); away--)
        index_bucket(engine, bucket - away)->passed = (uint8_t)(index_bucket(engine, bucket - away)->passed + change);
}

/* Into a slot that index_room has found. */
static inline void index_put(const struct engine *engine, struct index_slot *slot, struct index_key key, uint32_t order)
{
    uint32_t hash = index_hash(key);
    uint32_t bucket = (uint32_t)(slot - engine->index) / INDEX_LANES;
    slot->order = order;
    slot->tag = index_tag(hash, key.user_ref);
    slot->away = (uint8_t)((bucket - hash) & engine->index_mask);
    index_passed(engine, bucket, slot->away, 1);
}

/* The slot of an order that is there. */
static inline struct index_slot *index_slot_of(const struct engine *engine, struct index_key key, uint32_t order)
{
    uint32_t hash = index_hash(key);
    uint32_t home = index_lane(hash, key.user_ref);
    for (;; hash++) {
        struct index_slot *bucket = index_bucket(engine, hash);
        for (uint32_t lane = 0; lane < INDEX_LANES; lane++) {
            if (LIKELY(bucket[lane ^ home].order == order))
                return &bucket[lane ^ home];
        }
    }
}

static inline void index_remove(const struct engine *engine, struct index_slot *slot)
{
    index_passed(engine, (uint32_t)(slot - engine->index) / INDEX_LANES, slot->away, UINT8_MAX);
    slot->order = 0;
}

#endif
