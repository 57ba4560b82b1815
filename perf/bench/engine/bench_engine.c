/*
 * What a command costs in the matching engine alone: with everything that a real one costs (128-byte commands read,
 * every event written in its 128-byte place and hashed, the books, the index, the counters of each session) and nothing
 * else.
 *
 *   commands (one after the other in memory) --> engine_apply_batch --> events (a ring of 1,024 places)
 *
 * Rules
 *   1. No figure without a right answer: the running hash of all events must be what the stream's maker got, one
 * command at a time.
 *   2. Beside each figure stands the floor in the same run: reading as many commands and writing and hashing as many
 * events, with no engine between; and, with --yardstick, what another program prints.
 *   3. Rounds are interleaved and the median is given, in processor time of this thread, so that a neighbour who takes
 * the processor for a while is not counted. Latencies come from a round of their own, since reading the clock for each
 * command costs as much as many a command.
 */
#include "perf/bench/engine/bench_engine.h"

#include "base/histogram.h"
#include "base/units.h"
#include "env/clock.h"
#include "stream.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define EVENT_PLACES     1024u
#define ROUNDS_MAX       64
#define BATCH            32u
#define FLOOR_HASH_EVERY 8u  /* commands */
#define LATENCY_UNITS    16u /* the histogram counts sixteenths of a ns */

struct bench {
    uint64_t commands;
    uint64_t seed;
    uint32_t rounds;
    const char *only;      /* a shape; NULL: all */
    const char *yardstick; /* a command that prints one number */
    bool report_tops;
    bool json;
    struct event *events;
};

struct figures {
    double ns_per_command;
    double floor_ns_per_command;
    double yardstick;
    double p50_ns, p99_ns, p999_ns;
    double events_per_command;
    double trades_per_command;
    uint64_t memory_bytes;
    bool right;
};

static uint64_t processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static double median(double *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t j = i; j > 0 && values[j] < values[j - 1]; j--) {
            double value = values[j];
            values[j] = values[j - 1];
            values[j - 1] = value;
        }
    }
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* ---- one round ----------------------------------------------------------------------------------------------------
 */

/* Applies commands up to number `end` in batches, going on with what has more to say. */
static bool apply_until(struct engine *engine, const struct stream *stream, const struct engine_output *output,
                        uint64_t end)
{
    /* Command n is at n - 1. */
    const struct engine_input input = {.commands = stream->commands - 1, .mask = UINT64_MAX, .end = end};
    uint64_t events;
    while (engine_command_seq_next(engine) < end) {
        if (engine_apply_batch(engine, &input, BATCH, output, EVENT_PLACES, &events) < 0)
            return false;
        while (engine_more(engine))
            engine_continue(engine, output);
    }
    return true;
}

static struct engine *engine_open(const struct bench *bench, const struct stream *stream, struct engine_output *output)
{
    *output = (struct engine_output){.events = bench->events, .mask = EVENT_PLACES - 1, .slot_mark = 1ull << 63};
    void *memory = stream_memory(engine_bytes(&stream->limits));
    struct engine *engine = memory ? engine_create(memory, &stream->limits) : NULL;
    if (engine && apply_until(engine, stream, output, stream->warm_count + 1))
        return engine;
    if (memory)
        munmap(memory, engine_bytes(&stream->limits));
    return NULL;
}

/* ns for each command; 0: the answer is wrong. */
static double engine_round(const struct bench *bench, const struct stream *stream)
{
    struct engine_output output;
    struct engine *engine = engine_open(bench, stream, &output);
    if (!engine)
        return 0;
    uint64_t start_ns = processor_ns();
    bool right = apply_until(engine, stream, &output, stream->count + 1);
    uint64_t taken_ns = processor_ns() - start_ns;
    right = right && engine_event_hash(engine) == stream->event_hash;
    munmap(engine, engine_bytes(&stream->limits));
    return right ? (double)taken_ns / (double)(stream->count - stream->warm_count) : 0;
}

static uint64_t read_command(const struct command *command)
{
    uint64_t sum = 0;
    for (size_t offset = 0; offset < sizeof(*command); offset += sizeof(sum)) {
        uint64_t word;
        memcpy(&word, (const uint8_t *)command + offset, sizeof(word));
        sum += word;
    }
    return sum;
}

static struct event *event_place(const struct bench *bench, uint64_t event_seq)
{
    return &bench->events[event_seq & (EVENT_PLACES - 1)];
}

/* Reads the commands and writes as many events as the engine would, each hashed some commands later, as there. */
static double floor_round(const struct bench *bench, const struct stream *stream)
{
    uint64_t commands = stream->count - stream->warm_count;
    uint64_t hash = 0;
    uint64_t hashed = 0;
    uint64_t event_seq = 0;
    uint64_t start_ns = processor_ns();
    for (uint64_t i = 0; i < commands; i++) {
        uint64_t sum = read_command(&stream->commands[stream->warm_count + i]);
        for (; event_seq * commands < (i + 1) * stream->event_count; event_seq++) {
            uint64_t words[RECORD_BYTES / 8];
            for (uint32_t word = 0; word < ARRAY_COUNT(words); word++)
                words[word] = sum + word;
            words[2] = event_seq;
            memcpy(event_place(bench, event_seq), words, sizeof(words));
        }
        for (; i % FLOOR_HASH_EVERY == 0 && hashed < event_seq; hashed++)
            hash = engine_event_hash_next(hash, event_place(bench, hashed));
    }
    uint64_t taken_ns = processor_ns() - start_ns;
    __asm__ volatile("" : : "r"(hash)); /* the result is used */
    return (double)taken_ns / (double)commands;
}

static double yardstick_round(const struct bench *bench)
{
    double value = 0;
    FILE *pipe = popen(bench->yardstick, "r"); /* NOLINT(cert-env33-c): what the user asks for */
    if (!pipe)
        return 0;
    char text[64] = "";
    if (fgets(text, sizeof(text), pipe))
        value = strtod(text, NULL);
    pclose(pipe);
    return value;
}

/* ---- latencies ----------------------------------------------------------------------------------------------------
 */

#if defined(__x86_64__)
static inline uint64_t ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high) : : "rcx", "memory");
    return (uint64_t)high << 32 | low;
}
#else
static inline uint64_t ticks(void)
{
    return clock_monotonic_ns();
}
#endif

static double ns_per_tick(void)
{
    uint64_t start_ns = clock_monotonic_ns();
    uint64_t start = ticks();
    while (clock_monotonic_ns() - start_ns < 20 * (uint64_t)NS_PER_MS) {
    }
    return (double)(clock_monotonic_ns() - start_ns) / (double)(ticks() - start);
}

/* Each command timed by itself, looking ahead as in a batch; the cost of reading the clock is in the figures. */
static bool latency_round(const struct bench *bench, const struct stream *stream, struct histogram *histogram)
{
    struct engine_output output;
    struct engine *engine = engine_open(bench, stream, &output);
    if (!engine)
        return false;
    const struct engine_input input = {.commands = stream->commands - 1, .mask = UINT64_MAX, .end = stream->count + 1};
    double scale = ns_per_tick() * LATENCY_UNITS;
    bool right = true;
    histogram_clear(histogram);
    while (right && engine_command_seq_next(engine) <= stream->count) {
        uint64_t events;
        uint64_t start = ticks();
        right = engine_apply_batch(engine, &input, 1, &output, EVENT_PLACES, &events) == 1;
        while (engine_more(engine))
            engine_continue(engine, &output);
        histogram_record(histogram, (uint64_t)((double)(ticks() - start) * scale));
    }
    right = right && engine_event_hash(engine) == stream->event_hash;
    munmap(engine, engine_bytes(&stream->limits));
    return right;
}

/* ---- a shape ------------------------------------------------------------------------------------------------------
 */

static void measure(const struct bench *bench, const struct stream *stream, struct figures *figures)
{
    double engine_ns[ROUNDS_MAX];
    double floor_ns[ROUNDS_MAX];
    double yardstick[ROUNDS_MAX];
    double commands = (double)(stream->count - stream->warm_count);
    *figures = (struct figures){.memory_bytes = engine_bytes(&stream->limits), .right = true};
    for (uint32_t round = 0; round < bench->rounds; round++) {
        engine_ns[round] = engine_round(bench, stream);
        floor_ns[round] = floor_round(bench, stream);
        yardstick[round] = bench->yardstick ? yardstick_round(bench) : 0;
        figures->right = figures->right && engine_ns[round] > 0;
    }
    figures->ns_per_command = median(engine_ns, bench->rounds);
    figures->floor_ns_per_command = median(floor_ns, bench->rounds);
    figures->yardstick = median(yardstick, bench->rounds);
    figures->events_per_command = (double)stream->event_count / commands;
    figures->trades_per_command = (double)stream->trade_count / commands;
    static struct histogram histogram;
    figures->right = latency_round(bench, stream, &histogram) && figures->right;
    figures->p50_ns = (double)histogram_quantile(&histogram, 0.5) / LATENCY_UNITS;
    figures->p99_ns = (double)histogram_quantile(&histogram, 0.99) / LATENCY_UNITS;
    figures->p999_ns = (double)histogram_quantile(&histogram, 0.999) / LATENCY_UNITS;
}

static void print_person(const struct bench *bench, const struct shape *shape, const struct figures *figures)
{
    if (!figures->right) {
        printf("%-6s the events are not those that the stream's maker got: no figure\n", shape->name);
        return;
    }
    printf("%-6s %8.1f %9.1f", shape->name, figures->ns_per_command, figures->floor_ns_per_command);
    if (bench->yardstick)
        printf(" %9.1f", figures->yardstick);
    printf(" %7.0f %7.0f %7.0f %8.2f %8.2f %9.1f\n", figures->p50_ns, figures->p99_ns, figures->p999_ns,
           figures->events_per_command, figures->trades_per_command, (double)figures->memory_bytes / 1e6);
}

static void print_json(const struct bench *bench, const struct shape *shape, const struct figures *figures, bool first)
{
    printf("%s\"%s\": {\"complete\": %s", first ? "" : ", ", shape->name, figures->right ? "true" : "false");
    if (figures->right) {
        printf(", \"ns_per_command\": %.2f, \"floor_ns_per_command\": %.2f", figures->ns_per_command,
               figures->floor_ns_per_command);
        if (bench->yardstick)
            printf(", \"yardstick\": %.2f", figures->yardstick);
        printf(", \"p50_ns\": %.1f, \"p99_ns\": %.1f, \"p999_ns\": %.1f, \"events_per_command\": %.3f, "
               "\"trades_per_command\": %.3f",
               figures->p50_ns, figures->p99_ns, figures->p999_ns, figures->events_per_command,
               figures->trades_per_command);
    }
    printf(", \"live_orders\": %u, \"instruments\": %u, \"engine_memory_bytes\": %llu}", shape->live_orders,
           shape->instruments, (unsigned long long)figures->memory_bytes);
}

static bool run_shape(const struct bench *bench, const struct shape *shape, bool first)
{
    struct stream stream;
    struct error error;
    struct figures figures;
    if (stream_open(&stream, shape, bench->commands, bench->seed, bench->report_tops, &error) < 0) {
        fprintf(stderr, "%s: %s\n", error.where, error.what);
        return false;
    }
    measure(bench, &stream, &figures);
    if (bench->json)
        print_json(bench, shape, &figures, first);
    else
        print_person(bench, shape, &figures);
    fflush(stdout);
    stream_close(&stream);
    return figures.right;
}

/* 100,000 instruments that nobody trades yet: what merely listing them takes. */
static uint64_t idle_instruments_bytes(void)
{
    const struct engine_limits limits = {
        .orders_max = 1u << 20, .instruments_max = 100000, .sessions_max = 1024, .levels_max = 4096, .report_tops = 1};
    return engine_bytes(&limits);
}

static bool run_all(struct bench *bench)
{
    bool right = true;
    bool first = true;
    if (bench->json)
        printf("{");
    else
        printf(
            "commands --> engine --> events, every event written and hashed; %llu commands, seed %llu, median of %u\n"
            "shape  ns/command  floor%s    p50     p99   p99.9   events   trades   memory\n"
            "              ns      ns%s     ns      ns      ns  /command /command      MB\n",
            (unsigned long long)bench->commands, (unsigned long long)bench->seed, bench->rounds,
            bench->yardstick ? " yardstick" : "", bench->yardstick ? "          " : "");
    for (uint32_t i = 0; i < SHAPE_COUNT; i++) {
        if (bench->only && strcmp(bench->only, shapes[i].name) != 0)
            continue;
        right = run_shape(bench, &shapes[i], first) && right;
        first = false;
    }
    double idle_mb = (double)idle_instruments_bytes() / 1e6;
    if (bench->json)
        printf(", \"idle_100k_instruments_bytes\": %llu, \"seed\": %llu, \"commands\": %llu, \"complete\": %s}\n",
               (unsigned long long)idle_instruments_bytes(), (unsigned long long)bench->seed,
               (unsigned long long)bench->commands, right ? "true" : "false");
    else
        printf("an engine for 1,048,576 orders and 100,000 instruments: %.1f MB\n", idle_mb);
    return right;
}

/* ---- the command line ---------------------------------------------------------------------------------------------
 */

static void print_usage(FILE *to)
{
    fprintf(to, "usage: ringside bench engine [--shape d1k|d100k|s1000|d1m] [--commands N] [--seed N] [--rounds N]\n"
                "                             [--no-tops] [--yardstick COMMAND] [--json]\n\n"
                "  --shape      one of them: live orders in one book, or 100,000 over 1000 books; all by default\n"
                "  --commands   timed commands of a round, 1000000 by default\n"
                "  --seed       of the stream, 1 by default\n"
                "  --rounds     5 by default; the median is given\n"
                "  --no-tops    without BOOK_TOP events\n"
                "  --yardstick  a command that prints one number, run between the rounds\n"
                "  --json       one JSON object\n");
}

static bool shape_known(const char *name)
{
    for (uint32_t i = 0; i < SHAPE_COUNT; i++) {
        if (strcmp(shapes[i].name, name) == 0)
            return true;
    }
    return false;
}

/* A number from min to max; ends the reading of options if it is none. */
static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (*end != '\0' || end == text || value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

/* 0: go. Else the exit code. */
static int read_options(struct bench *bench, int argc, char **argv, bool *ret_help)
{
    static const struct option options[] = {{"shape", required_argument, NULL, 's'},
                                            {"commands", required_argument, NULL, 'c'},
                                            {"seed", required_argument, NULL, 'e'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"no-tops", no_argument, NULL, 't'},
                                            {"yardstick", required_argument, NULL, 'y'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    uint64_t rounds = bench->rounds;
    bool good = true;
    optind = 1;
    for (int option; good && (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 's')
            good = shape_known(bench->only = optarg);
        else if (option == 'c')
            good = number(optarg, 1000, 100000000, &bench->commands);
        else if (option == 'e')
            good = number(optarg, 0, UINT64_MAX, &bench->seed);
        else if (option == 'r')
            good = number(optarg, 1, ROUNDS_MAX, &rounds);
        else if (option == 't')
            bench->report_tops = false;
        else if (option == 'y')
            bench->yardstick = optarg;
        else if (option == 'j')
            bench->json = true;
        else if (option == 'h')
            *ret_help = true;
        else
            good = false;
    }
    bench->rounds = (uint32_t)rounds;
    return good && optind == argc ? 0 : 64;
}

int bench_engine_main(int argc, char **argv)
{
    struct bench bench = {.commands = 1000000, .seed = 1, .rounds = 5, .report_tops = true};
    bool help = false;
    int code = read_options(&bench, argc, argv, &help);
    if (code != 0 || help) {
        print_usage(help ? stdout : stderr);
        return help ? 0 : code;
    }
    bench.events = stream_memory(EVENT_PLACES * sizeof(*bench.events));
    if (!bench.events) {
        fprintf(stderr, "no memory for %u events\n", EVENT_PLACES);
        return 1;
    }
    bool right = run_all(&bench);
    munmap(bench.events, EVENT_PLACES * sizeof(*bench.events));
    return right ? 0 : 1;
}
