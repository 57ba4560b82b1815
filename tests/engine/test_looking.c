/*
 * Goal: what a batch finds out about a command before its turn is never believed when it no longer holds.
 * Method: with enough live orders that batches look ahead, commands about orders that are gone by their turn, whose
 * memory another has taken, or who come back under the same number, and orders that take what a batch expected others
 * to meet; the events must be those of one command at a time. In one book, in many, and in books that become many on
 * the way, for the engine looks at less where they are few.
 */
#include "ringside_engine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESTING = 5500, ROUNDS = 800, PLACES = 16384, BOOKS_MAX = 32 };

static const struct engine_limits limits = {
    .orders_max = 8192, .instruments_max = BOOKS_MAX, .sessions_max = 2, .levels_max = 4096, .report_tops = 1};
static struct command commands[PLACES]; /* command n is at n */
static uint32_t count;
static uint32_t books;

static void append(struct command command)
{
    command.command_seq = ++count;
    command.time_ns = count;
    commands[count] = command;
}

static struct command request(enum command_kind kind)
{
    return (struct command){.kind = (uint8_t)kind, .gateway = 1, .tenure = 1, .session = 1};
}

static void append_side(uint32_t user_ref, uint8_t side, uint8_t time_in_force, int32_t price_ticks)
{
    struct command command = request(COMMAND_ENTER);
    command.user_ref = user_ref;
    command.order = (struct command_order){.side = side,
                                           .time_in_force = time_in_force,
                                           .display = 'Y',
                                           .capacity = 'A',
                                           .cross_type = 'N',
                                           .price_type = 'L',
                                           .handle_inst = ' ',
                                           .instrument = 1 + user_ref % books,
                                           .quantity = 100,
                                           .price_ticks = price_ticks};
    memcpy(command.order.client_order_id, "LOOKING       ", CLIENT_ORDER_ID_BYTES);
    append(command);
}

static void append_order(uint32_t user_ref, int32_t price_ticks)
{
    append_side(user_ref, 'B', '0', price_ticks);
}

static void append_cancel(uint32_t user_ref)
{
    struct command command = request(COMMAND_CANCEL);
    command.order.target_user_ref = user_ref;
    append(command);
}

/* As many more as there are to be in all. */
static void append_books(uint32_t all)
{
    for (; books < all; books++) {
        struct command command = {.kind = COMMAND_INSTRUMENT_ADD, .admin = {.tick_ticks = 100}};
        char symbol[SYMBOL_BYTES + 1];
        snprintf(symbol, sizeof(symbol), "RING%-4u", books % 10000);
        memcpy(command.admin.symbol, symbol, SYMBOL_BYTES);
        append(command);
    }
}

static void append_opening(uint32_t books_at_first)
{
    count = books = 0;
    append((struct command){.kind = COMMAND_DAY_START, .day = {.date = 20261123}});
    append_books(books_at_first);
    struct command login = {.kind = COMMAND_LOGIN, .gateway = 1, .tenure = 1, .login = {.connection = 1}};
    memcpy(login.login.user, "LOOKER", USER_BYTES);
    memcpy(login.login.firm, "FIRM", FIRM_BYTES);
    append(login);
    for (uint32_t user_ref = 1; user_ref <= RESTING; user_ref++)
        append_order(user_ref, (int32_t)(100 + user_ref % 500) * 100);
}

/* Old orders go, new ones take their memory, and each is asked for when it is there, when it is gone, and later. */
static void append_round(uint32_t round)
{
    uint32_t old = 1 + round;
    uint32_t fresh = RESTING + 1 + 3 * round;
    append_cancel(old);
    append_cancel(old);
    append_order(fresh, 20000);
    append_cancel(old);
    append_cancel(fresh);
    append_order(fresh + 1, 30000);
    append_cancel(fresh);
    append_side(fresh + 2, 'S', '3', 10000);
}

static struct engine *engine_open(void)
{
    void *memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, engine_bytes(&limits));
    memset(memory, 0, engine_bytes(&limits));
    return engine_create(memory, &limits);
}

static uint64_t hash_alone(void)
{
    static struct event events[64];
    const struct engine_output output = {.events = events, .mask = 63};
    struct engine *engine = engine_open();
    for (uint32_t seq = 1; seq <= count; seq++)
        cr_assert_geq(engine_apply(engine, &commands[seq], &output), 0);
    uint64_t hash = engine_event_hash(engine) ^ engine_state_hash(engine);
    free(engine);
    return hash;
}

/* `reach`: how many commands beyond the batch are there already. */
static uint64_t hash_in_batches(uint32_t batch, uint32_t reach)
{
    static struct event events[256];
    const struct engine_output output = {.events = events, .mask = 255};
    struct engine_input input = {.commands = commands, .mask = PLACES - 1};
    struct engine *engine = engine_open();
    for (uint64_t next; (next = engine_command_seq_next(engine)) <= count;) {
        uint64_t written;
        input.end = next + batch + reach < count + 1 ? next + batch + reach : count + 1;
        cr_assert_gt(engine_apply_batch(engine, &input, batch, &output, 256, &written), 0);
    }
    cr_expect_gt(engine_live_orders(engine), 4096, "not enough for it to look ahead");
    cr_expect_null(engine_invalid(engine));
    uint64_t hash = engine_event_hash(engine) ^ engine_state_hash(engine);
    free(engine);
    return hash;
}

static void expect_the_same(uint32_t books_at_first, uint32_t books_later)
{
    append_opening(books_at_first);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        if (round == ROUNDS / 2)
            append_books(books_later);
        append_round(round);
    }
    uint64_t hash = hash_alone();
    const uint32_t batches[] = {1, 3, 8, 32, 50};
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        cr_expect_eq(hash_in_batches(batches[i], 0), hash, "batches of %u", batches[i]);
        cr_expect_eq(hash_in_batches(batches[i], 100), hash, "batches of %u with more behind", batches[i]);
    }
}

Test(looking, what_no_longer_holds_is_not_believed)
{
    expect_the_same(1, 1);
}

Test(looking, nor_among_many_books)
{
    expect_the_same(BOOKS_MAX, BOOKS_MAX);
}

Test(looking, nor_when_few_books_become_many)
{
    expect_the_same(2, BOOKS_MAX);
}
