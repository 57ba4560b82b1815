/* The event log, from a number to a number, for who compares (check.h). */
#include "check.h"

#include "eventlog/eventlog.h"
#include "eventlog/trim.h"

#include <stdlib.h>
#include <time.h>

#define CHUNK    256
#define PATIENCE 500 /* times 10 ms: the log is written a little later than the stores */

struct check_events {
    struct eventlog_reader *reader;
    const char *directory;
    uint64_t next, last;
    uint32_t at, count;
    struct event chunk[CHUNK];
};

/* The first day that begins at or after what is whole. */
static int find_day(struct check_log *log, struct error *error)
{
    struct check_events *events = NULL;
    const struct event *event;
    int code = check_events_open(&events, log, log->whole_from, UINT64_MAX - 1, error);
    log->day_from = UINT64_MAX;
    while (events && code == 0 && log->day_from == UINT64_MAX && (event = check_events_next(events, &code, error)))
        if (event->kind == EVENT_DAY_STARTED) {
            log->day_from = event->event_seq;
            log->date_from = event->day.date;
        }
    check_events_close(events);
    return code;
}

int check_log_find(struct check_log *log, const struct config *config, struct error *error)
{
    *log = (struct check_log){
        .directory = config->events_directory, .archive = config->retention_archive_path, .day_from = 1};
    int code = eventlog_whole_from(log->directory, log->archive, &log->whole_from, error);
    return code < 0 || log->whole_from == 1 ? code : find_day(log, error);
}

int check_events_open(struct check_events **ret_events, const struct check_log *log, uint64_t first, uint64_t last,
                      struct error *error)
{
    const char *directory = log->directory;
    struct check_events *events = calloc(1, sizeof(*events));
    if (!events)
        return error_set(error, ERROR_SYSTEM, directory, "no memory to read the event log");
    events->directory = directory;
    events->next = first;
    events->last = last;
    int result = eventlog_reader_open(&events->reader, directory, error);
    if (result < 0) {
        check_events_close(events);
        return result;
    }
    eventlog_reader_archive(events->reader, log->archive);
    eventlog_reader_skip(events->reader, UINT64_MAX);
    *ret_events = events;
    return 0;
}

static int read_chunk(struct check_events *events, struct error *error)
{
    uint64_t left = events->last - events->next + 1;
    for (int patience = PATIENCE; patience > 0; patience--) {
        int count = eventlog_reader_read(events->reader, events->next, events->chunk,
                                         left < CHUNK ? (uint32_t)left : CHUNK, error);
        if (count != 0)
            return count;
        const struct timespec pause = {.tv_nsec = 10000000};
        nanosleep(&pause, NULL);
    }
    return error_set(error, ERROR_NOT_YET, events->directory,
                     "event %llu, which a store says that it holds, is not in the event log",
                     (unsigned long long)events->next);
}

const struct event *check_events_next(struct check_events *events, int *ret_code, struct error *error)
{
    *ret_code = 0;
    if (events->at == events->count) {
        if (events->next > events->last)
            return NULL;
        int count = read_chunk(events, error);
        if (count < 0) {
            *ret_code = count;
            return NULL;
        }
        events->at = 0;
        events->count = (uint32_t)count;
        events->next = events->chunk[events->count - 1].event_seq + 1;
        while (events->count > 0 && events->chunk[events->count - 1].event_seq > events->last)
            events->count--;
        if (events->count == 0)
            return NULL;
    }
    return &events->chunk[events->at++];
}

void check_events_close(struct check_events *events)
{
    if (!events)
        return;
    eventlog_reader_close(events->reader);
    free(events);
}
