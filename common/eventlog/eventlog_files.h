/* Where events live in the log's files, and what makes a record whole. Private to common/eventlog. */
#ifndef RINGSIDE_EVENTLOG_FILES_H
#define RINGSIDE_EVENTLOG_FILES_H

#include "eventlog/eventlog.h"

#include <sys/types.h>

#define EVENTLOG_PATH_BYTES 320

static inline uint64_t eventlog_file_number(uint64_t seq)
{
    return seq / EVENTLOG_FILE_EVENTS;
}

static inline off_t eventlog_offset(uint64_t seq)
{
    return (off_t)(EVENTLOG_HEADER_BYTES + seq % EVENTLOG_FILE_EVENTS * RECORD_BYTES);
}

void eventlog_path(const char *directory, uint64_t file, char path[EVENTLOG_PATH_BYTES]);

/* Puts the log's head on an event, or checks it. */
void eventlog_seal(struct event *event);
bool eventlog_whole(const struct event *event, uint64_t seq);

void eventlog_header_fill(struct eventlog_file_header *header, uint64_t file);
int eventlog_header_check(const struct eventlog_file_header *header, uint64_t file, const char *path,
                          struct error *error);

#endif
