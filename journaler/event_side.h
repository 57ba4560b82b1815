/*
 * The journaler's second work: it takes the events from their ring into the event log, and holds the ring for it.
 *
 * Rules
 *   1. Released is what the log holds, readable by every process; it reaches the medium about a second later.
 *   2. No space for the log holds the event ring, with an alarm, and is tried again every second.
 *   3. The newest CHECKPOINT that passes goes into the journal's next batch.
 */
#ifndef RINGSIDE_JOURNALER_EVENT_SIDE_H
#define RINGSIDE_JOURNALER_EVENT_SIDE_H

#include "env/disk.h"
#include "eventlog/eventlog.h"
#include "journal/journal_layout.h"
#include "ring/ring.h"
#include "run/run.h"

#define EVENT_SIDE_TURN 512 /* events of one turn: a batch that waits meanwhile waits little */

struct event_side {
    struct run *run;
    struct disk_queue *queue;
    uint64_t tag; /* of its syncs in the queue */
    struct eventlog_writer *writer;
    struct ring ring;
    struct ring_consumer consumer;
    bool attached;
    bool no_space; /* the alarm is on */
    uint64_t try_ns;
    uint32_t syncs_in_flight;
    uint64_t sync_next_ns;
    struct journal_checkpoint checkpoint; /* newest; command_seq 0: none passed */
};

/* Opens the log. *ret_next: first event that it lacks. */
int event_side_open(struct event_side *side, const char *directory, uint64_t last_command_seq, uint64_t synced,
                    uint64_t *ret_next, struct error *error);

/* Attaches to the event ring if it is there. */
int event_side_attach(struct event_side *side, uint32_t doorbell, struct error *error);

/* Appends what is there, at most a turn, and releases it. Returns how many. */
int event_side_turn(struct event_side *side, uint64_t now_ns, struct error *error);

/* Begins a sync when one is due. */
int event_side_sync(struct event_side *side, uint64_t now_ns, struct error *error);

/* Takes a completion of its syncs. */
int event_side_complete(struct event_side *side, const struct disk_completion *completion, struct error *error);

void event_side_close(struct event_side *side);

#endif
