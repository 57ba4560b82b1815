/* The reference model: instruments and limits. */
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

static bool symbol_known(const struct model *model, const char symbol[SYMBOL_BYTES])
{
    for (uint32_t i = 1; i <= model->instrument_count; i++) {
        if (memcmp(model->instruments[i].symbol, symbol, SYMBOL_BYTES) == 0)
            return true;
    }
    return false;
}

void model_instrument_add(struct model *model)
{
    const struct command_admin *admin = &model->command->admin;
    if (symbol_known(model, admin->symbol)) {
        if (model->command->gateway != 0)
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
        model_told_instrument(model, model->instrument_count, EVENT_INSTRUMENT_ADDED);
    }
}

void model_instrument_limits(struct model *model)
{
    const struct command_admin *admin = &model->command->admin;
    if (admin->instrument == 0 || admin->instrument > model->instrument_count) {
        model_refuse(model, ENGINE_REFUSAL_UNKNOWN_INSTRUMENT);
        return;
    }
    struct model_instrument *self = &model->instruments[admin->instrument];
    bool other_tick = admin->tick_ticks != 0 && (uint32_t)admin->tick_ticks != self->tick;
    bool other_lot = admin->lot_quantity != 0 && admin->lot_quantity != self->lot;
    if (other_tick || other_lot || limits_invalid(admin)) {
        model_refuse(model, ENGINE_REFUSAL_INVALID);
        return;
    }
    set_limits(self, admin);
    model_told_instrument(model, admin->instrument, EVENT_LIMITS_CHANGED);
}

void model_firm_limits(struct model *model)
{
    const struct command_admin *admin = &model->command->admin;
    if (admin->quantity_max > QUANTITY_MAX || blank(admin->firm)) {
        model_refuse(model, ENGINE_REFUSAL_INVALID);
        return;
    }
    struct model_firm *firm = model_make_firm(model, admin->firm);
    firm->quantity_max = admin->quantity_max;
    firm->notional_max = admin->notional_max;
    struct event *event = model_add_event(model, EVENT_LIMITS_CHANGED);
    memcpy(event->admin.firm, admin->firm, FIRM_BYTES);
    event->admin.quantity_max = admin->quantity_max;
    event->admin.notional_max = admin->notional_max;
}
