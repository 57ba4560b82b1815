/*
 * OUCH 5.0 requests: bytes -> command.
 *
 * Rules
 *   1. Values of an order's fields (side, prices, quantities, letters) are the engine's to judge and pass as they are.
 *      Judged here is what the record cannot hold: options without a meaning here, prices beyond 32 bits.
 *   2. A request that can be read but not be granted becomes REFUSED with OUCH's reason (ENTER and the mass requests),
 * or, for a REPLACE, itself with a price that is none, since invalid details cancel the original (the second outcome of
 *      OUCH 5.0's Replace). CANCEL, MODIFY and ACCOUNT_QUERY have no refusal in OUCH, so theirs is a debug packet.
 *   3. COMMAND_HAS_APPENDAGE is set where the optional Appendage Length was there, and on the other requests where it
 * was not 0.
 *   4. Text in a record is printable: zeros at the end of a field count as spaces; a message with other bytes is not
 *      taken.
 */
#include "session_decode.h"

#include "base/bytes.h"
#include "base/require.h"
#include "session.h"
#include "wire/ouch.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define PRICE_TICKS_NONE (-1)

_Static_assert(PRICE_TICKS_MARKET == OUCH_PRICE_MARKET, "the record has the wire's price of a market order");

static const char id_unprintable[] = "the client order id is not printable";
static const char firm_unprintable[] = "the firm is not printable";

/* ---- fields ---- */

/* 0, or the reason for which this price is none. */
static inline uint16_t price_take(uint64_t price, int32_t *ret_ticks)
{
    if (LIKELY(price < OUCH_PRICE_MARKET)) {
        *ret_ticks = price == OUCH_PRICE_TOP ? PRICE_TICKS_MARKET : (int32_t)price;
        return 0;
    }
    bool market = price == OUCH_PRICE_MARKET || price == UINT64_MAX || price == INT64_MAX;
    *ret_ticks = market ? PRICE_TICKS_MARKET : PRICE_TICKS_NONE;
    return market ? 0 : OUCH_REJECT_INVALID_PRICE;
}

/* Bytes from ' ' to '~' only, eight at a time. */
static inline bool printable8(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    const uint64_t high = 0x8080808080808080u;
    return ((word | (word - 0x2020202020202020u) | (word + 0x0101010101010101u)) & high) == 0;
}

static bool text_mend(char *field, size_t field_bytes)
{
    size_t length = field_bytes;
    while (length > 0 && field[length - 1] == '\0')
        field[--length] = ' ';
    for (size_t i = 0; i < length; i++) {
        if (field[i] < ' ' || field[i] > '~')
            return false;
    }
    return true;
}

static inline bool client_order_id_take(struct command_order *order, const char id[CLIENT_ORDER_ID_BYTES])
{
    memcpy(order->client_order_id, id, CLIENT_ORDER_ID_BYTES);
    if (LIKELY(printable8(id) && printable8(id + CLIENT_ORDER_ID_BYTES - 8)))
        return true;
    return text_mend(order->client_order_id, CLIENT_ORDER_ID_BYTES);
}

static bool firm_take(struct command_order *order, const char firm[FIRM_BYTES])
{
    memcpy(order->firm, firm, FIRM_BYTES);
    return text_mend(order->firm, FIRM_BYTES);
}

/* ---- options ---- */

/* One that is yes or no. A space is the session's default, as if it had not been given. */
static uint16_t flag_take(struct command_order *order, uint8_t letter, char yes, char no, uint32_t option,
                          uint32_t value)
{
    if (letter == ' ')
        return 0;
    if (letter != (uint8_t)yes && letter != (uint8_t)no)
        return OUCH_REJECT_OTHER;
    order->options |= option | (letter == (uint8_t)yes ? value : 0);
    return 0;
}

static uint16_t flags_take(struct command_order *order, const struct ouch_options *options)
{
    uint32_t present = options->present;
    uint16_t reason = 0;
    if (present & OUCH_HAS_CUSTOMER_TYPE)
        reason |= flag_take(order, options->customer_type, 'R', 'N', OPTION_CUSTOMER_TYPE, OPTION_IS_RETAIL);
    if (present & OUCH_HAS_POST_ONLY)
        reason |= flag_take(order, options->post_only, 'P', 'N', OPTION_POST_ONLY, OPTION_IS_POST_ONLY);
    if (present & OUCH_HAS_TRADE_NOW)
        reason |= flag_take(order, options->trade_now, 'Y', 'N', OPTION_TRADE_NOW, OPTION_IS_TRADE_NOW);
    if (present & OUCH_HAS_SHARES_LOCATED)
        reason |= flag_take(order, options->shares_located, 'Y', 'N', OPTION_SHARES_LOCATED, OPTION_IS_LOCATED);
    return reason;
}

/* Letters and quantities pass as they are: the engine knows which of them it gives a meaning to. */
static void values_take(struct command_order *order, const struct ouch_options *options)
{
    uint32_t present = options->present;
    if (present & OUCH_HAS_MIN_QUANTITY)
        order->min_quantity = options->min_quantity;
    if (present & OUCH_HAS_MAX_FLOOR)
        order->max_floor = options->max_floor;
    if (present & OUCH_HAS_PRICE_TYPE)
        order->price_type = options->price_type;
    if (present & OUCH_HAS_PEG_OFFSET)
        order->peg_offset_ticks = options->peg_offset;
    if (present & OUCH_HAS_RANDOM_RESERVE)
        order->random_reserve = options->random_reserve;
    if (present & OUCH_HAS_EXPIRE_S)
        order->expire_s = options->expire_s;
    if (present & OUCH_HAS_HANDLE_INST)
        order->handle_inst = options->handle_inst;
    if (present & OUCH_HAS_SELF_MATCH)
        order->self_match = options->self_match == 'N' ? 0 : options->self_match;
    if (present & OUCH_HAS_USER_REF_INDEX)
        order->user_ref_index = options->user_ref_index;
}

/* A replacement names its original where other kinds have the group. */
static void group_take(struct command *command, const struct ouch_options *options)
{
    if (!(options->present & OUCH_HAS_GROUP))
        return;
    if (command->kind == COMMAND_REPLACE)
        command->order.replace_group = options->group;
    else
        command->order.group = options->group;
}

/* A stop has its price, a trailing one its distance; anything else is no trigger. */
static uint16_t trigger_take(struct command_order *order, const struct ouch_options *options)
{
    uint32_t given = options->present & (OUCH_HAS_TRIGGER | OUCH_HAS_TRIGGER_PRICE | OUCH_HAS_TRAIL_OFFSET);
    if (given == 0)
        return 0;
    if (given == OUCH_HAS_TRIGGER && options->trigger == 'N') {
        order->options |= OPTION_TRIGGER; /* a replacement that has none, whatever its original had */
        return 0;
    }
    bool stop = given == (OUCH_HAS_TRIGGER | OUCH_HAS_TRIGGER_PRICE) && options->trigger == 'S';
    bool trailing = given == (OUCH_HAS_TRIGGER | OUCH_HAS_TRAIL_OFFSET) && options->trigger == 'T';
    if (!stop && !trailing)
        return OUCH_REJECT_OTHER;
    order->trigger_kind = options->trigger;
    order->options |= OPTION_TRIGGER;
    return price_take(stop ? options->trigger_price : options->trail_offset, &order->trigger_ticks);
}

/* Which bit of the record an option that is more than yes or no has. */
static uint32_t bits_of(uint32_t present)
{
    static const struct {
        uint32_t wire;
        uint32_t record;
    } pairs[] = {
        {OUCH_HAS_FIRM, OPTION_FIRM},
        {OUCH_HAS_MIN_QUANTITY, OPTION_MIN_QUANTITY},
        {OUCH_HAS_MAX_FLOOR, OPTION_MAX_FLOOR},
        {OUCH_HAS_PRICE_TYPE, OPTION_PRICE_TYPE},
        {OUCH_HAS_PEG_OFFSET, OPTION_PEG_OFFSET},
        {OUCH_HAS_RANDOM_RESERVE, OPTION_RANDOM_RESERVE},
        {OUCH_HAS_EXPIRE_S, OPTION_EXPIRE_TIME},
        {OUCH_HAS_HANDLE_INST, OPTION_HANDLE_INST},
        {OUCH_HAS_GROUP, OPTION_GROUP},
        {OUCH_HAS_SELF_MATCH, OPTION_SELF_MATCH},
        {OUCH_HAS_USER_REF_INDEX, OPTION_USER_REF_INDEX},
    };
    uint32_t bits = 0;
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++)
        bits |= present & pairs[i].wire ? pairs[i].record : 0;
    return bits;
}

/* What has no meaning here, and the reason that says so. */
static uint16_t meaningless(uint32_t present)
{
    if (present & OUCH_HAS_ROUTE)
        return OUCH_REJECT_ROUTING_NOT_ALLOWED;
    const uint32_t others =
        OUCH_HAS_DISCRETION_PRICE | OUCH_HAS_DISCRETION_TYPE | OUCH_HAS_DISCRETION_OFFSET | OUCH_HAS_LOCATE_BROKER;
    return present & others ? OUCH_REJECT_OTHER : 0;
}

/* Options that break a rule are none, but for the channel: that of the request and of its answer. */
static void channel_take(struct command *command, struct ouch_appendage appendage)
{
    uint8_t channel;
    command->flags = COMMAND_HAS_APPENDAGE;
    if (!ouch_options_channel(appendage, &channel))
        return;
    command->order.user_ref_index = channel;
    command->order.options |= OPTION_USER_REF_INDEX;
}

/* Options of ENTER and REPLACE. 0, or the reason for which one of them cannot be granted. */
static uint16_t order_options_take(struct command *command, struct ouch_appendage appendage, uint32_t place)
{
    struct ouch_options options;
    struct command_order *order = &command->order;
    if (ouch_options_decode(appendage, place, &options)) {
        channel_take(command, appendage);
        return OUCH_REJECT_OTHER;
    }
    command->flags = COMMAND_HAS_APPENDAGE;
    order->options |= bits_of(options.present);
    values_take(order, &options);
    group_take(command, &options);
    if ((options.present & OUCH_HAS_FIRM) && !firm_take(order, options.firm))
        return OUCH_REJECT_FIRM_NOT_AUTHORIZED;
    uint16_t reason = meaningless(options.present);
    if (reason == 0)
        reason = flags_take(order, &options);
    return reason != 0 ? reason : trigger_take(order, &options);
}

/* The options of the requests that have few. NULL, or the rule that is broken. */
static const char *few_options_take(struct command *command, struct ouch_appendage appendage, uint32_t place)
{
    if (!appendage.present)
        return NULL;
    struct ouch_options options;
    const char *broken = ouch_options_decode(appendage, place, &options);
    if (broken)
        return broken;
    command->flags = COMMAND_HAS_APPENDAGE;
    if (options.present & OUCH_HAS_USER_REF_INDEX) {
        command->order.user_ref_index = options.user_ref_index;
        command->order.options |= OPTION_USER_REF_INDEX;
    }
    if (options.present & OUCH_HAS_SIDE)
        command->order.side = options.side;
    if (options.present & OUCH_HAS_GROUP && command->kind == COMMAND_MASS_CANCEL) {
        command->order.group = options.group;
        command->order.options |= OPTION_GROUP;
    }
    return NULL;
}

/* Y or N, and nothing else. 0, or the reason. */
static inline uint16_t sweep_take(struct command_order *order, uint8_t letter)
{
    order->options = letter == 'Y' ? OPTION_IS_SWEEP : 0;
    return LIKELY(letter == 'N' || letter == 'Y') ? 0 : OUCH_REJECT_SWEEP_NOT_ALLOWED;
}

/* ---- messages: NULL, or the rule for which it cannot be answered ---- */

static inline const char *enter_take(const uint8_t *message, uint32_t bytes, struct command *command,
                                     const char **ret_symbol)
{
    struct ouch_enter enter;
    const char *broken = ouch_decode_enter(message, bytes, &enter);
    if (UNLIKELY(broken != NULL))
        return broken;
    struct command_order *order = &command->order;
    command->kind = COMMAND_ENTER;
    command->user_ref = enter.user_ref;
    order->side = enter.side;
    order->time_in_force = enter.time_in_force;
    order->display = enter.display;
    order->capacity = enter.capacity;
    order->cross_type = enter.cross_type;
    order->price_type = 'L';
    order->handle_inst = ' ';
    order->quantity = enter.quantity;
    memset(order->firm, ' ', FIRM_BYTES);
    if (UNLIKELY(!client_order_id_take(order, enter.client_order_id)))
        return id_unprintable;
    uint16_t reason = sweep_take(order, enter.sweep);
    uint16_t none = price_take(enter.price, &order->price_ticks);
    reason = reason != 0 ? reason : none;
    if (UNLIKELY(enter.appendage.count > 0)) {
        uint16_t refused = order_options_take(command, enter.appendage, OUCH_IN_ENTER);
        reason = reason != 0 ? reason : refused;
    }
    if (UNLIKELY(reason != 0))
        command_make_refused(command, reason);
    else
        *ret_symbol = (const char *)message + offsetof(struct ouch_wire_enter, symbol);
    return NULL;
}

static inline const char *replace_take(const uint8_t *message, uint32_t bytes, struct command *command)
{
    struct ouch_replace replace;
    const char *broken = ouch_decode_replace(message, bytes, &replace);
    if (UNLIKELY(broken != NULL))
        return broken;
    struct command_order *order = &command->order;
    command->kind = COMMAND_REPLACE;
    command->user_ref = replace.user_ref;
    order->target_user_ref = replace.orig_user_ref;
    order->quantity = replace.quantity;
    order->time_in_force = replace.time_in_force;
    order->display = replace.display;
    order->price_type = 'L';
    order->handle_inst = ' ';
    memset(order->firm, ' ', FIRM_BYTES);
    if (UNLIKELY(!client_order_id_take(order, replace.client_order_id)))
        return id_unprintable;
    (void)price_take(replace.price, &order->price_ticks);
    uint16_t reason = sweep_take(order, replace.sweep);
    if (UNLIKELY(replace.appendage.count > 0))
        reason |= order_options_take(command, replace.appendage, OUCH_IN_REPLACE);
    if (UNLIKELY(reason != 0))
        order->price_ticks = PRICE_TICKS_NONE;
    return NULL;
}

static inline const char *cancel_take(const uint8_t *message, uint32_t bytes, struct command *command)
{
    struct ouch_cancel cancel;
    const char *broken = ouch_decode_cancel(message, bytes, &cancel);
    if (UNLIKELY(broken != NULL))
        return broken;
    command->kind = COMMAND_CANCEL;
    command->order.target_user_ref = cancel.user_ref;
    command->order.quantity = cancel.quantity;
    return few_options_take(command, cancel.appendage, OUCH_IN_OTHER);
}

static const char *modify_take(const uint8_t *message, uint32_t bytes, struct command *command)
{
    struct ouch_modify modify;
    const char *broken = ouch_decode_modify(message, bytes, &modify);
    if (broken)
        return broken;
    command->kind = COMMAND_MODIFY;
    command->order.target_user_ref = modify.user_ref;
    command->order.side = modify.side;
    command->order.quantity = modify.quantity;
    return few_options_take(command, modify.appendage, OUCH_IN_OTHER);
}

/* A mass request that cannot be granted is refused, since its UserRefNum counts. */
static const char *mass_take(struct command *command, uint32_t user_ref, const char firm[FIRM_BYTES],
                             struct ouch_appendage appendage, uint32_t place, const char **symbol)
{
    command->user_ref = user_ref;
    if (!firm_take(&command->order, firm))
        return firm_unprintable;
    appendage.present = appendage.count > 0; /* its length is always there, so it says nothing */
    if (few_options_take(command, appendage, place)) {
        channel_take(command, appendage);
        command_make_refused(command, OUCH_REJECT_OTHER);
        *symbol = NULL;
    }
    return NULL;
}

static const char *mass_cancel_take(const uint8_t *message, uint32_t bytes, struct command *command,
                                    const char **ret_symbol)
{
    struct ouch_mass_cancel mass;
    const char *broken = ouch_decode_mass_cancel(message, bytes, &mass);
    if (broken)
        return broken;
    command->kind = COMMAND_MASS_CANCEL;
    *ret_symbol = (const char *)message + offsetof(struct ouch_wire_mass_cancel, symbol);
    return mass_take(command, mass.user_ref, mass.firm, mass.appendage, OUCH_IN_MASS_CANCEL, ret_symbol);
}

/* Disable and Enable Order Entry, which have the same fields. */
static const char *entry_take(const uint8_t *message, uint32_t bytes, struct command *command)
{
    struct ouch_disable disable = {0};
    struct ouch_enable enable = {0};
    const char *none = NULL;
    bool is_disable = message[0] == OUCH_TYPE_DISABLE;
    const char *broken =
        is_disable ? ouch_decode_disable(message, bytes, &disable) : ouch_decode_enable(message, bytes, &enable);
    if (broken)
        return broken;
    command->kind = is_disable ? COMMAND_DISABLE : COMMAND_ENABLE;
    if (is_disable)
        return mass_take(command, disable.user_ref, disable.firm, disable.appendage, OUCH_IN_OTHER, &none);
    return mass_take(command, enable.user_ref, enable.firm, enable.appendage, OUCH_IN_OTHER, &none);
}

static const char *account_query_take(const uint8_t *message, uint32_t bytes, struct command *command)
{
    struct ouch_account_query query;
    const char *broken = ouch_decode_account_query(message, bytes, &query);
    if (broken)
        return broken;
    command->kind = COMMAND_ACCOUNT_QUERY;
    return few_options_take(command, query.appendage, OUCH_IN_OTHER);
}

const char *session_decode(uint32_t session, const uint8_t *message, uint32_t bytes, struct command *command,
                           const char **ret_symbol)
{
    *ret_symbol = NULL;
    if (UNLIKELY(bytes == 0))
        return "a message without a type";
    memset((uint8_t *)command + RECORD_HEAD_BYTES, 0, RECORD_BODY_BYTES);
    command->session = session;
    switch (message[0]) {
    case OUCH_TYPE_ENTER:
        return enter_take(message, bytes, command, ret_symbol);
    case OUCH_TYPE_CANCEL:
        return cancel_take(message, bytes, command);
    case OUCH_TYPE_REPLACE:
        return replace_take(message, bytes, command);
    case OUCH_TYPE_MODIFY:
        return modify_take(message, bytes, command);
    case OUCH_TYPE_MASS_CANCEL:
        return mass_cancel_take(message, bytes, command, ret_symbol);
    case OUCH_TYPE_DISABLE:
    case OUCH_TYPE_ENABLE:
        return entry_take(message, bytes, command);
    case OUCH_TYPE_ACCOUNT_QUERY:
        return account_query_take(message, bytes, command);
    default:
        return "a message type that OUCH 5.0 does not have";
    }
}
