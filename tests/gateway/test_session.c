/*
 * One client's side as a state machine: logins, frames in every cut, bad ones, and OUCH requests as commands.
 *
 * Goal: each rule of gateway/session.h and gateway/session_decode.c is kept. Method: packets are made with the encoders
 * of common/wire, which have golden bytes of their own, or by hand where they must be wrong.
 */
#include "session.h"

#include "base/bytes.h"
#include "wire/ouch.h"
#include "wire/soup.h"

#include <criterion/criterion.h>
#include <string.h>

#define FRAME_BYTES_MAX 1024

static struct session session;
static struct command command;
static struct session_result result;
static uint8_t bytes[4096];
static uint32_t count;

static void begin(void)
{
    memset(&session, 0, sizeof(session));
    memset(&command, 0x5a, sizeof(command)); /* a slot that held something else */
    count = 0;
}

static void begin_open(void)
{
    begin();
    session.phase = SESSION_LOGIN_ASKED;
    session_open(&session, 7);
}

TestSuite(login, .init = begin);
TestSuite(frames, .init = begin_open);
TestSuite(orders, .init = begin_open);

static enum session_step take(void)
{
    return session_take(&session, FRAME_BYTES_MAX, bytes, count, &command, &result);
}

static void packet(char type, const void *payload, uint32_t payload_bytes)
{
    count += soup_put_packet(bytes + count, (uint8_t)type, payload, payload_bytes);
}

static void login_packet(bool longer)
{
    struct soup_login_request request = {.sequence_next = 17, .heartbeat_timeout_ms = 4000, .has_timeout = longer};
    text_pad(request.user, sizeof(request.user), "alice");
    text_pad(request.password, sizeof(request.password), "secret");
    text_pad(request.session, sizeof(request.session), "");
    uint8_t payload[SOUP_LOGIN_REQUEST_LONG_BYTES];
    packet('L', payload, soup_put_login_request(payload, &request));
}

static struct ouch_enter an_enter(void)
{
    struct ouch_enter enter = {
        .user_ref = 5,
        .side = 'B',
        .quantity = 100,
        .price = 5853300,
        .time_in_force = '0',
        .display = 'Y',
        .capacity = 'A',
        .sweep = 'N',
        .cross_type = 'N',
    };
    text_pad(enter.symbol, sizeof(enter.symbol), "AAPL");
    text_pad(enter.client_order_id, sizeof(enter.client_order_id), "my order");
    return enter;
}

static struct ouch_replace a_replace(void)
{
    struct ouch_replace replace = {.orig_user_ref = 5,
                                   .user_ref = 6,
                                   .quantity = 50,
                                   .price = 1000,
                                   .time_in_force = '0',
                                   .display = 'Y',
                                   .sweep = 'N'};
    text_pad(replace.client_order_id, sizeof(replace.client_order_id), "new");
    return replace;
}

static void enter_packet(const struct ouch_enter *enter)
{
    uint8_t message[512];
    packet('U', message, ouch_encode_enter(message, enter));
}

/* ---- logins ---- */

Test(login, short_and_long_requests)
{
    for (int longer = 0; longer <= 1; longer++) {
        begin();
        login_packet(longer);
        cr_assert_eq(take(), SESSION_LOGIN);
        cr_assert_eq(result.consumed, count);
        cr_assert_eq(memcmp(result.login.user, "alice ", 6), 0);
        cr_assert_eq(memcmp(result.login.password, "secret    ", 10), 0);
        cr_assert_eq(memcmp(result.login.requested_session, "          ", 10), 0);
        cr_assert_eq(result.login.requested_message_no, 17u);
        cr_assert_eq(result.login.heartbeat_timeout_ms, longer ? 4000u : 0u);
        cr_assert_eq(session.phase, SESSION_LOGIN_ASKED);
    }
}

Test(login, must_be_the_first_packet)
{
    static const char first[] = {'U', 'R', 'O', 'S', 0};
    for (size_t i = 0; i < sizeof(first); i++) {
        begin();
        packet(first[i], "x", 1);
        enum session_step step = take();
        if (first[i] == 'O')
            cr_assert_eq(step, SESSION_LOGOUT, "a good-bye is always understood");
        else
            cr_assert_eq(step, SESSION_BROKEN, "%c", first[i]);
        cr_assert_eq(session.phase, SESSION_OVER);
    }
}

Test(login, may_follow_a_debug_packet)
{
    packet('+', "hello", 5);
    cr_assert_eq(take(), SESSION_NOTHING);
    cr_assert_eq(session.phase, SESSION_LOGIN_AWAITED);
}

Test(login, of_another_length_or_with_letters_for_numbers_breaks)
{
    packet('L', "alice secret", 12);
    cr_assert_eq(take(), SESSION_BROKEN);
    begin();
    login_packet(false);
    bytes[3 + 45] = 'x';
    cr_assert_eq(take(), SESSION_BROKEN);
}

Test(login, only_once_and_nothing_before_its_answer)
{
    login_packet(false);
    cr_assert_eq(take(), SESSION_LOGIN);
    cr_assert_eq(take(), SESSION_BROKEN);
    cr_assert_str_eq(result.why, "a second login request");

    begin();
    session.phase = SESSION_LOGIN_ASKED;
    packet('R', NULL, 0);
    cr_assert_eq(take(), SESSION_NOTHING, "a heartbeat may come");
    begin();
    session.phase = SESSION_LOGIN_ASKED;
    packet('U', "Q", 1);
    cr_assert_eq(take(), SESSION_BROKEN);
}

/* ---- frames ---- */

Test(frames, every_cut_of_a_frame_waits_for_the_rest)
{
    struct ouch_enter enter = an_enter();
    enter_packet(&enter);
    uint32_t whole = count;
    for (count = 0; count < whole; count++)
        cr_assert_eq(take(), SESSION_NEEDS_MORE, "%u bytes", count);
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(result.consumed, whole);
}

Test(frames, that_come_together_are_taken_one_by_one)
{
    struct ouch_enter enter = an_enter();
    for (uint32_t i = 0; i < 10; i++) {
        enter.user_ref = 100 + i;
        enter_packet(&enter);
        packet('R', NULL, 0);
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < 20; i++) {
        enum session_step step = session_take(&session, FRAME_BYTES_MAX, bytes + at, count - at, &command, &result);
        at += result.consumed;
        cr_assert_eq(step, i % 2 ? SESSION_NOTHING : SESSION_COMMAND);
        if (i % 2 == 0)
            cr_assert_eq(command.user_ref, 100 + i / 2);
    }
    cr_assert_eq(at, count);
}

Test(frames, too_long_and_empty_ones_break)
{
    store_be16(bytes, FRAME_BYTES_MAX - 1);
    count = 2;
    cr_assert_eq(take(), SESSION_BROKEN, "before its bytes have come");
    begin_open();
    store_be16(bytes, FRAME_BYTES_MAX - 2);
    count = 2;
    cr_assert_eq(take(), SESSION_NEEDS_MORE, "just as long as it may be");
    store_be16(bytes, 0);
    cr_assert_eq(take(), SESSION_BROKEN);
    cr_assert_str_eq(result.why, "a packet of length 0");
}

Test(frames, of_an_unknown_type_are_complained_of)
{
    packet('?', NULL, 0);
    cr_assert_eq(take(), SESSION_COMPLAINT);
    count = 0;
    packet('S', NULL, 0); /* ours to send, not the client's */
    cr_assert_eq(take(), SESSION_COMPLAINT);
    cr_assert_eq(result.consumed, count);
    cr_assert_eq(session.phase, SESSION_OPEN);
}

Test(frames, logout)
{
    packet('O', NULL, 0);
    cr_assert_eq(take(), SESSION_LOGOUT);
    cr_assert_eq(session.phase, SESSION_OVER);
}

/* ---- requests ---- */

Test(orders, an_enter_becomes_a_command_word_for_word)
{
    struct ouch_enter enter = an_enter();
    enter_packet(&enter);
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(command.kind, COMMAND_ENTER);
    cr_assert_eq(command.flags, 0);
    cr_assert_eq(command.session, 7u);
    cr_assert_eq(command.user_ref, 5u);
    cr_assert_eq(command.order.side, 'B');
    cr_assert_eq(command.order.quantity, 100u);
    cr_assert_eq(command.order.price_ticks, 5853300);
    cr_assert_eq(command.order.time_in_force, '0');
    cr_assert_eq(command.order.display, 'Y');
    cr_assert_eq(command.order.capacity, 'A');
    cr_assert_eq(command.order.cross_type, 'N');
    cr_assert_eq(command.order.price_type, 'L');
    cr_assert_eq(command.order.handle_inst, ' ');
    cr_assert_eq(command.order.options, 0u);
    cr_assert_eq(command.order.instrument, 0u, "the caller's to set");
    cr_assert_eq(command.order.target_user_ref, 0u);
    cr_assert_eq(memcmp(command.order.firm, "    ", 4), 0);
    cr_assert_eq(memcmp(command.order.client_order_id, "my order      ", 14), 0);
    cr_assert_eq(memcmp(result.symbol, "AAPL    ", 8), 0);
    command.inbound_seq = command.tenure = command.gateway = 1; /* the caller's too */
    command.command_seq = 0;
    cr_assert_null(command_invalid(&command), "%s", command_invalid(&command));
}

Test(orders, prices_that_mean_market_and_prices_that_are_none)
{
    static const struct {
        uint64_t price;
        int32_t ticks;
        uint16_t reason;
    } cases[] = {
        {0, 0, 0}, /* the engine's to refuse */
        {1999999900, 1999999900, 0},
        {2000000000, PRICE_TICKS_MARKET, 0},
        {2000000001, 2000000001, 0},
        {0x7ffffffe, 0x7ffffffe, 0},
        {0x7fffffff, PRICE_TICKS_MARKET, 0},
        {0x80000000, 0, OUCH_REJECT_INVALID_PRICE},
        {UINT64_C(1) << 40, 0, OUCH_REJECT_INVALID_PRICE},
        {UINT64_MAX, PRICE_TICKS_MARKET, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin_open();
        struct ouch_enter enter = an_enter();
        enter.price = cases[i].price;
        enter_packet(&enter);
        cr_assert_eq(take(), SESSION_COMMAND);
        if (cases[i].reason) {
            cr_assert_eq(command.kind, COMMAND_REFUSED, "case %zu", i);
            cr_assert_eq(command.refused.reason, cases[i].reason);
            cr_assert_eq(command.refused.refused_kind, COMMAND_ENTER);
            cr_assert_eq(command.user_ref, 5u);
            cr_assert_eq(memcmp(command.refused.client_order_id, "my order      ", 14), 0);
            cr_assert_null(result.symbol);
            command.inbound_seq = command.tenure = command.gateway = 1;
            cr_assert_null(command_invalid(&command), "%s", command_invalid(&command));
        } else {
            cr_assert_eq(command.kind, COMMAND_ENTER, "case %zu", i);
            cr_assert_eq(command.order.price_ticks, cases[i].ticks, "case %zu", i);
        }
    }
}

static uint16_t enter_with(const struct ouch_options *options)
{
    begin_open();
    struct ouch_enter enter = an_enter();
    uint8_t appendage[OUCH_OPTIONS_BYTES_MAX];
    enter.appendage.bytes = appendage;
    enter.appendage.count = (uint16_t)ouch_options_encode(appendage, options);
    enter_packet(&enter);
    cr_assert_eq(take(), SESSION_COMMAND);
    return command.kind == COMMAND_REFUSED ? command.refused.reason : 0;
}

Test(orders, options_that_have_a_meaning_are_kept)
{
    struct ouch_options options = {
        .present = OUCH_HAS_FIRM | OUCH_HAS_MIN_QUANTITY | OUCH_HAS_CUSTOMER_TYPE | OUCH_HAS_MAX_FLOOR |
                   OUCH_HAS_PRICE_TYPE | OUCH_HAS_PEG_OFFSET | OUCH_HAS_POST_ONLY | OUCH_HAS_RANDOM_RESERVE |
                   OUCH_HAS_EXPIRE_S | OUCH_HAS_TRADE_NOW | OUCH_HAS_HANDLE_INST | OUCH_HAS_SHARES_LOCATED |
                   OUCH_HAS_USER_REF_INDEX | OUCH_HAS_TRIGGER | OUCH_HAS_TRIGGER_PRICE | OUCH_HAS_SELF_MATCH,
        .firm = {'M', 'L', 'R', 'O'},
        .min_quantity = 10,
        .customer_type = 'R',
        .max_floor = 20,
        .price_type = 'M',
        .peg_offset = -300,
        .post_only = 'P',
        .random_reserve = 30,
        .expire_s = 40,
        .trade_now = 'N',
        .handle_inst = 'O',
        .shares_located = 'Y',
        .user_ref_index = 3,
        .trigger = 'S',
        .trigger_price = 123400,
        .self_match = 'O',
    };
    cr_assert_eq(enter_with(&options), 0);
    const struct command_order *order = &command.order;
    cr_assert_eq(command.flags, COMMAND_HAS_APPENDAGE);
    cr_assert_eq(order->options, OPTION_FIRM | OPTION_MIN_QUANTITY | OPTION_CUSTOMER_TYPE | OPTION_MAX_FLOOR |
                                     OPTION_PRICE_TYPE | OPTION_PEG_OFFSET | OPTION_POST_ONLY | OPTION_RANDOM_RESERVE |
                                     OPTION_EXPIRE_TIME | OPTION_TRADE_NOW | OPTION_HANDLE_INST |
                                     OPTION_SHARES_LOCATED | OPTION_USER_REF_INDEX | OPTION_TRIGGER |
                                     OPTION_SELF_MATCH | OPTION_IS_RETAIL | OPTION_IS_POST_ONLY | OPTION_IS_LOCATED);
    cr_assert_eq(memcmp(order->firm, "MLRO", 4), 0);
    cr_assert_eq(order->min_quantity, 10u);
    cr_assert_eq(order->max_floor, 20u);
    cr_assert_eq(order->price_type, 'M');
    cr_assert_eq(order->peg_offset_ticks, -300);
    cr_assert_eq(order->random_reserve, 30u);
    cr_assert_eq(order->expire_s, 40u);
    cr_assert_eq(order->handle_inst, 'O');
    cr_assert_eq(order->user_ref_index, 3);
    cr_assert_eq(order->trigger_kind, 'S');
    cr_assert_eq(order->trigger_ticks, 123400);
    cr_assert_eq(order->self_match, 'O');
}

Test(orders, options_that_have_none_are_refused_with_a_reason)
{
    static const struct {
        struct ouch_options options;
        uint16_t reason;
    } cases[] = {
        {{.present = OUCH_HAS_ROUTE}, OUCH_REJECT_ROUTING_NOT_ALLOWED},
        {{.present = OUCH_HAS_DISCRETION_PRICE}, OUCH_REJECT_OTHER},
        {{.present = OUCH_HAS_DISCRETION_TYPE}, OUCH_REJECT_OTHER},
        {{.present = OUCH_HAS_DISCRETION_OFFSET}, OUCH_REJECT_OTHER},
        {{.present = OUCH_HAS_LOCATE_BROKER}, OUCH_REJECT_OTHER},
        {{.present = OUCH_HAS_BBO_WEIGHT}, OUCH_REJECT_OTHER},
        {{.present = OUCH_HAS_POST_ONLY, .post_only = 'Y'}, OUCH_REJECT_OTHER},
        {{.present = OUCH_HAS_TRIGGER, .trigger = 'S'}, OUCH_REJECT_OTHER},
        {{.present = OUCH_HAS_TRIGGER_PRICE}, OUCH_REJECT_OTHER},
        {{.present = OUCH_HAS_FIRM, .firm = {1, 2, 3, 4}}, OUCH_REJECT_FIRM_NOT_AUTHORIZED},
        {{.present = OUCH_HAS_TRADE_NOW, .trade_now = ' '}, 0},
        {{.present = OUCH_HAS_TRIGGER, .trigger = 'N'}, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_assert_eq(enter_with(&cases[i].options), cases[i].reason, "case %zu", i);
}

/* Whatever else is wrong with it: a request is its channel's, and so is the answer. */
Test(orders, options_that_break_a_rule_leave_the_channel)
{
    static const struct {
        uint8_t bytes[8];
        uint8_t count;
        uint8_t channel;
    } cases[] = {
        {{2, OUCH_TAG_USER_REF_INDEX, 5, 2, 18, ' '}, 6, 5}, /* of answers alone */
        {{2, 18, ' ', 2, OUCH_TAG_USER_REF_INDEX, 5}, 6, 5},
        {{2, OUCH_TAG_USER_REF_INDEX, 5, 2, 255, 1}, 6, 5}, /* unknown */
        {{2, OUCH_TAG_USER_REF_INDEX, 5, 2, OUCH_TAG_FIRM, 'F'}, 6, 5},
        {{2, OUCH_TAG_USER_REF_INDEX, 5, 2, OUCH_TAG_USER_REF_INDEX, 6}, 6, 5}, /* twice */
        {{2, OUCH_TAG_USER_REF_INDEX, 5, 9, OUCH_TAG_FIRM, 'F'}, 6, 5},         /* longer than what is there */
        {{9, OUCH_TAG_FIRM, 'F', 2, OUCH_TAG_USER_REF_INDEX, 5}, 6, 0},
        {{3, OUCH_TAG_USER_REF_INDEX, 0, 5}, 4, 0}, /* no channel has two bytes */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t message[512];
        const struct ouch_appendage appendage = {.bytes = cases[i].bytes, .count = cases[i].count};
        struct ouch_enter enter = an_enter();
        enter.appendage = appendage;
        count = 0;
        packet('U', message, ouch_encode_enter(message, &enter));
        cr_assert_eq(take(), SESSION_COMMAND, "case %zu", i);
        cr_assert_eq(command.kind, COMMAND_REFUSED, "case %zu", i);
        cr_assert_eq(command.refused.reason, OUCH_REJECT_OTHER, "case %zu", i);
        cr_assert_eq(command.refused.user_ref_index, cases[i].channel, "case %zu", i);
        cr_assert_eq(command.flags, COMMAND_HAS_APPENDAGE, "case %zu", i);

        struct ouch_replace replace = a_replace();
        replace.appendage = appendage;
        count = 0;
        packet('U', message, ouch_encode_replace(message, &replace));
        cr_assert_eq(take(), SESSION_COMMAND, "case %zu", i);
        cr_assert_eq(command.kind, COMMAND_REPLACE, "case %zu", i);
        cr_assert_eq(command.order.price_ticks, -1, "case %zu", i);
        cr_assert_eq(command.order.user_ref_index, cases[i].channel, "case %zu", i);
        cr_assert_eq(command.flags, COMMAND_HAS_APPENDAGE, "case %zu", i);
    }
}

Test(orders, a_sweep_is_y_or_n)
{
    static const char letters[] = {'X', 'y', ' ', '\0'};
    for (size_t i = 0; i < sizeof(letters); i++) {
        uint8_t message[512];
        struct ouch_enter enter = an_enter();
        enter.sweep = (uint8_t)letters[i];
        count = 0;
        packet('U', message, ouch_encode_enter(message, &enter));
        cr_assert_eq(take(), SESSION_COMMAND);
        cr_assert_eq(command.kind, COMMAND_REFUSED, "sweep %d", letters[i]);
        cr_assert_eq(command.refused.reason, OUCH_REJECT_SWEEP_NOT_ALLOWED);
        struct ouch_replace replace = a_replace();
        replace.sweep = (uint8_t)letters[i];
        count = 0;
        packet('U', message, ouch_encode_replace(message, &replace));
        cr_assert_eq(take(), SESSION_COMMAND);
        cr_assert_eq(command.order.price_ticks, -1, "sweep %d", letters[i]);
    }
}

Test(orders, a_replace_with_bad_details_goes_down_with_a_price_that_is_none)
{
    uint8_t appendage[OUCH_OPTIONS_BYTES_MAX];
    uint8_t message[512];
    const struct ouch_options route = {.present = OUCH_HAS_ROUTE};
    struct ouch_replace replace = a_replace();
    replace.sweep = 'Y';
    packet('U', message, ouch_encode_replace(message, &replace));
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(command.kind, COMMAND_REPLACE);
    cr_assert_eq(command.user_ref, 6u);
    cr_assert_eq(command.order.target_user_ref, 5u);
    cr_assert_eq(command.order.price_ticks, 1000);
    cr_assert_eq(command.order.options, OPTION_IS_SWEEP);
    cr_assert_null(result.symbol);

    count = 0;
    replace.appendage.bytes = appendage;
    replace.appendage.count = (uint16_t)ouch_options_encode(appendage, &route);
    packet('U', message, ouch_encode_replace(message, &replace));
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(command.kind, COMMAND_REPLACE);
    cr_assert_eq(command.order.price_ticks, -1);
    command.inbound_seq = command.tenure = command.gateway = 1;
    cr_assert_null(command_invalid(&command), "%s", command_invalid(&command));
}

Test(orders, cancel_modify_query_with_and_without_their_appendage)
{
    uint8_t message[64];
    uint8_t channel[] = {2, 28, 9};
    struct ouch_cancel cancel = {.user_ref = 5, .quantity = 40};
    packet('U', message, ouch_encode_cancel(message, &cancel));
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(command.kind, COMMAND_CANCEL);
    cr_assert_eq(command.flags, 0);
    cr_assert_eq(command.user_ref, 0u);
    cr_assert_eq(command.order.target_user_ref, 5u);
    cr_assert_eq(command.order.quantity, 40u);

    count = 0;
    cancel.appendage = (struct ouch_appendage){.bytes = channel, .count = 3, .present = true};
    packet('U', message, ouch_encode_cancel(message, &cancel));
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(command.flags, COMMAND_HAS_APPENDAGE);
    cr_assert_eq(command.order.user_ref_index, 9);

    count = 0;
    channel[1] = OUCH_TAG_FIRM;
    packet('U', message, ouch_encode_cancel(message, &cancel));
    cr_assert_eq(take(), SESSION_COMPLAINT, "there is no refusal of a cancel");

    count = 0;
    const struct ouch_modify modify = {.user_ref = 5, .side = 'T', .quantity = 40};
    packet('U', message, ouch_encode_modify(message, &modify));
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(command.kind, COMMAND_MODIFY);
    cr_assert_eq(command.order.side, 'T');

    count = 0;
    packet('U', "Q\0\0", 3);
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(command.kind, COMMAND_ACCOUNT_QUERY);
    cr_assert_eq(command.flags, COMMAND_HAS_APPENDAGE);
}

Test(orders, mass_requests)
{
    uint8_t message[64];
    uint8_t options[] = {2, OUCH_TAG_SIDE, 'S', 2, OUCH_TAG_USER_REF_INDEX, 4};
    struct ouch_mass_cancel mass = {.user_ref = 8, .appendage = {.bytes = options, .count = sizeof(options)}};
    text_pad(mass.firm, sizeof(mass.firm), "FRMA");
    text_pad(mass.symbol, sizeof(mass.symbol), "");
    packet('U', message, ouch_encode_mass_cancel(message, &mass));
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(command.kind, COMMAND_MASS_CANCEL);
    cr_assert_eq(command.user_ref, 8u);
    cr_assert_eq(command.order.side, 'S');
    cr_assert_eq(command.order.user_ref_index, 4);
    cr_assert_eq(memcmp(result.symbol, "        ", 8), 0);

    count = 0;
    options[1] = OUCH_TAG_FIRM;
    packet('U', message, ouch_encode_mass_cancel(message, &mass));
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(command.kind, COMMAND_REFUSED);
    cr_assert_eq(command.refused.refused_kind, COMMAND_MASS_CANCEL);
    cr_assert_eq(command.refused.user_ref_index, 4);
    cr_assert_eq(command.flags, COMMAND_HAS_APPENDAGE);
    cr_assert_null(result.symbol);

    for (int enable = 0; enable <= 1; enable++) {
        count = 0;
        struct ouch_disable entry = {.user_ref = 9};
        text_pad(entry.firm, sizeof(entry.firm), "FRMA");
        uint32_t message_bytes = ouch_encode_disable(message, &entry);
        message[0] = enable ? 'E' : 'D';
        packet('U', message, message_bytes);
        cr_assert_eq(take(), SESSION_COMMAND);
        cr_assert_eq(command.kind, enable ? COMMAND_ENABLE : COMMAND_DISABLE);
        cr_assert_eq(memcmp(command.order.firm, "FRMA", 4), 0);
    }
}

Test(orders, messages_that_are_none_are_complained_of_and_the_session_lives)
{
    struct ouch_enter enter = an_enter();
    uint8_t message[512];
    uint32_t message_bytes = ouch_encode_enter(message, &enter);
    for (uint32_t cut = 0; cut < message_bytes; cut++) {
        count = 0;
        packet('U', message, cut);
        cr_assert_eq(take(), SESSION_COMPLAINT, "%u bytes", cut);
        cr_assert_not_null(result.why);
        cr_assert_eq(session.phase, SESSION_OPEN);
    }
    count = 0;
    message[message_bytes] = 0;
    packet('U', message, message_bytes + 1);
    cr_assert_eq(take(), SESSION_COMPLAINT, "a byte too many");
    count = 0;
    packet('U', "?", 1);
    cr_assert_eq(take(), SESSION_COMPLAINT);
}

Test(orders, text_is_printable_and_zeros_are_spaces)
{
    struct ouch_enter enter = an_enter();
    memcpy(enter.client_order_id, "abc\0\0\0\0\0\0\0\0\0\0\0", 14);
    enter_packet(&enter);
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(memcmp(command.order.client_order_id, "abc           ", 14), 0);
    for (uint32_t at = 0; at < CLIENT_ORDER_ID_BYTES; at++) {
        static const char bad[] = {1, 31, 127, -1, -128};
        for (uint32_t i = 0; i < sizeof(bad); i++) {
            count = 0;
            enter = an_enter();
            enter.client_order_id[at] = bad[i];
            enter_packet(&enter);
            cr_assert_eq(take(), SESSION_COMPLAINT, "byte %d at %u", bad[i], at);
        }
    }
    static const char good[] = " ~!az09AZ\x7e{}[]";
    memcpy(enter.client_order_id, good, CLIENT_ORDER_ID_BYTES);
    count = 0;
    enter_packet(&enter);
    cr_assert_eq(take(), SESSION_COMMAND);
    cr_assert_eq(memcmp(command.order.client_order_id, good, CLIENT_ORDER_ID_BYTES), 0);
}
