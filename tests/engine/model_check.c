/* The reference model: its books beside the engine's, and rules of an exchange that it must keep itself. */
#include "model_parts.h"

#include <stdio.h>

/* ---- beside the engine --------------------------------------------------------------------------------------------
 */

static const char *differs(const struct model_order *order, const struct engine_order_view *view)
{
    static char text[160];
    bool displayed = order->place == MODEL_DISPLAYED_BIDS || order->place == MODEL_DISPLAYED_ASKS;
    const struct {
        const char *name;
        uint64_t model, engine;
    } values[] = {
        {"order_ref", order->order_ref, view->order_ref},
        {"session", order->session, view->session},
        {"user_ref", order->user_ref, view->user_ref},
        {"instrument", order->instrument, view->instrument},
        {"price_ticks", (uint32_t)model_told_price(order), (uint32_t)view->price_ticks},
        {"leaves", order->leaves, view->leaves_quantity},
        {"gone", gone(order), view->executed_quantity},
        {"user_ref_index", order->user_ref_index, view->user_ref_index},
        {"side", order->side, view->side},
        {"shown", order->shown, view->shown_quantity},
        {"displayed", displayed, view->displayed},
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (values[i].model == values[i].engine)
            continue;
        snprintf(text, sizeof(text), "order %llu of session %u ref %u: %s is %llu in the engine, %llu in the model",
                 (unsigned long long)order->order_ref, order->session, order->user_ref, values[i].name,
                 (unsigned long long)values[i].engine, (unsigned long long)values[i].model);
        return text;
    }
    return NULL;
}

/* The first order of the walk behind `order`, or of the book; NULL: that was the last. */
static struct model_order *walk_next(struct model *model, uint32_t instrument, const struct model_order *order)
{
    struct model_order *next = order ? model_next(model, order) : NULL;
    enum model_place place = order ? order->place + 1 : MODEL_DISPLAYED_BIDS;
    for (; !next && place <= MODEL_WAITING; place++)
        next = model_first(model, instrument, place);
    return next;
}

static const char *book_differs(struct model *model, const struct engine *engine, uint32_t instrument)
{
    struct engine_walk walk;
    struct engine_order_view view;
    struct model_order *order = walk_next(model, instrument, NULL);
    engine_walk_begin(engine, instrument, &walk);
    while (engine_walk_next(engine, &walk, &view)) {
        const char *rule = order ? differs(order, &view) : "an order stands in the engine's book, not in the model's";
        if (rule)
            return rule;
        order = walk_next(model, instrument, order);
    }
    return order ? "an order stands in the model's book, not in the engine's" : NULL;
}

const char *model_differs(struct model *model, const struct engine *engine)
{
    uint64_t live = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        struct engine_order_view view;
        if (order->place == MODEL_NOWHERE)
            continue;
        live++;
        if (!engine_order_find(engine, order->session, order->user_ref_index, order->user_ref, &view))
            return "an order is live in the model, not in the engine";
        const char *rule = differs(order, &view);
        if (rule)
            return rule;
    }
    for (uint32_t instrument = 1; instrument <= model->instrument_count; instrument++) {
        const char *rule = book_differs(model, engine, instrument);
        if (rule)
            return rule;
    }
    return engine_live_orders(engine) == live ? NULL : "the numbers of live orders differ";
}

/* ---- by itself ----------------------------------------------------------------------------------------------------
 */

static const char *order_invalid(const struct model *model, const struct model_order *order)
{
    const struct model_instrument *instrument = &model->instruments[order->instrument];
    if (order->leaves == 0 || order->leaves > order->size)
        return "a live order has nothing left, or more than it was for";
    if (order->shown == 0 || order->shown > order->leaves)
        return "a live order shows nothing, or more than is left";
    if (order->place == MODEL_DUE)
        return "an order is due between commands";
    if (!model->day_open)
        return "an order outlived its day";
    if (instrument->state == 'C' && order->time_in_force == '0')
        return "a day order outlived the close";
    if (at_a_price(order) && order->cross_type != 'N')
        return "a cross order stands in the book between commands";
    if (at_a_price(order) && (order->price_ticks < 1 || order->price_ticks > PRICE_TICKS_MAX))
        return "an order stands at no price";
    if (at_a_price(order) && !continuous(instrument) && (pegged(order) || order->min_quantity != 0))
        return "an order stands that should be parked";
    return NULL;
}

/* A bid and an ask that could trade with each other do not both stand in a continuous book. */
static bool should_have_traded(const struct model *model, const struct model_order *bid, const struct model_order *ask)
{
    if (!at_a_price(bid) || !at_a_price(ask) || sells(bid->side) || !sells(ask->side))
        return false;
    return bid->instrument == ask->instrument && bid->price_ticks >= ask->price_ticks && bid->min_quantity == 0 &&
           ask->min_quantity == 0 && continuous(&model->instruments[bid->instrument]);
}

const char *model_invalid(const struct model *model)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        const char *rule = order->place != MODEL_NOWHERE ? order_invalid(model, order) : NULL;
        if (rule)
            return rule;
        for (uint32_t j = 0; j < model->order_count; j++) {
            if (should_have_traded(model, order, &model->orders[j]))
                return "a continuous book is crossed";
        }
    }
    return NULL;
}
