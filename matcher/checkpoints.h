/*
 * What a replay gives against what the journal says it gave when it was live. The engine says its hashes every so many
 * commands, the journaler writes the newest into each batch (journal_layout.h): here the replayed ones are kept for a
 * while, until a batch names one of them.
 */
#ifndef RINGSIDE_MATCHER_CHECKPOINTS_H
#define RINGSIDE_MATCHER_CHECKPOINTS_H

#include "base/error.h"
#include "journal/journal_read.h"
#include "record/event.h"

#define CHECKPOINTS_KEPT 64u /* a batch names one that is not much older than itself */

struct checkpoints {
    uint64_t from_seq; /* the replay's first command: what was before it is not known */
    uint64_t count;    /* noted */
    uint64_t checked_count;
    uint64_t checked_seq; /* newest that was checked */
    struct event_checkpoint kept[CHECKPOINTS_KEPT];
};

void checkpoints_begin(struct checkpoints *checkpoints, uint64_t from_seq);

/* Each event of the replay; only CHECKPOINTs are looked at. */
static inline void checkpoints_note(struct checkpoints *checkpoints, const struct event *event)
{
    if (event->kind == EVENT_CHECKPOINT)
        checkpoints->kept[checkpoints->count++ % CHECKPOINTS_KEPT] = event->checkpoint;
}

/* Once all commands that the reader gave are replayed, up to next_seq. ERROR_CORRUPT says where the two part. */
int checkpoints_compare(struct checkpoints *checkpoints, const struct journal_reader *reader, uint64_t next_seq,
                        const char *directory, struct error *error);

#endif
