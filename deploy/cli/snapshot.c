/*
 * `ringside snapshot`: writes a snapshot of the books from the last one and the journal, once or, with --follow, every
 * snapshots.every_commands as long as it runs; --list tells which there are. One at a time: the directory is locked.
 */
#include "base/units.h"
#include "cli.h"
#include "env/clock.h"
#include "log/log.h"
#include "matcher/snapshot_files.h"
#include "matcher/snapshotter.h"
#include "stage/command_line.h"
#include "stage/notify.h"
#include "stage/signals.h"
#include "stage/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS       (5 * NS_PER_MS)
#define REPORT_NS     ((uint64_t)NS_PER_SECOND)
#define ONCE_LIMIT_NS (10 * (uint64_t)NS_PER_SECOND) /* for the journal to say that all is on the medium */

typedef unsigned long long ull;

struct options {
    bool follow;
    bool list;
};

/* ---- the list -----------------------------------------------------------------------------------------------------
 */

static void print_one(const struct config *config, uint64_t seq, bool json, bool first)
{
    struct snapshot_header header;
    struct error error = {0};
    int result = snapshot_header_read(&header, config->snapshots_directory, seq, &error);
    if (json && result < 0)
        printf("%s{\"command_seq_next\": %llu, \"good\": false}", first ? "" : ", ", (ull)seq);
    else if (json)
        printf("%s{\"command_seq_next\": %llu, \"good\": true, \"event_seq_next\": %llu, \"live_orders\": %llu, "
               "\"bytes\": %llu, \"created_ns\": %llu, \"state_hash\": \"%016llx\", \"event_hash\": \"%016llx\"}",
               first ? "" : ", ", (ull)seq, (ull)header.event_seq_next, (ull)header.live_order_count,
               (ull)header.image_bytes + SNAPSHOT_HEADER_BYTES, (ull)header.created_ns, (ull)header.state_hash,
               (ull)header.event_hash);
    else if (result < 0)
        printf("%14llu  %s\n", (ull)seq, error.what);
    else
        printf("%14llu %14llu %12llu %10.1f  %lld s ago\n", (ull)seq, (ull)header.event_seq_next,
               (ull)header.live_order_count, (double)(header.image_bytes + SNAPSHOT_HEADER_BYTES) / 1e6,
               (long long)(clock_realtime_ns() / NS_PER_SECOND) - (long long)(header.created_ns / NS_PER_SECOND));
}

static int list(const struct config *config, bool json)
{
    struct snapshot_list list;
    struct error error = {0};
    int result = snapshot_list_read(&list, config->snapshots_directory, &error);
    if (result < 0) {
        log_error(&error, "cannot list the snapshots");
        return stage_exit_code(result);
    }
    if (json)
        printf("{\"directory\": \"%s\", \"snapshots\": [", config->snapshots_directory);
    else if (list.count > 0)
        printf("  next command     next event  live orders         MB\n");
    else
        printf("no snapshots in %s\n", config->snapshots_directory);
    for (uint32_t i = 0; i < list.count; i++)
        print_one(config, list.seqs[i], json, i == 0);
    if (json)
        printf("]}\n");
    return EXIT_STAGE_OK;
}

/* ---- following ----------------------------------------------------------------------------------------------------
 */

/* Held until the process ends. */
static int lock_directory(const struct config *config, struct error *error)
{
    char path[CONFIG_TEXT_BYTES + 16];
    int result = disk()->make_directory(config->snapshots_directory, error);
    if (result < 0)
        return result;
    snprintf(path, sizeof(path), "%s/lock", config->snapshots_directory);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0)
        return error_system(error, errno, path, "cannot open the lock");
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        return 0;
    close(file);
    return error_set(error, ERROR_HELD, path, "another `ringside snapshot` is at work here");
}

/* On a terminal: one line, written over. */
static void report(const struct snapshotter_status *status, uint64_t from_seq)
{
    uint64_t all = status->command_seq_end > from_seq ? status->command_seq_end - from_seq : 0;
    uint64_t read = status->command_seq_next - from_seq;
    if (isatty(STDERR_FILENO) && all > 0)
        fprintf(stderr, "\rcommand %llu of %llu (%.0f %%), %llu live orders ", (ull)status->command_seq_next - 1,
                (ull)status->command_seq_end - 1, 100.0 * (double)read / (double)all, (ull)status->live_order_count);
}

static void tell_published(const struct config *config, const struct snapshotter_status *status, bool json)
{
    char path[DISK_PATH_BYTES];
    snapshot_path(config->snapshots_directory, status->published_seq, path);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    if (json)
        printf("{\"path\": \"%s\", \"command_seq_next\": %llu, \"live_orders\": %llu, \"bytes\": %llu, \"written\": "
               "%s}\n",
               path, (ull)status->published_seq, (ull)status->live_order_count, (ull)status->published_bytes,
               status->published_count > 0 ? "true" : "false");
    else if (status->published_count > 0)
        printf("%s: the books before command %llu, %.1f MB\n", path, (ull)status->published_seq,
               (double)status->published_bytes / 1e6);
    else if (status->published_seq > 0)
        printf("%s: the journal has nothing newer\n", path);
    else
        printf("the journal holds no command yet: no snapshot\n");
    fflush(stdout);
}

static void rest(void)
{
    const struct timespec pause = {.tv_nsec = (long)WAIT_NS};
    nanosleep(&pause, NULL);
}

/* The exit code. Once: it ends when there is nothing left to do. */
static int work(struct snapshotter *snapshotter, const struct config *config, bool follow, bool json)
{
    struct snapshotter_status status;
    struct error error = {0};
    struct notify notify;
    uint64_t told = 0;
    uint64_t busy_ns = clock_monotonic_ns();
    uint64_t report_ns = 0;
    snapshotter_status(snapshotter, &status);
    uint64_t from_seq = status.command_seq_next;
    notify_open(&notify);
    notify_ready("following the journal");
    while (signals_end_requests() == 0) {
        uint64_t now_ns = clock_monotonic_ns();
        int count = snapshotter_poll(snapshotter, now_ns, &error);
        (void)notify_alive(&notify, now_ns);
        if (count < 0) {
            log_error(&error, "cannot go on");
            return stage_exit_code(count);
        }
        snapshotter_status(snapshotter, &status);
        if (follow && status.published_count > told)
            tell_published(config, &status, json);
        told = status.published_count;
        if (!follow && (told > 0 || status.idle)) {
            tell_published(config, &status, json);
            return EXIT_STAGE_OK;
        }
        if (now_ns - report_ns > REPORT_NS)
            report(&status, from_seq);
        report_ns = now_ns - report_ns > REPORT_NS ? now_ns : report_ns;
        if (count > 0)
            busy_ns = now_ns;
        else
            rest();
        if (!follow && now_ns - busy_ns > ONCE_LIMIT_NS) {
            log_failure("the journal does not say that command %llu is on the medium: no snapshot",
                        (ull)status.command_seq_next - 1);
            return EXIT_STAGE_FAILED;
        }
    }
    return EXIT_STAGE_OK;
}

/* --follow waits for a journal to begin. */
static int open_and_work(const struct config *config, bool follow, bool json)
{
    struct snapshotter *snapshotter = NULL;
    struct error error = {0};
    int result = lock_directory(config, &error);
    while (result == 0) {
        result = snapshotter_open(&snapshotter, config, follow, &error);
        if (result != ERROR_NOT_YET || !follow || signals_end_requests() > 0)
            break;
        rest();
        result = 0;
    }
    if (result < 0 && signals_end_requests() > 0)
        return EXIT_STAGE_OK;
    if (result < 0) {
        log_error(&error, "cannot begin");
        return stage_exit_code(result);
    }
    int code = work(snapshotter, config, follow, json);
    snapshotter_close(snapshotter);
    return code;
}

/* ---- the command line ---------------------------------------------------------------------------------------------
 */

/* Takes out what is this program's own; what is left is everybody's. */
static int take_own_options(struct options *options, int argc, char **argv)
{
    int kept = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--follow") == 0)
            options->follow = true;
        else if (strcmp(argv[i], "--list") == 0)
            options->list = true;
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

int snapshot_main(int argc, char **argv)
{
    static const struct command_line_form form = {
        .program = "ringside snapshot",
        .summary = "writes a snapshot of the books from the last one and the journal",
        .takes_json = true,
        .extra = "  --follow                  goes on: one every snapshots.every_commands\n"
                 "  --list                    tells which snapshots there are\n"};
    struct options options = {0};
    struct command_line line;
    log_open("snapshot", LOG_LEVEL_INFO);
    argc = take_own_options(&options, argc, argv);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    log_set_level(line.config.exchange_log_level);
    signals_install(false);
    if (options.list) {
        code = list(&line.config, line.json);
    } else {
        (void)setpriority(PRIO_PROCESS, 0, 10); /* nobody waits for it */
        code = open_and_work(&line.config, options.follow, line.json);
    }
    config_finish(&line.config);
    return code;
}
