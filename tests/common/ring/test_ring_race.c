/*
 * One producer, two gating consumers and two observers on one small ring, as threads on one mapping, so that the thread
 * sanitizer sees every pair. Consumers must get every record once, in order, whole; observers whatever they get whole.
 * The copy of an observer races with the producer by design (the slot's word says afterwards whether it counts), so
 * under the sanitizer observers are left out.
 */
#include "ring/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORDS 300000u
#define SLOTS   128u

#if defined(__SANITIZE_THREAD__)
#define OBSERVERS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OBSERVERS 0
#endif
#endif
#ifndef OBSERVERS
#define OBSERVERS 2
#endif

static struct ring ring;
static _Atomic bool finished;
static _Atomic uint64_t observed_count;

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
    while (!atomic_load(&finished)) {
        uint64_t record[16];
        switch (ring_observe(&observer, record)) {
        case RING_OBSERVED:
            if (!whole(record, observer.next - 1))
                fail(name, observer.next - 1);
            atomic_fetch_add(&observed_count, 1);
            break;
        case RING_OVERRUN:
            observer.next = ring_observer_oldest(&observer);
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
    atomic_store(&finished, true);
    for (int number = 0; number < OBSERVERS; number++)
        pthread_join(observers[number], NULL);
    ring_detach(&ring);
    printf("%u records to 2 consumers, %lu seen by %d observers\n", RECORDS, atomic_load(&observed_count), OBSERVERS);
    return 0;
}
