#include "events_limit.h"

#include "eventlog/eventlog.h"
#include "eventlog/store_marks.h"
#include "eventlog/trim.h"

#include <stdio.h>

#define FILE_BYTES (EVENTLOG_HEADER_BYTES + EVENTLOG_FILE_EVENTS * RECORD_BYTES)

static uint64_t least(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

/* The event at a store's mark is needed too: it tells whether the store is of this exchange. */
static void need(struct events_limit *limit, const char *keeper, uint64_t mark_seq)
{
    uint64_t needed_seq = mark_seq > 0 ? mark_seq : 1;
    if (needed_seq >= limit->needed_seq)
        return;
    limit->needed_seq = needed_seq;
    limit->keeper = keeper;
    snprintf(limit->why, sizeof(limit->why),
             mark_seq > 0 ? "it has the events up to that one for good"
                          : "the persister has not told yet how far it is");
}

static int stores_need(struct events_limit *limit, const struct config *config, struct error *error)
{
    struct store_marks marks;
    int result = store_marks_read(&marks, config->events_directory, error);
    if (result < 0)
        return result;
    if (*config->postgres_connection != '\0')
        need(limit, "PostgreSQL", marks.postgres_seq);
    if (*config->redis_address != '\0')
        need(limit, "Redis", marks.redis_seq);
    return 0;
}

/* Of what only stores need, the oldest files go until the rest is small enough. */
static int give_up(struct events_limit *limit, const struct config *config, uint64_t day_seq, struct error *error)
{
    struct eventlog_extent extent;
    uint64_t bytes_max = config->retention_retain_bytes_max;
    int result = eventlog_extent_find(config->events_directory, &extent, error);
    if (result < 0 || bytes_max == 0 || extent.bytes <= bytes_max)
        return result;
    uint64_t files = (extent.bytes - bytes_max + FILE_BYTES - 1) / FILE_BYTES;
    uint64_t needed_seq = least(day_seq, (extent.file_first + files) * EVENTLOG_FILE_EVENTS);
    if (needed_seq / EVENTLOG_FILE_EVENTS <= limit->needed_seq / EVENTLOG_FILE_EVENTS)
        return 0;
    limit->gives_up = true;
    limit->needed_seq = needed_seq;
    snprintf(limit->why, sizeof(limit->why),
             "it is left behind, for more than retention.retain_bytes_max would be kept: it will have to read "
             "retention.archive_path, or to be rebuilt (ringside persister rebuild)");
    return 0;
}

int events_limit_find(struct events_limit *ret, const struct config *config, struct error *error)
{
    struct events_limit limit = {.keeper = "the day's sessions"};
    uint64_t day_seq;
    int result = eventlog_day_started(config->events_directory, &day_seq, error);
    if (result < 0)
        return result;
    limit.needed_seq = day_seq > 0 ? day_seq : 1;
    snprintf(limit.why, sizeof(limit.why),
             day_seq > 0 ? "the trading day began with it" : "no trading day has begun yet");
    result = stores_need(&limit, config, error);
    if (result == 0 && limit.needed_seq < day_seq)
        result = give_up(&limit, config, day_seq, error);
    if (result == 0)
        *ret = limit;
    return result;
}
