/*
 * Orders anywhere in a book: in the levels of displayed and hidden orders and of stops, in the chains of those that
 * wait. One function takes an order out of its place, one puts it into another; all that is counted about places is
 * counted there.
 */
#include "book.h"

struct ladder ladder_at(const struct engine *engine, uint32_t instrument, enum where where, uint32_t side)
{
    if (where == WHERE_DISPLAYED)
        return ladder_of(engine, instrument, side);
    struct annex *annex = &engine->annexes[instrument];
    return ladder_without_window(where == WHERE_HIDDEN ? &annex->hidden[side] : &annex->stops[side]);
}

/* Buy stops fire from the lowest trigger price up, so theirs are turned round. */
static uint32_t stop_key(const struct engine *engine, const struct order *order)
{
    const struct book *book = &engine->books[order_instrument(order)];
    uint32_t index = price_index(book, (int32_t)special_of(engine, order)->trigger_ticks);
    return index ^ key_flip(!code_side(order_code(order)));
}

uint32_t order_level_key(const struct engine *engine, const struct order *order)
{
    return order_where(order) == WHERE_STOPS ? stop_key(engine, order) : order->key;
}

static struct chain *chain_at(const struct engine *engine, uint32_t instrument, enum where where)
{
    struct annex *annex = &engine->annexes[instrument];
    return where == WHERE_WAITING ? &annex->waiting : &annex->due;
}

static bool in_chain(enum where where)
{
    return where == WHERE_WAITING || where == WHERE_DUE;
}

/* ---- counts -------------------------------------------------------------------------------------------------------
 */

static void hidden_counted(struct engine *engine, uint32_t instrument, uint32_t side)
{
    rare_set(engine, instrument, side == SIDE_BUY ? RARE_HIDDEN_BIDS : RARE_HIDDEN_ASKS,
             engine->annexes[instrument].hidden[side].best != KEY_NONE);
}

/* An order has come to (1) or left (-1) a place. */
static void place_counted(struct engine *engine, const struct order *order, uint32_t change)
{
    uint32_t instrument = order_instrument(order);
    struct annex *annex = &engine->annexes[instrument];
    if (order_where(order) == WHERE_HIDDEN)
        hidden_counted(engine, instrument, code_side(order_code(order)));
    if (order_where(order) == WHERE_WAITING)
        rare_set(engine, instrument, RARE_WAITING, annex->waiting.head != 0);
    if (order_where(order) == WHERE_STOPS) {
        annex->stop_count += change;
        rare_set(engine, instrument, RARE_TRIGGERS, annex->stop_count != 0);
    }
    if (special_of(engine, order)->reserve != 0)
        annex->reserve_count += change;
}

/* ---- in and out ---------------------------------------------------------------------------------------------------
 */

static void touch_if_best(struct engine *engine, const struct order *order)
{
    uint32_t instrument = order_instrument(order);
    uint32_t side = code_side(order_code(order));
    if (order_where(order) == WHERE_DISPLAYED && (int32_t)order->key == engine->books[instrument].sides[side].best)
        book_touch(engine, instrument, side);
}

static void unlink_level(struct engine *engine, const struct order *order)
{
    struct ladder ladder =
        ladder_at(engine, order_instrument(order), (enum where)order_where(order), code_side(order_code(order)));
    uint32_t key = order_level_key(engine, order);
    struct level *level = level_find(engine, &ladder, key);
    level->quantity -= order->quantity;
    level_unlink(engine, level, order);
    if (level->head == 0)
        level_close(engine, &ladder, key);
}

static void unlink_chain(struct engine *engine, const struct order *order)
{
    struct chain *chain = chain_at(engine, order_instrument(order), (enum where)order_where(order));
    *(order->prev ? &engine->orders[order->prev].next : &chain->head) = order->next;
    *(order->next ? &engine->orders[order->next].prev : &chain->tail) = order->prev;
}

/* Out of its place, not yet in another. */
static void order_unlink(struct engine *engine, uint32_t index)
{
    struct order *order = &engine->orders[index];
    touch_if_best(engine, order);
    engine->state_hash -= order_hash(engine, order);
    if (in_chain((enum where)order_where(order)))
        unlink_chain(engine, order);
    else
        unlink_level(engine, order);
    place_counted(engine, order, UINT32_MAX);
}

static bool link_level(struct engine *engine, uint32_t index)
{
    struct order *order = &engine->orders[index];
    struct ladder ladder =
        ladder_at(engine, order_instrument(order), (enum where)order_where(order), code_side(order_code(order)));
    struct level *level = level_open(engine, &ladder, order_level_key(engine, order));
    if (level == NULL)
        return false;
    level_link(engine, level, index);
    level->quantity += order->quantity;
    return true;
}

static void link_chain(struct engine *engine, uint32_t index)
{
    struct order *order = &engine->orders[index];
    struct chain *chain = chain_at(engine, order_instrument(order), (enum where)order_where(order));
    order->next = 0;
    order->prev = chain->tail;
    *(chain->tail ? &engine->orders[chain->tail].next : &chain->head) = index;
    chain->tail = index;
}

/* An order that is in no place joins the one that it names. */
static bool order_link(struct engine *engine, uint32_t index)
{
    struct order *order = &engine->orders[index];
    if (in_chain((enum where)order_where(order)))
        link_chain(engine, index);
    else if (!link_level(engine, index))
        return false;
    engine->state_hash += order_hash(engine, order);
    place_counted(engine, order, 1);
    touch_if_best(engine, order);
    return true;
}

static void where_set(struct order *order, enum where where)
{
    order->place = (order->place & ~(7u << PLACE_WHERE_SHIFT)) | (uint32_t)where << PLACE_WHERE_SHIFT;
}

/* Whether a level for the order would find room; if none does, it stays out. */
static bool level_has_room(struct engine *engine, const struct order *order)
{
    if (in_chain((enum where)order_where(order)) || pool_room(&engine->far_level_pool) != 0)
        return true;
    struct ladder ladder =
        ladder_at(engine, order_instrument(order), (enum where)order_where(order), code_side(order_code(order)));
    return level_find(engine, &ladder, order_level_key(engine, order)) != NULL;
}

/* ---- what others use ----------------------------------------------------------------------------------------------
 */

/* Only what stands displayed, for a time that may be long, shows less than it has. */
static void shown_parted(struct engine *engine, struct order *order)
{
    struct special *special = special_of(engine, order);
    if (order_where(order) != WHERE_DISPLAYED || special->max_floor == 0 || special->max_floor >= order->quantity)
        return;
    special->reserve = order->quantity - special->max_floor;
    order->quantity = special->max_floor;
}

bool order_stand(struct engine *engine, const struct taker *taker, enum where where)
{
    struct order *order = order_from_taker(engine, taker);
    uint32_t index = (uint32_t)(order - engine->orders);
    order->place |= taker->terms.special ? PLACE_SPECIAL : 0;
    where_set(order, where);
    if (taker->terms.special) {
        struct special *special = special_of(engine, order);
        special->order = index;
        special->min_quantity = special->min_quantity < order->quantity ? special->min_quantity : order->quantity;
        shown_parted(engine, order);
    }
    if (LIKELY(level_has_room(engine, order)) && order_link(engine, index))
        return true;
    special_of(engine, order)->reserve = 0;
    if (taker->terms.special)
        special_of(engine, order)->order = 0;
    index_remove(engine, order);
    order_release(engine, index);
    return false;
}

bool order_move(struct engine *engine, uint32_t index, enum where where, uint32_t key)
{
    struct order *order = &engine->orders[index];
    struct order before = *order;
    where_set(&before, where);
    before.key = key;
    if (!level_has_room(engine, &before))
        return false;
    order_unlink(engine, index);
    where_set(order, where);
    order->key = key;
    ENGINE_REQUIRE(order_link(engine, index));
    return true;
}

void order_take_out(struct engine *engine, uint32_t index)
{
    struct order *order = &engine->orders[index];
    struct special *special = special_of(engine, order);
    order_unlink(engine, index);
    index_remove(engine, order);
    if (order->terms.special) {
        special->order = 0;
        special->reserve = 0;
    }
    order_release(engine, index);
}

void order_leave_rarely(struct engine *engine, uint32_t index)
{
    struct order *order = &engine->orders[index];
    uint32_t special = order->terms.special;
    uint32_t instrument = order_instrument(order);
    order_take_out(engine, index);
    if (special)
        special_free(engine, instrument, special);
}

static void level_reduce(struct engine *engine, const struct order *order, uint32_t decrement)
{
    if (in_chain((enum where)order_where(order)))
        return;
    struct ladder ladder =
        ladder_at(engine, order_instrument(order), (enum where)order_where(order), code_side(order_code(order)));
    level_find(engine, &ladder, order_level_key(engine, order))->quantity -= decrement;
}

static void min_quantity_cap(const struct engine *engine, const struct order *order)
{
    struct special *special = special_of(engine, order);
    uint32_t leaves = order->quantity + special->reserve;
    if (special->min_quantity > leaves)
        special->min_quantity = leaves;
}

void order_reduce(struct engine *engine, struct order *order, uint32_t decrement)
{
    struct special *special = special_of(engine, order);
    uint32_t of_reserve = decrement < special->reserve ? decrement : special->reserve;
    touch_if_best(engine, order);
    engine->state_hash -= order_hash(engine, order);
    if (of_reserve != 0) {
        special->reserve -= of_reserve;
        engine->annexes[order_instrument(order)].reserve_count -= special->reserve == 0;
        decrement -= of_reserve;
    }
    level_reduce(engine, order, decrement);
    order->quantity -= decrement;
    min_quantity_cap(engine, order);
    engine->state_hash += order_hash(engine, order);
}

void order_lose(struct engine *engine, uint32_t index, uint32_t quantity)
{
    struct order *order = &engine->orders[index];
    touch_if_best(engine, order);
    engine->state_hash -= order_hash(engine, order);
    level_reduce(engine, order, quantity);
    order->quantity -= quantity;
    min_quantity_cap(engine, order);
    engine->state_hash += order_hash(engine, order);
}

void order_settle(struct engine *engine, uint32_t index)
{
    const struct order *order = &engine->orders[index];
    if (order->quantity != 0)
        return;
    if (special_of(engine, order)->reserve != 0)
        order_refill(engine, index);
    else
        order_leave(engine, index);
}

/* ---- reserve ------------------------------------------------------------------------------------------------------
 */

static uint32_t refill_quantity(const struct engine *engine, const struct order *order)
{
    const struct special *special = special_of(engine, order);
    uint32_t quantity = special->max_floor;
    if (special->random_reserve != 0) {
        uint32_t lot = engine->books[order_instrument(order)].lot_quantity;
        uint64_t hash = hash_fold(order_ref(order) ^ HASH_ODD_1, special->refills ^ HASH_ODD_2);
        quantity +=
            (uint32_t)(hash % (2 * (uint64_t)special->random_reserve / lot + 1)) * lot - special->random_reserve;
    }
    return quantity < special->reserve ? quantity : special->reserve;
}

static void told_refill(struct engine *engine, const struct order *order, uint64_t previous_order_ref)
{
    uint32_t instrument = order_instrument(order);
    uint32_t code = order_code(order);
    uint32_t session = order_session(order);
    event_cut(engine,
              (struct event_header){.kind = EVENT_RESTATED,
                                    .flags = order_flags(order),
                                    .instrument = instrument,
                                    .session = session,
                                    .message_no = message_no(engine, session),
                                    .user_ref = order->user_ref,
                                    .user_ref_index = order_user_ref_index(order),
                                    .side = code_letter(code),
                                    .reason = 'R'},
              order_ref(order), key_told(&engine->books[instrument], code_side(code), order->key), 0,
              order_leaves(engine, order));
    struct event *event = event_place(engine, engine->event_seq_next - 1);
    event->cut.previous_order_ref = previous_order_ref;
    event->cut.display = order->terms.display;
    event->cut.display_quantity = order->quantity;
}

/* To the end of its level, unless it is alone there: a level is not closed and opened again for it. */
static void order_to_the_end(struct engine *engine, uint32_t index)
{
    struct order *order = &engine->orders[index];
    if (order->next == 0)
        return;
    struct ladder ladder = ladder_of(engine, order_instrument(order), code_side(order_code(order)));
    struct level *level = level_find(engine, &ladder, order->key);
    *(order->prev ? &engine->orders[order->prev].next : &level->head) = order->next;
    engine->orders[order->next].prev = order->prev;
    order->prev = level->tail;
    engine->orders[level->tail].next = index;
    order->next = 0;
    level->tail = index;
}

void order_refill(struct engine *engine, uint32_t index)
{
    struct order *order = &engine->orders[index];
    struct special *special = special_of(engine, order);
    struct ladder ladder = ladder_of(engine, order_instrument(order), code_side(order_code(order)));
    uint64_t previous_order_ref = order_ref(order);
    engine->state_hash -= order_hash(engine, order);
    special->refills++;
    uint32_t quantity = refill_quantity(engine, order);
    special->reserve -= quantity;
    engine->annexes[order_instrument(order)].reserve_count -= special->reserve == 0;
    order->quantity = quantity;
    order->identity = (order->identity & ~ORDER_REF_MAX) | ++engine->order_ref_last;
    level_find(engine, &ladder, order->key)->quantity += quantity;
    order_to_the_end(engine, index);
    engine->state_hash += order_hash(engine, order);
    told_refill(engine, order, previous_order_ref);
}
