#include "spares.h"

#include "disk_model.h"
#include "journal/segments.h"
#include "journal/spares.h"
#include "outside.h"
#include "random.h"

#include <stdio.h>

/* The name of a place that is free; false: none is. */
static bool free_place(const char *directory, char path[DISK_PATH_BYTES])
{
    for (uint32_t slot = 0; slot < JOURNAL_SPARES_MAX; slot++) {
        snprintf(path, DISK_PATH_BYTES, "%.360s/spare-%u.seg", directory, slot);
        if (disk_name_find(path) < 0)
            return true;
    }
    return false;
}

/* Not the last two, of which one is written to and one prepared. */
static int older_segment(const char *directory)
{
    struct journal_segments segments;
    char path[DISK_PATH_BYTES];
    if (journal_segments_list(&segments, directory, NULL) < 0)
        return -1;
    int file = -1;
    if (segments.count > 2) {
        journal_segment_path(directory, segments.numbers[random_below(segments.count - 2)], path);
        file = disk_name_find(path);
    }
    journal_segments_finish(&segments);
    return file;
}

void spares_offer(const struct config *config)
{
    char path[DISK_PATH_BYTES];
    int older = older_segment(config->journal_directory);
    if (older < 0 || disk_file_of(older)->bytes != config->journal_segment_bytes ||
        disk_free_bytes() < config->journal_segment_bytes || !free_place(config->journal_directory, path))
        return;
    struct disk_file *spare = disk_file_of(disk_name_create(path));
    const struct disk_file *from = disk_file_of(older);
    if (disk_file_grow(spare, from->bytes))
        disk_file_write(spare, 0, from->now, from->bytes, true);
    TRACE("a spare of %llu bytes: %s", (unsigned long long)spare->bytes, path);
}
