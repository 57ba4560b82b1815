/*
 * The sequencer as a stage. Goal: one order, fair, exactly once through every crash point, time never back, the
 * configuration once a run. Method: the real stage over real rings, killed between any two of its writes by taking back
 * the later ones.
 */
#include "base/require.h"
#include "configuration.h"
#include "env/clock.h"
#include "merge.h"
#include "record/event.h"
#include "sequencer.h"
#include "world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct world world;

static void setup(void)
{
    world_init(&world, 2);
}

static void teardown(void)
{
    world_finish(&world);
}

TestSuite(sequencer, .init = setup, .fini = teardown, .timeout = 10);

static void make(void)
{
    world_make_run(&world);
    world_make_inbound(&world, 1);
    world_make_inbound(&world, 2);
    world_start(&world);
}

static void expect_whole(uint64_t count)
{
    cr_expect_null(world_check(&world), "%s", world_check(&world));
    cr_expect_eq(world.seen_count, count, "%lu commands", (unsigned long)world.seen_count);
}

/* ---- starting -----------------------------------------------------------------------------------------------------
 */

Test(sequencer, waits_for_the_run)
{
    world_start(&world);
    cr_expect_eq(world_poll(&world), 0);
    cr_expect_not(sequencer_stage.ready(world.stage));
    world_make_run(&world);
    world_settle(&world);
    cr_expect(sequencer_stage.ready(world.stage));
    expect_whole(1);
    cr_expect_eq(world.seen[0].kind, COMMAND_DAY_START);
}

Test(sequencer, bases_the_ring_on_the_run)
{
    world.base.command_seq_next = 1000001;
    make();
    world_put_many(&world, 1, 3);
    world_settle(&world);
    expect_whole(4);
    cr_expect_eq(world.seen[0].command_seq, 1000001);
}

Test(sequencer, finds_gateways_that_start_later)
{
    world_make_run(&world);
    world_start(&world);
    world_settle(&world);
    world_make_inbound(&world, 2);
    world_put_many(&world, 2, 5);
    world_settle(&world);
    world_make_inbound(&world, 1);
    world_put_many(&world, 1, 5);
    world_settle(&world);
    expect_whole(11);
}

Test(sequencer, makes_anew_a_ring_that_was_left_half_made)
{
    char path[RUN_PATH_BYTES];
    world_make_run(&world);
    run_ring_path(&world.journaler_run, RING_NAME_COMMAND, path);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    cr_assert(fd >= 0 && ftruncate(fd, 36864) == 0);
    close(fd);
    world_start(&world);
    world_settle(&world);
    expect_whole(1);
}

Test(sequencer, refuses_a_run_of_another_number_of_gateways)
{
    world.base.gateway_count = 3;
    world_make_run(&world);
    world_start(&world);
    cr_expect_eq(world_poll(&world), ERROR_INVALID);
    cr_expect_str_eq(world.error.where, "exchange.gateways");
}

Test(sequencer, refuses_a_command_ring_with_a_hole)
{
    make();
    world_put_many(&world, 1, 10);
    world_settle(&world);
    world_stop(&world);
    atomic_store(&world.command_ring.file->slots[5].word, 5 | RING_WRITING);
    world_start(&world);
    cr_expect_eq(world_poll(&world), ERROR_CORRUPT);
    cr_expect_str_eq(world.error.where, "command ring, sequence 5");
}

/* ---- operators ----------------------------------------------------------------------------------------------------
 */

Test(sequencer, takes_what_operators_ask_for_whenever_their_ring_comes)
{
    make();
    world_settle(&world);
    world_make_inbound(&world, WORLD_OPERATOR);
    world_put_many(&world, WORLD_OPERATOR, 3);
    world_put_many(&world, 1, 2);
    for (int i = 0; i < 10; i++) /* it looks for that ring ten times a second */
        world_settle(&world);
    expect_whole(6);
    uint64_t of_operators = 0;
    for (uint64_t i = 0; i < world.seen_count; i++)
        of_operators += world.seen[i].gateway == OPERATOR_GATEWAY;
    cr_expect_eq(of_operators, 3);
}

Test(sequencer, killed_before_releasing_what_operators_asked_for)
{
    make();
    world_make_inbound(&world, WORLD_OPERATOR);
    world_put_many(&world, WORLD_OPERATOR, 5);
    for (int i = 0; i < 10; i++)
        world_settle(&world);
    world_put_many(&world, WORLD_OPERATOR, 7);
    world_keep_cursors(&world);
    world_settle(&world);
    world_stop(&world);
    world_forget_releases(&world);
    world_start(&world);
    world_put_many(&world, WORLD_OPERATOR, 2);
    for (int i = 0; i < 10; i++)
        world_settle(&world);
    expect_whole(15);
}

/* ---- merging ------------------------------------------------------------------------------------------------------
 */

Test(sequencer, keeps_what_the_gateway_wrote_and_stamps_the_rest)
{
    make();
    uint64_t before_ns = clock_realtime_ns();
    world_put_many(&world, 2, 1);
    world_settle(&world);
    expect_whole(2);
    const struct command *command = &world.seen[1];
    cr_expect_eq(command->gateway, 2);
    cr_expect_eq(command->tenure, 1);
    cr_expect_eq(command->inbound_seq, 1);
    cr_expect_eq(command->head.received_ns_low, 3);
    cr_expect_neq(command->head.published_ns_low, 0);
    cr_expect(command->time_ns >= before_ns && command->time_ns <= clock_realtime_ns());
    cr_expect_null(command_invalid(command), "%s", command_invalid(command));
}

Test(sequencer, lets_no_gateway_starve_another)
{
    make();
    world_settle(&world); /* the configuration is out of the way */
    world_put_many(&world, 1, 200);
    world_put_many(&world, 2, 3);
    cr_expect_gt(world_poll(&world), 0);
    world_read(&world);
    uint64_t last_of_second = 0;
    for (uint64_t i = 0; i < world.seen_count; i++)
        if (world.seen[i].gateway == 2)
            last_of_second = i;
    cr_expect_leq(last_of_second, 1 + MERGE_TURN_RECORDS + 3);
    cr_expect_gt(last_of_second, 0);
    world_settle(&world);
    expect_whole(204);
}

Test(sequencer, shares_a_full_command_ring_evenly)
{
    make();
    world_settle(&world);
    uint64_t count[3] = {0};
    world_put_many(&world, 1, 256);
    world_put_many(&world, 2, 256);
    while (world_poll(&world) > 0) /* nobody reads: until the ring is full */
        continue;
    cr_expect_eq(world_poll(&world), 0);
    world_read(&world);
    for (uint64_t i = 0; i < world.seen_count; i++)
        count[world.seen[i].gateway]++;
    cr_expect_eq(count[0] + count[1] + count[2], 1 + 256, "%lu", (unsigned long)(count[1] + count[2]));
    cr_expect_leq(count[1] > count[2] ? count[1] - count[2] : count[2] - count[1], MERGE_TURN_RECORDS);
    world_settle(&world);
    expect_whole(513);
}

Test(sequencer, publishes_at_most_half_a_ring_before_it_releases)
{
    make();
    world_settle(&world);
    world_put_many(&world, 1, 256);
    cr_expect_eq(world_poll(&world), 128);
    cr_expect_eq(world_cursor(&world, 1), 129);
}

Test(sequencer, stops_at_a_record_of_another_gateway)
{
    make();
    world_put_many(&world, 1, 2);
    struct command *command = ring_claim(&world.gateways[0].producer);
    REQUIRE(command);
    memset((uint8_t *)command + 8, 0, sizeof(*command) - 8);
    command->gateway = 2;
    command->inbound_seq = 3;
    command->kind = COMMAND_ENTER;
    ring_publish(&world.gateways[0].producer);
    cr_expect_eq(world_poll(&world), ERROR_CORRUPT);
    cr_expect_str_eq(world.error.where, "inbound ring of gateway 1, sequence 3");
    cr_expect_eq(world_cursor(&world, 1), 3);
    world_read(&world);
    expect_whole(3);
}

/* ---- time ---------------------------------------------------------------------------------------------------------
 */

Test(sequencer, time_never_goes_back)
{
    world.base.last_time_ns = clock_realtime_ns() + UINT64_C(3600000000000);
    make();
    world_put_many(&world, 1, 2);
    world_settle(&world);
    expect_whole(3);
    cr_expect_eq(world.seen[2].time_ns, world.base.last_time_ns);
    world_stop(&world);
    world_start(&world);
    world_put_many(&world, 1, 2);
    world_settle(&world);
    expect_whole(5);
    cr_expect_eq(world.seen[4].time_ns, world.base.last_time_ns);
}

Test(sequencer, time_is_taken_up_from_the_last_command)
{
    make();
    world_settle(&world);
    world_stop(&world);
    uint64_t ahead_ns = clock_realtime_ns() + UINT64_C(60000000000);
    struct command *last = (struct command *)(void *)&world.command_ring.file->slots[1];
    last->time_ns = ahead_ns; /* as if the clock had been put back since */
    world_start(&world);
    world_put_many(&world, 2, 1);
    world_settle(&world);
    cr_expect_eq(world.seen[world.seen_count - 1].time_ns, ahead_ns);
}

/* ---- crashes ------------------------------------------------------------------------------------------------------
 */

/* After each poll the sequencer is killed, with its releases made or not, and in the middle of a record or not. */
static void crash_everywhere(bool released, bool half_written)
{
    make();
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 1 + round % 40; i++)
            if (i % 3 != round % 2)
                world_put(&world, 1 + (uint32_t)(i % 2));
        world_keep_cursors(&world);
        cr_assert_geq(world_poll(&world), 0, "%s: %s", world.error.where, world.error.what);
        world_stop(&world);
        if (!released)
            world_forget_releases(&world);
        world_read(&world);
        if (half_written) {
            struct ring_slot *slot = &world.command_ring.file->slots[world.journaler.next & 255];
            atomic_store(&slot->word, world.journaler.next | RING_WRITING);
            memset(slot->body, 0xee, sizeof(slot->body));
        }
        world_start(&world);
    }
    world_settle(&world);
    uint64_t count = 1 + world.gateways[0].producer.next - 1 + world.gateways[1].producer.next - 1;
    expect_whole(count);
}

Test(sequencer, killed_after_releasing)
{
    crash_everywhere(true, false);
}

Test(sequencer, killed_between_publishing_and_releasing)
{
    crash_everywhere(false, false);
}

Test(sequencer, killed_in_the_middle_of_a_record)
{
    crash_everywhere(true, true);
}

Test(sequencer, killed_in_the_middle_of_a_record_before_releasing)
{
    crash_everywhere(false, true);
}

Test(sequencer, lets_a_blocked_gateway_go_on_after_a_crash)
{
    make();
    world_settle(&world);
    world_put_many(&world, 1, 256);
    world_keep_cursors(&world);
    world_poll(&world);
    world_read(&world);
    world_stop(&world);
    world_forget_releases(&world);
    cr_expect_not(world_put(&world, 1), "the inbound ring is full");
    world_start(&world);
    while (world_poll(&world) > 0)
        world_read(&world);
    cr_expect_eq(world_cursor(&world, 1), 257);
    cr_expect(world_put(&world, 1));
    world_settle(&world);
    expect_whole(258);
}

Test(sequencer, releases_at_once_what_it_finds_published)
{
    make();
    world_settle(&world);
    world_put_many(&world, 1, 100);
    world_keep_cursors(&world);
    cr_assert_eq(world_poll(&world), 100);
    world_read(&world);
    world_stop(&world);
    world_forget_releases(&world);
    world_start(&world);
    cr_expect_eq(world_poll(&world), 0, "nothing is new");
    cr_expect_eq(world_cursor(&world, 1), 101);
}

Test(sequencer, refuses_an_inbound_ring_of_another_life)
{
    char path[RUN_PATH_BYTES];
    make();
    world_put_many(&world, 1, 10);
    world_settle(&world);
    world_stop(&world);
    run_ring_path(&world.journaler_run, "inbound-1", path);
    unlink(path);
    ring_detach(&world.gateways[0].ring);
    world_make_inbound(&world, 1);
    world_start(&world);
    cr_expect_eq(world_poll(&world), ERROR_MISMATCH);
    cr_expect_str_eq(world.error.where, "inbound-1");
}

/* ---- the configuration --------------------------------------------------------------------------------------------
 */

static void configure(uint32_t instrument_count)
{
    for (uint32_t i = 0; i < instrument_count; i++) {
        char assignment[64];
        snprintf(assignment, sizeof(assignment), "instruments.I%u=tick 0.05 lot 10 reference %u.25", i, i + 1);
        cr_assert_eq(config_set(&world.config, assignment, &world.error), 0);
    }
}

static uint64_t count_of_configuration(void)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < world.seen_count; i++)
        count += world.seen[i].gateway == 0;
    return count;
}

Test(sequencer, publishes_the_configuration_first)
{
    configure(3);
    world_make_run(&world);
    world_make_inbound(&world, 1);
    world_put_many(&world, 1, 1);
    world_start(&world);
    world_settle(&world);
    expect_whole(5);
    const struct command *day = &world.seen[0];
    const struct command *second = &world.seen[2];
    cr_expect_eq(day->kind, COMMAND_DAY_START);
    cr_expect_eq(day->day.date, configuration_date(day->time_ns));
    cr_expect_eq(day->day.midnight_ns, day->time_ns - day->time_ns % NS_PER_DAY);
    cr_expect_eq(second->kind, COMMAND_INSTRUMENT_ADD);
    cr_expect_eq(memcmp(second->admin.symbol, "I1      ", 8), 0);
    cr_expect_eq(second->admin.tick_ticks, 500);
    cr_expect_eq(second->admin.lot_quantity, 10);
    cr_expect_eq(second->admin.reference_ticks, 22500);
    cr_expect_eq(world.seen[4].gateway, 1);
    for (int i = 0; i < 4; i++)
        cr_expect_null(command_invalid(&world.seen[i]), "%s", command_invalid(&world.seen[i]));
}

Test(sequencer, publishes_the_configuration_once_a_ring)
{
    configure(3);
    make();
    world_settle(&world);
    for (int i = 0; i < 2000; i++) { /* long past it: only the status word remembers */
        world_put_many(&world, 1, 1);
        if (i % 100 == 0)
            world_settle(&world);
    }
    world_settle(&world);
    world_stop(&world);
    world_start(&world);
    world_settle(&world);
    cr_expect_eq(count_of_configuration(), 4);
    expect_whole(2004);
}

Test(sequencer, remembers_the_configuration_that_one_who_died_published)
{
    configure(3);
    make();
    world_settle(&world);
    world_stop(&world);
    atomic_store(&world.command_ring.file->producer.status, 0); /* it died before this was stored */
    world_start(&world);
    for (int i = 0; i < 2000; i++) {
        world_put_many(&world, 1, 1);
        if (i % 100 == 0)
            world_settle(&world);
    }
    world_settle(&world);
    world_stop(&world);
    world_start(&world);
    world_settle(&world);
    cr_expect_eq(count_of_configuration(), 4);
    expect_whole(2004);
}

Test(sequencer, goes_on_in_the_middle_of_the_configuration)
{
    configure(500); /* two command rings of it */
    world_make_run(&world);
    for (int polls = 0; polls < 8; polls++) {
        world_start(&world);
        cr_assert_geq(world_poll(&world), 0);
        world_stop(&world);
        world_read(&world);
        if (polls % 2 == 0) /* killed before it stored how many */
            atomic_store(&world.command_ring.file->producer.status, polls < 2 ? 0u : (unsigned)(polls - 1) * 128);
    }
    world_start(&world);
    world_settle(&world);
    cr_expect_eq(count_of_configuration(), 501);
    expect_whole(501);
}

Test(configuration, knows_the_calendar)
{
    cr_expect_eq(configuration_date(0), 19700101);
    cr_expect_eq(configuration_date(UINT64_C(1795392000000000000)), 20261123);
    cr_expect_eq(configuration_date(UINT64_C(1795391999999999999)), 20261122);
    cr_expect_eq(configuration_date(UINT64_C(1709164800000000000)), 20240229);
}

/* ---- a disk that fills up ------------------------------------------------------------------------------------------
 */

static void put_kind(uint8_t kind, uint32_t user_ref)
{
    struct world_gateway *gateway = &world.gateways[0];
    struct command *command = ring_claim(&gateway->producer);
    cr_assert_not_null(command);
    *command = (struct command){.head.slot_word = command->head.slot_word,
                                .inbound_seq = gateway->producer.next,
                                .tenure = 1,
                                .gateway = 1,
                                .session = 1,
                                .kind = kind,
                                .user_ref = user_ref};
    if (kind != COMMAND_CANCEL)
        memcpy(command->order.client_order_id, "ID            ", CLIENT_ORDER_ID_BYTES);
    ring_publish(&gateway->producer);
    ring_flush(&gateway->producer);
}

static void put_three(uint32_t user_ref)
{
    put_kind(COMMAND_ENTER, user_ref);
    put_kind(COMMAND_CANCEL, 0);
    put_kind(COMMAND_REPLACE, user_ref + 1);
    world_settle(&world);
}

Test(sequencer, refuses_new_orders_while_the_journaler_says_that_space_is_low)
{
    make();
    put_three(1);
    atomic_store(&world.command_ring.file->consumers[0].status, JOURNALER_SPACE_LOW);
    put_three(3);
    atomic_store(&world.command_ring.file->consumers[0].status, 0);
    put_three(5);
    static const uint8_t kinds[] = {COMMAND_ENTER,   COMMAND_CANCEL, COMMAND_REPLACE, COMMAND_REFUSED, COMMAND_CANCEL,
                                    COMMAND_REFUSED, COMMAND_ENTER,  COMMAND_CANCEL,  COMMAND_REPLACE};
    cr_assert_geq(world.seen_count, 9);
    const struct command *seen = &world.seen[world.seen_count - 9];
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        cr_expect_eq(seen[i].kind, kinds[i], "%zu: %s", i, command_kind_name(seen[i].kind));
    const struct command *refused = &seen[3];
    cr_expect_eq(refused->user_ref, 3);
    cr_expect_eq(refused->refused.refused_kind, COMMAND_ENTER);
    cr_expect_eq(refused->refused.reason, 0x000a);
    cr_expect_eq(memcmp(refused->refused.client_order_id, "ID            ", CLIENT_ORDER_ID_BYTES), 0);
    cr_expect_null(command_invalid(refused), "%s", command_invalid(refused));
    cr_expect_eq(seen[5].user_ref, 4);
    cr_expect_eq(seen[5].refused.refused_kind, COMMAND_REPLACE);
}

/* ---- ticks --------------------------------------------------------------------------------------------------------
 */

static struct ring make_event_ring(void)
{
    char path[RUN_PATH_BYTES];
    struct ring ring;
    struct ring_parameters parameters = {0};
    run_ring_path(&world.journaler_run, RING_NAME_EVENT, path);
    run_ring_parameters(&world.journaler_run, RING_NAME_EVENT, &parameters);
    parameters.record_hash = event_layout_hash();
    parameters.capacity = 64;
    parameters.base_seq = 1;
    cr_assert_eq(ring_create(&ring, path, &parameters, &world.error), 0, "%s", world.error.what);
    return ring;
}

/* A poll of the world is 20 ms. */
static void poll_times(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        cr_assert_geq(world_poll(&world), 0);
    world_read(&world);
}

static uint64_t ticks_seen(void)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < world.seen_count; i++)
        count += world.seen[i].kind == COMMAND_TICK;
    return count;
}

Test(sequencer, ticks_while_a_timer_is_armed_and_only_then)
{
    world.config.exchange_tick_ms = 100;
    make();
    struct ring events = make_event_ring();
    poll_times(20);
    cr_expect_eq(ticks_seen(), 0, "no timer is armed");
    atomic_store(&events.file->producer.status, EVENT_RING_TIMER_ARMED);
    poll_times(50);
    cr_expect_eq(ticks_seen(), 10, "one in 100 ms of a second");
    const struct command *tick = &world.seen[world.seen_count - 1];
    cr_expect_null(command_invalid(tick), "%s", command_invalid(tick));
    cr_expect_geq(tick->time_ns, world.seen[world.seen_count - 2].time_ns);
    atomic_store(&events.file->producer.status, 0);
    poll_times(50);
    cr_expect_eq(ticks_seen(), 10, "the timer is disarmed");
    ring_detach(&events);
}

Test(sequencer, goes_on_behind_ticks_after_a_restart)
{
    world.config.exchange_tick_ms = 20;
    make();
    struct ring events = make_event_ring();
    atomic_store(&events.file->producer.status, EVENT_RING_TIMER_ARMED);
    world_put_many(&world, 1, 5);
    poll_times(10);
    cr_assert_gt(ticks_seen(), 0);
    world_stop(&world);
    world_start(&world);
    world_put_many(&world, 1, 5);
    poll_times(10);
    uint64_t of_gateway = 0;
    for (uint64_t i = 0; i < world.seen_count; i++)
        of_gateway += world.seen[i].gateway == 1;
    cr_expect_eq(of_gateway, 10, "each once");
    cr_expect_eq(world.seen_count, 1 + 10 + ticks_seen(), "and the configuration once");
    ring_detach(&events);
}
