/*
 * Tests of common/record: the layout's hash, names, letters and the bytes of one command and one event, written out by
 * hand, so that a change of the format cannot pass unseen. (Every offset is pinned where the structs are.)
 */
#include "base/bytes.h"
#include "record/command.h"
#include "record/event.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#define COMMAND_HASH 0xf4fee055cedbf27eu
#define EVENT_HASH   0x6374122602c9b801u

/* The bytes of a record as hex, from the body on. */
static void body_hex(char text[2 * RECORD_BODY_BYTES + 1], const void *record)
{
    const uint8_t *body = (const uint8_t *)record + RECORD_HEAD_BYTES;
    for (size_t i = 0; i < RECORD_BODY_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", body[i]);
}

Test(command, golden_bytes_of_an_order)
{
    struct command command;
    char hex[2 * RECORD_BODY_BYTES + 1];
    memset(&command, 0, sizeof(command));
    command.command_seq = 0x0102030405060708;
    command.time_ns = 0x1112131415161718;
    command.inbound_seq = 0x2122232425262728;
    command.tenure = 0x31323334;
    command.gateway = 0x41;
    command.shard = 0x42;
    command.kind = COMMAND_ENTER;
    command.flags = COMMAND_HAS_APPENDAGE;
    command.session = 0x51525354;
    command.user_ref = 0x61626364;
    command.order = (struct command_order){.side = 'B',
                                           .time_in_force = '0',
                                           .display = 'Y',
                                           .capacity = 'A',
                                           .cross_type = 'N',
                                           .price_type = 'L',
                                           .handle_inst = ' ',
                                           .instrument = 7,
                                           .quantity = 100,
                                           .price_ticks = 5853300,
                                           .options = OPTION_FIRM,
                                           .min_quantity = 1,
                                           .max_floor = 2,
                                           .peg_offset_ticks = -3,
                                           .random_reserve = 4,
                                           .expire_s = 5,
                                           .trigger_ticks = 6,
                                           .trigger_kind = 'S',
                                           .self_match = 'O'};
    text_pad(command.order.firm, FIRM_BYTES, "FIRM");
    text_pad(command.order.client_order_id, CLIENT_ORDER_ID_BYTES, "my order");
    body_hex(hex, &command);
    cr_assert_str_eq(hex, "0807060504030201"
                          "1817161514131211"
                          "2827262524232221"
                          "34333231"
                          "41420102"
                          "54535251"
                          "64636261"
                          "0042305941"
                          "4e4c20"
                          "07000000"
                          "00000000"
                          "64000000"
                          "74505900"
                          "01000000"
                          "4649524d"
                          "01000000"
                          "02000000"
                          "fdffffff"
                          "04000000"
                          "05000000"
                          "06000000"
                          "6d79206f7264657220202020"
                          "2020"
                          "534f");
}

Test(event, golden_bytes_of_a_trade)
{
    struct event event;
    char hex[2 * RECORD_BODY_BYTES + 1];
    memset(&event, 0, sizeof(event));
    event.event_seq = 0x0102030405060708;
    event.command_seq = 0x1112131415161718;
    event.time_ns = 0x2122232425262728;
    event.index = 0x3132;
    event.kind = EVENT_EXECUTED;
    event.flags = EVENT_LAST_OF_COMMAND;
    event.instrument = 0x41424344;
    event.session = 0x51525354;
    event.message_no = 0x61626364;
    event.user_ref = 0x71727374;
    event.user_ref_index = 1;
    event.side = 'B';
    event.trade = (struct event_trade){.order_ref = 1,
                                       .maker_order_ref = 2,
                                       .match_number = 3,
                                       .price_ticks = 4,
                                       .quantity = 5,
                                       .leaves_quantity = 6,
                                       .maker_leaves_quantity = 7,
                                       .maker_session = 8,
                                       .maker_message_no = 9,
                                       .maker_user_ref = 10,
                                       .maker_user_ref_index = 11,
                                       .maker_side = 'S',
                                       .liquidity = 'R',
                                       .maker_liquidity = 'A'};
    body_hex(hex, &event);
    cr_assert_str_eq(hex, "0807060504030201"
                          "1817161514131211"
                          "2827262524232221"
                          "3231"
                          "0508"
                          "44434241"
                          "54535251"
                          "64636261"
                          "74737271"
                          "01004200"
                          "0100000000000000"
                          "0200000000000000"
                          "0300000000000000"
                          "04000000"
                          "05000000"
                          "06000000"
                          "07000000"
                          "08000000"
                          "09000000"
                          "0a000000"
                          "0b535241"
                          "0000000000000000");
}

/* The kinds that a journal may hold keep their numbers for ever. */
Test(kinds, numbers_and_names)
{
    static const struct {
        uint8_t kind;
        const char *name;
    } commands[] = {{1, "ENTER"},
                    {2, "REPLACE"},
                    {3, "CANCEL"},
                    {9, "REFUSED"},
                    {16, "LOGIN"},
                    {17, "LOGOUT"},
                    {18, "TENURE_BEGINS"},
                    {32, "TICK"},
                    {33, "DAY_START"},
                    {34, "DAY_END"},
                    {48, "INSTRUMENT_ADD"},
                    {54, "SNAPSHOT_MARK"},
                    {55, "SESSION_KICK"},
                    {58, "ORDERS_CANCEL"},
                    {0, "?"},
                    {10, "?"},
                    {255, "?"}};
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
        cr_assert_str_eq(command_kind_name(commands[i].kind), commands[i].name);
    cr_assert_str_eq(event_kind_name(EVENT_ACCEPTED), "ACCEPTED");
    cr_assert_str_eq(event_kind_name(EVENT_CHECKPOINT), "CHECKPOINT");
    cr_assert_str_eq(event_kind_name(0), "?");
}

Test(kinds, letters_of_messages)
{
    /* In the order of the kinds 1 to 17: the outbound messages of OUCH 5.0, each once. */
    static const char letters[] = "AUCDEBJPITMRXGKQS";
    for (uint8_t kind = 1; kind <= 17; kind++)
        cr_assert_eq(event_message_letter(kind), letters[kind - 1], "kind %u", kind);
    for (unsigned kind = 18; kind < 256; kind++)
        cr_assert_eq(event_message_letter((uint8_t)kind), '-', "kind %u", kind);
}

Test(layout, tables_cover_the_fixed_part_without_a_gap)
{
    size_t end = 0;
#define X(type, field, offset, bytes)                                                                                  \
    if ((offset) < 56 && (offset) == end)                                                                              \
        end = (offset) + (bytes);
    COMMAND_FIELDS(X)
    cr_assert_eq(end, 56u);
    end = 0;
#undef X
#define X(type, field, offset, bytes)                                                                                  \
    if ((offset) < 64 && (offset) == end)                                                                              \
        end = (offset) + (bytes);
    EVENT_FIELDS(X)
    cr_assert_eq(end, 64u);
#undef X
}

/* A build with another layout must not pass for this one: the hash covers type, name, offset and size of each field. */
Test(layout, hashes_are_those_of_version_two)
{
    cr_assert_eq(command_layout_hash(), COMMAND_HASH, "command_layout_hash is 0x%016" PRIx64, command_layout_hash());
    cr_assert(command_layout_readable(COMMAND_HASH) && command_layout_readable(COMMAND_LAYOUT_HASH_1),
              "journals of both versions are read");
    cr_assert_not(command_layout_readable(COMMAND_HASH + 1));
    cr_assert_eq(event_layout_hash(), EVENT_HASH, "event_layout_hash is 0x%016" PRIx64, event_layout_hash());
}
