/*
 * Requests made again from commands: what the gateway makes of a message, and what we make of that, is the message.
 *
 * Method: messages of every kind with every option and value that the record keeps; decoded by the gateway's own code,
 * encoded, decoded again: the two commands are the same. (The bytes are not always: an option may be given as what it
 * is without.)
 */
#include "deploy/cli/journal/request.h"
#include "gateway/session_decode.h"
#include "wire/ouch.h"

#include <criterion/criterion.h>
#include <string.h>

#define SYMBOL "INTC    "

static const struct ouch_options every_option = {
    .firm = {'F', 'I', 'R', 'M'},
    .min_quantity = 5,
    .customer_type = 'R',
    .max_floor = 7,
    .price_type = 'P',
    .peg_offset = -300,
    .post_only = 'P',
    .random_reserve = 9,
    .expire_s = 86399,
    .trade_now = 'Y',
    .handle_inst = 'Q',
    .group = 513,
    .shares_located = 'Y',
    .side = 'S',
    .user_ref_index = 3,
    .trigger = 'S',
    .trigger_price = 1234500,
    .trail_offset = 700,
    .self_match = 'o',
};

/* Through the gateway, through us, through the gateway again. */
static void expect_same(const uint8_t *message, uint32_t bytes)
{
    struct command first = {0};
    struct command second = {0};
    uint8_t again[OUCH_MESSAGE_BYTES_MAX];
    const char *symbol;
    cr_assert_null(session_decode(7, message, bytes, &first, &symbol));
    cr_assert_neq(first.kind, COMMAND_REFUSED, "message %c is refused: %u", message[0], first.refused.reason);
    char name[SYMBOL_BYTES + 1] = "";
    if (symbol)
        memcpy(name, symbol, strcspn(symbol, " "));
    uint32_t count = request_encode(&first, name, again);
    cr_assert_gt(count, 0);
    const char *symbol_again;
    cr_assert_null(session_decode(7, again, count, &second, &symbol_again));
    for (size_t i = 0; i < sizeof(first); i++)
        cr_assert_eq(((uint8_t *)&first)[i], ((uint8_t *)&second)[i],
                     "message %c: byte %zu of the command is %u, not %u", message[0], i, ((uint8_t *)&second)[i],
                     ((uint8_t *)&first)[i]);
    cr_assert_eq(symbol == NULL, symbol_again == NULL);
    if (symbol)
        cr_assert_eq(memcmp(symbol, symbol_again, SYMBOL_BYTES), 0);
}

static struct ouch_appendage appendage_of(uint32_t present, const struct ouch_options *values, uint8_t *bytes)
{
    struct ouch_options options = *values;
    options.present = present;
    return (struct ouch_appendage){
        .bytes = bytes, .count = (uint16_t)ouch_options_encode(bytes, &options), .present = true};
}

static void enter_with(uint32_t present, const struct ouch_options *values, uint64_t price)
{
    uint8_t options[OUCH_OPTIONS_BYTES_MAX];
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    struct ouch_enter enter = {.user_ref = 11,
                               .side = 'T',
                               .quantity = 999999,
                               .symbol = SYMBOL,
                               .price = price,
                               .time_in_force = '6',
                               .display = 'N',
                               .capacity = 'P',
                               .sweep = 'Y',
                               .cross_type = 'O',
                               .client_order_id = "order 1       ",
                               .appendage = appendage_of(present, values, options)};
    expect_same(message, ouch_encode_enter(message, &enter));
}

static void replace_with(uint32_t present, const struct ouch_options *values, uint64_t price)
{
    uint8_t options[OUCH_OPTIONS_BYTES_MAX];
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    struct ouch_replace replace = {.orig_user_ref = 11,
                                   .user_ref = 12,
                                   .quantity = 1,
                                   .price = price,
                                   .time_in_force = '0',
                                   .display = 'A',
                                   .sweep = 'N',
                                   .client_order_id = "              ",
                                   .appendage = appendage_of(present, values, options)};
    expect_same(message, ouch_encode_replace(message, &replace));
}

/* One by one, then together; triggers come in twos. */
static const uint32_t of_orders[] = {
    0,
    OUCH_HAS_MIN_QUANTITY,
    OUCH_HAS_CUSTOMER_TYPE,
    OUCH_HAS_MAX_FLOOR,
    OUCH_HAS_PRICE_TYPE,
    OUCH_HAS_PEG_OFFSET,
    OUCH_HAS_POST_ONLY,
    OUCH_HAS_RANDOM_RESERVE,
    OUCH_HAS_EXPIRE_S,
    OUCH_HAS_TRADE_NOW,
    OUCH_HAS_HANDLE_INST,
    OUCH_HAS_GROUP,
    OUCH_HAS_SHARES_LOCATED,
    OUCH_HAS_USER_REF_INDEX,
    OUCH_HAS_SELF_MATCH,
    OUCH_HAS_TRIGGER | OUCH_HAS_TRIGGER_PRICE,
    OUCH_HAS_MIN_QUANTITY | OUCH_HAS_CUSTOMER_TYPE | OUCH_HAS_MAX_FLOOR | OUCH_HAS_PRICE_TYPE | OUCH_HAS_PEG_OFFSET |
        OUCH_HAS_POST_ONLY | OUCH_HAS_RANDOM_RESERVE | OUCH_HAS_EXPIRE_S | OUCH_HAS_TRADE_NOW | OUCH_HAS_HANDLE_INST |
        OUCH_HAS_GROUP | OUCH_HAS_SHARES_LOCATED | OUCH_HAS_USER_REF_INDEX | OUCH_HAS_SELF_MATCH | OUCH_HAS_TRIGGER |
        OUCH_HAS_TRIGGER_PRICE,
};

Test(journal_request, orders_with_their_options)
{
    struct ouch_options other = every_option;
    other.customer_type = other.post_only = other.trade_now = other.shares_located = other.self_match = 'N';
    for (size_t i = 0; i < sizeof(of_orders) / sizeof(of_orders[0]); i++) {
        enter_with(of_orders[i], &every_option, 1000000);
        enter_with(of_orders[i], &other, OUCH_PRICE_MARKET);
        replace_with(of_orders[i], &every_option, OUCH_PRICE_MAX);
        replace_with(of_orders[i], &other, OUCH_PRICE_TOP);
    }
    enter_with(OUCH_HAS_FIRM, &every_option, 1);
    replace_with(0, &every_option, UINT64_C(1) << 40); /* a price that is none: it cancels the original */
    other.trigger = 'T';
    enter_with(OUCH_HAS_TRIGGER | OUCH_HAS_TRAIL_OFFSET, &other, 1000000);
    other.trigger = 'N';
    replace_with(OUCH_HAS_TRIGGER, &other, 1000000);
}

Test(journal_request, the_other_requests)
{
    uint8_t options[OUCH_OPTIONS_BYTES_MAX];
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    for (uint32_t given = 0; given < 2; given++) {
        struct ouch_appendage few = {0};
        if (given)
            few = appendage_of(OUCH_HAS_USER_REF_INDEX, &every_option, options);
        const struct ouch_cancel cancel = {.user_ref = 5, .quantity = 40, .appendage = few};
        expect_same(message, ouch_encode_cancel(message, &cancel));
        const struct ouch_modify modify = {.user_ref = 5, .side = 'E', .quantity = 30, .appendage = few};
        expect_same(message, ouch_encode_modify(message, &modify));
        const struct ouch_account_query query = {.appendage = few};
        expect_same(message, ouch_encode_account_query(message, &query));
        const struct ouch_disable disable = {.user_ref = 6, .firm = {'F', 'I', 'R', 'M'}, .appendage = few};
        expect_same(message, ouch_encode_disable(message, &disable));
        const struct ouch_enable enable = {.user_ref = 7, .firm = {'F', 'I', 'R', 'M'}, .appendage = few};
        expect_same(message, ouch_encode_enable(message, &enable));
        if (given)
            few = appendage_of(OUCH_HAS_USER_REF_INDEX | OUCH_HAS_SIDE | OUCH_HAS_GROUP, &every_option, options);
        struct ouch_mass_cancel mass = {
            .user_ref = 8, .firm = {'F', 'I', 'R', 'M'}, .symbol = SYMBOL, .appendage = few};
        expect_same(message, ouch_encode_mass_cancel(message, &mass));
        memset(mass.symbol, ' ', sizeof(mass.symbol));
        expect_same(message, ouch_encode_mass_cancel(message, &mass));
    }
}

Test(journal_request, what_was_not_asked_for_by_a_message)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    static const uint8_t kinds[] = {COMMAND_REFUSED,   COMMAND_LOGIN,   COMMAND_LOGOUT,         COMMAND_TENURE_BEGINS,
                                    COMMAND_DAY_START, COMMAND_DAY_END, COMMAND_INSTRUMENT_ADD, COMMAND_TICK};
    for (size_t i = 0; i < sizeof(kinds); i++) {
        const struct command command = {.kind = kinds[i]};
        cr_assert_eq(request_encode(&command, "AAPL", message), 0, "%s", command_kind_name(kinds[i]));
    }
    const struct command nameless = {.kind = COMMAND_ENTER};
    cr_assert_eq(request_encode(&nameless, "", message), 0, "an instrument without a name");
}
