#include "journal/trim.h"

#include "env/disk_copy.h"
#include "journal/spares.h"

#include <errno.h>
#include <stdio.h>

/* ---- moving -------------------------------------------------------------------------------------------------------
 */

/* *ret_copied: to another file system, so that it still is here too. */
static int move(const struct journal_trim *trim, uint32_t number, const char *path, bool *ret_copied,
                struct error *error)
{
    char to_path[DISK_PATH_BYTES];
    struct error why = {0};
    journal_segment_path(trim->archive, number, to_path);
    int there = disk()->open(to_path, 0, NULL);
    disk()->close(there < 0 ? -1 : there);
    int same = there >= 0 ? disk_same(path, to_path, error) : 0;
    if (same != 0) {
        *ret_copied = true; /* power or a kill came between the copy and what was to follow */
        return same < 0 ? same : 0;
    }
    if (there >= 0)
        return error_set(error, ERROR_INVALID, to_path,
                         "is there already; the archive is of another journal, or %s is "
                         "a copy of it: look before anything is lost",
                         path);
    int result = disk()->rename(path, to_path, &why);
    *ret_copied = result < 0 && why.system == EXDEV;
    if (*ret_copied)
        result = disk_copy(path, to_path, error);
    else if (result < 0 && error)
        *error = why;
    return result < 0 ? result : disk_sync_directory(trim->archive, error);
}

/* ---- trimming -----------------------------------------------------------------------------------------------------
 */

/* Rule 1. */
static uint32_t count_removable(const struct journal_trim *trim, const struct journal_survey *survey)
{
    uint32_t count = 0;
    for (; count + 1 < survey->count; count++) {
        const struct journal_segment_info *info = &survey->segments[count];
        const struct journal_segment_info *next = info + 1;
        bool joined = info->state == SEGMENT_BEGUN && next->state == SEGMENT_BEGUN && next->number == info->number + 1;
        if (!joined || next->first_seq >= trim->needed_seq)
            break;
    }
    return count;
}

/* Rule 2. */
static int sync_kept(const struct journal_trim *trim, const struct journal_segment_info *kept, struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(trim->directory, kept->number, path);
    int file = disk()->open(path, 0, error);
    if (file < 0)
        return file;
    int result = disk()->sync(file, error);
    disk()->close(file);
    return result < 0 ? result : disk_sync_directory(trim->directory, error);
}

/* Nobody needs the file under its name any more. */
static int dispose(struct journal_trim *trim, const struct journal_segment_info *info, const char *path,
                   struct error *error)
{
    int kept = 0;
    if (trim->recycled_bytes > 0 && info->file_bytes == trim->recycled_bytes)
        kept = journal_spare_put(trim->directory, path, error);
    if (kept < 0)
        return kept;
    trim->recycled_count += (uint32_t)kept;
    return kept > 0 ? 0 : disk()->remove(path, error);
}

static int take_away(struct journal_trim *trim, const struct journal_segment_info *info, struct error *error)
{
    char path[DISK_PATH_BYTES];
    int result = 0;
    bool copied = true;
    journal_segment_path(trim->directory, info->number, path);
    if (!trim->dry_run) {
        if (trim->archive)
            result = move(trim, info->number, path, &copied, error);
        if (result == 0 && copied)
            result = dispose(trim, info, path, error);
        if (result == 0)
            result = disk_sync_directory(trim->directory, error);
    }
    if (result < 0)
        return result;
    trim->count++;
    trim->bytes += info->file_bytes;
    if (trim->tell)
        trim->tell(trim->argument, info);
    return 0;
}

int journal_trim(struct journal_trim *trim, struct error *error)
{
    struct journal_survey survey;
    int result = journal_survey_make(&survey, trim->directory, error);
    if (result < 0)
        return result;
    uint32_t count = count_removable(trim, &survey);
    if (count > 0 && !trim->dry_run) {
        result = sync_kept(trim, &survey.segments[count], error);
        if (result == 0 && trim->archive)
            result = disk()->make_directory(trim->archive, error);
    }
    for (uint32_t i = 0; i < count && result == 0; i++)
        result = take_away(trim, &survey.segments[i], error);
    journal_survey_finish(&survey);
    return result;
}
