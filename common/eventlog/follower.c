/*
 * Following the events: the ring while it can, the log when it must.
 *
 * Rules
 *   1. The log is read below its writer's cursor in the ring; what is above is in the ring for sure, since the writer
 *      gates it. So with a ring there is never a number that neither has.
 *   2. Overrun by the producer, the follower reads the log up to that cursor and goes back to the ring. It holds
 * nobody.
 */
#include "eventlog/eventlog.h"

#include "topology/topology.h"

#include <string.h>

int event_follower_open(struct event_follower *follower, const struct ring *ring, const char *log_directory,
                        uint64_t next, struct error *error)
{
    *follower = (struct event_follower){.next = next, .from_log = true};
    int result = eventlog_reader_open(&follower->log, log_directory, error);
    if (result == 0 && ring)
        event_follower_join(follower, ring);
    return result;
}

void event_follower_join(struct event_follower *follower, const struct ring *ring)
{
    follower->ring = ring;
    ring_observer_open(&follower->observer, ring, follower->next);
    follower->from_log = follower->next < ring_observer_oldest(&follower->observer);
}

void event_follower_archive(struct event_follower *follower, const char *archive, uint64_t skip_below)
{
    eventlog_reader_archive(follower->log, archive);
    eventlog_reader_skip(follower->log, skip_below);
}

bool event_follower_skipped(const struct event_follower *follower)
{
    return follower->skipped;
}

/* What the log holds for sure: the cursor of its writer. 0: no such line. */
static uint64_t logged_below(const struct ring *ring)
{
    for (uint32_t line = 0; line < ring->file->header.gating_count; line++)
        if (strcmp(ring->file->consumers[line].name, LINE_EVENT_LOG) == 0)
            return atomic_load_explicit(&ring->file->consumers[line].cursor, memory_order_acquire);
    return 0;
}

static int next_from_ring(struct event_follower *follower, struct event *events, uint32_t max)
{
    uint32_t count = 0;
    follower->observer.next = follower->next;
    while (count < max) {
        enum ring_observation seen = ring_observe(&follower->observer, &events[count]);
        if (seen == RING_OVERRUN) {
            follower->from_log = true;
            follower->overrun_count++;
        }
        if (seen != RING_OBSERVED)
            break;
        count++;
    }
    follower->next += count;
    return (int)count;
}

static int next_from_log(struct event_follower *follower, struct event *events, uint32_t max, struct error *error)
{
    if (follower->ring) {
        uint64_t below = logged_below(follower->ring);
        if (follower->next >= below) {
            follower->from_log = false;
            return next_from_ring(follower, events, max);
        }
        if (max > below - follower->next)
            max = (uint32_t)(below - follower->next);
    }
    int count = eventlog_reader_read(follower->log, follower->next, events, max, error);
    if (count < 0)
        return count;
    follower->skipped = eventlog_reader_skipped(follower->log);
    /* All was trimmed up to where the log ends (a loss of power took what lay behind): the ring has what follows. */
    if (count == 0 && follower->skipped && follower->ring) {
        uint64_t below = logged_below(follower->ring);
        if (eventlog_reader_file_end(follower->log) >= below) {
            follower->next = below;
            follower->from_log = false;
            return 0;
        }
    }
    bool half = count == 1 && max > 1 && (events[0].flags & EVENT_CONTINUED);
    if ((count == 0 || half) && follower->ring)
        return error_set(error, ERROR_CORRUPT, "event log", "event %lu is missing, though its writer is past it",
                         follower->next + (uint64_t)count);
    if (count > 0)
        follower->next = events[count - 1].event_seq + 1;
    if (follower->ring && follower->next >= ring_observer_oldest(&follower->observer))
        follower->from_log = false;
    return count;
}

/*
 * A record of two parts is given whole: the first part waits for the second at the end of a batch. It waits where it
 * lies: a ring that begins with the second part has never had the first.
 */
static int hold_back_half(struct event_follower *follower, const struct event *events, int count, uint32_t max)
{
    if (count <= 0 || !(events[count - 1].flags & EVENT_CONTINUED))
        return count;
    REQUIRE(max >= 2);
    follower->next--;
    if (follower->ring && follower->next < ring_observer_oldest(&follower->observer))
        follower->from_log = true;
    return count - 1;
}

int event_follower_next(struct event_follower *follower, struct event *events, uint32_t max, struct error *error)
{
    int count = 0;
    follower->skipped = false;
    if (follower->ring && !follower->from_log)
        count = next_from_ring(follower, events, max);
    /* Overrun before the first: what is wanted is in the log, now. */
    if (count == 0 && (follower->from_log || !follower->ring))
        count = next_from_log(follower, events, max, error);
    return hold_back_half(follower, events, count, max);
}

uint64_t event_follower_logged(const struct event_follower *follower)
{
    return follower->ring ? logged_below(follower->ring) : 0;
}

uint64_t event_follower_lag(const struct event_follower *follower)
{
    if (!follower->ring)
        return 0;
    uint64_t cursor = atomic_load_explicit(&follower->ring->file->producer.cursor, memory_order_relaxed);
    return cursor > follower->next ? cursor - follower->next : 0;
}

void event_follower_close(struct event_follower *follower)
{
    if (!follower)
        return;
    eventlog_reader_close(follower->log);
    *follower = (struct event_follower){0};
}
