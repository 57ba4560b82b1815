/*
 * Reading the event log by number. One open file at a time; a record is given only if it is whole.
 */
#include "eventlog/eventlog_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct eventlog_reader {
    char directory[EVENTLOG_PATH_BYTES - 32];
    uint64_t file; /* number of the open file */
    int fd;        /* -1: none */
};

int eventlog_reader_open(struct eventlog_reader **ret_reader, const char *directory, struct error *error)
{
    struct eventlog_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return error_system(error, ENOMEM, directory, "no memory for the event log's reader");
    reader->fd = -1;
    snprintf(reader->directory, sizeof(reader->directory), "%s", directory);
    *ret_reader = reader;
    return 0;
}

/* 1: open, 0: not there yet, negative: refused. */
static int open_file(struct eventlog_reader *reader, uint64_t file, struct error *error)
{
    if (reader->fd >= 0 && reader->file == file)
        return 1;
    char path[EVENTLOG_PATH_BYTES];
    eventlog_path(reader->directory, file, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_system(error, errno, path, "cannot open the event log's file");
    struct eventlog_file_header header;
    if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) || header.magic == 0) {
        close(fd); /* its writer has only just made it */
        return 0;
    }
    int result = eventlog_header_check(&header, file, path, error);
    if (result < 0) {
        close(fd);
        return result;
    }
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = fd;
    reader->file = file;
    return 1;
}

static int read_from_file(struct eventlog_reader *reader, uint64_t seq, struct event *events, uint32_t max,
                          struct error *error)
{
    uint64_t left_in_file = (reader->file + 1) * EVENTLOG_FILE_EVENTS - seq;
    if (max > left_in_file)
        max = (uint32_t)left_in_file;
    ssize_t length = pread(reader->fd, events, (size_t)max * RECORD_BYTES, eventlog_offset(seq));
    if (length < 0)
        return error_set(error, ERROR_IO, reader->directory, "cannot read event %lu: %s", seq, strerrordesc_np(errno));
    uint32_t whole = 0;
    uint32_t count = (uint32_t)((size_t)length / RECORD_BYTES);
    while (whole < count && eventlog_whole(&events[whole], seq + whole)) {
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
        int result = open_file(reader, eventlog_file_number(seq + done), error);
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
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader);
}
