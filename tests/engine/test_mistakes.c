/*
 * Goal: each mistake that matching engines are known for is shown not to be made, by name.
 * Method: the shortest story in which it would show. The model would find them too; these say what is wrong.
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

TestSuite(mistakes, .init = set_up, .fini = tear_down);

Test(mistakes, fill_at_the_takers_price)
{
    enter(f, 1, 'S', 100, 10000);
    enter(f, 2, 'B', 100, 10500);
    const struct event *trade = event_of(f, EVENT_EXECUTED, 0);
    cr_assert(trade);
    cr_expect_eq(trade->trade.price_ticks, 10000);
    enter(f, 1, 'B', 100, 10000);
    enter(f, 2, 'S', 100, 9000);
    trade = event_of(f, EVENT_EXECUTED, 0);
    cr_assert(trade);
    cr_expect_eq(trade->trade.price_ticks, 10000);
}

Test(mistakes, partly_filled_maker_sent_to_the_back)
{
    uint32_t first = enter(f, 1, 'S', 100, 10000);
    enter(f, 2, 'S', 100, 10000);
    enter(f, 3, 'B', 40, 10000);
    enter(f, 3, 'B', 40, 10000);
    const struct event *trade = event_of(f, EVENT_EXECUTED, 0);
    cr_assert(trade);
    cr_expect_eq(trade->trade.maker_session, 1);
    cr_expect_eq(trade->trade.maker_user_ref, first);
    cr_expect_eq(trade->trade.maker_leaves_quantity, 20);
}

Test(mistakes, filled_maker_left_in_the_id_index)
{
    uint32_t maker = enter(f, 1, 'S', 100, 10000);
    enter(f, 2, 'B', 100, 10000);
    struct engine_order_view view;
    cr_expect_not(engine_order_find(f->engine, 1, 0, maker, &view));
    cr_expect_eq(cancel(f, 1, maker, 0), 0, "a filled order cannot be canceled");
    uint32_t dead = replace(f, 1, maker, 100, 10000);
    cr_expect_eq(f->event_count, 0, "nor replaced (%u)", dead);
    cr_expect_eq(engine_live_orders(f->engine), 0);
}

Test(mistakes, stale_best_price)
{
    uint32_t top = enter(f, 1, 'B', 100, 10200);
    enter(f, 1, 'B', 100, 10000);
    enter(f, 1, 'B', 70, 100); /* far below */
    cancel(f, 1, top, 0);
    cr_expect_eq(best(f, 'B'), 10000);
    enter(f, 2, 'S', 100, 10000);
    cr_expect_eq(best(f, 'B'), 100, "after the best level was traded away");
    cr_expect_eq(best_quantity(f, 'B'), 70);
    enter(f, 2, 'S', 70, 100);
    cr_expect_eq(best(f, 'B'), 0, "after the last one");
    enter(f, 2, 'S', 10, 10000);
    cr_expect_eq(count_of(f, EVENT_EXECUTED), 0, "nothing is left to trade with");
}

Test(mistakes, rest_of_an_ioc_stays)
{
    enter(f, 1, 'S', 60, 10000);
    struct command command = order(f, 2, 'B', 100, 10000);
    command.order.time_in_force = '3';
    apply(f, command);
    const struct event *rest = event_of(f, EVENT_CANCELED, 0);
    cr_assert(rest);
    cr_expect_eq(rest->cut.decrement, 40);
    cr_expect_eq(rest->reason, 'I');
    cr_expect_eq(best(f, 'B'), 0);
    cr_expect_eq(engine_live_orders(f->engine), 0);
}

Test(mistakes, rest_of_a_market_order_stays)
{
    enter(f, 1, 'B', 60, 10000);
    enter(f, 2, 'S', 100, PRICE_TICKS_MARKET);
    const struct event *rest = event_of(f, EVENT_CANCELED, 0);
    cr_assert(rest);
    cr_expect_eq(rest->cut.decrement, 40);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.price_ticks, 10000);
    cr_expect_eq(engine_live_orders(f->engine), 0);
    enter(f, 2, 'B', 100, PRICE_TICKS_MARKET);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->cut.decrement, 100, "with nobody there");
}

Test(mistakes, replace_that_crosses_but_does_not_match)
{
    enter(f, 1, 'S', 100, 10100);
    uint32_t bid = enter(f, 2, 'B', 100, 10000);
    replace(f, 2, bid, 100, 10100);
    cr_expect_eq(count_of(f, EVENT_REPLACED), 1);
    cr_expect_eq(count_of(f, EVENT_EXECUTED), 1);
    cr_expect_eq(engine_live_orders(f->engine), 0);
}

Test(mistakes, replace_using_the_original_quantity)
{
    uint32_t ask = enter(f, 1, 'S', 100, 10000);
    enter(f, 2, 'B', 30, 10000);
    uint32_t second = replace(f, 1, ask, 80, 10100);
    const struct event *replaced = event_of(f, EVENT_REPLACED, 0);
    cr_assert(replaced);
    cr_expect_eq(replaced->replaced.quantity, 50, "80 in all, 30 of them done");
    enter(f, 2, 'B', 10, 10100);
    replace(f, 1, second, 41, 10100);
    cr_expect_eq(event_of(f, EVENT_REPLACED, 0)->replaced.quantity, 1, "40 of the chain are done");
    replace(f, 1, f->user_refs[1], 40, 10100);
    cr_assert(event_of(f, EVENT_CANCELED, 0), "nothing is left to expose");
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->cut.decrement, 1);
}

Test(mistakes, replace_keeping_its_place)
{
    uint32_t first = enter(f, 1, 'S', 100, 10000);
    enter(f, 2, 'S', 100, 10000);
    replace(f, 1, first, 100, 10000);
    enter(f, 3, 'B', 100, 10000);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.maker_session, 2);
}

Test(mistakes, duplicate_ids)
{
    struct command command = order(f, 1, 'B', 100, 10000);
    cr_expect_eq(apply(f, command), 2);
    cr_expect_eq(apply(f, command), 0, "the same number again is a retransmission");
    command.user_ref--;
    cr_expect_eq(apply(f, command), 0, "and so is a lower one");
    cr_expect_eq(engine_live_orders(f->engine), 1);
    command.user_ref += 10;
    cr_expect_eq(apply(f, command), 2, "gaps are allowed");
    command.user_ref -= 3;
    cr_expect_eq(apply(f, command), 0, "but not filled up later");
    command.session = 2;
    cr_expect_eq(apply(f, command), 2, "numbers are each session's own");
    command.order.user_ref_index = 7;
    cr_expect_eq(apply(f, command), 2, "and each channel's");
}

Test(mistakes, rejected_number_used_again)
{
    struct command command = order(f, 1, 'B', 0, 10000);
    apply(f, command);
    cr_expect(rejected_with(f, 0x0013));
    command.order.quantity = 100;
    cr_expect_eq(apply(f, command), 0);
}

Test(mistakes, time_order_lost_when_an_order_in_the_middle_is_removed)
{
    uint32_t sessions[5] = {1, 2, 3, 1, 2};
    uint32_t refs[5];
    for (int i = 0; i < 5; i++)
        refs[i] = enter(f, sessions[i], 'S', 10, 10000);
    cancel(f, sessions[2], refs[2], 0);
    cancel(f, sessions[0], refs[0], 0);
    cancel(f, sessions[4], refs[4], 0);
    uint32_t last = enter(f, 3, 'S', 10, 10000);
    enter(f, 3, 'B', 30, 10000);
    cr_assert_eq(count_of(f, EVENT_EXECUTED), 3);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.maker_user_ref, refs[1]);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 1)->trade.maker_user_ref, refs[3]);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 2)->trade.maker_user_ref, last);
}

Test(mistakes, smaller_size_loses_its_place)
{
    uint32_t first = enter(f, 1, 'S', 100, 10000);
    enter(f, 2, 'S', 100, 10000);
    cancel(f, 1, first, 60);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->cut.decrement, 40);
    modify(f, 1, first, 'E', 50);
    cr_expect_eq(event_of(f, EVENT_MODIFIED, 0)->cut.leaves_quantity, 50);
    enter(f, 3, 'B', 60, 10000);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.maker_session, 1);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.quantity, 50);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 1)->trade.maker_session, 2);
}

Test(mistakes, cancel_counting_open_shares_instead_of_all)
{
    uint32_t ask = enter(f, 1, 'S', 100, 10000);
    enter(f, 2, 'B', 30, 10000);
    cancel(f, 1, ask, 50);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->cut.leaves_quantity, 20, "50 in all, 30 of them done");
    cr_expect_eq(cancel(f, 1, ask, 50), 0, "there is nothing to take off");
    cancel(f, 1, ask, 30);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->cut.leaves_quantity, 0);
}

Test(mistakes, increase_by_modify)
{
    uint32_t ask = enter(f, 1, 'S', 100, 10000);
    cr_expect_eq(modify(f, 1, ask, 'S', 200), 0);
    cr_expect_eq(modify(f, 1, ask, 'B', 100), 0, "a seller does not become a buyer");
    modify(f, 1, ask, 'T', 200);
    cr_expect_eq(event_of(f, EVENT_MODIFIED, 0)->side, 'T');
    cr_expect_eq(event_of(f, EVENT_MODIFIED, 0)->cut.leaves_quantity, 100);
    cr_expect_eq(modify(f, 1, ask, 'S', 100), 0, "and T stays T");
}

Test(mistakes, sweep_cut_off_where_a_step_ends)
{
    for (int i = 0; i < 1000; i++)
        enter(f, 1, 'S', 10, 10000 + 100 * (i / 7));
    enter(f, 2, 'B', 9995, 2000000);
    cr_expect_gt(f->step_count, 1000 / ENGINE_EVENTS_MAX);
    cr_assert_eq(count_of(f, EVENT_EXECUTED), 1000);
    for (uint32_t i = 0; i < f->event_count; i++) {
        bool last = (f->events[i].flags & EVENT_LAST_OF_COMMAND) != 0;
        cr_assert_eq(last, i == f->event_count - 1);
        cr_assert_eq(f->events[i].index, i);
    }
    cr_expect_eq(engine_live_orders(f->engine), 1);
    cr_expect_eq(best_quantity(f, 'S'), 5);
}
