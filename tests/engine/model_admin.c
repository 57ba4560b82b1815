/* The reference model: instruments and limits, and what operators do to members. */
#include "model_parts.h"

#include <string.h>

void model_told_instrument(struct model *model, uint32_t instrument, uint8_t kind)
{
    const struct model_instrument *self = &model->instruments[instrument];
    struct event *event = model_add_event(model, kind);
    event->instrument = instrument;
    memcpy(event->admin.symbol, self->symbol, SYMBOL_BYTES);
    event->admin.tick_ticks = (int32_t)self->tick;
    event->admin.lot_quantity = self->lot;
    event->admin.reference_ticks = self->reference;
    event->admin.collar_ticks = self->collar;
    event->admin.fat_finger_ticks = self->fat_finger;
    event->admin.quantity_max = self->quantity_max;
    event->admin.notional_max = self->notional_max;
    event->admin.market_state = self->state;
}

static bool no_price(int32_t ticks)
{
    return ticks < 0 || ticks > PRICE_TICKS_MAX;
}

/* A limit or reference that cannot be. */
static bool limits_invalid(const struct command_admin *admin)
{
    return no_price(admin->reference_ticks) || no_price(admin->collar_ticks) || no_price(admin->fat_finger_ticks) ||
           admin->quantity_max > QUANTITY_MAX;
}

static void set_limits(struct model_instrument *instrument, const struct command_admin *admin)
{
    instrument->collar = admin->collar_ticks;
    instrument->fat_finger = admin->fat_finger_ticks;
    instrument->quantity_max = admin->quantity_max;
    instrument->notional_max = admin->notional_max;
    if (admin->reference_ticks != 0)
        instrument->reference = admin->reference_ticks;
}

static bool instrument_invalid(const struct command_admin *admin)
{
    return admin->symbol[0] <= ' ' || no_price(admin->tick_ticks) || admin->lot_quantity > QUANTITY_MAX ||
           (admin->market_state != 0 && !one_of(admin->market_state, "POHCX")) || limits_invalid(admin);
}

static uint32_t find_symbol(const struct model *model, const char symbol[SYMBOL_BYTES])
{
    for (uint32_t i = 1; i <= model->instrument_count; i++) {
        if (memcmp(model->instruments[i].symbol, symbol, SYMBOL_BYTES) == 0)
            return i;
    }
    return 0;
}

bool model_is_idempotent(const struct model *model)
{
    return model->command->gateway == 0 || model->command->flags & COMMAND_IF_NEEDED;
}

bool model_means_instrument(struct model *model)
{
    const struct command_admin *admin = &model->command->admin;
    bool named = admin->symbol[0] > ' ';
    uint32_t instrument = admin->instrument != 0 ? admin->instrument : named ? find_symbol(model, admin->symbol) : 0;
    if (instrument > model->instrument_count || (instrument == 0 && named))
        return false;
    model->meant_instrument = instrument;
    return true;
}

/* The limits that an instrument is to have, if any is named; its reference stays. */
static void ensure_limits(struct model *model, uint32_t instrument)
{
    struct model_instrument *self = &model->instruments[instrument];
    struct command_admin admin = model->command->admin;
    admin.reference_ticks = 0;
    if (no_price(admin.tick_ticks) || admin.lot_quantity > QUANTITY_MAX || limits_invalid(&admin)) {
        model_refuse(model, ENGINE_REFUSAL_INVALID);
        return;
    }
    bool named = admin.collar_ticks || admin.fat_finger_ticks || admin.quantity_max || admin.notional_max;
    bool same = self->collar == admin.collar_ticks && self->fat_finger == admin.fat_finger_ticks &&
                self->quantity_max == admin.quantity_max && self->notional_max == admin.notional_max;
    if (!named || same)
        return;
    set_limits(self, &admin);
    model_told_instrument(model, instrument, EVENT_LIMITS_CHANGED);
}

void model_instrument_add(struct model *model)
{
    const struct command_admin *admin = &model->command->admin;
    uint32_t known = find_symbol(model, admin->symbol);
    if (known != 0) {
        model->meant_instrument = known;
        if (model_is_idempotent(model))
            ensure_limits(model, known);
        else
            model_refuse(model, ENGINE_REFUSAL_EXISTS);
    } else if (instrument_invalid(admin)) {
        model_refuse(model, ENGINE_REFUSAL_INVALID);
    } else if (model->instrument_count == model->limits.instruments_max) {
        model_refuse(model, ENGINE_REFUSAL_FULL);
    } else {
        struct model_instrument *self = &model->instruments[++model->instrument_count];
        memcpy(self->symbol, admin->symbol, SYMBOL_BYTES);
        memcpy(self->top.symbol, admin->symbol, SYMBOL_BYTES);
        self->tick = admin->tick_ticks ? (uint32_t)admin->tick_ticks : 1;
        self->lot = admin->lot_quantity ? admin->lot_quantity : 1;
        self->state = admin->market_state ? admin->market_state : 'O';
        set_limits(self, admin);
        model->meant_instrument = model->instrument_count;
        model_told_instrument(model, model->instrument_count, EVENT_INSTRUMENT_ADDED);
    }
}

void model_instrument_limits(struct model *model)
{
    const struct command_admin *admin = &model->command->admin;
    if (!model_means_instrument(model) || model->meant_instrument == 0) {
        model_refuse(model, ENGINE_REFUSAL_UNKNOWN_INSTRUMENT);
        return;
    }
    struct model_instrument *self = &model->instruments[model->meant_instrument];
    bool same = self->collar == admin->collar_ticks && self->fat_finger == admin->fat_finger_ticks &&
                self->quantity_max == admin->quantity_max && self->notional_max == admin->notional_max &&
                (admin->reference_ticks == 0 || admin->reference_ticks == self->reference);
    bool other_tick = admin->tick_ticks != 0 && (uint32_t)admin->tick_ticks != self->tick;
    bool other_lot = admin->lot_quantity != 0 && admin->lot_quantity != self->lot;
    if (other_tick || other_lot || limits_invalid(admin)) {
        model_refuse(model, ENGINE_REFUSAL_INVALID);
        return;
    }
    if (same && model_is_idempotent(model))
        return;
    set_limits(self, admin);
    model_told_instrument(model, model->meant_instrument, EVENT_LIMITS_CHANGED);
}

void model_firm_limits(struct model *model)
{
    const struct command_admin *admin = &model->command->admin;
    if (admin->quantity_max > QUANTITY_MAX || blank(admin->firm)) {
        model_refuse(model, ENGINE_REFUSAL_INVALID);
        return;
    }
    struct model_firm *firm = model_make_firm(model, admin->firm);
    if (model_is_idempotent(model) && firm->quantity_max == admin->quantity_max &&
        firm->notional_max == admin->notional_max)
        return;
    firm->quantity_max = admin->quantity_max;
    firm->notional_max = admin->notional_max;
    struct event *event = model_add_event(model, EVENT_LIMITS_CHANGED);
    memcpy(event->admin.firm, admin->firm, FIRM_BYTES);
    event->admin.quantity_max = admin->quantity_max;
    event->admin.notional_max = admin->notional_max;
}

/* ---- what operators do to members ---------------------------------------------------------------------------------
 */

void model_told_act(const struct model *model, struct event_acted *acted)
{
    const struct command_act *act = &model->command->act;
    if (model->command->kind > COMMAND_ORDERS_CANCEL)
        return;
    acted->flag = act->flag;
    acted->target_gateway = act->target_gateway;
    memcpy(acted->user, act->user, USER_BYTES);
    memcpy(acted->firm, act->firm, FIRM_BYTES);
}

void model_firm_switch(struct model *model)
{
    const struct command_act *act = &model->command->act;
    if (blank(act->firm)) {
        model_refuse(model, ENGINE_REFUSAL_INVALID);
        return;
    }
    model_make_firm(model, act->firm)->operator_disabled = act->flag != 0;
    struct event *event = model_add_event(model, act->flag != 0 ? EVENT_ENTRY_DISABLED : EVENT_ENTRY_ENABLED);
    memcpy(event->mass.firm, act->firm, FIRM_BYTES);
}

/* Whose orders, of what, an operator wants gone; 0 and blank: any. */
struct wanted {
    uint32_t instrument, session;
    const char *firm;
};

static bool wanted_gone(const struct model *model, const struct model_order *order, const void *asked)
{
    (void)model;
    const struct wanted *wanted = asked;
    return (wanted->instrument == 0 || order->instrument == wanted->instrument) &&
           (wanted->session == 0 || order->session == wanted->session) &&
           (blank(wanted->firm) || memcmp(order->firm, wanted->firm, FIRM_BYTES) == 0);
}

void model_orders_cancel(struct model *model)
{
    const struct command_act *act = &model->command->act;
    struct wanted wanted = {.firm = act->firm};
    if (act->symbol[0] > ' ' && (wanted.instrument = find_symbol(model, act->symbol)) == 0) {
        model_refuse(model, ENGINE_REFUSAL_UNKNOWN_INSTRUMENT);
        return;
    }
    if (act->user[0] > ' ' && (wanted.session = model_find_user(model, act->user)) == 0) {
        model_refuse(model, ENGINE_REFUSAL_UNKNOWN_USER);
        return;
    }
    model->meant_instrument = wanted.instrument;
    model_cancel_of_books(model, 'S', wanted_gone, &wanted);
    struct event *event = model_add_event(model, EVENT_MASS_CANCELED);
    event->instrument = wanted.instrument;
    memcpy(event->mass.symbol, wanted.instrument ? model->instruments[wanted.instrument].symbol : "        ",
           SYMBOL_BYTES);
    if (!blank(act->firm))
        memcpy(event->mass.firm, act->firm, FIRM_BYTES);
}
