/* The reference model: an order arrives, step by step as docs/engine.md numbers them. */
#include "model_parts.h"

/* ---- 1 to 3: what does not meet the book yet ----------------------------------------------------------------------
 */

static bool fired(const struct model_instrument *instrument, const struct model_order *order)
{
    if (!continuous(instrument) || instrument->last_trade == 0)
        return false;
    return sells(order->side) ? instrument->last_trade <= order->trigger_ticks
                              : instrument->last_trade >= order->trigger_ticks;
}

void model_arrive(struct model *model, struct model_order *order)
{
    const struct model_instrument *instrument = &model->instruments[order->instrument];
    if (order->trigger_kind == 'S' && !fired(instrument, order)) {
        model_join(model, order, sells(order->side) ? MODEL_SELL_STOPS : MODEL_BUY_STOPS);
        return;
    }
    if (order->trigger_kind == 'S') {
        order->trigger_kind = 0;
        order->trigger_ticks = 0;
    }
    if (order->trigger_kind == 'T') {
        order->mover = true;
        order->has_peak = instrument->last_trade != 0;
        order->peak = instrument->last_trade;
        model_join(model, order, MODEL_WAITING);
    } else if (order->cross_type != 'N') {
        model_join(model, order, MODEL_WAITING);
    } else {
        model_arrive_from_step_4(model, order);
    }
}

/* ---- 5: pegs ------------------------------------------------------------------------------------------------------
 */

/* Rounded down; `by` is positive. */
static int64_t floor_of(int64_t number, int64_t by)
{
    int64_t quotient = number / by;
    return quotient * by > number ? quotient - 1 : quotient;
}

/* The price that a peg should have now; false if it has none. */
bool model_peg_price(struct model *model, const struct model_order *order, int32_t *ret_ticks)
{
    bool sell = sells(order->side);
    int32_t own = model_best_price(model, order->instrument, sell);
    int32_t other = model_best_price(model, order->instrument, !sell);
    int64_t twice = order->price_type == 'R'   ? 2 * (int64_t)own
                    : order->price_type == 'P' ? 2 * (int64_t)other
                                               : (int64_t)own + other;
    bool missing = (order->price_type != 'P' && own == 0) || (order->price_type != 'R' && other == 0);
    if (missing)
        return false;
    twice += 2 * (int64_t)order->peg_offset_ticks;
    int64_t twice_limit = 2 * (int64_t)order->limit_ticks;
    if (order->limit_ticks != PRICE_TICKS_MARKET && (sell ? twice < twice_limit : twice > twice_limit))
        twice = twice_limit;
    int64_t tick = model->instruments[order->instrument].tick;
    int64_t price_ticks = sell ? -floor_of(-twice, 2 * tick) * tick : floor_of(twice, 2 * tick) * tick;
    if (price_ticks < 1 || price_ticks > PRICE_TICKS_MAX)
        return false;
    *ret_ticks = (int32_t)price_ticks;
    return true;
}

/* False if that was the end of its arrival. */
static bool make_peg_price(struct model *model, struct model_order *order)
{
    bool stays = order->time_in_force != '3';
    if (stays)
        order->mover = true;
    if (model_peg_price(model, order, &order->price_ticks))
        return true;
    if (stays)
        model_park(model, order);
    else
        model_canceled(model, order, 0, 'I', false);
    return false;
}

/* ---- 6: post-only -------------------------------------------------------------------------------------------------
 */

static bool crosses(const struct model_order *order, const struct model_order *other)
{
    if (!other)
        return false;
    return sells(order->side) ? other->price_ticks >= order->limit_ticks : other->price_ticks <= order->limit_ticks;
}

/* True if it would take liquidity, and so is no more. */
static bool post_only_ends(struct model *model, struct model_order *order)
{
    if (!order->post_only)
        return false;
    bool sell = sells(order->side);
    uint32_t instrument = order->instrument;
    if (crosses(order, model_first(model, instrument, sell ? MODEL_DISPLAYED_BIDS : MODEL_DISPLAYED_ASKS)))
        model_canceled(model, order, 0, 'G', false);
    else if (crosses(order, model_first(model, instrument, sell ? MODEL_HIDDEN_BIDS : MODEL_HIDDEN_ASKS)))
        model_canceled(model, order, 0, 'F', false);
    else
        return false;
    return true;
}

/* ---- 7: the prices that it takes ----------------------------------------------------------------------------------
 */

#define NO_LIMIT INT64_C(0x7fffffffffff)

/* Its own limit, in a way that smaller is better for the maker: of a sell with its sign turned. */
static int64_t own_limit(const struct model_order *order)
{
    if (!pegged(order) && order->limit_ticks == PRICE_TICKS_MARKET)
        return NO_LIMIT;
    int64_t ticks = pegged(order) ? order->price_ticks : order->limit_ticks;
    return sells(order->side) ? -ticks : ticks;
}

/* The same of the collar. */
static int64_t collar_limit(const struct model *model, const struct model_order *order)
{
    const struct model_instrument *instrument = &model->instruments[order->instrument];
    if (instrument->collar == 0 || instrument->reference == 0)
        return NO_LIMIT;
    int64_t reference = instrument->reference;
    return instrument->collar + (sells(order->side) ? -reference : reference);
}

bool model_takes(const struct model *model, const struct model_order *taker, int32_t price_ticks)
{
    int64_t ticks = sells(taker->side) ? -(int64_t)price_ticks : price_ticks;
    return ticks <= own_limit(taker) && ticks <= collar_limit(model, taker);
}

/* ---- 4 to 10 ------------------------------------------------------------------------------------------------------
 */

void model_arrive_from_step_4(struct model *model, struct model_order *order)
{
    if (!continuous(&model->instruments[order->instrument])) {
        order->mover = pegged(order);
        if (pegged(order) || order->min_quantity != 0)
            model_park(model, order);
        else
            model_join_price(model, order);
        return;
    }
    if (pegged(order) && !make_peg_price(model, order))
        return;
    if (post_only_ends(model, order))
        return;
    if (order->min_quantity != 0 && model_available(model, order) < order->min_quantity) {
        if (immediate(order))
            model_canceled(model, order, 0, 'I', false);
        else
            model_join_price(model, order);
        return;
    }
    model_match(model, order);
    if (order->leaves == 0)
        return;
    if (own_limit(order) > collar_limit(model, order))
        model_canceled(model, order, 0, 'K', false);
    else if (immediate(order))
        model_canceled(model, order, 0, 'I', false);
    else
        model_join_price(model, order);
}
