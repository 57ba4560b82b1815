/*
 * Goal: an engine goes on from an image with limits that are not those it was written with, as long as what it held
 * fits; what does not fit, and what is no image of this engine, is refused by name.
 * Method: one limit at a time grows or shrinks; what depends on it (trades that can be broken, firms, names) is tried.
 */
#include "fixture.h"
#include "state.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct image {
    uint8_t *bytes;
    size_t count;
};

static struct image image_of(const struct fixture *f)
{
    size_t count = engine_snapshot_bytes(f->engine);
    struct image image = {malloc(count), count};
    cr_assert_eq(engine_snapshot(f->engine, image.bytes, count), count);
    return image;
}

/* NULL, and the fixture goes on with the engine of the image; or what is wrong. */
static const char *restore(struct fixture *f, const struct engine_limits *limits, struct image image)
{
    size_t bytes = engine_bytes(limits);
    void *memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, bytes);
    struct engine *engine = NULL;
    memset(memory, 0, bytes);
    const char *why = engine_restore(memory, limits, image.bytes, image.count, &engine);
    cr_assert_eq(why == NULL, engine != NULL);
    if (why) {
        free(memory);
        return why;
    }
    free(f->memory);
    f->memory = memory;
    f->engine = engine;
    const char *rule = engine_invalid(engine);
    cr_expect_null(rule, "%s", rule);
    return NULL;
}

static void reborn(struct fixture *f, const struct engine_limits *limits)
{
    struct image image = image_of(f);
    uint64_t event_hash = engine_event_hash(f->engine);
    uint64_t state_hash = engine_state_hash(f->engine);
    const char *why = restore(f, limits, image);
    cr_assert_null(why, "%s", why);
    cr_expect_eq(engine_event_hash(f->engine), event_hash);
    cr_expect_eq(engine_state_hash(f->engine), state_hash);
    free(image.bytes);
}

static void check_and_close(struct fixture *f)
{
    const char *rule = engine_invalid(f->engine);
    cr_expect_null(rule, "%s", rule);
    fixture_close(f);
}

/* ---- trades -------------------------------------------------------------------------------------------------------
 */

static void trade(struct fixture *f, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        enter(f, 1, 'S', 1 + i % 5, 10000);
        enter(f, 2, 'B', 1 + i % 5, 10000);
        cr_assert_eq(count_of(f, EVENT_EXECUTED), 1);
    }
}

static bool breaks(struct fixture *f, uint64_t match_number)
{
    apply(f, (struct command){.kind = COMMAND_TRADE_BREAK, .trade = {.match_number = match_number, .reason = 'S'}});
    cr_assert_eq(f->event_count, 1);
    return f->events[0].kind == EVENT_BROKEN && f->events[0].trade.match_number == match_number &&
           f->events[0].session == 2 && f->events[0].trade.maker_session == 1;
}

/* So many trades before the image, from one trades_max to another; exactly those from `first` on can be broken then. */
static void check_trades(uint32_t count, uint32_t trades_max, uint32_t trades_max_then, uint64_t first)
{
    struct engine_limits limits = fixture_limits;
    limits.trades_max = trades_max;
    struct fixture *f = fixture_open(&limits);
    trade(f, count);
    limits.trades_max = trades_max_then;
    reborn(f, &limits);
    for (uint64_t match = 1; match <= count; match++)
        cr_expect_eq(breaks(f, match), match >= first, "%u trades, %u to %u: %lu", count, trades_max, trades_max_then,
                     match);
    check_and_close(f);
}

Test(snapshot_limits, trades_that_were_kept_can_be_broken)
{
    check_trades(20, 8, 16, 13);
    check_trades(20, 16, 8, 13);
    check_trades(20, 16, 4, 17);
    check_trades(3, 8, 16, 1);
    check_trades(7, 8, 16, 1);
    check_trades(8, 8, 16, 1);
    check_trades(8, 16, 8, 1);
    check_trades(9, 16, 8, 2);
    check_trades(0, 16, 8, 1);
}

Test(snapshot_limits, trades_go_on_behind_those_that_were_kept)
{
    struct engine_limits limits = fixture_limits;
    limits.trades_max = 8;
    struct fixture *f = fixture_open(&limits);
    trade(f, 20);
    limits.trades_max = 16;
    reborn(f, &limits);
    trade(f, 4);
    cr_expect_not(breaks(f, 12));
    cr_expect(breaks(f, 13));
    cr_expect(breaks(f, 24));
    trade(f, 6);
    cr_expect_not(breaks(f, 14), "16 are kept now");
    cr_expect(breaks(f, 15));
    check_and_close(f);
}

/* Trades of the day before stay out of reach, whatever is kept of them. */
Test(snapshot_limits, a_day_begins_behind_its_trades)
{
    struct engine_limits limits = fixture_limits;
    limits.trades_max = 8;
    struct fixture *f = fixture_open(&limits);
    trade(f, 20);
    of_kind(f, COMMAND_DAY_END, 0);
    apply(f, (struct command){.kind = COMMAND_DAY_START, .day = {.date = 20261124}});
    memset(f->user_refs, 0, sizeof(f->user_refs));
    trade(f, 2);
    limits.trades_max = 16;
    reborn(f, &limits);
    cr_expect_not(breaks(f, 20));
    cr_expect(breaks(f, 21));
    check_and_close(f);
}

/* ---- firms and names ----------------------------------------------------------------------------------------------
 */

static void limit_firms(struct fixture *f, uint32_t count)
{
    struct command command = {.kind = COMMAND_FIRM_LIMITS, .gateway = 1, .admin = {.quantity_max = 50}};
    memcpy(command.admin.firm, "FIRM", FIRM_BYTES);
    apply(f, command);
    for (uint32_t i = 1; i < count; i++) {
        memcpy(command.admin.firm, &(char[4]){'F', (char)('A' + i / 26), (char)('A' + i % 26), ' '}, FIRM_BYTES);
        apply(f, command);
        cr_assert_eq(count_of(f, EVENT_LIMITS_CHANGED), 1);
    }
}

Test(snapshot_limits, firms_are_found_in_a_table_of_another_size)
{
    static const uint32_t firms_max[] = {64, 256, 60, 1000};
    struct engine_limits limits = fixture_limits;
    limits.firms_max = 60;
    struct fixture *f = fixture_open(&limits);
    limit_firms(f, 60);
    for (uint32_t i = 0; i < 4; i++) {
        limits.firms_max = firms_max[i];
        reborn(f, &limits);
        enter(f, 1, 'B', 51, 10000);
        cr_expect(rejected_with(f, 0x0031));
        enter(f, 1, 'B', 50, 10000);
        cr_expect_eq(count_of(f, EVENT_ACCEPTED), 1);
    }
    limit_firms(f, 100);
    check_and_close(f);
}

Test(snapshot_limits, symbols_and_users_are_found_in_tables_of_other_sizes)
{
    struct engine_limits limits = fixture_limits;
    struct fixture *f = fixture_open(&limits);
    struct command known = {.kind = COMMAND_INSTRUMENT_ADD, .gateway = 1};
    memcpy(known.admin.symbol, "MSFT    ", SYMBOL_BYTES);
    for (uint32_t i = 0; i < 2; i++) {
        limits.instruments_max = i == 0 ? 400 : 4;
        reborn(f, &limits);
        apply(f, known);
        cr_expect_eq(f->events[0].admin.refused_why, ENGINE_REFUSAL_EXISTS);
        limits.sessions_max = i == 0 ? 800 : 3;
        reborn(f, &limits);
        login(f, "BERT  ", 1, 1, 102, 0);
        cr_expect_eq(event_of(f, EVENT_LOGIN_ACCEPTED, 0)->session, 2);
    }
    check_and_close(f);
}

/* ---- checkpoints --------------------------------------------------------------------------------------------------
 */

/* How many of 100 commands after the image have a checkpoint behind them. */
static uint32_t checkpoints(uint32_t every, uint32_t every_then)
{
    struct engine_limits limits = fixture_limits;
    limits.checkpoint_commands = every;
    struct fixture *f = fixture_open(&limits);
    limits.checkpoint_commands = every_then;
    reborn(f, &limits);
    uint32_t count = 0;
    for (uint32_t i = 0; i < 100; i++) {
        of_kind(f, COMMAND_TICK, 0);
        count += count_of(f, EVENT_CHECKPOINT);
    }
    check_and_close(f);
    return count;
}

Test(snapshot_limits, checkpoints_come_as_the_new_limits_have_them)
{
    cr_expect_eq(checkpoints(10, 10), 10);
    cr_expect_eq(checkpoints(10, 20), 5);
    cr_expect_eq(checkpoints(20, 5), 18, "the first of them when it was due");
    cr_expect_eq(checkpoints(10, UINT32_MAX), 0);
    cr_expect_eq(checkpoints(UINT32_MAX, 10), 10);
}

/* ---- what is refused ----------------------------------------------------------------------------------------------
 */

/* One or more of all that is limited. */
static struct fixture *open_with_all(struct engine_limits *limits)
{
    *limits = fixture_limits;
    limits->pages_max = 64;
    limits->specials_max = 64;
    limits->channels_max = 8;
    limits->firms_max = 64;
    struct fixture *f = fixture_open(limits);
    for (uint32_t i = 0; i < 4; i++) {
        enter(f, 1, 'B', 10, 10000 + 6400 * (int32_t)i);
        enter(f, 1, 'S', 10, 100000000 + 1000000 * (int32_t)i);
        struct command command = order(f, 2, 'B', 10, 100);
        command.order.trigger_kind = 'S';
        command.order.trigger_ticks = 200000000;
        command.order.user_ref_index = (uint8_t)(i + 1);
        apply(f, command);
        cr_assert_eq(count_of(f, EVENT_ACCEPTED), 1);
    }
    limit_firms(f, 4);
    return f;
}

#define EXPECT_TOO_SMALL(field, value, text)                                                                           \
    do {                                                                                                               \
        struct engine_limits other = limits;                                                                           \
        other.field = (value);                                                                                         \
        cr_expect_str_eq(restore(f, &other, image), text " is too small for the image");                               \
    } while (0)

Test(snapshot_limits, what_does_not_fit_is_named)
{
    struct engine_limits limits;
    struct fixture *f = open_with_all(&limits);
    struct image image = image_of(f);
    EXPECT_TOO_SMALL(orders_max, 11, "orders_max or specials_max");
    EXPECT_TOO_SMALL(specials_max, 3, "orders_max or specials_max");
    EXPECT_TOO_SMALL(pages_max, 2, "pages_max or far_levels_max");
    EXPECT_TOO_SMALL(far_levels_max, 2, "pages_max or far_levels_max");
    EXPECT_TOO_SMALL(instruments_max, 1, "instruments_max or sessions_max");
    EXPECT_TOO_SMALL(sessions_max, 2, "instruments_max or sessions_max");
    EXPECT_TOO_SMALL(channels_max, 3, "channels_max or firms_max");
    EXPECT_TOO_SMALL(firms_max, 3, "channels_max or firms_max");
    limits.orders_max = 12;
    limits.specials_max = 4;
    limits.channels_max = 4;
    limits.firms_max = 4;
    limits.instruments_max = 2;
    limits.sessions_max = 3;
    cr_expect_null(restore(f, &limits, image), "what just fits");
    free(image.bytes);
    check_and_close(f);
}

Test(snapshot_limits, what_is_of_another_engine_is_named)
{
    struct fixture *f = fixture_open(&fixture_limits);
    struct image image = image_of(f);
    image.bytes[0] ^= 1;
    cr_expect_str_eq(restore(f, &fixture_limits, image), "this is no image of an engine");
    image.bytes[0] ^= 1;
    /* The sizes of its structs, behind magic, checksum and length. */
    for (size_t at = 24; at < 48; at += at < 40 ? 4 : 8) {
        image.bytes[at] ^= 8;
        cr_expect_str_eq(restore(f, &fixture_limits, image), "the image is of another version of the engine", "%zu",
                         at);
        image.bytes[at] ^= 8;
    }
    cr_expect_null(restore(f, &fixture_limits, image));
    free(image.bytes);
    check_and_close(f);
}

Test(snapshot_limits, memory_that_is_not_aligned_is_refused)
{
    static _Alignas(ENGINE_MEMORY_ALIGNMENT) uint8_t memory[256];
    struct fixture *f = fixture_open(&fixture_limits);
    struct image image = image_of(f);
    struct engine *engine = NULL;
    const char *why = engine_restore(memory + 8, &fixture_limits, image.bytes, image.count, &engine);
    cr_expect_str_eq(why, "the limits are invalid, or the memory is not aligned");
    cr_expect_null(engine);
    free(image.bytes);
    check_and_close(f);
}

Test(snapshot_limits, no_image_is_made_in_the_middle_of_a_command)
{
    static struct event slots[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = slots, .mask = ENGINE_EVENTS_MAX - 1};
    struct fixture *f = fixture_open(&fixture_limits);
    for (uint32_t i = 0; i < 100; i++)
        enter(f, 1, 'S', 1, 10000);
    struct command command = order(f, 2, 'B', 100, 10000);
    command.command_seq = ++f->command_seq;
    cr_assert_gt(engine_apply(f->engine, &command, &output), 0);
    cr_assert(engine_more(f->engine));
    size_t count = engine_snapshot_bytes(f->engine);
    uint8_t *bytes = malloc(count);
    cr_expect_eq(engine_snapshot(f->engine, bytes, count), 0);
    while (engine_more(f->engine))
        engine_continue(f->engine, &output);
    count = engine_snapshot_bytes(f->engine);
    bytes = realloc(bytes, count);
    cr_expect_eq(engine_snapshot(f->engine, bytes, count), count);
    free(bytes);
    check_and_close(f);
}

/* ---- kill switches ------------------------------------------------------------------------------------------------
 */

static bool may_enter(struct fixture *f)
{
    enter(f, 2, 'B', 10, 10000);
    return count_of(f, EVENT_ACCEPTED) == 1;
}

static void switch_firm(struct fixture *f, uint8_t kind, bool disables)
{
    struct command command = {.kind = kind, .gateway = 1, .tenure = 1};
    if (kind == COMMAND_FIRM_SWITCH) {
        command.act.flag = disables;
        memcpy(command.act.firm, "FIRM", FIRM_BYTES);
    } else {
        command.session = 1;
        command.user_ref = ++f->user_refs[1];
    }
    apply(f, command);
}

/* What an image holds that was written when member and operator had one switch between them. */
static struct fixture *disabled_by_somebody(void)
{
    struct fixture *f = fixture_open(&fixture_limits);
    switch_firm(f, COMMAND_FIRM_SWITCH, true);
    for (uint32_t place = 0; place <= f->engine->firms_mask; place++) {
        if (f->engine->firms[place].disabled != 0)
            f->engine->firms[place].disabled = DISABLED_BY_SOMEBODY;
    }
    reborn(f, &fixture_limits);
    cr_expect_not(may_enter(f));
    return f;
}

Test(snapshot_limits, a_firm_disabled_by_an_old_image_is_enabled_by_either)
{
    struct fixture *f = disabled_by_somebody();
    switch_firm(f, COMMAND_ENABLE, false);
    cr_expect(may_enter(f));
    check_and_close(f);
    f = disabled_by_somebody();
    switch_firm(f, COMMAND_FIRM_SWITCH, false);
    cr_expect(may_enter(f));
    check_and_close(f);
}

Test(snapshot_limits, an_operator_makes_an_old_images_switch_his_own)
{
    struct fixture *f = disabled_by_somebody();
    uint64_t hash = engine_state_hash(f->engine);
    switch_firm(f, COMMAND_FIRM_SWITCH, true);
    cr_expect_eq(engine_state_hash(f->engine), hash);
    switch_firm(f, COMMAND_ENABLE, false);
    cr_expect_not(may_enter(f));
    switch_firm(f, COMMAND_FIRM_SWITCH, false);
    cr_expect(may_enter(f));
    check_and_close(f);
}

/* Which of the two is on, and that both are, goes through an image. */
Test(snapshot_limits, kill_switches_are_kept_apart)
{
    struct fixture *f = fixture_open(&fixture_limits);
    switch_firm(f, COMMAND_DISABLE, true);
    uint64_t one = engine_state_hash(f->engine);
    switch_firm(f, COMMAND_FIRM_SWITCH, true);
    cr_expect_neq(engine_state_hash(f->engine), one);
    reborn(f, &fixture_limits);
    switch_firm(f, COMMAND_ENABLE, false);
    cr_expect_not(may_enter(f));
    cr_expect_eq(count_of(f, EVENT_REJECTED), 1);
    switch_firm(f, COMMAND_FIRM_SWITCH, false);
    cr_expect(may_enter(f));
    check_and_close(f);
}
