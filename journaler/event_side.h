/*
 * The journaler's second work: it takes the events from their ring into the event log, and holds the ring for it.
 *
 * Rules
 *   1. Released is what the log holds, readable by every process; it reaches the medium about a second later, written
 *      piece by piece: all at once it would stand before the journal's batches, for 10 to 30 ms of each second.
 *   2. It looks for events every LOOK_INTERVAL while there are some, so that a system call serves many: nobody on an
 *      order's way waits for the log.
 *   3. No space for the log holds the event ring, with an alarm, and is tried again every second.
 *   4. The newest CHECKPOINT that passes goes into the journal's next batch.
 */
#ifndef RINGSIDE_JOURNALER_EVENT_SIDE_H
#define RINGSIDE_JOURNALER_EVENT_SIDE_H

#include "env/disk.h"
#include "eventlog/eventlog.h"
#include "journal/journal_layout.h"
#include "metrics/values.h"
#include "ring/ring.h"
#include "run/run.h"

#define EVENT_SIDE_TURN 512 /* events of one turn: a batch that waits meanwhile waits little */

struct event_side {
    struct run *run;
    struct disk_queue *queue;
    uint64_t tag; /* of its requests in the queue: this one of syncs, the next of pieces written out */
    struct eventlog_writer *writer;
    struct ring ring;
    struct ring_consumer consumer;
    bool attached;
    bool is_wait_told; /* that the ring does not have what the log ends with */
    bool no_space;     /* the alarm is on */
    uint64_t try_ns;
    uint64_t look_next_ns; /* not before, unless a whole turn was there */
    bool write_out_in_flight;
    uint32_t syncs_in_flight;
    uint64_t sync_next_ns;
    uint64_t sync_began_ns;               /* with metrics */
    struct journaler_values *values;      /* NULL: nothing is measured */
    struct journal_checkpoint checkpoint; /* newest; command_seq 0: none passed */
};

/* Opens the log. *ret_next: first event that it lacks. */
int event_side_open(struct event_side *side, const char *directory, uint64_t last_command_seq, uint64_t synced,
                    uint64_t *ret_next, struct error *error);

/* Attaches to the event ring if it is there. */
int event_side_attach(struct event_side *side, uint32_t doorbell, struct error *error);

/* Appends what is there, at most a turn, and releases it. Returns how many; 1 while it is too early to look again. */
int event_side_turn(struct event_side *side, uint64_t now_ns, struct error *error);

/* Begins to write what is much, and a sync when one is due. */
int event_side_sync(struct event_side *side, uint64_t now_ns, struct error *error);

/* Takes a completion of one of its requests. */
int event_side_complete(struct event_side *side, const struct disk_completion *completion, struct error *error);

void event_side_close(struct event_side *side);

#endif
