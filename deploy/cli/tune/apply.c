/* Doing it: drop-ins of units, a file for tmpfiles.d, values of the kernel's. What was there is replaced at once or
 * not. */
#include "tune.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNITS     "/etc/systemd/system"
#define DROP_IN   "50-tune.conf"
#define TMPFILES  "/etc/tmpfiles.d/ringside-tune.conf"
#define PATH_ROOM (TUNE_PATH_BYTES + 1024)

static int make_directories(const char *path, struct error *error)
{
    char part[PATH_ROOM];
    snprintf(part, sizeof(part), "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return error_system(error, errno, part, "cannot make the directory");
        *slash = '/';
    }
    return 0;
}

static int write_text(const char *path, const char *text, struct error *error)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return error_system(error, errno, path, "cannot open");
    bool written = fputs(text, file) >= 0;
    if (fclose(file) != 0 || !written)
        return error_system(error, errno, path, "cannot write '%.40s'", text);
    return 0;
}

static int replace(const char *root, const char *path, const char *text, struct error *error)
{
    char whole[PATH_ROOM];
    char fresh[PATH_ROOM + 8];
    snprintf(whole, sizeof(whole), "%s%s", root, path);
    snprintf(fresh, sizeof(fresh), "%s.new", whole);
    int result = make_directories(whole, error);
    if (result == 0)
        result = write_text(fresh, text, error);
    if (result == 0 && rename(fresh, whole) < 0)
        result = error_system(error, errno, whole, "cannot replace");
    return result;
}

static int tell_kernel(const char *root, const struct tune_action *action, struct error *error)
{
    char whole[PATH_ROOM];
    snprintf(whole, sizeof(whole), "%s%s", root, action->path);
    return write_text(whole, action->text, error);
}

int tune_apply(const struct tune_plan *plan, const char *root, struct error *error)
{
    char boot[4096] = "# Written by ringside tune: what the kernel is told at each boot.\n";
    size_t empty = strlen(boot);
    size_t used = empty;
    int result = 0;
    for (uint32_t i = 0; i < plan->action_count && result == 0; i++) {
        const struct tune_action *action = &plan->actions[i];
        if (action->kind == TUNE_UNIT)
            result = replace(root, action->path, action->text, error);
        else if (action->kind != TUNE_NOTHING)
            result = tell_kernel(root, action, error);
        if (action->kind == TUNE_KERNEL && used + TUNE_PATH_BYTES < sizeof(boot))
            used +=
                (size_t)snprintf(boot + used, sizeof(boot) - used, "w %s - - - - %.64s\n", action->path, action->text);
    }
    if (result == 0 && used > empty)
        result = replace(root, TMPFILES, boot, error);
    return result;
}

/* ringside-matcher.service.d of the default exchange; ringside-matcher@blue.service.d,
 * ringside-gateway@blue:2.service.d */
static bool is_of_instance(const char *name, const char *instance)
{
    static const char start[] = "ringside-";
    static const char end[] = ".service.d";
    size_t bytes = strlen(name);
    if (bytes < sizeof(end) || strncmp(name, start, sizeof(start) - 1) != 0 ||
        strcmp(name + bytes - (sizeof(end) - 1), end) != 0)
        return false;
    const char *at = strchr(name, '@');
    if (!at || (at[1] >= '0' && at[1] <= '9'))
        return !*instance;
    size_t instance_bytes = strcspn(at + 1, ":.");
    return *instance && strlen(instance) == instance_bytes && strncmp(at + 1, instance, instance_bytes) == 0;
}

int tune_undo(const char *root, const char *instance, uint32_t *ret_count, struct error *error)
{
    char path[PATH_ROOM];
    *ret_count = 0;
    snprintf(path, sizeof(path), "%s%s", root, UNITS);
    DIR *units = opendir(path);
    if (!units)
        return errno == ENOENT ? 0 : error_system(error, errno, path, "cannot list");
    for (const struct dirent *entry; (entry = readdir(units));) {
        if (!is_of_instance(entry->d_name, instance))
            continue;
        snprintf(path, sizeof(path), "%s%s/%s/%s", root, UNITS, entry->d_name, DROP_IN);
        *ret_count += unlink(path) == 0;
        *strrchr(path, '/') = '\0';
        (void)rmdir(path); /* stays if somebody else has a drop-in there */
    }
    closedir(units);
    snprintf(path, sizeof(path), "%s%s", root, TMPFILES);
    *ret_count += !*instance && unlink(path) == 0;
    return 0;
}
