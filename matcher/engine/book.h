/*
 * Orders in their books: joining a level at its end, leaving it, losing quantity. Each keeps the level, the best price,
 * the index, the state hash and the note of what the next BOOK_TOP must look at. What nearly all orders need is inline;
 * the rest is in book.c.
 */
#ifndef RINGSIDE_ENGINE_BOOK_H
#define RINGSIDE_ENGINE_BOOK_H

#include "levels.h"
#include "order_index.h"
#include "output.h"
#include "pool.h"
#include "special.h"
#include "state.h"

static inline void book_touch(struct engine *engine, uint32_t instrument, uint32_t side)
{
    engine->touched |= (uint8_t)(1u << side);
    engine->touched_instrument = instrument;
}

static inline void book_touch_if(struct engine *engine, uint32_t instrument, uint32_t side, bool touches)
{
    engine->touched |= (uint8_t)((uint32_t)touches << side);
    engine->touched_instrument = instrument; /* the only one at hand */
}

static inline struct index_key order_index_key(const struct order *order)
{
    struct index_key key = {order_session(order), order->user_ref, order_user_ref_index(order)};
    return key;
}

/* The order's memory goes back; it has left its level and the index. That it has no shares tells that it is gone. */
static inline void order_release(struct engine *engine, uint32_t index)
{
    engine->orders[index].quantity = 0;
    engine->orders[index].next = pool_give(&engine->order_pool, index);
    engine->live_orders--;
}

/* ---- orders that stand where most do ------------------------------------------------------------------------------
 */

/* Orders that are hidden, waiting, or have a record of their own: book.c. */
void order_leave_rarely(struct engine *engine, uint32_t index);

/* The order leaves its place and everything else, for good. */
static inline void order_leave(struct engine *engine, uint32_t index)
{
    struct order *order = &engine->orders[index];
    if (UNLIKELY(order->place >> PLACE_WHERE_SHIFT != 0)) {
        order_leave_rarely(engine, index);
        return;
    }
    uint32_t instrument = order_instrument(order);
    uint32_t side = code_side(order_code(order));
    struct ladder ladder = ladder_of(engine, instrument, side);
    struct level *level = level_find(engine, &ladder, order->key);
    book_touch_if(engine, instrument, side, (int32_t)order->key == ladder.side->best);
    engine->state_hash -= order_weight(order) * order->quantity;
    level->quantity -= order->quantity;
    level_unlink(engine, level, order);
    if (level->head == 0)
        level_close(engine, &ladder, order->key);
    index_remove(engine, order);
    order_release(engine, index);
}

/* The line and the index's slot of the taker's order; all but its place in the book is set. There is room: the check
 * came before anything was said. */
static inline struct order *order_from_taker(struct engine *engine, const struct taker *taker)
{
    struct pool *pool = &engine->order_pool;
    uint32_t index = pool_take(pool, engine->orders[pool->free_first].next);
    ENGINE_REQUIRE(index != 0);
    struct order *order = &engine->orders[index];
    order->quantity = taker->quantity;
    order->key = taker->key;
    order->user_ref = taker->user_ref;
    order->place = (taker->instrument - 1) | (uint32_t)taker->user_ref_index << PLACE_INDEX_SHIFT |
                   (uint32_t)taker->code << PLACE_SIDE_SHIFT |
                   (taker->event_flags & EVENT_HAS_APPENDAGE ? PLACE_APPENDAGE : 0);
    order->identity = taker->order_ref | (uint64_t)(taker->session - 1) << ORDER_REF_BITS;
    order->terms = taker->terms;
    engine->live_orders++;
    uint32_t hash = index_hash(order_index_key(order));
    uint32_t slot = LIKELY(taker->slot != INDEX_SLOT_NONE) ? taker->slot : index_room(engine, hash);
    ENGINE_REQUIRE(slot != INDEX_SLOT_NONE);
    index_put(engine, slot, hash, index);
    return order;
}

/* What is left of a taker without anything rare joins the end of its level. */
static inline void order_join(struct engine *engine, const struct taker *taker)
{
    struct order *order = order_from_taker(engine, taker);
    uint32_t index = (uint32_t)(order - engine->orders);
    uint32_t side = code_side(taker->code);
    struct ladder ladder = ladder_of(engine, taker->instrument, side);
    struct level *level = level_open(engine, &ladder, taker->key);
    ENGINE_REQUIRE(level != NULL);
    level_link(engine, level, index);
    level->quantity += taker->quantity;
    book_touch_if(engine, taker->instrument, side, (int32_t)taker->key == ladder.side->best);
    engine->state_hash += order_weight(order) * order->quantity;
}

/* CANCELED or MODIFIED to the order's session: it is left with `leaves_quantity`. Changes nothing. */
static inline void order_told_cut(struct engine *engine, const struct order *order, uint8_t kind, uint8_t reason,
                                  uint8_t flags, uint32_t leaves_quantity)
{
    uint32_t instrument = order_instrument(order);
    uint32_t code = order_code(order);
    uint32_t session = order_session(order);
    event_cut(engine,
              (struct event_header){.kind = kind,
                                    .flags = flags,
                                    .instrument = instrument,
                                    .session = session,
                                    .message_no = message_no(engine, session),
                                    .user_ref = order->user_ref,
                                    .user_ref_index = order_user_ref_index(order),
                                    .side = code_letter(code),
                                    .reason = reason},
              order_ref(order), key_told(&engine->books[instrument], code_side(code), order->key),
              order_leaves(engine, order) - leaves_quantity, leaves_quantity);
}

/* ---- orders anywhere: book.c --------------------------------------------------------------------------------------
 */

/* The ladder of displayed or hidden orders, or of stops. */
struct ladder ladder_at(const struct engine *engine, uint32_t instrument, enum where where, uint32_t side);

/* The key of the level of a ladder in which the order stands. */
uint32_t order_level_key(const struct engine *engine, const struct order *order);

/* What is left of the taker joins a place. It goes to the end of its level or chain. With WHERE_DISPLAYED, what it
 * shows and what it keeps in reserve are parted. false: there is no room for its level, and nothing has changed. */
bool order_stand(struct engine *engine, const struct taker *taker, enum where where);

/* From one place to the end of another, with nobody told. false: no room for the level; it has not moved. */
bool order_move(struct engine *engine, uint32_t index, enum where where, uint32_t key);

/* The order becomes the taker: out of its place and the index, its record kept. */
void order_take_out(struct engine *engine, uint32_t index);

/* Takes shares off an order that keeps its place and some of its shares: reserve first. */
void order_reduce(struct engine *engine, struct order *order, uint32_t decrement);

/* Shares of what is shown are gone, by a trade or self-match prevention; what the others are told comes before... */
void order_lose(struct engine *engine, uint32_t index, uint32_t quantity);

/* ...an order that shows nothing any more is refilled from its reserve, or leaves. */
void order_settle(struct engine *engine, uint32_t index);

/* The answer flags of the order's own Enter or Replace. */
static inline uint8_t order_flags(const struct order *order)
{
    return order->place & PLACE_APPENDAGE ? EVENT_HAS_APPENDAGE : 0;
}

/* Gives an order that shows nothing any more a part of its reserve, at the end of its level. */
void order_refill(struct engine *engine, uint32_t index);

#endif
