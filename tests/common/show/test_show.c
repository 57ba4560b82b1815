/* How records, times and prices are shown to a person and to a program, and how times and filters are read. */
#include "show/filter.h"
#include "show/show.h"
#include "show/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(show, times)
{
    static const struct {
        uint64_t time_ns;
        const char *text;
    } cases[] = {
        {1, "1970-01-01T00:00:00.000000001Z"},
        {UINT64_C(1790000000123456789), "2026-09-21T14:13:20.123456789Z"},
        {UINT64_C(951782400000000000), "2000-02-29T00:00:00.000000000Z"},
    };
    char text[TIME_TEXT_BYTES];
    uint64_t read_ns;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_str_eq(time_text(cases[i].time_ns, text), cases[i].text);
        cr_assert(time_read(text, &read_ns));
        cr_assert_eq(read_ns, cases[i].time_ns);
    }
    cr_assert_str_eq(time_text(0, text), "-");
}

Test(show, times_in_short)
{
    static const struct {
        const char *text;
        uint64_t time_ns;
    } cases[] = {
        {"2000-02-29", UINT64_C(951782400000000000)},
        {"2000-02-29 00:01", UINT64_C(951782460000000000)},
        {"2000-02-29T00:00:01.5", UINT64_C(951782401500000000)},
        {"2000-02-29T00:00:01.000000001Z", UINT64_C(951782401000000001)},
        {"951782400000000007", UINT64_C(951782400000000007)},
    };
    static const char *const none[] = {
        "", "yesterday", "2000-02-29T00:00:01.", "2000-02-29T00:00:01.0000000001", "-5", "2000-02-29x", "1969-12-31"};
    uint64_t read_ns;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert(time_read(cases[i].text, &read_ns), "%s", cases[i].text);
        cr_assert_eq(read_ns, cases[i].time_ns, "%s", cases[i].text);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        cr_assert_not(time_read(none[i], &read_ns), "'%s'", none[i]);
}

Test(show, prices)
{
    static const struct {
        int32_t ticks;
        const char *text;
    } cases[] = {{5853300, "585.33"}, {5853312, "585.3312"}, {5853310, "585.331"}, {0, "0.00"},
                 {-500, "-0.05"},     {1, "0.0001"},         {1000000, "100.00"},  {PRICE_TICKS_MARKET, "market"}};
    char text[PRICE_TEXT_BYTES];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_assert_str_eq(price_text(cases[i].ticks, text), cases[i].text);
}

static void expect(const struct command *command, bool json, const char *expected)
{
    const struct record_names names = {.instrument = 3, .symbol = "INTC", .user = "USER01"};
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);
    if (json)
        show_command_json(to, command, &names);
    else
        show_command_text(to, command, &names);
    fclose(to);
    cr_assert_str_eq(text, expected);
    free(text);
}

Test(show, a_replace)
{
    struct command command = {.command_seq = 42,
                              .time_ns = UINT64_C(1790000000000000001),
                              .kind = COMMAND_REPLACE,
                              .session = 5,
                              .user_ref = 9,
                              .order = {.replace_group = 2,
                                        .target_user_ref = 8,
                                        .quantity = 100,
                                        .price_ticks = 876500,
                                        .side = 'B',
                                        .time_in_force = '0',
                                        .handle_inst = ' ',
                                        .options = OPTION_GROUP,
                                        .client_order_id = "a\"b\x80\xff         "}};
    expect(&command, false,
           "        42  2026-09-21T14:13:20.000000001Z  REPLACE           USER01   INTC     user_ref 9 side B "
           "time_in_force 0 replace_group 2 target_user_ref 8 quantity 100 price 87.65 options 0x800 client_order_id "
           "\"a\"b??\"\n");
    expect(&command, true,
           "{\"kind\":\"REPLACE\",\"time\":\"2026-09-21T14:13:20.000000001Z\",\"user\":\"USER01\",\"symbol\":\"INTC\","
           "\"command_seq\":42,\"time_ns\":1790000000000000001,\"session\":5,\"user_ref\":9,\"side\":\"B\","
           "\"time_in_force\":\"0\",\"handle_inst\":32,\"replace_group\":2,\"target_user_ref\":8,\"quantity\":100,"
           "\"price_ticks\":876500,\"price\":\"87.65\",\"options\":2048,\"client_order_id\":\"a\\\"b??\"}\n");
}

/* Two fields in one place: the one that the kind means is shown. */
Test(show, an_enter_has_a_group_and_no_target)
{
    struct command command = {.command_seq = 1, .kind = COMMAND_ENTER, .order = {.instrument = 3, .group = 4}};
    expect(&command, true,
           "{\"kind\":\"ENTER\",\"time\":\"-\",\"user\":\"USER01\",\"symbol\":\"INTC\",\"command_seq\":1,"
           "\"instrument\":3,\"group\":4}\n");
}

static void expect_event(const struct event *event, bool json, const char *expected)
{
    const struct record_names names = {.instrument = 3, .symbol = "INTC", .user = "USER01"};
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);
    if (json)
        show_event_json(to, event, &names);
    else
        show_event_text(to, event, &names);
    fclose(to);
    cr_assert_str_eq(text, expected);
    free(text);
}

Test(show, a_trade)
{
    struct event event = {.event_seq = 77,
                          .command_seq = 42,
                          .time_ns = UINT64_C(1790000000000000001),
                          .kind = EVENT_EXECUTED,
                          .instrument = 3,
                          .session = 5,
                          .message_no = 12,
                          .user_ref = 9,
                          .side = 'B',
                          .trade = {.order_ref = 100,
                                    .maker_order_ref = 99,
                                    .match_number = 6,
                                    .price_ticks = 1000100,
                                    .quantity = 200,
                                    .liquidity = 'R',
                                    .maker_liquidity = 'A'}};
    expect_event(
        &event, false,
        "        77  2026-09-21T14:13:20.000000001Z  EXECUTED          USER01   INTC     message_no 12 user_ref "
        "9 side B order_ref 100 maker_order_ref 99 match_number 6 price 100.01 quantity 200 liquidity R "
        "maker_liquidity A\n");
    expect_event(&event, true,
                 "{\"kind\":\"EXECUTED\",\"time\":\"2026-09-21T14:13:20.000000001Z\",\"user\":\"USER01\",\"symbol\":"
                 "\"INTC\",\"event_seq\":77,\"command_seq\":42,\"time_ns\":1790000000000000001,\"instrument\":3,"
                 "\"session\":5,\"message_no\":12,\"user_ref\":9,\"side\":\"B\",\"order_ref\":100,"
                 "\"maker_order_ref\":99,\"match_number\":6,\"price_ticks\":1000100,\"price\":\"100.01\","
                 "\"quantity\":200,\"liquidity\":\"R\",\"maker_liquidity\":\"A\"}\n");
}

/* A record that holds its own symbol shows that one, and no other beside it. */
Test(show, best_prices)
{
    struct event event = {.event_seq = 1, .kind = EVENT_BOOK_TOP, .instrument = 3, .top = {.bid_ticks = 5}};
    memcpy(event.top.symbol, "MSFT    ", SYMBOL_BYTES);
    expect_event(&event, true,
                 "{\"kind\":\"BOOK_TOP\",\"time\":\"-\",\"user\":\"USER01\",\"event_seq\":1,\"instrument\":3,"
                 "\"symbol\":\"MSFT\",\"bid_ticks\":5,\"bid\":\"0.0005\"}\n");
}

Test(show, kinds_by_name)
{
    struct kind_set set = {0};
    size_t bytes = 0;
    cr_assert(kind_set_empty(&set));
    cr_assert_null(kind_set_read(&set, "executed,Checkpoint", event_kind_name, &bytes));
    cr_assert(kind_set_has(&set, EVENT_EXECUTED) && kind_set_has(&set, EVENT_CHECKPOINT));
    cr_assert_not(kind_set_has(&set, EVENT_ACCEPTED) || kind_set_empty(&set));
    const char *text = "enter,entered,cancel";
    cr_assert_eq(kind_set_read(&set, text, command_kind_name, &bytes), text + strlen("enter,"));
    cr_assert_eq(bytes, strlen("entered"));
}

Test(show, who_is_meant)
{
    cr_assert(name_is_meant(NULL, "USER01", 1));
    cr_assert(name_is_meant("USER01", "USER01", 7) && name_is_meant("7", "USER01", 7));
    cr_assert_not(name_is_meant("USER02", "USER01", 7) || name_is_meant("0", "", 0) || name_is_meant("8", "", 7));
}
