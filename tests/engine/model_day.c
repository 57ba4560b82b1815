/* The reference model: days and time, and the trades of the day that are broken. */
#include "model_parts.h"

#include <string.h>

static void told_day(struct model *model, uint8_t kind)
{
    struct event *event = model_add_event(model, kind);
    event->day.date = model->date;
    event->day.midnight_ns = model->midnight_ns;
}

void model_day_start(struct model *model)
{
    const struct command *command = model->command;
    if (model->day_open) {
        if (!model_is_idempotent(model))
            model_refuse(model, ENGINE_REFUSAL_DAY_IS_OPEN);
        return;
    }
    if (command->day.date <= model->date) {
        model_refuse(model, ENGINE_REFUSAL_DATE);
        return;
    }
    model->day_open = true;
    model->date = command->day.date;
    model->midnight_ns = command->day.midnight_ns;
    model->channel_count = 0;
    model->trade_count = 0;
    told_day(model, EVENT_DAY_STARTED);
    for (uint32_t session = 1; session <= model->session_count; session++) {
        struct model_session *self = &model->sessions[session];
        self->message_no = 0;
        memset(self->user_ref_last, 0, sizeof(self->user_ref_last));
        memset(self->channel_used, 0, sizeof(self->channel_used));
        model_system_event(model, session, 'S');
    }
}

static bool every_order(const struct model *model, const struct model_order *order, const void *asked)
{
    (void)model;
    (void)order;
    (void)asked;
    return true;
}

void model_day_end(struct model *model)
{
    if (!model->day_open) {
        if (!model_is_idempotent(model))
            model_refuse(model, ENGINE_REFUSAL_NO_DAY_IS_OPEN);
        return;
    }
    model->day_open = false;
    model_cancel_of_books(model, 'Z', every_order, NULL);
    for (uint32_t session = 1; session <= model->session_count; session++)
        model_system_event(model, session, 'E');
    told_day(model, EVENT_DAY_ENDED);
}

/* ---- TICK ---------------------------------------------------------------------------------------------------------
 */

/* The order that expires first, if its moment has come. */
static struct model_order *first_expired(struct model *model)
{
    struct model_order *first = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (order->place == MODEL_NOWHERE || order->expires_ns == 0 || order->expires_ns > model->command->time_ns)
            continue;
        if (!first || order->expires_ns < first->expires_ns ||
            (order->expires_ns == first->expires_ns && order->entry_ref < first->entry_ref))
            first = order;
    }
    return first;
}

void model_time_passes(struct model *model)
{
    struct model_order *order;
    while ((order = first_expired(model)) != NULL) {
        model_canceled(model, order, 0, 'T', false);
        model_settle_book(model, order->instrument);
    }
    model_away_too_long(model);
}

/* ---- TRADE_BREAK --------------------------------------------------------------------------------------------------
 */

static struct model_trade *find_trade(struct model *model, uint64_t match_number)
{
    uint32_t max = model->limits.trades_max;
    for (uint32_t i = model->trade_count > max ? model->trade_count - max : 0; i < model->trade_count; i++) {
        if (model->trades[i].match_number == match_number)
            return &model->trades[i];
    }
    return NULL;
}

static void told_broken(struct model *model, const struct event *executed)
{
    struct event *event = model_add_event(model, EVENT_BROKEN);
    model_to_session(model, event, executed->session);
    event->flags |= executed->flags & (EVENT_HAS_APPENDAGE | EVENT_MAKER_APPENDAGE);
    event->instrument = executed->instrument;
    event->user_ref = executed->user_ref;
    event->user_ref_index = executed->user_ref_index;
    event->side = executed->side;
    event->reason = model->command->trade.reason;
    event->trade.match_number = executed->trade.match_number;
    event->trade.price_ticks = executed->trade.price_ticks;
    event->trade.quantity = executed->trade.quantity;
    event->trade.maker_session = executed->trade.maker_session;
    event->trade.maker_message_no = ++model->sessions[executed->trade.maker_session].message_no;
    event->trade.maker_user_ref = executed->trade.maker_user_ref;
    event->trade.maker_user_ref_index = executed->trade.maker_user_ref_index;
    event->trade.maker_side = executed->trade.maker_side;
}

void model_trade_break(struct model *model)
{
    struct model_trade *trade = find_trade(model, model->command->trade.match_number);
    if (trade)
        model->meant_instrument = trade->event.instrument;
    if (!trade) {
        model_refuse(model, ENGINE_REFUSAL_UNKNOWN_TRADE);
    } else if (trade->broken) {
        model_refuse(model, ENGINE_REFUSAL_EXISTS);
    } else {
        trade->broken = true;
        told_broken(model, &trade->event);
    }
}
