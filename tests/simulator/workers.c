#include "workers.h"

#include "base/units.h"
#include "planted.h"
#include "simulation.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX 64

/* Shared by all workers. */
struct shared {
    _Atomic uint64_t seed_next;
    _Atomic uint64_t broken;
    struct worker {
        uint64_t at; /* the seed that it is at, plus 1; 0: none */
        struct workers_totals totals;
    } workers[JOBS_MAX];
};

static void report(uint64_t seed, const struct simulation_result *result)
{
    char text[2048];
    char plant[64] = "";
    if (planted != PLANTED_NONE)
        snprintf(plant, sizeof(plant), " --plant %s", planted_name(planted));
    int bytes = snprintf(text, sizeof(text),
                         "seed %llu: %s\n  plan: %s\n  again: ringside simulate --seeds %llu..%llu%s --trace\n",
                         (unsigned long long)seed, result->violation, result->plan, (unsigned long long)seed,
                         (unsigned long long)seed, plant);
    ssize_t written = write(STDOUT_FILENO, text, (size_t)bytes); /* at once, so that workers' lines do not mix */
    (void)written;
}

static void add(struct workers_totals *totals, const struct simulation_result *result)
{
    totals->seeds++;
    totals->commands += result->commands;
    totals->events += result->events;
    totals->messages += result->messages;
    totals->polls += result->polls;
    totals->kills += result->kills;
    totals->cold_starts += result->cold_starts;
    totals->faults += result->faults;
    totals->store_faults += result->store_faults;
    totals->noticed += result->noticed;
}

static void note_broken(struct workers_totals *totals, uint64_t seed, const char *what)
{
    if (totals->broken++ > 0)
        return;
    totals->first_broken = seed;
    snprintf(totals->first_violation, sizeof(totals->first_violation), "%s", what);
}

static void run_seed(uint64_t seed, const char *directory, const struct workers_options *options,
                     struct workers_totals *totals)
{
    struct simulation_result result;
    bool good = simulation_run(seed, directory, options->trace, &result);
    if (good && options->twice) {
        uint64_t digest = result.digest;
        good = simulation_run(seed, directory, options->trace, &result) && result.digest == digest;
        if (!good && result.violation[0] == '\0')
            snprintf(result.violation, sizeof(result.violation), "the same seed goes another way the second time");
    }
    add(totals, &result);
    if (good)
        return;
    note_broken(totals, seed, result.violation);
    if (!options->quiet)
        report(seed, &result);
}

static volatile sig_atomic_t orphaned;

static void note_orphaned(int number)
{
    (void)number;
    orphaned = 1;
}

static _Noreturn void work(struct shared *shared, struct worker *self, const struct workers_options *options)
{
    char directory[64], rings[80], accounts[80];
    snprintf(directory, sizeof(directory), "/dev/shm/ringside-simulate-%d", (int)getpid());
    snprintf(rings, sizeof(rings), "%s/rings", directory);
    snprintf(accounts, sizeof(accounts), "%s/accounts", directory);
    if (mkdir(directory, 0700) < 0 || mkdir(rings, 0700) < 0) {
        perror(directory);
        _exit(EXIT_FAILURE);
    }
    (void)signal(SIGTERM, note_orphaned); /* who started us is gone: put things away and end */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (uint64_t seed; (seed = atomic_fetch_add(&shared->seed_next, 1)) <= options->last && !orphaned;) {
        if (atomic_load(&shared->broken) >= options->failures_max)
            break;
        self->at = seed + 1;
        uint64_t before = self->totals.broken;
        run_seed(seed, directory, options, &self->totals);
        atomic_fetch_add(&shared->broken, self->totals.broken - before);
    }
    self->at = 0;
    (void)unlink(accounts);
    (void)rmdir(rings);
    (void)rmdir(directory);
    _exit(EXIT_SUCCESS);
}

/* A worker that dies leaves its seed behind, and its files. */
static void wait_for(pid_t pid, struct worker *worker)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (worker->at == 0)
        return;
    char what[80];
    snprintf(what, sizeof(what), "the simulator itself ended with %s %d", WIFSIGNALED(status) ? "signal" : "status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    note_broken(&worker->totals, worker->at - 1, what);
    printf("seed %llu: %s; what it left is in /dev/shm/ringside-simulate-%d\n", (unsigned long long)(worker->at - 1),
           what, (int)pid);
}

static void sum_up(const struct shared *shared, uint32_t jobs, struct workers_totals *ret)
{
    *ret = (struct workers_totals){0};
    for (uint32_t i = 0; i < jobs; i++) {
        const struct workers_totals *one = &shared->workers[i].totals;
        if (one->broken > 0 && (ret->broken == 0 || one->first_broken < ret->first_broken)) {
            ret->first_broken = one->first_broken;
            memcpy(ret->first_violation, one->first_violation, sizeof(ret->first_violation));
        }
        ret->broken += one->broken;
        ret->seeds += one->seeds;
        ret->commands += one->commands;
        ret->events += one->events;
        ret->messages += one->messages;
        ret->polls += one->polls;
        ret->kills += one->kills;
        ret->cold_starts += one->cold_starts;
        ret->faults += one->faults;
        ret->store_faults += one->store_faults;
        ret->noticed += one->noticed;
    }
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / NS_PER_SECOND;
}

bool workers_run(const struct workers_options *options, struct workers_totals *ret)
{
    struct timespec start;
    pid_t pids[JOBS_MAX];
    uint64_t seeds = options->last - options->first + 1;
    uint32_t jobs = options->jobs < JOBS_MAX ? options->jobs : JOBS_MAX;
    jobs = seeds < jobs ? (uint32_t)seeds : jobs;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return false;
    atomic_store(&shared->seed_next, options->first);
    fflush(stdout);
    uint32_t count = 0;
    for (; count < jobs; count++) {
        pids[count] = fork();
        if (pids[count] == 0)
            work(shared, &shared->workers[count], options);
        if (pids[count] < 0)
            break;
    }
    for (uint32_t i = 0; i < count; i++)
        wait_for(pids[i], &shared->workers[i]);
    sum_up(shared, count, ret);
    ret->seconds = seconds_since(&start);
    munmap(shared, sizeof(*shared));
    return count == jobs;
}
