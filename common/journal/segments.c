#include "journal/segments.h"

#include "journal/journal_codec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_PREFIX "journal-"
#define NAME_ENDING ".seg"

void journal_segment_path(const char *directory, uint32_t number, char path[DISK_PATH_BYTES])
{
    snprintf(path, DISK_PATH_BYTES, "%.360s/" NAME_PREFIX "%010u" NAME_ENDING, directory, number);
}

/* ---- listing ------------------------------------------------------------------------------------------------------
 */

/* 0: not the name of a segment. */
static uint32_t number_of(const char *name)
{
    if (strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)) != 0)
        return 0;
    char *end;
    unsigned long number = strtoul(name + strlen(NAME_PREFIX), &end, 10);
    return strcmp(end, NAME_ENDING) == 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static void note_name(void *argument, const char *name)
{
    struct journal_segments *segments = argument;
    uint32_t number = number_of(name);
    if (number == 0)
        return;
    if (segments->count == segments->room) {
        uint32_t room = segments->room ? 2 * segments->room : 64;
        uint32_t *numbers = realloc(segments->numbers, room * sizeof(*numbers));
        segments->out_of_memory = !numbers;
        if (!numbers)
            return;
        segments->numbers = numbers;
        segments->room = room;
    }
    segments->numbers[segments->count++] = number;
}

static int by_number(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

int journal_segments_list(struct journal_segments *ret, const char *directory, struct error *error)
{
    struct journal_segments segments = {.room = 64, .numbers = malloc(64 * sizeof(uint32_t))};
    if (!segments.numbers)
        return error_system(error, ENOMEM, directory, "no memory");
    int result = disk()->list(directory, note_name, &segments, error);
    if (result == 0 && segments.out_of_memory)
        result = error_system(error, ENOMEM, directory, "no memory for the list of segments");
    if (result < 0) {
        journal_segments_finish(&segments);
        return result;
    }
    qsort(segments.numbers, segments.count, sizeof(uint32_t), by_number);
    *ret = segments;
    return 0;
}

void journal_segments_finish(struct journal_segments *segments)
{
    free(segments->numbers);
    *segments = (struct journal_segments){0};
}

/* ---- opening ------------------------------------------------------------------------------------------------------
 */

static int classify(const struct journal_segment_header *header, uint32_t number, const char *path,
                    const char **ret_why, struct error *error)
{
    if (journal_block_blank(header))
        return SEGMENT_BLANK;
    const char *why = journal_segment_invalid(header, number);
    if (why && header->segment < number && !journal_segment_invalid(header, header->segment))
        return SEGMENT_BLANK;
    if (why) {
        *ret_why = why;
        return SEGMENT_DAMAGED;
    }
    why = journal_segment_unreadable(header);
    return why ? error_set(error, ERROR_MISMATCH, path, "%s", why) : SEGMENT_BEGUN;
}

/* Once more if the file was trimmed between the opening and the holding, to be used anew. */
static int open_held(const char *path, struct error *error)
{
    for (;;) {
        int file = disk()->open(path, DISK_DIRECT, error);
        if (file < 0 || disk()->hold(file, path) == 0)
            return file;
        disk()->close(file);
    }
}

int journal_segment_open(const char *directory, uint32_t number, int *ret_file, struct journal_segment_header *header,
                         const char **ret_why, struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(directory, number, path);
    int file = open_held(path, error);
    if (file == ERROR_NOT_YET)
        return SEGMENT_NONE;
    if (file < 0)
        return file;
    size_t count = 0;
    int result = ERROR_SYSTEM;
    void *block = aligned_alloc(JOURNAL_BLOCK_BYTES, JOURNAL_BLOCK_BYTES);
    if (block) {
        memset(block, 0, JOURNAL_BLOCK_BYTES); /* a file may be shorter */
        result = disk()->read(file, 0, block, JOURNAL_BLOCK_BYTES, &count, error);
    } else {
        error_system(error, ENOMEM, path, "no memory");
    }
    if (result == 0) {
        memcpy(header, block, sizeof(*header));
        result = classify(header, number, path, ret_why, error);
    }
    free(block);
    if (result < 0)
        disk()->close(file);
    else
        *ret_file = file;
    return result;
}

/* ---- whose --------------------------------------------------------------------------------------------------------
 */

int journal_instance_read(const char *directory, uint8_t ret_instance[16], struct error *error)
{
    struct journal_segments segments = {0};
    int result = journal_segments_list(&segments, directory, error);
    if (result < 0)
        return result;
    int state = SEGMENT_NONE;
    for (uint32_t i = segments.count; i-- > 0 && state >= 0 && state != SEGMENT_BEGUN;) {
        struct journal_segment_header header;
        const char *why;
        int file = -1;
        state = journal_segment_open(directory, segments.numbers[i], &file, &header, &why, error);
        disk()->close(state == SEGMENT_NONE ? -1 : file);
        if (state == SEGMENT_BEGUN)
            memcpy(ret_instance, header.instance, sizeof(header.instance));
    }
    journal_segments_finish(&segments);
    if (state < 0 || state == SEGMENT_BEGUN)
        return state < 0 ? state : 0;
    return error_set(error, ERROR_NOT_YET, directory, "holds no journal");
}
