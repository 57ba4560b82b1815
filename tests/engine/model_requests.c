/* The reference model: what sessions ask for; here ENTER, REPLACE and the little ones. */
#include "model_parts.h"

#include <string.h>

/* The last user_ref of the command's channel; NULL if there can be no more channels. */
uint32_t *model_user_ref_last(struct model *model)
{
    struct model_session *session = &model->sessions[model->command->session];
    uint8_t index = model->command->order.user_ref_index;
    if (index != 0 && !session->channel_used[index]) {
        if (model->channel_count == model->limits.channels_max)
            return NULL;
        session->channel_used[index] = true;
        model->channel_count++;
    }
    return &session->user_ref_last[index];
}

/* An order that is nowhere yet, with what each new one has from its request. */
static struct model_order requested(const struct model *model)
{
    const struct command_order *asked = &model->command->order;
    return (struct model_order){
        .appendage = (model->command->flags & COMMAND_HAS_APPENDAGE) != 0,
        .session = model->command->session,
        .user_ref = model->command->user_ref,
        .user_ref_index = asked->user_ref_index,
        .limit_ticks = asked->price_ticks,
        .size = asked->quantity,
        .leaves = asked->quantity,
        .min_quantity = asked->min_quantity,
        .max_floor = asked->max_floor,
        .random_reserve = asked->random_reserve,
        .price_type = asked->price_type,
        .trigger_kind = asked->trigger_kind,
        .self_match = asked->self_match,
        .peg_offset_ticks = asked->peg_offset_ticks,
        .trigger_ticks = asked->trigger_ticks,
        .post_only = (asked->options & OPTION_IS_POST_ONLY) != 0,
        .trade_now = (asked->options & OPTION_IS_TRADE_NOW) != 0,
        .sweep = (asked->options & OPTION_IS_SWEEP) != 0,
        .expire_s = asked->expire_s,
        .options = asked->options,
        .time_in_force = asked->time_in_force,
        .display = asked->display,
        .handle_inst = asked->handle_inst,
    };
}

/* The order is in: it has a number and a moment at which it expires. */
static struct model_order *entered(struct model *model, const struct model_order *resolved)
{
    struct model_order *order = &model->orders[model->order_count++];
    *order = *resolved;
    order->order_ref = order->entry_ref = ++model->order_ref_last;
    if (order->expire_s != 0)
        order->expires_ns = model->command->time_ns + order->expire_s * UINT64_C(1000000000);
    return order;
}

/* ---- ENTER --------------------------------------------------------------------------------------------------------
 */

static uint16_t entry_reason(const struct model *model, const struct model_order *order)
{
    const struct command_order *asked = &model->command->order;
    const char *firm = model->sessions[model->command->session].firm;
    if (!model->day_open)
        return 0x0002;
    if (asked->instrument == 0 || asked->instrument > model->instrument_count)
        return 0x0017;
    if (!one_of(asked->side, "BSTE"))
        return 0x0009;
    uint16_t reason = model_conditions(model, order, order->leaves);
    if (reason != 0)
        return reason;
    if (!one_of(asked->capacity, "APRO"))
        return 0x000f;
    if (!blank(asked->firm) && !blank(firm) && memcmp(asked->firm, firm, FIRM_BYTES) != 0)
        return 0x000c;
    return model_firm_reason(model, order);
}

static void enter(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    uint32_t *last = model_user_ref_last(model);
    if (!last) {
        model_reject(model, 0x000a);
        return;
    }
    if (model->command->user_ref <= *last)
        return;
    *last = model->command->user_ref;
    struct model_order resolved = requested(model);
    resolved.instrument = asked->instrument;
    resolved.side = asked->side;
    resolved.group = asked->group;
    resolved.capacity = asked->capacity;
    resolved.cross_type = asked->cross_type;
    memcpy(resolved.firm, blank(asked->firm) ? model->sessions[model->command->session].firm : asked->firm, FIRM_BYTES);
    uint16_t reason = entry_reason(model, &resolved);
    if (reason != 0) {
        model_reject(model, reason);
        return;
    }
    struct model_order *order = entered(model, &resolved);
    model_told_order(model, order, EVENT_ACCEPTED);
    model_arrive(model, order);
    model_settle_book(model, order->instrument);
}

/* ---- REPLACE ------------------------------------------------------------------------------------------------------
 */

static uint32_t options_of_replacement(uint32_t original, uint32_t asked)
{
    original &= ~(uint32_t)(OPTION_IS_SWEEP | OPTION_IS_LOCATED | OPTION_SHARES_LOCATED);
    const uint32_t retail = asked & OPTION_CUSTOMER_TYPE ? asked : original;
    const uint32_t post_only = asked & OPTION_POST_ONLY ? asked : original;
    const uint32_t trade_now = asked & OPTION_TRADE_NOW ? asked : original;
    const uint32_t values = OPTION_IS_RETAIL | OPTION_IS_POST_ONLY | OPTION_IS_TRADE_NOW;
    return ((original | asked) & ~values) | (retail & OPTION_IS_RETAIL) | (post_only & OPTION_IS_POST_ONLY) |
           (trade_now & OPTION_IS_TRADE_NOW);
}

/* What the request does not say again is the original's as it is now. */
static void inherit_options(struct model_order *order, const struct model_order *original, uint32_t asked)
{
    if (!(asked & OPTION_MIN_QUANTITY))
        order->min_quantity = original->min_quantity;
    if (!(asked & OPTION_MAX_FLOOR))
        order->max_floor = original->max_floor;
    if (!(asked & OPTION_PRICE_TYPE))
        order->price_type = original->price_type;
    if (!(asked & OPTION_PEG_OFFSET))
        order->peg_offset_ticks = original->peg_offset_ticks;
    if (!(asked & OPTION_POST_ONLY))
        order->post_only = original->post_only;
    if (!(asked & OPTION_RANDOM_RESERVE))
        order->random_reserve = original->random_reserve;
    if (!(asked & OPTION_TRADE_NOW))
        order->trade_now = original->trade_now;
    if (!(asked & OPTION_HANDLE_INST))
        order->handle_inst = original->handle_inst;
    if (!(asked & OPTION_GROUP))
        order->group = original->group;
    if (!(asked & OPTION_SELF_MATCH))
        order->self_match = original->self_match;
    if (!(asked & OPTION_TRIGGER)) {
        order->trigger_kind = original->trigger_kind;
        order->trigger_ticks = original->trigger_ticks;
    }
    if (!(asked & OPTION_EXPIRE_TIME)) {
        order->expire_s = 0;
        order->expires_ns = order->time_in_force == '6' ? original->expires_ns : 0;
    }
}

/* leaves and size are the request's quantity. */
static struct model_order replacement(const struct model *model, const struct model_order *original)
{
    struct model_order order = requested(model);
    uint32_t asked = model->command->order.options;
    order.group = model->command->order.replace_group;
    order.instrument = original->instrument;
    order.side = original->side;
    order.capacity = original->capacity;
    order.cross_type = original->cross_type;
    memcpy(order.firm, original->firm, FIRM_BYTES);
    inherit_options(&order, original, asked);
    order.options = options_of_replacement(original->options, asked);
    return order;
}

static bool replacement_stands(const struct model *model, const struct model_order *order, uint32_t done)
{
    if (!model->day_open || order->size <= done)
        return false;
    return model_conditions(model, order, order->size - done) == 0 && model_firm_reason(model, order) == 0;
}

static void replace(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    struct model_order *original = model_find_order(model, asked->target_user_ref);
    uint32_t *last = original ? model_user_ref_last(model) : NULL;
    if (!last || model->command->user_ref <= *last)
        return;
    struct model_order resolved = replacement(model, original);
    if (!replacement_stands(model, &resolved, gone(original))) {
        model_canceled(model, original, 0, 'U', true);
        model_settle_book(model, original->instrument);
        return;
    }
    *last = model->command->user_ref;
    model_leave(original);
    resolved.leaves = resolved.size - gone(original);
    struct model_order *order = entered(model, &resolved);
    uint32_t first = model->event_count;
    model_told_order(model, order, EVENT_REPLACED);
    model->events[first].replaced.target_user_ref = asked->target_user_ref;
    model->events[first].replaced.previous_order_ref = original->order_ref;
    model_arrive(model, order);
    model_settle_book(model, order->instrument);
}

/* ---- the other requests -------------------------------------------------------------------------------------------
 */

static void account_query(struct model *model)
{
    struct event *event = model_add_event(model, EVENT_ACCOUNT_ANSWER);
    model_answer(model, event);
    event->user_ref_index = model->command->order.user_ref_index;
    event->user_ref = model->sessions[model->command->session].user_ref_last[event->user_ref_index] + 1;
}

/* The gateway has refused it already. */
static void refused(struct model *model)
{
    uint32_t *last = model_user_ref_last(model);
    if (last && model->command->user_ref <= *last)
        return;
    if (last)
        *last = model->command->user_ref;
    model_reject(model, model->command->refused.reason);
}

static bool connected(const struct model *model)
{
    uint32_t number = model->command->session;
    if (number == 0 || number > model->session_count)
        return false;
    const struct model_session *session = &model->sessions[number];
    return session->connected && session->gateway == model->command->gateway &&
           session->tenure == model->command->tenure;
}

void model_request(struct model *model)
{
    uint8_t kind = model->command->kind;
    if (!connected(model))
        model_refuse(model, ENGINE_REFUSAL_NOT_CONNECTED);
    else if (kind == COMMAND_ENTER)
        enter(model);
    else if (kind == COMMAND_REPLACE)
        replace(model);
    else if (kind == COMMAND_CANCEL)
        model_cancel(model);
    else if (kind == COMMAND_MODIFY)
        model_modify(model);
    else if (kind == COMMAND_MASS_CANCEL)
        model_mass_cancel(model);
    else if (kind == COMMAND_DISABLE || kind == COMMAND_ENABLE)
        model_disable_or_enable(model);
    else if (kind == COMMAND_ACCOUNT_QUERY)
        account_query(model);
    else
        refused(model);
}
