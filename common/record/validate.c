/*
 * What makes a record one that could have been written: rules of the record alone, each with its name.
 *
 * Rules
 *   1. Only what holds whatever the state of the exchange. Values of an order's fields are the engine's to judge (a
 *      REPLACE with a bad price must reach it, since it cancels the order); here they need only be whole.
 *   2. The text names the rule, not the value: it serves the log, the reject and the fuzzer's report.
 *
 * No system calls, no allocation.
 */
#include "record/command.h"
#include "record/event.h"

#include <stddef.h>

#define GATEWAY_MAX      8
#define COMMAND_FLAGS    (COMMAND_CONTINUED | COMMAND_HAS_APPENDAGE | COMMAND_IF_NEEDED)
#define LOGIN_FLAGS      (LOGIN_TAKES_OVER | LOGIN_CANCELS_ON_DISCONNECT | LOGIN_FAILED)
#define EVENT_FLAGS      (EVENT_CONTINUED | EVENT_HAS_APPENDAGE | EVENT_MAKER_APPENDAGE | EVENT_LAST_OF_COMMAND)
#define OPTIONS          0x1f00ffffu
#define MIDNIGHT_UNIT_NS UINT64_C(1000000000)
#define CHECK(rule, text)                                                                                              \
    do {                                                                                                               \
        if (!(rule))                                                                                                   \
            return (text);                                                                                             \
    } while (0)

static bool zero(const void *bytes, size_t count)
{
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < count; i++)
        if (byte[i] != 0)
            return false;
    return true;
}

/* Printable text, or nothing at all where the kind does not use the field. */
static bool text_or_zero(const char *text, size_t count)
{
    if (zero(text, count))
        return true;
    for (size_t i = 0; i < count; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

/* Printable, left-justified, not all spaces. */
static bool name_valid(const char *text, size_t count)
{
    return text[0] > ' ' && text_or_zero(text, count);
}

static bool letter_of(uint8_t letter, const char *letters)
{
    while (*letters != '\0' && (uint8_t)*letters != letter)
        letters++;
    return *letters != '\0';
}

static bool date_valid(uint32_t date)
{
    uint32_t month = date / 100 % 100;
    uint32_t day = date % 100;
    return date >= 19700101 && date <= 99991231 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* ---- commands -----------------------------------------------------------------------------------------------------
 */

static bool kind_of_client(uint8_t kind)
{
    return kind >= COMMAND_ENTER && kind <= COMMAND_REFUSED;
}

static const char *order_invalid(const struct command *command)
{
    CHECK(command->session != 0, "an order belongs to a session");
    CHECK((command->order.options & ~OPTIONS) == 0, "options has unknown bits");
    CHECK(text_or_zero(command->order.firm, FIRM_BYTES), "firm is not printable");
    CHECK(text_or_zero(command->order.client_order_id, CLIENT_ORDER_ID_BYTES), "client_order_id is not printable");
    bool of_group = command->kind == COMMAND_ENTER || command->kind == COMMAND_MASS_CANCEL;
    CHECK(!of_group || command->order.group <= UINT16_MAX, "a group is 0 to 65535");
    CHECK(command->kind != COMMAND_REPLACE || command->order.replace_group <= UINT16_MAX, "a group is 0 to 65535");
    CHECK(of_group || command->kind == COMMAND_REPLACE || command->kind == COMMAND_CANCEL ||
              command->kind == COMMAND_MODIFY || command->order.target_user_ref == 0,
          "target_user_ref is for REPLACE, CANCEL and MODIFY");
    return NULL;
}

static const char *refused_invalid(const struct command *command)
{
    const struct command_refused *refused = &command->refused;
    CHECK(command->session != 0, "a refused request belongs to a session");
    CHECK(refused->reason != 0, "a refusal has a reason");
    CHECK(kind_of_client(refused->refused_kind) && refused->refused_kind != COMMAND_REFUSED,
          "refused_kind is not a request of a client");
    CHECK(text_or_zero(refused->client_order_id, CLIENT_ORDER_ID_BYTES), "client_order_id is not printable");
    CHECK(refused->reserved0 == 0 && zero(refused->reserved1, sizeof(refused->reserved1)) &&
              zero(refused->reserved2, sizeof(refused->reserved2)),
          "reserved bytes are not zero");
    return NULL;
}

static const char *session_invalid(const struct command *command)
{
    const struct command_session *login = &command->login;
    CHECK(login->flag <= (command->kind == COMMAND_LOGIN ? LOGIN_FLAGS : 1), "flag has unknown bits");
    CHECK(text_or_zero(login->user, USER_BYTES), "user is not printable");
    CHECK(text_or_zero(login->firm, FIRM_BYTES), "firm is not printable");
    CHECK(login->reserved0 == 0 && login->reserved2 == 0 && zero(&login->reserved1, sizeof(login->reserved1)) &&
              zero(login->reserved3, sizeof(login->reserved3)),
          "reserved bytes are not zero");
    CHECK(login->grace_ms == 0 || (command->kind == COMMAND_LOGIN && login->flag & LOGIN_CANCELS_ON_DISCONNECT),
          "grace_ms is for a login that cancels on disconnect");
    if (command->kind == COMMAND_LOGIN)
        CHECK(name_valid(login->user, USER_BYTES), "user is empty");
    if (command->kind == COMMAND_LOGIN || command->kind == COMMAND_LOGOUT)
        CHECK(login->connection != 0, "a login or logout is of a connection");
    if (command->kind == COMMAND_LOGOUT)
        CHECK(letter_of(login->reason, "LDTS"), "the reason of a logout is one of L, D, T, S");
    return NULL;
}

static const char *day_invalid(const struct command *command)
{
    const struct command_day *day = &command->day;
    CHECK(zero(day->reserved0, sizeof(day->reserved0)) && zero(day->reserved1, sizeof(day->reserved1)) &&
              day->reserved2 == 0,
          "reserved bytes are not zero");
    if (command->kind == COMMAND_DAY_END)
        return NULL;
    CHECK(date_valid(day->date), "date is no date");
    CHECK(day->midnight_ns % MIDNIGHT_UNIT_NS == 0, "midnight is not a whole second");
    return NULL;
}

static const char *admin_invalid(const struct command *command)
{
    const struct command_admin *admin = &command->admin;
    CHECK(admin->reserved0 == 0 && zero(admin->reserved1, sizeof(admin->reserved1)), "reserved bytes are not zero");
    CHECK(admin->tick_ticks >= 0 && admin->reference_ticks >= 0 && admin->collar_ticks >= 0 &&
              admin->fat_finger_ticks >= 0,
          "a price is negative");
    CHECK(text_or_zero(admin->symbol, SYMBOL_BYTES), "symbol is not printable");
    CHECK(text_or_zero(admin->firm, FIRM_BYTES), "firm is not printable");
    if (command->kind == COMMAND_INSTRUMENT_ADD)
        CHECK(name_valid(admin->symbol, SYMBOL_BYTES), "symbol is empty");
    if (command->kind == COMMAND_FIRM_LIMITS)
        CHECK(name_valid(admin->firm, FIRM_BYTES), "firm is empty");
    if (command->kind == COMMAND_MARKET_STATE)
        CHECK(letter_of(admin->market_state, "POHCX"), "market_state is one of P, O, H, C, X");
    return NULL;
}

static const char *trade_invalid(const struct command *command)
{
    const struct command_trade *trade = &command->trade;
    CHECK(trade->match_number != 0, "match_number is 0");
    CHECK(letter_of(trade->reason, "ECSX"), "the reason of a break is one of E, C, S, X");
    CHECK(trade->reserved0 == 0 && zero(trade->reserved1, sizeof(trade->reserved1)) && trade->reserved2 == 0 &&
              zero(trade->reserved3, sizeof(trade->reserved3)) && trade->reserved4 == 0,
          "reserved bytes are not zero");
    return NULL;
}

static const char *act_invalid(const struct command *command)
{
    const struct command_act *act = &command->act;
    bool of_user = command->kind == COMMAND_SESSION_BLOCK || command->kind == COMMAND_SESSION_KICK;
    CHECK(act->reserved0 == 0 && zero(act->reserved1, sizeof(act->reserved1)) &&
              zero(act->reserved2, sizeof(act->reserved2)) && act->reserved3 == 0,
          "reserved bytes are not zero");
    CHECK(act->flag <= 1, "flag has unknown bits");
    CHECK(text_or_zero(act->user, USER_BYTES), "user is not printable");
    CHECK(text_or_zero(act->symbol, SYMBOL_BYTES), "symbol is not printable");
    CHECK(text_or_zero(act->firm, FIRM_BYTES), "firm is not printable");
    CHECK(!of_user || name_valid(act->user, USER_BYTES), "user is empty");
    CHECK(command->kind != COMMAND_FIRM_SWITCH || name_valid(act->firm, FIRM_BYTES), "firm is empty");
    CHECK((command->kind == COMMAND_GATEWAY_DEAD) == (act->target_gateway != 0) && act->target_gateway <= GATEWAY_MAX,
          "target_gateway is for GATEWAY_DEAD, 1 to 8");
    return NULL;
}

/* Who asked stands in the same place in each of these. */
_Static_assert(offsetof(struct command, day.operator_id) == offsetof(struct command, admin.operator_id) &&
                   offsetof(struct command, day.operator_name) == offsetof(struct command, admin.operator_name),
               "one place for who asked");
_Static_assert(offsetof(struct command, trade.operator_id) == offsetof(struct command, admin.operator_id) &&
                   offsetof(struct command, trade.operator_name) == offsetof(struct command, admin.operator_name),
               "one place for who asked");
_Static_assert(offsetof(struct command, act.operator_id) == offsetof(struct command, admin.operator_id) &&
                   offsetof(struct command, act.operator_name) == offsetof(struct command, admin.operator_name),
               "one place for who asked");

/* A name of printable letters, zeros behind it. */
static bool operator_valid(const char name[OPERATOR_NAME_BYTES])
{
    size_t length = 0;
    while (length < OPERATOR_NAME_BYTES && name[length] > ' ' && name[length] <= '~')
        length++;
    return length > 0 && zero(name + length, OPERATOR_NAME_BYTES - length);
}

static const char *origin_invalid(const struct command *command)
{
    bool of_session = kind_of_client(command->kind) || command->kind == COMMAND_LOGIN ||
                      command->kind == COMMAND_LOGOUT || command->kind == COMMAND_TENURE_BEGINS;
    bool of_operator = command->gateway == OPERATOR_GATEWAY;
    CHECK(command->gateway <= GATEWAY_MAX || of_operator, "gateway is above 8");
    CHECK((command->tenure != 0) == (command->gateway != 0), "a gateway has a tenure, the configuration has none");
    CHECK(!of_session || command->gateway != 0, "the configuration has no sessions");
    CHECK(!of_session || !of_operator, "an operator has no sessions");
    CHECK(!of_operator || operator_valid(command->admin.operator_name), "operator_name is empty or not printable");
    CHECK(of_operator || (command->flags & COMMAND_IF_NEEDED) == 0, "COMMAND_IF_NEEDED is for operators");
    CHECK(command->kind != COMMAND_TICK || command->gateway == 0 || of_operator,
          "ticks come from the sequencer or an operator");
    return NULL;
}

static const char *payload_invalid(const struct command *command)
{
    switch ((enum command_kind)command->kind) {
    case COMMAND_ENTER:
    case COMMAND_REPLACE:
    case COMMAND_CANCEL:
    case COMMAND_MODIFY:
    case COMMAND_MASS_CANCEL:
    case COMMAND_DISABLE:
    case COMMAND_ENABLE:
    case COMMAND_ACCOUNT_QUERY:
        return order_invalid(command);
    case COMMAND_REFUSED:
        return refused_invalid(command);
    case COMMAND_LOGIN:
    case COMMAND_LOGOUT:
    case COMMAND_TENURE_BEGINS:
        return session_invalid(command);
    case COMMAND_SESSION_BLOCK:
    case COMMAND_SESSION_KICK:
    case COMMAND_GATEWAY_DEAD:
    case COMMAND_FIRM_SWITCH:
    case COMMAND_ORDERS_CANCEL:
        return act_invalid(command);
    case COMMAND_DAY_START:
    case COMMAND_DAY_END:
        return day_invalid(command);
    case COMMAND_INSTRUMENT_ADD:
    case COMMAND_MARKET_STATE:
    case COMMAND_INSTRUMENT_LIMITS:
    case COMMAND_FIRM_LIMITS:
    case COMMAND_SNAPSHOT_MARK:
        return admin_invalid(command);
    case COMMAND_TRADE_BREAK:
        return trade_invalid(command);
    case COMMAND_TICK:
        return NULL;
    default:
        return "kind is unknown";
    }
}

const char *command_invalid(const struct command *command)
{
    CHECK(command_kind_known(command->kind), "kind is unknown");
    CHECK((command->flags & ~COMMAND_FLAGS) == 0, "flags has unknown bits");
    CHECK((command->flags & COMMAND_CONTINUED) == 0, "no kind is continued");
    CHECK(command->shard == 0, "shard is not 0");
    CHECK(command->inbound_seq != 0 || command->kind == COMMAND_TICK, "inbound_seq is 0");
    const char *rule = origin_invalid(command);
    if (rule)
        return rule;
    return payload_invalid(command);
}

/* ---- events -------------------------------------------------------------------------------------------------------
 */

static bool event_kind_known(uint8_t kind)
{
    switch (kind) {
#define X(name, number, meaning, message) case EVENT_##name:
        EVENT_KINDS(X)
#undef X
        return true;
    default:
        return false;
    }
}

static const char *trade_event_invalid(const struct event *event)
{
    const struct event_trade *trade = &event->trade;
    CHECK(trade->quantity != 0, "a trade has a quantity");
    CHECK(trade->match_number != 0, "a trade has a match_number");
    CHECK(event->kind == EVENT_BROKEN || trade->order_ref != trade->maker_order_ref,
          "an order does not trade with itself");
    CHECK(trade->reserved0 == 0, "reserved bytes are not zero");
    return NULL;
}

static const char *order_event_invalid(const struct event *event)
{
    const struct event_accepted *accepted = &event->accepted;
    CHECK(accepted->order_ref != 0, "an order has an order_ref");
    CHECK(name_valid(accepted->symbol, SYMBOL_BYTES), "symbol is empty or not printable");
    CHECK((accepted->options & ~OPTIONS) == 0, "options has unknown bits");
    CHECK(letter_of(event->reason, "LD"), "an order is L live or D dead");
    CHECK(event->instrument != 0, "an order is of an instrument");
    return NULL;
}

static const char *top_event_invalid(const struct event *event)
{
    const struct event_top *top = &event->top;
    CHECK(event->instrument != 0, "a book is of an instrument");
    CHECK(top->bid_quantity != 0 || top->bid_ticks == 0, "an empty side has no price");
    CHECK(top->ask_quantity != 0 || top->ask_ticks == 0, "an empty side has no price");
    CHECK(zero(top->reserved0, sizeof(top->reserved0)), "reserved bytes are not zero");
    return NULL;
}

/* A message goes to a session and has a number, or is none. EXECUTED may be the maker's message alone. */
static const char *message_invalid(const struct event *event)
{
    bool told = event->message_no != 0;
    CHECK(!told || event->session != 0, "a message goes to a session");
    CHECK(!told || event_message_letter(event->kind) != '-', "the kind is no message");
    return NULL;
}

const char *event_invalid(const struct event *event)
{
    CHECK(event_kind_known(event->kind), "kind is unknown");
    CHECK(event->event_seq != 0, "event_seq is 0");
    CHECK(event->command_seq != 0, "command_seq is 0");
    CHECK((event->flags & ~EVENT_FLAGS) == 0, "flags has unknown bits");
    CHECK(event->shard == 0, "shard is not 0");
    CHECK(event->side == 0 || letter_of(event->side, "BSTE"), "side is one of B, S, T, E");
    const char *rule = message_invalid(event);
    if (rule)
        return rule;
    if (event->kind == EVENT_EXECUTED || event->kind == EVENT_BROKEN)
        return trade_event_invalid(event);
    if (event->kind == EVENT_ACCEPTED || event->kind == EVENT_REPLACED)
        return order_event_invalid(event);
    if (event->kind == EVENT_BOOK_TOP)
        return top_event_invalid(event);
    return NULL;
}
