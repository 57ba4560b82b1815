/* The reference model: what is asked for a whole firm: MASS_CANCEL, DISABLE and ENABLE. */
#include "model_parts.h"

#include <string.h>

/* What is known of the firm; one that is not there is added. */
struct model_firm *model_make_firm(struct model *model, const char firm[FIRM_BYTES])
{
    for (uint32_t i = 0; i < model->firm_count; i++) {
        if (memcmp(model->firms[i].firm, firm, FIRM_BYTES) == 0)
            return &model->firms[i];
    }
    struct model_firm *added = &model->firms[model->firm_count++];
    memcpy(added->firm, firm, FIRM_BYTES);
    return added;
}

/* The firm that the command means. */
static const char *meant(const struct model *model)
{
    const char *asked = model->command->order.firm;
    return blank(asked) ? model->sessions[model->command->session].firm : asked;
}

/* Whether to go on: the request is a new one, and may speak for the firm. */
static bool used_up(struct model *model)
{
    const char *own = model->sessions[model->command->session].firm;
    uint32_t *last = model_user_ref_last(model);
    if (!last) {
        model_reject(model, 0x000a);
        return false;
    }
    if (model->command->user_ref <= *last)
        return false;
    *last = model->command->user_ref;
    if (!blank(own) && memcmp(meant(model), own, FIRM_BYTES) != 0) {
        model_reject(model, 0x000c);
        return false;
    }
    return true;
}

static struct event *told_firm(struct model *model, uint8_t kind)
{
    struct event *event = model_add_event(model, kind);
    model_answer(model, event);
    event->user_ref = model->command->user_ref;
    event->user_ref_index = model->command->order.user_ref_index;
    memcpy(event->mass.firm, meant(model), FIRM_BYTES);
    event->mass.options = model->command->order.options;
    event->mass.group = (uint16_t)model->command->order.group;
    return event;
}

/* ---- MASS_CANCEL --------------------------------------------------------------------------------------------------
 */

static bool wanted(const struct model *model, const struct model_order *order, const void *asked_of)
{
    const struct command_order *asked = asked_of;
    if (memcmp(order->firm, meant(model), FIRM_BYTES) != 0)
        return false;
    if (asked->instrument != 0 && order->instrument != asked->instrument)
        return false;
    if (asked->side != 0 && asked->side != ' ' && order->side != asked->side)
        return false;
    if ((asked->options & OPTION_GROUP) && order->group != asked->group)
        return false;
    return !(asked->options & OPTION_USER_REF_INDEX) || order->user_ref_index == asked->user_ref_index;
}

void model_mass_cancel(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    if (!used_up(model))
        return;
    if (asked->instrument > model->instrument_count) {
        model_reject(model, 0x0017);
        return;
    }
    if (asked->side != 0 && !one_of(asked->side, " BSTE")) {
        model_reject(model, 0x0009);
        return;
    }
    model_cancel_of_books(model, 'U', wanted, asked);
    struct event *event = told_firm(model, EVENT_MASS_CANCELED);
    event->instrument = asked->instrument;
    event->side = asked->side == ' ' ? 0 : asked->side;
    memcpy(event->mass.symbol, asked->instrument ? model->instruments[asked->instrument].symbol : "        ",
           SYMBOL_BYTES);
}

/* ---- DISABLE and ENABLE -------------------------------------------------------------------------------------------
 */

void model_disable_or_enable(struct model *model)
{
    bool disables = model->command->kind == COMMAND_DISABLE;
    if (!used_up(model))
        return;
    model_make_firm(model, meant(model))->member_disabled = disables;
    told_firm(model, disables ? EVENT_ENTRY_DISABLED : EVENT_ENTRY_ENABLED);
}
