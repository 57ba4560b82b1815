/*
 * `ringside journal repair`: cuts a torn tail, and nothing else.
 *
 * It is what a journaler does when it starts, without starting one: the same search for the end, the same witnesses
 * asked before anything is changed, and the journaler's own role held meanwhile, so that none can start or run.
 */
#include "env/disk.h"
#include "journal/segments.h"
#include "journal/tail.h"
#include "journal_cli.h"
#include "journaler/survivors.h"
#include "log/log.h"
#include "stage/stage.h"
#include "view/json_text.h"

enum own_option { DRY_RUN, OWN_OPTIONS };

static const struct command_line_option options[OWN_OPTIONS] = {
    [DRY_RUN] = {"dry-run", NULL, "only says what would be cut"},
};

static const struct command_line_form form = {
    .program = "ringside journal repair",
    .summary = "cuts the torn tail that a kill or a loss of power left, and nothing else",
    .takes_json = true,
    .options = options,
    .option_count = OWN_OPTIONS,
    .brief = true,
    .extra =
        "\nThe journal is that of the configuration; no journaler may run. A start of the exchange does the same, so "
        "this\nis for who wants it done without. Ends with 0, also if there was nothing to cut; 65 if the journal is "
        "corrupt,\nwhich nothing repairs but a copy; 69 if a journaler runs.\n",
};

struct repair {
    const char *directory;
    bool dry_run;
    bool json;
    struct journal_end end;
    uint64_t cut_bytes;     /* of the last segment */
    uint32_t removed_count; /* segments whose first write was torn */
};

/* ---- cutting ------------------------------------------------------------------------------------------------------
 */

static int cut_segment(struct repair *repair, struct error *error)
{
    char path[DISK_PATH_BYTES];
    const struct journal_position *position = &repair->end.position;
    struct journal_proof proof;
    journal_segment_path(repair->directory, position->segment, path);
    int file = disk()->open(path, DISK_WRITABLE | DISK_DIRECT, error);
    if (file < 0)
        return file;
    int result = journal_proof_search(file, &repair->end.segment, position->segment_offset, &proof, error);
    if (result == 0 && proof.offset != 0)
        result = error_set(error, ERROR_CORRUPT, path,
                           "at offset %llu: the batch at offset %llu proves that it was "
                           "acknowledged",
                           (ull)position->segment_offset, (ull)proof.offset);
    bool torn = result == 0 && proof.used_end > position->segment_offset;
    if (torn)
        repair->cut_bytes = proof.used_end - position->segment_offset;
    if (torn && !repair->dry_run) {
        result = disk()->truncate(file, position->segment_offset, error);
        if (result == 0)
            result = disk()->sync(file, error);
    }
    disk()->close(file);
    return result;
}

/* Prepared ones, of which nothing is in use, stay as they are. */
static int remove_torn_segments(struct repair *repair, struct error *error)
{
    int result = 0;
    for (uint32_t number = repair->end.number_highest; number > repair->end.position.segment && result == 0; number--) {
        char path[DISK_PATH_BYTES];
        bool begun = false;
        int64_t bytes = journal_unbegun_bytes(repair->directory, number, repair->end.segment.instance, &begun, error);
        if (bytes < 0)
            return (int)bytes;
        REQUIRE(!begun); /* no journaler is at work: its role is held here */
        if (bytes == 0)
            continue;
        journal_segment_path(repair->directory, number, path);
        repair->removed_count++;
        result = repair->dry_run ? 0 : disk()->remove(path, error);
    }
    return result;
}

static int sync_names(const struct repair *repair, struct error *error)
{
    int file = disk()->open_directory(repair->directory, error);
    if (file < 0)
        return file;
    int result = disk()->sync(file, error);
    disk()->close(file);
    return result;
}

/* With the journaler's role and the run's lock held, or the run joined. */
static int repair_held(struct repair *repair, const struct config *config, struct run *run, struct error *error)
{
    int joined = survivors_join(run, error);
    if (joined < 0)
        return joined;
    int result = journal_end_find(&repair->end, repair->directory, error);
    if (result == 0 && repair->end.position.segment == 0)
        result = error_set(error, ERROR_NOT_YET, repair->directory, "holds no journal");
    if (result == 0)
        result = survivors_check(run, joined != 0, config, &repair->end, error);
    if (result < 0 || repair->end.position.torn_bytes == 0)
        return result;
    result = cut_segment(repair, error);
    if (result == 0)
        result = remove_torn_segments(repair, error);
    return result < 0 || repair->dry_run ? result : sync_names(repair, error);
}

static int repair_go(struct repair *repair, const struct config *config, struct error *error)
{
    struct run run;
    int result = run_take_role(&run, config->exchange_rings_directory, PROCESS_JOURNALER, 0, error);
    if (result < 0)
        return result;
    result = repair_held(repair, config, &run, error);
    run_leave(&run);
    return result;
}

/* ---- telling ------------------------------------------------------------------------------------------------------
 */

static void print_json(const struct repair *repair)
{
    const struct journal_position *position = &repair->end.position;
    printf("{\"journal\":");
    json_text_print(stdout, repair->directory);
    printf(",\"dry_run\":%s,\"torn_bytes\":%llu,\"segment\":%u,\"offset\":%llu,\"cut_bytes\":%llu,"
           "\"removed_segments\":%u,\"command_seq_next\":%llu}\n",
           repair->dry_run ? "true" : "false", (ull)position->torn_bytes, position->segment,
           (ull)position->segment_offset, (ull)repair->cut_bytes, repair->removed_count,
           (ull)position->command_seq_next);
}

static void print_person(const struct repair *repair)
{
    const struct journal_position *position = &repair->end.position;
    const char *would = repair->dry_run ? "would be " : "";
    if (position->torn_bytes == 0)
        printf("%s: nothing to cut; it ends with command %llu\n", repair->directory,
               (ull)position->command_seq_next - 1);
    if (repair->cut_bytes > 0)
        printf("%s: segment %u %scut at offset %llu, behind command %llu: %llu bytes of a write that was cut short, of "
               "which nobody was told\n",
               repair->directory, position->segment, would, (ull)position->segment_offset,
               (ull)position->command_seq_next - 1, (ull)repair->cut_bytes);
    if (repair->removed_count > 0)
        printf("%s: %u segment%s %sremoved, whose first write was cut short\n", repair->directory,
               repair->removed_count, repair->removed_count > 1 ? "s" : "", would);
}

int journal_repair_main(int argc, char **argv)
{
    struct command_line line;
    struct error error = {0};
    log_open("journal", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    struct repair repair = {
        .directory = line.config.journal_directory, .dry_run = line.values[DRY_RUN] != NULL, .json = line.json};
    int result = repair_go(&repair, &line.config, &error);
    if (result < 0)
        code = journal_refused("repair", &error, line.json);
    else if (line.json)
        print_json(&repair);
    else
        print_person(&repair);
    config_finish(&line.config);
    return result < 0 ? code : EXIT_STAGE_OK;
}
