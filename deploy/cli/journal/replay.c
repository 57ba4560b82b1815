/*
 * `ringside journal replay`: the commands applied to a fresh engine as fast as it goes, which is how fast a recovery is
 * and whether it comes to the same; or, with --connect, sent to a running test instance.
 */
#include "journal/journal_layout.h"
#include "journal/survey.h"
#include "journal_cli.h"
#include "log/log.h"
#include "play.h"
#include "replayer.h"
#include "stage/stage.h"
#include "view/json_text.h"
#include "wire/ouch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TAKEN_COMMANDS 64

enum own_option { TO, CONNECT, PACE, PASSWORD, USER, OWN_OPTIONS };

static const struct command_line_option options[OWN_OPTIONS] = {
    [TO] = {"to", "SEQ", "to this command, itself included"},
    [CONNECT] = {"connect", "HOST:PORT", "sends the requests to the gateway there, which should be a test instance's"},
    [PACE] = {"pace", "N|max", "so many times as fast as it was (1.0); max: as fast as it goes"},
    [PASSWORD] = {"password", "PASSWORD", "of all users there (ringside)"},
    [USER] = {"user", "PREFIX", "session n logs in as PREFIXnn; else as its user was called"},
};

static const struct command_line_form form = {
    .program = "ringside journal replay",
    .summary = "applies the commands of a journal to a new engine, or sends them to a test instance",
    .takes_json = true,
    .options = options,
    .option_count = OWN_OPTIONS,
    .operand = "DIRECTORY",
    .brief = true,
    .extra =
        "\nThe engine needs the [engine] limits that the exchange had; then its hashes are those of the exchange at "
        "that\n"
        "command. With --connect each session logs in when its user did and sends what its user sent. Not sent are\n"
        "times, days, instruments, limits and market states, which are the other exchange's own, requests that the\n"
        "gateway refused, and in which order requests of different sessions came that are close to each other. The\n"
        "other exchange should have the same instruments and users that have sent nothing yet today.\n",
};

struct replay_run {
    const struct config *config;
    struct journal_place place;
    struct journal_position end;
    struct journal_reader *reader;
    struct replayer replayer;
    struct play play;
    bool plays;
    uint64_t from_seq; /* the first command that is applied: 1, or behind a snapshot */
    uint64_t from_event;
    uint64_t seq_end; /* the first command that is left out */
    uint64_t command_count;
    uint64_t bytes;
    struct progress progress;
    double seconds;
    double processor_s; /* of this thread; another one reads */
};

static double processor_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- going through ------------------------------------------------------------------------------------------------
 */

static int open_journal(struct replay_run *run, struct error *error)
{
    struct journal_survey survey;
    int result = journal_survey_make(&survey, run->place.directory, error);
    if (result < 0)
        return result;
    uint64_t bytes = journal_survey_bytes(&survey);
    journal_survey_finish(&survey);
    result = journal_reader_open_oldest(&run->reader, run->place.directory, error);
    if (result == 0 && run->plays && journal_reader_segment(run->reader)->first_seq != 1)
        result = error_set(error, ERROR_INVALID, run->place.directory,
                           "begins with command %llu: what came before is not there to be sent",
                           (ull)journal_reader_segment(run->reader)->first_seq);
    if (result == 0)
        result = journal_reader_read_ahead(run->reader, error);
    if (result == 0)
        result = replayer_open(&run->replayer, run->config, journal_reader_segment(run->reader), error);
    if (result == 0) {
        run->from_seq = engine_command_seq_next(run->replayer.engine);
        run->from_event = engine_event_seq_next(run->replayer.engine);
    }
    progress_begin(&run->progress, "replaying", bytes); /* after the engine's memory is there */
    return result;
}

static int apply_records(struct replay_run *run, struct error *error)
{
    const struct command *commands;
    int count;
    while ((count = replayer_take(&run->replayer, run->reader, run->seq_end, &commands, error)) > 0) {
        int result = replayer_apply(&run->replayer, error);
        if (result < 0)
            return result;
        run->command_count += (uint64_t)count;
    }
    return count;
}

static int play_records(struct replay_run *run, struct error *error)
{
    struct command commands[TAKEN_COMMANDS];
    int count;
    while ((count = journal_reader_records(run->reader, commands, TAKEN_COMMANDS, error)) > 0) {
        for (int i = 0; i < count && commands[i].command_seq < run->seq_end; i++) {
            int result = play_command(&run->play, &commands[i], error);
            if (result < 0)
                return result;
            run->command_count++;
            progress_show(&run->progress, run->bytes, run->command_count);
        }
    }
    return count;
}

static int replay_all(struct replay_run *run, struct error *error)
{
    const struct journal_batch_header *header;
    int result = open_journal(run, error);
    double begun_s = processor_s();
    while (result == 0) {
        result = journal_reader_batch(run->reader, run->place.durable_end, &header, error);
        if (result <= 0 || header->first_seq >= run->seq_end)
            break;
        run->bytes += journal_batch_bytes(header->payload_bytes);
        progress_show(&run->progress, run->bytes, run->command_count);
        result = run->plays ? play_records(run, error) : apply_records(run, error);
    }
    if (result >= 0)
        result = replayer_settle(&run->replayer, error);
    if (result == 0 && run->plays)
        result = play_end(&run->play, error);
    run->seconds = progress_seconds(&run->progress);
    run->processor_s = processor_s() - begun_s;
    if (run->reader)
        journal_reader_position(run->reader, &run->end);
    progress_end(&run->progress);
    return result;
}

/* ---- the command line ---------------------------------------------------------------------------------------------
 */

static bool read_pace(const char *text, double *ret)
{
    char *end = NULL;
    if (strcmp(text, "max") == 0) {
        *ret = 0;
        return true;
    }
    *ret = strtod(text, &end);
    return end != text && *end == '\0' && *ret > 0 && *ret <= 1e6;
}

static int take_options(struct replay_run *run, struct play_options *play, const struct command_line *line,
                        struct error *error)
{
    uint64_t to = UINT64_MAX - 1;
    *play = (struct play_options){.addresses = line->values[CONNECT],
                                  .password = line->values[PASSWORD] ? line->values[PASSWORD] : "ringside",
                                  .user_prefix = line->values[USER],
                                  .pace = 1.0};
    if (line->values[TO] && (!number_read(line->values[TO], &to) || to == UINT64_MAX))
        return error_set(error, ERROR_INVALID, "to", "'%s' is no number of a command", line->values[TO]);
    if (line->values[PACE] && !read_pace(line->values[PACE], &play->pace))
        return error_set(error, ERROR_INVALID, "pace", "'%s' is neither a number above 0 nor max", line->values[PACE]);
    if (!line->values[CONNECT] && (line->values[PACE] || line->values[PASSWORD] || line->values[USER]))
        return error_set(error, ERROR_INVALID, "connect", "--pace, --password and --user go with --connect");
    run->plays = line->values[CONNECT] != NULL;
    run->seq_end = to + 1;
    return 0;
}

/* ---- telling ------------------------------------------------------------------------------------------------------
 */

static void print_engine(const struct replay_run *run)
{
    const struct engine *engine = run->replayer.engine;
    printf(
        "%s: %llu commands, %llu events in %.3f s: %.2f million commands a second, %.2f a second of processor time\n",
        run->place.directory, (ull)run->command_count, (ull)(engine_event_seq_next(engine) - run->from_event),
        run->seconds, (double)run->command_count / run->seconds / 1e6,
        (double)run->command_count / run->processor_s / 1e6);
    if (run->from_seq > 1)
        printf("  begun with    the snapshot of %s before command %llu\n", run->config->snapshots_directory,
               (ull)run->from_seq);
    printf("  last command  %llu\n  event hash    %016llx\n  state hash    %016llx\n  live orders   %llu\n",
           (ull)engine_command_seq_next(engine) - 1, (ull)engine_event_hash(engine), (ull)engine_state_hash(engine),
           (ull)engine_live_orders(engine));
    if (run->end.torn_bytes > 0)
        printf("  torn tail     %llu bytes behind it\n", (ull)run->end.torn_bytes);
}

static void print_play(const struct replay_run *run)
{
    const struct play *play = &run->play;
    printf("%s: %llu logins, %llu requests sent in %.3f s, %.3f s late at most\n", play->options.addresses,
           (ull)play->login_count, (ull)play->sent_count, run->seconds, (double)play->late_ns_max / 1e9);
    for (uint32_t letter = 0; letter < 256; letter++)
        if (play->answers[letter] > 0)
            printf("  answered  %12llu  %s\n", (ull)play->answers[letter], ouch_title(OUCH_OUT, (uint8_t)letter));
    for (uint32_t kind = 0; kind < 256; kind++)
        if (play->left_out[kind] > 0)
            printf("  not sent  %12llu  %s\n", (ull)play->left_out[kind], command_kind_name((uint8_t)kind));
}

static void print_json(const struct replay_run *run)
{
    const struct engine *engine = run->replayer.engine;
    printf("{\"journal\":");
    json_text_print(stdout, run->place.directory);
    printf(",\"from_seq\":%llu,\"commands\":%llu,\"events\":%llu,\"seconds\":%.6f,\"processor_s\":%.6f,\"commands_per_"
           "s\":%.0f,\"command_"
           "seq\":%llu,"
           "\"event_hash\":\"%016llx\",\"state_hash\":\"%016llx\",\"live_orders\":%llu,\"torn_bytes\":%llu",
           (ull)run->from_seq, (ull)run->command_count, (ull)(engine_event_seq_next(engine) - run->from_event),
           run->seconds, run->processor_s, (double)run->command_count / run->seconds,
           (ull)engine_command_seq_next(engine) - 1, (ull)engine_event_hash(engine), (ull)engine_state_hash(engine),
           (ull)engine_live_orders(engine), (ull)run->end.torn_bytes);
    if (run->plays) {
        const char *separator = "";
        printf(",\"logins\":%llu,\"sent\":%llu,\"late_s\":%.6f,\"answers\":{", (ull)run->play.login_count,
               (ull)run->play.sent_count, (double)run->play.late_ns_max / 1e9);
        for (int letter = '0'; letter <= 'z'; letter++) {
            if (run->play.answers[letter] == 0)
                continue;
            printf("%s\"%c\":%llu", separator, letter, (ull)run->play.answers[letter]);
            separator = ",";
        }
        printf("},\"not_sent\":{");
        separator = "";
        for (uint32_t kind = 0; kind < 256; kind++) {
            if (run->play.left_out[kind] == 0)
                continue;
            printf("%s\"%s\":%llu", separator, command_kind_name((uint8_t)kind), (ull)run->play.left_out[kind]);
            separator = ",";
        }
        printf("}");
    }
    printf("}\n");
}

int journal_replay_main(int argc, char **argv)
{
    struct command_line line;
    struct play_options play;
    struct error error = {0};
    log_open("journal", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    struct replay_run *run = calloc(1, sizeof(*run));
    REQUIRE(run);
    run->config = &line.config;
    int result = take_options(run, &play, &line, &error);
    if (result == 0)
        result = journal_place_find(&run->place, &line, &error);
    if (result == 0 && run->plays)
        result = play_open(&run->play, &play, &run->replayer, (uint32_t)line.config.engine_sessions_max, &error);
    if (result == 0)
        result = replay_all(run, &error);
    if (result < 0)
        code = journal_refused("replay", &error, line.json);
    else if (line.json)
        print_json(run);
    else if (run->plays)
        print_play(run);
    else
        print_engine(run);
    play_close(&run->play);
    journal_reader_close(run->reader);
    replayer_close(&run->replayer);
    free(run);
    config_finish(&line.config);
    return result < 0 ? code : EXIT_STAGE_OK;
}
