#include "request.h"

#include "wire/ouch.h"

#include <string.h>

#define PRICE_NONE UINT64_C(0x80000000) /* beyond any price: what a replacement with invalid details had */

static uint64_t price_of(int32_t ticks)
{
    return ticks < 0 ? PRICE_NONE : (uint64_t)ticks;
}

/* ---- options ------------------------------------------------------------------------------------------------------
 */

static void put_flags(struct ouch_options *options, const struct command_order *order)
{
    uint32_t given = order->options;
    if (given & OPTION_CUSTOMER_TYPE) {
        options->present |= OUCH_HAS_CUSTOMER_TYPE;
        options->customer_type = given & OPTION_IS_RETAIL ? 'R' : 'N';
    }
    if (given & OPTION_POST_ONLY) {
        options->present |= OUCH_HAS_POST_ONLY;
        options->post_only = given & OPTION_IS_POST_ONLY ? 'P' : 'N';
    }
    if (given & OPTION_TRADE_NOW) {
        options->present |= OUCH_HAS_TRADE_NOW;
        options->trade_now = given & OPTION_IS_TRADE_NOW ? 'Y' : 'N';
    }
    if (given & OPTION_SHARES_LOCATED) {
        options->present |= OUCH_HAS_SHARES_LOCATED;
        options->shares_located = given & OPTION_IS_LOCATED ? 'Y' : 'N';
    }
}

static uint32_t bits_of(uint32_t given)
{
    static const struct {
        uint32_t record;
        uint32_t wire;
    } pairs[] = {
        {OPTION_FIRM, OUCH_HAS_FIRM},
        {OPTION_MIN_QUANTITY, OUCH_HAS_MIN_QUANTITY},
        {OPTION_MAX_FLOOR, OUCH_HAS_MAX_FLOOR},
        {OPTION_PRICE_TYPE, OUCH_HAS_PRICE_TYPE},
        {OPTION_PEG_OFFSET, OUCH_HAS_PEG_OFFSET},
        {OPTION_RANDOM_RESERVE, OUCH_HAS_RANDOM_RESERVE},
        {OPTION_EXPIRE_TIME, OUCH_HAS_EXPIRE_S},
        {OPTION_HANDLE_INST, OUCH_HAS_HANDLE_INST},
        {OPTION_GROUP, OUCH_HAS_GROUP},
        {OPTION_SELF_MATCH, OUCH_HAS_SELF_MATCH},
        {OPTION_USER_REF_INDEX, OUCH_HAS_USER_REF_INDEX},
    };
    uint32_t bits = 0;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        bits |= given & pairs[i].record ? pairs[i].wire : 0;
    return bits;
}

static void put_trigger(struct ouch_options *options, const struct command_order *order)
{
    if (!(order->options & OPTION_TRIGGER))
        return;
    options->present |= OUCH_HAS_TRIGGER;
    options->trigger = order->trigger_kind ? order->trigger_kind : 'N';
    if (order->trigger_kind == 'S') {
        options->present |= OUCH_HAS_TRIGGER_PRICE;
        options->trigger_price = price_of(order->trigger_ticks);
    } else if (order->trigger_kind == 'T') {
        options->present |= OUCH_HAS_TRAIL_OFFSET;
        options->trail_offset = price_of(order->trigger_ticks);
    }
}

/* The options of an order, in `bytes`. */
static struct ouch_appendage put_order_options(const struct command *command, uint8_t *bytes)
{
    const struct command_order *order = &command->order;
    struct ouch_options options = {
        .present = bits_of(order->options),
        .min_quantity = order->min_quantity,
        .max_floor = order->max_floor,
        .price_type = order->price_type,
        .peg_offset = order->peg_offset_ticks,
        .random_reserve = order->random_reserve,
        .expire_s = order->expire_s,
        .handle_inst = order->handle_inst,
        .self_match = order->self_match ? order->self_match : 'N',
        .user_ref_index = order->user_ref_index,
        .group = (uint16_t)(command->kind == COMMAND_REPLACE ? order->replace_group : order->group),
    };
    memcpy(options.firm, order->firm, sizeof(options.firm));
    put_flags(&options, order);
    put_trigger(&options, order);
    return (struct ouch_appendage){
        .bytes = bytes, .count = (uint16_t)ouch_options_encode(bytes, &options), .present = true};
}

/* Those of the requests that have few. */
static struct ouch_appendage put_few_options(const struct command *command, uint8_t *bytes)
{
    const struct command_order *order = &command->order;
    struct ouch_options options = {.user_ref_index = order->user_ref_index, .side = order->side};
    if (!(command->flags & COMMAND_HAS_APPENDAGE))
        return (struct ouch_appendage){0};
    if (order->options & OPTION_USER_REF_INDEX)
        options.present |= OUCH_HAS_USER_REF_INDEX;
    if (command->kind == COMMAND_MASS_CANCEL && order->side != 0)
        options.present |= OUCH_HAS_SIDE;
    if (command->kind == COMMAND_MASS_CANCEL && (order->options & OPTION_GROUP)) {
        options.present |= OUCH_HAS_GROUP;
        options.group = (uint16_t)order->group;
    }
    return (struct ouch_appendage){
        .bytes = bytes, .count = (uint16_t)ouch_options_encode(bytes, &options), .present = true};
}

/* ---- messages -----------------------------------------------------------------------------------------------------
 */

static void put_symbol(char to[SYMBOL_BYTES], const char *symbol)
{
    size_t bytes = strnlen(symbol, SYMBOL_BYTES);
    memset(to, ' ', SYMBOL_BYTES);
    memcpy(to, symbol, bytes);
}

static uint32_t put_enter(const struct command *command, const char *symbol, uint8_t *options, uint8_t *out)
{
    const struct command_order *order = &command->order;
    struct ouch_enter enter = {
        .user_ref = command->user_ref,
        .side = order->side,
        .quantity = order->quantity,
        .price = price_of(order->price_ticks),
        .time_in_force = order->time_in_force,
        .display = order->display,
        .capacity = order->capacity,
        .sweep = order->options & OPTION_IS_SWEEP ? 'Y' : 'N',
        .cross_type = order->cross_type,
        .appendage = put_order_options(command, options),
    };
    put_symbol(enter.symbol, symbol);
    memcpy(enter.client_order_id, order->client_order_id, sizeof(enter.client_order_id));
    return ouch_encode_enter(out, &enter);
}

static uint32_t put_replace(const struct command *command, uint8_t *options, uint8_t *out)
{
    const struct command_order *order = &command->order;
    struct ouch_replace replace = {
        .orig_user_ref = order->target_user_ref,
        .user_ref = command->user_ref,
        .quantity = order->quantity,
        .price = price_of(order->price_ticks),
        .time_in_force = order->time_in_force,
        .display = order->display,
        .sweep = order->options & OPTION_IS_SWEEP ? 'Y' : 'N',
        .appendage = put_order_options(command, options),
    };
    memcpy(replace.client_order_id, order->client_order_id, sizeof(replace.client_order_id));
    return ouch_encode_replace(out, &replace);
}

static uint32_t put_mass_cancel(const struct command *command, const char *symbol, uint8_t *options, uint8_t *out)
{
    struct ouch_mass_cancel mass = {.user_ref = command->user_ref, .appendage = put_few_options(command, options)};
    memcpy(mass.firm, command->order.firm, sizeof(mass.firm));
    put_symbol(mass.symbol, symbol);
    return ouch_encode_mass_cancel(out, &mass);
}

static uint32_t put_entry(const struct command *command, uint8_t *options, uint8_t *out)
{
    struct ouch_disable disable = {.user_ref = command->user_ref, .appendage = put_few_options(command, options)};
    memcpy(disable.firm, command->order.firm, sizeof(disable.firm));
    const struct ouch_enable enable = {.user_ref = disable.user_ref, .appendage = disable.appendage};
    if (command->kind == COMMAND_DISABLE)
        return ouch_encode_disable(out, &disable);
    struct ouch_enable filled = enable;
    memcpy(filled.firm, disable.firm, sizeof(filled.firm));
    return ouch_encode_enable(out, &filled);
}

static uint32_t put_cancel(const struct command *command, uint8_t *options, uint8_t *out)
{
    const struct ouch_cancel cancel = {.user_ref = command->order.target_user_ref,
                                       .quantity = command->order.quantity,
                                       .appendage = put_few_options(command, options)};
    return ouch_encode_cancel(out, &cancel);
}

static uint32_t put_modify(const struct command *command, uint8_t *options, uint8_t *out)
{
    const struct ouch_modify modify = {.user_ref = command->order.target_user_ref,
                                       .side = command->order.side,
                                       .quantity = command->order.quantity,
                                       .appendage = put_few_options(command, options)};
    return ouch_encode_modify(out, &modify);
}

uint32_t request_encode(const struct command *command, const char *symbol, uint8_t *out)
{
    uint8_t options[OUCH_OPTIONS_BYTES_MAX];
    switch (command->kind) {
    case COMMAND_ENTER:
        return *symbol ? put_enter(command, symbol, options, out) : 0;
    case COMMAND_REPLACE:
        return put_replace(command, options, out);
    case COMMAND_CANCEL:
        return put_cancel(command, options, out);
    case COMMAND_MODIFY:
        return put_modify(command, options, out);
    case COMMAND_MASS_CANCEL:
        return put_mass_cancel(command, symbol, options, out);
    case COMMAND_DISABLE:
    case COMMAND_ENABLE:
        return put_entry(command, options, out);
    case COMMAND_ACCOUNT_QUERY:
        return ouch_encode_account_query(out,
                                         &(struct ouch_account_query){.appendage = put_few_options(command, options)});
    default:
        return 0;
    }
}
