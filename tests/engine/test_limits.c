/*
 * Goal: reaching a limit is an answer, and nothing that came before suffers; what the engine cannot do is refused by
 * name. Method: engines of few places, filled up and emptied again; and each value that an order may not have, one at a
 * time.
 */
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static void check_and_close(struct fixture *fixture)
{
    const char *rule = engine_invalid(fixture->engine);
    cr_expect_null(rule, "%s", rule);
    fixture_close(fixture);
}

Test(limits, orders_are_rejected_when_the_pool_is_used_up)
{
    struct engine_limits limits = fixture_limits;
    limits.orders_max = 3;
    struct fixture *f = fixture_open(&limits);
    uint32_t first = enter(f, 1, 'S', 10, 10000);
    enter(f, 1, 'S', 10, 10000);
    enter(f, 1, 'S', 10, 10000);
    enter(f, 1, 'S', 10, 10000);
    cr_expect(rejected_with(f, 0x000a));
    struct command ioc = order(f, 2, 'B', 5, 10000);
    ioc.order.time_in_force = '3';
    apply(f, ioc);
    cr_expect_eq(count_of(f, EVENT_EXECUTED), 1, "what needs no place trades on");
    replace(f, 1, first, 20, 10100);
    cr_expect_eq(count_of(f, EVENT_REPLACED), 1, "and so does what has one");
    cancel(f, 1, first + 1, 0);
    enter(f, 1, 'S', 10, 10000);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1, "a place that is given back is used again");
    check_and_close(f);
}

Test(limits, far_prices_are_rejected_when_their_levels_are_used_up)
{
    struct engine_limits limits = fixture_limits;
    limits.far_levels_max = 2;
    limits.levels_max = 64;
    limits.pages_max = 1;
    struct fixture *f = fixture_open(&limits);
    enter(f, 1, 'B', 10, 10000000);
    enter(f, 1, 'B', 10, 5000000);
    uint32_t far = enter(f, 1, 'B', 10, 1000000);
    enter(f, 1, 'B', 10, 500000);
    cr_expect(rejected_with(f, 0x000a));
    uint64_t state_hash = engine_state_hash(f->engine);
    replace(f, 1, far, 10, 400000);
    cr_expect(rejected_with(f, 0x000a), "the original stays");
    cr_expect_eq(engine_state_hash(f->engine), state_hash);
    enter(f, 1, 'B', 10, 1000000);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1, "a level that is there takes more");
    cancel(f, 1, far, 0);
    cancel(f, 1, f->user_refs[1], 0);
    enter(f, 1, 'B', 10, 500000);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
    check_and_close(f);
}

Test(limits, instruments_sessions_and_channels_are_refused)
{
    struct engine_limits limits = fixture_limits;
    limits.instruments_max = 2;
    limits.sessions_max = 3;
    limits.channels_max = 1;
    struct fixture *f = fixture_open(&limits);
    struct command add = {.kind = COMMAND_INSTRUMENT_ADD};
    memcpy(add.admin.symbol, "THIRD   ", SYMBOL_BYTES);
    apply(f, add);
    cr_assert_eq(count_of(f, EVENT_COMMAND_REFUSED), 1);
    cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_FULL);
    login(f, "DORA  ", 1, 1, 104, 0);
    cr_assert_eq(count_of(f, EVENT_LOGIN_REFUSED), 1);
    cr_expect_eq(f->events[0].reason, 'S');
    cr_expect_eq(f->events[0].login.connection, 104);
    struct command command = order(f, 1, 'B', 10, 10000);
    command.order.user_ref_index = 1;
    apply(f, command);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
    command.order.user_ref_index = 2;
    apply(f, command);
    cr_expect(rejected_with(f, 0x000a));
    check_and_close(f);
}

/* A change to a good order, and the reason it is to be rejected with. */
struct spoiled {
    const char *what;
    size_t offset, bytes;
    uint32_t value;
    uint16_t reason;
};
#define SPOILED(field, value, reason)                                                                                  \
    {                                                                                                                  \
#field " = " #value, offsetof(struct command, order.field), sizeof(((struct command *)0)->order.field),        \
            (uint32_t)(value), reason                                                                                  \
    }

static const struct spoiled spoiled[] = {
    SPOILED(instrument, 0, 0x0017),
    SPOILED(instrument, 3, 0x0017),
    SPOILED(instrument, UINT32_MAX, 0x0017),
    SPOILED(side, 'X', 0x0009),
    SPOILED(side, 0, 0x0009),
    SPOILED(quantity, 0, 0x0013),
    SPOILED(quantity, 1000000, 0x0013),
    SPOILED(quantity, UINT32_MAX, 0x0013),
    SPOILED(price_ticks, 0, 0x001d),
    SPOILED(price_ticks, -100, 0x001d),
    SPOILED(price_ticks, INT32_MIN, 0x001d),
    SPOILED(price_ticks, 1999999901, 0x001d),
    SPOILED(price_ticks, 2000000000, 0x001d),
    SPOILED(price_ticks, 10001, 0x001d),
    SPOILED(display, 'Z', 0x0003),
    SPOILED(time_in_force, '6', 0x000f),
    SPOILED(time_in_force, 'E', 0x0002),
    SPOILED(time_in_force, '9', 0x000f),
    SPOILED(capacity, 'X', 0x000f),
    SPOILED(cross_type, 'O', 0x0014),
    SPOILED(cross_type, 'H', 0x0014),
    SPOILED(cross_type, 'R', 0x0014),
    SPOILED(cross_type, 0, 0x0014),
    SPOILED(price_type, 'P', 0x0003),
    SPOILED(price_type, 'M', 0x0003),
    SPOILED(price_type, 'R', 0x0003),
    SPOILED(price_type, 'm', 0x0003),
    SPOILED(price_type, 'Q', 0x0011),
    SPOILED(price_type, 'X', 0x0005),
    SPOILED(peg_offset_ticks, -1, 0x0011),
    SPOILED(handle_inst, 'I', 0x000f),
    SPOILED(handle_inst, 'R', 0x000f),
    SPOILED(min_quantity, 1, 0x000d),
    SPOILED(min_quantity, 101, 0x000d),
    SPOILED(random_reserve, 10, 0x0004),
    SPOILED(expire_s, 10, 0x000f),
    SPOILED(trigger_ticks, 10000, 0x000f),
    SPOILED(trigger_kind, 'S', 0x001d),
    SPOILED(trigger_kind, 'X', 0x000f),
    SPOILED(self_match, 'X', 0x000f),
    SPOILED(options, OPTION_IS_SWEEP, 0x0008),
    SPOILED(options, OPTION_TRADE_NOW | OPTION_IS_TRADE_NOW, 0x000f),
    SPOILED(firm, 0x5a595857, 0x000c),
};

Test(limits, each_bad_field_is_rejected_and_changes_no_book)
{
    struct fixture *f = fixture_open(&fixture_limits);
    enter(f, 2, 'S', 100, 10000);
    uint64_t state_hash = engine_state_hash(f->engine);
    for (size_t i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
        struct command command = order(f, 1, 'B', 100, 10000);
        memcpy((uint8_t *)&command + spoiled[i].offset, &spoiled[i].value, spoiled[i].bytes);
        apply(f, command);
        cr_expect(rejected_with(f, spoiled[i].reason), "%s: %u events, reason %04x", spoiled[i].what, f->event_count,
                  f->events[0].refused.reason);
        cr_expect_eq(engine_state_hash(f->engine), state_hash, "%s", spoiled[i].what);
        cr_expect_arr_eq(f->events[0].refused.client_order_id, command.order.client_order_id, CLIENT_ORDER_ID_BYTES);
    }
    check_and_close(f);
}

/* The same in a replace cancels the original, and does not use up the number. */
Test(limits, replace_by_what_is_no_order_cancels_the_original)
{
    struct fixture *f = fixture_open(&fixture_limits);
    static const size_t own[] = {offsetof(struct command, order.instrument), offsetof(struct command, order.side),
                                 offsetof(struct command, order.capacity), offsetof(struct command, order.cross_type),
                                 offsetof(struct command, order.firm)};
    for (size_t i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
        bool inherited = false;
        for (size_t j = 0; j < sizeof(own) / sizeof(own[0]); j++)
            inherited |= own[j] == spoiled[i].offset;
        if (inherited)
            continue;
        uint32_t original = enter(f, 1, 'B', 100, 10000);
        struct command command = order(f, 1, 0, 100, 10000);
        command.kind = COMMAND_REPLACE;
        command.order.target_user_ref = original;
        memcpy((uint8_t *)&command + spoiled[i].offset, &spoiled[i].value, spoiled[i].bytes);
        command.order.options |= OPTION_MIN_QUANTITY | OPTION_MAX_FLOOR | OPTION_PRICE_TYPE | OPTION_PEG_OFFSET |
                                 OPTION_RANDOM_RESERVE | OPTION_EXPIRE_TIME | OPTION_HANDLE_INST | OPTION_TRIGGER |
                                 OPTION_SELF_MATCH;
        apply(f, command);
        cr_expect_eq(count_of(f, EVENT_CANCELED), 1, "%s", spoiled[i].what);
        cr_expect_eq(f->events[0].user_ref, original);
        f->user_refs[1]--; /* not used up: the next order takes it */
    }
    enter(f, 1, 'B', 100, 10000);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
    check_and_close(f);
}

Test(limits, lots_and_ticks_are_each_instruments_own)
{
    struct fixture *f = fixture_open(&fixture_limits);
    struct command command = order(f, 1, 'B', 15, 10001);
    command.order.instrument = 2;
    apply(f, command);
    cr_expect(rejected_with(f, 0x0013));
    command = order(f, 1, 'B', 20, 10001);
    command.order.instrument = 2;
    apply(f, command);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
    check_and_close(f);
}

Test(limits, each_limit_out_of_bounds_is_named)
{
    cr_expect_null(engine_limits_invalid(&fixture_limits));
    struct engine_limits bad = fixture_limits;
    bad.levels_max = 100;
    cr_expect_not_null(engine_limits_invalid(&bad));
    cr_expect_eq(engine_bytes(&bad), 0);
    bad = fixture_limits;
    bad.orders_max = 0;
    cr_expect_eq(engine_bytes(&bad), 0);
    bad = fixture_limits;
    bad.sessions_max = ENGINE_SESSIONS_MAX + 1;
    cr_expect_eq(engine_bytes(&bad), 0);
    bad = fixture_limits;
    bad.instruments_max = ENGINE_INSTRUMENTS_MAX + 1;
    cr_expect_eq(engine_bytes(&bad), 0);
    static _Alignas(64) uint8_t memory[128];
    cr_expect_null(engine_create(memory + 8, &fixture_limits), "memory that is not aligned");
}

Test(limits, stated_sizes_hold)
{
    struct engine_limits limits = {.orders_max = 100000, .instruments_max = 1, .sessions_max = 100, .levels_max = 4096};
    cr_expect_lt(engine_bytes(&limits), (size_t)16 << 20, "100,000 orders: %zu", engine_bytes(&limits));
    limits.orders_max = 1000000;
    cr_expect_lt(engine_bytes(&limits), (size_t)96 << 20, "1,000,000 orders: %zu", engine_bytes(&limits));
    limits.orders_max = 100000;
    limits.instruments_max = 100000;
    cr_expect_lt(engine_bytes(&limits), (size_t)512 << 20, "100,000 instruments: %zu", engine_bytes(&limits));
}

Test(limits, misuse_is_told_and_changes_nothing)
{
    struct fixture *f = fixture_open(&fixture_limits);
    static struct event slots[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = slots, .mask = ENGINE_EVENTS_MAX - 1};
    struct command command = order(f, 1, 'B', 100, 10000);
    uint64_t event_hash = engine_event_hash(f->engine);
    command.command_seq = f->command_seq;
    cr_expect_eq(engine_apply(f->engine, &command, &output), ENGINE_WRONG_COMMAND_SEQ);
    command.command_seq = f->command_seq + 2;
    cr_expect_eq(engine_apply(f->engine, &command, &output), ENGINE_WRONG_COMMAND_SEQ);
    cr_expect_eq(engine_event_hash(f->engine), event_hash);
    cr_expect_eq(engine_continue(f->engine, &output), 0);
    for (int i = 0; i < 100; i++)
        enter(f, 1, 'S', 1, 10000);
    command = order(f, 2, 'B', 100, 10000);
    command.command_seq = f->command_seq + 1;
    cr_expect_leq(engine_apply(f->engine, &command, &output), ENGINE_EVENTS_MAX);
    cr_expect(engine_more(f->engine));
    command.command_seq++;
    cr_expect_eq(engine_apply(f->engine, &command, &output), ENGINE_UNFINISHED);
    fixture_close(f);
}
