/*
 * How long a matcher takes to have its books again after everything has ended: from the journal alone, and from a
 * snapshot and what the journal holds after it.
 *
 *   stream --> a real journaler --> journal --> books_open, recover_poll (the stage's own) --> books
 *                                      +------> snapshotter_poll --> snapshot
 *
 * Rules
 *   1. No figure without a right answer: the event hash and the number of live orders must be those of the stream.
 *   2. All that a matcher does at start is in the time: memory taken and touched, snapshot read and checked, journal
 *      read, verified and replayed, checkpoints compared.
 *   3. Files have just been written, so they may be in the page cache; --cold drops it first, where that is allowed.
 */
#include "perf/bench/recovery/bench_recovery.h"

#include "base/units.h"
#include "env/clock.h"
#include "log/log.h"
#include "perf/bench/engine/stream.h"
#include "perf/bench/journal/rig.h"
#include "perf/machine/cores.h"
#include "recover.h"
#include "snapshotter.h"
#include "topology/topology.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_NS (60 * (uint64_t)NS_PER_SECOND)

struct bench {
    const char *directory;
    const char *shape;
    uint64_t commands;
    uint64_t after; /* commands behind the snapshot */
    uint64_t seed;
    bool cold;
    bool json;
    struct stream stream;
    struct config config;
};

struct figures {
    double from_journal_s;
    double from_snapshot_s;
    double snapshot_mb;
    uint64_t live_orders;
};

/* ---- the journal --------------------------------------------------------------------------------------------------
 */

static int publish_until(struct bench *bench, struct rig *rig, uint64_t end, struct error *error)
{
    uint64_t give_up_ns = clock_monotonic_ns() + WAIT_NS;
    while (rig_durable(rig) < end) {
        uint32_t count = 0;
        while (count < 512 && rig->producer.next < end && rig_put(rig, &bench->stream.commands[rig->producer.next - 1]))
            count++;
        rig_flush(rig);
        if (count > 0)
            give_up_ns = clock_monotonic_ns() + WAIT_NS;
        else if (clock_monotonic_ns() > give_up_ns)
            return error_set(error, ERROR_TIMEOUT, rig->directory, "the journaler does not go on");
    }
    return 0;
}

/* ---- snapshots ----------------------------------------------------------------------------------------------------
 */

static int take_snapshot(struct bench *bench, double *ret_mb, struct error *error)
{
    struct snapshotter *snapshotter;
    struct snapshotter_status status = {0};
    int result = snapshotter_open(&snapshotter, &bench->config, false, error);
    if (result < 0)
        return result;
    while (result >= 0 && status.published_count == 0) {
        result = snapshotter_poll(snapshotter, clock_monotonic_ns(), error);
        snapshotter_status(snapshotter, &status);
        if (result == 0)
            usleep(1000);
    }
    snapshotter_close(snapshotter);
    *ret_mb = (double)status.published_bytes / 1e6;
    return result < 0 ? result : 0;
}

/* ---- recovering ---------------------------------------------------------------------------------------------------
 */

/* The ends of two rings as they are at a cold start: every command durable, every event in the event log. */
struct ends {
    struct ring_file *commands;
    struct ring_file *events;
    struct ring_consumer consumer;
    struct ring_producer producer;
};

static int ends_open(struct ends *ends, uint64_t command_seq_next, uint64_t event_seq_next)
{
    *ends = (struct ends){.commands = aligned_alloc(LINE_PAIR_BYTES, ring_bytes(RING_CAPACITY_MIN)),
                          .events = aligned_alloc(LINE_PAIR_BYTES, ring_bytes(RING_CAPACITY_MIN))};
    if (!ends->commands || !ends->events)
        return -1;
    memset(ends->commands, 0, ring_bytes(RING_CAPACITY_MIN));
    memset(ends->events, 0, ring_bytes(RING_CAPACITY_MIN));
    atomic_store(&ends->commands->consumers[0].cursor, command_seq_next);
    ends->consumer = (struct ring_consumer){.file = ends->commands,
                                            .mask = RING_CAPACITY_MIN - 1,
                                            .next = command_seq_next,
                                            .barrier_count = 1,
                                            .barriers = {&ends->commands->consumers[0].cursor}};
    ends->producer = (struct ring_producer){.file = ends->events,
                                            .mask = RING_CAPACITY_MIN - 1,
                                            .next = event_seq_next,
                                            .limit = event_seq_next + RING_CAPACITY_MIN};
    return 0;
}

static void ends_close(struct ends *ends)
{
    free(ends->commands);
    free(ends->events);
}

static bool is_right(const struct bench *bench, const struct engine *engine)
{
    return engine_command_seq_next(engine) == bench->stream.count + 1 &&
           engine_event_hash(engine) == bench->stream.event_hash;
}

static int recover(struct bench *bench, double *ret_s, uint64_t *ret_live, struct error *error)
{
    static struct recovery recovery;
    struct books books;
    struct ends ends;
    if (ends_open(&ends, bench->stream.count + 1, bench->stream.event_seq_next) < 0)
        return error_system(error, ENOMEM, "recovery", "no memory");
    uint64_t start_ns = clock_monotonic_ns();
    int result = books_open(&books, &bench->config, error);
    recovery = (struct recovery){.books = &books,
                                 .producer = &ends.producer,
                                 .consumer = &ends.consumer,
                                 .directory = bench->config.journal_directory,
                                 .snapshots_directory = bench->config.snapshots_directory,
                                 .durable = true};
    while (result == 0)
        result = recover_poll(&recovery, clock_monotonic_ns(), error);
    *ret_s = (double)(clock_monotonic_ns() - start_ns) / NS_PER_SECOND;
    recover_finish(&recovery);
    if (result > 0 && !is_right(bench, books.engine))
        result = error_set(error, ERROR_CORRUPT, "recovery", "the books are not those of the stream");
    if (result > 0)
        *ret_live = engine_live_orders(books.engine);
    books_close(&books);
    ends_close(&ends);
    return result < 0 ? result : 0;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------
 */

static void configure(struct bench *bench, const struct rig *rig)
{
    struct config *config = &bench->config;
    const struct engine_limits *limits = &bench->stream.limits;
    config_init(config);
    snprintf(config->journal_directory, CONFIG_TEXT_BYTES, "%.240s/journal", rig->directory);
    snprintf(config->snapshots_directory, CONFIG_TEXT_BYTES, "%.240s/snapshots", rig->directory);
    snprintf(config->exchange_rings_directory, CONFIG_TEXT_BYTES, "%s", rig->rings);
    config->engine_orders_max = limits->orders_max;
    config->engine_instruments_max = limits->instruments_max;
    config->engine_sessions_max = limits->sessions_max;
    config->engine_levels_max = limits->levels_max;
}

static void drop_page_cache(void)
{
    sync();
    int file = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, "1", 1) != 1)
        log_warning("cannot drop the page cache: files may be in it");
    if (file >= 0)
        close(file);
}

static int measure(struct bench *bench, struct figures *figures, struct error *error)
{
    struct rig rig;
    const struct rig_form form = {
        .directory = bench->directory, .durability = "write", .segment_bytes = (uint64_t)256 * MIB, .slots = 65536};
    int result = rig_open(&rig, &form, error);
    configure(bench, &rig);
    if (result == 0)
        result = publish_until(bench, &rig, bench->stream.count + 1 - bench->after, error);
    if (result == 0)
        result = take_snapshot(bench, &figures->snapshot_mb, error);
    if (result == 0)
        result = publish_until(bench, &rig, bench->stream.count + 1, error);
    if (result == 0)
        result = rig_end(&rig, error);
    if (result == 0 && bench->cold)
        drop_page_cache();
    if (result == 0)
        result = recover(bench, &figures->from_snapshot_s, &figures->live_orders, error);
    snprintf(bench->config.snapshots_directory, CONFIG_TEXT_BYTES, "%.240s/none", rig.directory);
    if (result == 0 && bench->cold)
        drop_page_cache();
    if (result == 0)
        result = recover(bench, &figures->from_journal_s, &figures->live_orders, error);
    int closed = rig_close(&rig, error);
    return result < 0 ? result : closed;
}

static int report(struct bench *bench)
{
    struct figures figures = {0};
    struct error error = {0};
    int result = measure(bench, &figures, &error);
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", error.where, error.what);
        return 1;
    }
    double commands = (double)bench->stream.count;
    if (bench->json)
        printf("{\"commands\": %.0f, \"live_orders\": %llu, \"from_journal_s\": %.3f, \"commands_per_s\": %.0f, "
               "\"from_snapshot_s\": %.3f, \"commands_after_snapshot\": %llu, \"snapshot_mb\": %.1f, \"complete\": "
               "true}\n",
               commands, (unsigned long long)figures.live_orders, figures.from_journal_s,
               commands / figures.from_journal_s, figures.from_snapshot_s, (unsigned long long)bench->after,
               figures.snapshot_mb);
    else
        printf("%.0f commands, %llu live orders\n"
               "from the journal alone  %8.3f s   %.0f commands/s\n"
               "from a snapshot         %8.3f s   %.1f MB, and %llu commands after it\n",
               commands, (unsigned long long)figures.live_orders, figures.from_journal_s,
               commands / figures.from_journal_s, figures.from_snapshot_s, figures.snapshot_mb,
               (unsigned long long)bench->after);
    return 0;
}

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: ringside bench recovery [--shape d1k|d100k|s1000|d1m] [--commands N] [--after N] [--seed N]\n"
                "                               [--directory DIR] [--cold] [--json]\n\n"
                "Writes a journal, then times how long a matcher takes to have its books again.\n\n"
                "  --shape      d1m by default: a million live orders\n"
                "  --commands   in the journal, 10000000 by default\n"
                "  --after      of them, behind the snapshot: 0 by default\n"
                "  --directory  for journal and snapshot, /var/tmp by default\n"
                "  --cold       drops the page cache first\n"
                "  --json       one JSON object\n");
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

int bench_recovery_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"shape", required_argument, NULL, 's'},
        {"commands", required_argument, NULL, 'c'},
        {"after", required_argument, NULL, 'a'},
        {"seed", required_argument, NULL, 'e'},
        {"directory", required_argument, NULL, 'd'},
        {"cold", no_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct bench bench = {.directory = "/var/tmp", .shape = "d1m", .commands = 10000000, .seed = 1};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 's')
            bench.shape = optarg;
        else if (option == 'c')
            bench.commands = strtoull(optarg, NULL, 10);
        else if (option == 'a')
            bench.after = strtoull(optarg, NULL, 10);
        else if (option == 'e')
            bench.seed = strtoull(optarg, NULL, 10);
        else if (option == 'd')
            bench.directory = optarg;
        else if (option == 'o')
            bench.cold = true;
        else if (option == 'j')
            bench.json = true;
        else
            return option == 'h' ? usage(stdout, 0) : usage(stderr, 64);
    }
    const struct shape *shape = shape_named(bench.shape);
    if (!shape || bench.commands == 0 || bench.commands > 50000000 || bench.after >= bench.commands || optind < argc)
        return usage(stderr, 64);
    /* The commands that build the books up count. */
    uint64_t timed = bench.commands > shape->live_orders ? bench.commands - shape->live_orders : bench.commands;
    struct error error = {0};
    log_open("bench", LOG_LEVEL_WARNING);
    if (stream_open(&bench.stream, shape, timed, bench.seed, true, &error) < 0) {
        fprintf(stderr, "%s: %s\n", error.where, error.what);
        return 1;
    }
    int code = report(&bench);
    stream_close(&bench.stream);
    return code;
}
