/*
 * Goal: the price of an auction where several are equally good, or none can be told (docs/engine.md, Auctions).
 * Method: two orders that cross over a range of prices, and references all over it.
 */
#include "fixture.h"

#include <criterion/criterion.h>

static struct fixture *f;

static void set_up(void)
{
    f = fixture_open(&fixture_limits);
}

static void tear_down(void)
{
    const char *rule = engine_invalid(f->engine);
    cr_expect_null(rule, "%s", rule);
    fixture_close(f);
}

TestSuite(auctions, .init = set_up, .fini = tear_down);

static void market(char state, int32_t reference_ticks)
{
    apply(f, (struct command){
                 .kind = COMMAND_MARKET_STATE,
                 .admin = {.instrument = 1, .market_state = (uint8_t)state, .reference_ticks = reference_ticks}});
}

static uint32_t on_open(uint32_t session, char side, uint32_t quantity, int32_t price_ticks)
{
    struct command command = order(f, session, side, quantity, price_ticks);
    command.order.cross_type = 'O';
    apply(f, command);
    cr_assert_eq(count_of(f, EVENT_ACCEPTED), 1);
    return command.user_ref;
}

Test(auctions, the_tick_nearest_the_reference)
{
    static const struct {
        int32_t reference_ticks;
        int32_t price_ticks;
        const char *why;
    } cases[] = {
        {5000, 9900, "below the range"},   {9900, 9900, "its lowest"},
        {10040, 10000, "nearer below"},    {10050, 10000, "the lower of two as near"},
        {10060, 10100, "nearer above"},    {10200, 10200, "on a tick"},
        {10299, 10300, "at the end"},      {10300, 10300, "its highest"},
        {20000, 10300, "above the range"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        market('P', cases[i].reference_ticks);
        enter(f, 1, 'B', 100, 10300);
        enter(f, 3, 'S', 100, 9900);
        market('O', 0);
        cr_assert_eq(count_of(f, EVENT_EXECUTED), 1);
        cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.price_ticks, cases[i].price_ticks, "%s", cases[i].why);
    }
}

Test(auctions, market_orders_alone_make_no_price)
{
    market('P', 0);
    uint32_t buys = on_open(1, 'B', 100, PRICE_TICKS_MARKET);
    uint32_t sells = on_open(3, 'S', 100, PRICE_TICKS_MARKET);
    market('O', 0);
    cr_expect_eq(count_of(f, EVENT_EXECUTED), 0);
    cr_assert_eq(count_of(f, EVENT_CANCELED), 2);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->user_ref, buys);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 1)->user_ref, sells);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 1)->reason, 'I');
    cr_expect_eq(engine_live_orders(f->engine), 0);
}

Test(auctions, a_limit_beside_market_orders_makes_the_price)
{
    market('P', 0);
    on_open(1, 'B', 100, PRICE_TICKS_MARKET);
    on_open(3, 'S', 60, PRICE_TICKS_MARKET);
    enter(f, 2, 'B', 10, 9000);
    market('O', 0);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.price_ticks, 9100, "next to it, where it buys no more");
    market('H', 0);
    enter(f, 2, 'S', 10, 9500);
    market('P', 0);
    on_open(1, 'B', 100, PRICE_TICKS_MARKET);
    on_open(3, 'S', 60, PRICE_TICKS_MARKET);
    market('O', 0);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.price_ticks, 9500, "where the most trade");
}
