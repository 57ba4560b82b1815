/*
 * Which order a session means by a user_ref: (session, channel, user_ref) -> order.
 *
 * An open table in buckets of one cache line. Eight successive user_refs of a session share a bucket, each in the lane
 * of its last three bits, so a session's new orders fill a line before they take another. A lane that is taken by
 * another session's order is looked for in the next bucket. Slots keep the bucket's hash, so moving them needs no
 * order.
 *
 * Rules
 *   1. There are at least twice as many slots as orders, so chains are short; INDEX_PROBES_MAX of them is the bound,
 * and an order that would need more is refused.
 *   2. Removing leaves no hole in a chain: what can move up does.
 */
#ifndef RINGSIDE_ENGINE_ORDER_INDEX_H
#define RINGSIDE_ENGINE_ORDER_INDEX_H

#include "state.h"

#define INDEX_LANES       8u
#define INDEX_LANE_BITS   3
#define INDEX_PROBES_MAX  128u
#define INDEX_BUCKETS_MIN 128u

struct index_key {
    uint32_t session;
    uint32_t user_ref;
    uint8_t user_ref_index;
};

static inline uint32_t index_tag(struct index_key key)
{
    uint64_t word =
        (uint64_t)(key.session - 1) << 37 | (uint64_t)key.user_ref_index << 29 | key.user_ref >> INDEX_LANE_BITS;
    return (uint32_t)((word * HASH_ODD_0) >> 32);
}

static inline uint32_t index_lane(uint32_t tag, uint32_t user_ref)
{
    return (user_ref ^ tag >> (32 - INDEX_LANE_BITS)) & (INDEX_LANES - 1);
}

static inline struct index_slot *index_slot(const struct engine *engine, uint32_t bucket, uint32_t lane)
{
    return &engine->index[(size_t)(bucket & engine->index_mask) * INDEX_LANES + lane];
}

/* Where a search for the key begins. */
static inline struct index_slot *index_home(const struct engine *engine, struct index_key key)
{
    uint32_t tag = index_tag(key);
    return index_slot(engine, tag, index_lane(tag, key.user_ref));
}

static inline bool index_matches(const struct order *order, struct index_key key)
{
    return order->user_ref == key.user_ref && order_session(order) == key.session &&
           order_user_ref_index(order) == key.user_ref_index;
}

/* The order's slot, or NULL. */
static inline struct index_slot *index_find(const struct engine *engine, struct index_key key)
{
    uint32_t tag = index_tag(key);
    uint32_t lane = index_lane(tag, key.user_ref);
    for (uint32_t i = 0; i < INDEX_PROBES_MAX; i++) {
        struct index_slot *slot = index_slot(engine, tag + i, lane);
        if (slot->order == 0)
            return NULL;
        if (LIKELY(slot->tag == tag && index_matches(&engine->orders[slot->order], key)))
            return slot;
    }
    return NULL;
}

/* The first free slot for this key, or NULL if the chain is too long. */
static inline struct index_slot *index_room(const struct engine *engine, struct index_key key)
{
    uint32_t tag = index_tag(key);
    uint32_t lane = index_lane(tag, key.user_ref);
    for (uint32_t i = 0; i < INDEX_PROBES_MAX; i++) {
        struct index_slot *slot = index_slot(engine, tag + i, lane);
        if (LIKELY(slot->order == 0))
            return slot;
    }
    return NULL;
}

/* The slot of an order that is there. */
static inline struct index_slot *index_slot_of(const struct engine *engine, struct index_key key, uint32_t order)
{
    uint32_t bucket = index_tag(key);
    uint32_t lane = index_lane(bucket, key.user_ref);
    struct index_slot *slot = index_slot(engine, bucket, lane);
    while (UNLIKELY(slot->order != order))
        slot = index_slot(engine, ++bucket, lane);
    return slot;
}

static inline void index_remove(struct engine *engine, struct index_slot *slot)
{
    uint32_t place = (uint32_t)(slot - engine->index);
    uint32_t bucket = place / INDEX_LANES;
    uint32_t lane = place % INDEX_LANES;
    struct index_slot *hole = slot;
    *hole = (struct index_slot){0};
    for (uint32_t next = bucket + 1;; next++) {
        slot = index_slot(engine, next, lane);
        if (LIKELY(slot->order == 0))
            return;
        /* It may move up if its own bucket is not after the hole. */
        if (((next - slot->tag) & engine->index_mask) >= ((next - bucket) & engine->index_mask)) {
            *hole = *slot;
            *slot = (struct index_slot){0};
            hole = slot;
            bucket = next;
        }
    }
}

#endif
