/*
 * `ringside status`: which processes of the run live, and how far each ring and each of its consumers is. A table, or
 * one JSON object with --json. Ends with 0 if the run is there and all its processes live, else with 1. With --alive
 * one process is looked at and nothing printed if it is well: for health checks.
 */
#include "base/units.h"
#include "cli.h"
#include "env/clock.h"
#include "log/log.h"
#include "metrics/metrics_read.h"
#include "stage/command_line.h"
#include "stage/stage.h"
#include "view/run_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned long long ull;

/* ---- for a person -------------------------------------------------------------------------------------------------
 */

static void print_run(const struct run_view *view, const struct config *config)
{
    char id[33];
    char made[32] = "";
    struct tm broken;
    time_t seconds = (time_t)(view->created_ns / 1000000000u);
    run_view_id(view, id);
    if (gmtime_r(&seconds, &broken))
        strftime(made, sizeof(made), "%Y-%m-%d %H:%M:%S", &broken);
    if (view->present)
        printf("run %.8s in %s, made %s UTC, journal epoch %u\n", id, config->exchange_rings_directory, made,
               view->epoch);
    else
        printf("no run in %s\n", config->exchange_rings_directory);
}

static void print_processes(const struct run_view *view)
{
    printf("\n%-14s %8s  %s\n", "process", "pid", "state");
    for (uint32_t i = 0; i < view->process_count; i++) {
        const struct process_view *process = &view->processes[i];
        char pid[16] = "-";
        if (process->pid > 0)
            snprintf(pid, sizeof(pid), "%d", (int)process->pid);
        printf("%-14s %8s  %s\n", process->name, pid, process->held ? "alive" : "gone");
    }
}

static void print_ring(const struct ring_view *ring)
{
    if (!ring->present) {
        printf("%-14s %s\n", ring->name, ring->why);
        return;
    }
    printf("%-14s %-12s %14llu %10llu %9llu %5.1f%% %10llu\n", ring->name, "", (ull)ring->next_seq,
           (ull)ring->fill_records, (ull)ring->capacity_slots,
           100.0 * (double)ring->fill_records / (double)ring->capacity_slots, (ull)ring->stall_count);
    const char *blocker = run_view_blocker(ring);
    if (blocker)
        printf("%-14s full: waits for %s, for %.1f s\n", "", blocker, (double)ring->blocked_ns / 1e9);
    for (uint32_t i = 0; i < ring->line_count; i++) {
        const struct line_view *line = &ring->lines[i];
        printf("%-14s %-12s %14llu %10llu %9s %6s %10llu\n", "", line->name, (ull)line->cursor_seq,
               (ull)line->behind_records, "", "", (ull)line->stall_count);
    }
}

static void print_table(const struct run_view *view, const struct config *config)
{
    print_run(view, config);
    print_processes(view);
    printf("\n%-14s %-12s %14s %10s %9s %6s %10s\n", "ring", "consumer", "next", "behind", "slots", "fill", "stalls");
    for (uint32_t i = 0; i < view->ring_count; i++)
        print_ring(&view->rings[i]);
}

/* ---- for a program ------------------------------------------------------------------------------------------------
 */

static void print_json(const struct run_view *view, const struct config *config)
{
    printf("{");
    run_view_print_json(stdout, view, config);
    printf("}\n");
}

/* ---- one process --------------------------------------------------------------------------------------------------
 */

/*
 * For how long a process that is at work has given no sign of life. 0 while it starts, which may take long, and where
 * it keeps no metrics.
 */
static uint64_t silent_ns_of(const char *directory, const char *process)
{
    struct metrics_reader reader = {0};
    char path[METRICS_PATH_BYTES];
    uint64_t silent_ns = 0;
    if (snprintf(path, sizeof(path), "%s/%s.metrics", directory, process) >= (int)sizeof(path) ||
        metrics_attach(&reader, path, NULL) < 0)
        return 0;
    const struct metrics_writer_line *line = metrics_writer_of(&reader);
    uint64_t beat_ns = atomic_load_explicit(&line->heartbeat_ns, memory_order_relaxed);
    uint64_t now_ns = clock_monotonic_ns();
    if (atomic_load_explicit(&line->state, memory_order_relaxed) == METRICS_STATE_READY && now_ns > beat_ns)
        silent_ns = now_ns - beat_ns;
    metrics_detach(&reader);
    return silent_ns;
}

static int look_at_one(const struct run_view *view, const struct config *config, const char *name)
{
    for (uint32_t i = 0; i < view->process_count; i++) {
        if (strcmp(view->processes[i].name, name) != 0)
            continue;
        uint64_t silent_ns = silent_ns_of(config->exchange_rings_directory, name);
        bool silent = silent_ns > config->monitor_silent_ms * NS_PER_MS;
        if (!view->processes[i].held)
            fprintf(stderr, "ringside status: nobody has the role of %s\n", name);
        else if (silent)
            fprintf(stderr, "ringside status: %s has given no sign of life for %.1f s\n", name,
                    (double)silent_ns / 1e9);
        return view->processes[i].held && !silent ? EXIT_STAGE_OK : EXIT_STAGE_FAILED;
    }
    fprintf(stderr, "ringside status: there is no process %s in a run in %s\n", name, config->exchange_rings_directory);
    return EXIT_STAGE_FAILED;
}

/* ---- all ----------------------------------------------------------------------------------------------------------
 */

static int look_at_all(const struct run_view *view, const struct config *config, bool json)
{
    if (json)
        print_json(view, config);
    else
        print_table(view, config);
    return run_view_complete(view) ? EXIT_STAGE_OK : EXIT_STAGE_FAILED;
}

enum { OPTION_ALIVE };

int status_main(int argc, char **argv)
{
    static const struct command_line_option options[] = {
        [OPTION_ALIVE] = {"alive", "PROCESS",
                          "looks at this one alone (matcher, gateway-1), and prints nothing if it is well"},
    };
    static const struct command_line_form form = {
        .program = "ringside status",
        .summary = "who is alive in a run, and how full its rings are",
        .takes_json = true,
        .options = options,
        .option_count = 1,
        .extra = "\nEnds with 0 if the run is there and all its processes live, else with 1. --alive: with 0 if "
                 "somebody has "
                 "that\nrole and, at work, has given a sign of life within monitor.silent_ms.\n",
    };
    struct command_line line;
    log_open("status", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    struct run_view *view = malloc(sizeof(*view));
    if (!view) {
        fprintf(stderr, "ringside status: no memory\n");
        config_finish(&line.config);
        return EXIT_STAGE_FAILED;
    }
    run_view_read(view, &line.config);
    code = line.values[OPTION_ALIVE] ? look_at_one(view, &line.config, line.values[OPTION_ALIVE])
                                     : look_at_all(view, &line.config, line.json);
    free(view);
    config_finish(&line.config);
    return code;
}
