/* The reference model: what follows a trade. Ticks trigger stops, due orders arrive, pegs move. */
#include "model_parts.h"

/* The price of a first or last trade; 0: there was none. */
void model_tick_at_hand(struct model *model, uint32_t instrument, int32_t price_ticks)
{
    struct model_instrument *self = &model->instruments[instrument];
    if (price_ticks != 0 && self->tick_count < MODEL_TICKS_MAX)
        self->ticks[self->tick_count++] = price_ticks;
}

/* ---- 1: ticks -----------------------------------------------------------------------------------------------------
 */

static void trigger_stops(struct model *model, uint32_t instrument, int32_t tick)
{
    struct model_order *stop;
    while ((stop = model_first(model, instrument, MODEL_BUY_STOPS)) != NULL && stop->trigger_ticks <= tick)
        model_join(model, stop, MODEL_DUE);
    while ((stop = model_first(model, instrument, MODEL_SELL_STOPS)) != NULL && stop->trigger_ticks >= tick)
        model_join(model, stop, MODEL_DUE);
}

static void trail(struct model *model, struct model_order *order, int32_t tick)
{
    bool sell = sells(order->side);
    int64_t trigger = (int64_t)order->peak + (sell ? -order->trigger_ticks : order->trigger_ticks);
    if (!order->has_peak || (sell ? tick > order->peak : tick < order->peak)) {
        order->has_peak = true;
        order->peak = tick;
    } else if (sell ? tick <= trigger : tick >= trigger) {
        model_join(model, order, MODEL_DUE);
    }
}

static void take_tick(struct model *model, uint32_t instrument, int32_t tick)
{
    trigger_stops(model, instrument, tick);
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (order->instrument == instrument && order->place == MODEL_WAITING && order->trigger_kind == 'T')
            trail(model, order, tick);
    }
}

/* ---- 2: due orders ------------------------------------------------------------------------------------------------
 */

static void take_turn(struct model *model, struct model_order *order)
{
    uint64_t previous_order_ref = order->order_ref;
    order->order_ref = ++model->order_ref_last;
    model_leave(order);
    if (pegged(order) && !model_peg_price(model, order, &order->price_ticks))
        order->price_ticks = 0;
    model_told_priority(model, order, previous_order_ref);
    order->mover = pegged(order);
    order->trigger_kind = 0;
    order->trigger_ticks = 0;
    model_arrive_from_step_4(model, order);
}

static void ticks_and_due_orders(struct model *model, uint32_t instrument)
{
    struct model_instrument *self = &model->instruments[instrument];
    for (;;) {
        for (uint32_t i = 0; i < self->tick_count; i++)
            take_tick(model, instrument, self->ticks[i]);
        self->tick_count = 0;
        struct model_order *due = model_first(model, instrument, MODEL_DUE);
        if (!due)
            return;
        take_turn(model, due);
    }
}

/* ---- 3: pegs ------------------------------------------------------------------------------------------------------
 */

static void look_at_peg(struct model *model, struct model_order *order)
{
    int32_t price_ticks = 0;
    bool has = at_a_price(order);
    bool should_have = model_peg_price(model, order, &price_ticks);
    if (has == should_have && (!has || price_ticks == order->price_ticks))
        return;
    if (!should_have) {
        model_park(model, order);
        return;
    }
    order->price_ticks = price_ticks;
    take_turn(model, order);
    ticks_and_due_orders(model, order->instrument);
}

static void pass(struct model *model, uint32_t instrument)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (order->instrument == instrument && order->place != MODEL_NOWHERE && order->mover && pegged(order))
            look_at_peg(model, order);
    }
}

/* ---- all of it ----------------------------------------------------------------------------------------------------
 */

void model_follow(struct model *model, uint32_t instrument)
{
    struct model_instrument *self = &model->instruments[instrument];
    while (model->day_open && continuous(self)) {
        ticks_and_due_orders(model, instrument);
        int32_t bid = model_best_price(model, instrument, false);
        int32_t ask = model_best_price(model, instrument, true);
        if (bid == self->pass_bid && ask == self->pass_ask)
            break;
        self->pass_bid = bid;
        self->pass_ask = ask;
        pass(model, instrument);
    }
    self->tick_count = 0;
}

void model_settle_book(struct model *model, uint32_t instrument)
{
    model_follow(model, instrument);
    model_report_top(model, instrument);
}
