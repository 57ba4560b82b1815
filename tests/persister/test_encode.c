/*
 * What the persister writes, as bytes: fields of COPY BINARY against what PostgreSQL documents, payloads decoded by
 * msgpack-c, rows and live state of batches put together by hand.
 */
#include "encode_copy.h"
#include "encode_fields.h"
#include "encode_live.h"
#include "encode_names.h"
#include "encode_pack.h"
#include "encode_payload.h"
#include "encode_rows.h"
#include "encode_sort.h"
#include "market.h"
#include "redis_entry.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define cr_field(end, bytes, ...)                                                                                      \
    do {                                                                                                               \
        const uint8_t wanted[] = {__VA_ARGS__};                                                                        \
        cr_assert_eq((size_t)((end) - (bytes)), sizeof(wanted));                                                       \
        cr_assert_arr_eq(bytes, wanted, sizeof(wanted));                                                               \
    } while (0)

/* ---- COPY BINARY ---- */

Test(copy, integers_are_big_endian_behind_their_length)
{
    uint8_t bytes[64];
    cr_field(copy_int4(bytes, 0x01020304), bytes, 0, 0, 0, 4, 1, 2, 3, 4);
    cr_field(copy_int8(bytes, 0x0102030405060708), bytes, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    cr_field(copy_int8_or_null(bytes, 0), bytes, 255, 255, 255, 255);
    cr_field(copy_bool(bytes, true), bytes, 0, 0, 0, 1, 1);
    cr_field(copy_row(bytes, 258), bytes, 1, 2);
}

Test(copy, text_has_no_padding_and_nothing_unprintable)
{
    uint8_t bytes[64];
    cr_field(copy_field(bytes, "AB  ", 4), bytes, 0, 0, 0, 2, 'A', 'B');
    cr_field(copy_field(bytes, " B\0\0", 4), bytes, 0, 0, 0, 2, ' ', 'B');
    cr_field(copy_field(bytes, "    ", 4), bytes, 255, 255, 255, 255);
    cr_field(copy_field(bytes, "a\0\xff\x7f", 4), bytes, 0, 0, 0, 4, 'a', '?', '?', '?');
    cr_field(copy_word(bytes, NULL), bytes, 255, 255, 255, 255);
    cr_field(copy_word(bytes, "day"), bytes, 0, 0, 0, 3, 'd', 'a', 'y');
}

Test(copy, time_is_microseconds_since_2000)
{
    uint8_t bytes[64];
    cr_field(copy_time(bytes, UINT64_C(946684800000000000)), bytes, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    cr_field(copy_time(bytes, UINT64_C(946684800000002999)), bytes, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 2);
}

Test(copy, numeric_digits_are_the_ticks_in_base_10000)
{
    uint8_t bytes[64];
    /* length; digits, weight, sign, scale; the digits */
    cr_field(copy_numeric(bytes, 0), bytes, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 4);
    cr_field(copy_numeric(bytes, 1), bytes, 0, 0, 0, 10, 0, 1, 255, 255, 0, 0, 0, 4, 0, 1);
    cr_field(copy_numeric(bytes, 10000), bytes, 0, 0, 0, 10, 0, 1, 0, 0, 0, 0, 0, 4, 0, 1);
    cr_field(copy_numeric(bytes, -1012500), bytes, 0, 0, 0, 12, 0, 2, 0, 0, 64, 0, 0, 4, 0, 101, 0x09, 0xc4);
    cr_field(copy_numeric(bytes, 100000000), bytes, 0, 0, 0, 10, 0, 1, 0, 1, 0, 0, 0, 4, 0, 1);
    cr_field(copy_numeric(bytes, 100000001), bytes, 0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 4, 0, 1, 0, 0, 0, 1);
}

/* Any number of ticks comes back from its digits. */
Test(copy, numeric_is_exact_for_any_ticks)
{
    uint64_t ticks = 1;
    for (int i = 0; i < 100000; i++, ticks = ticks * UINT64_C(6364136223846793005) + 1442695040888963407u) {
        uint8_t bytes[64];
        uint64_t value = ticks >> (i % 64);
        uint8_t *end = copy_magnitude(bytes, value, false);
        uint32_t count = load_be16(bytes + 4);
        int weight = (int16_t)load_be16(bytes + 6);
        uint64_t back = 0;
        for (uint32_t digit = 0; digit < count; digit++) {
            cr_assert_lt(load_be16(bytes + 12 + 2 * (size_t)digit), 10000);
            back = back * 10000 + load_be16(bytes + 12 + 2 * (size_t)digit);
        }
        for (int power = weight - (int)count + 1; power > -1 && count > 0; power--)
            back *= 10000;
        cr_assert_eq(back, value);
        cr_assert_eq(load_be32(bytes), (uint32_t)(end - bytes - 4));
    }
}

Test(names, letters_have_names_and_others_do_not_crash)
{
    cr_assert_str_eq(name_side('T'), "sell short");
    cr_assert_str_eq(name_cancel_reason('Q'), "self-match prevention");
    cr_assert_str_eq(name_cancel_reason('?'), "unknown");
    cr_assert_null(name_cancel_reason(0));
    cr_assert_str_eq(name_reject_reason(0x17), "invalid symbol");
    cr_assert_str_eq(name_reject_reason(0x32), "Reg SHO state not available");
    cr_assert_str_eq(name_reject_reason(0xffff), "unknown");
    cr_assert_str_eq(name_request(COMMAND_REPLACE), "replace");
    for (int i = 0; i < 256; i++)
        cr_assert(i == 0 || name_liquidity((uint8_t)i));
}

/* ---- rows ---- */

static struct rows *rows_new(uint32_t events)
{
    return rows_init(aligned_alloc(128, rows_bytes(events, ROW_SETS_ALL)), events, ROW_SETS_ALL);
}

static struct event order_event(uint8_t kind, uint64_t seq)
{
    struct event event = {.event_seq = seq, .time_ns = 1000 * seq, .kind = kind, .session = 1, .side = 'B'};
    return event;
}

static void accept_order(struct rows *rows, uint64_t seq, uint64_t ref)
{
    struct event event = order_event(EVENT_ACCEPTED, seq);
    event.reason = 'L';
    event.accepted.order_ref = ref;
    event.accepted.quantity = 100;
    memset(event.accepted.symbol, 'A', SYMBOL_BYTES);
    rows_add(rows, &event);
}

static void cancel_order(struct rows *rows, uint64_t seq, uint64_t ref, uint32_t decrement, uint32_t leaves)
{
    struct event event = order_event(EVENT_CANCELED, seq);
    event.reason = 'U';
    event.cut.order_ref = ref;
    event.cut.decrement = decrement;
    event.cut.leaves_quantity = leaves;
    rows_add(rows, &event);
}

Test(rows, an_order_has_one_row_in_a_batch)
{
    struct rows *rows = rows_new(64);
    accept_order(rows, 1, 7);
    cancel_order(rows, 2, 7, 30, 70);
    cancel_order(rows, 3, 7, 70, 0);
    cancel_order(rows, 4, 3, 10, 5); /* was there before */
    cancel_order(rows, 5, 3, 5, 0);
    cr_assert_eq(rows_count(rows, ROWS_ORDERS_NEW), 1);
    cr_assert_eq(rows_count(rows, ROWS_ORDERS_CHANGED), 1);
    cr_assert_eq(rows_event_count(rows), 5);
    cr_assert_eq(rows_first_seq(rows), 1);
    cr_assert_eq(rows_last_seq(rows), 5);
    cr_assert_eq(rows_last_time_ns(rows), 5000);
    rows_clear(rows);
    cancel_order(rows, 6, 7, 1, 0); /* new in the batch before, hence not in this one */
    cr_assert_eq(rows_count(rows, ROWS_ORDERS_NEW), 0);
    cr_assert_eq(rows_count(rows, ROWS_ORDERS_CHANGED), 1);
    free(rows);
}

Test(rows, a_full_batch_of_trades_fits)
{
    uint32_t events = 1000;
    static struct symbol_table symbols;
    static struct order_days days;
    struct rows_context context = {.symbols = &symbols, .days = &days};
    struct rows *rows = rows_new(events);
    struct event event = {0};
    for (uint32_t i = 0; i < events; i++) {
        event = order_event(EVENT_EXECUTED, i + 1);
        cr_assert(rows_fits(rows, &event));
        event.trade = (struct event_trade){.order_ref = 2 * i + 1, .maker_order_ref = 2 * i + 2, .quantity = 1};
        rows_add(rows, &event);
    }
    cr_assert_not(rows_fits(rows, &event));
    cr_assert_eq(rows_count(rows, ROWS_ORDERS_CHANGED), 2 * events);
    cr_assert_eq(rows_count(rows, ROWS_EXECUTIONS), 2 * events);
    cr_assert_eq(rows_count(rows, ROWS_STEPS), 2 * events);
    uint8_t *bytes = malloc(4096);
    for (int set = 0; set < ROW_SET_COUNT; set++) {
        uint32_t cursor = 0;
        uint32_t pieces = 0;
        while (rows_encode(rows, (enum row_set)set, &context, &cursor, bytes, 4096) > 0)
            pieces++;
        cr_assert((pieces > 10) == (set == ROWS_ORDERS_CHANGED || set == ROWS_EXECUTIONS || set == ROWS_STEPS));
    }
    free(bytes);
    free(rows);
}

/* The numbers of the orders and of the events of encoded rows, where those stand in a row of order_events. */
static uint32_t read_steps(const uint8_t *bytes, size_t size, uint64_t order_refs[], uint64_t event_seqs[])
{
    uint32_t count = 0;
    for (const uint8_t *at = bytes; at < bytes + size; count++) {
        uint16_t fields = load_be16(at);
        at += 2;
        for (uint16_t i = 0; i < fields; i++) {
            uint32_t length = load_be32(at);
            at += 4;
            if (i == 1)
                event_seqs[count] = load_be64(at);
            if (i == 2)
                order_refs[count] = load_be64(at);
            at += length == UINT32_MAX ? 0 : length;
        }
    }
    return count;
}

Test(rows, sorted_they_lie_by_order_and_then_by_event)
{
    static struct symbol_table symbols;
    static struct order_days days;
    struct rows_context context = {.symbols = &symbols, .days = &days};
    struct rows *rows = rows_new(64);
    cancel_order(rows, 1, 900, 1, 9);
    accept_order(rows, 2, 5001);
    struct event trade = order_event(EVENT_EXECUTED, 3);
    trade.trade = (struct event_trade){.order_ref = 5001, .maker_order_ref = 900, .quantity = 1};
    rows_add(rows, &trade);
    cancel_order(rows, 4, 5001, 1, 0);
    cancel_order(rows, 5, 40, 1, 0);
    rows_sort(rows);
    uint8_t bytes[8192];
    uint64_t order_refs[8], event_seqs[8];
    uint32_t cursor = 0;
    size_t size = rows_encode(rows, ROWS_STEPS, &context, &cursor, bytes, sizeof(bytes));
    static const uint64_t expected[][2] = {{40, 5}, {900, 1}, {900, 3}, {5001, 2}, {5001, 3}, {5001, 4}};
    cr_assert_eq(read_steps(bytes, size, order_refs, event_seqs), 6);
    for (int i = 0; i < 6; i++) {
        cr_assert_eq(order_refs[i], expected[i][0]);
        cr_assert_eq(event_seqs[i], expected[i][1]);
    }
    cr_assert_eq(rows_count(rows, ROWS_EXECUTIONS), 2);
    cr_assert_eq(rows_count(rows, ROWS_ORDERS_CHANGED), 2);
    free(rows);
}

/* Against the obvious insertion sort: few numbers, many, far apart, all the same, none. */
Test(rows, entries_are_sorted_and_stay_in_place_to_each_other)
{
    enum { COUNT = 700 };
    static const uint64_t spans[] = {1, 2, 5, 2047, 2048, 5000, UINT64_C(1) << 40, UINT64_MAX};
    static struct sort_entry entries[COUNT], spare[COUNT], expected[COUNT];
    uint64_t random = 7;
    for (uint32_t round = 0; round < 80; round++) {
        uint32_t count = round * round % (COUNT + 1);
        for (uint32_t i = 0; i < count; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            entries[i] = (struct sort_entry){.order_ref = (random ^ random >> 29) % spans[round % 8], .entry = i};
            uint32_t place = i;
            for (; place > 0 && expected[place - 1].order_ref > entries[i].order_ref; place--)
                expected[place] = expected[place - 1];
            expected[place] = entries[i];
        }
        const struct sort_entry *sorted = sort_by_order(entries, spare, count);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert_eq(sorted[i].order_ref, expected[i].order_ref);
            cr_assert_eq(sorted[i].entry, expected[i].entry);
        }
    }
}

Test(rows, a_row_has_as_many_fields_as_its_statement_names)
{
    static struct symbol_table symbols;
    static struct order_days days;
    struct rows_context context = {.symbols = &symbols, .days = &days};
    struct rows *rows = rows_new(64);
    static const uint8_t kinds[] = {EVENT_REJECTED,         EVENT_OPERATOR_ACTED, EVENT_BROKEN,  EVENT_LOGIN_ACCEPTED,
                                    EVENT_INSTRUMENT_ADDED, EVENT_DAY_STARTED,    EVENT_EXECUTED};
    accept_order(rows, 1, 7);
    for (uint32_t i = 0; i < sizeof(kinds); i++) {
        struct event event = order_event(kinds[i], i + 2);
        event.instrument = 1;
        rows_add(rows, &event);
    }
    struct event renumbered = order_event(EVENT_PRIORITY_UPDATED, 9);
    renumbered.cut.previous_order_ref = 5;
    renumbered.cut.order_ref = 8;
    rows_add(rows, &renumbered);
    uint8_t bytes[8192];
    for (int set = 0; set < ROW_SET_COUNT; set++) {
        uint32_t cursor = 0;
        uint32_t columns = 1;
        const struct row_set_statements *statements = &row_set_statements[set];
        cr_assert_gt(rows_encode(rows, (enum row_set)set, &context, &cursor, bytes, sizeof(bytes)), 0);
        const char *list = statements->staging ? statements->staging : statements->copy;
        for (const char *at = list; *at != ')'; at++)
            columns += *at == ',';
        cr_assert_eq(load_be16(bytes), columns, "%s: %u fields, %u columns", list, load_be16(bytes), columns);
    }
    free(rows);
}

/* A batch is of one day, and an order whose number changes is in another set than those that only change. */
Test(rows, a_batch_is_of_one_day_and_numbers_tell_theirs)
{
    static struct order_days days;
    struct rows *rows = rows_new(64);
    struct event event = order_event(EVENT_PRIORITY_UPDATED, 3);
    uint64_t lowest, highest;
    cancel_order(rows, 1, 4, 1, 9);
    cancel_order(rows, 2, 6, 1, 9);
    event.cut.previous_order_ref = 4;
    event.cut.order_ref = 9;
    rows_add(rows, &event);
    cr_assert_eq(rows_count(rows, ROWS_ORDERS_CHANGED), 1);
    cr_assert_eq(rows_count(rows, ROWS_ORDERS_RENUMBERED), 1);
    cr_assert_eq(rows_order_ref_first(rows), 9);
    rows_changed_range(rows, &lowest, &highest);
    cr_assert(lowest == 4 && highest == 6);
    event.time_ns += NS_PER_DAY;
    cr_assert_not(rows_fits(rows, &event));
    cr_assert(order_days_note(&days, 4, 100));
    cr_assert_not(order_days_note(&days, 5, 100));
    cr_assert(order_days_note(&days, 9, 102));
    cr_assert(order_days_of(&days, 3) == 100 && order_days_of(&days, 8) == 100 && order_days_of(&days, 9) == 102);
    free(rows);
}

/* ---- payload ---- */

static uint64_t number_of(const msgpack_object *array, uint32_t index)
{
    cr_assert_lt(index, array->via.array.size);
    cr_assert_eq(array->via.array.ptr[index].type, MSGPACK_OBJECT_POSITIVE_INTEGER);
    return array->via.array.ptr[index].via.u64;
}

static void check_text(const msgpack_object *array, uint32_t index, const char *text)
{
    const msgpack_object *object = &array->via.array.ptr[index];
    cr_assert_eq(object->type, MSGPACK_OBJECT_STR);
    cr_assert_eq(object->via.str.size, strlen(text));
    cr_assert_arr_eq(object->via.str.ptr, text, strlen(text));
}

/* Place of a field in its kind's list. */
static uint32_t place_of(uint8_t kind, const char *name)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), ", %s ", name);
    const char *fields = payload_fields(kind);
    const char *at = strstr(fields, wanted);
    cr_assert_not_null(at, "%s has no %s", fields, name);
    uint32_t place = 1;
    for (const char *comma = fields; comma < at; comma++)
        place += *comma == ',';
    return place;
}

static uint32_t field_count(uint8_t kind)
{
    uint32_t count = 1;
    for (const char *at = payload_fields(kind); *at != '\0'; at++)
        count += *at == ',';
    return count;
}

static void check_trade(const msgpack_object *array, const struct event *event)
{
    cr_assert_eq(number_of(array, place_of(EVENT_EXECUTED, "match_number")), event->trade.match_number);
    cr_assert_eq(number_of(array, place_of(EVENT_EXECUTED, "price_ticks")), (uint64_t)event->trade.price_ticks);
    cr_assert_eq(number_of(array, place_of(EVENT_EXECUTED, "quantity")), event->trade.quantity);
    cr_assert_eq(number_of(array, place_of(EVENT_EXECUTED, "order_ref")), event->trade.order_ref);
    cr_assert_eq(number_of(array, place_of(EVENT_EXECUTED, "maker_order_ref")), event->trade.maker_order_ref);
    cr_assert_eq(number_of(array, place_of(EVENT_EXECUTED, "maker_session")), event->trade.maker_session);
    cr_assert_eq(number_of(array, place_of(EVENT_EXECUTED, "leaves")), event->trade.leaves_quantity);
    cr_assert_eq(number_of(array, place_of(EVENT_EXECUTED, "maker_leaves")), event->trade.maker_leaves_quantity);
    check_text(array, place_of(EVENT_EXECUTED, "symbol"), market_symbols[event->instrument]);
    check_text(array, place_of(EVENT_EXECUTED, "maker_liquidity"), "A");
}

static void check_event(const msgpack_object *array, const struct event *event)
{
    cr_assert_eq(array->type, MSGPACK_OBJECT_ARRAY);
    cr_assert_eq(array->via.array.size, field_count(event->kind));
    cr_assert_eq(number_of(array, 0), event->kind);
    cr_assert_eq(number_of(array, 1), event->time_ns);
    if (event->kind == EVENT_EXECUTED)
        check_trade(array, event);
    if (event->kind == EVENT_ACCEPTED) {
        cr_assert_eq(number_of(array, place_of(event->kind, "order_ref")), event->accepted.order_ref);
        cr_assert_eq(number_of(array, place_of(event->kind, "quantity")), event->accepted.quantity);
        cr_assert_eq(number_of(array, place_of(event->kind, "price_ticks")), (uint64_t)event->accepted.price_ticks);
        check_text(array, place_of(event->kind, "symbol"), market_symbols[event->instrument]);
    }
    if (event->kind == EVENT_BOOK_TOP)
        cr_assert_eq(number_of(array, place_of(event->kind, "ask_quantity")), UINT64_C(5000000000));
}

Test(payload, decodes_by_msgpack_c_to_what_was_encoded)
{
    static struct symbol_table symbols;
    struct market market;
    market_init(&market, 5, 4000);
    market_run(&market, 3000);
    struct redis_entry entry;
    struct error error;
    cr_assert_eq(redis_entry_init(&entry, market.event_count, 8, &error), 0);
    for (uint32_t i = 0; i < market.event_count; i++) {
        symbol_note(&symbols, &market.events[i]);
        redis_entry_add(&entry, &market.events[i], &symbols);
    }
    uint8_t *bytes = malloc(PAYLOAD_HEAD_BYTES + entry.payload_bytes);
    size_t head_bytes = payload_head(bytes, 1, market.event_count);
    memcpy(bytes + head_bytes, entry.payload, entry.payload_bytes);
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t at = 0;
    cr_assert_eq(msgpack_unpack_next(&unpacked, (const char *)bytes, head_bytes + entry.payload_bytes, &at),
                 MSGPACK_UNPACK_SUCCESS);
    cr_assert_eq(at, head_bytes + entry.payload_bytes, "nothing is left over");
    cr_assert_eq(number_of(&unpacked.data, 0), PAYLOAD_VERSION);
    cr_assert_eq(number_of(&unpacked.data, 1), 1);
    const msgpack_object *list = &unpacked.data.via.array.ptr[2];
    cr_assert_eq(list->via.array.size, market.event_count);
    for (uint32_t i = 0; i < market.event_count; i++)
        check_event(&list->via.array.ptr[i], &market.events[i]);
    msgpack_unpacked_destroy(&unpacked);
    free(bytes);
    redis_entry_finish(&entry);
    market_finish(&market);
}

/* Every kind with every byte set: the longest that its numbers can be, and negative prices. */
Test(payload, the_largest_events_fit)
{
    static struct symbol_table symbols;
#define X(kind, list) EVENT_##kind,
    static const uint8_t kinds[] = {PAYLOAD_KINDS(X)};
#undef X
    memset(&symbols, 0x7f, sizeof(symbols));
    for (uint32_t i = 0; i < sizeof(kinds); i++) {
        struct event event;
        uint8_t bytes[2 * PAYLOAD_EVENT_BYTES_MAX];
        memset(&event, 0xff, sizeof(event));
        event.kind = kinds[i];
        uint8_t *end = payload_event(bytes, &event, &symbols);
        cr_assert_leq((size_t)(end - bytes), PAYLOAD_EVENT_BYTES_MAX);
        msgpack_unpacked unpacked;
        msgpack_unpacked_init(&unpacked);
        size_t at = 0;
        cr_assert_eq(msgpack_unpack_next(&unpacked, (const char *)bytes, (size_t)(end - bytes), &at),
                     MSGPACK_UNPACK_SUCCESS);
        cr_assert_eq(unpacked.data.via.array.size, field_count(kinds[i]));
        msgpack_unpacked_destroy(&unpacked);
    }
}

/* Around every power of two, as msgpack-c packs it. */
Test(pack, numbers_take_their_shortest_form)
{
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    for (uint32_t bit = 0; bit < 64; bit++)
        for (uint64_t value = (UINT64_C(1) << bit) - 1, end = value + 3; value != end; value++) {
            uint8_t bytes[PACK_INT_MAX];
            msgpack_sbuffer_clear(&buffer);
            msgpack_pack_uint64(&packer, value);
            cr_assert_eq((size_t)(pack_uint(bytes, value) - bytes), buffer.size, "%lu", value);
            cr_assert_eq(memcmp(bytes, buffer.data, buffer.size), 0, "%lu", value);
        }
    uint8_t bytes[PACK_INT_MAX];
    cr_assert_eq(pack_uint(bytes, UINT64_MAX) - bytes, 9);
    msgpack_sbuffer_destroy(&buffer);
}

/* Every length, and every byte at every place. */
static void check_field(const char *field, size_t field_bytes, const uint8_t *packed, const uint8_t *end)
{
    size_t length = field_bytes;
    while (length > 0 && (field[length - 1] == ' ' || field[length - 1] == '\0'))
        length--;
    cr_assert_eq(packed[0], PACK_FIX_TEXT | length);
    cr_assert_eq((size_t)(end - packed), 1 + length);
    for (size_t i = 0; i < length; i++)
        cr_assert_eq(packed[1 + i], field[i] >= ' ' && field[i] <= '~' ? (uint8_t)field[i] : '?');
}

Test(pack, texts_are_those_of_the_rule)
{
    for (size_t field_bytes = 1; field_bytes <= 16; field_bytes++)
        for (uint32_t last = 0; last < 256; last++)
            for (size_t at = 0; at < field_bytes; at++) {
                uint8_t packed[2 * PACK_TEXT_MAX] = {0};
                char *field = malloc(field_bytes); /* of this size, for the sanitizers */
                memset(field, last % 3 == 0 ? ' ' : 'x', field_bytes);
                field[at] = (char)last;
                check_field(field, field_bytes, packed, pack_field(packed, field, field_bytes));
                free(field);
            }
}

/* ---- live state and requests ---- */

static void add_top(struct live *live, uint64_t seq, uint32_t instrument, int32_t bid_ticks, uint64_t bid_quantity)
{
    struct event event = {.kind = EVENT_BOOK_TOP, .event_seq = seq, .time_ns = 77, .instrument = instrument};
    text_pad(event.top.symbol, SYMBOL_BYTES, market_symbols[instrument]);
    event.top.bid_ticks = bid_ticks;
    event.top.bid_quantity = bid_quantity;
    live_add(live, &event);
}

static const char *value_named(const struct live_fields *fields, const char *name)
{
    for (uint32_t i = 0; i < fields->count; i++)
        if (strcmp(fields->names[i], name) == 0)
            return fields->values[i];
    return "none";
}

Test(live, the_last_of_each_instrument_stays)
{
    static struct symbol_table symbols;
    struct live_fields fields;
    struct live *live = live_init(malloc(live_bytes(8)), 8);
    add_top(live, 1, 1, 1000000, 5);
    add_top(live, 2, 2, 20001, 6);
    add_top(live, 3, 1, 0, 0);
    cr_assert_eq(live_count(live), 2);
    live_fields(live, 0, &symbols, &fields);
    cr_assert_str_eq(fields.symbol, "AAPL");
    cr_assert_str_eq(value_named(&fields, "bid"), "");
    cr_assert_str_eq(value_named(&fields, "bid_quantity"), "0");
    cr_assert_str_eq(value_named(&fields, "event_seq"), "3");
    live_fields(live, 1, &symbols, &fields);
    cr_assert_str_eq(value_named(&fields, "bid"), "2.0001");
    live_clear(live);
    cr_assert_eq(live_count(live), 0);
    add_top(live, 4, 1, 1, 1);
    cr_assert_eq(live_count(live), 1);
    free(live);
}

/* One event in an entry, sealed with what live has; the whole request, and that it is in form. */
struct sealed {
    struct redis_entry entry;
    char text[4096];
    size_t bytes;
};

static void seal_one(struct sealed *sealed, struct live *live)
{
    static struct symbol_table symbols;
    struct error error;
    struct iovec pieces[REDIS_ENTRY_PIECES];
    struct event event = {.kind = EVENT_BOOK_TOP, .event_seq = 42, .time_ns = 1, .instrument = 1};
    text_pad(event.top.symbol, SYMBOL_BYTES, "AAPL");
    cr_assert_eq(redis_entry_init(&sealed->entry, 8, 8, &error), 0);
    redis_entry_add(&sealed->entry, &event, &symbols);
    if (live)
        live_add(live, &event);
    struct redis_entry_mark mark = {.guard = "lua", .prefix = "p", .epoch = 3, .expected_seq = 41, .entries_max = 9};
    redis_entry_seal(&sealed->entry, &mark, live, &symbols);
    cr_assert_eq(redis_entry_pieces(&sealed->entry, pieces), 3);
    sealed->bytes = 0;
    for (int i = 0; i < 3; i++) {
        memcpy(sealed->text + sealed->bytes, pieces[i].iov_base, pieces[i].iov_len);
        sealed->bytes += pieces[i].iov_len;
    }
    sealed->text[sealed->bytes] = '\0';
}

/* *count, then as often $length, text. */
static uint32_t count_commands(const struct sealed *sealed)
{
    const char *end_of_text = sealed->text + sealed->bytes;
    const char *at = sealed->text;
    uint32_t commands = 0;
    for (; at < end_of_text; commands++) {
        cr_assert_eq(*at, '*');
        char *end;
        unsigned long strings = strtoul(at + 1, &end, 10);
        for (at = end + 2; strings > 0; strings--) {
            cr_assert_eq(*at, '$');
            unsigned long length = strtoul(at + 1, &end, 10);
            at = end + 2 + length + 2;
        }
    }
    cr_assert_eq(at, end_of_text);
    return commands;
}

Test(entry, each_request_holds_as_many_strings_as_it_says)
{
    static struct sealed sealed;
    static const char begin[] = "*2\r\n$5\r\nWATCH\r\n$6\r\np:mark\r\n*6\r\n$4\r\nEVAL\r\n$3\r\nlua\r\n";
    static const char end_of_all[] = "*1\r\n$4\r\nEXEC\r\n";
    struct iovec pieces[REDIS_ENTRY_PIECES];
    struct live *live = live_init(malloc(live_bytes(8)), 8);
    seal_one(&sealed, live);
    cr_assert_eq(memcmp(sealed.text, begin, sizeof(begin) - 1), 0, "%s", sealed.text);
    cr_assert_str_eq(sealed.text + sealed.bytes - (sizeof(end_of_all) - 1), end_of_all);
    cr_assert_eq(count_commands(&sealed), sealed.entry.command_count);
    cr_assert_eq(sealed.entry.command_count, 9, "WATCH EVAL MULTI XADD HSET PUBLISH HSET HSET EXEC");
    static const char json[] = "{\"bid\":\"\",\"bid_quantity\":\"0\"";
    cr_assert_not_null(memmem(sealed.text, sealed.bytes, json, sizeof(json) - 1));
    sealed.entry.written_bytes = sealed.bytes - 1;
    cr_assert_eq(redis_entry_pieces(&sealed.entry, pieces), 1);
    cr_assert_eq(pieces[0].iov_len, 1);
    free(live);
    redis_entry_finish(&sealed.entry);
}

Test(entry, the_hashes_may_stay_as_they_are)
{
    static struct sealed sealed;
    static const char top_key[] = "p:top:";
    seal_one(&sealed, NULL);
    cr_assert_eq(count_commands(&sealed), sealed.entry.command_count);
    cr_assert_eq(sealed.entry.command_count, 7, "WATCH EVAL MULTI XADD HSET HSET EXEC");
    cr_assert_null(memmem(sealed.text, sealed.bytes, top_key, sizeof(top_key) - 1));
    redis_entry_finish(&sealed.entry);
}
