/*
 * `ringside journal trim`: removes or archives the segments that nothing needs any more. Whether something does is for
 * trim_limit.c to say, how it is done safely for journal/trim.h.
 */
#include "journal/trim.h"

#include "journal_cli.h"
#include "log/log.h"
#include "stage/stage.h"
#include "trim_limit.h"
#include "view/json_text.h"

enum own_option { ARCHIVE, BEFORE, DRY_RUN, OWN_OPTIONS };

static const struct command_line_option options[OWN_OPTIONS] = {
    [ARCHIVE] = {"archive", "DIRECTORY", "moves them there in place of removing them"},
    [BEFORE] = {"before", "SEQ", "no segment with this command or a later one; refused if an earlier one is needed"},
    [DRY_RUN] = {"dry-run", NULL, "only says what would go"},
};

static const struct command_line_form form = {
    .program = "ringside journal trim",
    .summary = "removes or archives segments of the journal that nothing needs any more",
    .takes_json = true,
    .options = options,
    .option_count = OWN_OPTIONS,
    .brief = true,
    .extra =
        "\nThe journal is that of the configuration, whose exchange may be running. The last segment always stays.\n"
        "Ends with 0, also if nothing could go, and says what is needed and why; with 64 if --before asks for more.\n",
};

struct trim_run {
    struct journal_trim trim;
    struct journal_trim_limit limit;
    bool json;
};

static void tell(void *argument, const struct journal_segment_info *gone)
{
    const struct trim_run *run = argument;
    if (!run->json)
        printf("segment %u, commands %llu to %llu, %llu bytes: %s%s%s\n", gone->number, (ull)gone->first_seq,
               (ull)gone->seq_end - 1, (ull)gone->file_bytes, run->trim.dry_run ? "would be " : "",
               run->trim.archive ? "moved to " : "removed", run->trim.archive ? run->trim.archive : "");
}

static int trim_go(struct trim_run *run, const struct command_line *line, struct error *error)
{
    struct journal_trim_limit *limit = &run->limit;
    uint64_t before = UINT64_MAX;
    if (line->values[BEFORE] && !number_read(line->values[BEFORE], &before))
        return error_set(error, ERROR_INVALID, "before", "'%s' is no number of a command", line->values[BEFORE]);
    int result = journal_trim_limit_find(limit, &line->config, error);
    if (result < 0)
        return result;
    if (line->values[BEFORE] && before > limit->needed_seq)
        return error_set(error, ERROR_INVALID, line->config.journal_directory,
                         "command %llu and all after it are needed by %s: %s; nothing was touched",
                         (ull)limit->needed_seq, limit->keeper, limit->why);
    run->json = line->json;
    run->trim = (struct journal_trim){.directory = line->config.journal_directory,
                                      .archive = line->values[ARCHIVE],
                                      .recycled_bytes = line->config.journal_segment_bytes,
                                      .needed_seq = before < limit->needed_seq ? before : limit->needed_seq,
                                      .dry_run = line->values[DRY_RUN] != NULL,
                                      .tell = tell,
                                      .argument = run};
    return journal_trim(&run->trim, error);
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
        printf("}\n");
        return;
    }
    printf("%u segments, %llu bytes%s\n", run->trim.count, (ull)run->trim.bytes,
           run->trim.dry_run ? " would go" : " gone");
    if (run->trim.recycled_count > 0)
        printf("%u of their files are kept for the journaler to use anew\n", run->trim.recycled_count);
    printf("needed from command %llu on by %s: %s\n", (ull)limit->needed_seq, limit->keeper, limit->why);
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
    if (result < 0)
        code = journal_refused("trim", &error, line.json);
    else
        print_end(&run);
    config_finish(&line.config);
    return result < 0 ? code : EXIT_STAGE_OK;
}
