/*
 * The ring in one process: what attaching checks, what full and empty look like, how a producer and a consumer take up
 * their work again, and what an observer is told. Each test makes a small ring in /dev/shm and removes it.
 */
#include "env/clock.h"
#include "ring/ring.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS 64u
#define BASE  1000u

static char path[64];
static struct ring ring;

static const struct ring_parameters parameters = {
    .name = "test",
    .capacity = SLOTS,
    .base_seq = BASE,
    .record_hash = 11,
    .topology_hash = 22,
    .run_id = "0123456789abcde",
    .gating_count = 2,
    .gating_names = {"first", "second"},
};

static void make(void)
{
    snprintf(path, sizeof(path), "/dev/shm/ringside-test-ring-%d", (int)getpid());
    unlink(path);
    struct error error;
    cr_assert_eq(ring_create(&ring, path, &parameters, &error), 0, "%s", error.what);
}

static void unmake(void)
{
    ring_detach(&ring);
    unlink(path);
}

TestSuite(ring, .init = make, .fini = unmake);

static struct ring_producer open_producer(void)
{
    struct ring_producer producer;
    cr_assert_eq(ring_producer_open(&producer, &ring, 3, NULL), 0);
    return producer;
}

static struct ring_consumer open_consumer(const char *name)
{
    struct ring_consumer consumer;
    cr_assert_eq(ring_consumer_open(&consumer, &ring, name, 4, NULL), 0);
    return consumer;
}

static void put(struct ring_producer *producer, uint64_t value)
{
    uint64_t record[16];
    for (int word = 0; word < 16; word++)
        record[word] = value;
    cr_assert(ring_put(producer, record));
}

static void expect(struct ring_consumer *consumer, uint64_t value)
{
    const uint64_t *record = ring_next(consumer);
    cr_assert_not_null(record);
    cr_assert_eq(record[1], value);
    cr_assert_eq(record[15], value);
}

Test(ring_size, only_powers_of_two_within_limits)
{
    cr_assert_eq(ring_bytes(64), 4096 + 64 * 128);
    cr_assert_eq(ring_bytes(63), 0);
    cr_assert_eq(ring_bytes(32), 0);
    cr_assert_eq(ring_bytes(0), 0);
    cr_assert_eq(ring_bytes(1u << 25), 0);
}

Test(ring, a_second_creator_is_refused)
{
    struct ring other = {0};
    cr_assert_eq(ring_create(&other, path, &parameters, NULL), ERROR_SYSTEM);
    cr_assert_null(other.file);
}

Test(ring, no_file_is_not_yet)
{
    struct ring other = {0};
    cr_assert_eq(ring_attach(&other, "/dev/shm/ringside-no-such-ring", false, &parameters, NULL), ERROR_NOT_YET);
}

static int attach_with(const struct ring_parameters *expected)
{
    struct ring other = {0};
    struct error error;
    int result = ring_attach(&other, path, false, expected, &error);
    ring_detach(&other);
    return result;
}

Test(ring, attaching_compares_what_is_expected)
{
    cr_assert_eq(attach_with(&parameters), 0);
    struct ring_parameters expected = parameters;
    expected.name = "other";
    cr_assert_eq(attach_with(&expected), ERROR_MISMATCH);
    expected = parameters;
    expected.record_hash++;
    cr_assert_eq(attach_with(&expected), ERROR_MISMATCH);
    expected = parameters;
    expected.topology_hash++;
    cr_assert_eq(attach_with(&expected), ERROR_MISMATCH);
    expected = parameters;
    expected.run_id[0]++;
    cr_assert_eq(attach_with(&expected), ERROR_MISMATCH);
    cr_assert_eq(attach_with(&(struct ring_parameters){.name = NULL}), 0, "what is not given is not compared");
}

Test(ring, every_byte_of_the_header_is_checked)
{
    uint8_t *header = (uint8_t *)&ring.file->header;
    for (size_t byte = 0; byte < sizeof(struct ring_header); byte++) {
        header[byte] ^= 0x40;
        int result = attach_with(&parameters);
        cr_assert_lt(result, 0, "byte %zu changed and nobody noticed", byte);
        header[byte] ^= 0x40;
    }
    cr_assert_eq(attach_with(&parameters), 0);
}

Test(ring, a_ring_without_its_magic_is_not_yet)
{
    atomic_store(&ring.file->header.magic, 0);
    cr_assert_eq(attach_with(&parameters), ERROR_NOT_YET);
}

Test(ring, a_cut_file_is_refused)
{
    cr_assert_eq(truncate(path, RING_HEADER_BYTES + 64 * 128 - 1), 0);
    cr_assert_eq(attach_with(&parameters), ERROR_CORRUPT);
    cr_assert_eq(truncate(path, 100), 0);
    cr_assert_eq(attach_with(&parameters), ERROR_NOT_YET);
}

Test(ring, records_arrive_in_order_and_whole)
{
    struct ring_producer producer = open_producer();
    struct ring_consumer first = open_consumer("first");
    struct ring_consumer second = open_consumer("second");
    cr_assert_null(ring_next(&first));
    for (uint64_t round = 0; round < (uint64_t)10 * SLOTS; round++) {
        put(&producer, BASE + round);
        expect(&first, BASE + round);
        ring_release(&first, first.next);
        expect(&second, BASE + round);
        ring_release(&second, second.next);
    }
    cr_assert_eq(producer.next, BASE + 10 * SLOTS);
}

Test(ring, the_slowest_gating_consumer_holds_the_producer)
{
    struct ring_producer producer = open_producer();
    struct ring_consumer first = open_consumer("first");
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        put(&producer, slot);
    cr_assert_null(ring_claim(&producer));
    ring_release(&first, BASE + SLOTS);
    cr_assert_null(ring_claim(&producer), "the second has released nothing");
    cr_assert_eq(atomic_load(&ring.file->producer.blocked_on), 1);
    cr_assert_gt(atomic_load(&ring.file->producer.blocked_since_ns), 0);
    cr_assert_eq(atomic_load(&ring.file->producer.stall_count), 1, "one stall, however often it is looked at");
    struct ring_consumer second = open_consumer("second");
    ring_release(&second, BASE + 1);
    cr_assert_eq(ring_free(&producer, 1), 1);
    cr_assert_eq(atomic_load(&ring.file->producer.blocked_on), RING_NOBODY);
    put(&producer, 99);
    cr_assert_null(ring_claim(&producer));
}

/* The time is told by whom, also while it is going on, and comes to what the ring's line says in all. */
Test(ring, a_held_producer_knows_by_whom_and_for_how_long)
{
    struct ring_producer producer = open_producer();
    struct ring_consumer first = open_consumer("first");
    struct ring_consumer second = open_consumer("second");
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        put(&producer, slot);
    cr_assert_null(ring_claim(&producer)); /* neither has released anything: the first is as slow as any */
    ring_release(&first, BASE + SLOTS);
    usleep(2000);
    cr_assert_null(ring_claim(&producer)); /* now the second is waited for */
    usleep(1000);
    uint64_t going_on = ring_producer_blocked_ns(&producer, 1, clock_monotonic_ns());
    cr_expect(going_on >= 1000000, "%llu", (unsigned long long)going_on);
    cr_expect_null(ring_claim(&producer));
    ring_release(&second, BASE + SLOTS);
    cr_assert_eq(ring_free(&producer, 1), SLOTS);
    const struct ring_waits *waits = &producer.waits;
    cr_expect_eq(waits->stall_counts[0], 1u);
    cr_expect_eq(waits->stall_counts[1], 1u);
    cr_expect(waits->blocked_ns[0] >= 2000000 && waits->blocked_ns[1] >= going_on);
    cr_expect_eq(waits->blocked_ns[0] + waits->blocked_ns[1], atomic_load(&ring.file->producer.blocked_ns_total));
    cr_expect_eq(ring_producer_blocked_ns(&producer, 1, clock_monotonic_ns()), waits->blocked_ns[1], "it is over");
}

Test(ring, a_consumer_never_passes_its_barrier)
{
    struct ring_producer producer = open_producer();
    struct ring_consumer first = open_consumer("first");
    struct ring_consumer second = open_consumer("second");
    cr_assert_eq(ring_consumer_add_barrier(&second, "first", NULL), 0);
    cr_assert_eq(ring_consumer_add_barrier(&second, "nobody", NULL), ERROR_INVALID);
    for (uint64_t value = 0; value < 5; value++)
        put(&producer, value);
    cr_assert_null(ring_next(&second));
    ring_release(&first, BASE + 3);
    for (uint64_t value = 0; value < 3; value++)
        expect(&second, value);
    cr_assert_null(ring_next(&second));
}

/* A producer that dies at any place of a burst, its cursor stale by any amount, one record half-written. */
Test(ring, a_producer_goes_on_after_its_last_whole_record)
{
    for (uint32_t published = 0; published < 2 * SLOTS; published++) {
        unmake();
        make();
        struct ring_producer dead = open_producer();
        struct ring_consumer first = open_consumer("first");
        struct ring_consumer second = open_consumer("second");
        for (uint32_t record = 0; record < published; record++) {
            put(&dead, record);
            ring_release(&first, BASE + record + 1);
            ring_release(&second, BASE + record + 1);
            if (record % 7 == 0)
                ring_flush(&dead);
        }
        cr_assert_not_null(ring_claim(&dead)); /* and no publish: half-written */
        struct ring_producer heir = open_producer();
        cr_assert_eq(heir.next, BASE + published);
        cr_assert_eq(atomic_load(&ring.file->producer.epoch), 2);
        put(&heir, 4711);
        first.next = BASE + published;
        expect(&first, 4711);
    }
}

/* The hint is for speed alone: however old it is, the slots tell. */
Test(ring, a_cursor_that_is_rounds_old_misleads_nobody)
{
    struct ring_producer dead = open_producer();
    struct ring_consumer first = open_consumer("first");
    struct ring_consumer second = open_consumer("second");
    for (uint64_t record = 0; record < (uint64_t)5 * SLOTS + 7; record++) {
        put(&dead, record);
        ring_release(&first, BASE + record + 1);
        ring_release(&second, BASE + record + 1);
        cr_assert_eq(open_producer().next, dead.next);
        atomic_store(&ring.file->producer.cursor, BASE);
        cr_assert_eq(open_producer().next, dead.next);
        cr_assert_not_null(ring_claim(&dead));
        atomic_store(&ring.file->producer.cursor, BASE + record / 2);
        cr_assert_eq(open_producer().next, dead.next);
    }
}

Test(ring, a_cursor_past_the_records_is_corrupt)
{
    atomic_store(&ring.file->producer.cursor, BASE + 5);
    struct ring_producer producer;
    cr_assert_eq(ring_producer_open(&producer, &ring, 0, NULL), ERROR_CORRUPT);
    atomic_store(&ring.file->producer.cursor, BASE - 1);
    cr_assert_eq(ring_producer_open(&producer, &ring, 0, NULL), ERROR_CORRUPT);
}

/* A record that nobody has written into its slot is no place to go on from. */
Test(ring, a_slot_of_another_is_corrupt)
{
    struct ring_producer producer = open_producer();
    for (uint64_t value = 0; value < 5; value++)
        put(&producer, value);
    static const uint64_t words[] = {BASE + 4, BASE + 5, 1, RING_WRITING, (BASE + 4) | RING_WRITING, UINT64_MAX};
    for (size_t which = 0; which < ARRAY_COUNT(words); which++) {
        atomic_store(&ring.file->slots[(BASE + 5) % SLOTS].word, words[which]);
        struct ring_producer heir;
        struct error error;
        cr_assert_eq(ring_producer_open(&heir, &ring, 0, &error), ERROR_CORRUPT, "word %#lx", words[which]);
        cr_assert_not_null(strstr(error.what, "1005"), "it says where: %s", error.what);
    }
    atomic_store(&ring.file->slots[(BASE + 5) % SLOTS].word, (BASE + 5) | RING_WRITING);
    cr_assert_eq(open_producer().next, BASE + 5);
}

/* The second of a pair is published first (docs/decisions/0005). Death in between takes it back, at every place. */
Test(ring, half_a_pair_is_no_record)
{
    struct ring_producer dead = open_producer();
    for (uint64_t round = 0; round < UINT64_C(3) * SLOTS; round++) {
        for (int line = 0; line < 2; line++)
            atomic_store(&ring.file->consumers[line].cursor, dead.next);
        cr_assert_not_null(ring_claim(&dead));
        _Atomic uint64_t *second = &ring.file->slots[(dead.next + 1) % SLOTS].word;
        atomic_store(second, dead.next + 2);
        atomic_store(&ring.file->producer.cursor, round % 2 ? BASE : dead.next);
        struct ring_producer heir = open_producer();
        cr_assert_eq(heir.next, dead.next);
        cr_assert_eq(atomic_load(second), (dead.next + 1) | RING_WRITING, "not told once the first is");
        put(&heir, round);
        dead = heir;
    }
}

Test(ring, a_gating_cursor_astray_is_corrupt)
{
    struct ring_producer producer = open_producer();
    for (uint32_t record = 0; record < SLOTS; record++)
        put(&producer, record);
    static const uint64_t astray[] = {BASE - 1, BASE + SLOTS + 1, 0, UINT64_MAX};
    for (size_t which = 0; which < ARRAY_COUNT(astray); which++) {
        atomic_store(&ring.file->consumers[1].cursor, astray[which]);
        struct ring_consumer consumer;
        cr_assert_eq(ring_producer_open(&producer, &ring, 0, NULL), ERROR_CORRUPT);
        cr_assert_eq(ring_consumer_open(&consumer, &ring, "second", 0, NULL), ERROR_CORRUPT);
    }
    cr_assert_eq(atomic_load(&ring.file->producer.epoch), 1, "a refused one has changed nothing");
    cr_assert_eq(atomic_load(&ring.file->consumers[1].epoch), 0);
}

Test(ring, a_consumer_takes_over_its_line)
{
    struct ring_consumer consumer = open_consumer("second");
    const struct ring_consumer_line *line = &ring.file->consumers[1];
    cr_assert_eq(atomic_load(&line->pid), (uint32_t)getpid());
    cr_assert_gt(atomic_load(&line->start_time), 0);
    cr_assert_eq(atomic_load(&line->doorbell), 4);
    ring_consumer_beat(&consumer, 77);
    cr_assert_eq(atomic_load(&line->heartbeat_ns), 77);
    cr_assert_eq(ring_consumer_open(&consumer, &ring, "nobody", 0, NULL), ERROR_INVALID);
    struct ring_producer producer = open_producer();
    ring_producer_beat(&producer, 78);
    cr_assert_eq(atomic_load(&ring.file->producer.heartbeat_ns), 78);
    cr_assert_eq(atomic_load(&ring.file->producer.start_time), atomic_load(&line->start_time));
}

Test(ring, a_consumer_goes_on_at_what_it_released)
{
    struct ring_producer producer = open_producer();
    for (uint64_t value = 0; value < 9; value++)
        put(&producer, value);
    struct ring_consumer first = open_consumer("first");
    for (uint64_t value = 0; value < 6; value++)
        expect(&first, value);
    ring_release(&first, BASE + 4);
    struct ring_consumer heir = open_consumer("first");
    expect(&heir, 4);
    cr_assert_eq(atomic_load(&ring.file->consumers[0].epoch), 2);
}

Test(ring, an_observer_sees_all_holds_nobody_and_knows_what_it_missed)
{
    struct ring_producer producer = open_producer();
    struct ring_consumer first = open_consumer("first");
    struct ring_consumer second = open_consumer("second");
    struct ring_observer observer;
    ring_observer_open(&observer, &ring, BASE);
    uint64_t record[16];
    cr_assert_eq(ring_observe(&observer, record), RING_NOTHING);
    put(&producer, 7);
    cr_assert_eq(ring_observe(&observer, record), RING_OBSERVED);
    cr_assert_eq(record[0], BASE + 1);
    cr_assert_eq(record[15], 7);
    for (uint64_t value = 1; value <= (uint64_t)2 * SLOTS; value++) {
        put(&producer, value);
        ring_release(&first, BASE + value + 1);
        ring_release(&second, BASE + value + 1);
    }
    ring_flush(&producer);
    cr_assert_eq(ring_observe(&observer, record), RING_OVERRUN);
    uint64_t overrun = observer.next;
    cr_assert_eq(ring_observer_skip(&observer), observer.next - overrun);
    cr_assert_eq(observer.next, ring_observer_oldest(&observer));
    cr_assert_eq(ring_observe(&observer, record), RING_OBSERVED);
    cr_assert_eq(record[0], observer.next);
}

Test(ring, a_record_being_written_is_not_there_for_an_observer)
{
    struct ring_producer producer = open_producer();
    struct ring_observer observer;
    ring_observer_open(&observer, &ring, BASE);
    uint64_t record[16];
    cr_assert_not_null(ring_claim(&producer));
    cr_assert_eq(ring_observe(&observer, record), RING_NOTHING);
    ring_publish(&producer);
    cr_assert_eq(ring_observe(&observer, record), RING_OBSERVED);
}
