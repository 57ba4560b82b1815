/*
 * ringside-simulate: seeds of the simulator, on all cores.
 *
 *   ringside-simulate --seeds A..B [--jobs N] [--trace] [--twice]
 *
 * A seed that breaks a promise is printed with its plan and the command that replays it. One that takes its worker down
 * with it counts as broken, too.
 */
#include "base/units.h"
#include "simulation.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX     64
#define FAILURES_MAX 20 /* then it is enough */
#define EXIT_USAGE   64

struct options {
    uint64_t first, last;
    uint32_t jobs;
    bool trace;
    bool twice;
};

/* Shared by all workers. */
struct shared {
    _Atomic uint64_t seed_next;
    _Atomic uint64_t done_count, failure_count;
    _Atomic uint64_t commands, events, messages, polls, kills, cold_starts, faults, noticed;
    _Atomic uint64_t at[JOBS_MAX]; /* the seed that a worker is at, plus 1; 0: none */
};

static struct shared *shared;

static void report(const struct simulation_result *result, uint64_t seed)
{
    char text[2048];
    int bytes = snprintf(
        text, sizeof(text), "seed %llu: %s\n  plan: %s\n  again: ringside simulate --seeds %llu..%llu --trace\n",
        (unsigned long long)seed, result->violation, result->plan, (unsigned long long)seed, (unsigned long long)seed);
    fflush(stdout);
    ssize_t written = write(STDOUT_FILENO, text, (size_t)bytes);
    (void)written;
}

static void add(const struct simulation_result *result)
{
    atomic_fetch_add(&shared->done_count, 1);
    atomic_fetch_add(&shared->commands, result->commands);
    atomic_fetch_add(&shared->events, result->events);
    atomic_fetch_add(&shared->messages, result->messages);
    atomic_fetch_add(&shared->polls, result->polls);
    atomic_fetch_add(&shared->kills, result->kills);
    atomic_fetch_add(&shared->cold_starts, result->cold_starts);
    atomic_fetch_add(&shared->faults, result->faults);
    atomic_fetch_add(&shared->noticed, result->noticed);
}

static void run_seed(uint64_t seed, const char *directory, const struct options *options)
{
    struct simulation_result result;
    bool good = simulation_run(seed, directory, options->trace, &result);
    if (good && options->twice) {
        uint64_t digest = result.digest;
        good = simulation_run(seed, directory, options->trace, &result) && result.digest == digest;
        if (!good && result.violation[0] == '\0')
            snprintf(result.violation, sizeof(result.violation), "the same seed goes another way the second time");
    }
    add(&result);
    if (!good) {
        atomic_fetch_add(&shared->failure_count, 1);
        report(&result, seed);
    }
}

static void work(uint32_t worker, const struct options *options)
{
    char directory[64], rings[80];
    snprintf(directory, sizeof(directory), "/dev/shm/ringside-simulate-%d", (int)getpid());
    snprintf(rings, sizeof(rings), "%s/rings", directory);
    if (mkdir(directory, 0700) < 0 || mkdir(rings, 0700) < 0) {
        perror(directory);
        exit(EXIT_FAILURE);
    }
    for (uint64_t seed; (seed = atomic_fetch_add(&shared->seed_next, 1)) <= options->last;) {
        if (atomic_load(&shared->failure_count) >= FAILURES_MAX)
            break;
        atomic_store(&shared->at[worker], seed + 1);
        run_seed(seed, directory, options);
    }
    atomic_store(&shared->at[worker], 0);
    char accounts[80];
    snprintf(accounts, sizeof(accounts), "%s/accounts", directory);
    (void)unlink(accounts);
    (void)rmdir(rings);
    (void)rmdir(directory);
    exit(EXIT_SUCCESS);
}

/* A worker that dies leaves its seed behind. */
static void wait_for(const pid_t workers[], uint32_t jobs)
{
    for (uint32_t worker = 0; worker < jobs; worker++) {
        int status = 0;
        while (waitpid(workers[worker], &status, 0) < 0 && errno == EINTR)
            continue;
        uint64_t at = atomic_load(&shared->at[worker]);
        if (at == 0)
            continue;
        atomic_fetch_add(&shared->failure_count, 1);
        printf("seed %llu: the simulator itself ended with %s %d\n", (unsigned long long)(at - 1),
               WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
}

static int usage(FILE *to)
{
    fprintf(to, "usage: ringside simulate --seeds A..B [--jobs N] [--trace] [--twice]\n\n"
                "  --seeds A..B  the seeds to run, both included\n"
                "  --jobs N      workers; as many as there are cores if not given\n"
                "  --trace       print what happens\n"
                "  --twice       run each seed twice and compare\n");
    return to == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

static bool parse_seeds(const char *text, struct options *options)
{
    char *end;
    options->first = strtoull(text, &end, 10);
    if (end == text)
        return false;
    options->last = options->first;
    if (strncmp(end, "..", 2) == 0) {
        text = end + 2;
        options->last = strtoull(text, &end, 10);
        if (end == text)
            return false;
    }
    return *end == '\0' && options->first <= options->last;
}

static bool parse(int argc, char **argv, struct options *options)
{
    bool seeds = false;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--trace") == 0)
            options->trace = true;
        else if (strcmp(argv[i], "--twice") == 0)
            options->twice = true;
        else if (strcmp(argv[i], "--seeds") == 0 && parse_seeds(value, options))
            seeds = ++i > 0;
        else if (strcmp(argv[i], "--jobs") == 0 && atoi(value) > 0)
            options->jobs = (uint32_t)atoi(argv[++i]);
        else
            return false;
    }
    if (options->jobs > JOBS_MAX)
        options->jobs = JOBS_MAX;
    return seeds;
}

static void summarize(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds = (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / NS_PER_SECOND;
    uint64_t done = atomic_load(&shared->done_count);
    printf("%llu seeds in %.1f s (%.1f a second), %llu broken: %llu commands, %llu events, %llu messages told, %llu "
           "polls, %llu kills, %llu cold starts, %llu disk faults, of which %llu ended an exchange for good\n",
           (unsigned long long)done, seconds, (double)done / seconds,
           (unsigned long long)atomic_load(&shared->failure_count), (unsigned long long)atomic_load(&shared->commands),
           (unsigned long long)atomic_load(&shared->events), (unsigned long long)atomic_load(&shared->messages),
           (unsigned long long)atomic_load(&shared->polls), (unsigned long long)atomic_load(&shared->kills),
           (unsigned long long)atomic_load(&shared->cold_starts), (unsigned long long)atomic_load(&shared->faults),
           (unsigned long long)atomic_load(&shared->noticed));
}

int main(int argc, char **argv)
{
    struct options options = {.jobs = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN)};
    struct timespec start;
    pid_t workers[JOBS_MAX];
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (!parse(argc, argv, &options))
        return usage(stderr);
    clock_gettime(CLOCK_MONOTONIC, &start);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return EXIT_FAILURE;
    }
    atomic_store(&shared->seed_next, options.first);
    if (options.last - options.first + 1 < options.jobs)
        options.jobs = (uint32_t)(options.last - options.first + 1);
    for (uint32_t worker = 0; worker < options.jobs; worker++) {
        workers[worker] = fork();
        if (workers[worker] == 0)
            work(worker, &options);
    }
    wait_for(workers, options.jobs);
    summarize(&start);
    return atomic_load(&shared->failure_count) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
