/* The reference model: orders become smaller or go, one at a time or many. */
#include "model_parts.h"

/* Quantity goes from the reserve first, then from what is shown. */
static void cut(struct model_order *order, uint32_t leaves)
{
    order->leaves = leaves;
    order->shown = smaller(order->shown, leaves);
    order->min_quantity = smaller(order->min_quantity, leaves);
    if (leaves == 0)
        model_leave(order);
}

static void told_cut(struct event *event, const struct model_order *order, uint32_t leaves)
{
    model_about(event, order);
    event->cut.order_ref = order->order_ref;
    event->cut.price_ticks = model_told_price(order);
    event->cut.decrement = order->leaves - leaves;
    event->cut.leaves_quantity = leaves;
}

/* `answers`: the command is a request about this order. */
void model_canceled(struct model *model, struct model_order *order, uint32_t leaves, char reason, bool answers)
{
    struct event *event = model_add_event(model, EVENT_CANCELED);
    if (answers)
        model_answer(model, event);
    else
        model_to_order(model, event, order);
    event->reason = (uint8_t)reason;
    told_cut(event, order, leaves);
    cut(order, leaves);
}

/* ---- CANCEL and MODIFY --------------------------------------------------------------------------------------------
 */

/* What is left if the order is to have been for `size` in all. */
static uint32_t leaves_for(const struct model_order *order, uint32_t size)
{
    if (size >= order->size)
        return order->leaves;
    return size <= gone(order) ? 0 : size - gone(order);
}

void model_cancel(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    struct model_order *order = model_find_order(model, asked->target_user_ref);
    if (!order)
        return;
    uint32_t leaves = leaves_for(order, asked->quantity);
    uint32_t decrement = order->leaves - leaves;
    if (decrement == 0)
        return;
    model_canceled(model, order, leaves, 'U', true);
    order->size -= decrement;
    model_settle_book(model, order->instrument);
}

static bool side_may_become(uint8_t side, uint8_t asked)
{
    return asked == side || (side == 'S' && one_of(asked, "ET")) || (side == 'E' && asked == 'T');
}

void model_modify(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    struct model_order *order = model_find_order(model, asked->target_user_ref);
    if (!order || !side_may_become(order->side, asked->side))
        return;
    uint32_t leaves = leaves_for(order, asked->quantity);
    uint32_t decrement = order->leaves - leaves;
    if (leaves == 0) {
        model_canceled(model, order, 0, 'U', true);
    } else if (decrement == 0 && asked->side == order->side) {
        return;
    } else {
        order->side = asked->side;
        struct event *event = model_add_event(model, EVENT_MODIFIED);
        model_answer(model, event);
        told_cut(event, order, leaves);
        cut(order, leaves);
    }
    order->size -= decrement;
    model_settle_book(model, order->instrument);
}

/* ---- cancels of many ----------------------------------------------------------------------------------------------
 */

/* In the walk of the book. */
void model_cancel_of_book(struct model *model, uint32_t instrument, char reason, model_chosen *chosen,
                          const void *asked)
{
    for (enum model_place place = MODEL_DISPLAYED_BIDS; place <= MODEL_WAITING; place++) {
        struct model_order *next;
        for (struct model_order *order = model_first(model, instrument, place); order; order = next) {
            next = model_next(model, order);
            if (chosen(model, order, asked))
                model_canceled(model, order, 0, reason, false);
        }
    }
}

/* Book by book; what follows comes before the next one. */
void model_cancel_of_books(struct model *model, char reason, model_chosen *chosen, const void *asked)
{
    for (uint32_t instrument = 1; instrument <= model->instrument_count; instrument++) {
        model_cancel_of_book(model, instrument, reason, chosen, asked);
        model_settle_book(model, instrument);
    }
}
