#include "eventlog/store_marks.h"

#include "env/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES    128
#define POSTGRES_NAME "postgres "
#define REDIS_NAME    "redis "

static void marks_path(const char *directory, const char *end, char path[DISK_PATH_BYTES])
{
    snprintf(path, DISK_PATH_BYTES, "%.360s/stores.marks%s", directory, end);
}

int store_marks_write(const char *directory, const struct store_marks *marks, struct error *error)
{
    char path[DISK_PATH_BYTES], new_path[DISK_PATH_BYTES], text[TEXT_BYTES];
    marks_path(directory, "", path);
    marks_path(directory, ".new", new_path);
    int bytes =
        snprintf(text, sizeof(text), POSTGRES_NAME "%lu\n" REDIS_NAME "%lu\n", marks->postgres_seq, marks->redis_seq);
    int result = disk()->remove(new_path, error);
    int file = result < 0 ? result : disk()->open(new_path, DISK_WRITABLE | DISK_CREATE, error);
    if (file < 0)
        return file;
    result = disk()->write(file, 0, text, (size_t)bytes, error);
    disk()->close(file);
    return result < 0 ? result : disk()->rename(new_path, path, error);
}

/* "NAME 123\n"; what follows it, NULL: it is not that. */
static const char *take_mark(const char *text, const char *name, uint64_t *ret_seq)
{
    char *end;
    if (strncmp(text, name, strlen(name)) != 0)
        return NULL;
    *ret_seq = strtoull(text + strlen(name), &end, 10);
    return end != text + strlen(name) && *end == '\n' ? end + 1 : NULL;
}

int store_marks_read(struct store_marks *ret, const char *directory, struct error *error)
{
    char path[DISK_PATH_BYTES], text[TEXT_BYTES] = "";
    struct store_marks marks = {0};
    size_t count = 0;
    marks_path(directory, "", path);
    int file = disk()->open(path, 0, error);
    if (file == ERROR_NOT_YET)
        *ret = marks;
    if (file < 0)
        return file == ERROR_NOT_YET ? 0 : file;
    int result = disk()->read(file, 0, text, sizeof(text) - 1, &count, error);
    disk()->close(file);
    if (result < 0)
        return result;
    const char *rest = take_mark(text, POSTGRES_NAME, &marks.postgres_seq);
    rest = rest ? take_mark(rest, REDIS_NAME, &marks.redis_seq) : NULL;
    *ret = rest ? marks : (struct store_marks){0};
    return 0;
}
