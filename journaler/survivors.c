#include "survivors.h"

#include "base/units.h"
#include "eventlog/eventlog.h"
#include "record/command.h"
#include "ring/ring.h"
#include "topology/topology.h"

#include <string.h>
#include <time.h>

#define JOIN_TRIES 200 /* of a millisecond: more than RUN_SURVIVORS_NS */

int survivors_join(struct run *run, struct error *error)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS};
    int result = run_join_or_lock(run, error);
    for (int tries = 0; result == ERROR_NOT_YET && tries < JOIN_TRIES; tries++) {
        nanosleep(&pause, NULL);
        result = run_join_or_lock(run, error);
    }
    return result;
}

int survivors_refuse(uint64_t cursor, uint64_t next, const char *directory, enum config_durability durability,
                     struct error *error)
{
    const char *why =
        durability == DURABILITY_SYNC
            ? "the disk has lost what it said was written"
            : "journal.durability is not sync: writes behind the acknowledgements were lost (off), or the "
              "machine went down without its memory (write keeps what a killed process had written)";
    return error_set(
        error, ERROR_CORRUPT, directory,
        "ends before command %llu, but up to %llu were acknowledged in the run that survives: %s. To go on "
        "without them, end all stages first",
        (unsigned long long)next, (unsigned long long)(cursor - 1), why);
}

/* The command ring of a surviving run may not have been made yet. */
static int check_rings(const struct run *run, const struct config *config, uint64_t next, struct error *error)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters;
    struct ring ring = {0};
    run_ring_path(run, RING_NAME_COMMAND, path);
    run_ring_parameters(run, RING_NAME_COMMAND, &parameters);
    parameters.record_hash = command_layout_hash();
    int result = ring_attach(&ring, path, false, &parameters, error);
    if (result < 0)
        return result == ERROR_NOT_YET ? 0 : result;
    uint64_t cursor = 0;
    for (uint32_t line = 0; line < ring.file->header.gating_count; line++)
        if (strcmp(ring.file->consumers[line].name, LINE_JOURNALER) == 0)
            cursor = atomic_load_explicit(&ring.file->consumers[line].cursor, memory_order_acquire);
    ring_detach(&ring);
    return cursor > next ? survivors_refuse(cursor, next, config->journal_directory, config->journal_durability, error)
                         : 0;
}

/*
 * In sync an event exists only if its cause is on the medium. So a log that knows of a later command than the journal
 * has is the last witness of what a disk has lost, when the rings are gone too.
 */
static int check_event_log(const struct config *config, const struct journal_end *end, struct error *error)
{
    uint64_t next = end->position.command_seq_next;
    uint64_t event_seq = 0;
    uint64_t synced = end->last.events_synced != 0 ? end->last.events_synced : 1;
    if (config->journal_durability != DURABILITY_SYNC)
        return 0;
    int result = eventlog_beyond(config->events_directory, next - 1, synced, &event_seq, error);
    if (result <= 0)
        return result;
    return error_set(
        error, ERROR_CORRUPT, config->journal_directory,
        "ends before command %llu, but the event log holds event %llu of that one or a later: the disk has lost what "
        "it said was written (or journal.durability was not sync then). To go on without, move the event log away",
        (unsigned long long)next, (unsigned long long)event_seq);
}

int survivors_check(const struct run *run, bool joined, const struct config *config, const struct journal_end *end,
                    struct error *error)
{
    int result = joined ? check_rings(run, config, end->position.command_seq_next, error) : 0;
    return result < 0 ? result : check_event_log(config, end, error);
}
