#include "perf/probe/learn.h"

#include "eventlog/eventlog.h"

#include <stdlib.h>

#define WHOLE_EVENTS 262144u /* 32 MiB: the beginning names the instruments and who logged in first */
#define READ_EVENTS  512u

static void learn(struct eventlog_reader *reader, struct event *events, learn_taker *take, void *argument)
{
    uint64_t next = 1;
    uint32_t whole_count = 0;
    int count;
    eventlog_reader_skip(reader, UINT64_MAX);
    while (whole_count < WHOLE_EVENTS && (count = eventlog_reader_read(reader, next, events, READ_EVENTS, NULL)) > 0) {
        for (int i = 0; i < count; i++)
            take(argument, &events[i]);
        if (!eventlog_reader_skipped(reader))
            whole_count += (uint32_t)count;
        next = events[count - 1].event_seq + 1;
    }
}

void learn_from_log(const char *events_directory, learn_taker *take, void *argument)
{
    struct eventlog_reader *reader = NULL;
    struct event *events = malloc(READ_EVENTS * sizeof(*events));
    if (events && eventlog_reader_open(&reader, events_directory, NULL) == 0)
        learn(reader, events, take, argument);
    eventlog_reader_close(reader);
    free(events);
}
