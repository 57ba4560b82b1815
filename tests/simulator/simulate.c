/*
 * ringside-simulate: seeds of the simulator, on all cores.
 *
 *   ringside-simulate --seeds A..B [--jobs N] [--trace] [--twice] [--plant BUG]
 *   ringside-simulate --seeds A..B --planted
 *
 * A seed that breaks a promise is printed with its plan and the command that replays it. With --planted each bug of
 * planted.h is put in, in turn, and some seed must find it: output in TAP.
 */
#include "planted.h"
#include "workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAILURES_MAX 20
#define EXIT_USAGE   64

static int usage(FILE *to)
{
    fprintf(to, "usage: ringside simulate --seeds A..B [--jobs N] [--trace] [--twice] [--plant BUG | --planted]\n\n"
                "  --seeds A..B  the seeds to run, both included\n"
                "  --jobs N      workers; as many as there are cores if not given\n"
                "  --trace       print what happens\n"
                "  --twice       run each seed twice and compare\n"
                "  --plant BUG   with a bug put in on purpose\n"
                "  --planted     each of the bugs in turn, which must be found:\n");
    for (enum planted bug = PLANTED_NONE + 1; bug < PLANTED_COUNT; bug++)
        fprintf(to, "                  %-20s %s\n", planted_name(bug), planted_what(bug));
    return to == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

static bool parse_seeds(const char *text, struct workers_options *options)
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

static bool parse_number(const char *text, uint32_t *ret)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *ret = (uint32_t)value;
    return *end == '\0' && value > 0 && value < 1000;
}

static bool takes_value(const char *name, const char *value, struct workers_options *options, bool *seeds)
{
    if (strcmp(name, "--seeds") == 0)
        return *seeds = parse_seeds(value, options);
    if (strcmp(name, "--jobs") == 0)
        return parse_number(value, &options->jobs);
    planted = strcmp(name, "--plant") == 0 ? planted_find(value) : PLANTED_NONE;
    return planted != PLANTED_NONE;
}

static bool parse(int argc, char **argv, struct workers_options *options, bool *all_planted)
{
    bool seeds = false;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--trace") == 0)
            options->trace = true;
        else if (strcmp(argv[i], "--twice") == 0)
            options->twice = true;
        else if (strcmp(argv[i], "--planted") == 0)
            *all_planted = true;
        else if (!takes_value(argv[i++], value, options, &seeds))
            return false;
    }
    return seeds;
}

static void summarize(const struct workers_totals *totals)
{
    printf(
        "%llu seeds in %.1f s (%.1f a second), %llu broken: %llu commands, %llu events, %llu messages told, %llu "
        "polls, %llu kills, %llu cold starts, %llu faults of stores, %llu of the disk, of which %llu ended an exchange "
        "for good\n",
        (unsigned long long)totals->seeds, totals->seconds, (double)totals->seeds / totals->seconds,
        (unsigned long long)totals->broken, (unsigned long long)totals->commands, (unsigned long long)totals->events,
        (unsigned long long)totals->messages, (unsigned long long)totals->polls, (unsigned long long)totals->kills,
        (unsigned long long)totals->cold_starts, (unsigned long long)totals->store_faults,
        (unsigned long long)totals->faults, (unsigned long long)totals->noticed);
}

/* Returns the exit status. */
static int run_planted(struct workers_options *options)
{
    int missed = 0;
    options->failures_max = 1;
    options->quiet = true;
    printf("1..%d\n", PLANTED_COUNT - 1);
    for (planted = PLANTED_NONE + 1; planted < PLANTED_COUNT; planted++) {
        struct workers_totals totals;
        if (!workers_run(options, &totals))
            return EXIT_FAILURE;
        missed += totals.broken == 0;
        printf("%s %d - %s: %s\n", totals.broken > 0 ? "ok" : "not ok", (int)planted, planted_name(planted),
               planted_what(planted));
        printf("# %llu seeds in %.1f s", (unsigned long long)totals.seeds, totals.seconds);
        if (totals.broken > 0)
            printf("; seed %llu: %s", (unsigned long long)totals.first_broken, totals.first_violation);
        printf("\n");
    }
    return missed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct workers_options options = {.jobs = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), .failures_max = FAILURES_MAX};
    struct workers_totals totals;
    bool all_planted = false;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (!parse(argc, argv, &options, &all_planted))
        return usage(stderr);
    if (all_planted)
        return run_planted(&options);
    if (!workers_run(&options, &totals)) {
        fprintf(stderr, "ringside-simulate: cannot start a worker\n");
        return EXIT_FAILURE;
    }
    summarize(&totals);
    return totals.broken > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
