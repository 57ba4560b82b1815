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
#include "eventlog/trim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define WRITE_EVENTS  512u
#define SEARCH_EVENTS 4096u

struct eventlog_writer {
    char directory[DISK_PATH_BYTES];
    uint64_t next; /* the number that the next record gets */
    uint64_t file_number;
    int file; /* being appended to; -1: none yet */
    int directory_file;
    uint64_t taken;     /* offset in the file; what lies before it somebody was told to write */
    uint64_t synced;    /* all below is on the medium */
    uint64_t sync_upto; /* what the sync that has begun will make it */
    int sync_file;      /* -1: none has begun */
    struct event staged[WRITE_EVENTS];
};

/* ---- opening ------------------------------------------------------------------------------------------------------
 */

struct search {
    const struct eventlog_writer *writer;
    uint64_t last_command_seq;
    struct event *events; /* SEARCH_EVENTS */
};

enum finding {
    FOUND_NONE = 0, /* no whole record */
    FOUND_KEPT = 1,
    FOUND_BEYOND = 2, /* whole, but its cause is not in the journal */
};

/* What is at the place of event seq: enum finding, or an error. */
static int look_at(const struct search *search, uint64_t seq, struct error *error)
{
    int file = eventlog_file_open(search->writer->directory, eventlog_file_number(seq), false, error);
    if (file < 0)
        return file == ERROR_NOT_YET ? FOUND_NONE : file;
    struct event event = {0};
    size_t count = 0;
    int result = disk()->read(file, eventlog_offset(seq), &event, sizeof(event), &count, error);
    disk()->close(file);
    if (result < 0)
        return result;
    if (!eventlog_whole(&event, seq))
        return FOUND_NONE;
    return event.command_seq <= search->last_command_seq ? FOUND_KEPT : FOUND_BEYOND;
}

/* The first number from `seq` on that is not kept, in the file of seq; the file's end if all of it is. */
static int search_file(const struct search *search, uint64_t seq, uint64_t *ret_seq, struct error *error)
{
    uint64_t end = (eventlog_file_number(seq) + 1) * EVENTLOG_FILE_EVENTS;
    int file = eventlog_file_open(search->writer->directory, eventlog_file_number(seq), false, error);
    *ret_seq = seq;
    if (file < 0)
        return file == ERROR_NOT_YET ? 0 : file;
    int result = 0;
    for (bool found = false; !found && seq < end;) {
        uint64_t wanted = end - seq < SEARCH_EVENTS ? end - seq : SEARCH_EVENTS;
        size_t bytes = 0;
        result = disk()->read(file, eventlog_offset(seq), search->events, wanted * RECORD_BYTES, &bytes, error);
        if (result < 0)
            break;
        uint64_t count = bytes / RECORD_BYTES;
        for (uint64_t place = 0; place < count && !found; place++) {
            const struct event *event = &search->events[place];
            found = !eventlog_whole(event, seq) || event->command_seq > search->last_command_seq;
            seq += !found;
        }
        found = found || count < wanted;
    }
    disk()->close(file);
    *ret_seq = seq;
    return result;
}

/* The first number behind the trimmed files. Returns what was found before, or an error. */
static int find_whole(const struct search *search, int finding, uint64_t *ret_seq, struct error *error)
{
    int result = eventlog_whole_from(search->writer->directory, NULL, ret_seq, error);
    return result < 0 ? result : finding;
}

/*
 * Where the search has to begin: at the synced mark if the event before it is kept. If the journal ends before it,
 * numbers and causes rise together, so bisect. If there is no such event, the mark is of another log: at the beginning,
 * which is behind what was trimmed.
 */
static int search_start(const struct search *search, uint64_t synced, uint64_t *ret_seq, struct error *error)
{
    int before = synced > 1 ? look_at(search, synced - 1, error) : FOUND_NONE;
    uint64_t low = synced; /* all below is kept */
    if (before >= 0 && before != FOUND_KEPT)
        before = find_whole(search, before, &low, error);
    for (uint64_t high = synced; before == FOUND_BEYOND && low < high;) {
        uint64_t middle = low + (high - low) / 2;
        int finding = look_at(search, middle, error);
        if (finding < 0)
            return finding;
        if (finding == FOUND_KEPT)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_seq = low;
    return before < 0 ? before : 0;
}

/* Removes everything from writer->next on. */
static int cut(const struct eventlog_writer *writer, struct error *error)
{
    char path[DISK_PATH_BYTES];
    uint64_t number = eventlog_file_number(writer->next);
    eventlog_path(writer->directory, number, path);
    int file = disk()->open(path, DISK_WRITABLE, error);
    if (file < 0)
        return file == ERROR_NOT_YET ? 0 : file;
    uint64_t bytes = 0;
    int result = disk()->size(file, &bytes, error);
    if (result == 0 && bytes > eventlog_offset(writer->next))
        result = disk()->truncate(file, eventlog_offset(writer->next), error);
    disk()->close(file);
    for (bool there = true; result == 0 && there;) {
        eventlog_path(writer->directory, ++number, path);
        file = disk()->open(path, 0, error);
        there = file >= 0;
        disk()->close(file);
        if (there)
            result = disk()->remove(path, error);
    }
    return result;
}

/* Sets writer->next. Returns what lies there: enum finding, or an error. */
static int find_end(struct eventlog_writer *writer, uint64_t last_command_seq, uint64_t synced, struct error *error)
{
    struct search search = {.writer = writer, .last_command_seq = last_command_seq};
    search.events = malloc(SEARCH_EVENTS * sizeof(*search.events));
    if (!search.events)
        return error_system(error, ENOMEM, writer->directory, "no memory to search the event log");
    int result = search_start(&search, synced, &writer->next, error);
    for (uint64_t from = 0; result == 0 && from != writer->next;) {
        from = writer->next;
        result = search_file(&search, from, &writer->next, error);
        if (writer->next % EVENTLOG_FILE_EVENTS != 0)
            break;
    }
    free(search.events);
    return result < 0 ? result : look_at(&search, writer->next, error);
}

int eventlog_beyond(const char *directory, uint64_t last_command_seq, uint64_t synced, uint64_t *ret_event_seq,
                    struct error *error)
{
    struct eventlog_writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return error_system(error, ENOMEM, directory, "no memory to search the event log");
    snprintf(writer->directory, sizeof(writer->directory), "%s", directory);
    int result = find_end(writer, last_command_seq, synced, error);
    *ret_event_seq = writer->next;
    free(writer);
    return result < 0 ? result : result == FOUND_BEYOND;
}

int eventlog_writer_open_from(struct eventlog_writer **ret_writer, const char *directory, uint64_t last_command_seq,
                              uint64_t synced, uint64_t *ret_next, struct error *error)
{
    int result = disk()->make_directory(directory, error);
    if (result < 0)
        return result;
    struct eventlog_writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return error_system(error, ENOMEM, directory, "no memory for the event log's writer");
    writer->file = writer->sync_file = -1;
    snprintf(writer->directory, sizeof(writer->directory), "%s", directory);
    writer->directory_file = disk()->open_directory(directory, error);
    result = writer->directory_file < 0 ? writer->directory_file : 0;
    if (result == 0)
        result = find_end(writer, last_command_seq, synced, error);
    if (result >= 0)
        result = cut(writer, error);
    if (result < 0) {
        eventlog_writer_close(writer);
        return result;
    }
    writer->synced = synced < writer->next ? synced : writer->next;
    *ret_writer = writer;
    *ret_next = writer->next;
    return 0;
}

int eventlog_writer_open(struct eventlog_writer **ret_writer, const char *directory, uint64_t last_command_seq,
                         uint64_t *ret_next, struct error *error)
{
    return eventlog_writer_open_from(ret_writer, directory, last_command_seq, 1, ret_next, error);
}

/* ---- appending ----------------------------------------------------------------------------------------------------
 */

/* Makes a file and its header, or only the header, where the last writer died before it. */
static int make_file(const struct eventlog_writer *writer, uint64_t number, struct error *error)
{
    char path[DISK_PATH_BYTES];
    eventlog_path(writer->directory, number, path);
    int file = disk()->open(path, DISK_WRITABLE, error);
    if (file == ERROR_NOT_YET)
        file = disk()->open(path, DISK_WRITABLE | DISK_CREATE, error);
    if (file < 0)
        return file;
    struct eventlog_file_header header;
    eventlog_header_fill(&header, number, 0);
    int result = disk()->write(file, 0, &header, sizeof(header), error);
    if (result == 0)
        return file;
    disk()->close(file);
    return result;
}

static int go_to_file(struct eventlog_writer *writer, uint64_t number, struct error *error)
{
    if (writer->file >= 0 && writer->file_number == number)
        return 0;
    int file = eventlog_file_open(writer->directory, number, true, error);
    if (file == ERROR_NOT_YET)
        file = make_file(writer, number, error);
    if (file < 0)
        return file;
    disk()->close(writer->file);
    writer->file = file;
    writer->file_number = number;
    writer->taken = eventlog_offset(writer->next) / DISK_BLOCK_BYTES * DISK_BLOCK_BYTES;
    return 0;
}

static void stage(struct eventlog_writer *writer, const struct event *const events[], uint32_t count)
{
    for (uint32_t place = 0; place < count; place++) {
        REQUIRE(events[place]->event_seq == writer->next + place);
        writer->staged[place] = *events[place];
        eventlog_seal(&writer->staged[place]);
    }
}

int eventlog_writer_append(struct eventlog_writer *writer, const struct event *const events[], uint32_t count,
                           struct error *error)
{
    for (uint32_t done = 0; done < count;) {
        int result = go_to_file(writer, eventlog_file_number(writer->next), error);
        if (result < 0)
            return result;
        uint64_t left_in_file = (writer->file_number + 1) * EVENTLOG_FILE_EVENTS - writer->next;
        uint32_t part = count - done < WRITE_EVENTS ? count - done : WRITE_EVENTS;
        if (part > left_in_file)
            part = (uint32_t)left_in_file;
        stage(writer, events + done, part);
        result = disk()->write(writer->file, eventlog_offset(writer->next), writer->staged, (size_t)part * RECORD_BYTES,
                               error);
        if (result < 0)
            return result;
        writer->next += part;
        done += part;
    }
    return 0;
}

/* ---- syncing ------------------------------------------------------------------------------------------------------
 */

int eventlog_writer_sync_begin(struct eventlog_writer *writer, int files[2], struct error *error)
{
    if (writer->synced == writer->next || writer->sync_file >= 0)
        return 0;
    uint64_t number = eventlog_file_number(writer->synced);
    uint64_t end = (number + 1) * EVENTLOG_FILE_EVENTS;
    int file = eventlog_file_open(writer->directory, number, true, error);
    if (file < 0)
        return file;
    writer->sync_upto = writer->next < end ? writer->next : end;
    files[0] = writer->sync_file = file;
    files[1] = writer->directory_file;
    return 1;
}

void eventlog_writer_sync_done(struct eventlog_writer *writer)
{
    REQUIRE(writer->sync_file >= 0);
    disk()->close(writer->sync_file);
    writer->sync_file = -1;
    writer->synced = writer->sync_upto;
}

bool eventlog_writer_take_written(struct eventlog_writer *writer, struct eventlog_range *ret_range)
{
    if (writer->file < 0)
        return false;
    bool file_full = eventlog_file_number(writer->next) != writer->file_number;
    uint64_t end = eventlog_offset(writer->next - file_full) + (uint64_t)file_full * RECORD_BYTES;
    uint64_t bytes = (end - writer->taken) / DISK_BLOCK_BYTES * DISK_BLOCK_BYTES;
    if (bytes < EVENTLOG_WRITE_OUT_BYTES)
        return false;
    *ret_range = (struct eventlog_range){.file = writer->file, .offset = writer->taken, .bytes = bytes};
    writer->taken += bytes;
    return true;
}

uint64_t eventlog_writer_next(const struct eventlog_writer *writer)
{
    return writer->next;
}

uint64_t eventlog_writer_synced(const struct eventlog_writer *writer)
{
    return writer->synced;
}

uint64_t eventlog_writer_files_behind(const struct eventlog_writer *writer)
{
    return eventlog_file_number(writer->next) - eventlog_file_number(writer->synced);
}

int eventlog_writer_sync(struct eventlog_writer *writer, struct error *error)
{
    int files[2];
    int result;
    while ((result = eventlog_writer_sync_begin(writer, files, error)) > 0) {
        result = disk()->sync(files[0], error);
        if (result == 0)
            result = disk()->sync(files[1], error);
        if (result < 0)
            return result;
        eventlog_writer_sync_done(writer);
    }
    return result;
}

void eventlog_writer_close(struct eventlog_writer *writer)
{
    if (!writer)
        return;
    disk()->close(writer->file);
    disk()->close(writer->sync_file);
    disk()->close(writer->directory_file);
    free(writer);
}
