/*
 * Exactly once through kill -9. Three processes: a producer fills ring A, a middle stage copies A to B, a consumer
 * reads B. All three are killed in turn, at random moments, and started again; each finds its place from what it last
 * told. The consumer tells by counting in a page that outlives it, and must come by every record once, in order.
 *
 * The middle stage resumes by the rule of all stages: what B holds says how much of A is done, whatever A's cursor
 * says. So does the consumer by its count.
 */
#include "base/units.h"
#include "env/clock.h"
#include "ring/ring.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDS 2000000u
#define SLOTS   4096u
#define KILLS   90
#define STAGES  3

static char paths[2][64];
static _Atomic uint64_t *told; /* by the consumer: so many records, in order */

static struct ring attach(int which)
{
    struct ring ring = {0};
    const struct ring_parameters any = {.name = NULL};
    struct error error;
    if (ring_attach(&ring, paths[which], true, &any, &error) < 0) {
        fprintf(stderr, "%s: %s\n", error.where, error.what);
        _exit(2);
    }
    return ring;
}

static void produce(void)
{
    struct ring ring = attach(0);
    struct ring_producer producer;
    if (ring_producer_open(&producer, &ring, 0, NULL) < 0)
        _exit(2);
    while (producer.next < RECORDS) {
        uint64_t *record = ring_claim(&producer);
        if (!record) {
            sched_yield();
            continue;
        }
        for (int word = 1; word < 16; word++)
            record[word] = producer.next + (uint64_t)word;
        ring_publish(&producer);
        if (producer.next % 32 == 0)
            ring_flush(&producer);
    }
    ring_flush(&producer);
    _exit(0);
}

static void copy(void)
{
    struct ring from = attach(0), to = attach(1);
    struct ring_consumer consumer;
    struct ring_producer producer;
    if (ring_consumer_open(&consumer, &from, "middle", 0, NULL) < 0 || ring_producer_open(&producer, &to, 0, NULL) < 0)
        _exit(2);
    consumer.next = producer.next; /* record n of A is record n of B */
    while (producer.next < RECORDS) {
        const uint64_t *record = ring_free(&producer, 1) > 0 ? ring_next(&consumer) : NULL;
        if (!record) {
            ring_flush(&producer);
            ring_release(&consumer, consumer.next);
            sched_yield();
            continue;
        }
        if (!ring_put(&producer, record))
            _exit(2);
        if (consumer.next % 24 == 0)
            ring_release(&consumer, consumer.next);
    }
    ring_flush(&producer);
    ring_release(&consumer, consumer.next);
    _exit(0);
}

static void consume(void)
{
    struct ring ring = attach(1);
    struct ring_consumer consumer;
    if (ring_consumer_open(&consumer, &ring, "last", 0, NULL) < 0)
        _exit(2);
    consumer.next = atomic_load(told);
    while (consumer.next < RECORDS) {
        const uint64_t *record = ring_next(&consumer);
        if (!record) {
            ring_release(&consumer, consumer.next);
            sched_yield();
            continue;
        }
        for (int word = 1; word < 16; word++)
            if (record[word] != atomic_load(told) + (uint64_t)word)
                _exit(3);
        atomic_store(told, consumer.next);
        if (consumer.next % 16 == 0)
            ring_release(&consumer, consumer.next);
    }
    _exit(0);
}

static pid_t start(void (*stage)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        stage();
    return child;
}

static int make_rings(void)
{
    static const char *const names[2] = {"middle", "last"};
    for (int which = 0; which < 2; which++) {
        snprintf(paths[which], sizeof(paths[which]), "/dev/shm/ringside-test-kill-%d-%d", (int)getpid(), which);
        struct ring ring = {0};
        const struct ring_parameters parameters = {
            .name = "kill", .capacity = SLOTS, .gating_count = 1, .gating_names = {names[which]}};
        unlink(paths[which]);
        if (ring_create(&ring, paths[which], &parameters, NULL) < 0)
            return -1;
        ring_detach(&ring);
    }
    return 0;
}

/* Kills one of them and starts it again, unless it has ended by itself. */
static int kill_one(pid_t *victim, void (*stage)(void))
{
    int status;
    kill(*victim, SIGKILL);
    waitpid(*victim, &status, 0);
    bool ended = WIFEXITED(status);
    if (ended && WEXITSTATUS(status) != 0)
        return -1;
    *victim = start(stage);
    return ended ? 0 : 1;
}

int main(void)
{
    void (*const stages[STAGES])(void) = {produce, copy, consume};
    told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED || make_rings() < 0)
        return 1;
    pid_t victims[STAGES];
    for (int which = 0; which < STAGES; which++)
        victims[which] = start(stages[which]);
    srand(42);
    int kills = 0, failed = 0;
    for (int turn = 0; turn < KILLS && !failed; turn++) {
        usleep((useconds_t)(rand() % 2000));
        int result = kill_one(&victims[turn % STAGES], stages[turn % STAGES]);
        failed = result < 0;
        kills += result > 0;
    }
    for (int which = 0; which < STAGES; which++) {
        int status = 0;
        if (failed)
            kill(victims[which], SIGKILL); /* the others would wait for him for ever */
        waitpid(victims[which], &status, 0);
        failed |= status;
    }
    for (int which = 0; which < 2; which++)
        unlink(paths[which]);
    failed |= atomic_load(told) != RECORDS;
    printf("%u records, %d kills: %s\n", RECORDS, kills, failed ? "LOST, DOUBLED OR TORN" : "each once");
    return failed || kills == 0;
}
