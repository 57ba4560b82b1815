/* How `ringside journal` writes times, prices and commands, and reads times. */
#include "deploy/cli/journal/journal_cli.h"
#include "deploy/cli/journal/show.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(journal_show, times)
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

Test(journal_show, times_in_short)
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

Test(journal_show, prices)
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
    const struct command_names names = {.instrument = 3, .symbol = "INTC", .user = "USER01"};
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

Test(journal_show, a_replace)
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
Test(journal_show, an_enter_has_a_group_and_no_target)
{
    struct command command = {.command_seq = 1, .kind = COMMAND_ENTER, .order = {.instrument = 3, .group = 4}};
    expect(&command, true,
           "{\"kind\":\"ENTER\",\"time\":\"-\",\"user\":\"USER01\",\"symbol\":\"INTC\",\"command_seq\":1,"
           "\"instrument\":3,\"group\":4}\n");
}
