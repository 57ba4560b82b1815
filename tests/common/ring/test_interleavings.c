/*
 * The ring's interleavings, one by one: at each place between two of its steps, something else happens.
 *
 *   1. An observer is lapped, by any number of records and half of another one, at any place of its copy. It is told
 *      a whole record, or that there is none. A canary producer that does not mark its slots must make this fail.
 *   2. A stage between two rings dies at any place, and its heir at any place: every record comes through once.
 *   3. Two gating consumers go on at any place of the producer's: no slot is marked that one of them still needs.
 *
 * One thread; records are numbers that fill the body, so a torn one shows.
 */
#include "hooks.h"
#include "ring/ring.h"

#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SLOTS 64u

static struct ring rings[2];
static struct ring_producer producers[2];

static void make(void)
{
    for (unsigned which = 0; which < 2; which++) {
        char path[64];
        snprintf(path, sizeof(path), "/dev/shm/ringside-test-hooks-%d-%u", (int)getpid(), which);
        unlink(path);
        const struct ring_parameters parameters = {
            .name = "hooks", .capacity = SLOTS, .gating_count = 2, .gating_names = {"first", "second"}};
        struct error error;
        cr_assert_eq(ring_create(&rings[which], path, &parameters, &error), 0, "%s", error.what);
        unlink(path);
        cr_assert_eq(ring_producer_open(&producers[which], &rings[which], 0, &error), 0, "%s", error.what);
    }
}

static void unmake(void)
{
    hooks_disarm();
    ring_detach(&rings[0]);
    ring_detach(&rings[1]);
}

TestSuite(interleavings, .init = make, .fini = unmake);

static void fill(uint64_t *record, uint64_t number, int words)
{
    for (int word = 1; word < words; word++)
        record[word] = number * (uint64_t)word;
}

static bool whole(const uint64_t *record, uint64_t number)
{
    uint64_t right[16];
    fill(right, number, 16);
    return record[0] == number + 1 && memcmp(record + 1, right + 1, sizeof(right) - sizeof(right[0])) == 0;
}

static void let_go(struct ring *ring, uint64_t seq)
{
    for (int line = 0; line < 2; line++)
        atomic_store(&ring->file->consumers[line].cursor, seq);
}

static void put(unsigned which)
{
    struct ring_producer *producer = &producers[which];
    uint64_t *record = ring_claim(producer);
    cr_assert_not_null(record);
    fill(record, producer->next, 16);
    ring_publish(producer);
}

/* ---- 1: an observer that is lapped ------------------------------------------------------------------------------- */

enum half { NOTHING_MORE, A_MARK, HALF_A_BODY, HALVES };

static struct {
    uint64_t records; /* published while the observer copies */
    enum half half;   /* and begun */
    bool marks;       /* a producer as it should be; the canary's does not */
} lap;

static void begin_half(enum half half)
{
    struct ring_producer *producer = &producers[0];
    struct ring_slot *slot = &producer->file->slots[producer->next & producer->mask];
    if (half != NOTHING_MORE && lap.marks)
        cr_assert_eq(ring_claim(producer), slot);
    if (half == HALF_A_BODY)
        fill((uint64_t *)(void *)slot, producer->next, 8);
}

static void lap_the_observer(const char *place)
{
    (void)place;
    for (uint64_t record = 0; record < lap.records; record++)
        put(0);
    begin_half(lap.half);
}

/* Lets the lap happen at one place of the copy of the oldest record. 1: a torn record passed for whole. */
static int observe_at(unsigned place, bool *ret_reached)
{
    struct ring_producer *producer = &producers[0];
    let_go(&rings[0], producer->next + UINT64_C(4) * SLOTS); /* it gates nothing here */
    for (unsigned slot = 0; slot < SLOTS; slot++)
        put(0);
    struct ring_observer observer;
    uint64_t seq = producer->next - SLOTS, record[16];
    ring_observer_open(&observer, &rings[0], seq);
    hooks_arm(place, lap_the_observer);
    enum ring_observation seen = ring_observe(&observer, record);
    hooks_disarm();
    *ret_reached = hooks_reached();
    cr_assert_eq(observer.next, seq + (seen == RING_OBSERVED));
    cr_assert_neq(seen, RING_NOTHING, "it was there: seen or overrun");
    return seen == RING_OBSERVED && !whole(record, seq);
}

static int torn_count(bool marks)
{
    int torn = 0;
    lap.marks = marks;
    for (lap.records = 0; lap.records <= SLOTS + 1; lap.records++) {
        for (lap.half = NOTHING_MORE; lap.half < HALVES; lap.half++) {
            bool reached = true;
            for (unsigned place = 0; reached; place++)
                torn += observe_at(place, &reached);
        }
    }
    return torn;
}

Test(interleavings, an_observer_is_never_told_a_torn_record)
{
    cr_assert_eq(torn_count(true), 0);
}

Test(interleavings, without_the_mark_torn_records_would_pass)
{
    cr_assert_gt(torn_count(false), 0, "the canary is not noticed: the test above proves nothing");
}

/* ---- 2: a stage that dies anywhere ------------------------------------------------------------------------------- */

#define LIFE_RECORDS 7u

static jmp_buf death;

static void die(const char *place)
{
    (void)place;
    hooks_disarm();
    longjmp(death, 1);
}

/* Copies a few records from ring 0 to ring 1; what ring 1 holds says where it goes on. */
static void live(void)
{
    struct ring_consumer from;
    struct ring_producer to;
    cr_assert_eq(ring_producer_open(&to, &rings[1], 0, NULL), 0);
    cr_assert_eq(ring_consumer_open(&from, &rings[0], "first", 0, NULL), 0);
    from.next = to.next;
    for (unsigned record = 0; record < LIFE_RECORDS; record++) {
        const void *next = ring_next(&from);
        if (!next || !ring_put(&to, next))
            break;
        if (record % 3 == 2)
            ring_flush(&to);
        if (record % 2 == 1)
            ring_release(&from, from.next);
    }
    ring_flush(&to);
    ring_release(&from, from.next);
}

static bool live_until(unsigned place)
{
    hooks_arm(place, die);
    if (setjmp(death) == 0)
        live();
    hooks_disarm();
    return hooks_reached();
}

/* The second line of ring 0 is nobody's here; the lines of ring 1 follow what is read from it. */
static uint64_t read_on(uint64_t next)
{
    struct ring_observer observer;
    ring_observer_open(&observer, &rings[1], next);
    uint64_t record[16];
    while (ring_observe(&observer, record) == RING_OBSERVED)
        cr_assert(whole(record, observer.next - 1), "record %lu", observer.next - 1);
    let_go(&rings[1], observer.next);
    return observer.next;
}

Test(interleavings, a_stage_may_die_anywhere_and_its_heir_too)
{
    uint64_t next = 0;
    bool died = true;
    for (unsigned place = 0; died; place++) {
        bool heir_died = true;
        for (unsigned heir_place = 0; heir_died; heir_place++) {
            atomic_store(&rings[0].file->consumers[1].cursor, next);
            while (producers[0].next < next + UINT64_C(3) * LIFE_RECORDS)
                put(0);
            died = live_until(place);
            heir_died = live_until(heir_place);
            uint64_t before = next;
            next = read_on(next);
            live();
            next = read_on(next);
            cr_assert_geq(next, before + LIFE_RECORDS, "the life that ended well told what it had");
        }
    }
    cr_assert_gt(next, UINT64_C(10) * SLOTS);
}

/* ---- 3: consumers that go on meanwhile --------------------------------------------------------------------------- */

static struct ring_consumer readers[2];
static uint64_t marked_count;

static void read_some(struct ring_consumer *consumer)
{
    const uint64_t *record = NULL;
    for (int records = rand() % 5; records > 0 && (record = ring_next(consumer)); records--)
        cr_assert(whole(record, consumer->next - 1));
    if (rand() % 3 == 0)
        ring_release(consumer, consumer->next);
}

static void readers_go_on(const char *place)
{
    const struct ring_producer *producer = &producers[0];
    if (strcmp(place, "claim: before the mark") == 0) {
        marked_count++;
        for (int reader = 0; reader < 2; reader++) {
            uint64_t cursor = atomic_load(&rings[0].file->consumers[reader].cursor);
            cr_assert_lt(producer->next, cursor + SLOTS, "a record that is still needed is written over");
        }
    }
    if (rand() % 8 == 0) /* slower than the producer, so that it is full most of the time */
        read_some(&readers[rand() % 2]);
}

Test(interleavings, no_slot_is_taken_that_a_consumer_needs)
{
    enum { RECORDS = 200000 };
    srand(7);
    cr_assert_eq(ring_consumer_open(&readers[0], &rings[0], "first", 0, NULL), 0);
    cr_assert_eq(ring_consumer_open(&readers[1], &rings[0], "second", 0, NULL), 0);
    cr_assert_eq(ring_consumer_add_barrier(&readers[1], "first", NULL), 0);
    hooks_arm(HOOKS_EACH, readers_go_on);
    while (producers[0].next < RECORDS) {
        uint64_t *record = ring_claim(&producers[0]);
        if (!record)
            continue;
        fill(record, producers[0].next, 16);
        ring_publish(&producers[0]);
    }
    hooks_disarm();
    cr_assert_eq(marked_count, RECORDS);
    cr_assert_gt(atomic_load(&rings[0].file->producer.stall_count), 0, "it was never full: nothing was tried");
}
