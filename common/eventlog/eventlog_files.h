/* Where events live in the log's files, and what makes a record whole. Private to common/eventlog. */
#ifndef RINGSIDE_EVENTLOG_FILES_H
#define RINGSIDE_EVENTLOG_FILES_H

#include "env/disk.h"
#include "eventlog/eventlog.h"

static inline uint64_t eventlog_file_number(uint64_t seq)
{
    return seq / EVENTLOG_FILE_EVENTS;
}

static inline uint64_t eventlog_offset(uint64_t seq)
{
    return EVENTLOG_HEADER_BYTES + seq % EVENTLOG_FILE_EVENTS * RECORD_BYTES;
}

void eventlog_path(const char *directory, uint64_t file, char path[DISK_PATH_BYTES]);

/* Puts the log's head on an event, or checks it. */
void eventlog_seal(struct event *event);
bool eventlog_whole(const struct event *event, uint64_t seq);

void eventlog_header_fill(struct eventlog_file_header *header, uint64_t file, uint32_t packed);
int eventlog_header_check(const struct eventlog_file_header *header, uint64_t file, const char *path,
                          struct error *error);

/* Opens a file of the log and checks its header. ERROR_NOT_YET: no such file, or no header in it yet. */
int eventlog_file_open(const char *directory, uint64_t file, bool writable, struct error *error);

/* The same for reading; *ret_packed is what its header says. */
int eventlog_file_open_packed(const char *directory, uint64_t file, uint32_t *ret_packed, struct error *error);

#endif
