/*
 * The journaler alone, fed from its ring by this process, beside the disk alone in the same run:
 *
 *   yardstick C   4 KiB written one after the other, O_DIRECT | O_DSYNC, to blocks that were written before: writes a
 *                 second, p50, p99 of a write
 *   the same disk as who comes at any moment would find it (disk_yard.h), on a core beside one that is busy, as with a
 *                 journaler and who feeds it: what else wants to run then waits, or is waited for
 *   light         one command at a time: commits a second
 *   a rate        commands published when they are due; from then until the journaler's cursor passes them
 *   saturated     as many as the ring takes; beside 256 KiB writes one after the other
 *   rotation      p99.9 of the second around the start of a segment, beside that of all others
 *
 * Rules
 *   1. Latency counts from the moment at which a command was due, so a stall is charged to all that it delayed. The
 *      p99 that half of all tenths of a second stay below stands beside, to tell the journal's from the machine's.
 *   2. Each measurement begins with the journal as it is when it has run for a while: in a segment of full size, made
 *      of a trimmed one's file, with the next one ready. With --untrimmed none are trimmed, so that each segment is
 *      zero-written ahead.
 *   3. Commands are those of the engine's bench (stream.h), so records are as long as real ones.
 *   4. Rounds are interleaved; medians are given. Time stolen by the host stands beside.
 */
#include "perf/bench/journal/bench_journal.h"

#include "base/units.h"
#include "disk_yard.h"
#include "env/clock.h"
#include "journal/journal_codec.h"
#include "perf/bench/engine/stream.h"
#include "perf/machine/cores.h"
#include "perf/machine/machine.h"
#include "rig.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX     15
#define RATES_MAX      8
#define STREAM_COUNT   200000u
#define BURST          512u /* published before the cursor is looked at again */
#define YARD_BYTES     ((size_t)128 << 20)
#define WINDOW_NS      (100 * (uint64_t)NS_PER_MS)
#define WINDOWS_MAX    2000u
#define WINDOWS_AROUND 5 /* on each side of a rotation: the second around it */

struct bench {
    struct rig_form form;
    double seconds;
    uint32_t rounds;
    uint64_t rates[RATES_MAX];
    uint32_t rate_count;
    uint64_t rotation_rate;
    bool rotation;
    bool json;
    struct stream stream;
    double record_bytes;
};

struct figures {
    double yard_commits, yard_p50_us, yard_p99_us, yard_mb;
    double busy_p50_us, busy_p99_us;
    double light_commits, light_p50_us;
    double p50_us[RATES_MAX], p99_us[RATES_MAX], usual_p99_us[RATES_MAX], reached[RATES_MAX];
    double saturated_commands, saturated_mb;
};

typedef int measurement(struct bench *bench, struct figures *figures, struct error *error);

static double us(uint64_t ns)
{
    return (double)ns / 1000;
}

static const struct command *command_of(const struct bench *bench, uint64_t number)
{
    return &bench->stream.commands[bench->stream.warm_count + number % STREAM_COUNT];
}

/* ---- the disk alone -----------------------------------------------------------------------------------------------
 */

static int yard(struct bench *bench, struct figures *figures, struct error *error)
{
    static struct disk_yard small, busy, large;
    core_unpin();
    int result = disk_yard_measure(&small, bench->form.directory, 4096, YARD_BYTES, bench->seconds, error);
    if (result == 0)
        result = disk_yard_measure(&large, bench->form.directory, (size_t)256 * KIB, YARD_BYTES, bench->seconds, error);
    pid_t occupant = core_occupy(0);
    core_pin(1);
    if (result == 0)
        result = disk_yard_measure(&busy, bench->form.directory, 4096, YARD_BYTES, bench->seconds, error);
    core_vacate(occupant);
    figures->busy_p50_us = us(histogram_quantile(&busy.arrived_ns, 0.5));
    figures->busy_p99_us = us(histogram_quantile(&busy.arrived_ns, 0.99));
    figures->yard_commits = small.writes_per_s;
    figures->yard_p50_us = us(histogram_quantile(&small.took_ns, 0.5));
    figures->yard_p99_us = us(histogram_quantile(&small.took_ns, 0.99));
    figures->yard_mb = large.bytes_per_s / 1e6;
    return result;
}

static int open_settled(const struct bench *bench, struct rig *rig, struct error *error)
{
    int result = rig_open(rig, &bench->form, error);
    return result < 0 ? result : rig_settle(rig, &bench->form, command_of(bench, 0), error);
}

/* ---- one at a time ------------------------------------------------------------------------------------------------
 */

static int light(struct bench *bench, struct figures *figures, struct error *error)
{
    static struct histogram took_ns;
    struct rig rig;
    int result = open_settled(bench, &rig, error);
    uint64_t count = 0;
    uint64_t start_ns = clock_monotonic_ns();
    uint64_t now_ns = start_ns;
    uint64_t end_ns = start_ns + (uint64_t)(bench->seconds * NS_PER_SECOND);
    histogram_clear(&took_ns);
    while (result == 0 && now_ns < end_ns) {
        rig_put(&rig, command_of(bench, count++));
        rig_flush(&rig);
        while (rig_durable(&rig) < rig.producer.next)
            sched_yield(); /* the kernel's threads that complete a write may be waiting for this core */
        uint64_t done_ns = clock_monotonic_ns();
        histogram_record(&took_ns, done_ns - now_ns);
        now_ns = done_ns;
    }
    figures->light_commits = (double)count * NS_PER_SECOND / (double)(now_ns - start_ns);
    figures->light_p50_us = us(histogram_quantile(&took_ns, 0.5));
    int closed = rig_close(&rig, error);
    return result < 0 ? result : closed;
}

/* ---- at a rate ----------------------------------------------------------------------------------------------------
 */

struct flow {
    struct rig *rig;
    struct bench *bench;
    uint64_t start_ns;
    uint64_t start_seq;
    double ns_each;
    uint64_t told_seq; /* commands below have been recorded */
    struct histogram *took_ns;
    struct histogram *windows; /* by when they were due; NULL: not wanted */
};

static uint64_t due_ns(const struct flow *flow, uint64_t seq)
{
    return flow->start_ns + (uint64_t)((double)(seq - flow->start_seq) * flow->ns_each);
}

static void publish_due(struct flow *flow, uint64_t now_ns)
{
    uint64_t due = (uint64_t)((double)(now_ns - flow->start_ns) / flow->ns_each) + flow->start_seq + 1;
    uint32_t count = 0;
    while (count < BURST && flow->rig->producer.next < due &&
           rig_put(flow->rig, command_of(flow->bench, flow->rig->producer.next)))
        count++;
    if (count > 0)
        rig_flush(flow->rig);
    else
        sched_yield();
}

static void record_durable(struct flow *flow)
{
    uint64_t durable = rig_durable(flow->rig);
    if (durable == flow->told_seq)
        return;
    uint64_t now_ns = clock_monotonic_ns();
    for (; flow->told_seq < durable; flow->told_seq++) {
        uint64_t due = due_ns(flow, flow->told_seq);
        uint64_t took = now_ns > due ? now_ns - due : 0;
        histogram_record(flow->took_ns, took);
        uint64_t window = (due - flow->start_ns) / WINDOW_NS;
        if (flow->windows && window < WINDOWS_MAX)
            histogram_record(&flow->windows[window], took);
    }
}

static void flow_begin(struct flow *flow, struct bench *bench, struct rig *rig, uint64_t rate)
{
    *flow = (struct flow){.rig = rig,
                          .bench = bench,
                          .start_ns = clock_monotonic_ns(),
                          .start_seq = rig->producer.next,
                          .told_seq = rig->producer.next,
                          .ns_each = (double)NS_PER_SECOND / (double)rate};
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The p99 that half of all tenths of a second stay below: a stall of the machine spoils the one it is in. */
static double usual_p99_us(const struct histogram *windows, uint32_t count)
{
    static double p99_us[WINDOWS_MAX];
    for (uint32_t window = 0; window < count; window++)
        p99_us[window] = us(histogram_quantile(&windows[window], 0.99));
    qsort(p99_us, count, sizeof(double), by_size);
    return count > 0 ? p99_us[count / 2] : 0;
}

static struct histogram *windows_new(void)
{
    struct histogram *windows = calloc(WINDOWS_MAX, sizeof(*windows));
    for (uint32_t i = 0; windows && i < WINDOWS_MAX; i++)
        histogram_clear(&windows[i]);
    return windows;
}

static int at_rate(struct bench *bench, struct figures *figures, uint32_t number, struct error *error)
{
    static struct histogram took_ns;
    struct histogram *windows = windows_new();
    if (!windows)
        return error_set(error, ERROR_SYSTEM, "rate", "no memory");
    struct rig rig;
    struct flow flow;
    int result = open_settled(bench, &rig, error);
    histogram_clear(&took_ns);
    if (result == 0) {
        flow_begin(&flow, bench, &rig, bench->rates[number]);
        flow.took_ns = &took_ns;
        flow.windows = windows;
        uint64_t end_ns = flow.start_ns + (uint64_t)(bench->seconds * NS_PER_SECOND);
        for (uint64_t now_ns; (now_ns = clock_monotonic_ns()) < end_ns;) {
            publish_due(&flow, now_ns);
            record_durable(&flow);
        }
        figures->reached[number] = (double)took_ns.count / bench->seconds;
        figures->p50_us[number] = us(histogram_quantile(&took_ns, 0.5));
        figures->p99_us[number] = us(histogram_quantile(&took_ns, 0.99));
        figures->usual_p99_us[number] = usual_p99_us(windows, (uint32_t)(bench->seconds * 10));
    }
    free(windows);
    int closed = rig_close(&rig, error);
    return result < 0 ? result : closed;
}

static int at_rates(struct bench *bench, struct figures *figures, struct error *error)
{
    int result = 0;
    for (uint32_t i = 0; i < bench->rate_count && result == 0; i++)
        result = at_rate(bench, figures, i, error);
    return result;
}

/* ---- saturated ----------------------------------------------------------------------------------------------------
 */

static int saturated(struct bench *bench, struct figures *figures, struct error *error)
{
    struct rig rig;
    int result = open_settled(bench, &rig, error);
    if (result == 0) {
        uint64_t first = rig_durable(&rig);
        uint64_t start_ns = clock_monotonic_ns();
        uint64_t end_ns = start_ns + (uint64_t)(bench->seconds * NS_PER_SECOND);
        uint64_t now_ns = start_ns;
        for (; now_ns < end_ns; now_ns = clock_monotonic_ns()) {
            uint32_t count = 0;
            while (count < BURST && rig_put(&rig, command_of(bench, rig.producer.next)))
                count++;
            if (count > 0)
                rig_flush(&rig);
            rig_durable(&rig);
        }
        double commands = (double)(rig_durable(&rig) - first);
        figures->saturated_commands = commands * NS_PER_SECOND / (double)(now_ns - start_ns);
        figures->saturated_mb = figures->saturated_commands * bench->record_bytes / 1e6;
    }
    int closed = rig_close(&rig, error);
    return result < 0 ? result : closed;
}

/* ---- rotation -----------------------------------------------------------------------------------------------------
 */

struct rotation_figures {
    uint32_t rotations;
    double around_p999_us;
    double rest_p999_us;
    double around_max_us;
};

static void split_windows(const struct histogram *windows, const bool *rotated, uint32_t count,
                          struct rotation_figures *ret)
{
    static struct histogram around, rest;
    histogram_clear(&around);
    histogram_clear(&rest);
    for (uint32_t window = 1; window < count; window++) {
        bool near = false;
        for (int offset = -WINDOWS_AROUND; offset < WINDOWS_AROUND; offset++) {
            int at = (int)window + offset;
            near = near || (at >= 0 && at < (int)count && rotated[at]);
        }
        histogram_merge(near ? &around : &rest, &windows[window]);
    }
    ret->around_p999_us = us(histogram_quantile(&around, 0.999));
    ret->rest_p999_us = us(histogram_quantile(&rest, 0.999));
    ret->around_max_us = us(around.max);
}

static int rotation(struct bench *bench, double seconds, struct rotation_figures *ret, struct error *error)
{
    static struct histogram took_ns;
    static bool rotated[WINDOWS_MAX];
    struct rig rig;
    struct flow flow;
    struct histogram *windows = windows_new();
    if (!windows)
        return error_set(error, ERROR_SYSTEM, "rotation", "no memory");
    *ret = (struct rotation_figures){0};
    int result = open_settled(bench, &rig, error);
    if (result == 0) {
        uint32_t segment = rig_segment(&rig);
        uint64_t look_ns = 0;
        flow_begin(&flow, bench, &rig, bench->rotation_rate);
        flow.took_ns = &took_ns;
        flow.windows = windows;
        uint64_t end_ns = flow.start_ns + (uint64_t)(seconds * NS_PER_SECOND);
        for (uint64_t now_ns; (now_ns = clock_monotonic_ns()) < end_ns;) {
            publish_due(&flow, now_ns);
            record_durable(&flow);
            if (now_ns < look_ns)
                continue;
            look_ns = now_ns + 20 * (uint64_t)NS_PER_MS;
            uint32_t newer = rig_segment(&rig);
            rotated[(now_ns - flow.start_ns) / WINDOW_NS % WINDOWS_MAX] |= newer != segment;
            ret->rotations += newer - segment;
            segment = newer;
        }
        split_windows(windows, rotated, (uint32_t)(seconds * NS_PER_SECOND / (double)WINDOW_NS), ret);
    }
    free(windows);
    int closed = rig_close(&rig, error);
    return result < 0 ? result : closed;
}

/* ---- telling ------------------------------------------------------------------------------------------------------
 */

/* Each figure's median over the rounds; figures are nothing but doubles. */
static struct figures median(const struct figures *rounds, uint32_t count)
{
    struct figures result = {0};
    double values[ROUNDS_MAX];
    for (size_t field = 0; field < sizeof(result) / sizeof(double); field++) {
        for (uint32_t round = 0; round < count; round++)
            memcpy(&values[round], (const uint8_t *)&rounds[round] + field * sizeof(double), sizeof(double));
        qsort(values, count, sizeof(double), by_size);
        memcpy((uint8_t *)&result + field * sizeof(double), &values[count / 2], sizeof(double));
    }
    return result;
}

static void print_person(const struct bench *bench, const struct figures *figures, double stolen)
{
    printf("durability %s, segments of %.0f MiB, %s, records of %.1f bytes, journaler %s, median of %u\n",
           bench->form.durability, (double)bench->form.segment_bytes / MIB,
           bench->form.trims ? "trimmed and used anew" : "zero-written ahead", bench->record_bytes,
           bench->form.spin ? "spins" : "parks", bench->rounds);
    printf("disk alone, 4 KiB durable   %10.0f writes/s   p50 %7.1f us   p99 %7.1f us\n", figures->yard_commits,
           figures->yard_p50_us, figures->yard_p99_us);
    printf("the same for who comes at any moment              p50 %7.1f us   p99 %7.1f us\n", figures->busy_p50_us,
           figures->busy_p99_us);
    printf("disk alone, 256 KiB durable %10.1f MB/s\n", figures->yard_mb);
    printf("one at a time               %10.0f commits/s  p50 %7.1f us   %.2f of the disk's writes/s\n",
           figures->light_commits, figures->light_p50_us, figures->light_commits / figures->yard_commits);
    for (uint32_t i = 0; i < bench->rate_count; i++) {
        printf("at %9llu commands/s     %10.0f durable/s  p50 %7.1f us   p99 %7.1f us, %.1f us in most tenths of a "
               "second\n",
               (unsigned long long)bench->rates[i], figures->reached[i], figures->p50_us[i], figures->p99_us[i],
               figures->usual_p99_us[i]);
        printf(
            "                            of the disk's %.2f, %.2f, %.2f; of the same at any moment %.2f, %.2f, %.2f\n",
            figures->p50_us[i] / figures->yard_p50_us, figures->p99_us[i] / figures->yard_p99_us,
            figures->usual_p99_us[i] / figures->yard_p99_us, figures->p50_us[i] / figures->busy_p50_us,
            figures->p99_us[i] / figures->busy_p99_us, figures->usual_p99_us[i] / figures->busy_p99_us);
    }
    printf("saturated                   %10.0f commands/s %.1f MB/s, %.2f of the disk's\n", figures->saturated_commands,
           figures->saturated_mb, figures->saturated_mb / figures->yard_mb);
    printf("stolen time %.4f of the machine's\n", stolen);
}

static void print_json(const struct bench *bench, const struct figures *figures, const struct rotation_figures *around,
                       double stolen)
{
    printf("{\"durability\": \"%s\", \"segment_bytes\": %llu, \"recycled\": %s, \"record_bytes\": %.1f, "
           "\"disk_4k_writes_per_s\": %.0f, "
           "\"disk_4k_p50_us\": %.1f, \"disk_4k_p99_us\": %.1f, \"disk_4k_any_moment_p50_us\": %.1f, "
           "\"disk_4k_any_moment_p99_us\": %.1f, \"disk_256k_mb_per_s\": %.1f, "
           "\"light_commits_per_s\": %.0f, \"light_p50_us\": %.1f, \"rates\": [",
           bench->form.durability, (unsigned long long)bench->form.segment_bytes, bench->form.trims ? "true" : "false",
           bench->record_bytes, figures->yard_commits, figures->yard_p50_us, figures->yard_p99_us, figures->busy_p50_us,
           figures->busy_p99_us, figures->yard_mb, figures->light_commits, figures->light_p50_us);
    for (uint32_t i = 0; i < bench->rate_count; i++)
        printf("%s{\"commands_per_s\": %llu, \"durable_per_s\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
               "\"usual_p99_us\": %.1f}",
               i ? ", " : "", (unsigned long long)bench->rates[i], figures->reached[i], figures->p50_us[i],
               figures->p99_us[i], figures->usual_p99_us[i]);
    printf("], \"saturated_commands_per_s\": %.0f, \"saturated_mb_per_s\": %.1f", figures->saturated_commands,
           figures->saturated_mb);
    if (bench->rotation)
        printf(", \"rotations\": %u, \"rotation_p999_us\": %.1f, \"rest_p999_us\": %.1f", around->rotations,
               around->around_p999_us, around->rest_p999_us);
    printf(", \"stolen_fraction\": %.4f, \"complete\": true}\n", stolen);
}

static int report(struct bench *bench)
{
    static measurement *const measurements[] = {yard, light, at_rates, saturated};
    struct figures rounds[ROUNDS_MAX] = {0};
    struct rotation_figures around = {0};
    struct machine_times before, after;
    struct error error = {0};
    int result = 0;
    machine_times_read(&before);
    for (uint32_t round = 0; round < bench->rounds; round++)
        for (size_t i = 0; i < ARRAY_COUNT(measurements) && result >= 0; i++)
            result = measurements[i](bench, &rounds[round], &error);
    if (result >= 0 && bench->rotation)
        result = rotation(bench, bench->seconds * 10, &around, &error);
    machine_times_read(&after);
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", error.where, error.what);
        return 1;
    }
    struct figures figures = median(rounds, bench->rounds);
    double stolen = machine_stolen(&before, &after);
    if (bench->json) {
        print_json(bench, &figures, &around, stolen);
        return 0;
    }
    print_person(bench, &figures, stolen);
    if (bench->rotation)
        printf("at %llu commands/s, %u new segments: p99.9 %.0f us in the second around one (at most %.0f), %.0f us "
               "else: %.2f\n",
               (unsigned long long)bench->rotation_rate, around.rotations, around.around_p999_us, around.around_max_us,
               around.rest_p999_us, around.around_p999_us / around.rest_p999_us);
    return 0;
}

/* ---- the command line ---------------------------------------------------------------------------------------------
 */

static int usage(FILE *to, int code)
{
    fprintf(to,
            "usage: ringside bench journal [--directory DIR] [--seconds S] [--rounds N] [--rates N,N,...]\n"
            "                              [--durability sync|write|off] [--segment-mib N] [--slots N] [--park]\n"
            "                              [--untrimmed] [--rotation RATE] [--json]\n\n"
            "Feeds a journaler from its ring and prints how soon commands are durable, beside what the disk does.\n\n"
            "  --directory    on the disk to be measured; /var/tmp by default\n"
            "  --seconds      of each measurement, 2 by default; ten times as much of --rotation\n"
            "  --rounds       3 by default; medians are given\n"
            "  --rates        commands a second, 10000,100000,1000000,4000000 by default\n"
            "  --durability   sync by default\n"
            "  --segment-mib  256 by default\n"
            "  --slots        of the command ring, 16384 by default\n"
            "  --park         the journaler sleeps when it has nothing to do, instead of spinning\n"
            "  --untrimmed    no segment is trimmed, so none is used anew: each is zero-written ahead\n"
            "  --rotation     looks at the second around each new segment, at so many commands a second\n"
            "  --json         one JSON object\n");
    return code;
}

static bool read_rates(struct bench *bench, const char *text)
{
    char *end = NULL;
    bench->rate_count = 0;
    for (const char *at = text; bench->rate_count < RATES_MAX; at = end + 1) {
        uint64_t rate = strtoull(at, &end, 10);
        if (end == at || rate == 0)
            return false;
        bench->rates[bench->rate_count++] = rate;
        if (*end != ',')
            return *end == '\0';
    }
    return false;
}

static bool read_options(struct bench *bench, int argc, char **argv, bool *ret_help)
{
    static const struct option options[] = {
        {"directory", required_argument, NULL, 'd'},
        {"seconds", required_argument, NULL, 's'},
        {"rounds", required_argument, NULL, 'r'},
        {"rates", required_argument, NULL, 'a'},
        {"durability", required_argument, NULL, 'u'},
        {"segment-mib", required_argument, NULL, 'g'},
        {"slots", required_argument, NULL, 'l'},
        {"park", no_argument, NULL, 'p'},
        {"untrimmed", no_argument, NULL, 't'},
        {"rotation", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    bool good = true;
    optind = 1;
    for (int option; good && (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'd')
            bench->form.directory = optarg;
        else if (option == 's')
            bench->seconds = strtod(optarg, NULL);
        else if (option == 'r')
            bench->rounds = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 'a')
            good = read_rates(bench, optarg);
        else if (option == 'u')
            bench->form.durability = optarg;
        else if (option == 'g')
            bench->form.segment_bytes = strtoull(optarg, NULL, 10) * MIB;
        else if (option == 'l')
            bench->form.slots = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 'p')
            bench->form.spin = false;
        else if (option == 't')
            bench->form.trims = false;
        else if (option == 'o')
            bench->rotation = (bench->rotation_rate = strtoull(optarg, NULL, 10)) > 0;
        else if (option == 'j')
            bench->json = true;
        else if (option == 'h')
            *ret_help = true;
        else
            good = false;
    }
    return good && optind == argc && bench->seconds > 0 && bench->seconds <= 60 && bench->rounds > 0 &&
           bench->rounds <= ROUNDS_MAX && ring_bytes(bench->form.slots) > 0 && bench->form.segment_bytes >= MIB;
}

static double mean_record_bytes(const struct bench *bench)
{
    uint8_t record[JOURNAL_RECORD_BYTES_MAX + 8];
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < STREAM_COUNT; i++)
        bytes += journal_record_encode(record, command_of(bench, i));
    return (double)bytes / STREAM_COUNT;
}

int bench_journal_main(int argc, char **argv)
{
    struct bench bench = {.form = {.directory = "/var/tmp",
                                   .durability = "sync",
                                   .segment_bytes = (uint64_t)256 * MIB,
                                   .slots = 16384,
                                   .spin = true,
                                   .trims = true},
                          .seconds = 2,
                          .rounds = 3,
                          .rates = {10000, 100000, 1000000, 4000000},
                          .rate_count = 4};
    bool help = false;
    bool good = read_options(&bench, argc, argv, &help);
    if (help || !good)
        return usage(help ? stdout : stderr, help ? 0 : 64);
    struct error error = {0};
    if (stream_open(&bench.stream, &shapes[0], STREAM_COUNT, 1, true, &error) < 0) {
        fprintf(stderr, "%s: %s\n", error.where, error.what);
        return 1;
    }
    bench.record_bytes = mean_record_bytes(&bench);
    int code = report(&bench);
    stream_close(&bench.stream);
    return code;
}
