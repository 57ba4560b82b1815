/* Reading the event log by number. One open file at a time; a record is given only if it is whole. */
#include "eventlog/eventlog_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct eventlog_reader {
    char directory[DISK_PATH_BYTES];
    uint64_t file_number;
    int file; /* -1: none */
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

/* 1: open, 0: not there yet, negative: refused. */
static int go_to_file(struct eventlog_reader *reader, uint64_t number, struct error *error)
{
    if (reader->file >= 0 && reader->file_number == number)
        return 1;
    int file = eventlog_file_open(reader->directory, number, false, error);
    if (file < 0)
        return file == ERROR_NOT_YET ? 0 : file;
    disk()->close(reader->file);
    reader->file = file;
    reader->file_number = number;
    return 1;
}

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

int eventlog_reader_read(struct eventlog_reader *reader, uint64_t seq, struct event *events, uint32_t max,
                         struct error *error)
{
    uint32_t done = 0;
    while (done < max) {
        int result = go_to_file(reader, eventlog_file_number(seq + done), error);
        if (result <= 0)
            return result < 0 ? result : (int)done;
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
