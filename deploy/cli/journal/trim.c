/*
 * `ringside journal trim`: removes or archives the segments of the journal that nothing needs any more, and then what
 * nothing needs of the event log. Whether something does is for trim_limit.c and events_limit.c to say, how it is done
 * safely for journal/trim.h and eventlog/trim.h. One at a time: two would put the same files in order at once, so the
 * journal's directory is locked.
 */
#include "journal/trim.h"

#include "eventlog/trim.h"
#include "events_limit.h"
#include "journal_cli.h"
#include "log/log.h"
#include "stage/stage.h"
#include "trim_limit.h"
#include "view/json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum own_option { ARCHIVE, BEFORE, DRY_RUN, OWN_OPTIONS };

static const struct command_line_option options[OWN_OPTIONS] = {
    [ARCHIVE] = {"archive", "DIRECTORY", "moves them there, not to retention.archive_path"},
    [BEFORE] = {"before", "SEQ",
                "no segment with this command or a later one; refused if an earlier one is needed; events stay"},
    [DRY_RUN] = {"dry-run", NULL, "only says what would go"},
};

static const struct command_line_form form = {
    .program = "ringside journal trim",
    .summary = "removes or archives what nothing needs any more of the journal and of the event log",
    .takes_json = true,
    .options = options,
    .option_count = OWN_OPTIONS,
    .brief = true,
    .extra =
        "\nThe journal is that of the configuration, whose exchange may be running. The last segment always stays, "
        "and\n"
        "so do the events of the trading day and those that a store has not got yet.\n"
        "Ends with 0, also if nothing could go, and says what is needed and why; with 64 if --before asks for more;\n"
        "with 69, and nothing touched, while another trim is at work here: there is one at a time, but for "
        "--dry-run.\n",
};

struct trim_run {
    struct journal_trim trim;
    struct journal_trim_limit limit;
    struct eventlog_trim events;
    struct events_limit events_limit;
    bool has_events; /* were looked at */
    bool json;
};

static const char *archive_of(const struct command_line *line)
{
    if (line->values[ARCHIVE])
        return line->values[ARCHIVE];
    return *line->config.retention_archive_path ? line->config.retention_archive_path : NULL;
}

static void tell(void *argument, const struct journal_segment_info *gone)
{
    const struct trim_run *run = argument;
    if (!run->json)
        printf("segment %u, commands %llu to %llu, %llu bytes: %s%s%s\n", gone->number, (ull)gone->first_seq,
               (ull)gone->seq_end - 1, (ull)gone->file_bytes, run->trim.dry_run ? "would be " : "",
               run->trim.archive ? "moved to " : "removed", run->trim.archive ? run->trim.archive : "");
}

/* ---- one at a time ------------------------------------------------------------------------------------------------
 */

/*
 * Held until the process ends. The directory itself is locked, so that it takes no space on a disk that is full, and no
 * file that belongs to whoever came first: who trims by hand may be another user than the timer's.
 */
static int lock_directory(const char *directory, struct error *error)
{
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT ? error_set(error, ERROR_NOT_YET, directory, "there is no such directory")
                               : error_system(error, errno, directory, "cannot open the directory");
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        return 0;
    int system = errno;
    close(file);
    if (system != EWOULDBLOCK)
        return error_system(error, system, directory, "cannot lock the directory");
    return error_set(
        error, ERROR_HELD, directory,
        "another `ringside journal trim` is at work here (the timer's, or one by hand); nothing was touched");
}

/* ---- trimming -----------------------------------------------------------------------------------------------------
 */

static int trim_go(struct trim_run *run, const struct command_line *line, struct error *error)
{
    struct journal_trim_limit *limit = &run->limit;
    uint64_t before = UINT64_MAX;
    if (line->values[BEFORE] && !number_read(line->values[BEFORE], &before))
        return error_set(error, ERROR_INVALID, "before", "'%s' is no number of a command", line->values[BEFORE]);
    int result = line->values[DRY_RUN] ? 0 : lock_directory(line->config.journal_directory, error);
    if (result == 0)
        result = journal_trim_limit_find(limit, &line->config, error);
    if (result < 0)
        return result;
    if (line->values[BEFORE] && before > limit->needed_seq)
        return error_set(error, ERROR_INVALID, line->config.journal_directory,
                         "command %llu and all after it are needed by %s: %s; nothing was touched",
                         (ull)limit->needed_seq, limit->keeper, limit->why);
    run->json = line->json;
    run->trim = (struct journal_trim){.directory = line->config.journal_directory,
                                      .archive = archive_of(line),
                                      .recycled_bytes = line->config.journal_segment_bytes,
                                      .needed_seq = before < limit->needed_seq ? before : limit->needed_seq,
                                      .dry_run = line->values[DRY_RUN] != NULL,
                                      .tell = tell,
                                      .argument = run};
    return journal_trim(&run->trim, error);
}

static int trim_events(struct trim_run *run, const struct command_line *line, struct error *error)
{
    if (line->values[BEFORE])
        return 0;
    int result = events_limit_find(&run->events_limit, &line->config, error);
    if (result < 0)
        return result;
    run->has_events = true;
    run->events = (struct eventlog_trim){.directory = line->config.events_directory,
                                         .archive = archive_of(line),
                                         .needed_seq = run->events_limit.needed_seq,
                                         .dry_run = line->values[DRY_RUN] != NULL};
    return eventlog_trim(&run->events, error);
}

/* ---- telling ------------------------------------------------------------------------------------------------------
 */

static void print_events_json(const struct trim_run *run)
{
    const struct events_limit *limit = &run->events_limit;
    printf(",\"events\":{\"log\":");
    json_text_print(stdout, run->events.directory);
    printf(",\"files\":%u,\"bytes\":%llu,\"needed_seq\":%llu,\"keeper\":\"%s\",\"gives_up\":%s,\"why\":",
           run->events.count, (ull)run->events.bytes, (ull)limit->needed_seq, limit->keeper,
           limit->gives_up ? "true" : "false");
    json_text_print(stdout, limit->why);
    printf("}");
}

static void print_events(const struct trim_run *run)
{
    const struct events_limit *limit = &run->events_limit;
    printf("%u files of events, %llu bytes%s\n", run->events.count, (ull)run->events.bytes,
           run->events.dry_run ? " would go" : " gone");
    printf("%s from event %llu on by %s: %s\n", limit->gives_up ? "kept" : "needed", (ull)limit->needed_seq,
           limit->keeper, limit->why);
}

static void print_end(const struct trim_run *run)
{
    const struct journal_trim_limit *limit = &run->limit;
    if (run->json) {
        printf("{\"journal\":");
        json_text_print(stdout, run->trim.directory);
        printf(",\"segments\":%u,\"bytes\":%llu,\"recycled\":%u,\"dry_run\":%s,\"needed_seq\":%llu,"
               "\"keeper\":\"%s\",\"why\":",
               run->trim.count, (ull)run->trim.bytes, run->trim.recycled_count, run->trim.dry_run ? "true" : "false",
               (ull)limit->needed_seq, limit->keeper);
        json_text_print(stdout, limit->why);
        if (run->has_events)
            print_events_json(run);
        printf("}\n");
        return;
    }
    printf("%u segments, %llu bytes%s\n", run->trim.count, (ull)run->trim.bytes,
           run->trim.dry_run ? " would go" : " gone");
    if (run->trim.recycled_count > 0)
        printf("%u of their files are kept for the journaler to use anew\n", run->trim.recycled_count);
    printf("needed from command %llu on by %s: %s\n", (ull)limit->needed_seq, limit->keeper, limit->why);
    if (run->has_events)
        print_events(run);
}

int journal_trim_main(int argc, char **argv)
{
    struct command_line line;
    struct error error = {0};
    struct trim_run run = {0};
    log_open("journal", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    int result = trim_go(&run, &line, &error);
    if (result >= 0)
        result = trim_events(&run, &line, &error);
    if (result < 0)
        code = journal_refused("trim", &error, line.json);
    else
        print_end(&run);
    config_finish(&line.config);
    return result < 0 ? code : EXIT_STAGE_OK;
}
