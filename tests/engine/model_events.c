/* The reference model: the events, and which of their fields hold what. */
#include "model_parts.h"

#include <string.h>

struct event *model_add_event(struct model *model, uint8_t kind)
{
    if (model->event_count == MODEL_EVENTS_MAX) {
        model->full = true;
        model->event_count--;
    }
    struct event *event = &model->events[model->event_count];
    memset(event, 0, sizeof(*event));
    event->event_seq = ++model->event_seq_last;
    event->command_seq = model->command->command_seq;
    event->time_ns = model->command->time_ns;
    event->index = (uint16_t)model->event_count++;
    event->kind = kind;
    return event;
}

void model_to_session(struct model *model, struct event *event, uint32_t session)
{
    event->session = session;
    event->message_no = ++model->sessions[session].message_no;
}

/* To the session that asked. */
void model_answer(struct model *model, struct event *event)
{
    model_to_session(model, event, model->command->session);
    if (model->command->flags & COMMAND_HAS_APPENDAGE)
        event->flags |= EVENT_HAS_APPENDAGE;
}

/* To the session of the order, which has not asked for it. */
void model_to_order(struct model *model, struct event *event, const struct model_order *order)
{
    model_to_session(model, event, order->session);
    if (order->appendage)
        event->flags |= EVENT_HAS_APPENDAGE;
}

void model_about(struct event *event, const struct model_order *order)
{
    event->instrument = order->instrument;
    event->user_ref = order->user_ref;
    event->user_ref_index = order->user_ref_index;
    event->side = order->side;
}

void model_refuse(struct model *model, enum engine_refusal why)
{
    struct event *event = model_add_event(model, EVENT_COMMAND_REFUSED);
    model->refused_why = (uint8_t)why;
    event->user_ref = model->command->user_ref;
    event->admin.refused_kind = model->command->kind;
    event->admin.refused_why = (uint8_t)why;
    if (model->command->kind == COMMAND_INSTRUMENT_ADD)
        memcpy(event->admin.symbol, model->command->admin.symbol, SYMBOL_BYTES);
}

void model_reject(struct model *model, uint16_t reason)
{
    const struct command *command = model->command;
    struct event *event = model_add_event(model, EVENT_REJECTED);
    model_answer(model, event);
    bool names = command->kind != COMMAND_REFUSED && command->kind != COMMAND_REPLACE;
    if (names && command->order.instrument <= model->instrument_count)
        event->instrument = command->order.instrument;
    event->user_ref = command->user_ref;
    event->user_ref_index = command->order.user_ref_index;
    event->refused.reason = reason;
    event->refused.refused_kind = command->kind == COMMAND_REFUSED ? command->refused.refused_kind : command->kind;
    memcpy(event->refused.client_order_id, command->order.client_order_id, CLIENT_ORDER_ID_BYTES);
}

/* ---- an order is told for the first time --------------------------------------------------------------------------
 */

static void told_options(struct model *model, const struct model_order *order, struct event *first)
{
    struct event_options options = {
        .peg_offset_ticks = order->peg_offset_ticks,
        .random_reserve = order->random_reserve,
        .expire_s = order->expire_s,
        .trigger_ticks = order->trigger_ticks,
        .trigger_kind = order->trigger_kind,
        .self_match = order->self_match,
    };
    if (first->kind == EVENT_REPLACED) {
        options.min_quantity = order->min_quantity;
        options.max_floor = order->max_floor;
        options.group = (uint16_t)order->group;
    }
    static const struct event_options none;
    if (memcmp(&options, &none, sizeof(options)) == 0)
        return;
    first->flags |= EVENT_CONTINUED;
    struct event *event = model_add_event(model, EVENT_ORDER_OPTIONS);
    model_about(event, order);
    event->session = first->session;
    event->reason = first->reason;
    event->options = options;
}

/* ACCEPTED and REPLACED are the same up to client_order_id. */
void model_told_order(struct model *model, const struct model_order *order, uint8_t kind)
{
    struct event *event = model_add_event(model, kind);
    model_answer(model, event);
    model_about(event, order);
    event->reason = 'L';
    event->accepted.order_ref = order->order_ref;
    memcpy(event->accepted.symbol, model->instruments[order->instrument].symbol, SYMBOL_BYTES);
    event->accepted.price_ticks = order->limit_ticks;
    event->accepted.quantity = order->leaves;
    event->accepted.options = order->options;
    memcpy(event->accepted.firm, order->firm, FIRM_BYTES);
    event->accepted.time_in_force = order->time_in_force;
    event->accepted.display = order->display;
    event->accepted.capacity = order->capacity;
    event->accepted.cross_type = order->cross_type;
    event->accepted.price_type = one_of(order->price_type, "PMmR") ? order->price_type : 'L';
    event->accepted.handle_inst = order->handle_inst ? order->handle_inst : ' ';
    memcpy(event->accepted.client_order_id, model->command->order.client_order_id, CLIENT_ORDER_ID_BYTES);
    if (kind == EVENT_ACCEPTED) {
        event->accepted.group = (uint16_t)order->group;
        event->accepted.min_quantity = order->min_quantity;
        event->accepted.max_floor = order->max_floor;
    }
    told_options(model, order, event);
}

/* ---- an order changes ---------------------------------------------------------------------------------------------
 */

/* Where it stands, else its limit. */
int32_t model_told_price(const struct model_order *order)
{
    return at_a_price(order) ? order->price_ticks : order->limit_ticks;
}

/* `order` has its new order_ref, and is a peg only if its price has been made. */
void model_told_priority(struct model *model, const struct model_order *order, uint64_t previous_order_ref)
{
    struct event *event = model_add_event(model, EVENT_PRIORITY_UPDATED);
    model_to_order(model, event, order);
    model_about(event, order);
    event->cut.order_ref = order->order_ref;
    event->cut.previous_order_ref = previous_order_ref;
    event->cut.price_ticks = pegged(order) && order->price_ticks != 0 ? order->price_ticks : order->limit_ticks;
    event->cut.leaves_quantity = order->leaves;
    event->cut.display = order->display;
}

void model_told_refill(struct model *model, const struct model_order *order, uint64_t previous_order_ref)
{
    struct event *event = model_add_event(model, EVENT_RESTATED);
    model_to_order(model, event, order);
    model_about(event, order);
    event->reason = 'R';
    event->cut.order_ref = order->order_ref;
    event->cut.previous_order_ref = previous_order_ref;
    event->cut.price_ticks = order->price_ticks;
    event->cut.leaves_quantity = order->leaves;
    event->cut.display = order->display;
    event->cut.display_quantity = order->shown;
}

/* ---- the best prices ----------------------------------------------------------------------------------------------
 */

static uint64_t quantity_of(struct model *model, uint32_t instrument, enum model_place place, int32_t price_ticks)
{
    uint64_t quantity = 0;
    for (struct model_order *order = model_first(model, instrument, place); order; order = model_next(model, order)) {
        if (order->price_ticks == price_ticks)
            quantity += order->shown;
    }
    return quantity;
}

void model_report_top(struct model *model, uint32_t instrument)
{
    if (!model->limits.report_tops)
        return;
    struct model_instrument *self = &model->instruments[instrument];
    struct event_top top = {0};
    memcpy(top.symbol, self->symbol, SYMBOL_BYTES);
    top.bid_ticks = model_best_price(model, instrument, false);
    top.ask_ticks = model_best_price(model, instrument, true);
    top.bid_quantity = quantity_of(model, instrument, MODEL_DISPLAYED_BIDS, top.bid_ticks);
    top.ask_quantity = quantity_of(model, instrument, MODEL_DISPLAYED_ASKS, top.ask_ticks);
    if (memcmp(&top, &self->top, sizeof(top)) == 0)
        return;
    struct event *event = model_add_event(model, EVENT_BOOK_TOP);
    event->instrument = instrument;
    event->top = self->top = top;
}
