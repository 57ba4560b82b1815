/* The model's part of what sessions ask for. */
#include "model_parts.h"

#include <string.h>

/* ---- trading ------------------------------------------------------------------------------------------------------
 */

static bool crosses(const struct model_order *taker, const struct model_order *maker)
{
    if (taker->price_ticks == PRICE_TICKS_MARKET)
        return true;
    return sells(taker->side) ? maker->price_ticks >= taker->price_ticks : maker->price_ticks <= taker->price_ticks;
}

static void execute(struct model *model, struct model_order *taker, struct model_order *maker)
{
    uint32_t quantity = taker->leaves < maker->leaves ? taker->leaves : maker->leaves;
    struct model_order *both[2] = {taker, maker};
    for (int i = 0; i < 2; i++) {
        both[i]->leaves -= quantity;
        both[i]->executed += quantity;
    }
    maker->live = maker->leaves != 0;
    struct event *event = model_add_event(model, EVENT_EXECUTED);
    model_about(event, taker);
    model_to_session(model, event, taker->session);
    event->flags =
        (uint8_t)((taker->appendage ? EVENT_HAS_APPENDAGE : 0) | (maker->appendage ? EVENT_MAKER_APPENDAGE : 0));
    event->trade.order_ref = taker->order_ref;
    event->trade.maker_order_ref = maker->order_ref;
    event->trade.match_number = ++model->match_number_last;
    event->trade.price_ticks = maker->price_ticks;
    event->trade.quantity = quantity;
    event->trade.leaves_quantity = taker->leaves;
    event->trade.maker_leaves_quantity = maker->leaves;
    event->trade.maker_session = maker->session;
    event->trade.maker_message_no = ++model->sessions[maker->session].message_no;
    event->trade.maker_user_ref = maker->user_ref;
    event->trade.maker_user_ref_index = maker->user_ref_index;
    event->trade.maker_side = maker->side;
    event->trade.liquidity = 'R';
    event->trade.maker_liquidity = 'A';
}

static bool rests(const struct model_order *order)
{
    return order->time_in_force == '0' && order->price_ticks != PRICE_TICKS_MARKET;
}

/* The order has been told of; it is the last of the list and not live yet. */
static void trade(struct model *model, struct model_order *taker)
{
    model->instrument_at_hand = taker->instrument;
    for (;;) {
        struct model_order *maker = model_best_order(model, taker->instrument, !sells(taker->side));
        if (taker->leaves == 0 || !maker || !crosses(taker, maker))
            break;
        execute(model, taker, maker);
    }
    if (taker->leaves != 0 && rests(taker))
        taker->live = true;
    else if (taker->leaves != 0)
        model_canceled(model, taker, 0, 'I');
}

/* ---- ENTER and REPLACE --------------------------------------------------------------------------------------------
 */

static bool one_of(uint8_t letter, const char *letters)
{
    return letter != 0 && strchr(letters, letter) != NULL;
}

static uint16_t terms_reason(const struct model_instrument *instrument, const struct command_order *asked)
{
    if (asked->quantity == 0 || asked->quantity > 999999 || asked->quantity % instrument->lot != 0)
        return 0x0013;
    bool market = asked->price_ticks == PRICE_TICKS_MARKET;
    if (!market && (asked->price_ticks <= 0 || asked->price_ticks > 1999999900 ||
                    (uint32_t)asked->price_ticks % instrument->tick != 0))
        return 0x001d;
    if (!one_of(asked->display, "YA"))
        return 0x0003;
    if (!one_of(asked->time_in_force, "03"))
        return 0x000f;
    if (asked->options & OPTION_IS_SWEEP)
        return 0x0008;
    if (asked->min_quantity != 0)
        return 0x000d;
    if (asked->max_floor != 0 || asked->random_reserve != 0)
        return 0x0004;
    if (asked->options & (OPTION_IS_POST_ONLY | OPTION_IS_TRADE_NOW | OPTION_TRIGGER | OPTION_SELF_MATCH))
        return 0x000f;
    if (asked->handle_inst != 0 && asked->handle_inst != ' ')
        return 0x000f;
    if (asked->expire_s != 0 || asked->trigger_ticks != 0 || asked->trigger_kind != 0 || asked->self_match != 0)
        return 0x000f;
    if (one_of(asked->price_type, "PMRQm"))
        return 0x0011;
    if (asked->price_type != 0 && !one_of(asked->price_type, "L "))
        return 0x0005;
    return asked->peg_offset_ticks != 0 ? 0x0011 : 0;
}

static uint16_t entry_reason(const struct model *model)
{
    const struct command_order *asked = &model->command->order;
    const char *firm = model->sessions[model->command->session].firm;
    if (!model->day_open)
        return 0x0002;
    if (asked->instrument == 0 || asked->instrument > model->instrument_count)
        return 0x0017;
    if (!one_of(asked->side, "BSTE"))
        return 0x0009;
    uint16_t reason = terms_reason(&model->instruments[asked->instrument], asked);
    if (reason)
        return reason;
    if (!one_of(asked->capacity, "APRO"))
        return 0x000f;
    if (!blank(asked->firm) && !blank(firm) && memcmp(asked->firm, firm, FIRM_BYTES) != 0)
        return 0x000c;
    if (asked->cross_type != 'N')
        return 0x0014;
    bool would_rest = asked->time_in_force == '0' && asked->price_ticks != PRICE_TICKS_MARKET;
    return would_rest && model_live_orders(model) == model->limits.orders_max ? 0x000a : 0;
}

/* The last user_ref of the command's channel; NULL if there can be no more channels. */
static uint32_t *user_ref_last(struct model *model)
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

static struct model_order *new_order(struct model *model, const struct command_order *asked)
{
    struct model_order *order = &model->orders[model->order_count++];
    *order = (struct model_order){
        .appendage = model->command->flags & COMMAND_HAS_APPENDAGE,
        .order_ref = ++model->order_ref_last,
        .session = model->command->session,
        .user_ref = model->command->user_ref,
        .user_ref_index = asked->user_ref_index,
        .price_ticks = asked->price_ticks,
        .time_in_force = asked->time_in_force,
        .display = asked->display,
    };
    return order;
}

static struct event *told_order(struct model *model, const struct model_order *order, uint8_t kind)
{
    struct event *event = model_add_event(model, kind);
    model_answer(model, event);
    model_about(event, order);
    event->reason = 'L';
    event->accepted.order_ref = order->order_ref;
    memcpy(event->accepted.symbol, model->instruments[order->instrument].symbol, SYMBOL_BYTES);
    event->accepted.price_ticks = order->price_ticks;
    event->accepted.quantity = order->leaves;
    event->accepted.options = order->options;
    memcpy(event->accepted.firm, order->firm, FIRM_BYTES);
    event->accepted.time_in_force = order->time_in_force;
    event->accepted.display = order->display;
    event->accepted.capacity = order->capacity;
    event->accepted.cross_type = order->cross_type;
    event->accepted.price_type = 'L';
    event->accepted.handle_inst = ' ';
    memcpy(event->accepted.client_order_id, model->command->order.client_order_id, CLIENT_ORDER_ID_BYTES);
    return event;
}

static void enter(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    uint32_t *last = user_ref_last(model);
    if (!last) {
        model_reject(model, 0x000a);
        return;
    }
    if (model->command->user_ref <= *last)
        return;
    *last = model->command->user_ref;
    uint16_t reason = entry_reason(model);
    if (reason) {
        model_reject(model, reason);
        return;
    }
    struct model_order *order = new_order(model, asked);
    order->instrument = asked->instrument;
    order->side = asked->side;
    order->leaves = asked->quantity;
    order->options = asked->options;
    order->capacity = asked->capacity;
    order->cross_type = asked->cross_type;
    memcpy(order->firm, blank(asked->firm) ? model->sessions[model->command->session].firm : asked->firm, FIRM_BYTES);
    told_order(model, order, EVENT_ACCEPTED);
    trade(model, order);
}

static uint32_t options_of_replacement(uint32_t original, uint32_t asked)
{
    uint32_t options = asked;
    const uint32_t pairs[][2] = {{OPTION_CUSTOMER_TYPE, OPTION_IS_RETAIL},
                                 {OPTION_POST_ONLY, OPTION_IS_POST_ONLY},
                                 {OPTION_TRADE_NOW, OPTION_IS_TRADE_NOW}};
    for (int i = 0; i < 3; i++) {
        if (!(asked & pairs[i][0]))
            options |= original & (pairs[i][0] | pairs[i][1]);
    }
    uint32_t plain = OPTION_FIRM | OPTION_MIN_QUANTITY | OPTION_MAX_FLOOR | OPTION_PRICE_TYPE | OPTION_PEG_OFFSET |
                     OPTION_RANDOM_RESERVE | OPTION_EXPIRE_TIME | OPTION_HANDLE_INST | OPTION_GROUP |
                     OPTION_USER_REF_INDEX;
    return options | (original & plain);
}

static void replace(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    struct model_order *original = model_find_order(model, asked->target_user_ref);
    uint32_t *last = original ? user_ref_last(model) : NULL;
    if (!last || model->command->user_ref <= *last)
        return;
    uint32_t instrument = original->instrument;
    if (terms_reason(&model->instruments[instrument], asked) || asked->quantity <= original->executed) {
        model_canceled(model, original, 0, 'U');
        return;
    }
    *last = model->command->user_ref;
    original->live = false;
    struct model_order *order = new_order(model, asked);
    order->instrument = instrument;
    order->side = original->side;
    order->executed = original->executed;
    order->leaves = asked->quantity - original->executed;
    order->options = options_of_replacement(original->options, asked->options);
    order->capacity = original->capacity;
    order->cross_type = original->cross_type;
    memcpy(order->firm, original->firm, FIRM_BYTES);
    struct event *event = told_order(model, order, EVENT_REPLACED);
    event->replaced.target_user_ref = asked->target_user_ref;
    event->replaced.previous_order_ref = original->order_ref;
    trade(model, order);
}

/* ---- the other requests -------------------------------------------------------------------------------------------
 */

/* Open shares if the order is to trade `size` in all. */
static uint32_t leaves_for(const struct model_order *order, uint32_t size)
{
    if (size >= order->executed + order->leaves)
        return order->leaves;
    return size <= order->executed ? 0 : size - order->executed;
}

static void cancel(struct model *model)
{
    struct model_order *order = model_find_order(model, model->command->order.target_user_ref);
    if (!order)
        return;
    uint32_t size = model->command->order.quantity;
    uint32_t leaves = size == 0 ? 0 : leaves_for(order, size);
    if (leaves != order->leaves)
        model_canceled(model, order, leaves, 'U');
}

static void modify(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    struct model_order *order = model_find_order(model, asked->target_user_ref);
    if (!order)
        return;
    bool allowed = asked->side == order->side || (order->side == 'S' && one_of(asked->side, "ET")) ||
                   (order->side == 'E' && asked->side == 'T');
    uint32_t leaves = leaves_for(order, asked->quantity);
    if (!allowed || (leaves == order->leaves && asked->side == order->side))
        return;
    if (leaves == 0) {
        model_canceled(model, order, 0, 'U');
        return;
    }
    order->side = asked->side;
    struct event *event = model_add_event(model, EVENT_MODIFIED);
    model_answer(model, event);
    model_about(event, order);
    event->cut.order_ref = order->order_ref;
    event->cut.price_ticks = order->price_ticks;
    event->cut.decrement = order->leaves - leaves;
    event->cut.leaves_quantity = leaves;
    order->leaves = leaves;
    model->instrument_at_hand = order->instrument;
}

static void account_query(struct model *model)
{
    struct event *event = model_add_event(model, EVENT_ACCOUNT_ANSWER);
    model_answer(model, event);
    event->user_ref_index = model->command->order.user_ref_index;
    event->user_ref = model->sessions[model->command->session].user_ref_last[event->user_ref_index] + 1;
}

static void reject_once(struct model *model, uint16_t reason)
{
    uint32_t *last = user_ref_last(model);
    if (last && model->command->user_ref <= *last)
        return;
    if (last)
        *last = model->command->user_ref;
    model_reject(model, reason);
}

void model_request(struct model *model)
{
    const struct model_session *session = &model->sessions[model->command->session];
    bool known = model->command->session != 0 && model->command->session <= model->session_count;
    if (!known || !session->connected || session->gateway != model->command->gateway ||
        session->tenure != model->command->tenure) {
        model_refuse(model, ENGINE_REFUSAL_NOT_CONNECTED);
        return;
    }
    if (model->command->kind == COMMAND_ENTER)
        enter(model);
    else if (model->command->kind == COMMAND_REPLACE)
        replace(model);
    else if (model->command->kind == COMMAND_CANCEL)
        cancel(model);
    else if (model->command->kind == COMMAND_MODIFY)
        modify(model);
    else if (model->command->kind == COMMAND_ACCOUNT_QUERY)
        account_query(model);
    else
        reject_once(model, model->command->kind == COMMAND_REFUSED ? model->command->refused.reason : 0x000f);
}
