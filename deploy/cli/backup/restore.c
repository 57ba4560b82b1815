/*
 * `ringside backup restore DIR`: puts a backup's journal, event log and snapshots into the directories of the
 * configuration.
 *
 *   1. All of the backup is checked before anything is written.
 *   2. No process of that exchange may live, and its three directories must hold no files of an exchange.
 *   3. What root restores belongs to whom the directory belongs to.
 *   4. etc/ is left to a person: which configuration this machine is to have is asked for here already.
 */
#include "backup_cli.h"
#include "env/disk_copy.h"
#include "log/log.h"
#include "stage/command_line.h"
#include "stage/stage.h"
#include "view/run_view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct command_line_form form = {
    .program = "ringside backup restore",
    .summary = "puts a backup into the empty directories of an exchange that does not run",
    .takes_json = true,
    .operand = "DIR",
    .operand_count_max = 1,
    .brief = true,
    .extra =
        "\nThe directories are those of the configuration; DIR/etc has the one that the exchange had, and its "
        "accounts,\n"
        "to be put in place before. Everything is checked first; nothing is written over.\n"
        "\nExit codes: 0 done; 1 failed; 64 usage, or a directory is not empty; 65 the backup is not what was backed "
        "up;\n66 no backup; 69 a process of the exchange runs; 74 a device failed; 78 configuration.\n",
};

static const char *directory_of(const struct config *config, enum backup_kind kind)
{
    return kind == BACKUP_JOURNAL  ? config->journal_directory
           : kind == BACKUP_EVENTS ? config->events_directory
                                   : config->snapshots_directory;
}

/* ---- where it goes ------------------------------------------------------------------------------------------------
 */

static int check_nobody_lives(const struct config *config, struct error *error)
{
    struct run_view *view = malloc(sizeof(*view));
    if (!view)
        return error_set(error, ERROR_SYSTEM, config->exchange_rings_directory, "no memory to look at the run");
    run_view_read(view, config);
    uint32_t alive = view->alive_count;
    free(view);
    return alive == 0 ? 0
                      : error_set(error, ERROR_HELD, config->exchange_rings_directory,
                                  "%u processes of this exchange run; stop it first", alive);
}

static void note_file(void *argument, const char *name)
{
    const char *end = strrchr(name, '.');
    bool ours = end && (strcmp(end, ".seg") == 0 || strcmp(end, ".log") == 0 || strcmp(end, ".image") == 0);
    *(bool *)argument = *(bool *)argument || ours;
}

static int check_empty(const char *directory, struct error *error)
{
    bool used = false;
    int result = disk()->make_directory(directory, error);
    if (result == 0)
        result = disk()->list(directory, note_file, &used, error);
    if (result == 0 && used)
        result = error_set(error, ERROR_INVALID, directory,
                           "holds files of an exchange; move them away first, nothing was touched");
    return result;
}

static int prepare(const struct config *config, struct error *error)
{
    int result = check_nobody_lives(config, error);
    for (enum backup_kind kind = 0; kind < BACKUP_ETC && result == 0; kind++)
        result = check_empty(directory_of(config, kind), error);
    return result;
}

/* ---- putting it there ---------------------------------------------------------------------------------------------
 */

static int give_to_owner(const char *path, const char *directory, struct error *error)
{
    struct stat owner;
    if (geteuid() != 0)
        return 0;
    if (stat(directory, &owner) < 0 || chown(path, owner.st_uid, owner.st_gid) < 0)
        return error_system(error, errno, path, "cannot be given to the owner of its directory");
    return 0;
}

static int restore_item(struct backup_item *item, const char *directory, struct backup_copy *copy, struct error *error)
{
    char path[DISK_PATH_BYTES];
    char digest[BACKUP_DIGEST_BYTES] = "";
    if (snprintf(path, sizeof(path), "%s/%s", directory, item->name) >= (int)sizeof(path))
        return error_set(error, ERROR_INVALID, directory, "the path is too long");
    int result = backup_copy_file(copy, item->file, item->bytes, path, digest, error);
    if (result == 0 && strcmp(digest, item->digest) != 0)
        result = error_set(error, ERROR_CORRUPT, item->name, "changed while it was restored");
    return result < 0 ? result : give_to_owner(path, directory, error);
}

static int restore_all(struct backup_set *set, const struct config *config, struct backup_copy *copy,
                       struct error *error)
{
    int result = 0;
    for (uint32_t i = 0; i < set->count && result == 0; i++)
        if (set->items[i].kind != BACKUP_ETC)
            result = restore_item(&set->items[i], directory_of(config, set->items[i].kind), copy, error);
    for (enum backup_kind kind = 0; kind < BACKUP_ETC && result == 0; kind++)
        result = disk_sync_directory(directory_of(config, kind), error);
    return result;
}

static int restore(struct backup_set *set, const struct command_line *line, struct error *error)
{
    char about[BACKUP_DIGEST_BYTES];
    struct backup_copy check = {0};
    struct backup_copy copy = {0};
    int result = backup_sums_read(set, line->operand, about, error);
    if (result == 0)
        result = prepare(&line->config, error);
    if (result == 0)
        result = backup_copy_begin(&check, "verifying", set->bytes_total, 0, error);
    if (result == 0)
        result = backup_sums_check(set, line->operand, about, &check, error);
    backup_copy_end(&check);
    if (result == 0)
        result = backup_copy_begin(&copy, "restoring", set->bytes_total, 0, error);
    if (result == 0)
        result = restore_all(set, &line->config, &copy, error);
    backup_copy_end(&copy);
    return result;
}

int backup_restore_main(int argc, char **argv)
{
    struct command_line line;
    struct error error = {0};
    struct backup_set set = {0};
    log_open("backup", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    int result = line.operand ? restore(&set, &line, &error)
                              : error_set(&error, ERROR_INVALID, "DIR", "which backup? --help tells more");
    if (result < 0)
        code = command_refused("backup restore", &error, line.json);
    else if (line.json)
        printf("{\"restored\":true,\"files\":%u,\"bytes\":%llu}\n", set.count, (ull)set.bytes_total);
    else
        printf("%s: restored, %.1f MB; the exchange may be started\n", line.operand, (double)set.bytes_total / 1e6);
    backup_set_finish(&set);
    config_finish(&line.config);
    return result < 0 ? code : EXIT_STAGE_OK;
}
