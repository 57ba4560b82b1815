/* Reading the event log by number. One open file at a time; a record is given only if it is whole. */
#include "eventlog/eventlog_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct eventlog_reader {
    char directory[DISK_PATH_BYTES];
    char archive[DISK_PATH_BYTES]; /* empty: none */
    uint64_t skip_below;           /* what is trimmed and ends below need not be whole */
    uint64_t file_number;
    int file;           /* -1: none */
    uint32_t packed;    /* of the open file: 0, or one more than the records it holds */
    uint32_t packed_at; /* records of it that lie below what was wanted last */
    uint64_t packed_seq;
    bool has_skipped;
};

int eventlog_reader_open(struct eventlog_reader **ret_reader, const char *directory, struct error *error)
{
    struct eventlog_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return error_system(error, ENOMEM, directory, "no memory for the event log's reader");
    reader->file = -1;
    snprintf(reader->directory, sizeof(reader->directory), "%s", directory);
    *ret_reader = reader;
    return 0;
}

void eventlog_reader_archive(struct eventlog_reader *reader, const char *archive)
{
    snprintf(reader->archive, sizeof(reader->archive), "%s", archive ? archive : "");
}

void eventlog_reader_skip(struct eventlog_reader *reader, uint64_t below)
{
    reader->skip_below = below;
}

bool eventlog_reader_skipped(const struct eventlog_reader *reader)
{
    return reader->has_skipped;
}

/* ---- files --------------------------------------------------------------------------------------------------------
 */

/* In place of a trimmed file the whole one from the archive, if there is one. */
static int open_archived(const struct eventlog_reader *reader, uint64_t number, int trimmed, uint32_t *packed)
{
    uint32_t there;
    int file = *reader->archive ? eventlog_file_open_packed(reader->archive, number, &there, NULL) : -1;
    if (file < 0 || there != 0) {
        disk()->close(file < 0 ? -1 : file);
        return trimmed;
    }
    disk()->close(trimmed);
    *packed = 0;
    return file;
}

static int refuse_trimmed(const struct eventlog_reader *reader, uint64_t number, int file, struct error *error)
{
    char path[DISK_PATH_BYTES];
    eventlog_path(reader->directory, number, path);
    disk()->close(file);
    return error_set(error, ERROR_GONE, path,
                     "it was trimmed, and events %lu to %lu are not in retention.archive_path either: who needs them "
                     "must be rebuilt from a later day on (ringside persister rebuild --day)",
                     number * EVENTLOG_FILE_EVENTS, (number + 1) * EVENTLOG_FILE_EVENTS - 1);
}

uint64_t eventlog_reader_file_end(const struct eventlog_reader *reader)
{
    return reader->file < 0 ? 0 : (reader->file_number + 1) * EVENTLOG_FILE_EVENTS;
}

/* 1: open, 0: not there yet, negative: refused. */
static int go_to_file(struct eventlog_reader *reader, uint64_t number, struct error *error)
{
    if (reader->file >= 0 && reader->file_number == number)
        return 1;
    uint32_t packed = 0;
    int file = eventlog_file_open_packed(reader->directory, number, &packed, error);
    if (file < 0)
        return file == ERROR_NOT_YET ? 0 : file;
    if (packed != 0)
        file = open_archived(reader, number, file, &packed);
    if (packed != 0 && (number + 1) * EVENTLOG_FILE_EVENTS > reader->skip_below)
        return refuse_trimmed(reader, number, file, error);
    disk()->close(reader->file);
    reader->file = file;
    reader->file_number = number;
    reader->packed = packed;
    reader->packed_at = 0;
    reader->packed_seq = 0;
    return 1;
}

/* ---- records ------------------------------------------------------------------------------------------------------
 */

/* Whole records from seq on, none beyond the open file. */
static int read_from_file(struct eventlog_reader *reader, uint64_t seq, struct event *events, uint32_t max,
                          struct error *error)
{
    uint64_t left_in_file = (reader->file_number + 1) * EVENTLOG_FILE_EVENTS - seq;
    size_t wanted = (max < left_in_file ? max : left_in_file) * RECORD_BYTES;
    size_t bytes = 0;
    int result = disk()->read(reader->file, eventlog_offset(seq), events, wanted, &bytes, error);
    if (result < 0)
        return result;
    uint32_t whole = 0;
    while (whole < bytes / RECORD_BYTES && eventlog_whole(&events[whole], seq + whole)) {
        events[whole].head = (struct record_head){0};
        whole++;
    }
    return (int)whole;
}

/* Takes out those below seq; how many are left, or the error that one of them is damaged. */
static int sift(struct eventlog_reader *reader, uint64_t seq, struct event *events, uint32_t count, struct error *error)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!eventlog_whole(&events[i], events[i].event_seq) ||
            eventlog_file_number(events[i].event_seq) != reader->file_number) {
            char path[DISK_PATH_BYTES];
            eventlog_path(reader->directory, reader->file_number, path);
            return error_set(error, ERROR_CORRUPT, path, "record %u of what was kept is not whole",
                             reader->packed_at + i);
        }
        if (events[i].event_seq < seq)
            continue;
        events[kept] = events[i];
        events[kept++].head = (struct record_head){0};
    }
    return (int)kept;
}

/* What a trimmed file still holds from seq on; 0: no more. */
static int read_packed(struct eventlog_reader *reader, uint64_t seq, struct event *events, uint32_t max,
                       struct error *error)
{
    int kept = 0;
    if (seq < reader->packed_seq)
        reader->packed_at = 0;
    while (kept == 0 && reader->packed_at < reader->packed - 1) {
        uint32_t left = reader->packed - 1 - reader->packed_at;
        uint32_t wanted = max < left ? max : left;
        uint64_t offset = EVENTLOG_HEADER_BYTES + (uint64_t)reader->packed_at * RECORD_BYTES;
        size_t bytes = 0;
        int result = disk()->read(reader->file, offset, events, (size_t)wanted * RECORD_BYTES, &bytes, error);
        if (result < 0)
            return result;
        if (bytes != (size_t)wanted * RECORD_BYTES)
            return error_set(error, ERROR_CORRUPT, reader->directory, "file %lu of events is cut off",
                             reader->file_number);
        kept = sift(reader, seq, events, wanted, error);
        if (kept < 0)
            return kept;
        reader->packed_at += wanted;
    }
    reader->packed_seq = kept > 0 ? events[kept - 1].event_seq + 1 : seq;
    return kept;
}

int eventlog_reader_read(struct eventlog_reader *reader, uint64_t seq, struct event *events, uint32_t max,
                         struct error *error)
{
    uint32_t done = 0;
    while (done < max) {
        int result = go_to_file(reader, eventlog_file_number(seq + done), error);
        if (result <= 0)
            return result < 0 && done == 0 ? result : (int)done;
        if (reader->packed != 0 && done > 0)
            break;
        reader->has_skipped = reader->packed != 0;
        if (reader->packed != 0) {
            result = read_packed(reader, seq, events, max, error);
            if (result != 0)
                return result;
            seq = (reader->file_number + 1) * EVENTLOG_FILE_EVENTS;
            continue;
        }
        result = read_from_file(reader, seq + done, events + done, max - done, error);
        if (result < 0)
            return result;
        done += (uint32_t)result;
        /* Go on only where the file itself ended, not where the log does. */
        if (result == 0 || (seq + done) % EVENTLOG_FILE_EVENTS != 0)
            break;
    }
    return (int)done;
}

void eventlog_reader_close(struct eventlog_reader *reader)
{
    if (!reader)
        return;
    disk()->close(reader->file);
    free(reader);
}
