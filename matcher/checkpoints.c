#include "checkpoints.h"

typedef unsigned long long ull;

void checkpoints_begin(struct checkpoints *checkpoints, uint64_t from_seq)
{
    *checkpoints = (struct checkpoints){.from_seq = from_seq};
}

static const struct event_checkpoint *find(const struct checkpoints *checkpoints, uint64_t command_seq)
{
    uint64_t kept = checkpoints->count < CHECKPOINTS_KEPT ? checkpoints->count : CHECKPOINTS_KEPT;
    for (uint64_t i = 1; i <= kept; i++) {
        const struct event_checkpoint *checkpoint = &checkpoints->kept[(checkpoints->count - i) % CHECKPOINTS_KEPT];
        if (checkpoint->command_seq == command_seq)
            return checkpoint;
    }
    return NULL;
}

int checkpoints_compare(struct checkpoints *checkpoints, const struct journal_reader *reader, uint64_t next_seq,
                        const char *directory, struct error *error)
{
    struct journal_witness live;
    journal_reader_witness(reader, &live);
    uint64_t command_seq = live.checkpoint_command_seq;
    if (command_seq < checkpoints->from_seq || command_seq <= checkpoints->checked_seq)
        return 0;
    const struct event_checkpoint *replayed = find(checkpoints, command_seq);
    if (!replayed && command_seq >= next_seq) /* durability off: a batch may name a checkpoint that lies in itself */
        return 0;
    if (!replayed)
        return error_set(error, ERROR_CORRUPT, directory,
                         "the journal has a checkpoint at command %llu, the replay made none there", (ull)command_seq);
    bool events_differ = replayed->event_hash != live.checkpoint_event_hash;
    bool state_differs = live.checkpoint_state_hash != 0 && replayed->state_hash != live.checkpoint_state_hash;
    if (events_differ || state_differs)
        return error_set(error, ERROR_CORRUPT, directory,
                         "the replay parts from what was live between commands %llu and %llu: %s hash %016llx, live it "
                         "was %016llx",
                         (ull)(checkpoints->checked_seq > 0 ? checkpoints->checked_seq : checkpoints->from_seq),
                         (ull)command_seq, events_differ ? "event" : "state",
                         (ull)(events_differ ? replayed->event_hash : replayed->state_hash),
                         (ull)(events_differ ? live.checkpoint_event_hash : live.checkpoint_state_hash));
    checkpoints->checked_seq = command_seq;
    checkpoints->checked_count++;
    return 0;
}
