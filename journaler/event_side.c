#include "event_side.h"

#include "base/units.h"
#include "env/clock.h"
#include "log/log.h"

#include <string.h>

#define SYNC_INTERVAL_NS ((uint64_t)NS_PER_SECOND)
#define LOOK_INTERVAL_NS (200 * (uint64_t)NS_PER_US)
#define RETRY_NS         ((uint64_t)NS_PER_SECOND)

int event_side_open(struct event_side *side, const char *directory, uint64_t last_command_seq, uint64_t synced,
                    uint64_t *ret_next, struct error *error)
{
    return eventlog_writer_open_from(&side->writer, directory, last_command_seq, synced, ret_next, error);
}

/*
 * The log may be ahead of the cursor (it was appended, not released), never behind. It may even be ahead of the ring,
 * if the matcher ended while it put events there again: then ERROR_NOT_YET, until the next one has.
 */
static int find_place(struct event_side *side, struct error *error)
{
    uint64_t next = eventlog_writer_next(side->writer);
    if (side->consumer.next > next)
        return error_set(
            error, ERROR_CORRUPT, RING_NAME_EVENT,
            "the event log ends before event %llu, but the ring holds nothing before %llu; end all stages, "
            "so that a new run makes the events again",
            (unsigned long long)next, (unsigned long long)side->consumer.next);
    while (side->consumer.next < next)
        if (!ring_next(&side->consumer)) {
            if (!side->is_wait_told)
                log_info("the event log holds event %llu, which is not in its ring now: waiting for the matcher",
                         (unsigned long long)(next - 1));
            side->is_wait_told = true;
            return ERROR_NOT_YET;
        }
    ring_release(&side->consumer, next);
    return 0;
}

int event_side_attach(struct event_side *side, uint32_t doorbell, struct error *error)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters;
    run_ring_path(side->run, RING_NAME_EVENT, path);
    run_ring_parameters(side->run, RING_NAME_EVENT, &parameters);
    parameters.record_hash = event_layout_hash();
    int result = ring_attach(&side->ring, path, true, &parameters, error);
    if (result == ERROR_NOT_YET)
        return 0;
    if (result == 0)
        result = ring_consumer_open(&side->consumer, &side->ring, LINE_EVENT_LOG, doorbell, error);
    if (result == 0)
        result = find_place(side, error);
    side->attached = result == 0;
    if (result == ERROR_NOT_YET) {
        ring_detach(&side->ring);
        return 0;
    }
    return result;
}

static void note_checkpoint(struct event_side *side, const struct event *event)
{
    side->checkpoint = (struct journal_checkpoint){
        .command_seq = event->checkpoint.command_seq,
        .event_hash = event->checkpoint.event_hash,
        .state_hash = event->checkpoint.state_hash,
    };
}

/* What could not be written is taken from the ring again. */
static int wait_for_space(struct event_side *side, uint64_t now_ns, const struct error *error)
{
    if (!side->no_space)
        log_error(error, "no space for the event log: events wait in their ring");
    side->no_space = true;
    side->try_ns = now_ns + RETRY_NS;
    side->consumer.next = eventlog_writer_next(side->writer);
    return 0;
}

int event_side_turn(struct event_side *side, uint64_t now_ns, struct error *error)
{
    const struct event *events[EVENT_SIDE_TURN];
    uint32_t count = 0;
    if (!side->attached || now_ns < side->try_ns)
        return 0;
    if (now_ns < side->look_next_ns)
        return 1; /* there may be some: no time to sleep */
    while (count < EVENT_SIDE_TURN && (events[count] = ring_next(&side->consumer)) != NULL) {
        if (UNLIKELY(events[count]->kind == EVENT_CHECKPOINT))
            note_checkpoint(side, events[count]);
        count++;
    }
    if (count == 0)
        return 0;
    side->look_next_ns = count < EVENT_SIDE_TURN ? now_ns + LOOK_INTERVAL_NS : 0;
    struct error full = {0};
    uint64_t first = eventlog_writer_next(side->writer);
    int result = eventlog_writer_append(side->writer, events, count, &full);
    count = (uint32_t)(eventlog_writer_next(side->writer) - first); /* on a full disk fewer than there were */
    if (result == ERROR_FULL)
        result = wait_for_space(side, now_ns, &full);
    else
        side->no_space = false;
    if (result < 0) {
        if (error)
            *error = full;
        return result;
    }
    ring_release(&side->consumer, side->consumer.next);
    if (side->values && count > 0) {
        metrics_add(&side->values->events, count);
        metrics_record(&side->values->events_batch, count);
    }
    return (int)count;
}

static int write_out(struct event_side *side, struct error *error)
{
    struct eventlog_range range;
    if (side->write_out_in_flight || !eventlog_writer_take_written(side->writer, &range))
        return 0;
    const struct disk_request request = {.action = DISK_WRITE_OUT,
                                         .file = range.file,
                                         .offset = range.offset,
                                         .bytes = range.bytes,
                                         .tag = side->tag + 1};
    side->write_out_in_flight = true;
    return disk()->queue_submit(side->queue, &request, 1, error);
}

static int sync_when_due(struct event_side *side, uint64_t now_ns, struct error *error)
{
    int files[2];
    if (side->syncs_in_flight > 0 || now_ns < side->sync_next_ns)
        return 0;
    int result = eventlog_writer_sync_begin(side->writer, files, error);
    if (result <= 0)
        return result;
    const struct disk_request requests[2] = {
        {.action = DISK_SYNC, .file = files[0], .tag = side->tag},
        {.action = DISK_SYNC, .file = files[1], .tag = side->tag},
    };
    side->sync_next_ns = now_ns + SYNC_INTERVAL_NS;
    side->syncs_in_flight = 2;
    side->sync_began_ns = side->values ? clock_monotonic_ns() : 0;
    return disk()->queue_submit(side->queue, requests, 2, error);
}

int event_side_sync(struct event_side *side, uint64_t now_ns, struct error *error)
{
    int result = write_out(side, error);
    return result < 0 ? result : sync_when_due(side, now_ns, error);
}

int event_side_complete(struct event_side *side, const struct disk_completion *completion, struct error *error)
{
    if (completion->tag == side->tag + 1) {
        side->write_out_in_flight = false; /* the sync that follows tells what went wrong */
        return 0;
    }
    REQUIRE(side->syncs_in_flight > 0);
    if (completion->result < 0)
        return error_set(error, ERROR_IO, "event log", "cannot sync: %s", strerrordesc_np((int)-completion->result));
    side->syncs_in_flight--;
    if (side->syncs_in_flight > 0)
        return 0;
    eventlog_writer_sync_done(side->writer);
    if (side->values)
        metrics_record(&side->values->events_sync_ns, clock_monotonic_ns() - side->sync_began_ns);
    if (eventlog_writer_files_behind(side->writer) > 0) /* at full speed a second fills several */
        side->sync_next_ns = 0;
    return 0;
}

void event_side_close(struct event_side *side)
{
    ring_detach(&side->ring);
    eventlog_writer_close(side->writer);
    side->writer = NULL;
    side->attached = false;
}
