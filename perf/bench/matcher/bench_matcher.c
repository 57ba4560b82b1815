/*
 * How many commands a second the matcher takes from the command ring to the event ring, between two processes:
 *
 *   this one (core 0):   stream --> command ring, journaler's cursor        event ring --> read, every byte
 *   the other (core 1):             command ring --> pump_work (the stage's own) --> event ring
 *
 * Rules
 *   1. No figure without a right answer: the running hash of all events must be what the stream's maker got.
 *   2. Beside it stands the floor in the same run: the same two rings and processes with as many commands read and
 *      events written and hashed, and no engine between; and the time that a cache line takes from core to core.
 *   3. The journaler's cursor is moved by this process as soon as a burst is published: no disk is in the figure.
 */
#include "perf/bench/matcher/bench_matcher.h"

#include "base/units.h"
#include "env/clock.h"
#include "perf/bench/engine/stream.h"
#include "perf/machine/cores.h"
#include "perf/machine/machine.h"
#include "pump.h"
#include "topology/topology.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BURST      64u
#define ROUNDS_MAX 64

struct bench {
    uint64_t commands;
    uint64_t seed;
    uint32_t slots;
    uint32_t rounds;
    const char *shape;
    bool json;
};

struct rings {
    struct ring commands;
    struct ring events;
};

/* ---- the rings ----------------------------------------------------------------------------------------------------
 */

static int one_ring(struct ring *ring, const struct ring_parameters *parameters)
{
    char path[] = "/dev/shm/ringside-bench-XXXXXX";
    int file = mkstemp(path);
    if (file < 0)
        return -1;
    close(file);
    unlink(path);
    int result = ring_create(ring, path, parameters, NULL);
    unlink(path);
    return result;
}

static int rings_open(struct rings *rings, uint32_t slots)
{
    const struct ring_parameters commands = {.name = RING_NAME_COMMAND,
                                             .capacity = slots,
                                             .base_seq = 1,
                                             .gating_count = 2,
                                             .gating_names = {LINE_JOURNALER, LINE_MATCHER}};
    const struct ring_parameters events = {
        .name = RING_NAME_EVENT, .capacity = slots, .base_seq = 1, .gating_count = 1, .gating_names = {LINE_EVENT_LOG}};
    *rings = (struct rings){0};
    int result = one_ring(&rings->commands, &commands);
    return result < 0 ? result : one_ring(&rings->events, &events);
}

static void rings_close(struct rings *rings)
{
    ring_detach(&rings->commands);
    ring_detach(&rings->events);
}

/* ---- the other process --------------------------------------------------------------------------------------------
 */

static int pump_open(struct pump *pump, struct rings *rings)
{
    int result = ring_consumer_open(&pump->consumer, &rings->commands, LINE_MATCHER, 0, NULL);
    if (result == 0)
        result = ring_consumer_add_barrier(&pump->consumer, LINE_JOURNALER, NULL);
    if (result == 0)
        result = ring_producer_open(&pump->producer, &rings->events, 0, NULL);
    if (result == 0)
        pump_join(pump);
    return result;
}

/* 0: every event was right. */
static int match(const struct stream *stream, struct rings *rings)
{
    static struct pump pump;
    void *memory = stream_memory(engine_bytes(&stream->limits));
    pump.engine = memory ? engine_create(memory, &stream->limits) : NULL;
    if (!pump.engine || pump_open(&pump, rings) < 0)
        return 1;
    while (engine_command_seq_next(pump.engine) <= stream->count || engine_more(pump.engine)) {
        int count = pump_work(&pump, NULL);
        if (count < 0)
            return 1;
        if (count == 0)
            core_relax();
    }
    return engine_event_hash(pump.engine) == stream->event_hash ? 0 : 1;
}

static uint64_t read_record(const void *record)
{
    const uint64_t *words = record;
    uint64_t sum = 0;
    for (uint32_t word = 1; word < RING_SLOT_BYTES / 8; word++)
        sum += words[word];
    return sum;
}

/* The same traffic without an engine: `events` for all commands, spread evenly. */
static int pass_on(const struct stream *stream, struct rings *rings, uint64_t events)
{
    static struct pump pump;
    uint64_t hash = 0;
    uint64_t written = 0;
    if (pump_open(&pump, rings) < 0)
        return 1;
    for (uint64_t taken = 0; taken < stream->count;) {
        ring_consumer_refresh(&pump.consumer);
        for (uint32_t i = 0; i < BURST && pump.consumer.next < pump.consumer.limit; i++, pump.consumer.next++) {
            uint64_t sum = read_record(&pump.input.commands[pump.consumer.next & pump.input.mask]);
            for (taken++; written * stream->count < taken * events; written++) {
                uint64_t *words;
                while (!(words = ring_claim(&pump.producer)))
                    core_relax();
                for (uint32_t word = 1; word < RECORD_BYTES / 8; word++)
                    words[word] = sum + word;
                hash = engine_event_hash_next(hash, (const struct event *)(const void *)words);
                ring_publish(&pump.producer);
            }
        }
        ring_flush(&pump.producer);
        ring_release(&pump.consumer, pump.consumer.next);
    }
    __asm__ volatile("" : : "r"(hash)); /* the result is used */
    return 0;
}

/* ---- this process -------------------------------------------------------------------------------------------------
 */

struct driver {
    const struct stream *stream;
    struct rings *rings;
    struct ring_producer producer;
    struct ring_consumer journaler;
    struct ring_consumer events;
    pid_t other;
    uint64_t sum;
};

static int driver_open(struct driver *driver)
{
    int result = ring_producer_open(&driver->producer, &driver->rings->commands, 0, NULL);
    if (result == 0)
        result = ring_consumer_open(&driver->journaler, &driver->rings->commands, LINE_JOURNALER, 0, NULL);
    if (result == 0)
        result = ring_consumer_open(&driver->events, &driver->rings->events, LINE_EVENT_LOG, 0, NULL);
    return result;
}

/* Up to the cursor only: whoever looks at the slot that is being written takes its line away from the writer. */
static uint32_t drain(struct driver *driver)
{
    const struct ring_producer_line *line = &driver->rings->events.file->producer;
    uint64_t end = atomic_load_explicit(&line->cursor, memory_order_acquire);
    uint32_t count = 0;
    const void *record;
    while (count < 2 * BURST && driver->events.next < end && (record = ring_next(&driver->events))) {
        driver->sum += read_record(record);
        count++;
    }
    if (count > 0)
        ring_release(&driver->events, driver->events.next);
    return count;
}

static uint32_t send(struct driver *driver, uint64_t end)
{
    uint32_t count = 0;
    while (count < BURST && driver->producer.next < end &&
           ring_put(&driver->producer, &driver->stream->commands[driver->producer.next - 1]))
        count++;
    if (count == 0)
        return 0;
    ring_flush(&driver->producer);
    ring_release(&driver->journaler, driver->producer.next);
    return count;
}

/* The other process has taken all before `end`, and every event of it has been read. */
static bool done(const struct driver *driver, uint64_t end)
{
    const struct ring_file *commands = driver->rings->commands.file;
    const struct ring_file *events = driver->rings->events.file;
    return atomic_load_explicit(&commands->consumers[1].cursor, memory_order_acquire) >= end &&
           driver->events.next >= atomic_load_explicit(&events->producer.cursor, memory_order_acquire);
}

/* Sends what is before `end` and reads what comes of it. false: the other process is gone. */
static bool drive_until(struct driver *driver, uint64_t end)
{
    for (uint32_t idle = 1;; idle++) {
        if (send(driver, end) + drain(driver) > 0) {
            idle = 0;
            continue;
        }
        if (done(driver, end))
            return true;
        if (idle % 1000000 == 0 && kill(driver->other, 0) < 0)
            return false;
        core_relax();
    }
}

/* Commands a second after the warm ones; 0: the answer was wrong. */
static double measure(const struct bench *bench, const struct stream *stream, bool with_engine)
{
    struct rings rings;
    double rate = 0;
    if (rings_open(&rings, bench->slots) < 0) {
        rings_close(&rings);
        return 0;
    }
    pid_t other = fork();
    if (other == 0) {
        core_pin(1);
        uint64_t events = stream->event_count * stream->count / (stream->count - stream->warm_count);
        _exit(with_engine ? match(stream, &rings) : pass_on(stream, &rings, events));
    }
    struct driver driver = {.stream = stream, .rings = &rings, .other = other};
    core_pin(0);
    if (other > 0 && driver_open(&driver) == 0 && drive_until(&driver, stream->warm_count + 1)) {
        uint64_t started_ns = clock_monotonic_ns();
        bool driven = drive_until(&driver, stream->count + 1);
        uint64_t took_ns = clock_monotonic_ns() - started_ns;
        if (driven)
            rate = (double)(stream->count - stream->warm_count) * NS_PER_SECOND / (double)took_ns;
    }
    int status = 1;
    if (other > 0 && rate == 0)
        kill(other, SIGKILL);
    bool right = other > 0 && waitpid(other, &status, 0) > 0 && status == 0;
    rings_close(&rings);
    return right ? rate : 0;
}

static int order_of(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static int report(const struct bench *bench, const struct stream *stream)
{
    double rates[ROUNDS_MAX] = {0}, floors[ROUNDS_MAX] = {0};
    struct machine_times before, after;
    bool right = true;
    machine_times_read(&before);
    double hop_ns = core_to_core_ns();
    for (uint32_t round = 0; round < bench->rounds; round++) {
        rates[round] = measure(bench, stream, true);
        floors[round] = measure(bench, stream, false);
        right = right && rates[round] > 0 && floors[round] > 0;
    }
    machine_times_read(&after);
    qsort(rates, bench->rounds, sizeof(rates[0]), order_of);
    qsort(floors, bench->rounds, sizeof(floors[0]), order_of);
    double stolen = machine_stolen(&before, &after);
    uint32_t middle = bench->rounds / 2;
    if (bench->json)
        printf("{\"shape\": \"%s\", \"core_to_core_ns\": %.1f, \"commands_per_s\": %.0f, "
               "\"floor_commands_per_s\": %.0f, \"events_per_command\": %.3f, \"stolen_fraction\": %.4f, "
               "\"complete\": %s}\n",
               stream->shape->name, hop_ns, rates[middle], floors[middle],
               (double)stream->event_count / (double)(stream->count - stream->warm_count), stolen,
               right ? "true" : "false");
    else
        printf("%s through two rings and two processes, core to core %.1f ns one way, median of %u\n"
               "with the engine:    %12.0f commands/s\n"
               "without (floor):    %12.0f commands/s, %.2f events a command\n"
               "stolen time %.4f of the machine's; every event right: %s\n",
               stream->shape->name, hop_ns, bench->rounds, rates[middle], floors[middle],
               (double)stream->event_count / (double)(stream->count - stream->warm_count), stolen,
               right ? "yes" : "NO");
    return right ? 0 : 1;
}

/* ---- the command line ---------------------------------------------------------------------------------------------
 */

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: ringside bench matcher [--shape d1k|d100k|s1000|d1m] [--commands N] [--seed N] [--rounds N]\n"
                "                              [--slots N] [--json]\n\n"
                "Commands in through one ring, events out through another, in two processes, the matcher's own code\n"
                "between; beside it the same traffic without the engine.\n\n"
                "  --shape     d100k by default\n"
                "  --commands  timed commands of a round, 2000000 by default\n"
                "  --seed      of the stream, 1 by default\n"
                "  --rounds    5 by default; the median is given\n"
                "  --slots     of each ring, 4096 by default\n"
                "  --json      one JSON object\n");
    return code;
}

static const struct shape *shape_named(const char *name)
{
    for (uint32_t i = 0; i < SHAPE_COUNT; i++) {
        if (strcmp(shapes[i].name, name) == 0)
            return &shapes[i];
    }
    return NULL;
}

int bench_matcher_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"shape", required_argument, NULL, 's'}, {"commands", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 'e'},  {"rounds", required_argument, NULL, 'r'},
        {"slots", required_argument, NULL, 'l'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},        {0},
    };
    struct bench bench = {.commands = 2000000, .seed = 1, .slots = 4096, .rounds = 5, .shape = "d100k"};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 's')
            bench.shape = optarg;
        else if (option == 'c')
            bench.commands = strtoull(optarg, NULL, 10);
        else if (option == 'e')
            bench.seed = strtoull(optarg, NULL, 10);
        else if (option == 'r')
            bench.rounds = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 'l')
            bench.slots = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 'j')
            bench.json = true;
        else
            return option == 'h' ? usage(stdout, 0) : usage(stderr, 64);
    }
    const struct shape *shape = shape_named(bench.shape);
    if (!shape || bench.commands == 0 || bench.commands > 100000000 || bench.rounds == 0 || bench.rounds > ROUNDS_MAX ||
        ring_bytes(bench.slots) == 0 || bench.slots < 2 * ENGINE_EVENTS_MAX || optind < argc)
        return usage(stderr, 64);
    struct stream stream;
    struct error error;
    if (stream_open(&stream, shape, bench.commands, bench.seed, true, &error) < 0) {
        fprintf(stderr, "%s: %s\n", error.where, error.what);
        return 1;
    }
    int code = report(&bench, &stream);
    stream_close(&stream);
    return code;
}
