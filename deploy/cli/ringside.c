/* The dispatcher: finds the subcommand, or says which there are. */
#include "cli.h"
#include "gateway/account_tool.h"
#include "stage/stage.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct subcommand {
    const char *name;
    const char *summary;
    int (*main)(int argc, char **argv);
};

static int help_main(int argc, char **argv);

static const struct subcommand subcommands[] = {
    {"run", "runs the whole exchange in this process", run_main},
    {"status", "who is alive in a run, and how full its rings are", status_main},
    {"metrics", "what every process says of itself: counts, times, lags, memory", metrics_main},
    {"admin", "instruments, market states, limits, users, days: what an operator does", admin_main},
    {"journal", "verifies, prints, replays, trims and repairs a journal", journal_main},
    {"snapshot", "writes a snapshot of the books, once or as the journal grows", snapshot_main},
    {"backup", "copies a running exchange's files that fit together; verifies and restores them", backup_main},
    {"drain", "stops the exchange with nothing left in its rings", drain_main},
    {"trades", "the trades of a day as CSV, for members to reconcile against", trades_main},
    {"order", "buys, sells, cancels, watches and lists by hand", order_main},
    {"load", "drives an exchange over TCP and checks what comes back", load_main},
    {"top", "the exchange at a glance in a terminal: stages, hops, instruments, sessions, alarms", top_main},
    {"probe", "watches what passes through the rings: hop latencies, rates, the records themselves", probe_main},
    {"bench", "measures parts: bench ring, engine, matcher, journal, recovery, sockets", bench_main},
    {"account", "adds users to an accounts file, checks it and the members' settings", account_main},
    {"tune", "what would make this machine serve better, and why; does it when told", tune_main},
    {"config", "prints every option with its default, or checks a file", config_main},
    {"version", "prints the version", version_main},
    {"help", "prints this", help_main},
};

#define SUBCOMMAND_COUNT (sizeof(subcommands) / sizeof(subcommands[0]))

static void print_subcommands(FILE *to)
{
    fprintf(to, "ringside: an exchange in a box\n\nusage: ringside SUBCOMMAND ...\n\n");
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        fprintf(to, "  %-10s%s\n", subcommands[i].name, subcommands[i].summary);
    fprintf(to,
            "  persister check|rebuild  compares the stores with the event log, or fills an empty database from it\n");
    fprintf(to, "\nringside SUBCOMMAND --help tells more. The stages are programs of their own: ringside-journaler,\n"
                "ringside-sequencer, ringside-matcher, ringside-persister, ringside-gateway, ringside-admin;\n"
                "ringside-monitor watches from beside.\n");
}

static int help_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    print_subcommands(stdout);
    return EXIT_STAGE_OK;
}

/*
 * ringside-NAME beside this program, or where a build folder has it, else in PATH. Returns only if there is none.
 */
static void execute_other(char **argv)
{
    static const char *const folders[] = {".", "../tests/simulator"};
    char name[64];
    char own[PATH_MAX];
    char path[PATH_MAX + 128];
    if (snprintf(name, sizeof(name), "ringside-%s", argv[0]) >= (int)sizeof(name) || strchr(argv[0], '/'))
        return;
    ssize_t own_bytes = readlink("/proc/self/exe", own, sizeof(own) - 1);
    if (own_bytes > 0) {
        own[own_bytes] = '\0';
        const char *folder = dirname(own);
        for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
            snprintf(path, sizeof(path), "%s/%s/%s", folder, folders[i], name);
            execv(path, argv);
        }
        snprintf(path, sizeof(path), "%s/../%s/%s", folder, argv[0], name); /* a stage, where a build folder has it */
        execv(path, argv);
    }
    execvp(name, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_subcommands(stderr);
        return EXIT_STAGE_USAGE;
    }
    const char *wanted = argv[1];
    if (strcmp(wanted, "--help") == 0 || strcmp(wanted, "-h") == 0)
        wanted = "help";
    if (strcmp(wanted, "--version") == 0)
        wanted = "version";
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        if (strcmp(subcommands[i].name, wanted) == 0)
            return subcommands[i].main(argc - 1, argv + 1);
    execute_other(argv + 1);
    fprintf(stderr, "ringside: there is no subcommand '%s' and no program ringside-%s (%s); ringside help lists them\n",
            wanted, wanted, strerror(errno));
    return EXIT_STAGE_USAGE;
}
