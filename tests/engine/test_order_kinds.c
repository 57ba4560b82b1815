/*
 * Goal: each kind of order and of command does what docs/engine.md says, and each mistake that others made with them is
 * shown not to be made, by name.
 * Method: the shortest story in which it would show.
 */
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fixture *f;

/* Session 3 is of another firm than 1 and 2. */
static void set_up(void)
{
    f = fixture_open(&fixture_limits);
    struct command command = {.kind = COMMAND_LOGIN, .gateway = 1, .tenure = 1, .login = {.connection = 103}};
    memcpy(command.login.user, "CARL  ", USER_BYTES);
    memcpy(command.login.firm, "OTHR", FIRM_BYTES);
    apply(f, command);
}

static void tear_down(void)
{
    const char *rule = engine_invalid(f->engine);
    cr_expect_null(rule, "%s", rule);
    fixture_close(f);
}

TestSuite(order_kinds, .init = set_up, .fini = tear_down);

/* ---- orders of each kind ------------------------------------------------------------------------------------------
 */

static uint32_t enter_this(struct command command)
{
    apply(f, command);
    return command.user_ref;
}

static struct command stop(uint32_t session, char side, uint32_t quantity, int32_t price_ticks, int32_t trigger_ticks)
{
    struct command command = order(f, session, side, quantity, price_ticks);
    command.order.trigger_kind = 'S';
    command.order.trigger_ticks = trigger_ticks;
    command.order.options = OPTION_TRIGGER;
    return command;
}

static struct command at_once(uint32_t session, char side, uint32_t quantity, int32_t price_ticks,
                              uint32_t min_quantity)
{
    struct command command = order(f, session, side, quantity, price_ticks);
    command.order.time_in_force = '3';
    command.order.min_quantity = min_quantity;
    command.order.options = OPTION_MIN_QUANTITY;
    return command;
}

static struct command hidden(uint32_t session, char side, uint32_t quantity, int32_t price_ticks)
{
    struct command command = order(f, session, side, quantity, price_ticks);
    command.order.display = 'N';
    return command;
}

static struct command reserve(uint32_t session, char side, uint32_t quantity, int32_t price_ticks, uint32_t max_floor)
{
    struct command command = order(f, session, side, quantity, price_ticks);
    command.order.max_floor = max_floor;
    command.order.options = OPTION_MAX_FLOOR;
    return command;
}

static struct command peg(uint32_t session, char side, uint32_t quantity, char price_type, int32_t offset_ticks)
{
    struct command command = hidden(session, side, quantity, PRICE_TICKS_MARKET);
    command.order.price_type = (uint8_t)price_type;
    command.order.peg_offset_ticks = offset_ticks;
    command.order.options = OPTION_PRICE_TYPE | OPTION_PEG_OFFSET;
    return command;
}

static struct command cross(uint32_t session, char side, uint32_t quantity, int32_t price_ticks, char cross_type)
{
    struct command command = order(f, session, side, quantity, price_ticks);
    command.order.cross_type = (uint8_t)cross_type;
    return command;
}

static void market(char state, int32_t reference_ticks)
{
    apply(f, (struct command){
                 .kind = COMMAND_MARKET_STATE,
                 .admin = {.instrument = 1, .market_state = (uint8_t)state, .reference_ticks = reference_ticks}});
}

static uint32_t traded(void)
{
    uint32_t quantity = 0;
    for (uint32_t i = 0; i < f->event_count; i++)
        quantity += f->events[i].kind == EVENT_EXECUTED ? f->events[i].trade.quantity : 0;
    return quantity;
}

static bool live(uint32_t session, uint32_t user_ref)
{
    struct engine_order_view view;
    return engine_order_find(f->engine, session, 0, user_ref, &view);
}

/* ---- fill or kill, minimum quantity -------------------------------------------------------------------------------
 */

Test(order_kinds, fill_or_kill_ignoring_self_match_prevention)
{
    enter(f, 1, 'S', 60, 10000);
    enter(f, 3, 'S', 60, 10000);
    struct command command = at_once(2, 'B', 100, 10000, 100);
    command.order.self_match = 'O';
    command.order.options |= OPTION_SELF_MATCH;
    apply(f, command);
    cr_expect_eq(traded(), 0, "60 of the 120 are its own firm's");
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'I');
    cr_expect_eq(best_quantity(f, 'S'), 120, "and nothing has been canceled for it");
    command = at_once(2, 'B', 60, 10000, 60);
    command.order.self_match = 'O';
    apply(f, command);
    cr_expect_eq(traded(), 60);
    cr_expect_eq(count_of(f, EVENT_SELF_MATCH_CANCELED), 1);
}

Test(order_kinds, fill_or_kill_ignoring_lots)
{
    struct command command = order(f, 1, 'S', 20, 10000);
    command.order.instrument = 2;
    apply(f, command);
    command = at_once(3, 'B', 30, 10000, 25);
    command.order.instrument = 2;
    apply(f, command);
    cr_expect(rejected_with(f, 0x000d), "a minimum is in lots");
    command = at_once(3, 'B', 30, 10000, 30);
    command.order.instrument = 2;
    apply(f, command);
    cr_expect_eq(traded(), 0);
}

Test(order_kinds, fill_or_kill_over_several_levels)
{
    for (int i = 0; i < 50; i++)
        enter(f, 1, 'S', 10, 10000 + 100 * i);
    apply(f, at_once(3, 'B', 500, 14800, 500));
    cr_expect_eq(traded(), 0, "the last level is not within its limit");
    apply(f, at_once(3, 'B', 500, 14900, 500));
    cr_expect_eq(traded(), 500);
}

Test(order_kinds, all_or_none_rests_and_is_passed_over)
{
    struct command command = hidden(1, 'S', 100, 10000);
    command.order.min_quantity = 100;
    uint32_t all = enter_this(command);
    enter(f, 2, 'S', 30, 10100);
    enter(f, 3, 'B', 50, 10100);
    cr_expect_eq(traded(), 30, "too small for the better price");
    cr_expect(live(1, all));
    enter(f, 3, 'B', 120, 10100);
    cr_expect_eq(traded(), 100);
    cr_expect_not(live(1, all));
    cr_expect_eq(best_quantity(f, 'B'), 40);
}

/* ---- hidden and reserve -------------------------------------------------------------------------------------------
 */

Test(order_kinds, displayed_before_hidden_at_one_price)
{
    apply(f, hidden(1, 'S', 10, 10000));
    cr_expect_eq(best(f, 'S'), 0, "nobody sees it");
    enter(f, 2, 'S', 10, 10000);
    enter(f, 3, 'B', 15, 10000);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.maker_session, 2);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 1)->trade.maker_session, 1);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 1)->trade.maker_liquidity, 'J');
}

Test(order_kinds, reserve_refill_keeping_its_place)
{
    apply(f, reserve(1, 'S', 100, 10000, 10));
    enter(f, 2, 'S', 10, 10000);
    cr_expect_eq(best_quantity(f, 'S'), 20);
    enter(f, 3, 'B', 10, 10000);
    cr_expect_eq(count_of(f, EVENT_RESTATED), 1);
    cr_expect_eq(event_of(f, EVENT_RESTATED, 0)->cut.display_quantity, 10);
    cr_expect_eq(event_of(f, EVENT_RESTATED, 0)->cut.leaves_quantity, 90);
    enter(f, 3, 'B', 10, 10000);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.maker_session, 2, "the refilled part is behind");
    enter(f, 3, 'B', 100, 10000);
    cr_expect_eq(traded(), 90, "and all of it trades in the end");
}

Test(order_kinds, random_reserve_stays_in_its_range)
{
    struct command command = reserve(1, 'S', 1000, 10000, 50);
    command.order.random_reserve = 20;
    command.order.options |= OPTION_RANDOM_RESERVE;
    apply(f, command);
    bool differs = false;
    while (best(f, 'S') != 0) {
        enter(f, 3, 'B', (uint32_t)best_quantity(f, 'S'), 10000);
        const struct event *restated = event_of(f, EVENT_RESTATED, 0);
        if (!restated)
            break;
        uint32_t shown = restated->cut.display_quantity;
        cr_expect(shown <= 70 && (shown >= 30 || shown == restated->cut.leaves_quantity), "%u", shown);
        differs |= shown != 50;
    }
    cr_expect(differs);
}

/* ---- triggers -----------------------------------------------------------------------------------------------------
 */

Test(order_kinds, stop_that_cannot_be_canceled)
{
    uint32_t user_ref = enter_this(stop(1, 'B', 100, PRICE_TICKS_MARKET, 10100));
    cancel(f, 1, user_ref, 40);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->cut.leaves_quantity, 40);
    cancel(f, 1, user_ref, 0);
    cr_expect_eq(count_of(f, EVENT_CANCELED), 1);
    enter(f, 2, 'S', 10, 10100);
    enter(f, 3, 'B', 10, 10100);
    cr_expect_eq(count_of(f, EVENT_PRIORITY_UPDATED), 0);
}

Test(order_kinds, stop_replaced_before_it_triggers)
{
    uint32_t user_ref = enter_this(stop(1, 'B', 100, 10500, 10100));
    uint32_t replaced = replace(f, 1, user_ref, 50, 10600);
    cr_expect_eq(event_of(f, EVENT_ORDER_OPTIONS, 0)->options.trigger_ticks, 10100, "the trigger is inherited");
    cr_expect_eq(best(f, 'B'), 0);
    enter(f, 2, 'S', 10, 10100);
    enter(f, 3, 'B', 10, 10100);
    cr_expect_eq(event_of(f, EVENT_PRIORITY_UPDATED, 0)->user_ref, replaced);
    cr_expect_eq(best(f, 'B'), 10600);
    cr_expect_eq(best_quantity(f, 'B'), 50);
}

/* Each stop's trade fires the next one; the last of a thousand, too. */
Test(order_kinds, single_pass_stop_cascades)
{
    for (int i = 0; i < 1000; i++) {
        apply(f, stop(1, 'B', 1, PRICE_TICKS_MARKET, 10100 + 100 * i));
        enter(f, 2, 'S', 1, 10200 + 100 * i);
    }
    enter(f, 2, 'S', 1, 10100);
    enter(f, 3, 'B', 1, 10100);
    cr_expect_eq(traded(), 1001);
    cr_expect_gt(f->step_count, 50);
    cr_expect_eq(engine_live_orders(f->engine), 0);
}

Test(order_kinds, stops_fire_in_the_order_of_their_prices)
{
    apply(f, stop(1, 'B', 1, 10500, 10200));
    apply(f, stop(2, 'B', 1, 10500, 10100));
    apply(f, stop(1, 'B', 1, 10500, 10100));
    enter(f, 3, 'S', 2, 10200);
    enter(f, 3, 'B', 2, 10200);
    cr_assert_eq(count_of(f, EVENT_PRIORITY_UPDATED), 3);
    cr_expect_eq(event_of(f, EVENT_PRIORITY_UPDATED, 0)->user_ref, 1);
    cr_expect_eq(event_of(f, EVENT_PRIORITY_UPDATED, 0)->session, 2);
    cr_expect_eq(event_of(f, EVENT_PRIORITY_UPDATED, 1)->user_ref, 2);
    cr_expect_eq(event_of(f, EVENT_PRIORITY_UPDATED, 2)->user_ref, 1);
}

/* When the post-only order's turn comes, the stop before it has taken the sale that it would have met. */
Test(order_kinds, post_only_checked_before_a_cascade)
{
    apply(f, stop(1, 'B', 10, PRICE_TICKS_MARKET, 10100));
    struct command command = stop(1, 'B', 10, 10200, 10100);
    command.order.options |= OPTION_POST_ONLY | OPTION_IS_POST_ONLY;
    uint32_t posts = enter_this(command);
    enter(f, 2, 'S', 10, 10200);
    enter(f, 2, 'S', 5, 10100);
    enter(f, 3, 'B', 5, 10100);
    cr_expect_eq(traded(), 15);
    cr_expect(live(1, posts), "it meets nobody now");
    cr_expect_eq(best(f, 'B'), 10200);
}

Test(order_kinds, post_only_that_would_trade_is_canceled)
{
    enter(f, 1, 'S', 10, 10100);
    struct command command = order(f, 3, 'B', 10, 10100);
    command.order.options = OPTION_POST_ONLY | OPTION_IS_POST_ONLY;
    apply(f, command);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'G');
    cr_expect_eq(traded(), 0);
}

Test(order_kinds, trailing_stop_follows_and_fires)
{
    enter(f, 1, 'S', 1, 10000);
    enter(f, 2, 'B', 1, 10000);
    struct command command = stop(3, 'S', 5, PRICE_TICKS_MARKET, 300);
    command.order.trigger_kind = 'T';
    uint32_t trails = enter_this(command);
    enter(f, 1, 'S', 1, 10500);
    enter(f, 2, 'B', 1, 10500);
    enter(f, 1, 'S', 1, 10300);
    enter(f, 2, 'B', 1, 10300);
    cr_expect(live(3, trails), "200 below the peak");
    enter(f, 2, 'B', 7, 10000);
    enter(f, 1, 'S', 1, 10200);
    enter(f, 2, 'B', 1, 10200);
    cr_expect_eq(traded(), 6, "300 below the peak");
    cr_expect_not(live(3, trails));
}

/* ---- pegs ---------------------------------------------------------------------------------------------------------
 */

Test(order_kinds, pegs_follow_the_best_prices)
{
    enter(f, 1, 'B', 10, 10000);
    enter(f, 1, 'S', 10, 10600);
    apply(f, peg(3, 'B', 10, 'R', 0));
    cr_expect_eq(event_of(f, EVENT_ACCEPTED, 0)->accepted.price_type, 'R');
    enter(f, 1, 'B', 10, 10200);
    cr_expect_eq(event_of(f, EVENT_PRIORITY_UPDATED, 0)->cut.price_ticks, 10200);
    apply(f, peg(3, 'S', 10, 'M', 0));
    enter(f, 2, 'B', 10, 10300);
    cr_expect_eq(event_of(f, EVENT_PRIORITY_UPDATED, 0)->cut.price_ticks, 10300, "the primary peg");
    cr_expect_eq(event_of(f, EVENT_PRIORITY_UPDATED, 1)->cut.price_ticks, 10500, "the midpoint, on a tick");
    cr_expect_eq(best(f, 'S'), 10600, "pegs are hidden");
    enter(f, 2, 'B', 15, 10500);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.price_ticks, 10500);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.maker_liquidity, 'k');
}

Test(order_kinds, peg_without_a_reference_waits)
{
    uint32_t waits = enter_this(peg(3, 'B', 10, 'P', -100));
    cr_expect(live(3, waits));
    enter(f, 1, 'S', 10, 10000);
    cr_expect_eq(event_of(f, EVENT_PRIORITY_UPDATED, 0)->cut.price_ticks, 9900);
    enter(f, 1, 'S', 10, 9900);
    cr_expect_eq(traded(), 10, "it stands there now");
}

/* ---- self-match prevention ----------------------------------------------------------------------------------------
 */

static void own_orders_meet(char strategy)
{
    enter(f, 1, 'S', 60, 10000);
    struct command command = order(f, 2, 'B', 100, 10000);
    command.order.self_match = (uint8_t)strategy;
    apply(f, command);
    cr_expect_eq(traded(), 0);
}

Test(order_kinds, self_match_cancels_the_oldest)
{
    own_orders_meet('O');
    const struct event *told = event_of(f, EVENT_SELF_MATCH_CANCELED, 0);
    cr_expect_eq(told->session, 1);
    cr_expect_eq(told->cut.prevented_quantity, 60);
    cr_expect_eq(best_quantity(f, 'B'), 100);
    cr_expect_eq(best(f, 'S'), 0);
}

Test(order_kinds, self_match_cancels_the_newest)
{
    own_orders_meet('W');
    cr_expect_eq(event_of(f, EVENT_SELF_MATCH_CANCELED, 0)->session, 2);
    cr_expect_eq(event_of(f, EVENT_SELF_MATCH_CANCELED, 0)->cut.decrement, 100);
    cr_expect_eq(best_quantity(f, 'S'), 60);
    cr_expect_eq(best(f, 'B'), 0);
}

Test(order_kinds, self_match_decrements_both_with_and_without_details)
{
    own_orders_meet('D');
    cr_expect_eq(count_of(f, EVENT_SELF_MATCH_CANCELED), 2);
    cr_expect_eq(best_quantity(f, 'B'), 40);
    own_orders_meet('Y');
    cr_expect_eq(count_of(f, EVENT_SELF_MATCH_CANCELED), 0);
}

Test(order_kinds, self_match_by_group_spares_other_groups)
{
    struct command command = order(f, 1, 'S', 60, 10000);
    command.order.group = 7;
    apply(f, command);
    command = order(f, 2, 'B', 60, 10000);
    command.order.group = 8;
    command.order.self_match = 'o';
    apply(f, command);
    cr_expect_eq(traded(), 60);
}

/* ---- market states and auctions -----------------------------------------------------------------------------------
 */

Test(order_kinds, auction_takes_the_price_of_the_largest_volume)
{
    market('P', 10300);
    enter(f, 1, 'B', 100, 10500);
    enter(f, 1, 'B', 100, 10400);
    enter(f, 3, 'S', 150, 10200);
    enter(f, 3, 'S', 100, 10600);
    cr_expect_eq(traded(), 0);
    cr_expect_eq(best(f, 'B'), 10500, "crossed, and nothing trades");
    market('O', 0);
    cr_expect_eq(traded(), 150);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.price_ticks, 10300, "the nearest the reference");
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.liquidity, 'O');
    cr_expect_eq(best(f, 'B'), 10400);
    cr_expect_eq(best(f, 'S'), 10600);
}

Test(order_kinds, auction_prefers_the_least_imbalance)
{
    market('P', 10000);
    enter(f, 1, 'B', 100, 10500);
    enter(f, 3, 'S', 100, 10000);
    enter(f, 1, 'B', 50, 10200);
    enter(f, 3, 'S', 20, 10300);
    market('O', 0);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.price_ticks, 10300, "20 over, where 10200 has 50");
}

Test(order_kinds, on_close_orders_trade_at_the_close_alone)
{
    enter(f, 1, 'B', 100, 10000);
    uint32_t on_close = enter_this(cross(3, 'S', 60, PRICE_TICKS_MARKET, 'C'));
    cr_expect_eq(traded(), 0);
    uint32_t stays = enter_this(stop(2, 'B', 10, 10500, 10400));
    market('C', 0);
    cr_expect_eq(traded(), 60);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.liquidity, 'C');
    cr_expect_not(live(3, on_close));
    cr_expect_not(live(2, stays), "day orders end with the close");
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'E');
    enter(f, 1, 'B', 100, 10000);
    cr_expect(rejected_with(f, 0x0002));
}

Test(order_kinds, imbalance_only_orders_take_what_is_left)
{
    market('P', 10000);
    enter(f, 1, 'B', 100, 10000);
    enter(f, 3, 'S', 60, 10000);
    struct command command = cross(3, 'S', 100, 9000, 'O');
    command.order.handle_inst = 'I';
    apply(f, command);
    market('O', 0);
    cr_expect_eq(traded(), 100);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 1)->trade.price_ticks, 10000, "they make no price");
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 1)->trade.maker_liquidity, 'M');
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->cut.decrement, 60);
}

/* It expires at second 1; the auction of 100 trades takes several steps, and it trades in it, whatever the time. */
Test(order_kinds, expiry_in_the_middle_of_an_auction)
{
    market('P', 10000);
    struct command command = order(f, 1, 'B', 50, 10000);
    command.order.time_in_force = '6';
    command.order.expire_s = 1;
    uint32_t expires = enter_this(command);
    for (int i = 0; i < 100; i++)
        enter(f, 3, 'S', 1, 9900);
    for (int i = 0; i < 50; i++)
        enter(f, 2, 'B', 1, 10000);
    market('O', 0);
    cr_expect_eq(traded(), 100);
    cr_expect_gt(f->step_count, 1);
    cr_expect_not(live(1, expires), "it was first, and is filled");
    cr_expect_eq(of_kind(f, COMMAND_TICK, 0), 0);
    cr_expect_not(engine_timer_armed(f->engine));
}

Test(order_kinds, good_till_time_expires_by_a_tick)
{
    struct command command = order(f, 1, 'B', 50, 10000);
    command.order.time_in_force = '6';
    command.order.expire_s = 1;
    uint32_t expires = enter_this(command);
    cr_expect(engine_timer_armed(f->engine));
    of_kind(f, COMMAND_TICK, 0);
    cr_expect(live(1, expires));
    apply_at(f, (struct command){.kind = COMMAND_TICK}, 2000000000);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'T');
    cr_expect_eq(count_of(f, EVENT_BOOK_TOP), 1);
    cr_expect_not(engine_timer_armed(f->engine));
}

Test(order_kinds, halted_book_collects_and_reopens)
{
    enter(f, 1, 'B', 10, 10000);
    market('H', 0);
    enter(f, 3, 'S', 10, 9900);
    cr_expect_eq(traded(), 0);
    apply(f, at_once(3, 'S', 10, 9900, 0));
    cr_expect(rejected_with(f, 0x0007));
    market('O', 0);
    cr_expect_eq(traded(), 10);
    cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.liquidity, 'H');
}

Test(order_kinds, extended_hours_keep_orders_that_may_stay)
{
    struct command command = order(f, 1, 'B', 10, 10000);
    command.order.time_in_force = '5';
    uint32_t stays = enter_this(command);
    uint32_t goes = enter(f, 2, 'B', 10, 9900);
    market('X', 0);
    cr_expect(live(1, stays));
    cr_expect_not(live(2, goes));
    enter(f, 3, 'S', 10, 10000);
    cr_expect(rejected_with(f, 0x0002), "day orders are not for extended hours");
    command = order(f, 3, 'S', 10, 10000);
    command.order.time_in_force = 'E';
    apply(f, command);
    cr_expect_eq(traded(), 10);
}

/* ---- limits, cancels of many, breaks ------------------------------------------------------------------------------
 */

static void limits(struct command_admin admin)
{
    admin.instrument = 1;
    apply(f, (struct command){.kind = COMMAND_INSTRUMENT_LIMITS, .admin = admin});
    cr_expect_eq(count_of(f, EVENT_LIMITS_CHANGED), 1);
}

Test(order_kinds, collar_ends_a_sweep_and_fat_fingers_are_refused)
{
    limits((struct command_admin){.reference_ticks = 10000, .collar_ticks = 300, .fat_finger_ticks = 1000});
    enter(f, 1, 'S', 10, 10300);
    enter(f, 1, 'S', 10, 10400);
    enter(f, 3, 'B', 30, 10900);
    cr_expect_eq(traded(), 10);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'K');
    enter(f, 3, 'B', 30, 11100);
    cr_expect(rejected_with(f, 0x0006));
    enter(f, 3, 'B', 30, 100);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1, "far away is no danger");
}

Test(order_kinds, quantity_and_notional_are_limited)
{
    limits((struct command_admin){.quantity_max = 100, .notional_max = 500000});
    enter(f, 1, 'S', 101, 1000);
    cr_expect(rejected_with(f, 0x001e));
    enter(f, 1, 'S', 100, 10000);
    cr_expect(rejected_with(f, 0x001f));
    struct command command = {.kind = COMMAND_FIRM_LIMITS, .admin = {.quantity_max = 10}};
    memcpy(command.admin.firm, "FIRM", FIRM_BYTES);
    apply(f, command);
    enter(f, 1, 'S', 11, 1000);
    cr_expect(rejected_with(f, 0x0031));
    enter(f, 3, 'S', 11, 1000);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1, "another firm");
}

static struct command firm_request(uint8_t kind, uint32_t session)
{
    return (struct command){
        .kind = kind, .gateway = 1, .tenure = 1, .session = session, .user_ref = ++f->user_refs[session]};
}

Test(order_kinds, mass_cancel_takes_the_firms_orders_alone)
{
    enter(f, 1, 'S', 10, 10000);
    enter(f, 2, 'B', 10, 9000);
    apply(f, stop(1, 'B', 10, 10000, 11000));
    enter(f, 3, 'S', 10, 10000);
    struct command command = firm_request(COMMAND_MASS_CANCEL, 1);
    command.order.side = 'S';
    apply(f, command);
    cr_expect_eq(count_of(f, EVENT_CANCELED), 1);
    apply(f, firm_request(COMMAND_MASS_CANCEL, 2));
    cr_expect_eq(count_of(f, EVENT_CANCELED), 2, "the stop too");
    cr_expect_eq(f->events[f->event_count - 1].kind, EVENT_MASS_CANCELED);
    cr_expect_eq(engine_live_orders(f->engine), 1);
}

Test(order_kinds, kill_switch_refuses_until_it_is_released)
{
    apply(f, firm_request(COMMAND_DISABLE, 1));
    cr_expect_eq(count_of(f, EVENT_ENTRY_DISABLED), 1);
    enter(f, 2, 'B', 10, 10000);
    cr_expect(rejected_with(f, 0x000c));
    enter(f, 3, 'B', 10, 10000);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
    apply(f, firm_request(COMMAND_ENABLE, 2));
    enter(f, 2, 'B', 10, 10000);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
}

static bool may_enter(void)
{
    enter(f, 2, 'B', 10, 10000);
    return !rejected_with(f, 0x000c);
}

static void operator_switches(bool disables)
{
    struct command command = {.kind = COMMAND_FIRM_SWITCH, .gateway = 1, .act = {.flag = disables}};
    memcpy(command.act.firm, "FIRM", FIRM_BYTES);
    apply(f, command);
    cr_expect_eq(count_of(f, disables ? EVENT_ENTRY_DISABLED : EVENT_ENTRY_ENABLED), 1);
}

Test(order_kinds, a_member_cannot_undo_the_operators_kill_switch)
{
    operator_switches(true);
    cr_expect_not(may_enter());
    apply(f, firm_request(COMMAND_ENABLE, 1));
    cr_expect_eq(count_of(f, EVENT_ENTRY_ENABLED), 1, "he is answered");
    cr_expect_not(may_enter());
    apply(f, firm_request(COMMAND_DISABLE, 1));
    apply(f, firm_request(COMMAND_ENABLE, 1));
    cr_expect_not(may_enter());
    replace(f, 2, enter(f, 2, 'B', 10, 10000), 20, 10000);
    cr_expect_eq(count_of(f, EVENT_REPLACED), 0);
    operator_switches(false);
    cr_expect(may_enter());
}

Test(order_kinds, an_operator_does_not_undo_a_members_kill_switch)
{
    apply(f, firm_request(COMMAND_DISABLE, 1));
    operator_switches(true);
    operator_switches(false);
    cr_expect_not(may_enter());
    apply(f, firm_request(COMMAND_ENABLE, 1));
    cr_expect(may_enter());
}

Test(order_kinds, the_operators_kill_switch_is_in_the_state_hash)
{
    uint64_t none = engine_state_hash(f->engine);
    operator_switches(true);
    uint64_t one = engine_state_hash(f->engine);
    operator_switches(true);
    cr_expect_eq(engine_state_hash(f->engine), one);
    struct command command = {.kind = COMMAND_FIRM_SWITCH, .gateway = 1};
    memcpy(command.act.firm, "NONE", FIRM_BYTES);
    apply(f, command);
    cr_expect_eq(engine_state_hash(f->engine), one, "a firm that was never disabled");
    operator_switches(false);
    cr_expect_eq(engine_state_hash(f->engine), none);
    cr_expect_neq(one, none);
}

Test(order_kinds, cancel_on_disconnect)
{
    login(f, "ANNE  ", 1, 1, 101, LOGIN_TAKES_OVER | LOGIN_CANCELS_ON_DISCONNECT);
    enter(f, 1, 'S', 10, 10000);
    enter(f, 2, 'S', 10, 10000);
    apply(f, (struct command){.kind = COMMAND_LOGOUT,
                              .gateway = 1,
                              .tenure = 1,
                              .session = 1,
                              .login = {.connection = 101, .reason = 'D'}});
    cr_expect_eq(f->events[0].kind, EVENT_SESSION_CLOSED);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'Z');
    cr_expect_eq(engine_live_orders(f->engine), 1);
}

static void login_with_grace(uint64_t connection, uint32_t grace_ms)
{
    struct command command = {.kind = COMMAND_LOGIN,
                              .gateway = 1,
                              .tenure = 1,
                              .login = {.flag = LOGIN_TAKES_OVER | LOGIN_CANCELS_ON_DISCONNECT,
                                        .connection = connection,
                                        .grace_ms = grace_ms}};
    memcpy(command.login.user, "ANNE  ", USER_BYTES);
    apply(f, command);
}

static void tick_at(uint64_t time_ns)
{
    apply_at(f, (struct command){.kind = COMMAND_TICK}, time_ns);
}

Test(order_kinds, cancel_on_disconnect_after_a_grace_period)
{
    const uint64_t second_ns = UINT64_C(1000000000);
    const uint64_t start_ns = 1000 * second_ns;
    login_with_grace(101, 5000);
    enter(f, 1, 'S', 10, 10000);
    cr_expect_not(engine_timer_armed(f->engine));
    const struct command gone = {
        .kind = COMMAND_LOGOUT, .gateway = 1, .tenure = 1, .session = 1, .login = {.connection = 101, .reason = 'D'}};
    apply_at(f, gone, start_ns);
    cr_expect_eq(f->event_count, 1u, "closed, and nothing else");
    cr_expect(engine_timer_armed(f->engine));
    tick_at(start_ns + 4 * second_ns);
    cr_expect_eq(f->event_count, 0u);
    login_with_grace(102, 5000); /* back in time */
    cr_expect_not(engine_timer_armed(f->engine));
    tick_at(start_ns + 60 * second_ns);
    cr_expect_eq(f->event_count, 0u);
    login_with_grace(103, 5000); /* a takeover is an end and a login */
    cr_expect_eq(count_of(f, EVENT_CANCELED), 0u);
    tick_at(start_ns + 120 * second_ns);
    cr_expect_eq(f->event_count, 0u);

    const struct command tenure = {.kind = COMMAND_TENURE_BEGINS, .gateway = 1, .tenure = 2}; /* its gateway died */
    apply_at(f, tenure, start_ns + 200 * second_ns);
    cr_expect_eq(count_of(f, EVENT_CANCELED), 0u);
    tick_at(start_ns + 205 * second_ns - 1);
    cr_expect_eq(f->event_count, 0u);
    tick_at(start_ns + 205 * second_ns);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'Z');
    cr_expect_eq(engine_live_orders(f->engine), 0);
    cr_expect_not(engine_timer_armed(f->engine));
    cr_expect_null(engine_invalid(f->engine));
}

Test(order_kinds, who_is_blocked_has_no_grace)
{
    login_with_grace(101, 5000);
    enter(f, 1, 'S', 10, 10000);
    struct command command = {.kind = COMMAND_SESSION_BLOCK, .login = {.flag = 1}};
    memcpy(command.login.user, "ANNE  ", USER_BYTES);
    apply(f, command);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'Z');
    cr_expect_not(engine_timer_armed(f->engine));
}

Test(order_kinds, who_is_blocked_in_his_grace_has_no_more_of_it)
{
    login_with_grace(101, 5000);
    enter(f, 1, 'S', 10, 10000);
    const struct command gone = {
        .kind = COMMAND_LOGOUT, .gateway = 1, .tenure = 1, .session = 1, .login = {.connection = 101, .reason = 'D'}};
    apply(f, gone);
    cr_expect_eq(engine_live_orders(f->engine), 1);
    struct command command = {.kind = COMMAND_SESSION_BLOCK, .login = {.flag = 1}};
    memcpy(command.login.user, "ANNE  ", USER_BYTES);
    apply(f, command);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'Z');
    cr_expect_eq(engine_live_orders(f->engine), 0);
    cr_expect_not(engine_timer_armed(f->engine));
    cr_expect_null(engine_invalid(f->engine));
}

Test(order_kinds, blocked_user_is_closed_and_stays_out)
{
    struct command command = {.kind = COMMAND_SESSION_BLOCK, .login = {.flag = 1}};
    memcpy(command.login.user, "ANNE  ", USER_BYTES);
    apply(f, command);
    cr_expect_eq(event_of(f, EVENT_SESSION_CLOSED, 0)->session, 1);
    login(f, "ANNE  ", 1, 1, 201, 0);
    cr_expect_eq(event_of(f, EVENT_LOGIN_REFUSED, 0)->reason, 'A');
    command.login.flag = 0;
    apply(f, command);
    login(f, "ANNE  ", 1, 1, 202, 0);
    cr_expect_eq(count_of(f, EVENT_LOGIN_ACCEPTED), 1);
}

Test(order_kinds, broken_trade_is_told_to_both_once)
{
    enter(f, 1, 'S', 10, 10000);
    enter(f, 3, 'B', 10, 10000);
    uint64_t match_number = event_of(f, EVENT_EXECUTED, 0)->trade.match_number;
    struct command command = {.kind = COMMAND_TRADE_BREAK, .trade = {.match_number = match_number, .reason = 'S'}};
    apply(f, command);
    const struct event *broken = event_of(f, EVENT_BROKEN, 0);
    cr_assert(broken);
    cr_expect_eq(broken->session, 3);
    cr_expect_eq(broken->trade.maker_session, 1);
    cr_expect_gt(broken->trade.maker_message_no, 0);
    apply(f, command);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_EXISTS);
    command.trade.match_number++;
    apply(f, command);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_UNKNOWN_TRADE);
}

/* Who named a channel is told of it. */
Test(order_kinds, broken_trade_has_the_appendages_of_its_orders)
{
    for (int who = 0; who < 4; who++) {
        struct command sells = order(f, 1, 'S', 10, 10000);
        struct command buys = order(f, 3, 'B', 10, 10000);
        sells.flags = who & 1 ? COMMAND_HAS_APPENDAGE : 0;
        buys.flags = who & 2 ? COMMAND_HAS_APPENDAGE : 0;
        apply(f, sells);
        apply(f, buys);
        uint64_t match_number = event_of(f, EVENT_EXECUTED, 0)->trade.match_number;
        apply(f, (struct command){.kind = COMMAND_TRADE_BREAK, .trade = {.match_number = match_number, .reason = 'S'}});
        const struct event *broken = event_of(f, EVENT_BROKEN, 0);
        cr_assert(broken);
        cr_expect_eq((broken->flags & EVENT_MAKER_APPENDAGE) != 0, (who & 1) != 0);
        cr_expect_eq((broken->flags & EVENT_HAS_APPENDAGE) != 0, (who & 2) != 0);
        cr_expect_eq(broken->trade.maker_side, 'S');
        cr_expect_eq(broken->side, 'B');
    }
}

Test(order_kinds, silent_drop_at_capacity)
{
    struct engine_limits small = fixture_limits;
    small.specials_max = 3;
    small.movers_max = 1;
    struct fixture *here = f;
    f = fixture_open(&small);
    apply(f, peg(3, 'B', 10, 'R', 0));
    apply(f, peg(3, 'B', 10, 'R', 0));
    cr_expect(rejected_with(f, 0x000a), "one mover in a book");
    apply(f, stop(1, 'B', 10, 10000, 10000));
    uint32_t last = enter_this(stop(1, 'B', 10, 10000, 10000));
    apply(f, stop(1, 'B', 10, 10000, 10000));
    cr_expect(rejected_with(f, 0x000a), "three special orders");
    cancel(f, 1, last, 0);
    apply(f, stop(1, 'B', 10, 10000, 10000));
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
    tear_down();
    f = here;
}
