/*
 * How many 128-byte records a second go through a ring from one process to one or two others, at 1 and at 64 records
 * between flushes, beside the time that a cache line takes from one core to the other in the same run, and the share of
 * the machine's time that was stolen meanwhile.
 *
 * Every consumer checks every record (its number in the first and in the last word), so a rate is printed only for a
 * run in which nothing was lost, doubled or torn. Processes are pinned: producer to core 0, consumers to core 1 and on.
 */
#include "perf/bench/ring/bench_ring.h"

#include "base/units.h"
#include "env/clock.h"
#include "perf/machine/cores.h"
#include "perf/machine/machine.h"
#include "ring/ring.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONSUMERS_MAX 2

struct bench {
    uint64_t records;
    uint32_t slots;
    bool json;
};

/* ---- the ring ---------------------------------------------------------------------------------------------------- */

static int consume(struct ring *ring, const char *name, uint64_t records)
{
    struct ring_consumer consumer;
    if (ring_consumer_open(&consumer, ring, name, 0, NULL) < 0)
        return 1;
    for (uint64_t wanted = 0; wanted < records; wanted++) {
        const uint64_t *record;
        while (!(record = ring_next(&consumer))) {
            ring_release(&consumer, consumer.next);
            core_relax();
        }
        if (record[1] != wanted || record[15] != ~wanted)
            return 1;
        if ((wanted & 63) == 63)
            ring_release(&consumer, consumer.next);
    }
    ring_release(&consumer, consumer.next);
    return 0;
}

static void produce(struct ring *ring, uint64_t records, uint32_t batch)
{
    struct ring_producer producer;
    if (ring_producer_open(&producer, ring, 0, NULL) < 0)
        return;
    for (uint64_t number = 0; number < records; number++) {
        uint64_t *record;
        while (!(record = ring_claim(&producer)))
            core_relax();
        for (int word = 1; word < 15; word++)
            record[word] = number;
        record[15] = ~number;
        ring_publish(&producer);
        if (number % batch == batch - 1)
            ring_flush(&producer);
    }
    ring_flush(&producer);
}

/* Records a second, or 0 if a consumer found a wrong one. */
static double measure(const struct bench *bench, uint32_t batch, uint32_t consumers)
{
    char path[] = "/dev/shm/ringside-bench-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return 0;
    close(fd);
    unlink(path);
    struct ring ring = {0};
    const struct ring_parameters parameters = {
        .name = "bench", .capacity = bench->slots, .gating_count = consumers, .gating_names = {"one", "two"}};
    if (ring_create(&ring, path, &parameters, NULL) < 0)
        return 0;
    pid_t children[CONSUMERS_MAX];
    for (uint32_t number = 0; number < consumers; number++) {
        children[number] = fork();
        if (children[number] == 0) {
            core_pin(number + 1);
            _exit(consume(&ring, parameters.gating_names[number], bench->records));
        }
    }
    core_pin(0);
    uint64_t started_ns = clock_monotonic_ns();
    produce(&ring, bench->records, batch);
    bool right = true;
    for (uint32_t number = 0; number < consumers; number++) {
        int status = 1;
        right = waitpid(children[number], &status, 0) > 0 && status == 0 && right;
    }
    uint64_t took_ns = clock_monotonic_ns() - started_ns;
    ring_detach(&ring);
    unlink(path);
    return right ? (double)bench->records * NS_PER_SECOND / (double)took_ns : 0;
}

static int report(const struct bench *bench)
{
    static const uint32_t batches[] = {1, 64};
    uint32_t consumers_max = sysconf(_SC_NPROCESSORS_ONLN) > 2 ? CONSUMERS_MAX : 1;
    struct machine_times before, after;
    machine_times_read(&before);
    double hop_ns = core_to_core_ns();
    bool right = true;
    printf(bench->json ? "{\"core_to_core_ns\": %.1f" : "core to core %.1f ns one way, 128-byte records\n", hop_ns);
    for (uint32_t consumers = 1; consumers <= consumers_max; consumers++) {
        for (size_t which = 0; which < ARRAY_COUNT(batches); which++) {
            double rate = measure(bench, batches[which], consumers);
            right = right && rate > 0;
            printf(bench->json ? ", \"records_per_s_batch_%u_consumers_%u\": %.0f"
                               : "flushed every %2u, %u consumer(s): %12.0f records/s\n",
                   batches[which], consumers, rate);
        }
    }
    machine_times_read(&after);
    double stolen = machine_stolen(&before, &after);
    printf(bench->json ? ", \"stolen_fraction\": %.4f, \"complete\": %s}\n"
                       : "stolen time %.4f of the machine's; every record checked: %s\n",
           stolen, bench->json ? (right ? "true" : "false") : (right ? "yes" : "NO"));
    return right ? 0 : 1;
}

static int usage(FILE *to, int code)
{
    fprintf(to,
            "usage: ringside bench ring [--records N] [--slots N] [--json]\n\n"
            "Sends records through a ring from one process to others, checks every one of them, and prints records\n"
            "a second beside the time that a cache line takes between two cores.\n");
    return code;
}

int bench_ring_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"records", required_argument, NULL, 'n'},
        {"slots", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct bench bench = {.records = 20000000, .slots = 4096};
    for (int choice; (choice = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (choice == 'n')
            bench.records = strtoull(optarg, NULL, 10);
        else if (choice == 's')
            bench.slots = (uint32_t)strtoul(optarg, NULL, 10);
        else if (choice == 'j')
            bench.json = true;
        else
            return choice == 'h' ? usage(stdout, 0) : usage(stderr, 64);
    }
    if (bench.records == 0 || ring_bytes(bench.slots) == 0 || optind < argc)
        return usage(stderr, 64);
    return report(&bench);
}
