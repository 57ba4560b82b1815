/* Copying and comparing, a megabyte at a time, by the disk in use. */
#include "env/disk_copy.h"

#include "env/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY_BYTES ((size_t)1 << 20)

static int copy_bytes(int from, int to, struct error *error)
{
    uint8_t *buffer = malloc(COPY_BYTES);
    if (!buffer)
        return error_system(error, ENOMEM, "archive", "no memory to copy");
    int result = 0;
    size_t count = COPY_BYTES;
    for (uint64_t at = 0; result == 0 && count == COPY_BYTES; at += count) {
        result = disk()->read(from, at, buffer, COPY_BYTES, &count, error);
        if (result == 0 && count > 0)
            result = disk()->write(to, at, buffer, count, error);
    }
    free(buffer);
    return result < 0 ? result : disk()->sync(to, error);
}

int disk_copy(const char *from_path, const char *to_path, struct error *error)
{
    char path[DISK_PATH_BYTES + 8];
    snprintf(path, sizeof(path), "%s.new", to_path);
    int result = disk()->remove(path, error);
    if (result < 0)
        return result;
    int from = disk()->open(from_path, 0, error);
    int to = from < 0 ? from : disk()->open(path, DISK_WRITABLE | DISK_CREATE, error);
    result = to < 0 ? to : copy_bytes(from, to, error);
    disk()->close(from);
    disk()->close(to < 0 ? -1 : to);
    return result < 0 ? result : disk()->rename(path, to_path, error);
}

int disk_same(const char *left_path, const char *right_path, struct error *error)
{
    uint8_t *buffer = malloc(2 * COPY_BYTES);
    if (!buffer)
        return error_system(error, ENOMEM, "archive", "no memory to compare");
    int left = disk()->open(left_path, 0, error);
    int right = left < 0 ? left : disk()->open(right_path, 0, error);
    int result = right < 0 ? right : 0;
    bool same = true;
    size_t left_count = COPY_BYTES;
    size_t right_count = COPY_BYTES;
    for (uint64_t at = 0; result == 0 && same && left_count == COPY_BYTES; at += COPY_BYTES) {
        result = disk()->read(left, at, buffer, COPY_BYTES, &left_count, error);
        if (result == 0)
            result = disk()->read(right, at, buffer + COPY_BYTES, COPY_BYTES, &right_count, error);
        same = left_count == right_count && memcmp(buffer, buffer + COPY_BYTES, left_count) == 0;
    }
    disk()->close(left < 0 ? -1 : left);
    disk()->close(right < 0 ? -1 : right);
    free(buffer);
    return result < 0 ? result : same;
}

int disk_sync_directory(const char *directory, struct error *error)
{
    int file = disk()->open_directory(directory, error);
    if (file < 0)
        return file;
    int result = disk()->sync(file, error);
    disk()->close(file);
    return result;
}
