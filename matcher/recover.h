/*
 * Making the books again from the newest snapshot and the journal, a batch a poll.
 *
 * The engine is given the commands of the journal from the snapshot on, or from the first. An event whose number is
 * below the event ring's next is out already and is dropped; the others are published. It is done when the commands
 * before the matcher's cursor are applied and all the events that are out have been seen: a crash may have come between
 * two events of one command, or between publishing and releasing. What the replay gives must be what was live.
 */
#ifndef RINGSIDE_MATCHER_RECOVER_H
#define RINGSIDE_MATCHER_RECOVER_H

#include "base/error.h"
#include "books.h"
#include "checkpoints.h"
#include "journal/journal_read.h"
#include "ring/ring.h"
#include "ringside_engine.h"

#include <stdbool.h>
#include <stdint.h>

#define RECOVER_BATCH_COMMANDS 1024u /* powers of two */
#define RECOVER_EVENTS         1024u

struct recovery {
    struct books *books;   /* empty at first */
    struct engine *engine; /* that of the books, once they are restored */
    struct ring_producer *producer;
    const struct ring_consumer *consumer; /* its `next` is the cursor that was found */
    const char *directory;                /* of the journal */
    const char *snapshots_directory;
    bool durable; /* the journaler's cursor tells what the journal holds */
    struct journal_reader *reader;
    struct checkpoints checkpoints;
    bool hash_differs;     /* the replay parts from what was live: why recover_poll failed */
    uint64_t snapshot_seq; /* command_seq_next of the snapshot begun with; 0: none */
    uint64_t told_next_ns; /* when to say again how far it is */
    uint64_t replayed_count;
    uint64_t published_count;
    uint64_t progress_count; /* commands read, commands applied, events dealt with */
    uint64_t commands_end;   /* commands below have been read, command n into commands[n % RECOVER_BATCH_COMMANDS] */
    uint64_t event_next;     /* number of the first event in `events` that is not dealt with yet */
    uint64_t stuck_since_ns;
    struct command commands[RECOVER_BATCH_COMMANDS];
    struct event events[RECOVER_EVENTS];
};

/* One batch. 1: done, and the consumer goes on at engine_command_seq_next. 0: not yet. Negative: it cannot be. */
int recover_poll(struct recovery *recovery, uint64_t now_ns, struct error *error);

void recover_finish(struct recovery *recovery);

#endif
