/* The reference model: market states of instruments, and what their changes do to the books. */
#include "model_parts.h"

/* It stays live and has no price. Nothing is told. */
void model_park(struct model *model, struct model_order *order)
{
    model_join(model, order, MODEL_WAITING);
    order->price_ticks = 0;
}

/* ---- 3: parking ---------------------------------------------------------------------------------------------------
 */

static void park_pegs(struct model *model, uint32_t instrument)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (order->instrument == instrument && at_a_price(order) && order->mover && pegged(order))
            model_park(model, order);
    }
}

static void park_minimums(struct model *model, uint32_t instrument, enum model_place place)
{
    struct model_order *next;
    for (struct model_order *order = model_first(model, instrument, place); order; order = next) {
        next = model_next(model, order);
        if (order->min_quantity != 0)
            model_park(model, order);
    }
}

static void park(struct model *model, uint32_t instrument)
{
    park_pegs(model, instrument);
    park_minimums(model, instrument, MODEL_HIDDEN_BIDS);
    park_minimums(model, instrument, MODEL_HIDDEN_ASKS);
}

/* ---- 4 to 6 -------------------------------------------------------------------------------------------------------
 */

static void auction_between(struct model *model, uint32_t instrument, uint8_t from, uint8_t to)
{
    if (!model->day_open)
        return;
    if (to == 'O')
        model_auction(model, instrument, from == 'H' ? 'H' : 'O', "OH");
    else if (from == 'O' && (to == 'C' || to == 'X'))
        model_auction(model, instrument, 'C', "C");
    else if (to == 'X')
        model_auction(model, instrument, 'O', "");
}

static bool ends_with_the_session(const struct model *model, const struct model_order *order, const void *asked)
{
    (void)model;
    (void)asked;
    return order->time_in_force == '0' || order->cross_type != 'N';
}

static void unpark(struct model *model, uint32_t instrument)
{
    struct model_order *next;
    for (struct model_order *order = model_first(model, instrument, MODEL_WAITING); order; order = next) {
        next = model_next(model, order);
        if (order->cross_type == 'N' && order->trigger_kind == 0)
            model_join(model, order, MODEL_DUE);
    }
}

/* ---- all of it ----------------------------------------------------------------------------------------------------
 */

static void change_state(struct model *model, uint32_t instrument)
{
    const struct command_admin *admin = &model->command->admin;
    struct model_instrument *self = &model->instruments[instrument];
    uint8_t from = self->state;
    uint8_t to = admin->market_state;
    if (admin->reference_ticks != 0)
        self->reference = admin->reference_ticks;
    bool was_continuous = continuous(self);
    self->state = to;
    model_told_instrument(model, instrument, EVENT_MARKET_STATE_CHANGED);
    if (from == to)
        return;
    if (was_continuous)
        park(model, instrument);
    auction_between(model, instrument, from, to);
    if (to == 'C' || to == 'X')
        model_cancel_of_book(model, instrument, 'E', ends_with_the_session, NULL);
    if (continuous(self))
        unpark(model, instrument);
    self->pass_bid = -1; /* a pass is due */
    model_settle_book(model, instrument);
}

void model_market_state(struct model *model)
{
    const struct command_admin *admin = &model->command->admin;
    if (!model_means_instrument(model)) {
        model_refuse(model, ENGINE_REFUSAL_UNKNOWN_INSTRUMENT);
    } else if (!one_of(admin->market_state, "POHCX") || admin->reference_ticks < 0 ||
               admin->reference_ticks > PRICE_TICKS_MAX) {
        model_refuse(model, ENGINE_REFUSAL_INVALID);
    } else if (model->meant_instrument != 0) {
        change_state(model, model->meant_instrument);
    } else {
        for (uint32_t instrument = 1; instrument <= model->instrument_count; instrument++)
            change_state(model, instrument);
    }
}
