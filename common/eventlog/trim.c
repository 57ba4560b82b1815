#include "eventlog/trim.h"

#include "env/disk_copy.h"
#include "eventlog/eventlog_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_EVENTS 4096u

bool eventlog_is_kept(const struct event *event)
{
    switch (event->kind) {
    case EVENT_LOGIN_ACCEPTED:
    case EVENT_SESSION_CLOSED:
    case EVENT_INSTRUMENT_ADDED:
    case EVENT_MARKET_STATE_CHANGED:
    case EVENT_LIMITS_CHANGED:
    case EVENT_DAY_STARTED:
    case EVENT_DAY_ENDED:
        return true;
    default:
        return false;
    }
}

/* ---- which files there are ----------------------------------------------------------------------------------------
 */

enum file_form { FORM_MISSING, FORM_WHOLE, FORM_TRIMMED };

/* enum file_form, or an error. */
static int form_of(const char *directory, uint64_t number, struct error *error)
{
    uint32_t packed = 0;
    int file = eventlog_file_open_packed(directory, number, &packed, error);
    if (file < 0)
        return file == ERROR_NOT_YET ? FORM_MISSING : file;
    disk()->close(file);
    return packed == 0 ? FORM_WHOLE : FORM_TRIMMED;
}

int eventlog_whole_from(const char *directory, const char *archive, uint64_t *ret_seq, struct error *error)
{
    uint64_t number = 0;
    uint64_t whole_from = 0; /* number of a file; an archive may lack one behind some that it has */
    int form;
    for (; (form = form_of(directory, number, error)) == FORM_TRIMMED; number++)
        if (!archive || !*archive || form_of(archive, number, NULL) != FORM_WHOLE)
            whole_from = number + 1;
    if (form < 0)
        return form;
    *ret_seq = whole_from == 0 ? 1 : whole_from * EVENTLOG_FILE_EVENTS;
    return 0;
}

int eventlog_extent_find(const char *directory, struct eventlog_extent *ret, struct error *error)
{
    struct eventlog_extent extent = {0};
    int form = form_of(directory, 0, error);
    while (form == FORM_TRIMMED)
        form = form_of(directory, ++extent.file_first, error);
    extent.file_end = extent.file_first;
    while (form == FORM_WHOLE)
        form = form_of(directory, ++extent.file_end, error);
    if (form < 0)
        return form;
    if (extent.file_end > extent.file_first)
        extent.bytes =
            (extent.file_end - extent.file_first - 1) * (EVENTLOG_HEADER_BYTES + EVENTLOG_FILE_EVENTS * RECORD_BYTES);
    *ret = extent;
    return 0;
}

/* ---- reading a file -----------------------------------------------------------------------------------------------
 */

/* What is done with each event of a file; false: no more is wanted. */
typedef bool event_visitor(void *argument, const struct event *event);

/* Visits the whole events of a file in order; *ret_end is the number after the last of them. */
static int visit_file(const char *directory, uint64_t number, event_visitor *visitor, void *argument, uint64_t *ret_end,
                      struct error *error)
{
    uint64_t end = (number + 1) * EVENTLOG_FILE_EVENTS;
    uint64_t seq = number == 0 ? 1 : number * EVENTLOG_FILE_EVENTS;
    struct eventlog_reader *reader = NULL;
    struct event *events = malloc(CHUNK_EVENTS * sizeof(*events));
    if (!events)
        return error_system(error, ENOMEM, directory, "no memory to read the event log");
    int count = eventlog_reader_open(&reader, directory, error);
    bool wanted = count == 0;
    while (wanted && seq < end) {
        uint64_t left = end - seq;
        count = eventlog_reader_read(reader, seq, events, left < CHUNK_EVENTS ? (uint32_t)left : CHUNK_EVENTS, error);
        wanted = count > 0;
        for (int i = 0; wanted && i < count; i++)
            wanted = visitor(argument, &events[i]);
        seq += count > 0 ? (uint64_t)count : 0;
    }
    eventlog_reader_close(reader);
    free(events);
    *ret_end = seq;
    return count < 0 ? count : 0;
}

static bool note_day(void *argument, const struct event *event)
{
    uint64_t *day_seq = argument;
    if (event->kind == EVENT_DAY_STARTED)
        *day_seq = event->event_seq;
    return true;
}

int eventlog_day_started(const char *directory, uint64_t *ret_seq, struct error *error)
{
    struct eventlog_extent extent;
    uint64_t day_seq = 0;
    int result = eventlog_extent_find(directory, &extent, error);
    for (uint64_t number = extent.file_end; result == 0 && day_seq == 0 && number > extent.file_first; number--) {
        uint64_t end = 0;
        result = visit_file(directory, number - 1, note_day, &day_seq, &end, error);
    }
    if (result == 0)
        *ret_seq = day_seq;
    return result;
}

/* ---- a trimmed file -----------------------------------------------------------------------------------------------
 */

struct packing {
    int file;
    uint32_t count;
    int result;
    struct error *error;
};

static bool pack(void *argument, const struct event *event)
{
    struct packing *packing = argument;
    if (!eventlog_is_kept(event))
        return true;
    struct event sealed = *event;
    sealed.flags &= (uint8_t)~EVENT_CONTINUED; /* its second part is not of all time */
    eventlog_seal(&sealed);
    uint64_t offset = EVENTLOG_HEADER_BYTES + (uint64_t)packing->count * RECORD_BYTES;
    packing->result = disk()->write(packing->file, offset, &sealed, sizeof(sealed), packing->error);
    packing->count++;
    return packing->result == 0;
}

static int pack_file(const struct eventlog_trim *trim, uint64_t number, int file, uint32_t *ret_count,
                     struct error *error)
{
    struct packing packing = {.file = file, .error = error};
    struct eventlog_file_header header;
    uint64_t end = 0;
    int result = visit_file(trim->directory, number, pack, &packing, &end, error);
    result = result < 0 ? result : packing.result;
    if (result == 0 && end != (number + 1) * EVENTLOG_FILE_EVENTS)
        return error_set(error, ERROR_CORRUPT, trim->directory,
                         "event %lu, which must go, is not whole; nothing of its file was touched "
                         "(ringside journal verify)",
                         end);
    eventlog_header_fill(&header, number, packing.count + 1);
    if (result == 0)
        result = disk()->write(file, 0, &header, sizeof(header), error);
    if (result == 0)
        result = disk()->sync(file, error);
    *ret_count = packing.count;
    return result;
}

/* Rule 3, the copy. One that is there already is of an attempt that was cut short, or of another log. */
static int archive_file(const struct eventlog_trim *trim, uint64_t number, const char *path, struct error *error)
{
    char to_path[DISK_PATH_BYTES];
    int result = disk()->make_directory(trim->archive, error);
    if (result < 0)
        return result;
    eventlog_path(trim->archive, number, to_path);
    int there = disk()->open(to_path, 0, NULL);
    disk()->close(there < 0 ? -1 : there);
    int same = there >= 0 ? disk_same(path, to_path, error) : 0;
    if (same < 0)
        return same;
    if (there >= 0 && !same)
        return error_set(error, ERROR_INVALID, to_path,
                         "is there already and is another file than %s: the archive is of another exchange", path);
    if (there < 0)
        result = disk_copy(path, to_path, error);
    return result < 0 ? result : disk_sync_directory(trim->archive, error);
}

static int trim_file(struct eventlog_trim *trim, uint64_t number, struct error *error)
{
    char path[DISK_PATH_BYTES];
    char new_path[DISK_PATH_BYTES + 8];
    uint32_t kept = 0;
    eventlog_path(trim->directory, number, path);
    snprintf(new_path, sizeof(new_path), "%s.new", path);
    int result = disk()->remove(new_path, error);
    int file = result < 0 ? result : disk()->open(new_path, DISK_WRITABLE | DISK_CREATE, error);
    result = file < 0 ? file : pack_file(trim, number, file, &kept, error);
    disk()->close(file < 0 ? -1 : file);
    if (result == 0 && trim->archive)
        result = archive_file(trim, number, path, error);
    if (result == 0)
        result = disk()->rename(new_path, path, error);
    else if (file >= 0)
        (void)disk()->remove(new_path, NULL);
    trim->kept += result == 0 ? kept : 0;
    return result < 0 ? result : disk_sync_directory(trim->directory, error);
}

int eventlog_trim(struct eventlog_trim *trim, struct error *error)
{
    struct eventlog_extent extent;
    int result = eventlog_extent_find(trim->directory, &extent, error);
    if (result < 0)
        return result;
    for (uint64_t number = extent.file_first; result == 0 && number + 1 < extent.file_end; number++) {
        if ((number + 1) * EVENTLOG_FILE_EVENTS > trim->needed_seq)
            break;
        if (!trim->dry_run)
            result = trim_file(trim, number, error);
        trim->count += result == 0;
        trim->bytes += result == 0 ? EVENTLOG_HEADER_BYTES + EVENTLOG_FILE_EVENTS * RECORD_BYTES : 0;
    }
    return result;
}
