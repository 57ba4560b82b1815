#include "eventlog/eventlog_files.h"

#include "base/checksum.h"

#include <stdio.h>
#include <string.h>

#define X(type, field, offset, bytes) CONTRACT_FIELD(struct type, field, offset, bytes);
EVENTLOG_FIELDS(X)
#undef X

void eventlog_path(const char *directory, uint64_t file, char path[DISK_PATH_BYTES])
{
    snprintf(path, DISK_PATH_BYTES, "%.360s/events-%010lu.log", directory, file);
}

static uint32_t body_checksum(const struct event *event)
{
    return crc32c((uint32_t)event->event_seq, (const uint8_t *)event + RECORD_HEAD_BYTES, RECORD_BODY_BYTES);
}

void eventlog_seal(struct event *event)
{
    const struct eventlog_head head = {.checksum = body_checksum(event), .mark = EVENTLOG_MARK};
    memcpy(event, &head, sizeof(head));
}

bool eventlog_whole(const struct event *event, uint64_t seq)
{
    struct eventlog_head head;
    memcpy(&head, event, sizeof(head));
    return head.mark == EVENTLOG_MARK && head.reserved == 0 && event->event_seq == seq &&
           head.checksum == body_checksum(event);
}

static uint32_t header_checksum(const struct eventlog_file_header *header)
{
    return crc32c(0, header, offsetof(struct eventlog_file_header, checksum));
}

void eventlog_header_fill(struct eventlog_file_header *header, uint64_t file, uint32_t packed)
{
    *header = (struct eventlog_file_header){
        .magic = EVENTLOG_MAGIC,
        .version = EVENTLOG_VERSION,
        .record_bytes = RECORD_BYTES,
        .record_hash = event_layout_hash(),
        .first_seq = file * EVENTLOG_FILE_EVENTS,
        .packed = packed,
    };
    header->checksum = header_checksum(header);
}

int eventlog_header_check(const struct eventlog_file_header *header, uint64_t file, const char *path,
                          struct error *error)
{
    if (header->magic != EVENTLOG_MAGIC)
        return error_set(error, ERROR_MISMATCH, path, "not a file of an event log");
    if (header->checksum != header_checksum(header) || header->packed > EVENTLOG_FILE_EVENTS + 1 ||
        header->first_seq != file * EVENTLOG_FILE_EVENTS)
        return error_set(error, ERROR_CORRUPT, path, "the header's checksum or first number is wrong");
    if (header->version != EVENTLOG_VERSION || header->record_bytes != RECORD_BYTES ||
        header->record_hash != event_layout_hash())
        return error_set(error, ERROR_MISMATCH, path,
                         "made by a program with another event layout; move the event log away, it is made again from "
                         "the journal");
    return 0;
}

static int file_open(const char *directory, uint64_t file, bool writable, uint32_t *ret_packed, struct error *error)
{
    char path[DISK_PATH_BYTES];
    eventlog_path(directory, file, path);
    int handle = disk()->open(path, writable ? DISK_WRITABLE : 0, error);
    if (handle < 0)
        return handle;
    struct eventlog_file_header header = {0};
    size_t count = 0;
    int result = disk()->read(handle, 0, &header, sizeof(header), &count, error);
    if (result == 0 && (count < sizeof(header) || header.magic == 0))
        result = error_set(error, ERROR_NOT_YET, path, "has only just been made");
    if (result == 0)
        result = eventlog_header_check(&header, file, path, error);
    if (result == 0) {
        *ret_packed = header.packed;
        return handle;
    }
    disk()->close(handle);
    return result;
}

int eventlog_file_open(const char *directory, uint64_t file, bool writable, struct error *error)
{
    uint32_t packed;
    return file_open(directory, file, writable, &packed, error);
}

int eventlog_file_open_packed(const char *directory, uint64_t file, uint32_t *ret_packed, struct error *error)
{
    return file_open(directory, file, false, ret_packed, error);
}
