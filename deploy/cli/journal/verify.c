/*
 * `ringside journal verify`: whether a journal is whole. Tells what was looked at, so that "whole" means something; or
 * where and what is wrong.
 */
#include "base/units.h"
#include "check.h"
#include "env/clock.h"
#include "env/disk.h"
#include "journal/survey.h"
#include "log/log.h"
#include "stage/stage.h"
#include "view/json_text.h"

#include <errno.h>
#include <stdlib.h>

#define RAW_READ_BYTES ((size_t)1 << 20)

enum own_option { NO_REPLAY, EVENTS, YARDSTICK, OWN_OPTIONS };

static const struct command_line_option options[OWN_OPTIONS] = {
    [NO_REPLAY] = {"no-replay", NULL, "checks the bytes alone, not the books and the event log"},
    [EVENTS] = {"events", "DIRECTORY", "the event log (else that of the configuration, unless a journal is named)"},
    [YARDSTICK] = {"yardstick", NULL,
                   "before and after, reads the same segments 1 MiB at a time without looking at them"},
};

static const struct command_line_form form = {
    .program = "ringside journal verify",
    .summary = "checks every byte of a journal, and by replay what it says of the books and the event log",
    .takes_json = true,
    .options = options,
    .option_count = OWN_OPTIONS,
    .operand = "DIRECTORY",
    .brief = true,
    .extra =
        "\nEnds with 0 if the journal is whole, 2 if it is but for a torn tail, or an end of the event log, that the "
        "next start will cut, 65 if "
        "it is\ncorrupt or is not what was recorded, 66 if there is none. The replay needs the [engine] limits "
        "that the\nexchange had. Of a journal that is being written, what is durable when this begins is checked.\n",
};

/* ---- the yardstick ------------------------------------------------------------------------------------------------
 */

static int read_segment(const char *directory, const struct journal_segment_info *info, void *buffer,
                        struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(directory, info->number, path);
    int file = disk()->open(path, DISK_DIRECT, error);
    if (file < 0)
        return file;
    int result = 0;
    size_t count = RAW_READ_BYTES;
    for (uint64_t at = 0; result == 0 && at < info->used_bytes && count == RAW_READ_BYTES; at += count)
        result = disk()->read(file, at, buffer, RAW_READ_BYTES, &count, error);
    disk()->close(file);
    return result;
}

/* Seconds that a plain sequential read of the same segments takes. */
static int read_raw(const char *directory, double *ret_seconds, struct error *error)
{
    struct journal_survey survey;
    uint64_t begun_ns = clock_monotonic_ns();
    void *buffer = aligned_alloc(DISK_BLOCK_BYTES, RAW_READ_BYTES);
    if (!buffer)
        return error_system(error, ENOMEM, directory, "no memory to read");
    int result = journal_survey_make(&survey, directory, error);
    if (result == 0) {
        for (uint32_t i = 0; i < survey.count && result == 0; i++)
            if (survey.segments[i].state == SEGMENT_BEGUN)
                result = read_segment(directory, &survey.segments[i], buffer, error);
        journal_survey_finish(&survey);
    }
    free(buffer);
    if (result == 0)
        *ret_seconds = (double)(clock_monotonic_ns() - begun_ns) / NS_PER_SECOND;
    return result;
}

/* ---- what was found -----------------------------------------------------------------------------------------------
 */

static double rate_of(const struct check *check)
{
    return check->seconds > 0 ? (double)check->byte_count / check->seconds : 0;
}

static void print_replay(const struct check *check)
{
    if (check->replay_first_seq > 1)
        printf("  begun with    the snapshot of %s before command %llu\n", check->config->snapshots_directory,
               (ull)check->replay_first_seq);
    printf("  replay        %llu events, %.2f million commands a second; %llu checkpoints agree\n"
           "  event hash    %016llx\n  state hash    %016llx\n  live orders   %llu\n",
           (ull)check->event_count, (double)check->command_count / check->seconds / 1e6, (ull)check->checkpoint_count,
           (ull)check->event_hash, (ull)check->state_hash, (ull)check->live_orders);
    if (!check->event_log_present) {
        printf("  event log     %s\n", check->events_directory ? "none" : "not looked at");
        return;
    }
    printf("  event log     %llu events agree%s\n", (ull)check->event_log_count,
           check->event_log_beyond ? "; it holds more, of commands that the journal does not have" : "");
    if (check->event_log_hole != 0)
        printf(
            "                event %llu is not whole though later ones are: lost with the power, before it was synced, "
            "or\n                damaged\n",
            (ull)check->event_log_hole);
    if (check->event_log_count < check->event_count)
        printf("                the last %llu are not in it, and are made again from the journal\n",
               (ull)(check->event_count - check->event_log_count));
}

static void print_person(const struct check *check, double raw_seconds)
{
    const struct journal_position *end = &check->position;
    printf("%s: whole%s\n", check->place.directory,
           end->torn_bytes > 0 ? " up to a torn tail"
           : check->place.live ? " as far as it is durable; a journaler goes on writing"
                               : "");
    printf("  segments      %u to %u, epochs %u to %u\n", check->segment_first, end->segment, check->epoch_first,
           end->epoch);
    printf("  commands      %llu to %llu in %llu batches\n", (ull)check->seq_first, (ull)end->command_seq_next - 1,
           (ull)check->batch_count);
    printf("  read          %.1f MiB in %.2f s, %.0f MiB/s\n", (double)check->byte_count / MIB, check->seconds,
           rate_of(check) / MIB);
    if (raw_seconds > 0)
        printf("  yardstick     the same segments read without looking: %.2f s, %.2f of the time\n", raw_seconds,
               raw_seconds / check->seconds);
    if (check->replays)
        print_replay(check);
    if (check->snapshot_missing)
        printf("  replay        none: what came before was trimmed, and %s has no good snapshot to go on from;\n"
               "                the bytes are right, the books could not be checked\n",
               check->config->snapshots_directory);
    if (end->torn_bytes > 0)
        printf(
            "  torn tail     %llu bytes at offset %llu of segment %u, after command %llu; nobody was told of it, and "
            "the\n                next start (or ringside journal repair) cuts it\n",
            (ull)end->torn_bytes, (ull)end->segment_offset, end->segment, (ull)end->command_seq_next - 1);
}

/* `error` NULL: it is whole. */
static void print_json(const struct check *check, double raw_seconds, const struct error *error)
{
    const struct journal_position *end = &check->position;
    printf("{\"journal\":");
    json_text_print(stdout, check->place.directory);
    printf(",\"whole\":%s,\"live\":%s,\"segment_first\":%u,\"segment\":%u,\"epoch\":%u,\"command_seq_first\":%llu,"
           "\"command_seq_next\":%llu,\"offset\":%llu,\"commands\":%llu,\"batches\":%llu,\"bytes\":%llu,"
           "\"seconds\":%.6f,\"torn_bytes\":%llu",
           error ? "false" : "true", check->place.live ? "true" : "false", check->segment_first, end->segment,
           end->epoch, (ull)check->seq_first, (ull)end->command_seq_next, (ull)end->segment_offset,
           (ull)check->command_count, (ull)check->batch_count, (ull)check->byte_count, check->seconds,
           (ull)end->torn_bytes);
    if (raw_seconds > 0)
        printf(",\"yardstick_seconds\":%.6f,\"yardstick_ratio\":%.3f", raw_seconds, raw_seconds / check->seconds);
    printf(",\"replayed\":%s,\"snapshot_missing\":%s", check->replays && !error ? "true" : "false",
           check->snapshot_missing ? "true" : "false");
    if (check->replays && !error)
        printf(",\"replay_first_seq\":%llu,\"events\":%llu,\"event_log_events\":%llu,\"event_log_hole\":%llu,"
               "\"checkpoints\":%llu,\"event_hash\":"
               "\"%016llx\","
               "\"state_hash\":\"%016llx\",\"live_orders\":%llu",
               (ull)check->replay_first_seq, (ull)check->event_count, (ull)check->event_log_count,
               (ull)check->event_log_hole, (ull)check->checkpoint_count, (ull)check->event_hash, (ull)check->state_hash,
               (ull)check->live_orders);
    if (error) {
        printf(",\"error\":\"%s\",\"where\":", error_name(error->code));
        json_text_print(stdout, error->where);
        printf(",\"what\":");
        json_text_print(stdout, error->what);
    }
    printf("}\n");
}

static int report(const struct check *check, double raw_seconds, int result, const struct error *error, bool json)
{
    if (json)
        print_json(check, raw_seconds, result < 0 ? error : NULL);
    else if (result == 0)
        print_person(check, raw_seconds);
    if (result < 0)
        return journal_refused("verify", error, false);
    bool remarks = check->position.torn_bytes > 0 || check->event_log_hole != 0 || check->snapshot_missing;
    return remarks ? EXIT_JOURNAL_TORN : EXIT_STAGE_OK;
}

int journal_verify_main(int argc, char **argv)
{
    struct command_line line;
    struct error error = {0};
    double raw_seconds = 0;
    log_open("journal", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    struct check *check = calloc(1, sizeof(*check));
    REQUIRE(check);
    check->config = &line.config;
    check->replays = !line.values[NO_REPLAY];
    check->events_directory = line.values[EVENTS] ? line.values[EVENTS]
                              : line.operand      ? NULL
                                                  : line.config.events_directory;
    int result = journal_place_find(&check->place, &line, &error);
    if (result == 0 && line.values[YARDSTICK])
        result = read_raw(check->place.directory, &raw_seconds, &error);
    if (result == 0)
        result = check_run(check, &error);
    if (result == 0 && line.values[YARDSTICK]) {
        double again_seconds = 0;
        result = read_raw(check->place.directory, &again_seconds, &error);
        raw_seconds = (raw_seconds + again_seconds) / 2; /* disks change from one second to the next */
    }
    code = report(check, raw_seconds, result, &error, line.json);
    check_finish(check);
    free(check);
    config_finish(&line.config);
    return code;
}
