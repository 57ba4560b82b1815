/*
 * The probe's parts: a tap on a ring that another writes faster than it reads, and the histograms of hops and batches
 * from made-up stamps.
 */
#include "perf/probe/hops.h"
#include "perf/probe/tap.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS 64u
#define BASE  100u

static char directory[64];
static char path[96];
static struct ring ring;
static struct ring_producer producer;

static void make_ring(uint8_t run)
{
    struct ring_parameters parameters = {.name = "command",
                                         .capacity = SLOTS,
                                         .base_seq = BASE,
                                         .record_hash = command_layout_hash(),
                                         .run_id = {run},
                                         .gating_count = 0};
    struct error error = {0};
    cr_assert_eq(ring_create(&ring, path, &parameters, &error), 0, "%s", error.what);
    cr_assert_eq(ring_producer_open(&producer, &ring, 0, &error), 0, "%s", error.what);
}

static void make(void)
{
    snprintf(directory, sizeof(directory), "/dev/shm/ringside-test-probe-%d", (int)getpid());
    snprintf(path, sizeof(path), "%s/command.ring", directory);
    (void)rmdir(directory);
    cr_assert_eq(mkdir(directory, 0700), 0);
    make_ring(1);
}

static void unmake(void)
{
    ring_detach(&ring);
    unlink(path);
    rmdir(directory);
}

TestSuite(tap, .init = make, .fini = unmake);

static void publish(uint32_t count, uint64_t lie)
{
    for (uint32_t i = 0; i < count; i++) {
        struct command command = {.command_seq = producer.next + lie, .kind = COMMAND_TICK};
        cr_assert(ring_put(&producer, &command));
    }
    ring_flush(&producer);
}

static struct tap open_tap(void)
{
    struct tap tap;
    tap_init(&tap, directory, "command");
    cr_assert_eq(tap_refresh(&tap, NULL), 1);
    cr_assert_eq(tap_refresh(&tap, NULL), 0);
    return tap;
}

Test(tap, reads_what_comes_after_it)
{
    struct command commands[SLOTS];
    publish(5, 0);
    struct tap tap = open_tap();
    cr_assert_eq(tap_read(&tap, commands, SLOTS), 0);
    publish(3, 0);
    cr_assert_eq(tap_read(&tap, commands, 2), 2);
    cr_assert_eq(tap_seq(&commands[0]), BASE + 5);
    cr_assert_eq(tap_read(&tap, commands, SLOTS), 1);
    cr_assert_eq(tap_published(&tap), 3);
    cr_assert_eq(tap.read_count, 3);
    cr_assert_eq(tap.missed_count + tap.passed_count + tap.gap_count, 0);
    tap_close(&tap);
}

Test(tap, counts_what_it_missed)
{
    struct command commands[SLOTS];
    struct tap tap = open_tap();
    publish(3 * SLOTS, 0);
    uint32_t read = tap_read(&tap, commands, SLOTS);
    cr_assert_gt(read, 0);
    cr_assert_gt(tap.overrun_count, 0);
    cr_assert_eq(read + tap.missed_count, UINT64_C(3) * SLOTS);
    cr_assert_eq(tap_published(&tap), UINT64_C(3) * SLOTS);
    cr_assert_eq(tap_seq(&commands[read - 1]), BASE + UINT64_C(3) * SLOTS - 1);
    tap_close(&tap);
}

Test(tap, what_is_passed_over_is_not_missed)
{
    struct command commands[SLOTS];
    struct tap tap = open_tap();
    publish(10, 0);
    cr_assert_eq(tap_read(&tap, commands, 4), 4);
    tap_pass_over(&tap);
    cr_assert_eq(tap.passed_count, 6);
    cr_assert_eq(tap.missed_count, 0);
    publish(1, 0);
    cr_assert_eq(tap_read(&tap, commands, SLOTS), 1);
    cr_assert_eq(tap_seq(&commands[0]), BASE + 10);
    tap_close(&tap);
}

Test(tap, finds_a_record_with_a_wrong_number)
{
    struct command commands[SLOTS];
    struct tap tap = open_tap();
    publish(2, 0);
    publish(1, 7);
    cr_assert_eq(tap_read(&tap, commands, SLOTS), 3);
    cr_assert_eq(tap.gap_count, 1);
    cr_assert_eq(tap.first_gap_seq, BASE + 2);
    tap_close(&tap);
}

Test(tap, goes_back_as_far_as_the_ring_does)
{
    struct command commands[SLOTS];
    publish(20, 0);
    struct tap tap = open_tap();
    tap_seek(&tap, 3);
    cr_assert_eq(tap_read(&tap, commands, SLOTS), 20);
    cr_assert_eq(tap_seq(&commands[0]), BASE);
    tap_close(&tap);
}

Test(tap, finds_the_ring_of_a_new_run)
{
    struct command commands[SLOTS];
    struct tap tap = open_tap();
    publish(2, 0);
    unlink(path);
    ring_detach(&ring);
    cr_assert_eq(tap_refresh(&tap, NULL), 0); /* the old one stays mapped until there is another */
    make_ring(2);
    publish(4, 0);
    cr_assert_eq(tap_refresh(&tap, NULL), 1);
    publish(1, 0);
    cr_assert_eq(tap_read(&tap, commands, SLOTS), 1);
    cr_assert_eq(tap_seq(&commands[0]), BASE + 4);
    tap_close(&tap);
}

Test(tap, looks_at_a_record_that_has_gone_by)
{
    struct record_head head;
    struct tap tap = open_tap();
    publish(SLOTS + 2, 0);
    cr_assert(tap_peek(&tap, BASE + SLOTS, &head));
    cr_assert_eq(tap_seq(&head), BASE + SLOTS);
    cr_assert_not(tap_peek(&tap, BASE + 1, &head));
    cr_assert_not(tap_peek(&tap, BASE + SLOTS + 2, &head));
    tap_close(&tap);
}

Test(tap, without_a_ring_says_not_yet)
{
    struct error error = {0};
    struct tap tap;
    tap_init(&tap, directory, "event");
    cr_assert_eq(tap_refresh(&tap, &error), ERROR_NOT_YET);
    cr_assert_eq(tap_read(&tap, NULL, 0), 0);
    cr_assert_eq(tap_published(&tap), 0);
}

/* ---- hops ---------------------------------------------------------------------------------------------------------
 */

Test(hops, a_difference_of_stamps)
{
    cr_assert_eq(hop_ns(100, 350), 250);
    cr_assert_eq(hop_ns(0xfffffff0, 0x10), 0x20); /* the low 32 bits have wrapped */
    cr_assert_eq(hop_ns(350, 100), 0);            /* received while the stage worked that had read its clock before */
    cr_assert_eq(hop_ns(1, 4000000001u), 4000000000u);
}

Test(hops, a_command_counts_once)
{
    static struct hops hops;
    const struct command command = {.head = {.received_ns_low = 1000, .published_ns_low = 1040}, .gateway = 1};
    const struct command nobodys = {.head = {.published_ns_low = 1040}};
    const struct event first = {.head = {.received_ns_low = 1000, .published_ns_low = 1100}, .command_seq = 7};
    const struct event second = {.head = first.head, .command_seq = 7, .index = 1};
    const struct event tick = {.head = {.published_ns_low = 1100}};
    hops_clear(&hops);
    hops_command(&hops, &command);
    hops_command(&hops, &nobodys);
    hops_event(&hops, &first, &command.head);
    hops_event(&hops, &first, NULL);
    hops_event(&hops, &second, &command.head);
    hops_event(&hops, &tick, &command.head);
    cr_assert_eq(hops.hops[HOP_SEQUENCED].count, 1);
    cr_assert_eq(hops.hops[HOP_SEQUENCED].max, 40);
    cr_assert_eq(hops.hops[HOP_MATCHED].count, 1);
    cr_assert_eq(hops.hops[HOP_MATCHED].max, 60);
    cr_assert_eq(hops.hops[HOP_WHOLE].count, 2);
    cr_assert_eq(hops.hops[HOP_WHOLE].max, 100);
}

/* Only batches seen from their first record to their last. */
Test(hops, batches)
{
    static struct batches batches;
    static const struct {
        uint64_t seq;
        uint32_t stamp;
    } records[] = {{5, 1}, {6, 1}, {7, 2}, {8, 2}, {9, 2}, {10, 3}, {20, 4}, {21, 4}, {22, 5}, {23, 6}};
    batches_clear(&batches);
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
        batches_note(&batches, records[i].seq, records[i].stamp);
    cr_assert_eq(batches.sizes.count, 2); /* 7 to 9, and 22; 5 and 6, 10, 20 and 21 may have been part of more */
    cr_assert_eq(batches.sizes.max, 3);
    cr_assert_eq(batches.sizes.min, 1);
}
