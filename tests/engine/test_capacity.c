/*
 * Goal: where a pool or a table is used up in the middle of something, whoever finds no room is told so, and everybody
 * else stays whole: stops that fire, orders on open, replacements, windows of prices that move, chains of the index.
 * Method: engines of very few places; user_refs chosen, as a client may choose them, so that all fall into one bucket.
 */
#include "fixture.h"
#include "generate.h"
#include "order_index.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fixture *open_with(uint32_t far_levels_max, uint32_t pages_max)
{
    struct engine_limits limits = fixture_limits;
    limits.levels_max = 64;
    limits.far_levels_max = far_levels_max;
    limits.pages_max = pages_max;
    return fixture_open(&limits);
}

static void check_and_close(struct fixture *f)
{
    const char *rule = engine_invalid(f->engine);
    cr_expect_null(rule, "%s", rule);
    fixture_close(f);
}

static uint32_t enter_stop(struct fixture *f, uint32_t session, int32_t price_ticks, int32_t trigger_ticks)
{
    struct command command = order(f, session, 'B', 10, price_ticks);
    command.order.trigger_kind = 'S';
    command.order.trigger_ticks = trigger_ticks;
    apply(f, command);
    cr_assert_eq(count_of(f, EVENT_ACCEPTED), 1);
    return command.user_ref;
}

static uint32_t enter_hidden(struct fixture *f, uint32_t session, char side, int32_t price_ticks)
{
    struct command command = order(f, session, side, 10, price_ticks);
    command.order.display = 'N';
    apply(f, command);
    return command.user_ref;
}

/* It never stays, so it wants no level. */
static void enter_at_once(struct fixture *f, uint32_t session, char side, uint32_t quantity, int32_t price_ticks)
{
    struct command command = order(f, session, side, quantity, price_ticks);
    command.order.time_in_force = '3';
    apply(f, command);
}

static void market(struct fixture *f, char state)
{
    apply(f,
          (struct command){.kind = COMMAND_MARKET_STATE, .admin = {.instrument = 1, .market_state = (uint8_t)state}});
}

/* ---- everything at once -------------------------------------------------------------------------------------------
 */

static void make_tight(struct engine_limits *limits, struct random *random)
{
    limits->orders_max = 2 + random_below(random, 60);
    limits->levels_max = 64u << random_below(random, 3);
    limits->pages_max = 1 + random_below(random, 6);
    limits->far_levels_max = 1 + random_below(random, 12);
    limits->specials_max = 1 + random_below(random, 20);
    limits->movers_max = 1 + random_below(random, 5);
    limits->channels_max = 1 + random_below(random, 3);
    limits->firms_max = 1 + random_below(random, 2);
    limits->trades_max = 1u << random_below(random, 5);
}

/* Whatever runs out, and whenever: between any two steps the books are whole. */
Test(capacity, books_stay_whole_whatever_runs_out)
{
    enum { SEEDS = 1500, COMMANDS = 400 };
    static struct event slots[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = slots, .mask = ENGINE_EVENTS_MAX - 1};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct engine_limits limits;
        struct generator generator;
        struct random random = {seed};
        generator_init(&generator, seed, &limits);
        make_tight(&limits, &random);
        size_t bytes = engine_bytes(&limits);
        void *memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, bytes);
        memset(memory, 0, bytes);
        struct engine *engine = engine_create(memory, &limits);
        for (uint32_t seq = 1; seq <= COMMANDS; seq++) {
            struct command command;
            generate(&generator, &command);
            command.command_seq = seq;
            cr_assert_geq(engine_apply(engine, &command, &output), 0);
            for (;;) {
                const char *rule = engine_invalid(engine);
                cr_assert_null(rule, "seed %lu, command %u, of kind %u: %s", seed, seq, command.kind, rule);
                if (!engine_more(engine))
                    break;
                engine_continue(engine, &output);
            }
        }
        free(memory);
    }
}

/* ---- levels -------------------------------------------------------------------------------------------------------
 */

/* The only page is the asks'; two far levels: the trigger of three stops, and a bid. */
Test(capacity, stops_that_fire_and_find_no_level_are_canceled)
{
    struct fixture *f = open_with(2, 1);
    enter(f, 1, 'S', 20, 10000);
    uint32_t first = enter_stop(f, 2, 5000, 10000);
    uint32_t second = enter_stop(f, 2, 4000, 10000);
    uint32_t third = enter_stop(f, 2, 5000, 10000);
    enter(f, 1, 'B', 10, 3000);
    enter_at_once(f, 3, 'B', 5, 10000);
    cr_expect_eq(count_of(f, EVENT_PRIORITY_UPDATED), 3);
    cr_assert_eq(count_of(f, EVENT_CANCELED), 1);
    const struct event *canceled = event_of(f, EVENT_CANCELED, 0);
    cr_expect_eq(canceled->reason, 'Z');
    cr_expect_eq(canceled->user_ref, second);
    cr_expect_eq(canceled->cut.decrement, 10);
    struct engine_order_view view;
    cr_expect(engine_order_find(f->engine, 2, 0, first, &view), "the trigger's level was free again");
    cr_expect_not(engine_order_find(f->engine, 2, 0, second, &view));
    cr_expect(engine_order_find(f->engine, 2, 0, third, &view), "a level that is there takes more");
    cr_expect_eq(best(f, 'B'), 5000);
    cr_expect_eq(best_quantity(f, 'B'), 20);
    check_and_close(f);
}

/* Orders on open wait in no level; when it opens, hidden levels are wanted for them. */
Test(capacity, orders_on_open_that_find_no_level_are_canceled)
{
    struct fixture *f = open_with(2, 1);
    market(f, 'P');
    struct command command = order(f, 2, 'B', 10, 10000);
    command.order.cross_type = 'O';
    apply(f, command);
    enter(f, 1, 'S', 10, 10000);
    enter_hidden(f, 1, 'B', 5000);
    enter_hidden(f, 1, 'B', 4000);
    cr_assert_eq(count_of(f, EVENT_ACCEPTED), 1);
    market(f, 'O');
    cr_expect_eq(count_of(f, EVENT_EXECUTED), 0);
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->reason, 'Z');
    cr_expect_eq(event_of(f, EVENT_CANCELED, 0)->user_ref, command.user_ref);
    cr_expect_eq(best(f, 'S'), 10000);
    check_and_close(f);
}

Test(capacity, rare_orders_want_a_level_before_they_are_accepted)
{
    struct fixture *f = open_with(1, 1);
    enter(f, 1, 'S', 10, 10000);
    enter_hidden(f, 1, 'B', 5000);
    enter_hidden(f, 1, 'B', 4000);
    cr_expect(rejected_with(f, 0x000a));
    enter_hidden(f, 1, 'B', 5000);
    cr_expect(rejected_with(f, 0x000a), "even where a level is there: where it will stand is not known yet");
    enter(f, 2, 'B', 10, 3000);
    cr_expect(rejected_with(f, 0x000a), "a side that has no level at all");
    enter(f, 2, 'B', 10, 10000);
    cr_expect(rejected_with(f, 0x000a), "nor is it known how much of it will trade");
    enter_at_once(f, 2, 'B', 10, 10000);
    cr_expect_eq(count_of(f, EVENT_EXECUTED), 1, "what never stays needs none");
    check_and_close(f);
}

Test(capacity, replacements_want_a_record)
{
    struct engine_limits limits = fixture_limits;
    limits.specials_max = 1;
    struct fixture *f = fixture_open(&limits);
    uint32_t original = enter(f, 1, 'B', 10, 5000);
    enter_stop(f, 2, 9000, 9000);
    struct command command = order(f, 1, 0, 20, 5000);
    command.kind = COMMAND_REPLACE;
    command.order.target_user_ref = original;
    command.order.max_floor = 10;
    command.order.options = OPTION_MAX_FLOOR;
    apply(f, command);
    cr_expect(rejected_with(f, 0x000a), "the only record is the stop's");
    cr_expect_eq(best_quantity(f, 'B'), 10, "the original stays");
    cancel(f, 2, 1, 0);
    command.user_ref = ++f->user_refs[1];
    apply(f, command);
    cr_expect_eq(count_of(f, EVENT_REPLACED), 1);
    check_and_close(f);
}

/* ---- windows ------------------------------------------------------------------------------------------------------
 */

/* One page a window: a better price in another page moves it, and what it held becomes far, if there is room for it. */
static struct fixture *open_with_three_levels(uint32_t far_levels_max)
{
    struct fixture *f = open_with(far_levels_max, 8);
    enter(f, 1, 'B', 10, 64000);
    enter(f, 1, 'B', 10, 64100);
    enter(f, 1, 'B', 10, 64200);
    enter(f, 2, 'B', 10, 900000);
    cr_assert_eq(count_of(f, EVENT_ACCEPTED), 1);
    return f;
}

static void sell_down(struct fixture *f)
{
    static const int32_t prices_ticks[] = {900000, 64200, 64100, 64000};
    for (uint32_t i = 0; i < 4; i++) {
        cr_expect_eq(best(f, 'B'), prices_ticks[i]);
        const char *rule = engine_invalid(f->engine);
        cr_expect_null(rule, "%s", rule);
        enter_at_once(f, 3, 'S', 10, 100);
        cr_expect_eq(event_of(f, EVENT_EXECUTED, 0)->trade.price_ticks, prices_ticks[i]);
    }
    cr_expect_eq(best(f, 'B'), 0);
}

Test(capacity, a_window_moves_where_there_is_room_for_what_leaves_it)
{
    struct fixture *f = open_with_three_levels(3);
    sell_down(f);
    check_and_close(f);
}

Test(capacity, a_window_stays_where_there_is_none)
{
    struct fixture *f = open_with_three_levels(2);
    sell_down(f);
    check_and_close(f);
}

/* ---- the index ----------------------------------------------------------------------------------------------------
 */

#define BUCKETS 512u /* of an engine of so few orders */

static struct fixture *open_for_index(void)
{
    struct engine_limits limits = fixture_limits;
    limits.orders_max = BUCKETS * INDEX_BUCKET_ORDERS;
    struct fixture *f = fixture_open(&limits);
    cr_assert_eq(f->engine->index_mask, BUCKETS - 1);
    return f;
}

static uint32_t bucket_of(uint32_t user_ref)
{
    return index_hash((struct index_key){.session = 1, .user_ref = user_ref}) & (BUCKETS - 1);
}

/* The next user_ref of session 1, above all before, whose bucket is this one. */
static uint32_t next_in(const struct fixture *f, uint32_t bucket)
{
    uint32_t user_ref = f->user_refs[1] + 1;
    while (bucket_of(user_ref) != bucket)
        user_ref++;
    return user_ref;
}

static uint32_t enter_as(struct fixture *f, uint32_t user_ref)
{
    f->user_refs[1] = user_ref - 1;
    return enter(f, 1, 'B', 1, 10000);
}

Test(capacity, so_many_orders_of_one_bucket_and_no_more)
{
    struct fixture *f = open_for_index();
    uint32_t first = next_in(f, 0);
    uint32_t count = 0;
    for (;; count++) {
        enter_as(f, next_in(f, 0));
        if (count_of(f, EVENT_ACCEPTED) == 0)
            break;
    }
    cr_expect(rejected_with(f, 0x000a));
    cr_expect_eq(count, INDEX_LANES + INDEX_PASSED_MAX);
    enter_as(f, next_in(f, 300));
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1, "others have room");
    cancel(f, 1, first, 0);
    cr_expect_eq(count_of(f, EVENT_CANCELED), 1);
    enter_as(f, next_in(f, 0));
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1, "and this one again, for one");
    check_and_close(f);
}

/*
 * All buckets from the first to the last that a search may come to are full, each of them with orders of its own; and
 * each has been passed by, so that a search for what is not there goes all the way.
 */
Test(capacity, an_order_too_far_from_its_bucket_is_refused)
{
    struct fixture *f = open_for_index();
    uint32_t filled = 0;
    uint32_t of_second = 0;
    uint32_t used[INDEX_BUCKETS_PASSED_MAX] = {0};
    for (uint32_t user_ref = 1; filled < INDEX_BUCKETS_PASSED_MAX; user_ref++) {
        uint32_t bucket = bucket_of(user_ref);
        if (bucket >= INDEX_BUCKETS_PASSED_MAX || used[bucket] == INDEX_LANES)
            continue;
        enter_as(f, user_ref);
        cr_assert_eq(count_of(f, EVENT_ACCEPTED), 1);
        of_second = bucket == 1 ? user_ref : of_second;
        filled += ++used[bucket] == INDEX_LANES;
    }
    enter_as(f, next_in(f, 0));
    cr_expect(rejected_with(f, 0x000a), "the next bucket with room is too far away");
    enter_as(f, next_in(f, 1));
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1, "for the bucket behind it is not");
    cancel(f, 1, of_second, 0);
    cr_assert_eq(count_of(f, EVENT_CANCELED), 1);
    uint32_t last = enter_as(f, next_in(f, 0));
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1, "now there is a place near it");
    struct engine_order_view view;
    cr_expect(engine_order_find(f->engine, 1, 0, last, &view));
    cr_expect_not(engine_order_find(f->engine, 1, 0, next_in(f, 0), &view), "a search that goes all the way");
    check_and_close(f);
}

/* What a slot keeps of a name is not all of it: two names may look the same there. */
Test(capacity, names_that_look_alike_in_the_index_are_told_apart)
{
    struct fixture *f = open_for_index();
    uint32_t user_ref = enter_as(f, 8);
    uint32_t hash = index_hash((struct index_key){.session = 1, .user_ref = user_ref});
    uint32_t alike = user_ref + 1;
    for (;; alike++) {
        uint32_t other = index_hash((struct index_key){.session = 1, .user_ref = alike});
        if (((other ^ hash) & (BUCKETS - 1)) == 0 && index_tag(other) == index_tag(hash))
            break;
    }
    struct engine_order_view view;
    cr_expect_not(engine_order_find(f->engine, 1, 0, alike, &view));
    enter_as(f, alike);
    cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
    cr_expect(engine_order_find(f->engine, 1, 0, alike, &view));
    cr_expect_eq(view.user_ref, alike);
    cr_expect(engine_order_find(f->engine, 1, 0, user_ref, &view));
    cr_expect_eq(view.user_ref, user_ref);
    check_and_close(f);
}

/* The same number of two sessions far apart, in two of their channels. */
Test(capacity, sessions_that_look_alike_in_the_index_are_told_apart)
{
    struct engine_limits limits = fixture_limits;
    limits.orders_max = 64;
    limits.sessions_max = ENGINE_SESSIONS_MAX;
    struct fixture *f = fixture_open(&limits);
    uint32_t mask = f->engine->index_mask;
    struct index_key key = {.session = 1, .user_ref = enter_as(f, 8)};
    struct index_key alike = {.session = 4, .user_ref = key.user_ref};
    uint32_t hash = index_hash(key);
    for (;; alike.session += ++alike.user_ref_index == 0) {
        uint32_t other = index_hash(alike);
        if (((other ^ hash) & mask) == 0 && index_tag(other) == index_tag(hash))
            break;
    }
    cr_assert_leq(alike.session, ENGINE_SESSIONS_MAX);
    for (uint32_t session = 4; session <= alike.session; session++) {
        char user[USER_BYTES + 1];
        snprintf(user, sizeof(user), "U%05u", session % 100000);
        login(f, user, 2, 1, session, 0);
    }
    struct engine_order_view view;
    cr_expect(engine_order_find(f->engine, 1, 0, key.user_ref, &view));
    cr_expect_not(engine_order_find(f->engine, alike.session, alike.user_ref_index, key.user_ref, &view));
    check_and_close(f);
}
