#include "journal/spares.h"

#include <stdio.h>

static void spare_path(const char *directory, uint32_t slot, char path[DISK_PATH_BYTES])
{
    snprintf(path, DISK_PATH_BYTES, "%.360s/spare-%u.seg", directory, slot);
}

/* 1, 0, or a negative error. */
static int is_there(const char *path, struct error *error)
{
    int file = disk()->open(path, 0, error);
    if (file >= 0)
        disk()->close(file);
    return file >= 0 ? 1 : file == ERROR_NOT_YET ? 0 : file;
}

int journal_spare_put(const char *directory, const char *path, struct error *error)
{
    for (uint32_t slot = 0; slot < JOURNAL_SPARES_MAX; slot++) {
        char to_path[DISK_PATH_BYTES];
        spare_path(directory, slot, to_path);
        int there = is_there(to_path, error);
        if (there < 0)
            return there;
        if (there > 0)
            continue;
        int result = disk()->rename(path, to_path, error);
        return result < 0 ? result : 1;
    }
    return 0;
}

int journal_spare_take(const char *directory, const char *to_path, uint64_t bytes, unsigned flags, int *ret_file,
                       struct error *error)
{
    for (uint32_t slot = 0; slot < JOURNAL_SPARES_MAX; slot++) {
        char path[DISK_PATH_BYTES];
        uint64_t file_bytes = 0;
        spare_path(directory, slot, path);
        int file = disk()->open(path, DISK_WRITABLE | flags, error);
        if (file == ERROR_NOT_YET)
            continue;
        if (file < 0)
            return file;
        int result = disk()->size(file, &file_bytes, error);
        bool fits = result == 0 && file_bytes == bytes;
        bool free = fits && !disk()->held(file);
        if (result == 0 && !fits)
            result = disk()->remove(path, error);
        if (free)
            result = disk()->rename(path, to_path, error);
        if (free && result == 0) {
            *ret_file = file;
            return 1;
        }
        disk()->close(file);
        if (result < 0)
            return result;
    }
    return 0;
}
