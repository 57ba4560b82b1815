/* The stage with real rings in one process: what is told when, rotation, faults, resuming. */
#include "base/units.h"
#include "eventlog/eventlog.h"
#include "faulty_disk.h"
#include "journal/tail.h"
#include "metrics/values.h"
#include "world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static struct world world;

static void begin(enum config_durability durability)
{
    world_init(&world, "/tmp"); /* a real file system: direct writes */
    world.config.journal_durability = durability;
    faulty_disk_install();
}

static void start(void)
{
    cr_assert_eq(world_open(&world), 0, "%s: %s", world.error.where, world.error.what);
    world_make_rings(&world);
    for (int polls = 0; polls < 15; polls++)
        cr_assert_geq(world_poll(&world), 0);
}

/* Until a quiet journaler has nothing left to do: spare made, synced, sealed. */
static void settle(void)
{
    for (int polls = 0; polls < 3000; polls++) {
        cr_assert_geq(world_poll(&world), 0, "%s: %s", world.error.where, world.error.what);
        usleep(30);
    }
}

static void finish(void)
{
    world_finish(&world);
}

/* Somebody else of the run, who survives the journaler: holds the run file's lock. */
static int survivor(void)
{
    char path[RUN_PATH_BYTES + 8];
    snprintf(path, sizeof(path), "%s/run", world.config.exchange_rings_directory);
    int file = open(path, O_RDWR | O_CLOEXEC);
    cr_assert(file >= 0 && flock(file, LOCK_SH) == 0);
    return file;
}

/* ---- when commands are told ---------------------------------------------------------------------------------------
 */

Test(journaler, sync_tells_after_completion_only, .fini = finish)
{
    begin(DURABILITY_SYNC);
    start();
    faulty_disk.hold_completions = true;
    world_publish(&world, 100);
    for (int polls = 0; polls < 200; polls++) {
        cr_assert_geq(world_poll(&world), 0);
        usleep(100);
    }
    cr_assert_eq(world_cursor(&world), 1, "nothing is told before the disk has answered");
    world_publish(&world, 200); /* gathers meanwhile */
    world_poll(&world);
    faulty_disk.hold_completions = false;
    cr_assert_geq(world_poll_until(&world, 101), 0);
    cr_assert_geq(world_poll_until(&world, 201), 0);
    cr_assert_eq(world_read(&world, 1), 201);
}

Test(journaler, write_tells_after_completion_too, .fini = finish)
{
    begin(DURABILITY_WRITE);
    start();
    faulty_disk.hold_completions = true;
    world_publish(&world, 100);
    for (int polls = 0; polls < 50; polls++)
        cr_assert_geq(world_poll(&world), 0);
    cr_assert_eq(world_cursor(&world), 1);
    faulty_disk.hold_completions = false;
    cr_assert_geq(world_poll_until(&world, 101), 0);
    cr_assert_eq(world_read(&world, 1), 101);
}

Test(journaler, off_tells_at_once, .fini = finish)
{
    begin(DURABILITY_OFF);
    start();
    faulty_disk.hold_completions = true;
    world_publish(&world, 100);
    cr_assert_geq(world_poll(&world), 0);
    cr_assert_eq(world_cursor(&world), 101);
    faulty_disk.hold_completions = false;
    for (int tries = 0; tries < 5000 && world_read(&world, 1) != 101; tries++) {
        cr_assert_geq(world_poll(&world), 0);
        usleep(1000); /* the disk takes its time, which a number of polls does not measure */
    }
    cr_assert_eq(world_read(&world, 1), 101);
}

/* Where io_uring is forbidden, the same through plain calls. */
Test(journaler, works_without_io_uring, .fini = finish)
{
    for (int durability = DURABILITY_SYNC; durability <= DURABILITY_OFF; durability++) {
        begin((enum config_durability)durability);
        faulty_disk.refuse_uring = true;
        start();
        cr_assert_eq(journaler_stage.descriptor(world.stage), -1);
        for (uint64_t last = 0; last < 20000;) {
            last += world_publish(&world, 20000);
            cr_assert_geq(world_poll(&world), 0, "%s: %s", world.error.where, world.error.what);
        }
        cr_assert_geq(world_poll_until(&world, 20001), 0);
        settle();
        cr_assert_eq(world_read(&world, 1), 20001);
        if (durability != DURABILITY_OFF)
            world_finish(&world);
    }
}

/* ---- write and off: the sync behind -------------------------------------------------------------------------------
 */

/* Polls with a batch in flight at the end of each: through plain calls one completes at the next poll, not before. */
static void poll_without_a_gap(uint32_t polls, uint32_t commands, uint64_t step_ns)
{
    for (uint32_t i = 0; i < polls; i++) {
        cr_assert_eq(world_publish(&world, world.producer.next + commands - 1), commands);
        cr_assert_geq(world_poll(&world), 0, "%s: %s", world.error.where, world.error.what);
        world.now_ns += step_ns;
    }
}

static void begin_without_a_gap(enum config_durability durability)
{
    begin(durability);
    faulty_disk.refuse_uring = true;
    start();
}

Test(journaler, syncs_while_batches_follow_one_another, .fini = finish)
{
    for (int durability = DURABILITY_WRITE; durability <= DURABILITY_OFF; durability++) {
        struct journal_end end;
        begin_without_a_gap((enum config_durability)durability);
        poll_without_a_gap(60, 1, 100 * (uint64_t)NS_PER_MS);
        cr_assert_eq(journal_end_find(&end, world.config.journal_directory, NULL), 0);
        cr_assert_eq(end.last.first_seq, 60, "%lu: the last batch is the last command", end.last.first_seq);
        cr_expect_geq(end.last.durable_seq, 60 - 12, "%lu: a second ago at most", end.last.durable_seq);
        cr_expect_lt(end.last.durable_seq, 60, "%lu: what is in flight is not vouched for", end.last.durable_seq);
        cr_expect_geq(end.last.durable_offset, (uint64_t)(60 - 12) * JOURNAL_BLOCK_BYTES);
        cr_expect_lt(end.last.durable_offset, end.last.offset, "%lu of %lu", end.last.durable_offset, end.last.offset);
        if (durability != DURABILITY_OFF)
            world_finish(&world);
    }
}

/* The segment before is synced beside the batches too: the next rotation does not wait for it. */
Test(journaler, rotates_while_batches_follow_one_another, .fini = finish)
{
    char text[256];
    struct journal_end end;
    begin_without_a_gap(DURABILITY_WRITE);
    poll_without_a_gap(400, 100, NS_PER_MS);
    journaler_stage.describe(world.stage, text, sizeof(text));
    cr_expect(strstr(text, "held 0 times"), "%s", text);
    cr_assert_eq(journal_end_find(&end, world.config.journal_directory, NULL), 0);
    cr_assert_geq(end.position.segment, 4, "%u segments", end.position.segment);
    cr_expect_gt(end.last.durable_seq, 30000, "%lu: segments before the last are on the medium", end.last.durable_seq);
    settle();
    cr_assert_eq(world_read(&world, 1), 40001);
}

/* ---- segments -----------------------------------------------------------------------------------------------------
 */

static void rotate_through(enum config_durability durability, uint64_t last)
{
    begin(durability);
    start();
    while (world.producer.next <= last) {
        world_publish(&world, last);
        int result = world_poll(&world);
        cr_assert_geq(result, 0, "%s: %s", world.error.where, world.error.what);
        if (result == 0)
            usleep(20);
    }
    cr_assert_geq(world_poll_until(&world, last + 1), 0);
    settle(); /* off: it was told, now it is written */
    struct journal_end end;
    cr_assert_eq(journal_end_find(&end, world.config.journal_directory, NULL), 0);
    cr_assert_geq(end.position.segment, 4, "%u segments", end.position.segment);
    cr_assert_eq(end.position.epoch, 1);
    cr_assert_eq(world_read(&world, 1), (int64_t)last + 1);
    for (uint64_t from = 5000; from < last; from += 9999)
        cr_assert_eq(world_read(&world, from), (int64_t)last + 1);
    world_close(&world);
    cr_assert_eq(world_open(&world), 0, "%s", world.error.what);
    cr_assert_eq(world.run.base.command_seq_next, last + 1);
}

Test(journaler, rotates_over_small_segments_sync, .fini = finish)
{
    rotate_through(DURABILITY_SYNC, 60000);
}

Test(journaler, rotates_over_small_segments_write, .fini = finish)
{
    rotate_through(DURABILITY_WRITE, 60000);
}

Test(journaler, rotates_over_small_segments_off, .fini = finish)
{
    rotate_through(DURABILITY_OFF, 60000);
}

/* A live reader, never past the cursor, over rotations. */
Test(journaler, is_read_while_it_writes, .fini = finish)
{
    const uint64_t last = 40000;
    struct journal_reader *reader;
    static struct command commands[777];
    uint64_t seq = 1;
    begin(DURABILITY_SYNC);
    start();
    cr_assert_eq(journal_reader_open(&reader, world.config.journal_directory, 1, &world.error), 0);
    while (seq <= last) {
        world_publish(&world, last);
        cr_assert_geq(world_poll(&world), 0);
        int count;
        while ((count = journal_reader_next(reader, commands, 777, world_cursor(&world), &world.error)) > 0)
            for (int i = 0; i < count; i++, seq++) {
                struct command expected;
                world_command(seq, &expected);
                cr_assert_eq(memcmp(&expected, &commands[i], sizeof(expected)), 0, "command %lu", seq);
            }
        cr_assert_eq(count, 0, "%s: %s", world.error.where, world.error.what);
        cr_assert_eq(seq, world_cursor(&world), "all that is durable, nothing else");
    }
    journal_reader_close(reader);
}

/* ---- faults -------------------------------------------------------------------------------------------------------
 */

/* Runs until it is done or fails. What was told before a failure is in the journal afterwards. */
static bool run_with_fault(enum fault fault, uint64_t fail_at)
{
    const uint64_t last = 30000;
    begin(DURABILITY_SYNC);
    faulty_disk.fault = fault;
    faulty_disk.fail_at = fail_at;
    int result = world_open(&world);
    if (result == 0) {
        world_make_rings(&world);
        while (result >= 0 && world_cursor(&world) <= last) {
            world_publish(&world, last);
            result = world_poll(&world);
        }
    }
    bool failed = faulty_disk.failed;
    if (failed && result >= 0)
        result = world_poll(&world); /* it failed with the last command told: the next poll hears of it */
    cr_assert(failed ? result == ERROR_IO : result >= 0, "operation %lu: %d, %s: %s", fail_at, result,
              world.error.where, world.error.what);
    uint64_t told = world.command_ring.file ? world_cursor(&world) : 1;
    if (failed && world.command_ring.file)
        cr_assert_eq(world_poll(&world), ERROR_IO, "and it stays so");
    cr_assert(!world.command_ring.file || world_cursor(&world) == told, "nothing more is told");
    world_close(&world);
    faulty_disk_install();
    cr_assert_eq(world_open(&world), 0, "operation %lu: %s: %s", fail_at, world.error.where, world.error.what);
    cr_assert_geq(world.run.base.command_seq_next, told, "operation %lu: told up to %lu", fail_at, told);
    int64_t read = world_read(&world, 1);
    cr_assert(read >= (int64_t)told, "operation %lu: told up to %lu, read %ld", fail_at, told, read);
    world_finish(&world);
    return failed;
}

Test(journaler, any_failing_operation_ends_it_at_once, .timeout = 60)
{
    uint64_t n = 1;
    while (run_with_fault(FAULT_EIO, n))
        n += n < 40 ? 1 : n / 10;
    cr_assert_gt(n, 60, "the loop saw %lu operations", n);
}

Test(journaler, any_short_write_ends_it_at_once_or_is_no_space, .timeout = 60)
{
    for (uint64_t n = 12; n < 100; n += 7) {
        begin(DURABILITY_SYNC);
        start();
        faulty_disk.fault = FAULT_SHORT;
        faulty_disk.operation_count = 0;
        faulty_disk.fail_at = n;
        int result = 0;
        while (result >= 0 && world_cursor(&world) <= 20000) {
            world_publish(&world, 20000);
            result = world_poll(&world);
        }
        cr_assert(result == ERROR_IO || world_cursor(&world) == 20001, "operation %lu: %d", n, result);
        cr_assert_geq(world_read(&world, 1), (int64_t)world_cursor(&world));
        finish();
    }
}

Test(journaler, a_full_disk_holds_and_goes_on, .fini = finish)
{
    const uint64_t last = 40000;
    begin(DURABILITY_SYNC);
    start();
    faulty_disk.fault = FAULT_FULL; /* the first segment is there; a spare may be */
    for (int idle_polls = 0; idle_polls < 5000;) {
        world_publish(&world, last);
        int result = world_poll(&world);
        cr_assert_geq(result, 0, "%s: %s", world.error.where, world.error.what);
        idle_polls = result > 0 ? 0 : idle_polls + 1;
        if (result == 0)
            usleep(20);
    }
    uint64_t held = world_cursor(&world);
    cr_assert_lt(held, last, "it has to wait");
    cr_assert_gt(held, 2000, "but not before the segment is full");
    cr_assert_eq(world_publish(&world, last), 0, "the ring is full: the sequencer is held");
    faulty_disk.fault = FAULT_NONE;
    while (world_cursor(&world) <= last) {
        world_publish(&world, last);
        cr_assert_geq(world_poll(&world), 0, "%s: %s", world.error.where, world.error.what);
    }
    cr_assert_eq(world_read(&world, 1), (int64_t)last + 1);
}

static uint64_t told_of_space(void)
{
    for (int polls = 0; polls < 5000; polls++)
        cr_assert_geq(world_poll(&world), 0, "%s: %s", world.error.where, world.error.what);
    return atomic_load(&world.command_ring.file->consumers[0].status);
}

Test(journaler, tells_of_a_disk_that_fills_up_and_of_space_again, .fini = finish)
{
    begin(DURABILITY_SYNC);
    start();
    const uint64_t segment = world.config.journal_segment_bytes;
    cr_expect_eq(told_of_space(), 0);
    faulty_disk.free_bytes = 2 * segment - 1;
    cr_expect_eq(told_of_space(), JOURNALER_SPACE_LOW, "less than two segments");
    faulty_disk.free_bytes = 2 * segment + 1;
    cr_expect_eq(told_of_space(), JOURNALER_SPACE_LOW, "not before there is a quarter more");
    faulty_disk.free_bytes = 5 * segment / 2;
    cr_expect_eq(told_of_space(), 0);
    world_publish(&world, 100);
    cr_assert_geq(world_poll_until(&world, 101), 0);
}

/* ---- resuming -----------------------------------------------------------------------------------------------------
 */

Test(journaler, resumes_in_a_run_that_survives, .fini = finish)
{
    begin(DURABILITY_SYNC);
    start();
    int other = survivor();
    world_publish(&world, 500);
    cr_assert_geq(world_poll_until(&world, 501), 0);
    for (int life = 0; life < 5; life++) {
        faulty_disk.hold_completions = true; /* it dies with a batch on its way that was not told */
        uint64_t last = world.producer.next + 99;
        world_publish(&world, last);
        world_poll(&world);
        world_poll(&world);
        cr_assert_leq(world_cursor(&world), last - 99);
        faulty_disk.hold_completions = false;
        world_close(&world);
        cr_assert_eq(world_open(&world), 0, "%s: %s", world.error.where, world.error.what);
        cr_assert_geq(world_poll_until(&world, last + 1), 0, "%s: %s", world.error.where, world.error.what);
        cr_assert_eq(world_cursor(&world), last + 1);
    }
    cr_assert_eq(world_read(&world, 1), 1001);
    close(other);
}

Test(journaler, refuses_when_the_ring_knows_of_more, .fini = finish)
{
    begin(DURABILITY_OFF);
    start();
    int other = survivor();
    world_publish(&world, 300);
    cr_assert_geq(world_poll_until(&world, 301), 0);
    settle();
    faulty_disk.fault = FAULT_EIO; /* what was told at once never gets to the disk */
    faulty_disk.fail_at = faulty_disk.operation_count + 1;
    world_publish(&world, 400);
    while (world_poll(&world) >= 0)
        usleep(20);
    cr_assert_eq(world_cursor(&world), 401);
    world_close(&world);
    faulty_disk_install();
    cr_assert_eq(world_open(&world), ERROR_CORRUPT);
    cr_assert(strstr(world.error.what, "ends before command 301, but up to 400 were acknowledged"), "%s",
              world.error.what);
    world_close(&world);
    close(other); /* nobody survives: a new run begins where the journal ends */
    cr_assert_eq(world_open(&world), 0);
    cr_assert_eq(world.run.base.command_seq_next, 301);
}

/* The rings are gone, and so is what the disk said was written: an event that was told is the last witness. */
Test(journaler, refuses_when_the_event_log_knows_of_more, .fini = finish)
{
    char path[DISK_PATH_BYTES];
    begin(DURABILITY_SYNC);
    start();
    world_publish(&world, 1);
    cr_assert_geq(world_poll_until(&world, 2), 0);
    world_publish_events(&world, 10);
    for (int polls = 0; polls < 20; polls++)
        cr_assert_geq(world_poll(&world), 0);
    world_close(&world);
    for (uint32_t segment = 1; segment < 4; segment++) {
        world_segment_path(&world, segment, path);
        (void)unlink(path);
    }
    cr_assert_eq(world_open(&world), ERROR_CORRUPT);
    cr_assert(strstr(world.error.what, "ends before command 1, but the event log holds event 1"), "%s",
              world.error.what);
    world_close(&world);
    world.config.journal_durability = DURABILITY_WRITE; /* a loss of power may leave it so */
    cr_assert_eq(world_open(&world), 0, "%s: %s", world.error.where, world.error.what);
}

/* ---- events -------------------------------------------------------------------------------------------------------
 */

Test(journaler, logs_events_and_goes_on_after_the_last, .fini = finish)
{
    struct eventlog_reader *reader;
    static struct event events[1000];
    begin(DURABILITY_SYNC);
    start();
    int other = survivor();
    world_publish(&world, 1);
    cr_assert_geq(world_poll_until(&world, 2), 0);
    for (uint64_t next = 1; next <= 5000; next += 500) {
        world_publish_events(&world, 500);
        for (int polls = 0; polls < 20; polls++)
            cr_assert_geq(world_poll(&world), 0, "%s: %s", world.error.where, world.error.what);
        cr_assert_eq(atomic_load(&world.event_ring.file->consumers[0].cursor), next + 500);
        if (next == 2001) {
            world_close(&world);
            cr_assert_eq(world_open(&world), 0, "%s: %s", world.error.where, world.error.what);
        }
    }
    cr_assert_eq(eventlog_reader_open(&reader, world.config.events_directory, NULL), 0);
    for (uint64_t next = 1; next <= 5000; next += 1000) {
        cr_assert_eq(eventlog_reader_read(reader, next, events, 1000, NULL), 1000);
        cr_assert_eq(events[999].event_seq, next + 999);
    }
    cr_assert_eq(eventlog_reader_read(reader, 5001, events, 1000, NULL), 0);
    eventlog_reader_close(reader);
    close(other);
}

Test(journaler, events_that_wait_for_space_are_counted_when_they_are_logged, .fini = finish)
{
    static struct journaler_values values;
    begin(DURABILITY_SYNC);
    world.values = &values;
    start();
    world_publish(&world, 1);
    cr_assert_geq(world_poll_until(&world, 2), 0);
    settle(); /* the spare is made: what is full is the event log's alone */
    faulty_disk.fault = FAULT_FULL;
    world_publish_events(&world, 100);
    for (int polls = 0; polls < 50; polls++)
        cr_assert_geq(world_poll(&world), 0, "%s: %s", world.error.where, world.error.what);
    cr_assert_eq(atomic_load(&world.event_ring.file->consumers[0].cursor), 1);
    cr_assert_eq(metrics_get(&values.events), 0, "%lu", metrics_get(&values.events));
    faulty_disk.fault = FAULT_NONE;
    world.now_ns += 2 * (uint64_t)NS_PER_SECOND;
    for (int polls = 0; polls < 50; polls++)
        cr_assert_geq(world_poll(&world), 0, "%s: %s", world.error.where, world.error.what);
    cr_assert_eq(atomic_load(&world.event_ring.file->consumers[0].cursor), 101);
    cr_assert_eq(metrics_get(&values.events), 100);
    cr_assert_eq(values.events_batch.count, 1);
}

/* The header of a later batch says how far the event log is on the medium, and the newest checkpoint. */
Test(journaler, batches_carry_the_synced_mark_and_the_checkpoint, .fini = finish)
{
    begin(DURABILITY_SYNC);
    start();
    world_publish_events(&world, 100);
    struct event event = {.event_seq = 101, .command_seq = 1, .kind = EVENT_CHECKPOINT};
    event.checkpoint = (struct event_checkpoint){.command_seq = 1, .event_hash = 77, .state_hash = 88};
    cr_assert(ring_put(&world.event_producer, &event));
    for (int polls = 0; polls < 2000; polls++) {
        cr_assert_geq(world_poll(&world), 0);
        usleep(5);
    }
    world.now_ns += 2 * (uint64_t)NS_PER_SECOND;
    for (int polls = 0; polls < 200; polls++)
        cr_assert_geq(world_poll(&world), 0);
    world_publish(&world, 10);
    cr_assert_geq(world_poll_until(&world, 11), 0);
    struct journal_end end;
    cr_assert_eq(journal_end_find(&end, world.config.journal_directory, NULL), 0);
    cr_assert_eq(end.last.events_synced, 102, "%lu", end.last.events_synced);
    cr_assert_eq(end.last.checkpoint.command_seq, 1);
    cr_assert_eq(end.last.checkpoint.event_hash, 77);
    cr_assert_eq(end.last.checkpoint.state_hash, 88);
}

/* ---- ending -------------------------------------------------------------------------------------------------------
 */

Test(journaler, asked_to_end_it_finishes_and_seals, .fini = finish)
{
    begin(DURABILITY_SYNC);
    start();
    world_publish(&world, 700);
    world_poll(&world);
    for (int polls = 0; polls < 10000 && !journaler_stage.stopped(world.stage, world.now_ns); polls++) {
        cr_assert_geq(world_poll(&world), 0);
        usleep(20);
    }
    cr_assert(journaler_stage.stopped(world.stage, world.now_ns));
    uint64_t told = world_cursor(&world);
    cr_assert_eq(world_read(&world, 1), (int64_t)told);
    world_close(&world);
    struct journal_end end;
    cr_assert_eq(journal_end_find(&end, world.config.journal_directory, NULL), 0);
    cr_assert_eq(end.last.count, 0, "sealed");
    cr_assert_eq(end.number_highest, end.position.segment, "the spare is gone");
}
