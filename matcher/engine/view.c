/* Reading an engine: numbers, hashes, books, orders. Changes nothing. */
#include "levels.h"
#include "order_index.h"
#include "special.h"
#include "state.h"
#include "tour.h"

uint64_t engine_command_seq_next(const struct engine *engine)
{
    return engine->command_seq + 1;
}

uint64_t engine_event_seq_next(const struct engine *engine)
{
    return engine->event_seq_next;
}

uint64_t engine_live_orders(const struct engine *engine)
{
    return engine->live_orders;
}

bool engine_timer_armed(const struct engine *engine)
{
    return engine->expiry_count != 0 || engine->grace_count != 0;
}

uint64_t engine_event_hash(const struct engine *engine)
{
    return engine->event_hash;
}

uint64_t engine_event_hash_next(uint64_t hash, const struct event *event)
{
    return hash_event(hash, event);
}

uint64_t engine_state_hash(const struct engine *engine)
{
    return engine->state_hash;
}

uint32_t engine_instruments(const struct engine *engine)
{
    return engine->instrument_count;
}

uint32_t engine_sessions(const struct engine *engine)
{
    return engine->session_count;
}

/* ---- books --------------------------------------------------------------------------------------------------------
 */

static bool book_exists(const struct engine *engine, uint32_t instrument)
{
    return instrument != 0 && instrument <= engine->instrument_count;
}

static uint32_t side_of(char side)
{
    return side == 'B' ? SIDE_BUY : SIDE_SELL;
}

bool engine_best(const struct engine *engine, uint32_t instrument, char side, int32_t *ret_ticks,
                 uint64_t *ret_quantity)
{
    if (!book_exists(engine, instrument))
        return false;
    struct ladder ladder = ladder_of(engine, instrument, side_of(side));
    if (ladder.side->best == KEY_NONE)
        return false;
    uint32_t key = (uint32_t)ladder.side->best;
    *ret_ticks = key_price(&engine->books[instrument], side_of(side), key);
    *ret_quantity = level_find(engine, &ladder, key)->quantity;
    return true;
}

static void view_order(const struct engine *engine, uint32_t index, struct engine_order_view *view)
{
    const struct order *order = &engine->orders[index];
    uint32_t code = order_code(order);
    uint32_t instrument = order_instrument(order);
    *view = (struct engine_order_view){
        .order_ref = order_ref(order),
        .session = order_session(order),
        .user_ref = order->user_ref,
        .instrument = instrument,
        .price_ticks = key_told(&engine->books[instrument], code_side(code), order->key),
        .leaves_quantity = order_leaves(engine, order),
        .executed_quantity = order->terms.size - order_leaves(engine, order),
        .shown_quantity = order->quantity,
        .displayed = order_where(order) == WHERE_DISPLAYED,
        .user_ref_index = order_user_ref_index(order),
        .side = code_letter(code),
    };
}

/* place: instrument and stop of the tour, order in it. */
static void walk_set(struct engine_walk *walk, const struct tour *tour)
{
    walk->place[0] = (uint64_t)tour->instrument << 8 | tour->stop;
    walk->place[1] = tour->order;
}

void engine_walk_begin(const struct engine *engine, uint32_t instrument, struct engine_walk *walk)
{
    struct tour tour = {0};
    if (book_exists(engine, instrument))
        tour = tour_begin(engine, instrument, TOUR_DISPLAYED_BIDS);
    walk_set(walk, &tour);
}

bool engine_walk_next(const struct engine *engine, struct engine_walk *walk, struct engine_order_view *ret_view)
{
    struct tour tour = {.instrument = (uint32_t)(walk->place[0] >> 8),
                        .stop = (uint32_t)walk->place[0] & 0xff,
                        .order = (uint32_t)walk->place[1]};
    if (tour.order == 0)
        return false;
    view_order(engine, tour.order, ret_view);
    tour_next(engine, &tour);
    walk_set(walk, &tour);
    return true;
}

bool engine_order_find(const struct engine *engine, uint32_t session, uint8_t user_ref_index, uint32_t user_ref,
                       struct engine_order_view *ret_view)
{
    if (session == 0 || session > engine->session_count)
        return false;
    struct index_key key = {session, user_ref, user_ref_index};
    uint32_t order = index_find(engine, key);
    if (order == 0)
        return false;
    view_order(engine, order, ret_view);
    return true;
}
