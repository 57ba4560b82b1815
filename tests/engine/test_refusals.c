/*
 * Goal: what the engine cannot take is refused by name and changes nothing: limits that it cannot have, questions about
 * what is not there, requests of many that mean nobody, prices that a peg cannot have, numbers that are used up.
 * Method: one story each; the limits one by one, at the last value that is good and the first that is not.
 */
#include "fixture.h"
#include "state.h"

#include <criterion/criterion.h>
#include <string.h>

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

TestSuite(refusals, .init = set_up, .fini = tear_down);

/* ---- limits -------------------------------------------------------------------------------------------------------
 */

struct limit_case {
    const char *name;
    size_t offset;
    uint32_t good;
    uint32_t bad;
};
#define LIMIT(field, good, bad)                                                                                        \
    {                                                                                                                  \
#field, offsetof(struct engine_limits, field), good, bad                                                       \
    }

static const struct limit_case limit_cases[] = {
    LIMIT(orders_max, 1, 0),
    LIMIT(orders_max, ENGINE_ORDERS_MAX, ENGINE_ORDERS_MAX + 1),
    LIMIT(instruments_max, 1, 0),
    LIMIT(instruments_max, ENGINE_INSTRUMENTS_MAX, ENGINE_INSTRUMENTS_MAX + 1),
    LIMIT(sessions_max, 1, 0),
    LIMIT(sessions_max, ENGINE_SESSIONS_MAX, ENGINE_SESSIONS_MAX + 1),
    LIMIT(levels_max, ENGINE_LEVELS_MIN, ENGINE_LEVELS_MIN / 2),
    LIMIT(levels_max, ENGINE_LEVELS_MAX, ENGINE_LEVELS_MAX * 2),
    LIMIT(levels_max, 128, 0),
    LIMIT(levels_max, 128, 129),
    LIMIT(channels_max, ENGINE_SESSIONS_MAX * 255, ENGINE_SESSIONS_MAX * 255 + 1),
    LIMIT(pages_max, ENGINE_ORDERS_MAX, ENGINE_ORDERS_MAX + 1),
    LIMIT(far_levels_max, ENGINE_ORDERS_MAX, ENGINE_ORDERS_MAX + 1),
    LIMIT(specials_max, ENGINE_ORDERS_MAX, ENGINE_ORDERS_MAX + 1),
    LIMIT(movers_max, ENGINE_ORDERS_MAX, ENGINE_ORDERS_MAX + 1),
    LIMIT(firms_max, ENGINE_INSTRUMENTS_MAX, ENGINE_INSTRUMENTS_MAX + 1),
    LIMIT(trades_max, ENGINE_ORDERS_MAX, ENGINE_ORDERS_MAX * 2),
    LIMIT(trades_max, 1, 3),
    LIMIT(report_tops, 1, 2),
};

Test(refusals, each_limit_has_its_bounds)
{
    static _Alignas(ENGINE_MEMORY_ALIGNMENT) uint8_t nowhere[64];
    for (size_t i = 0; i < sizeof(limit_cases) / sizeof(limit_cases[0]); i++) {
        const struct limit_case *here = &limit_cases[i];
        struct engine_limits limits = fixture_limits;
        memcpy((uint8_t *)&limits + here->offset, &here->good, sizeof(here->good));
        cr_expect_null(engine_limits_invalid(&limits), "%s %u", here->name, here->good);
        cr_expect_gt(engine_bytes(&limits), 0);
        memcpy((uint8_t *)&limits + here->offset, &here->bad, sizeof(here->bad));
        const char *rule = engine_limits_invalid(&limits);
        cr_assert(rule, "%s %u", here->name, here->bad);
        cr_expect(strstr(rule, here->name), "%s %u: %s", here->name, here->bad, rule);
        cr_expect_eq(engine_bytes(&limits), 0);
        cr_expect_null(engine_create(nowhere, &limits), "%s %u", here->name, here->bad);
    }
}

/* A limit of 0 takes the stated value: 1024 firms, a checkpoint after 65536 commands. */
Test(refusals, limits_not_given_take_their_stated_values)
{
    struct fixture *here = f;
    struct engine_limits limits = fixture_limits;
    limits.orders_max = 1;
    limits.checkpoint_commands = 0;
    f = fixture_open(&limits);
    struct command command = {.kind = COMMAND_FIRM_LIMITS, .admin = {.quantity_max = 5}};
    for (uint32_t i = 0; i < 1025; i++) {
        memcpy(command.admin.firm, &(char[4]){'A', (char)('A' + i / 40), (char)('A' + i % 40), ' '}, FIRM_BYTES);
        apply(f, command);
        cr_assert_eq(f->events[0].kind, i < 1024 ? EVENT_LIMITS_CHANGED : EVENT_COMMAND_REFUSED, "%u", i);
    }
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_FULL);
    while (f->command_seq < 65535)
        of_kind(f, COMMAND_TICK, 0);
    of_kind(f, COMMAND_TICK, 0);
    cr_expect_eq(count_of(f, EVENT_CHECKPOINT), 1, "after 65536 commands");
    tear_down();
    f = here;
}

/* ---- questions ----------------------------------------------------------------------------------------------------
 */

Test(refusals, what_is_not_there_is_not_found)
{
    enter(f, 1, 'B', 10, 10000);
    int32_t price_ticks = 7;
    uint64_t quantity = 7;
    cr_expect(engine_best(f->engine, 1, 'B', &price_ticks, &quantity));
    price_ticks = 7;
    quantity = 7;
    cr_expect_not(engine_best(f->engine, 1, 'S', &price_ticks, &quantity), "an empty side");
    cr_expect_not(engine_best(f->engine, 0, 'B', &price_ticks, &quantity));
    cr_expect_not(engine_best(f->engine, 3, 'B', &price_ticks, &quantity), "no such instrument");
    cr_expect_eq(price_ticks, 7, "what was asked for is untouched");
    cr_expect_eq(quantity, 7);
    struct engine_order_view view;
    cr_expect(engine_order_find(f->engine, 1, 0, 1, &view));
    cr_expect_not(engine_order_find(f->engine, 0, 0, 1, &view));
    cr_expect_not(engine_order_find(f->engine, 4, 0, 1, &view), "no such session");
    cr_expect_not(engine_order_find(f->engine, 1, 1, 1, &view), "another channel");
    cr_expect_eq(engine_sessions(f->engine), 3);
    cr_expect_eq(engine_instruments(f->engine), 2);
}

Test(refusals, walks_over_no_book_are_empty)
{
    enter(f, 1, 'B', 10, 10000);
    struct engine_walk walk;
    struct engine_order_view view;
    for (uint32_t instrument = 0; instrument < 5; instrument++) {
        engine_walk_begin(f->engine, instrument, &walk);
        cr_expect_eq(engine_walk_next(f->engine, &walk, &view), instrument == 1, "instrument %u", instrument);
        cr_expect_not(engine_walk_next(f->engine, &walk, &view));
    }
}

/* ---- trades -------------------------------------------------------------------------------------------------------
 */

static uint8_t break_refused(uint64_t match_number)
{
    apply(f, (struct command){.kind = COMMAND_TRADE_BREAK, .trade = {.match_number = match_number, .reason = 'S'}});
    cr_assert_eq(f->event_count, 1);
    return f->events[0].kind == EVENT_COMMAND_REFUSED ? f->events[0].admin.refused_why : 0;
}

static void trade(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        enter(f, 1, 'S', 1, 10000);
        enter(f, 2, 'B', 1, 10000);
        cr_assert_eq(count_of(f, EVENT_EXECUTED), 1);
    }
}

Test(refusals, only_the_last_trades_of_the_day_can_be_broken)
{
    struct fixture *here = f;
    struct engine_limits limits = fixture_limits;
    limits.trades_max = 4;
    f = fixture_open(&limits);
    cr_expect_eq(break_refused(0), ENGINE_REFUSAL_UNKNOWN_TRADE);
    cr_expect_eq(break_refused(1), ENGINE_REFUSAL_UNKNOWN_TRADE, "none has been");
    trade(6);
    cr_expect_eq(break_refused(0), ENGINE_REFUSAL_UNKNOWN_TRADE);
    cr_expect_eq(break_refused(2), ENGINE_REFUSAL_UNKNOWN_TRADE, "too long ago");
    cr_expect_eq(break_refused(3), 0);
    cr_expect_eq(break_refused(3), ENGINE_REFUSAL_EXISTS);
    cr_expect_eq(break_refused(6), 0);
    cr_expect_eq(break_refused(7), ENGINE_REFUSAL_UNKNOWN_TRADE);
    of_kind(f, COMMAND_DAY_END, 0);
    apply(f, (struct command){.kind = COMMAND_DAY_START, .day = {.date = 20261124}});
    cr_expect_eq(break_refused(5), ENGINE_REFUSAL_UNKNOWN_TRADE, "of the day before");
    tear_down();
    f = here;
}

/* ---- pegs whose price cannot be -----------------------------------------------------------------------------------
 */

static struct command peg(uint32_t session, char side, int32_t offset_ticks)
{
    struct command command = order(f, session, side, 10, PRICE_TICKS_MARKET);
    command.order.display = 'N';
    command.order.price_type = 'R';
    command.order.peg_offset_ticks = offset_ticks;
    command.order.options = OPTION_PRICE_TYPE | OPTION_PEG_OFFSET;
    return command;
}

static int32_t price_of(uint32_t session, uint32_t user_ref)
{
    struct engine_order_view view;
    cr_assert(engine_order_find(f->engine, session, 0, user_ref, &view));
    return view.price_ticks;
}

Test(refusals, pegs_beyond_all_prices_are_parked)
{
    enter(f, 1, 'B', 10, 200);
    struct command low = peg(3, 'B', -150);
    apply(f, low);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
    cr_expect_eq(price_of(3, low.user_ref), PRICE_TICKS_MARKET, "50 is no whole tick");
    enter(f, 1, 'S', 10, 1999999900);
    struct command high = peg(3, 'S', 100);
    apply(f, high);
    cr_expect_eq(price_of(3, high.user_ref), PRICE_TICKS_MARKET, "above the highest");
    enter(f, 1, 'B', 10, 300);
    cr_expect_eq(price_of(3, low.user_ref), 100, "now there is a price");
    enter(f, 1, 'S', 10, 1999999800);
    cr_expect_eq(price_of(3, high.user_ref), 1999999900);
}

Test(refusals, immediate_peg_without_a_price_is_canceled)
{
    struct command command = peg(3, 'B', 0);
    command.order.time_in_force = '3';
    apply(f, command);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'I');
    cr_expect_eq(engine_live_orders(f->engine), 0);
}

/* A collar that goes beyond all prices keeps nobody from any of them. */
Test(refusals, collars_end_where_prices_end)
{
    apply(f, (struct command){.kind = COMMAND_INSTRUMENT_LIMITS,
                              .admin = {.instrument = 1, .reference_ticks = 1500000000, .collar_ticks = 1500000000}});
    enter(f, 1, 'S', 10, 1999999900);
    enter(f, 2, 'B', 10, PRICE_TICKS_MARKET);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.price_ticks, 1999999900);
    enter(f, 1, 'B', 10, 100);
    enter(f, 2, 'S', 10, PRICE_TICKS_MARKET);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.price_ticks, 100);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------
 */

/* Nobody lives to see it, so the engine is told that it has. */
Test(refusals, order_numbers_can_be_used_up)
{
    uint32_t original = enter(f, 1, 'B', 10, 10000);
    f->engine->order_ref_last = ORDER_REF_MAX - 1;
    enter(f, 1, 'B', 10, 9900);
    cr_expect_eq(event_of(f, EVENT_ACCEPTED, 0)->accepted.order_ref, ORDER_REF_MAX);
    enter(f, 1, 'B', 10, 9900);
    cr_expect(rejected_with(f, 0x000a));
    replace(f, 1, original, 20, 10000);
    cr_expect(rejected_with(f, 0x000a));
    cr_expect_eq(best_quantity(f, 'B'), 10, "the original stays");
}
