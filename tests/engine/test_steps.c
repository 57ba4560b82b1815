/*
 * Goal: what takes more than one step says everything once and in order, leaves whole books behind each step, and lets
 * nothing in between; batches say what single commands do, to their last one, and misuse of them is told.
 * Method: days and gateways of many sessions, orders that expire together, a cascade of stops, batches that end.
 */
#include "fixture.h"
#include "generate.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fixture *open_for(uint32_t sessions_max, uint32_t orders_max)
{
    struct engine_limits limits = fixture_limits;
    limits.sessions_max = sessions_max;
    limits.orders_max = orders_max;
    return fixture_open(&limits);
}

static void check_and_close(struct fixture *f)
{
    const char *rule = engine_invalid(f->engine);
    cr_expect_null(rule, "%s", rule);
    fixture_close(f);
}

static void login_many(struct fixture *f, uint32_t count, uint8_t gateway, uint8_t flag)
{
    for (uint32_t i = 0; i < count; i++) {
        char user[USER_BYTES + 1];
        snprintf(user, sizeof(user), "U%05u", i % 100000);
        login(f, user, gateway, 1, 1000 + i, flag);
        cr_assert_eq(count_of(f, EVENT_LOGIN_ACCEPTED), 1);
    }
}

/* Of the events of a kind, the n-th is about session n + `first`. */
static void check_one_each(const struct fixture *f, uint8_t kind, uint32_t first, uint32_t count)
{
    cr_assert_eq(count_of(f, kind), count);
    for (uint32_t i = 0; i < count; i++)
        cr_expect_eq(event_of(f, kind, i)->session, first + i);
    for (uint32_t i = 0; i < f->event_count; i++) {
        cr_expect_eq(f->events[i].index, i);
        cr_expect_eq((f->events[i].flags & EVENT_LAST_OF_COMMAND) != 0, i + 1 == f->event_count);
    }
}

Test(steps, a_day_of_many_sessions_starts_for_each_of_them)
{
    struct fixture *f = open_for(103, 64);
    login_many(f, 100, 2, 0);
    of_kind(f, COMMAND_DAY_END, 0);
    cr_expect_gt(f->step_count, 3);
    check_one_each(f, EVENT_SYSTEM_EVENT, 1, 103);
    apply(f, (struct command){.kind = COMMAND_DAY_START, .day = {.date = 20261124}});
    cr_expect_gt(f->step_count, 3);
    check_one_each(f, EVENT_SYSTEM_EVENT, 1, 103);
    cr_expect_eq(event_of(f, EVENT_SYSTEM_EVENT, 102)->message_no, 1);
    check_and_close(f);
}

Test(steps, a_gateway_of_many_connections_begins_again)
{
    struct fixture *f = open_for(103, 64);
    login_many(f, 100, 2, LOGIN_CANCELS_ON_DISCONNECT);
    struct command command = order(f, 1, 'B', 10, 10000);
    command.gateway = 2;
    for (uint32_t i = 0; i < 40; i++) {
        command.session = 4 + i;
        command.user_ref = 1;
        apply(f, command);
        cr_assert_eq(count_of(f, EVENT_ACCEPTED), 1);
    }
    apply(f, (struct command){.kind = COMMAND_TENURE_BEGINS, .gateway = 2, .tenure = 2});
    cr_expect_gt(f->step_count, 4);
    check_one_each(f, EVENT_SESSION_CLOSED, 4, 100);
    check_one_each(f, EVENT_CANCELED, 4, 40);
    cr_expect_eq(f->events[100].kind, EVENT_CANCELED, "all are closed first");
    cr_expect_eq(engine_live_orders(f->engine), 0);
    check_and_close(f);
}

/* Thousands of sessions are looked at over several steps, even where there is nothing to say of them. */
Test(steps, one_connection_is_found_behind_many_sessions_of_others)
{
    struct fixture *f = open_for(10000, 64);
    login_many(f, 9000, 2, 0);
    login(f, "BEHIND", 3, 1, 7, 0);
    apply(f, (struct command){.kind = COMMAND_TENURE_BEGINS, .gateway = 3, .tenure = 2});
    cr_expect_gt(f->step_count, 1);
    check_one_each(f, EVENT_SESSION_CLOSED, 9004, 1);
    check_and_close(f);
}

Test(steps, many_orders_expire_together)
{
    struct fixture *f = open_for(8, 256);
    for (uint32_t i = 0; i < 100; i++) {
        struct command command = order(f, 1, 'B', 10, 10000 + 100 * (int32_t)i);
        command.order.time_in_force = '6';
        command.order.expire_s = 1;
        apply_at(f, command, 1000000);
    }
    apply_at(f, (struct command){.kind = COMMAND_TICK}, UINT64_C(1001000000));
    cr_expect_gt(f->step_count, 4);
    cr_assert_eq(count_of(f, EVENT_CANCELED), 100);
    for (uint32_t i = 0; i < 100; i++)
        cr_expect_eq(event_of(f, EVENT_CANCELED, i)->cut.order_ref, i + 1, "in the order of their entry");
    check_and_close(f);
}

/* Each stop that fires trades, and so fires the next; between the steps the books are whole, with orders still due. */
Test(steps, books_are_whole_between_the_steps_of_a_cascade)
{
    struct fixture *f = open_for(8, 256);
    for (int32_t i = 0; i < 60; i++) {
        enter(f, 1, 'S', 10, 10100 + 100 * i);
        struct command command = order(f, 3, 'B', 10, PRICE_TICKS_MARKET);
        command.order.trigger_kind = 'S';
        command.order.trigger_ticks = 10000 + 100 * (i - i % 10);
        apply(f, command);
    }
    enter(f, 2, 'S', 1, 10000);
    struct command command = order(f, 2, 'B', 1, 10000);
    command.command_seq = ++f->command_seq;
    static struct event slots[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = slots, .mask = ENGINE_EVENTS_MAX - 1};
    uint32_t steps = 1;
    cr_assert_gt(engine_apply(f->engine, &command, &output), 0);
    for (; engine_more(f->engine); steps++) {
        const char *rule = engine_invalid(f->engine);
        cr_expect_null(rule, "after step %u: %s", steps, rule);
        cr_assert_gt(engine_continue(f->engine, &output), 0);
    }
    cr_expect_gt(steps, 4);
    cr_expect_eq(engine_live_orders(f->engine), 0);
    check_and_close(f);
}

/* Of whatever commands: what is at hand between two steps (an auction, a taker, orders due) is accounted for too. */
Test(steps, books_are_whole_between_the_steps_of_random_streams)
{
    enum { SEEDS = 720, COMMANDS = 1000 };
    static struct event slots[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = slots, .mask = ENGINE_EVENTS_MAX - 1};
    uint32_t steps = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct engine_limits limits;
        struct generator generator;
        generator_init(&generator, seed, &limits);
        size_t bytes = engine_bytes(&limits);
        void *memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, bytes);
        memset(memory, 0, bytes);
        struct engine *engine = engine_create(memory, &limits);
        for (uint32_t seq = 1; seq <= COMMANDS; seq++) {
            struct command command;
            generate(&generator, &command);
            command.command_seq = seq;
            cr_assert_geq(engine_apply(engine, &command, &output), 0);
            for (; engine_more(engine); steps++) {
                const char *rule = engine_invalid(engine);
                cr_assert_null(rule, "seed %lu, command %u, of kind %u: %s", seed, seq, command.kind, rule);
                engine_continue(engine, &output);
            }
        }
        free(memory);
    }
    cr_expect_gt(steps, 500, "%u steps", steps);
}

/* ---- batches ------------------------------------------------------------------------------------------------------
 */

enum { RESTING = 5000, LAST = 40, PLACES = 64 };

static struct fixture *open_resting(void)
{
    struct fixture *f = open_for(8, 8192);
    for (uint32_t i = 0; i < RESTING; i++)
        enter(f, 1 + i % 3, i % 2 ? 'B' : 'S', 10, 100000 + (i % 2 ? -100 : 100) * (int32_t)(i % 700));
    return f;
}

/* The last commands, some of which meet an order that rests; at the places of their numbers. */
static void make_last(struct fixture *f, struct command *commands)
{
    for (uint32_t i = 0; i < LAST; i++) {
        uint64_t seq = f->command_seq + 1 + i;
        struct command command = order(f, 1 + i % 3, i % 3 ? 'S' : 'B', 5, 100000 - 100 * (int32_t)(i % 4));
        command.command_seq = seq;
        command.time_ns = seq * 1000;
        commands[seq % PLACES] = command;
    }
}

Test(steps, a_batch_says_what_its_commands_say_alone)
{
    static struct command commands[PLACES];
    static struct event slots[256];
    const struct engine_output output = {.events = slots, .mask = 255};
    struct fixture *alone = open_resting();
    struct fixture *f = open_resting();
    make_last(f, commands);
    struct engine_input input = {.commands = commands, .mask = PLACES - 1, .end = f->command_seq + 1 + LAST};
    for (uint64_t seq = f->command_seq + 1; seq < input.end; seq++)
        apply_at(alone, commands[seq % PLACES], seq * 1000);
    int taken = 0;
    while (taken < LAST) {
        uint64_t written = 0;
        int more = engine_apply_batch(f->engine, &input, 7, &output, 256, &written);
        cr_assert_gt(more, 0);
        cr_assert_leq(more, 7);
        taken += more;
    }
    uint64_t written = 1;
    cr_expect_eq(engine_apply_batch(f->engine, &input, 7, &output, 256, &written), 0, "there are no more");
    cr_expect_eq(written, 0);
    cr_expect_eq(engine_event_hash(f->engine), engine_event_hash(alone->engine));
    cr_expect_eq(engine_state_hash(f->engine), engine_state_hash(alone->engine));
    check_and_close(alone);
    check_and_close(f);
}

Test(steps, a_batch_takes_as_many_as_find_room)
{
    static struct command commands[PLACES];
    static struct event slots[256];
    const struct engine_output output = {.events = slots, .mask = 255};
    struct fixture *f = open_resting();
    make_last(f, commands);
    struct engine_input input = {.commands = commands, .mask = PLACES - 1, .end = f->command_seq + 1 + LAST};
    uint64_t written = 1;
    cr_expect_eq(engine_apply_batch(f->engine, &input, LAST, &output, ENGINE_EVENTS_MAX - 1, &written), 0);
    cr_expect_eq(written, 0);
    cr_expect_eq(engine_apply_batch(f->engine, &input, LAST, &output, ENGINE_EVENTS_MAX, &written), 1);
    cr_expect_gt(written, 0);
    check_and_close(f);
}

Test(steps, misused_batches_are_told)
{
    static struct command commands[PLACES];
    static struct event slots[256];
    const struct engine_output output = {.events = slots, .mask = 255};
    struct fixture *f = open_for(8, 256);
    uint64_t written = 0;
    for (uint32_t i = 0; i < 100; i++)
        enter(f, 1, 'S', 1, 10000);
    uint64_t seq = f->command_seq + 1;
    struct command sweeps = order(f, 2, 'B', 100, 10000);
    sweeps.command_seq = seq;
    commands[seq % PLACES] = sweeps;
    commands[(seq + 1) % PLACES] = order(f, 2, 'B', 10, 10000);
    commands[(seq + 1) % PLACES].command_seq = seq + 2;
    const struct engine_input input = {.commands = commands, .mask = PLACES - 1, .end = seq + 2};
    cr_expect_eq(engine_apply_batch(f->engine, &input, 2, &output, 256, &written), 1, "it has more to say");
    cr_expect(engine_more(f->engine));
    cr_expect_eq(engine_apply_batch(f->engine, &input, 2, &output, 256, &written), ENGINE_UNFINISHED);
    while (engine_more(f->engine))
        cr_assert_gt(engine_continue(f->engine, &output), 0);
    cr_expect_eq(engine_apply_batch(f->engine, &input, 2, &output, 256, &written), ENGINE_WRONG_COMMAND_SEQ);
    cr_expect_eq(engine_command_seq_next(f->engine), seq + 1);
    check_and_close(f);
}
