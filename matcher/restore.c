#include "restore.h"

#include "journal/segments.h"
#include "log/log.h"
#include "snapshot_files.h"

#include <string.h>

/* 0: fits. 1: passed over. Negative: refused. */
static int judge(const struct snapshot_header *header, const char *directory, const struct restore_bounds *bounds,
                 const uint8_t instance[16], struct error *error)
{
    char path[DISK_PATH_BYTES];
    snapshot_path(directory, header->command_seq_next, path);
    if (memcmp(header->instance, instance, sizeof(header->instance)) != 0) {
        log_warning("snapshot passed over: %s: it is of another journal", path);
        return 1;
    }
    if (header->command_seq_next > bounds->command_seq_end)
        return error_set(error, ERROR_CORRUPT, path,
                         "it knows of command %llu, but the journal in %s holds those below %llu only: commands that "
                         "were durable are gone; move the snapshot away to give them up",
                         (unsigned long long)header->command_seq_next - 1, bounds->journal_directory,
                         (unsigned long long)bounds->command_seq_end);
    if (header->event_seq_next > bounds->event_seq_end) {
        log_info("snapshot passed over: %s: events from %llu on are to be made again", path,
                 (unsigned long long)bounds->event_seq_end);
        return 1;
    }
    return 0;
}

/* 1: restored. 0: not this one. */
static int try_one(struct books *books, struct snapshot_header *ret, const char *directory, uint64_t seq,
                   const struct restore_bounds *bounds, const uint8_t instance[16], struct error *error)
{
    struct error why = {0};
    int result = snapshot_header_read(ret, directory, seq, &why);
    if (result == 0) {
        result = judge(ret, directory, bounds, instance, error);
        if (result != 0)
            return result < 0 ? result : 0;
        result = snapshot_load(books, ret, directory, seq, instance, &why);
        if (result == 0)
            return 1;
    }
    if (result == ERROR_SYSTEM) { /* a medium that cannot read one may well read the older one */
        if (error)
            *error = why;
        return result;
    }
    log_error(&why, "snapshot passed over");
    return books_empty(books, error);
}

int restore_books(struct books *books, struct snapshot_header *ret, const char *directory,
                  const struct restore_bounds *bounds, struct error *error)
{
    struct snapshot_list list;
    uint8_t instance[16];
    int result = snapshot_list_read(&list, directory, error);
    if (result < 0 || list.count == 0)
        return result;
    result = journal_instance_read(bounds->journal_directory, instance, error);
    if (result < 0)
        return result == ERROR_NOT_YET ? 0 : result;
    for (uint32_t i = 0; i < list.count; i++) {
        result = try_one(books, ret, directory, list.seqs[i], bounds, instance, error);
        if (result != 0)
            return result;
    }
    return 0;
}
