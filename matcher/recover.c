#include "recover.h"

#include "base/units.h"

#define STUCK_NS (10u * (uint64_t)NS_PER_SECOND)

_Static_assert((ENGINE_EVENTS_MAX & (ENGINE_EVENTS_MAX - 1)) == 0, "the events of a step are a ring of their own");

/* Deals with the events of the last step. true: all of them. false: the ring is full. */
static bool events_pass(struct recovery *recovery)
{
    uint64_t end = engine_event_seq_next(recovery->engine);
    for (; recovery->event_next < end; recovery->event_next++, recovery->progress_count++) {
        if (recovery->event_next < recovery->producer->next)
            continue;
        REQUIRE(recovery->event_next == recovery->producer->next);
        struct event *event = &recovery->events[recovery->event_next & (ENGINE_EVENTS_MAX - 1)];
        if (!ring_put(recovery->producer, event))
            return false;
        recovery->published_count++;
    }
    return true;
}

static bool done(const struct recovery *recovery)
{
    return !engine_more(recovery->engine) && engine_command_seq_next(recovery->engine) >= recovery->consumer->next &&
           engine_event_seq_next(recovery->engine) >= recovery->producer->next;
}

static int misplaced(const struct recovery *recovery, const struct command *command, struct error *error)
{
    return error_set(error, ERROR_CORRUPT, recovery->directory, "command %llu where %llu is due",
                     (unsigned long long)command->command_seq,
                     (unsigned long long)engine_command_seq_next(recovery->engine));
}

/* Applies what has been read, as far as the event ring takes what comes of it. Returns how many commands. */
static int commands_apply(struct recovery *recovery, struct error *error)
{
    const struct engine_output output = {.events = recovery->events, .mask = ENGINE_EVENTS_MAX - 1};
    int applied = 0;
    while (events_pass(recovery)) {
        if (engine_more(recovery->engine)) {
            engine_continue(recovery->engine, &output);
            continue;
        }
        if (recovery->command_at == recovery->command_count || done(recovery))
            break;
        const struct command *command = &recovery->commands[recovery->command_at++];
        if (engine_apply(recovery->engine, command, &output) < 0)
            return misplaced(recovery, command, error);
        applied++;
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

/* Commands read, 0: none now, or negative. */
static int commands_read(struct recovery *recovery, uint64_t now_ns, struct error *error)
{
    uint64_t end = durable_end(recovery);
    uint64_t wanted = engine_command_seq_next(recovery->engine);
    if (end != 0 && wanted >= end)
        return journal_short(recovery, now_ns, error);
    if (!recovery->reader) {
        int result = journal_reader_open(&recovery->reader, recovery->directory, wanted, error);
        if (result < 0)
            return result == ERROR_NOT_YET ? journal_short(recovery, now_ns, error) : result;
    }
    int count = journal_reader_next(recovery->reader, recovery->commands, RECOVER_BATCH_COMMANDS, end, error);
    if (count < 0)
        return count;
    if (count == 0)
        return journal_short(recovery, now_ns, error);
    recovery->stuck_since_ns = 0;
    recovery->command_at = 0;
    recovery->command_count = (uint32_t)count;
    recovery->progress_count += (uint64_t)count;
    return count;
}

int recover_poll(struct recovery *recovery, uint64_t now_ns, struct error *error)
{
    if (recovery->event_next == 0)
        recovery->event_next = engine_event_seq_next(recovery->engine);
    int result = commands_apply(recovery, error);
    if (result < 0)
        return result;
    if (recovery->event_next != engine_event_seq_next(recovery->engine))
        return 0; /* the event ring is full */
    if (done(recovery))
        return 1;
    if (recovery->command_at < recovery->command_count)
        return 0;
    result = commands_read(recovery, now_ns, error);
    return result < 0 ? result : 0;
}

void recover_finish(struct recovery *recovery)
{
    journal_reader_close(recovery->reader);
    recovery->reader = NULL;
}
