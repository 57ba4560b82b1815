/*
 * Events as packets: each kind against bytes written by hand from the protocol's tables, and options by the decoder of
 * common/wire.
 */
#include "session_encode.h"

#include "base/bytes.h"
#include "base/units.h"
#include "wire/ouch.h"
#include "wire/soup.h"

#include <criterion/criterion.h>
#include <string.h>

#define MIDNIGHT (UINT64_C(1795392000) * NS_PER_SECOND)

static uint8_t packet[SESSION_PACKET_BYTES_MAX];
static uint32_t bytes;

/* 0x0102030405 ns after midnight, so that the timestamp's bytes are told apart. */
static struct event an_event(uint8_t kind)
{
    struct event event = {.event_seq = 9, .time_ns = MIDNIGHT + 0x0102030405, .kind = kind, .session = 1};
    event.message_no = 4;
    event.user_ref = 0x00753a8d;
    event.side = 'B';
    return event;
}

static void check(const struct event *event, const struct event *options, enum session_side side, const void *expected,
                  uint32_t expected_bytes)
{
    memset(packet, 0xee, sizeof(packet));
    bytes = session_encode(packet, event, options, side, MIDNIGHT);
    cr_assert_eq(bytes, expected_bytes, "%u bytes instead of %u", bytes, expected_bytes);
    for (uint32_t i = 0; i < bytes; i++)
        cr_assert_eq(packet[i], ((const uint8_t *)expected)[i], "byte %u of %c: %02x instead of %02x", i, packet[3],
                     packet[i], ((const uint8_t *)expected)[i]);
    cr_assert_eq(packet[bytes], 0xee, "not a byte beyond its end");
    cr_assert_null(ouch_invalid(OUCH_OUT, packet + SOUP_HEADER_BYTES, bytes - SOUP_HEADER_BYTES), "%s",
                   ouch_invalid(OUCH_OUT, packet + SOUP_HEADER_BYTES, bytes - SOUP_HEADER_BYTES));
}

#define CHECK(event, side, expected) check(&(event), NULL, side, expected, sizeof(expected) - 1)
#define TIME                         "\0\0\0\1\2\3\4\5"
#define REF                          "\0\x75\x3a\x8d"

static struct event an_accepted(void)
{
    struct event event = an_event(EVENT_ACCEPTED);
    struct event_accepted *accepted = &event.accepted;
    event.reason = 'L';
    accepted->order_ref = 0x1122334455667788;
    memcpy(accepted->symbol, "ADBE    ", SYMBOL_BYTES);
    accepted->price_ticks = 4777800;
    accepted->quantity = 40;
    memcpy(accepted->firm, "    ", FIRM_BYTES);
    accepted->time_in_force = '5';
    accepted->display = 'Y';
    accepted->capacity = 'A';
    accepted->cross_type = 'N';
    accepted->price_type = 'L';
    accepted->handle_inst = ' ';
    memcpy(accepted->client_order_id, "76827701      ", CLIENT_ORDER_ID_BYTES);
    return event;
}

Test(encode, accepted)
{
    struct event event = an_accepted();
    CHECK(event, SESSION_TAKER,
          "\0\x41SA" TIME REF "B\0\0\0\x28"
          "ADBE    \0\0\0\0\0\x48\xe7\x48"
          "5Y\x11\x22\x33\x44\x55\x66\x77\x88"
          "ANNL76827701      \0\0");
    event.accepted.options = OPTION_IS_SWEEP;
    event.accepted.price_ticks = PRICE_TICKS_MARKET;
    event.reason = 'D';
    CHECK(event, SESSION_TAKER,
          "\0\x41SA" TIME REF "B\0\0\0\x28"
          "ADBE    \0\0\0\0\x7f\xff\xff\xff"
          "5Y\x11\x22\x33\x44\x55\x66\x77\x88"
          "AYND76827701      \0\0");
    event = an_accepted();
    event.accepted.options = OPTION_FIRM;
    memcpy(event.accepted.firm, "MLRO", FIRM_BYTES);
    CHECK(event, SESSION_TAKER,
          "\0\x47SA" TIME REF "B\0\0\0\x28"
          "ADBE    \0\0\0\0\0\x48\xe7\x48"
          "5Y\x11\x22\x33\x44\x55\x66\x77\x88"
          "ANNL76827701      \0\6\5\2MLRO");
}

Test(encode, accepted_with_every_option)
{
    struct event event = an_accepted();
    struct event more = {.kind = EVENT_ORDER_OPTIONS};
    event.flags = EVENT_CONTINUED;
    event.user_ref_index = 3;
    event.accepted.options = OPTION_FIRM | OPTION_MIN_QUANTITY | OPTION_CUSTOMER_TYPE | OPTION_MAX_FLOOR |
                             OPTION_PRICE_TYPE | OPTION_PEG_OFFSET | OPTION_POST_ONLY | OPTION_RANDOM_RESERVE |
                             OPTION_EXPIRE_TIME | OPTION_TRADE_NOW | OPTION_HANDLE_INST | OPTION_GROUP |
                             OPTION_SHARES_LOCATED | OPTION_USER_REF_INDEX | OPTION_TRIGGER | OPTION_SELF_MATCH |
                             OPTION_IS_RETAIL | OPTION_IS_POST_ONLY;
    event.accepted.min_quantity = 7;
    event.accepted.max_floor = 8;
    event.accepted.group = 9;
    more.options.peg_offset_ticks = -10;
    more.options.random_reserve = 11;
    more.options.expire_s = 12;
    more.options.trigger_kind = 'T';
    more.options.trigger_ticks = 13;
    more.options.self_match = 'O';
    bytes = session_encode(packet, &event, &more, SESSION_TAKER, MIDNIGHT);
    struct ouch_accepted accepted = {0};
    struct ouch_options options = {0};
    cr_assert_null(ouch_decode_accepted(packet + SOUP_HEADER_BYTES, bytes - SOUP_HEADER_BYTES, &accepted));
    cr_assert_null(ouch_options_decode(accepted.appendage, OUCH_OUT_ACCEPTED, &options));
    cr_assert_eq(options.present, OUCH_HAS_FIRM | OUCH_HAS_MIN_QUANTITY | OUCH_HAS_CUSTOMER_TYPE | OUCH_HAS_MAX_FLOOR |
                                      OUCH_HAS_PRICE_TYPE | OUCH_HAS_PEG_OFFSET | OUCH_HAS_POST_ONLY |
                                      OUCH_HAS_RANDOM_RESERVE | OUCH_HAS_EXPIRE_S | OUCH_HAS_TRADE_NOW |
                                      OUCH_HAS_HANDLE_INST | OUCH_HAS_GROUP | OUCH_HAS_SHARES_LOCATED |
                                      OUCH_HAS_USER_REF_INDEX | OUCH_HAS_TRIGGER | OUCH_HAS_TRAIL_OFFSET |
                                      OUCH_HAS_SELF_MATCH);
    cr_assert_eq(options.min_quantity, 7u);
    cr_assert_eq(options.max_floor, 8u);
    cr_assert_eq(options.group, 9);
    cr_assert_eq(options.peg_offset, -10);
    cr_assert_eq(options.random_reserve, 11u);
    cr_assert_eq(options.expire_s, 12u);
    cr_assert_eq(options.trigger, 'T');
    cr_assert_eq(options.trail_offset, 13u);
    cr_assert_eq(options.self_match, 'O');
    cr_assert_eq(options.customer_type, 'R');
    cr_assert_eq(options.post_only, 'P');
    cr_assert_eq(options.trade_now, 'N');
    cr_assert_eq(options.shares_located, 'N');
    cr_assert_eq(options.user_ref_index, 3);
    more.options.trigger_kind = 'S';
    bytes = session_encode(packet, &event, &more, SESSION_TAKER, MIDNIGHT);
    cr_assert_null(ouch_decode_accepted(packet + SOUP_HEADER_BYTES, bytes - SOUP_HEADER_BYTES, &accepted));
    cr_assert_null(ouch_options_decode(accepted.appendage, OUCH_OUT_ACCEPTED, &options));
    cr_assert_eq(options.present & (OUCH_HAS_TRIGGER_PRICE | OUCH_HAS_TRAIL_OFFSET), OUCH_HAS_TRIGGER_PRICE);
}

Test(encode, replaced)
{
    struct event event = an_event(EVENT_REPLACED);
    struct event_replaced *replaced = &event.replaced;
    event.reason = 'L';
    replaced->order_ref = 0x1122334455667788;
    memcpy(replaced->symbol, "ADBE    ", SYMBOL_BYTES);
    replaced->price_ticks = 4777800;
    replaced->quantity = 40;
    replaced->time_in_force = '0';
    replaced->display = 'N';
    replaced->capacity = 'P';
    replaced->cross_type = 'N';
    memcpy(replaced->client_order_id, "76827702      ", CLIENT_ORDER_ID_BYTES);
    replaced->target_user_ref = 0x01020304;
    static const char plain[] = "\0\x45SU" TIME "\1\2\3\4" REF "B\0\0\0\x28"
                                "ADBE    \0\0\0\0\0\x48\xe7\x48"
                                "0N\x11\x22\x33\x44\x55\x66\x77\x88"
                                "PNNL76827702      \0\0";
    CHECK(event, SESSION_TAKER, plain);
    replaced->options =
        OPTION_CUSTOMER_TYPE | OPTION_SHARES_LOCATED | OPTION_MIN_QUANTITY; /* not repeated, or not there */
    CHECK(event, SESSION_TAKER, plain);
    struct event more = {.kind = EVENT_ORDER_OPTIONS};
    more.options.min_quantity = 5;
    event.flags = EVENT_CONTINUED;
    bytes = session_encode(packet, &event, &more, SESSION_TAKER, MIDNIGHT);
    cr_assert_eq(bytes, sizeof(plain) - 1 + 6);
    cr_assert_eq(memcmp(packet + bytes - 8, "\0\6\5\3\0\0\0\5", 8), 0);
    replaced->options |= OPTION_EXPIRE_TIME; /* its moment is the original's: no seconds of its own */
    bytes = session_encode(packet, &event, &more, SESSION_TAKER, MIDNIGHT);
    cr_assert_eq(bytes, sizeof(plain) - 1 + 6);
    more.options.expire_s = 60;
    bytes = session_encode(packet, &event, &more, SESSION_TAKER, MIDNIGHT);
    cr_assert_eq(bytes, sizeof(plain) - 1 + 12);
    cr_assert_eq(memcmp(packet + bytes - 6, "\5\x0f\0\0\0\x3c", 6), 0);
}

Test(encode, canceled)
{
    struct event event = an_event(EVENT_CANCELED);
    event.reason = 'U';
    event.cut.decrement = 40;
    CHECK(event, SESSION_TAKER, "\0\x13SC" TIME REF "\0\0\0\x28U");
    event.user_ref_index = 2;
    CHECK(event, SESSION_TAKER, "\0\x13SC" TIME REF "\0\0\0\x28U");
    event.flags = EVENT_HAS_APPENDAGE;
    CHECK(event, SESSION_TAKER, "\0\x18SC" TIME REF "\0\0\0\x28U\0\3\2\x1c\2");
    event.user_ref_index = 0;
    CHECK(event, SESSION_TAKER, "\0\x15SC" TIME REF "\0\0\0\x28U\0\0");
}

Test(encode, self_match_canceled)
{
    struct event event = an_event(EVENT_SELF_MATCH_CANCELED);
    event.reason = 'Q';
    event.cut.decrement = 40;
    event.cut.prevented_quantity = 41;
    event.cut.prevented_ticks = 0x010203;
    event.cut.liquidity = 'A';
    event.cut.self_match = 'W';
    CHECK(event, SESSION_TAKER, "\0\x21SD" TIME REF "\0\0\0\x28Q\0\0\0\x29\0\0\0\0\0\1\2\3AW");
}

Test(encode, both_sides_of_an_execution_and_of_a_broken_trade)
{
    struct event event = an_event(EVENT_EXECUTED);
    struct event_trade *trade = &event.trade;
    trade->match_number = 0x1122334455667788;
    trade->price_ticks = 0x010203;
    trade->quantity = 40;
    trade->maker_session = 2;
    trade->maker_message_no = 5;
    trade->maker_user_ref = 6;
    trade->liquidity = 'R';
    trade->maker_liquidity = 'A';
    trade->maker_user_ref_index = 7;
    CHECK(event, SESSION_TAKER, "\0\x25SE" TIME REF "\0\0\0\x28\0\0\0\0\0\1\2\3R\x11\x22\x33\x44\x55\x66\x77\x88\0\0");
    CHECK(event, SESSION_MAKER,
          "\0\x28SE" TIME "\0\0\0\6\0\0\0\x28\0\0\0\0\0\1\2\3A\x11\x22\x33\x44\x55\x66\x77\x88\0\3\2\x1c\7");
    event.kind = EVENT_BROKEN;
    event.reason = 'C';
    event.flags = EVENT_MAKER_APPENDAGE;
    CHECK(event, SESSION_TAKER,
          "\0\x25SB" TIME REF "\x11\x22\x33\x44\x55\x66\x77\x88"
          "C              ");
    CHECK(event, SESSION_MAKER,
          "\0\x2aSB" TIME "\0\0\0\6\x11\x22\x33\x44\x55\x66\x77\x88"
          "C              \0\3\2\x1c\7");
}

Test(encode, rejected)
{
    struct event event = an_event(EVENT_REJECTED);
    event.refused.reason = 0x0017;
    memcpy(event.refused.client_order_id, "76827701      ", CLIENT_ORDER_ID_BYTES);
    CHECK(event, SESSION_TAKER,
          "\0\x1eSJ" TIME REF "\0\x17"
          "76827701      ");
    memset(event.refused.client_order_id, 0, CLIENT_ORDER_ID_BYTES); /* of a Mass Cancel, which has none */
    CHECK(event, SESSION_TAKER,
          "\0\x1eSJ" TIME REF "\0\x17"
          "              ");
}

Test(encode, the_short_ones)
{
    struct event event = an_event(EVENT_CANCEL_PENDING);
    CHECK(event, SESSION_TAKER, "\0\x0eSP" TIME REF);
    event.kind = EVENT_CANCEL_REJECTED;
    CHECK(event, SESSION_TAKER, "\0\x0eSI" TIME REF);
    event.kind = EVENT_ACCOUNT_ANSWER;
    CHECK(event, SESSION_TAKER, "\0\x0eSQ" TIME REF);
    event.kind = EVENT_SYSTEM_EVENT;
    event.reason = 'S';
    CHECK(event, SESSION_TAKER, "\0\x0bSS" TIME "S");
    event.kind = EVENT_PRIORITY_UPDATED;
    event.cut.order_ref = 0x1122334455667788;
    event.cut.price_ticks = 0x010203;
    event.cut.display = 'Z';
    CHECK(event, SESSION_TAKER, "\0\x1fST" TIME REF "\0\0\0\0\0\1\2\3Z\x11\x22\x33\x44\x55\x66\x77\x88");
    event.kind = EVENT_MODIFIED;
    event.side = 'T';
    event.cut.leaves_quantity = 40;
    CHECK(event, SESSION_TAKER, "\0\x13SM" TIME REF "T\0\0\0\x28");
}

Test(encode, restated)
{
    struct event event = an_event(EVENT_RESTATED);
    event.reason = 'R';
    event.cut.order_ref = 0x1122334455667788;
    event.cut.display_quantity = 40;
    CHECK(event, SESSION_TAKER,
          "\0\x21SR" TIME REF "R\0\x10"
          "\x09\1\x11\x22\x33\x44\x55\x66\x77\x88"
          "\5\x16\0\0\0\x28");
}

Test(encode, mass_answers)
{
    struct event event = an_event(EVENT_MASS_CANCELED);
    event.side = 0;
    memcpy(event.mass.firm, "FRMA", FIRM_BYTES);
    memcpy(event.mass.symbol, "        ", SYMBOL_BYTES);
    CHECK(event, SESSION_TAKER, "\0\x1cSX" TIME REF "FRMA        \0\0");
    event.side = 'S';
    event.user_ref_index = 1;
    event.mass.options = OPTION_GROUP;
    event.mass.group = 0x0203;
    CHECK(event, SESSION_TAKER, "\0\x26SX" TIME REF "FRMA        \0\x0a\3\x18\2\3\2\x1bS\2\x1c\1");
    event.kind = EVENT_ENTRY_DISABLED;
    CHECK(event, SESSION_TAKER, "\0\x17SG" TIME REF "FRMA\0\3\2\x1c\1");
    event.user_ref_index = 0;
    event.kind = EVENT_ENTRY_ENABLED;
    CHECK(event, SESSION_TAKER, "\0\x14SK" TIME REF "FRMA\0\0");
}

Test(encode, what_is_no_message_gives_no_packet)
{
    static const uint8_t kinds[] = {0,  EVENT_ORDER_OPTIONS, EVENT_LOGIN_ACCEPTED, EVENT_DAY_STARTED, EVENT_BOOK_TOP,
                                    255};
    for (size_t i = 0; i < sizeof(kinds); i++) {
        struct event event = an_event(kinds[i]);
        cr_assert_eq(session_encode(packet, &event, NULL, SESSION_TAKER, MIDNIGHT), 0u);
    }
}
