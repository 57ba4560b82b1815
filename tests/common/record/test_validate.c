/*
 * command_invalid and event_invalid. Goal: each rule is broken once and named; nothing that a stage may write is
 * refused. Method: good records of every kind, then one field changed at a time.
 */
#include "base/bytes.h"
#include "record/command.h"
#include "record/event.h"

#include <criterion/criterion.h>

static struct command good_command(uint8_t kind)
{
    struct command command;
    memset(&command, 0, sizeof(command));
    command.kind = kind;
    command.inbound_seq = 7;
    command.gateway = 1;
    command.tenure = 1;
    return command;
}

static struct command good_order(uint8_t kind)
{
    struct command command = good_command(kind);
    command.session = 3;
    command.user_ref = 9;
    command.order.side = 'B';
    command.order.quantity = 100;
    text_pad(command.order.firm, FIRM_BYTES, "FIRM");
    text_pad(command.order.client_order_id, CLIENT_ORDER_ID_BYTES, "mine");
    return command;
}

static struct command good_login(void)
{
    struct command command = good_command(COMMAND_LOGIN);
    text_pad(command.login.user, USER_BYTES, "TRADE1");
    text_pad(command.login.firm, FIRM_BYTES, "FIRM");
    command.login.connection = 5;
    return command;
}

static struct command good_configuration(uint8_t kind)
{
    struct command command = good_command(kind);
    command.gateway = 0;
    command.tenure = 0;
    if (kind == COMMAND_DAY_START) {
        command.day.date = 20261123;
        command.day.midnight_ns = UINT64_C(1795392000000000000);
    } else {
        text_pad(command.admin.symbol, SYMBOL_BYTES, "AAPL");
        command.admin.tick_ticks = 100;
    }
    return command;
}

static void expect_good(const struct command *command)
{
    const char *rule = command_invalid(command);
    cr_expect_null(rule, "%s: %s", command_kind_name(command->kind), rule);
}

static void expect_bad(struct command command, const char *rule)
{
    const char *broken = command_invalid(&command);
    cr_assert(broken, "accepted, but %s", rule);
    cr_expect_str_eq(broken, rule);
}

#define EXPECT_BAD(make, change, rule)                                                                                 \
    do {                                                                                                               \
        struct command c = (make);                                                                                     \
        c.change;                                                                                                      \
        expect_bad(c, (rule));                                                                                         \
    } while (0)

Test(command_invalid, accepts_what_stages_write)
{
    static const uint8_t orders[] = {COMMAND_ENTER,       COMMAND_REPLACE, COMMAND_CANCEL, COMMAND_MODIFY,
                                     COMMAND_MASS_CANCEL, COMMAND_DISABLE, COMMAND_ENABLE, COMMAND_ACCOUNT_QUERY};
    for (size_t i = 0; i < sizeof(orders); i++) {
        struct command order = good_order(orders[i]);
        expect_good(&order);
    }
    struct command login = good_login();
    struct command tenure = good_command(COMMAND_TENURE_BEGINS);
    struct command day = good_configuration(COMMAND_DAY_START);
    struct command instrument = good_configuration(COMMAND_INSTRUMENT_ADD);
    expect_good(&login);
    expect_good(&tenure);
    expect_good(&day);
    expect_good(&instrument);
    struct command stamped = good_order(COMMAND_ENTER);
    stamped.command_seq = 12;
    stamped.time_ns = 13;
    expect_good(&stamped);
}

Test(command_invalid, leaves_the_values_of_orders_to_the_engine)
{
    struct command order = good_order(COMMAND_REPLACE);
    order.order.side = 'x';
    order.order.price_ticks = -1;
    order.order.quantity = 0;
    order.user_ref = 0;
    expect_good(&order);
}

Test(command_invalid, names_the_rule_of_the_head)
{
    EXPECT_BAD(good_order(COMMAND_ENTER), kind = 0, "kind is unknown");
    EXPECT_BAD(good_order(COMMAND_ENTER), kind = 200, "kind is unknown");
    EXPECT_BAD(good_order(COMMAND_ENTER), flags = 0x80, "flags has unknown bits");
    EXPECT_BAD(good_order(COMMAND_ENTER), flags = COMMAND_CONTINUED, "no kind is continued");
    EXPECT_BAD(good_order(COMMAND_ENTER), shard = 1, "shard is not 0");
    EXPECT_BAD(good_order(COMMAND_ENTER), gateway = 9, "gateway is above 8");
    EXPECT_BAD(good_order(COMMAND_ENTER), inbound_seq = 0, "inbound_seq is 0");
    EXPECT_BAD(good_order(COMMAND_ENTER), tenure = 0, "a gateway has a tenure, the configuration has none");
    EXPECT_BAD(good_configuration(COMMAND_DAY_START), tenure = 1, "a gateway has a tenure, the configuration has none");
    EXPECT_BAD(good_configuration(COMMAND_DAY_START), kind = COMMAND_LOGIN, "the configuration has no sessions");
    EXPECT_BAD(good_command(COMMAND_TICK), session = 0, "ticks come from the sequencer or an operator");
    EXPECT_BAD(good_command(COMMAND_DAY_END), flags = COMMAND_IF_NEEDED, "COMMAND_IF_NEEDED is for operators");
}

Test(command_invalid, names_the_rule_of_an_order)
{
    EXPECT_BAD(good_order(COMMAND_ENTER), session = 0, "an order belongs to a session");
    EXPECT_BAD(good_order(COMMAND_ENTER), order.options = 1u << 20, "options has unknown bits");
    EXPECT_BAD(good_order(COMMAND_ENTER), order.firm[1] = '\n', "firm is not printable");
    EXPECT_BAD(good_order(COMMAND_ENTER), order.client_order_id[13] = '\0', "client_order_id is not printable");
    EXPECT_BAD(good_order(COMMAND_DISABLE), order.target_user_ref = 1,
               "target_user_ref is for REPLACE, CANCEL and MODIFY");
    EXPECT_BAD(good_order(COMMAND_ENTER), order.group = 65536, "a group is 0 to 65535");
}

Test(command_invalid, names_the_rule_of_a_refusal)
{
    struct command refused = good_command(COMMAND_REFUSED);
    refused.session = 1;
    refused.refused.reason = 0x17;
    refused.refused.refused_kind = COMMAND_ENTER;
    expect_good(&refused);
    EXPECT_BAD(refused, session = 0, "a refused request belongs to a session");
    EXPECT_BAD(refused, refused.reason = 0, "a refusal has a reason");
    EXPECT_BAD(refused, refused.refused_kind = COMMAND_LOGIN, "refused_kind is not a request of a client");
    EXPECT_BAD(refused, refused.refused_kind = COMMAND_REFUSED, "refused_kind is not a request of a client");
    EXPECT_BAD(refused, refused.reserved1[5] = 1, "reserved bytes are not zero");
}

Test(command_invalid, names_the_rule_of_a_session)
{
    EXPECT_BAD(good_login(), login.flag = 8, "flag has unknown bits");
    EXPECT_BAD(good_login(), login.user[0] = ' ', "user is empty");
    EXPECT_BAD(good_login(), login.user[2] = '\x7f', "user is not printable");
    EXPECT_BAD(good_login(), login.connection = 0, "a login or logout is of a connection");
    EXPECT_BAD(good_login(), login.reserved3[0] = 1, "reserved bytes are not zero");
    EXPECT_BAD(good_login(), login.grace_ms = 1, "grace_ms is for a login that cancels on disconnect");
    struct command logout = good_login();
    logout.kind = COMMAND_LOGOUT;
    EXPECT_BAD(logout, login.reason = 'x', "the reason of a logout is one of L, D, T, S");
    EXPECT_BAD(logout, login.reason = 0, "the reason of a logout is one of L, D, T, S");
}

Test(command_invalid, names_the_rule_of_the_administration)
{
    EXPECT_BAD(good_configuration(COMMAND_DAY_START), day.date = 20261301, "date is no date");
    EXPECT_BAD(good_configuration(COMMAND_DAY_START), day.midnight_ns = 1, "midnight is not a whole second");
    EXPECT_BAD(good_configuration(COMMAND_INSTRUMENT_ADD), admin.tick_ticks = -1, "a price is negative");
    EXPECT_BAD(good_configuration(COMMAND_INSTRUMENT_ADD), admin.symbol[0] = ' ', "symbol is empty");
    EXPECT_BAD(good_configuration(COMMAND_MARKET_STATE), admin.market_state = 'Z',
               "market_state is one of P, O, H, C, X");
    EXPECT_BAD(good_configuration(COMMAND_FIRM_LIMITS), admin.firm[0] = '\0', "firm is empty");
    struct command trade = good_command(COMMAND_TRADE_BREAK);
    trade.trade.match_number = 1;
    trade.trade.reason = 'E';
    expect_good(&trade);
    EXPECT_BAD(trade, trade.match_number = 0, "match_number is 0");
    EXPECT_BAD(trade, trade.reason = 'Q', "the reason of a break is one of E, C, S, X");
}

static struct command good_act(uint8_t kind)
{
    struct command command = good_command(kind);
    command.gateway = OPERATOR_GATEWAY;
    memcpy(command.act.operator_name, "root", 4);
    if (kind == COMMAND_SESSION_KICK || kind == COMMAND_SESSION_BLOCK)
        memcpy(command.act.user, "USER01", USER_BYTES);
    if (kind == COMMAND_FIRM_SWITCH)
        memcpy(command.act.firm, "ABCD", FIRM_BYTES);
    command.act.target_gateway = kind == COMMAND_GATEWAY_DEAD;
    return command;
}

Test(command_invalid, names_the_rule_of_an_operator)
{
    static const uint8_t kinds[] = {COMMAND_SESSION_BLOCK, COMMAND_SESSION_KICK,  COMMAND_GATEWAY_DEAD,
                                    COMMAND_FIRM_SWITCH,   COMMAND_ORDERS_CANCEL, COMMAND_TICK,
                                    COMMAND_DAY_END};
    for (size_t i = 0; i < sizeof(kinds); i++) {
        struct command good = good_act(kinds[i]);
        expect_good(&good);
        EXPECT_BAD(good, act.operator_name[0] = '\0', "operator_name is empty or not printable");
        EXPECT_BAD(good, act.operator_name[6] = 'x', "operator_name is empty or not printable");
    }
    EXPECT_BAD(good_act(COMMAND_SESSION_KICK), act.user[0] = ' ', "user is empty");
    EXPECT_BAD(good_act(COMMAND_FIRM_SWITCH), act.firm[0] = ' ', "firm is empty");
    EXPECT_BAD(good_act(COMMAND_FIRM_SWITCH), act.flag = 2, "flag has unknown bits");
    EXPECT_BAD(good_act(COMMAND_ORDERS_CANCEL), act.symbol[0] = '\n', "symbol is not printable");
    EXPECT_BAD(good_act(COMMAND_ORDERS_CANCEL), act.reserved2[1] = 1, "reserved bytes are not zero");
    EXPECT_BAD(good_act(COMMAND_ORDERS_CANCEL), act.target_gateway = 1, "target_gateway is for GATEWAY_DEAD, 1 to 8");
    EXPECT_BAD(good_act(COMMAND_GATEWAY_DEAD), act.target_gateway = 0, "target_gateway is for GATEWAY_DEAD, 1 to 8");
    EXPECT_BAD(good_act(COMMAND_GATEWAY_DEAD), act.target_gateway = 9, "target_gateway is for GATEWAY_DEAD, 1 to 8");
    EXPECT_BAD(good_act(COMMAND_DAY_END), kind = COMMAND_TENURE_BEGINS, "an operator has no sessions");
}

Test(command_invalid, knows_exactly_the_kinds_of_the_table)
{
    for (unsigned kind = 0; kind < 256; kind++) {
        bool named = command_kind_name((uint8_t)kind)[0] != '?';
        cr_expect_eq(command_kind_known((uint8_t)kind), named, "%u", kind);
    }
}

/* ---- events -------------------------------------------------------------------------------------------------------
 */

static struct event good_event(uint8_t kind)
{
    struct event event;
    memset(&event, 0, sizeof(event));
    event.kind = kind;
    event.event_seq = 1;
    event.command_seq = 1;
    event.instrument = 1;
    if (kind == EVENT_ACCEPTED || kind == EVENT_REPLACED) {
        event.session = 1;
        event.message_no = 1;
        event.reason = 'L';
        event.side = 'B';
        event.accepted.order_ref = 1;
        text_pad(event.accepted.symbol, SYMBOL_BYTES, "AAPL");
    } else if (kind == EVENT_EXECUTED) {
        event.trade.order_ref = 1;
        event.trade.maker_order_ref = 2;
        event.trade.quantity = 100;
        event.trade.match_number = 1;
    }
    return event;
}

#define EXPECT_BAD_EVENT(of_kind, change, rule)                                                                        \
    do {                                                                                                               \
        struct event e = good_event(of_kind);                                                                          \
        cr_expect_null(event_invalid(&e));                                                                             \
        e.change;                                                                                                      \
        const char *broken = event_invalid(&e);                                                                        \
        cr_assert(broken, "accepted, but %s", rule);                                                                   \
        cr_expect_str_eq(broken, rule);                                                                                \
    } while (0)

Test(event_invalid, names_the_rule)
{
    EXPECT_BAD_EVENT(EVENT_ACCEPTED, kind = 250, "kind is unknown");
    EXPECT_BAD_EVENT(EVENT_ACCEPTED, event_seq = 0, "event_seq is 0");
    EXPECT_BAD_EVENT(EVENT_ACCEPTED, command_seq = 0, "command_seq is 0");
    EXPECT_BAD_EVENT(EVENT_ACCEPTED, flags = 0x80, "flags has unknown bits");
    EXPECT_BAD_EVENT(EVENT_ACCEPTED, shard = 1, "shard is not 0");
    EXPECT_BAD_EVENT(EVENT_ACCEPTED, side = 'x', "side is one of B, S, T, E");
    EXPECT_BAD_EVENT(EVENT_ACCEPTED, session = 0, "a message goes to a session");
    EXPECT_BAD_EVENT(EVENT_ACCEPTED, reason = 'x', "an order is L live or D dead");
    EXPECT_BAD_EVENT(EVENT_ACCEPTED, accepted.order_ref = 0, "an order has an order_ref");
    EXPECT_BAD_EVENT(EVENT_REPLACED, accepted.symbol[0] = ' ', "symbol is empty or not printable");
    EXPECT_BAD_EVENT(EVENT_ACCEPTED, instrument = 0, "an order is of an instrument");
    EXPECT_BAD_EVENT(EVENT_EXECUTED, trade.quantity = 0, "a trade has a quantity");
    EXPECT_BAD_EVENT(EVENT_EXECUTED, trade.match_number = 0, "a trade has a match_number");
    EXPECT_BAD_EVENT(EVENT_EXECUTED, trade.maker_order_ref = 1, "an order does not trade with itself");
    EXPECT_BAD_EVENT(EVENT_BOOK_TOP, top.bid_ticks = 1, "an empty side has no price");
    EXPECT_BAD_EVENT(EVENT_BOOK_TOP, top.ask_ticks = 1, "an empty side has no price");
    EXPECT_BAD_EVENT(EVENT_BOOK_TOP, instrument = 0, "a book is of an instrument");
}

Test(event_invalid, knows_which_kinds_are_messages)
{
    struct event event = good_event(EVENT_DAY_STARTED);
    event.session = 1;
    event.message_no = 1;
    cr_expect_str_eq(event_invalid(&event), "the kind is no message");
}
