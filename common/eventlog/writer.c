/*
 * Appending to the event log.
 *
 * Rules
 *   1. One writer. A file's header is written before its first record; files are made in the order of their numbers.
 *   2. Opening finds the first number that is not there: whole records only, of causes that are in the journal. What
 *      lies beyond is cut off, file by file from the end, so that it can never be taken for something new.
 *   3. A record is readable by others when append returns. It is durable some time later, and need not be.
 */
#include "eventlog/eventlog_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_EVENTS  512u
#define SEARCH_EVENTS 4096u

struct eventlog_writer {
    char directory[EVENTLOG_PATH_BYTES - 32];
    uint64_t next; /* the number that the next record gets */
    uint64_t file; /* number of the open file */
    int fd;        /* -1: none */
    struct event staged[WRITE_EVENTS];
};

static int open_file(struct eventlog_writer *writer, uint64_t file, struct error *error)
{
    char path[EVENTLOG_PATH_BYTES];
    eventlog_path(writer->directory, file, path);
    if (writer->fd >= 0)
        close(writer->fd);
    writer->file = file;
    writer->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (writer->fd < 0)
        return error_system(error, errno, path, "cannot open the event log's file");
    struct eventlog_file_header header;
    ssize_t length = pread(writer->fd, &header, sizeof(header), 0);
    if (length == (ssize_t)sizeof(header) && header.magic != 0)
        return eventlog_header_check(&header, file, path, error);
    eventlog_header_fill(&header, file);
    if (pwrite(writer->fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
        return error_set(error, ERROR_IO, path, "cannot write the header: %s", strerrordesc_np(errno));
    return 0;
}

/* True if there is a file of this number with anything in it. */
static bool file_exists(const struct eventlog_writer *writer, uint64_t file)
{
    char path[EVENTLOG_PATH_BYTES];
    struct stat status;
    eventlog_path(writer->directory, file, path);
    return stat(path, &status) == 0;
}

/* The first number at or after `seq` in the open file that is not whole or whose cause is after last_command_seq. */
static int search_file(struct eventlog_writer *writer, uint64_t seq, uint64_t last_command_seq, uint64_t *ret_seq,
                       struct error *error)
{
    struct event *events = malloc(SEARCH_EVENTS * sizeof(*events));
    if (!events)
        return error_system(error, ENOMEM, writer->directory, "no memory to search the event log");
    uint64_t end = (writer->file + 1) * EVENTLOG_FILE_EVENTS;
    bool found = false;
    while (!found && seq < end) {
        uint64_t wanted = end - seq < SEARCH_EVENTS ? end - seq : SEARCH_EVENTS;
        ssize_t length = pread(writer->fd, events, wanted * RECORD_BYTES, eventlog_offset(seq));
        uint64_t count = length > 0 ? (uint64_t)length / RECORD_BYTES : 0;
        for (uint64_t place = 0; place < count && !found; place++) {
            found = !eventlog_whole(&events[place], seq) || events[place].command_seq > last_command_seq;
            seq += !found;
        }
        found = found || count < wanted;
    }
    free(events);
    *ret_seq = seq;
    return 0;
}

static int cut(struct eventlog_writer *writer, struct error *error)
{
    if (ftruncate(writer->fd, eventlog_offset(writer->next)) < 0)
        return error_system(error, errno, writer->directory, "cannot cut the event log at event %lu", writer->next);
    for (uint64_t file = writer->file + 1; file_exists(writer, file); file++) {
        char path[EVENTLOG_PATH_BYTES];
        eventlog_path(writer->directory, file, path);
        if (unlink(path) < 0)
            return error_system(error, errno, path, "cannot remove what follows the cut at event %lu", writer->next);
    }
    return 0;
}

static int find_end(struct eventlog_writer *writer, uint64_t last_command_seq, struct error *error)
{
    writer->next = 1; /* place 0 of the first file stays empty: numbers begin at 1 */
    for (uint64_t file = 0;; file++) {
        int result = open_file(writer, file, error);
        if (result == 0)
            result = search_file(writer, writer->next, last_command_seq, &writer->next, error);
        if (result < 0)
            return result;
        if (eventlog_file_number(writer->next) == file || !file_exists(writer, file + 1))
            return eventlog_file_number(writer->next) == file ? cut(writer, error) : open_file(writer, file + 1, error);
    }
}

int eventlog_writer_open(struct eventlog_writer **ret_writer, const char *directory, uint64_t last_command_seq,
                         uint64_t *ret_next, struct error *error)
{
    if (mkdir(directory, 0750) < 0 && errno != EEXIST)
        return error_system(error, errno, directory, "cannot make the event log's directory");
    struct eventlog_writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return error_system(error, ENOMEM, directory, "no memory for the event log's writer");
    writer->fd = -1;
    snprintf(writer->directory, sizeof(writer->directory), "%s", directory);
    int result = find_end(writer, last_command_seq, error);
    if (result < 0) {
        eventlog_writer_close(writer);
        return result;
    }
    *ret_writer = writer;
    *ret_next = writer->next;
    return 0;
}

/* Writes what is staged; all of it belongs to the open file. */
static int write_staged(struct eventlog_writer *writer, uint64_t first, uint32_t count, struct error *error)
{
    size_t bytes = (size_t)count * RECORD_BYTES;
    ssize_t written = pwrite(writer->fd, writer->staged, bytes, eventlog_offset(first));
    if (written == (ssize_t)bytes)
        return 0;
    return error_set(error, ERROR_IO, writer->directory, "cannot write events %lu to %lu: %s", first, first + count - 1,
                     written < 0 ? strerrordesc_np(errno) : "the file system took a part only");
}

int eventlog_writer_append(struct eventlog_writer *writer, const struct event *const events[], uint32_t count,
                           struct error *error)
{
    for (uint32_t done = 0; done < count;) {
        if (eventlog_file_number(writer->next) != writer->file) {
            int result = open_file(writer, eventlog_file_number(writer->next), error);
            if (result < 0)
                return result;
        }
        uint64_t left_in_file = (writer->file + 1) * EVENTLOG_FILE_EVENTS - writer->next;
        uint32_t part = count - done < WRITE_EVENTS ? count - done : WRITE_EVENTS;
        if (part > left_in_file)
            part = (uint32_t)left_in_file;
        for (uint32_t place = 0; place < part; place++) {
            REQUIRE(events[done + place]->event_seq == writer->next + place);
            memcpy(&writer->staged[place], events[done + place], RECORD_BYTES);
            eventlog_seal(&writer->staged[place]);
        }
        int result = write_staged(writer, writer->next, part, error);
        if (result < 0)
            return result;
        writer->next += part;
        done += part;
    }
    return 0;
}

int eventlog_writer_sync(struct eventlog_writer *writer, struct error *error)
{
    if (fdatasync(writer->fd) < 0)
        return error_set(error, ERROR_IO, writer->directory, "cannot sync the event log: %s", strerrordesc_np(errno));
    return 0;
}

void eventlog_writer_close(struct eventlog_writer *writer)
{
    if (!writer)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    free(writer);
}
