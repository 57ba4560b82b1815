/* SHA256SUMS: lines of a digest, two spaces and a name, as sha256sum writes and checks them. */
#include "backup_cli.h"
#include "env/disk_copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES (BACKUP_DIGEST_BYTES + BACKUP_NAME_BYTES + 32)

/* ---- writing ------------------------------------------------------------------------------------------------------
 */

static int write_lines(const struct backup_set *set, int file, const char *about_digest, struct error *error)
{
    char line[LINE_BYTES];
    uint64_t at = 0;
    int length = snprintf(line, sizeof(line), "%s  %s\n", about_digest, BACKUP_ABOUT);
    int result = disk()->write(file, at, line, (size_t)length, error);
    for (uint32_t i = 0; i < set->count && result == 0; i++) {
        at += (uint64_t)length;
        length = snprintf(line, sizeof(line), "%s  %s/%s\n", set->items[i].digest, backup_folder(set->items[i].kind),
                          set->items[i].name);
        result = disk()->write(file, at, line, (size_t)length, error);
    }
    return result < 0 ? result : disk()->sync(file, error);
}

int backup_sums_write(const struct backup_set *set, const char *directory, const char *about_digest,
                      struct error *error)
{
    char path[DISK_PATH_BYTES], undone[DISK_PATH_BYTES + 8];
    snprintf(path, sizeof(path), "%s/%s", directory, BACKUP_SUMS);
    snprintf(undone, sizeof(undone), "%s.new", path);
    int file = disk()->open(undone, DISK_WRITABLE | DISK_CREATE, error);
    int result = file < 0 ? file : write_lines(set, file, about_digest, error);
    disk()->close(file < 0 ? -1 : file);
    for (enum backup_kind kind = 0; kind < BACKUP_KINDS && result == 0; kind++) {
        char folder[DISK_PATH_BYTES];
        snprintf(folder, sizeof(folder), "%s/%s", directory, backup_folder(kind));
        result = disk_sync_directory(folder, error);
    }
    if (result == 0)
        result = disk()->rename(undone, path, error);
    return result < 0 ? result : disk_sync_directory(directory, error);
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

/* "journal/journal-0000000001.seg" as a kind and a name without a slash. */
static bool split(char *path, enum backup_kind *ret_kind, const char **ret_name)
{
    char *slash = strchr(path, '/');
    if (!slash || strchr(slash + 1, '/') || slash[1] == '\0' || slash[1] == '.')
        return false;
    *slash = '\0';
    for (enum backup_kind kind = 0; kind < BACKUP_KINDS; kind++)
        if (strcmp(path, backup_folder(kind)) == 0) {
            *ret_kind = kind;
            *ret_name = slash + 1;
            return true;
        }
    return false;
}

static int take_line(struct backup_set *set, const char *directory, char *line, char *about, struct error *error)
{
    char path[DISK_PATH_BYTES];
    enum backup_kind kind = BACKUP_JOURNAL;
    const char *name = NULL;
    uint64_t bytes = 0;
    line[strcspn(line, "\n")] = '\0';
    char *digest = line;
    char *place = line + BACKUP_DIGEST_BYTES + 1;
    if (strspn(digest, "0123456789abcdef") != BACKUP_DIGEST_BYTES - 1 || strncmp(place - 2, "  ", 2) != 0)
        return error_set(error, ERROR_CORRUPT, BACKUP_SUMS, "a line is not a digest, two spaces and a name");
    digest[BACKUP_DIGEST_BYTES - 1] = '\0';
    if (strcmp(place, BACKUP_ABOUT) == 0) {
        memcpy(about, digest, BACKUP_DIGEST_BYTES);
        return 0;
    }
    if (snprintf(path, sizeof(path), "%s/%s", directory, place) >= (int)sizeof(path) || !split(place, &kind, &name))
        return error_set(error, ERROR_CORRUPT, BACKUP_SUMS, "'%s' is no file of a backup", place);
    int file = disk()->open(path, 0, error);
    if (file == ERROR_NOT_YET)
        return error_set(error, ERROR_CORRUPT, path, "is missing, though %s lists it", BACKUP_SUMS);
    int result = file < 0 ? file : disk()->size(file, &bytes, error);
    if (result == 0)
        result = backup_set_add(set, kind, name, file, bytes, error);
    else
        disk()->close(file < 0 ? -1 : file);
    if (result == 0)
        memcpy(set->items[set->count - 1].digest, digest, BACKUP_DIGEST_BYTES);
    return result;
}

int backup_sums_read(struct backup_set *ret_set, const char *directory, char ret_about[BACKUP_DIGEST_BYTES],
                     struct error *error)
{
    char path[DISK_PATH_BYTES];
    char line[LINE_BYTES];
    struct backup_set set = {0};
    int result = 0;
    snprintf(path, sizeof(path), "%s/%s", directory, BACKUP_SUMS);
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT)
        return error_set(error, ERROR_NOT_YET, path, "is not there: no backup, or one that was not finished");
    if (!file)
        return error_system(error, errno, path, "cannot be read");
    ret_about[0] = '\0';
    while (result == 0 && fgets(line, sizeof(line), file))
        result = strlen(line) > BACKUP_DIGEST_BYTES + 1 ? take_line(&set, directory, line, ret_about, error)
                                                        : error_set(error, ERROR_CORRUPT, path, "a line is too short");
    fclose(file);
    if (result == 0 && (set.count == 0 || ret_about[0] == '\0'))
        result = error_set(error, ERROR_CORRUPT, path, "lists no backup");
    if (result < 0)
        backup_set_finish(&set);
    else
        *ret_set = set;
    return result;
}

/* ---- checking -----------------------------------------------------------------------------------------------------
 */

static int compare(const char *path, const char *want, const char *have, struct error *error)
{
    return strcmp(want, have) == 0 ? 0
                                   : error_set(error, ERROR_CORRUPT, path,
                                               "is not what was backed up: SHA-256 %.16s..., not %.16s...", have, want);
}

static int check_about(const char *directory, const char *about_digest, struct backup_copy *copy, struct error *error)
{
    char path[DISK_PATH_BYTES];
    char digest[BACKUP_DIGEST_BYTES] = "";
    uint64_t bytes = 0;
    snprintf(path, sizeof(path), "%s/%s", directory, BACKUP_ABOUT);
    int file = disk()->open(path, 0, error);
    int result = file < 0 ? file : disk()->size(file, &bytes, error);
    if (result == 0)
        result = backup_copy_file(copy, file, bytes, NULL, digest, error);
    disk()->close(file < 0 ? -1 : file);
    return result < 0 ? result : compare(path, about_digest, digest, error);
}

int backup_sums_check(struct backup_set *set, const char *directory, const char *about_digest, struct backup_copy *copy,
                      struct error *error)
{
    int result = check_about(directory, about_digest, copy, error);
    for (uint32_t i = 0; i < set->count && result == 0; i++) {
        const struct backup_item *item = &set->items[i];
        char path[DISK_PATH_BYTES];
        char digest[BACKUP_DIGEST_BYTES] = "";
        snprintf(path, sizeof(path), "%s/%s/%s", directory, backup_folder(item->kind), item->name);
        result = backup_copy_file(copy, item->file, item->bytes, NULL, digest, error);
        if (result == 0)
            result = compare(path, item->digest, digest, error);
    }
    return result;
}
