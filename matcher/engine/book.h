/*
 * Orders in their books: joining a level at its end, leaving it, losing quantity. Each keeps the level, the best price,
 * the index, the state hash and the note of what the next BOOK_TOP must look at.
 */
#ifndef RINGSIDE_ENGINE_BOOK_H
#define RINGSIDE_ENGINE_BOOK_H

#include "levels.h"
#include "order_index.h"
#include "pool.h"
#include "state.h"

static inline void book_touch(struct engine *engine, uint32_t instrument, uint32_t side)
{
    engine->touched |= (uint8_t)(1u << side);
    engine->touched_instrument = instrument;
}

static inline struct index_key order_index_key(const struct order *order)
{
    struct index_key key = {order_session(order), order->user_ref, order_user_ref_index(order)};
    return key;
}

/* The order's memory goes back; it has left its level and the index. */
static inline void order_release(struct engine *engine, uint32_t index)
{
    engine->orders[index].next = pool_give(&engine->order_pool, index);
    engine->live_orders--;
}

/* The order leaves its level, wherever in it it stands, and everything else. */
static inline void order_leave(struct engine *engine, struct index_slot *slot)
{
    uint32_t index = slot->order;
    struct order *order = &engine->orders[index];
    uint32_t instrument = order_instrument(order);
    uint32_t side = code_side(order_code(order));
    struct ladder ladder = ladder_of(engine, instrument, side);
    struct level *level = level_find(engine, &ladder, order->key);
    if ((int32_t)order->key == ladder.side->best)
        book_touch(engine, instrument, side);
    engine->state_hash -= order_weight(order) * order->quantity;
    level->quantity -= order->quantity;
    uint32_t next = order->next;
    uint32_t prev = order->prev;
    *(prev ? &engine->orders[prev].next : &level->head) = next;
    *(next ? &engine->orders[next].prev : &level->tail) = prev;
    if ((prev | next) == 0)
        level_close(engine, &ladder, order->key);
    index_remove(engine, slot);
    order_release(engine, index);
}

/* Takes shares off an order that keeps its place and some of its shares. */
static inline void order_reduce(struct engine *engine, struct order *order, uint32_t decrement)
{
    uint32_t instrument = order_instrument(order);
    uint32_t side = code_side(order_code(order));
    struct ladder ladder = ladder_of(engine, instrument, side);
    struct level *level = level_find(engine, &ladder, order->key);
    if ((int32_t)order->key == ladder.side->best)
        book_touch(engine, instrument, side);
    engine->state_hash -= order_weight(order) * decrement;
    level->quantity -= decrement;
    order->quantity -= decrement;
}

/* What is left of the taker joins the end of its level. There is room: the check came before anything was said. */
static inline void order_join(struct engine *engine, const struct taker *taker)
{
    struct pool *pool = &engine->order_pool;
    uint32_t index = pool_take(pool, engine->orders[pool->free_first].next);
    uint32_t side = code_side(taker->code);
    struct ladder ladder = ladder_of(engine, taker->instrument, side);
    struct level *level = level_open(engine, &ladder, taker->key);
    ENGINE_REQUIRE(index != 0 && level != NULL);
    struct order *order = &engine->orders[index];
    order->next = 0;
    order->prev = level->tail;
    order->quantity = taker->quantity;
    order->key = taker->key;
    order->user_ref = taker->user_ref;
    order->place = (taker->instrument - 1) | (uint32_t)taker->user_ref_index << PLACE_INDEX_SHIFT |
                   (uint32_t)taker->code << PLACE_SIDE_SHIFT |
                   (taker->event_flags & EVENT_HAS_APPENDAGE ? PLACE_APPENDAGE : 0);
    order->identity = taker->order_ref | (uint64_t)(taker->session - 1) << ORDER_REF_BITS;
    order->terms = taker->terms;
    *(level->tail ? &engine->orders[level->tail].next : &level->head) = index;
    level->tail = index;
    level->quantity += taker->quantity;
    if ((int32_t)taker->key == ladder.side->best)
        book_touch(engine, taker->instrument, side);
    engine->state_hash += order_weight(order) * order->quantity;
    engine->live_orders++;
    struct index_key key = order_index_key(order);
    struct index_slot *slot = LIKELY(taker->slot != NULL) ? taker->slot : index_room(engine, key);
    ENGINE_REQUIRE(slot != NULL);
    slot->order = index;
    slot->tag = index_tag(key);
}

#endif
