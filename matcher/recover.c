#include "recover.h"

#include "base/units.h"
#include "log/log.h"
#include "restore.h"

#include <stdio.h>

#define STUCK_NS (10u * (uint64_t)NS_PER_SECOND)
#define TELL_NS  ((uint64_t)NS_PER_SECOND)

_Static_assert((RECOVER_EVENTS & (RECOVER_EVENTS - 1)) == 0, "events are in a ring of their own");
_Static_assert((RECOVER_BATCH_COMMANDS & (RECOVER_BATCH_COMMANDS - 1)) == 0, "and so are commands");

/* Deals with the events of the last step. true: all of them. false: the ring is full. */
static bool events_pass(struct recovery *recovery)
{
    uint64_t end = engine_event_seq_next(recovery->engine);
    for (; recovery->event_next < end; recovery->event_next++, recovery->progress_count++) {
        struct event *event = &recovery->events[recovery->event_next & (RECOVER_EVENTS - 1)];
        if (recovery->event_next >= recovery->producer->next) {
            REQUIRE(recovery->event_next == recovery->producer->next);
            if (!ring_put(recovery->producer, event))
                return false;
            recovery->published_count++;
        }
        checkpoints_note(&recovery->checkpoints, event);
    }
    return true;
}

static bool done(const struct recovery *recovery)
{
    return !engine_more(recovery->engine) && engine_command_seq_next(recovery->engine) >= recovery->consumer->next &&
           engine_event_seq_next(recovery->engine) >= recovery->producer->next;
}

static bool all_applied(const struct recovery *recovery)
{
    return !engine_more(recovery->engine) && engine_command_seq_next(recovery->engine) >= recovery->commands_end;
}

/* Applies what has been read, as far as the event ring takes what comes of it. Returns how many commands. */
static int commands_apply(struct recovery *recovery, struct error *error)
{
    const struct engine_output output = {.events = recovery->events, .mask = RECOVER_EVENTS - 1};
    const struct engine_input input = {
        .commands = recovery->commands, .mask = RECOVER_BATCH_COMMANDS - 1, .end = recovery->commands_end};
    int applied = 0;
    while (events_pass(recovery) && !all_applied(recovery) && !done(recovery)) {
        if (engine_more(recovery->engine)) {
            engine_continue(recovery->engine, &output);
            continue;
        }
        uint64_t events;
        int count =
            engine_apply_batch(recovery->engine, &input, RECOVER_BATCH_COMMANDS, &output, RECOVER_EVENTS, &events);
        if (count < 0)
            return error_set(error, ERROR_CORRUPT, recovery->directory, "command %llu is not where it is due",
                             (unsigned long long)engine_command_seq_next(recovery->engine));
        applied += count;
    }
    ring_flush(recovery->producer);
    recovery->replayed_count += (uint64_t)applied;
    recovery->progress_count += (uint64_t)applied;
    return applied;
}

/* What the journaler says is durable; 0: whatever is there. */
static uint64_t durable_end(const struct recovery *recovery)
{
    if (!recovery->durable)
        return 0;
    return atomic_load_explicit(recovery->consumer->barriers[0], memory_order_acquire);
}

/* The journal has no more, and the engine is not where the rings say that it has been. */
static int journal_short(struct recovery *recovery, uint64_t now_ns, struct error *error)
{
    if (recovery->stuck_since_ns == 0)
        recovery->stuck_since_ns = now_ns;
    bool waits = !recovery->durable && now_ns - recovery->stuck_since_ns < STUCK_NS;
    if (waits)
        return 0; /* with durability off it is written later than told */
    return error_set(error, ERROR_CORRUPT, recovery->directory,
                     "the journal ends before command %llu, and gives %llu events; but the matcher has been at command "
                     "%llu, and the event ring holds events up to %llu%s",
                     (unsigned long long)engine_command_seq_next(recovery->engine),
                     (unsigned long long)engine_event_seq_next(recovery->engine) - 1,
                     (unsigned long long)recovery->consumer->next, (unsigned long long)recovery->producer->next - 1,
                     recovery->durable ? ""
                                       : ": with journal.durability off, a killed matcher cannot always come back");
}

/* Snapshots are for the build and the engine.levels_max that made them; the journal is for every build. */
static int beginning_is_gone(const struct recovery *recovery, struct error *error)
{
    return error_set(
        error, ERROR_INVALID, recovery->directory,
        "the journal was trimmed, its beginning is not there any more, and no snapshot serves (the lines "
        "above say why): start the version, with the engine.levels_max, that made them, or put the trimmed "
        "segments back from the archive");
}

/* Commands read, 0: none now, or negative. */
static int commands_read(struct recovery *recovery, uint64_t now_ns, struct error *error)
{
    uint64_t end = durable_end(recovery);
    uint64_t wanted = engine_command_seq_next(recovery->engine);
    if (end != 0 && wanted >= end)
        return journal_short(recovery, now_ns, error);
    if (!recovery->reader) {
        int result = journal_reader_open(&recovery->reader, recovery->directory, wanted, error);
        if (result == ERROR_INVALID && recovery->snapshot_seq == 0)
            return beginning_is_gone(recovery, error);
        if (result < 0)
            return result == ERROR_NOT_YET ? journal_short(recovery, now_ns, error) : result;
    }
    uint32_t place = (uint32_t)(wanted % RECOVER_BATCH_COMMANDS);
    int count =
        journal_reader_next(recovery->reader, &recovery->commands[place], RECOVER_BATCH_COMMANDS - place, end, error);
    if (count < 0)
        return count;
    if (count == 0)
        return journal_short(recovery, now_ns, error);
    recovery->stuck_since_ns = 0;
    recovery->commands_end = wanted + (uint64_t)count;
    recovery->progress_count += (uint64_t)count;
    return count;
}

/* ---- beginning ----------------------------------------------------------------------------------------------------
 */

static int begin(struct recovery *recovery, struct error *error)
{
    struct snapshot_header header;
    uint64_t end = durable_end(recovery);
    const struct restore_bounds bounds = {.journal_directory = recovery->directory,
                                          .command_seq_end = end > 0 ? end : UINT64_MAX,
                                          .event_seq_end = recovery->producer->next};
    int result = restore_books(recovery->books, &header, recovery->snapshots_directory, &bounds, error);
    if (result < 0)
        return result;
    if (result > 0) {
        recovery->snapshot_seq = header.command_seq_next;
        log_info("beginning with the snapshot of the books before command %llu: %llu live orders",
                 (unsigned long long)header.command_seq_next, (unsigned long long)header.live_order_count);
    }
    recovery->engine = recovery->books->engine;
    recovery->event_next = engine_event_seq_next(recovery->engine);
    checkpoints_begin(&recovery->checkpoints, engine_command_seq_next(recovery->engine));
    return 0;
}

/* Whoever waits sees how far it is. */
static void tell(struct recovery *recovery, uint64_t now_ns)
{
    if (recovery->told_next_ns == 0)
        recovery->told_next_ns = now_ns + TELL_NS;
    if (now_ns < recovery->told_next_ns)
        return;
    recovery->told_next_ns = now_ns + TELL_NS;
    log_info("replaying the journal: at command %llu of %llu",
             (unsigned long long)engine_command_seq_next(recovery->engine) - 1,
             (unsigned long long)(recovery->durable ? durable_end(recovery) : recovery->consumer->next) - 1);
}

int recover_poll(struct recovery *recovery, uint64_t now_ns, struct error *error)
{
    int result = recovery->engine ? 0 : begin(recovery, error);
    if (result == 0)
        result = commands_apply(recovery, error);
    if (result < 0)
        return result;
    tell(recovery, now_ns);
    if (recovery->event_next != engine_event_seq_next(recovery->engine))
        return 0; /* the event ring is full */
    bool applied = all_applied(recovery);
    if (applied && recovery->reader)
        result = checkpoints_compare(&recovery->checkpoints, recovery->reader,
                                     engine_command_seq_next(recovery->engine), recovery->directory, error);
    recovery->hash_differs = result < 0;
    if (result < 0)
        return result;
    if (done(recovery))
        return 1;
    if (applied)
        result = commands_read(recovery, now_ns, error);
    return result < 0 ? result : 0;
}

void recover_finish(struct recovery *recovery)
{
    journal_reader_close(recovery->reader);
    recovery->reader = NULL;
}
