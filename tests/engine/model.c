#include "model_parts.h"

#include <string.h>

/* ---- events -------------------------------------------------------------------------------------------------------
 */

struct event *model_add_event(struct model *model, uint8_t kind)
{
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

void model_answer(struct model *model, struct event *event)
{
    model_to_session(model, event, model->command->session);
    if (model->command->flags & COMMAND_HAS_APPENDAGE)
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

void model_canceled(struct model *model, struct model_order *order, uint32_t leaves, char reason)
{
    struct event *event = model_add_event(model, EVENT_CANCELED);
    if (reason == 'U') {
        model_answer(model, event);
    } else {
        model_to_session(model, event, order->session);
        event->flags = order->appendage ? EVENT_HAS_APPENDAGE : 0;
    }
    model_about(event, order);
    event->reason = (uint8_t)reason;
    event->cut.order_ref = order->order_ref;
    event->cut.price_ticks = order->price_ticks;
    event->cut.decrement = order->leaves - leaves;
    event->cut.leaves_quantity = leaves;
    order->leaves = leaves;
    order->live = leaves != 0;
    model->instrument_at_hand = order->instrument;
}

/* ---- books --------------------------------------------------------------------------------------------------------
 */

/* The live order of this side with the best price, the oldest of those; NULL. */
struct model_order *model_best_order(struct model *model, uint32_t instrument, bool of_sellers)
{
    struct model_order *best = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (!order->live || order->instrument != instrument || sells(order->side) != of_sellers)
            continue;
        bool better =
            !best || (of_sellers ? order->price_ticks < best->price_ticks : order->price_ticks > best->price_ticks);
        if (better)
            best = order;
    }
    return best;
}

static struct event_top top_of(struct model *model, uint32_t instrument)
{
    struct event_top top = {0};
    const struct model_order *bid = model_best_order(model, instrument, false);
    const struct model_order *ask = model_best_order(model, instrument, true);
    memcpy(top.symbol, model->instruments[instrument].symbol, SYMBOL_BYTES);
    top.bid_ticks = bid ? bid->price_ticks : 0;
    top.ask_ticks = ask ? ask->price_ticks : 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (!order->live || order->instrument != instrument)
            continue;
        if (sells(order->side) && order->price_ticks == top.ask_ticks)
            top.ask_quantity += order->leaves;
        if (!sells(order->side) && order->price_ticks == top.bid_ticks)
            top.bid_quantity += order->leaves;
    }
    return top;
}

void model_report_top(struct model *model)
{
    uint32_t instrument = model->instrument_at_hand;
    model->instrument_at_hand = 0;
    if (instrument == 0 || !model->limits.report_tops)
        return;
    struct event_top top = top_of(model, instrument);
    struct model_instrument *self = &model->instruments[instrument];
    if (memcmp(&top, &self->top, sizeof(top)) == 0)
        return;
    struct event *event = model_add_event(model, EVENT_BOOK_TOP);
    event->instrument = instrument;
    event->top = self->top = top;
}

uint32_t model_live_orders(const struct model *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->order_count; i++)
        count += model->orders[i].live;
    return count;
}

struct model_order *model_find_order(struct model *model, uint32_t user_ref)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (order->live && order->session == model->command->session && order->user_ref == user_ref &&
            order->user_ref_index == model->command->order.user_ref_index)
            return order;
    }
    return NULL;
}

/* ---- a command ----------------------------------------------------------------------------------------------------
 */

static void hash_events(struct model *model, uint32_t first)
{
    for (uint32_t i = first; i < model->event_count; i++)
        model->event_hash = engine_event_hash_next(model->event_hash, &model->events[i]);
}

static void checkpoint(struct model *model)
{
    hash_events(model, 0);
    struct event *event = model_add_event(model, EVENT_CHECKPOINT);
    event->checkpoint.command_seq = model->command->command_seq;
    event->checkpoint.event_hash = model->event_hash;
    event->checkpoint.state_hash = model->state_hash;
    event->checkpoint.live_order_count = model_live_orders(model);
    event->flags = EVENT_LAST_OF_COMMAND;
    hash_events(model, model->event_count - 1);
}

void model_init(struct model *model, const struct engine_limits *limits)
{
    memset(model, 0, offsetof(struct model, orders));
    model->limits = *limits;
    if (model->limits.channels_max == 0)
        model->limits.channels_max = limits->sessions_max;
}

void model_apply(struct model *model, const struct command *command)
{
    model->command = command;
    model->event_count = 0;
    if (command->kind >= COMMAND_ENTER && command->kind <= COMMAND_REFUSED)
        model_request(model);
    else
        model_other_command(model);
    model_report_top(model);
    if (command->command_seq % model->limits.checkpoint_commands == 0) {
        checkpoint(model);
        return;
    }
    if (model->event_count != 0)
        model->events[model->event_count - 1].flags |= EVENT_LAST_OF_COMMAND;
    hash_events(model, 0);
}

/* ---- comparing books ----------------------------------------------------------------------------------------------
 */

static bool same_order(const struct model_order *order, const struct engine_order_view *view)
{
    return view->order_ref == order->order_ref && view->session == order->session &&
           view->user_ref == order->user_ref && view->instrument == order->instrument &&
           view->price_ticks == order->price_ticks && view->leaves_quantity == order->leaves &&
           view->executed_quantity == order->executed && view->user_ref_index == order->user_ref_index &&
           view->side == order->side;
}

static const char *side_differs(struct model *model, const struct engine *engine, uint32_t instrument, bool of_sellers)
{
    struct engine_walk walk;
    struct engine_order_view view;
    static uint32_t hidden[MODEL_ORDERS_MAX];
    uint32_t hidden_count = 0;
    const char *rule = NULL;
    engine_walk_begin(engine, instrument, of_sellers ? 'S' : 'B', &walk);
    while (engine_walk_next(engine, &walk, &view)) {
        struct model_order *order = model_best_order(model, instrument, of_sellers);
        if (!order || !same_order(order, &view)) {
            rule = "an order of the book is not the model's";
            break;
        }
        order->live = false; /* until the walk is over, so that the next one is the best */
        hidden[hidden_count++] = (uint32_t)(order - model->orders);
    }
    if (!rule && model_best_order(model, instrument, of_sellers))
        rule = "the model has an order that the book has not";
    while (hidden_count > 0)
        model->orders[hidden[--hidden_count]].live = true;
    return rule;
}

const char *model_differs(struct model *model, const struct engine *engine)
{
    for (uint32_t instrument = 1; instrument <= model->instrument_count; instrument++) {
        for (int of_sellers = 0; of_sellers < 2; of_sellers++) {
            const char *rule = side_differs(model, engine, instrument, of_sellers);
            if (rule)
                return rule;
        }
    }
    return engine_live_orders(engine) == model_live_orders(model) ? NULL : "the numbers of live orders differ";
}
