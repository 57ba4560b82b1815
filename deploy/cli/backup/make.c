/* `ringside backup DIR`: makes one, of an exchange that runs or of one that does not. */
#include "backup_cli.h"
#include "env/clock.h"
#include "log/log.h"
#include "stage/command_line.h"
#include "stage/stage.h"
#include "view/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define FILES_MAX   65536 /* open at once; the journal and the event log of 16 TiB */
#define ABOUT_BYTES 1024

enum own_option { RATE, OWN_OPTIONS };

static const struct command_line_option options[OWN_OPTIONS] = {
    [RATE] = {"rate", "MIB", "copies so many MiB a second at most (100); 0: as fast as it goes"},
};

static const struct command_line_form form = {
    .program = "ringside backup",
    .summary = "copies a running exchange's files that fit together into an empty folder",
    .takes_json = true,
    .options = options,
    .option_count = OWN_OPTIONS,
    .operand = "DIR",
    .operand_count_max = 1,
    .brief = true,
    .extra =
        "\nparts\n"
        "  verify   whether every byte of a backup is what was backed up\n"
        "  restore  puts a backup into the empty directories of an exchange that does not run\n"
        "\nWhat was durable when it begins is in it: journal, event log, snapshots, configuration, accounts and\n"
        "members' settings, with a SHA256SUMS that sha256sum checks too. Private keys of TLS are not. The exchange "
        "goes\non; what is trimmed meanwhile is in the backup all the same. A folder without SHA256SUMS is no backup.\n"
        "\nExit codes: 0 done; 1 failed, the disk is full; 64 usage, or DIR is not empty; 65 the journal is corrupt; "
        "66 no\njournal; 69 a journaler is just starting, or runs with durability off; 74 a device failed; 78 "
        "configuration.\n",
};

/* ---- the folder ---------------------------------------------------------------------------------------------------
 */

static void count_entry(void *argument, const char *name)
{
    (void)name;
    (*(uint32_t *)argument)++;
}

static int make_folders(const char *directory, struct error *error)
{
    uint32_t entries = 0;
    int result = disk()->make_directory(directory, error);
    if (result == 0)
        result = disk()->list(directory, count_entry, &entries, error);
    if (result == 0 && entries > 0)
        result = error_set(error, ERROR_INVALID, directory, "is not empty; a backup goes into a folder of its own");
    for (enum backup_kind kind = 0; kind < BACKUP_KINDS && result == 0; kind++) {
        char path[DISK_PATH_BYTES];
        snprintf(path, sizeof(path), "%s/%s", directory, backup_folder(kind));
        result = disk()->make_directory(path, error);
    }
    return result;
}

/* Less would end in the middle. */
static int check_space(const struct backup_set *set, const char *directory, struct error *error)
{
    uint64_t free_bytes = 0;
    int result = disk()->space(directory, &free_bytes, error);
    if (result == 0 && free_bytes < set->bytes_total)
        result = error_set(error, ERROR_FULL, directory, "has room for %llu of the %llu bytes; nothing was copied",
                           (ull)free_bytes, (ull)set->bytes_total);
    return result;
}

/* ---- what it is ---------------------------------------------------------------------------------------------------
 */

static void print_about(FILE *to, const struct backup_set *set, const struct config *config)
{
    fprintf(to, "{\"version\":\"%s\",\"created_ns\":%llu,\"journal\":", ringside_version(), (ull)clock_realtime_ns());
    json_text_print(to, config->journal_directory);
    fprintf(to, ",\"command_seq_end\":%llu,\"event_seq_end\":%llu,\"snapshots\":%u,\"files\":%u,\"bytes\":%llu}\n",
            (ull)set->command_seq_end, (ull)set->event_seq_end, set->snapshot_count, set->count, (ull)set->bytes_total);
}

static int write_about(const struct backup_set *set, const struct config *config, const char *directory,
                       struct backup_copy *copy, char ret_digest[BACKUP_DIGEST_BYTES], struct error *error)
{
    char path[DISK_PATH_BYTES], text[ABOUT_BYTES] = "";
    FILE *memory = fmemopen(text, sizeof(text), "w");
    if (!memory)
        return error_set(error, ERROR_SYSTEM, BACKUP_ABOUT, "no memory");
    print_about(memory, set, config);
    fclose(memory);
    snprintf(path, sizeof(path), "%s/%s", directory, BACKUP_ABOUT);
    int file = disk()->open(path, DISK_WRITABLE | DISK_CREATE, error);
    int result = file < 0 ? file : disk()->write(file, 0, text, strlen(text), error);
    if (result == 0)
        result = disk()->sync(file, error);
    if (result == 0)
        result = backup_copy_file(copy, file, strlen(text), NULL, ret_digest, error);
    disk()->close(file < 0 ? -1 : file);
    return result;
}

/* ---- making it ----------------------------------------------------------------------------------------------------
 */

static int copy_all(struct backup_set *set, const char *directory, struct backup_copy *copy, struct error *error)
{
    int result = 0;
    for (uint32_t i = 0; i < set->count && result == 0; i++) {
        struct backup_item *item = &set->items[i];
        char path[DISK_PATH_BYTES];
        if (snprintf(path, sizeof(path), "%s/%s/%s", directory, backup_folder(item->kind), item->name) >=
            (int)sizeof(path))
            return error_set(error, ERROR_INVALID, directory, "the path is too long");
        result = backup_copy_file(copy, item->file, item->bytes, path, item->digest, error);
    }
    return result;
}

static int make(struct backup_set *set, const struct command_line *line, uint64_t rate_mib_s, struct error *error)
{
    const char *directory = line->operand;
    char about_digest[BACKUP_DIGEST_BYTES] = "";
    struct backup_copy copy = {0};
    struct journal_place place;
    struct command_line own = *line; /* the journal that is meant is that of the configuration */
    own.operand = NULL;
    int result = journal_place_find(&place, &own, error);
    if (result == 0)
        result = make_folders(directory, error);
    if (result == 0)
        result = backup_collect(set, &line->config, &place, error);
    if (result == 0)
        result = check_space(set, directory, error);
    if (result == 0)
        result = backup_copy_begin(&copy, "backing up", set->bytes_total, rate_mib_s, error);
    if (result == 0)
        result = copy_all(set, directory, &copy, error);
    if (result == 0)
        result = write_about(set, &line->config, directory, &copy, about_digest, error);
    if (result == 0)
        result = backup_sums_write(set, directory, about_digest, error);
    backup_copy_end(&copy);
    return result;
}

static void print_end(const struct backup_set *set, const struct command_line *line)
{
    if (line->json)
        print_about(stdout, set, &line->config);
    else
        printf("%s: %u files, %.1f MB: all commands up to %llu, events up to %llu, %u snapshot%s\n", line->operand,
               set->count, (double)set->bytes_total / 1e6, (ull)set->command_seq_end - 1, (ull)set->event_seq_end - 1,
               set->snapshot_count, set->snapshot_count == 1 ? "" : "s");
}

static void allow_many_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int backup_make_main(int argc, char **argv)
{
    struct command_line line;
    struct error error = {0};
    struct backup_set set = {0};
    log_open("backup", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    char *end = NULL;
    const char *rate = line.values[RATE] ? line.values[RATE] : "";
    uint64_t rate_mib_s = *rate ? strtoull(rate, &end, 10) : BACKUP_RATE_MIB;
    if (!line.operand || (end && *end)) {
        fprintf(stderr, "ringside backup: %s; --help tells more\n",
                line.operand ? "--rate takes a number" : "into which folder?");
        config_finish(&line.config);
        return EXIT_STAGE_USAGE;
    }
    allow_many_files();
    (void)setpriority(PRIO_PROCESS, 0, 10); /* nobody waits for it */
    int result = make(&set, &line, rate_mib_s, &error);
    code = result < 0 ? command_refused("backup", &error, line.json) : EXIT_STAGE_OK;
    if (result == 0)
        print_end(&set, &line);
    backup_set_finish(&set);
    config_finish(&line.config);
    return code;
}
