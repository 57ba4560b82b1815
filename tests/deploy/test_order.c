/*
 * A person's order read: what is meant is sent, and what is not understood is refused with its place.
 *
 * Method: tables of good and bad words; prices of every form written and read back (each of 200,000 random ones, and
 * all around the limits); random words, of which nothing accepted may break OUCH's own limits.
 */
#include "deploy/cli/order/order_cli.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 6

/* Splits at spaces, in place. */
static uint32_t split(char *text, const char *words[WORDS_MAX])
{
    uint32_t count = 0;
    for (char *word = strtok(text, " "); word && count < WORDS_MAX; word = strtok(NULL, " "))
        words[count++] = word;
    return count;
}

static const struct order_words none;

static int parse(struct order_request *request, const char *text, const struct order_words *options,
                 struct error *error)
{
    static char kept[128];
    const char *words[WORDS_MAX];
    snprintf(kept, sizeof(kept), "%s", text);
    uint32_t count = split(kept, words);
    return order_parse_enter(request, 'B', words, count, options, error);
}

Test(order, simple_orders_are_read)
{
    static const struct {
        const char *text;
        uint32_t quantity;
        uint64_t price;
    } good[] = {
        {"100 AAPL @ 585.33", 100, 5853300},
        {"1 A @585.3312", 1, 5853312},
        {"999999 LONGNAME at 199999.99", 999999, 1999999900},
        {"10 BRK.A @ market", 10, RS_PRICE_MARKET},
        {"10 AAPL @market", 10, RS_PRICE_MARKET},
        {"10 AAPL @ 7", 10, 70000},
        {"10 AAPL @ 0.0001", 10, 1},
        {"010 AAPL @ 00.5", 10, 5000},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct order_request request;
        struct error error = {0};
        cr_assert_eq(parse(&request, good[i].text, &none, &error), 0, "%s: %s", good[i].text, error.what);
        cr_assert_eq(request.order.quantity, good[i].quantity);
        cr_assert_eq(request.order.price, good[i].price, "%s", good[i].text);
        cr_assert_eq(request.order.side, 'B');
        cr_assert_eq(request.order.options.present, 0);
    }
}

Test(order, what_is_wrong_is_named)
{
    static const struct {
        const char *text;
        const char *where;
    } bad[] = {
        {"", "the order"},
        {"100 AAPL", "the order"},
        {"100 AAPL 585.33", "PRICE"},
        {"100 AAPL @", "PRICE"},
        {"100 AAPL @ 1 2", "PRICE"},
        {"100 AAPL @ 1.23456", "PRICE"},
        {"100 AAPL @ 1.", "PRICE"},
        {"100 AAPL @ .5", "PRICE"},
        {"100 AAPL @ 1e3", "PRICE"},
        {"100 AAPL @ -1", "PRICE"},
        {"100 AAPL @ 0", "PRICE"},
        {"100 AAPL @ 0.0000", "PRICE"},
        {"100 AAPL @ 200000", "PRICE"},
        {"100 AAPL @ 199999.9901", "PRICE"},
        {"100 AAPL @ 18446744073709551617", "PRICE"},
        {"100 AAPL @ 1,5", "PRICE"},
        {"0 AAPL @ 1", "QUANTITY"},
        {"1000000 AAPL @ 1", "QUANTITY"},
        {"4294967396 AAPL @ 1", "QUANTITY"},
        {"-5 AAPL @ 1", "QUANTITY"},
        {"1.5 AAPL @ 1", "QUANTITY"},
        {"AAPL 100 @ 1", "QUANTITY"},
        {"100 NINECHARS @ 1", "SYMBOL"},
        {"100 \x01 @ 1", "SYMBOL"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct order_request request = {.target = 4711};
        struct error error = {0};
        cr_assert_eq(parse(&request, bad[i].text, &none, &error), ERROR_INVALID, "%s", bad[i].text);
        cr_assert_str_eq(error.where, bad[i].where, "%s: %s: %s", bad[i].text, error.where, error.what);
        cr_assert_eq(request.target, 4711, "untouched on failure");
    }
}

static struct rs_order with(const struct order_words *options)
{
    struct order_request request = {0};
    struct error error = {0};
    cr_assert_eq(parse(&request, "100 AAPL @ 10", options, &error), 0, "%s: %s", error.where, error.what);
    return request.order;
}

Test(order, options_become_fields_and_tags)
{
    struct rs_order order = with(&(struct order_words){.tif = "fok"});
    cr_assert_eq(order.time_in_force, '3');
    cr_assert_eq(order.options.min_quantity, 100);
    order = with(&(struct order_words){.expire = "60"});
    cr_assert_eq(order.time_in_force, '6');
    cr_assert_eq(order.options.expire_s, 60);
    order = with(&(struct order_words){.stop = "9.99", .hidden = "", .min = "50"});
    cr_assert_eq(order.options.present, OUCH_HAS_TRIGGER | OUCH_HAS_TRIGGER_PRICE | OUCH_HAS_MIN_QUANTITY);
    cr_assert_eq(order.options.trigger_price, 99900);
    cr_assert_eq(order.display, 'N');
    order = with(&(struct order_words){.peg = "midpoint", .offset = "-0.0005"});
    cr_assert_eq(order.options.price_type, 'M');
    cr_assert_eq(order.options.peg_offset, -5);
    cr_assert_eq(order.display, 'N');
    order = with(&(struct order_words){
        .trail = "1", .self_match = "newest", .capacity = "agency", .firm = "AB", .id = "x", .post_only = ""});
    cr_assert_eq(order.options.trail_offset, 10000);
    cr_assert_eq(order.options.self_match, 'W');
    cr_assert_eq(order.options.post_only, 'P');
    cr_assert_eq(order.capacity, 'A');
    cr_assert_arr_eq(order.options.firm, "AB  ", 4);
    cr_assert_str_eq(order.client_order_id, "x");
    order = with(&(struct order_words){.display = "100"});
    cr_assert_eq(order.options.max_floor, 100);
}

static int replacement(struct order_request *request, const char *quantity, const struct order_words *options,
                       const struct order_entry *original)
{
    const char *const words[] = {"7", quantity, "@", "10"};
    struct error error = {0};
    cr_assert_eq(order_parse_replace(request, words, 4, options, &error), 0, "%s: %s", error.where, error.what);
    return order_replace_complete(request, original, &error);
}

Test(order, a_replacement_keeps_what_it_does_not_say)
{
    static const char shown[] = "YANZ";
    for (size_t i = 0; shown[i]; i++) {
        const struct order_entry original = {
            .user_ref = 7, .leaves = 50, .time_in_force = 'E', .display = (uint8_t)shown[i]};
        struct order_request request;
        cr_assert_eq(replacement(&request, "50", &none, &original), 0);
        cr_assert_eq(request.order.display, shown[i] == 'Z' ? 'Y' : shown[i], "%c", shown[i]);
        cr_assert_eq(request.order.time_in_force, 'E');
        cr_assert_eq(replacement(&request, "50", &(struct order_words){.tif = "ioc", .hidden = ""}, &original), 0);
        cr_assert_eq(request.order.display, 'N');
        cr_assert_eq(request.order.time_in_force, '3');
    }
}

Test(order, a_replacement_that_trades_whole_leaves_out_what_is_gone)
{
    const struct order_entry original = {
        .user_ref = 7, .leaves = 70, .executed = 20, .gone = 30, .time_in_force = '0', .display = 'Y'};
    const struct order_words fok = {.tif = "fok"};
    struct order_request request;
    cr_assert_eq(replacement(&request, "100", &fok, &original), 0);
    cr_assert_eq(request.order.quantity, 100);
    cr_assert_eq(request.order.options.min_quantity, 70);
    cr_assert_eq(replacement(&request, "31", &fok, &original), 0);
    cr_assert_eq(request.order.options.min_quantity, 1);
    cr_assert_eq(replacement(&request, "30", &fok, &original), ERROR_INVALID);
    cr_assert_eq(replacement(&request, "1", &fok, &original), ERROR_INVALID);
    cr_assert_eq(replacement(&request, "100", &(struct order_words){.min = "80", .hidden = ""}, &original), 0);
    cr_assert_eq(request.order.options.min_quantity, 80, "as it was said");
}

Test(order, what_is_kept_from_trading_is_gone_and_what_is_canceled_is_not)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    struct order_book book = {0};
    const struct ouch_accepted accepted = {.user_ref = 7, .state = 'L', .quantity = 100};
    order_book_note(&book, message, ouch_encode_accepted(message, &accepted));
    const struct ouch_executed executed = {.user_ref = 7, .quantity = 10};
    order_book_note(&book, message, ouch_encode_executed(message, &executed));
    const struct ouch_canceled prevented = {.user_ref = 7, .quantity = 20, .reason = 'Q'};
    order_book_note(&book, message, ouch_encode_canceled(message, &prevented));
    const struct ouch_canceled canceled = {.user_ref = 7, .quantity = 30, .reason = 'U'};
    order_book_note(&book, message, ouch_encode_canceled(message, &canceled));
    const struct ouch_replaced replaced = {.orig_user_ref = 7, .user_ref = 8, .state = 'L', .quantity = 50};
    order_book_note(&book, message, ouch_encode_replaced(message, &replaced));
    const struct order_entry *entry = order_book_find(&book, 8);
    cr_assert_not_null(entry);
    cr_assert_eq(entry->leaves, 50);
    cr_assert_eq(entry->executed, 10);
    cr_assert_eq(entry->gone, 30);
    order_book_finish(&book);
}

Test(order, options_that_contradict_are_refused)
{
    static const struct {
        struct order_words options;
        const char *where;
    } bad[] = {
        {{.tif = "forever"}, "--tif"},
        {{.tif = ""}, "--tif"},
        {{.tif = "gtt"}, "--tif"},
        {{.tif = "day", .expire = "5"}, "--expire"},
        {{.expire = "86400"}, "--expire"},
        {{.tif = "fok", .min = "5"}, "--min"},
        {{.min = "101"}, "--min"},
        {{.display = "0"}, "--display"},
        {{.display = "5", .hidden = ""}, "--display"},
        {{.stop = "1", .trail = "1"}, "--trail"},
        {{.stop = "market"}, "--stop"},
        {{.trail = "0"}, "--trail"},
        {{.offset = "1"}, "--offset"},
        {{.peg = "middle"}, "--peg"},
        {{.peg = "primary", .offset = "--1"}, "--offset"},
        {{.self_match = "x"}, "--self-match"},
        {{.capacity = "x"}, "--capacity"},
        {{.firm = "FIVES"}, "--firm"},
        {{.id = ""}, "--id"},
        {{.id = "fifteen-letters"}, "--id"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct order_request request;
        struct error error = {0};
        cr_assert_eq(parse(&request, "100 AAPL @ 10", &bad[i].options, &error), ERROR_INVALID, "case %zu", i);
        cr_assert_str_eq(error.where, bad[i].where, "case %zu: %s", i, error.what);
    }
}

Test(order, replace_and_cancel_are_read)
{
    struct order_request request = {0};
    struct error error = {0};
    cr_assert_eq(order_parse_replace(&request, (const char *[]){"7", "200", "@", "586"}, 4, &none, &error), 0);
    cr_assert_eq(request.target, 7);
    cr_assert_eq(request.order.quantity, 200);
    cr_assert_eq(request.order.price, 5860000);
    cr_assert_not(request.says_tif);
    cr_assert_not(request.says_display);
    const struct order_words hidden = {.hidden = "", .tif = "day"};
    cr_assert_eq(order_parse_replace(&request, (const char *[]){"7", "200", "@586"}, 3, &hidden, &error), 0);
    cr_assert(request.says_tif && request.says_display);
    cr_assert_lt(order_parse_replace(&request, (const char *[]){"0", "200", "@586"}, 3, &none, &error), 0);
    cr_assert_eq(order_parse_cancel(&request, (const char *[]){"7"}, 1, &error), 0);
    cr_assert_eq(request.quantity, 0);
    cr_assert_eq(order_parse_cancel(&request, (const char *[]){"7", "20"}, 2, &error), 0);
    cr_assert_eq(request.quantity, 20);
    cr_assert_lt(order_parse_cancel(&request, (const char *[]){"7", "0"}, 2, &error), 0, "0 would be all");
    cr_assert_lt(order_parse_cancel(&request, (const char *[]){"4294967295"}, 1, &error), 0);
    cr_assert_lt(order_parse_cancel(&request, NULL, 0, &error), 0);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void round_trip(uint64_t price)
{
    char text[ORDER_PRICE_BYTES];
    uint64_t read = 0;
    cr_assert(order_price_read(order_price_text(price, text), &read), "%s", text);
    cr_assert_eq(read, price, "%" PRIu64 " is written %s and read %" PRIu64, price, text, read);
}

Test(order, prices_are_read_as_they_are_written)
{
    uint64_t state = 7;
    for (int i = 0; i < 200000; i++)
        round_trip(next_random(&state) % (OUCH_PRICE_MAX + 1));
    for (uint64_t price = 0; price < 20000; price++) {
        round_trip(price);
        round_trip(OUCH_PRICE_MAX - price);
    }
    char text[ORDER_PRICE_BYTES];
    uint64_t read;
    cr_assert_str_eq(order_price_text(5853300, text), "585.33");
    cr_assert_str_eq(order_price_text(5853312, text), "585.3312");
    for (uint64_t above = OUCH_PRICE_MAX + 1; above < OUCH_PRICE_MAX + 20000; above++)
        cr_assert_not(order_price_read(order_price_text(above, text), &read), "%s", text);
}

/* Words made of what orders are made of, and some that are not. */
Test(order, random_words_are_read_or_refused)
{
    static const char *const pieces[] = {"100", "AAPL",  "@",       "585.33",  "market", "at",
                                         "@1",  "0",     "-1",      ".",       "1.",     "999999999999999999999",
                                         "",    "x\xff", "1.00001", "@market", "1e9"};
    uint64_t state = 11;
    uint32_t accepted = 0;
    for (int i = 0; i < 300000; i++) {
        const char *words[WORDS_MAX];
        struct order_request request = {0};
        struct error error = {0};
        uint32_t count = (uint32_t)(next_random(&state) % 5);
        for (uint32_t word = 0; word < count; word++)
            words[word] = pieces[next_random(&state) % (sizeof(pieces) / sizeof(pieces[0]))];
        if (order_parse_enter(&request, 'S', words, count, &none, &error) < 0) {
            cr_assert_neq(error.what[0], '\0');
            continue;
        }
        accepted++;
        cr_assert(request.order.quantity >= 1 && request.order.quantity <= OUCH_QUANTITY_MAX);
        cr_assert(request.order.price == RS_PRICE_MARKET ||
                  (request.order.price >= 1 && request.order.price <= OUCH_PRICE_MAX));
        cr_assert(strlen(request.order.symbol) >= 1 && strlen(request.order.symbol) <= OUCH_SYMBOL_BYTES);
    }
    cr_assert_gt(accepted, 100, "some of them are orders");
}

Test(order, a_book_of_open_orders_follows_its_messages)
{
    struct order_book book = {0};
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    for (uint32_t user_ref = 1; user_ref <= 1000; user_ref++) {
        const struct ouch_accepted accepted = {
            .user_ref = user_ref * 7919, .quantity = 100, .state = user_ref % 2 ? 'L' : 'D', .price = user_ref};
        order_book_note(&book, message, ouch_encode_accepted(message, &accepted));
    }
    const struct ouch_executed executed = {.user_ref = 7919, .quantity = 30};
    order_book_note(&book, message, ouch_encode_executed(message, &executed));
    const struct ouch_replaced replaced = {.orig_user_ref = 7919, .user_ref = 5, .quantity = 50, .state = 'L'};
    order_book_note(&book, message, ouch_encode_replaced(message, &replaced));
    const struct ouch_canceled canceled = {.user_ref = 3 * 7919, .quantity = 100};
    order_book_note(&book, message, ouch_encode_canceled(message, &canceled));
    const struct ouch_modified modified = {.user_ref = 5 * 7919, .side = 'E', .quantity = 10};
    order_book_note(&book, message, ouch_encode_modified(message, &modified));
    cr_assert_eq(order_book_find(&book, 7919)->leaves, 0);
    cr_assert_eq(order_book_find(&book, 5)->leaves, 50);
    cr_assert_eq(order_book_find(&book, 5)->executed, 30);
    cr_assert_eq(order_book_find(&book, 2 * 7919)->leaves, 0, "dead when accepted");
    cr_assert_eq(order_book_find(&book, 3 * 7919)->leaves, 0);
    cr_assert_eq(order_book_find(&book, 5 * 7919)->leaves, 10);
    cr_assert_eq(order_book_find(&book, 999 * 7919)->leaves, 100);
    cr_assert_null(order_book_find(&book, 4));
    order_book_finish(&book);
}

/* Every message, with all its options, as text and as JSON: no field is left out, nothing is read beyond its end. */
Test(order, every_message_is_shown)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);
    uint32_t lines = 0;
#define X(name, NAME, letter, fixed_bytes, appendage, title)                                                           \
    {                                                                                                                  \
        struct ouch_##name told = {0};                                                                                 \
        uint32_t message_bytes = ouch_encode_##name(message, &told);                                                   \
        order_show_text(to, ++lines, message, message_bytes);                                                          \
        order_show_json(to, lines, message, message_bytes);                                                            \
        order_show_text(to, lines, message, message_bytes - 1);                                                        \
        order_show_json(to, lines, message, message_bytes - 1);                                                        \
    }
    OUCH_MESSAGES_OUT(X)
#undef X
    order_show_json(to, 1, NULL, 0);
    fclose(to);
    uint32_t count = 0;
    for (size_t i = 0; i < bytes; i++) {
        cr_assert(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'), "a terminal is sent nothing but text");
        count += text[i] == '\n';
    }
    cr_assert_eq(count, 4 * lines + 1);
    cr_assert_not_null(strstr(text, "\"type\":\"mass_canceled\",\"timestamp_ns\":0"));
    free(text);
}
