/*
 * One producer, two gating consumers and two observers on one small ring, as threads on one mapping, so that the thread
 * sanitizer sees every pair. Consumers must get every record once, in order, whole; observers whatever they get whole.
 * The copy of an observer races with the producer by design (the slot's word says afterwards whether it counts), so the
 * sanitizer does not look at that one function; the observers check its verdict instead.
 */
#include "ring/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if RING_THREAD_SANITIZER
#define RECORDS 1000000u
#else
#define RECORDS 3000000u
#endif
#define SLOTS     128u
#define OBSERVERS 2

static struct ring ring;
static _Atomic uint64_t observed_count;
static _Atomic uint64_t missed_count;

static void fail(const char *who, uint64_t number)
{
    fprintf(stderr, "%s: record %lu is lost, doubled or torn\n", who, number);
    exit(1);
}

static bool whole(const uint64_t *record, uint64_t number)
{
    for (int word = 1; word < 16; word++)
        if (record[word] != number * (uint64_t)word)
            return false;
    return true;
}

static void *consume(void *name)
{
    struct ring_consumer consumer;
    if (ring_consumer_open(&consumer, &ring, name, 0, NULL) < 0)
        fail(name, 0);
    for (uint64_t number = 0; number < RECORDS;) {
        const uint64_t *record = ring_next(&consumer);
        if (!record) {
            ring_release(&consumer, consumer.next);
            sched_yield();
            continue;
        }
        if (!whole(record, number))
            fail(name, number);
        number++;
        if (number % 16 == 0)
            ring_release(&consumer, consumer.next);
    }
    ring_release(&consumer, consumer.next);
    return NULL;
}

static void *observe(void *name)
{
    struct ring_observer observer;
    ring_observer_open(&observer, &ring, 0);
    uint64_t record[16];
    while (observer.next < RECORDS) {
        switch (ring_observe(&observer, record)) {
        case RING_OBSERVED:
            if (!whole(record, observer.next - 1))
                fail(name, observer.next - 1);
            atomic_fetch_add(&observed_count, 1);
            break;
        case RING_OVERRUN:
            atomic_fetch_add(&missed_count, ring_observer_skip(&observer));
            break;
        case RING_NOTHING:
            sched_yield();
            break;
        }
    }
    return NULL;
}

static void produce(void)
{
    struct ring_producer producer;
    if (ring_producer_open(&producer, &ring, 0, NULL) < 0)
        fail("producer", 0);
    for (uint64_t number = 0; number < RECORDS; number++) {
        uint64_t *record;
        while (!(record = ring_claim(&producer)))
            sched_yield();
        for (int word = 1; word < 16; word++)
            record[word] = number * (uint64_t)word;
        ring_publish(&producer);
        if (number % 16 == 0)
            ring_flush(&producer);
    }
    ring_flush(&producer);
}

int main(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/dev/shm/ringside-test-race-%d", (int)getpid());
    unlink(path);
    const struct ring_parameters parameters = {
        .name = "race", .capacity = SLOTS, .gating_count = 2, .gating_names = {"first", "second"}};
    struct error error;
    if (ring_create(&ring, path, &parameters, &error) < 0) {
        fprintf(stderr, "%s: %s\n", error.where, error.what);
        return 1;
    }
    unlink(path);
    pthread_t consumers[2], observers[2];
    char names[2][8] = {"first", "second"};
    for (int number = 0; number < 2; number++)
        pthread_create(&consumers[number], NULL, consume, names[number]);
    for (int number = 0; number < OBSERVERS; number++)
        pthread_create(&observers[number], NULL, observe, "observer");
    produce();
    for (int number = 0; number < 2; number++)
        pthread_join(consumers[number], NULL);
    for (int number = 0; number < OBSERVERS; number++)
        pthread_join(observers[number], NULL);
    ring_detach(&ring);
    uint64_t observed = atomic_load(&observed_count), missed = atomic_load(&missed_count);
    printf("%u records to 2 consumers; %d observers saw %lu and missed %lu\n", RECORDS, OBSERVERS, observed, missed);
    return observed + missed == OBSERVERS * (uint64_t)RECORDS && observed > 0 ? 0 : 1;
}
