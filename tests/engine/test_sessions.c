/*
 * Goal: who owns a session, what each is told and in which numbers, and what a trading day does to them.
 * Method: stories of logins, connections that end, gateways that begin again, days that start and end.
 */
#include "fixture.h"

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

TestSuite(sessions, .init = set_up, .fini = tear_down);

static uint32_t logout(const char *user, uint32_t session, uint64_t connection)
{
    struct command command = {.kind = COMMAND_LOGOUT,
                              .gateway = 1,
                              .tenure = 1,
                              .session = session,
                              .login = {.connection = connection, .reason = 'L'}};
    memcpy(command.login.user, user, USER_BYTES);
    return apply(f, command);
}

Test(sessions, first_login_begins_the_stream)
{
    login(f, "DORA  ", 2, 5, 900, 0);
    cr_assert_eq(f->event_count, 2);
    cr_expect_eq(f->events[0].kind, EVENT_SYSTEM_EVENT);
    cr_expect_eq(f->events[0].reason, 'S');
    cr_expect_eq(f->events[0].message_no, 1);
    const struct event *accepted = &f->events[1];
    cr_expect_eq(accepted->kind, EVENT_LOGIN_ACCEPTED);
    cr_expect_eq(accepted->session, 4, "the next number");
    cr_expect_eq(accepted->message_no, 0, "a login is no message");
    cr_expect_eq(accepted->login.message_next, 2);
    cr_expect_eq(accepted->login.user_ref_next, 1);
    cr_expect_eq(accepted->login.connection, 900);
    cr_expect_eq(accepted->login.gateway, 2);
    cr_expect_eq(accepted->login.tenure, 5);
    cr_expect_eq(accepted->login.date, 20261123);
    cr_expect_arr_eq(accepted->login.firm, "FIRM", FIRM_BYTES);
}

Test(sessions, numbers_go_on_at_the_next_login)
{
    enter(f, 1, 'B', 10, 10000);
    cr_expect_eq(logout("ANNE  ", 1, 101), 1);
    cr_expect_eq(f->events[0].kind, EVENT_SESSION_CLOSED);
    cr_expect_eq(f->events[0].reason, 'L');
    cr_expect_eq(engine_live_orders(f->engine), 1, "orders stay");
    login(f, "ANNE  ", 1, 1, 201, 0);
    cr_assert_eq(f->event_count, 1);
    cr_expect_eq(f->events[0].session, 1);
    cr_expect_eq(f->events[0].login.message_next, 3);
    cr_expect_eq(f->events[0].login.user_ref_next, 2);
}

Test(sessions, second_login_is_refused_or_takes_over)
{
    login(f, "ANNE  ", 2, 1, 7, 0);
    cr_assert_eq(f->event_count, 1);
    cr_expect_eq(f->events[0].kind, EVENT_LOGIN_REFUSED);
    cr_expect_eq(f->events[0].reason, 'S');
    cr_expect_eq(f->events[0].login.connection, 7);
    login(f, "ANNE  ", 2, 1, 7, 1);
    cr_assert_eq(f->event_count, 2);
    cr_expect_eq(f->events[0].kind, EVENT_SESSION_CLOSED);
    cr_expect_eq(f->events[0].login.connection, 101);
    cr_expect_eq(f->events[0].login.gateway, 1);
    cr_expect_eq(f->events[1].kind, EVENT_LOGIN_ACCEPTED);
    cr_expect_eq(f->events[1].login.gateway, 2);
    enter(f, 1, 'B', 10, 10000);
    cr_assert_eq(f->event_count, 1, "from the first connection's gateway");
    cr_expect_eq(f->events[0].kind, EVENT_COMMAND_REFUSED);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_NOT_CONNECTED);
    cr_expect_eq(f->events[0].message_no, 0);
    cr_expect_eq(logout("ANNE  ", 1, 101), 0, "the end of a connection that owns nothing any more");
}

Test(sessions, logout_before_the_gateway_knows_the_number)
{
    cr_expect_eq(logout("BERT  ", 0, 102), 1);
    cr_expect_eq(f->events[0].session, 2);
    cr_expect_eq(logout("BERT  ", 0, 102), 0);
    cr_expect_eq(logout("NOBODY", 0, 102), 0);
}

Test(sessions, new_tenure_closes_what_came_through_the_gateway)
{
    login(f, "DORA  ", 2, 1, 900, 0);
    struct command begins = {.kind = COMMAND_TENURE_BEGINS, .gateway = 1, .tenure = 2};
    apply(f, begins);
    cr_assert_eq(count_of(f, EVENT_SESSION_CLOSED), 3);
    cr_expect_eq(event_of(f, EVENT_SESSION_CLOSED, 1)->login.connection, 102);
    cr_expect_eq(event_of(f, EVENT_SESSION_CLOSED, 1)->login.tenure, 1);
    enter(f, 1, 'B', 10, 10000);
    cr_expect_eq(count_of(f, EVENT_COMMAND_REFUSED), 1, "left over from before");
    struct command late = order(f, 1, 'B', 10, 10000);
    late.tenure = 2;
    apply(f, late);
    cr_expect_eq(count_of(f, EVENT_COMMAND_REFUSED), 1, "not logged in again yet");
    login(f, "ANNE  ", 1, 2, 1, 0);
    apply(f, late);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
}

Test(sessions, each_message_has_the_next_number)
{
    uint32_t next[4] = {0, 2, 2, 2}; /* the start of the day was the first */
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t session = 1 + i % 3;
        enter(f, session, i % 2 ? 'B' : 'S', 1 + i % 7, 10000 + 100 * (int32_t)(i % 5));
        for (uint32_t j = 0; j < f->event_count; j++) {
            const struct event *event = &f->events[j];
            if (event->message_no != 0)
                cr_assert_eq(event->message_no, next[event->session]++);
            if (event->kind == EVENT_EXECUTED)
                cr_assert_eq(event->trade.maker_message_no, next[event->trade.maker_session]++);
        }
    }
}

Test(sessions, account_query_and_refused_requests)
{
    struct command query = {.kind = COMMAND_ACCOUNT_QUERY, .gateway = 1, .tenure = 1, .session = 1};
    apply(f, query);
    cr_expect_eq(event_of(f, EVENT_ACCOUNT_ANSWER, 0)->user_ref, 1);
    struct command refused = {.kind = COMMAND_REFUSED,
                              .gateway = 1,
                              .tenure = 1,
                              .session = 1,
                              .user_ref = 9,
                              .flags = COMMAND_HAS_APPENDAGE,
                              .refused = {.refused_kind = COMMAND_ENTER, .reason = 0x0016}};
    memcpy(refused.refused.client_order_id, "what it was   ", CLIENT_ORDER_ID_BYTES);
    apply(f, refused);
    cr_expect(rejected_with(f, 0x0016));
    cr_expect_eq(f->events[0].user_ref, 9);
    cr_expect_eq(f->events[0].refused.refused_kind, COMMAND_ENTER);
    cr_expect(f->events[0].flags & EVENT_HAS_APPENDAGE);
    cr_expect_eq(apply(f, refused), 0, "a retransmission");
    query.flags = COMMAND_HAS_APPENDAGE;
    apply(f, query);
    cr_expect_eq(event_of(f, EVENT_ACCOUNT_ANSWER, 0)->user_ref, 10);
    cr_expect(f->events[0].flags & EVENT_HAS_APPENDAGE);
    struct command mass = {.kind = COMMAND_MASS_CANCEL, .gateway = 1, .tenure = 1, .session = 1, .user_ref = 10};
    apply(f, mass);
    cr_expect_eq(count_of(f, EVENT_MASS_CANCELED), 1, "answered, though there is nothing to cancel");
}

Test(sessions, appendage_flags_follow_the_request_that_caused_it)
{
    struct command command = order(f, 1, 'S', 100, 10000);
    command.flags = COMMAND_HAS_APPENDAGE;
    apply(f, command);
    cr_expect(event_of(f, EVENT_ACCEPTED, 0)->flags & EVENT_HAS_APPENDAGE);
    enter(f, 2, 'B', 10, 10000);
    cr_expect_not(event_of(f, EVENT_EXECUTED, 0)->flags & EVENT_HAS_APPENDAGE);
    cr_expect(event_of(f, EVENT_EXECUTED, 0)->flags & EVENT_MAKER_APPENDAGE);
    cancel(f, 1, command.user_ref, 50);
    cr_expect_not(event_of(f, EVENT_CANCELED, 0)->flags & EVENT_HAS_APPENDAGE, "the cancel had none");
    of_kind(f, COMMAND_DAY_END, 0);
    cr_expect(event_of(f, EVENT_CANCELED, 0)->flags & EVENT_HAS_APPENDAGE, "the order had one");
}

Test(sessions, day_ends_and_another_starts)
{
    for (int i = 0; i < 100; i++)
        enter(f, 1 + (uint32_t)i % 3, i % 2 ? 'B' : 'S', 10, i % 2 ? 10000 - 100 * i : 20000 + 100 * i);
    of_kind(f, COMMAND_DAY_END, 0);
    cr_expect_eq(count_of(f, EVENT_CANCELED), 100);
    cr_expect_eq(count_of(f, EVENT_SYSTEM_EVENT), 3);
    cr_expect_eq(count_of(f, EVENT_BOOK_TOP), 1, "the book is empty, told once");
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'Z');
    cr_expect_eq(f->events[f->event_count - 1].kind, EVENT_DAY_ENDED);
    cr_expect(f->events[f->event_count - 1].flags & EVENT_LAST_OF_COMMAND);
    cr_expect_eq(engine_live_orders(f->engine), 0);
    enter(f, 1, 'B', 10, 10000);
    cr_expect(rejected_with(f, 0x0002));
    cr_expect_eq(of_kind(f, COMMAND_DAY_END, 0), 0, "from the configuration what is so already is passed over");
    of_kind(f, COMMAND_DAY_END, 1);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_NO_DAY_IS_OPEN);

    struct command start = {.kind = COMMAND_DAY_START, .day = {.date = 20261123, .midnight_ns = 5000000000}};
    apply(f, start);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_DATE, "this day has been");
    start.day.date = 20261124;
    apply(f, start);
    cr_assert_eq(f->event_count, 4);
    cr_expect_eq(f->events[0].kind, EVENT_DAY_STARTED);
    cr_expect_eq(f->events[0].day.date, 20261124);
    cr_expect_eq(event_of(f, EVENT_SYSTEM_EVENT, 2)->message_no, 1, "numbers begin anew");
    f->user_refs[1] = 0;
    enter(f, 1, 'B', 10, 10000);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1, "user_refs too");
    cr_expect_eq(event_of(f, EVENT_ACCEPTED, 0)->accepted.order_ref, 101, "order numbers go on");
    cr_expect_eq(apply(f, start), 0);
    start.gateway = 1;
    apply(f, start);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_DAY_IS_OPEN);
}

Test(sessions, instruments_are_numbered_and_known)
{
    struct command add = {.kind = COMMAND_INSTRUMENT_ADD, .admin = {.tick_ticks = 50, .reference_ticks = 7}};
    memcpy(add.admin.symbol, "NVDA    ", SYMBOL_BYTES);
    apply(f, add);
    cr_assert_eq(count_of(f, EVENT_INSTRUMENT_ADDED), 1);
    cr_expect_eq(f->events[0].instrument, 3);
    cr_expect_eq(f->events[0].admin.tick_ticks, 50);
    cr_expect_eq(f->events[0].admin.lot_quantity, 1);
    cr_expect_eq(f->events[0].admin.reference_ticks, 7);
    cr_expect_eq(apply(f, add), 0);
    add.gateway = 1;
    apply(f, add);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_EXISTS);
    cr_expect_arr_eq(f->events[0].admin.symbol, "NVDA    ", SYMBOL_BYTES);
    memcpy(add.admin.symbol, "NOCOLLAR", SYMBOL_BYTES);
    add.admin.collar_ticks = -1;
    apply(f, add);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_INVALID);
    cr_expect_eq(engine_instruments(f->engine), 3);
}

Test(sessions, unknown_kinds_are_refused_and_marks_pass)
{
    of_kind(f, 200, 1);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_UNKNOWN_KIND);
    of_kind(f, 0, 1);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_UNKNOWN_KIND);
    of_kind(f, COMMAND_TRADE_BREAK, 1);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_UNKNOWN_TRADE);
    cr_expect_eq(of_kind(f, COMMAND_TICK, 0), 0);
    cr_expect_eq(of_kind(f, COMMAND_SNAPSHOT_MARK, 0), 0);
}

Test(sessions, top_of_book_is_told_when_it_changes)
{
    uint32_t bid = enter(f, 1, 'B', 10, 10000);
    const struct event *top = event_of(f, EVENT_BOOK_TOP, 0);
    cr_assert(top);
    cr_expect_eq(top->top.bid_ticks, 10000);
    cr_expect_eq(top->top.bid_quantity, 10);
    cr_expect_eq(top->top.ask_ticks, 0);
    enter(f, 1, 'B', 10, 9900);
    cr_expect_eq(count_of(f, EVENT_BOOK_TOP), 0, "behind the best");
    enter(f, 2, 'B', 5, 10000);
    cr_expect_eq(event_of(f, EVENT_BOOK_TOP, 0)->top.bid_quantity, 15);
    enter(f, 3, 'S', 7, 10100);
    cr_expect_eq(event_of(f, EVENT_BOOK_TOP, 0)->top.ask_quantity, 7);
    cancel(f, 1, bid, 4);
    cr_expect_eq(event_of(f, EVENT_BOOK_TOP, 0)->top.bid_quantity, 9);
    enter(f, 3, 'B', 3, 10100);
    cr_expect_eq(count_of(f, EVENT_BOOK_TOP), 1, "once a command");
    cr_expect_eq(event_of(f, EVENT_BOOK_TOP, 0)->top.ask_quantity, 4);
}
