/*
 * The snapshotter: follows the journal with an engine of its own, beside the exchange, and writes a snapshot of it
 * every so many commands. So a matcher that starts again has little to replay.
 *
 *   newest snapshot --(at start)--+
 *   journal ----------------------+--> engine --> snapshot-NNN.image
 *      behind the journaler's cursor
 *
 * Rules
 *   1. It reads no further than the journaler's cursor on the command ring; with no run, than what the journal's last
 *      batch says was on the medium. With journal.durability off the cursor proves nothing: it reads no further than
 *      the cursor of a second ago, and waits where even that is not in the journal yet.
 *   2. A snapshot gets its name when a batch of the journal says that all of its commands, and the events that they
 *      gave, are on the medium.
 *   3. The disk is given a part at a time, with pauses, so that the journal's writes do not wait long behind it.
 *   4. Following, it goes on where there is no space for a snapshot: it logs that, and tries when the next is due.
 *   5. It holds nobody: the ring is mapped for reading, no cursor is its own. It may be killed at any time.
 *
 * It touches the snapshots' directory, the journal (reading) and the command ring (reading).
 */
#ifndef RINGSIDE_MATCHER_SNAPSHOTTER_H
#define RINGSIDE_MATCHER_SNAPSHOTTER_H

#include "base/error.h"
#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

struct snapshotter;

struct snapshotter_status {
    uint64_t command_seq_next; /* of its engine */
    uint64_t command_seq_end;  /* commands below can be read */
    uint64_t live_order_count;
    uint64_t published_seq;   /* command_seq_next of the newest snapshot; 0: none */
    uint64_t published_count; /* by this process */
    uint64_t published_bytes; /* of the last one */
    bool idle;                /* everything there is has been read, nothing is being written */
};

/*
 * ERROR_NOT_YET: there is no journal yet. ERROR_CORRUPT and ERROR_MISMATCH as restore_books and the journal's reader
 * say. With `follow` a snapshot every snapshots.every_commands; else one, of what there is now.
 */
int snapshotter_open(struct snapshotter **ret, const struct config *config, bool follow, struct error *error);

/* One batch. Commands read and parts written, 0: nothing to do now; negative: it cannot go on. */
int snapshotter_poll(struct snapshotter *snapshotter, uint64_t now_ns, struct error *error);

void snapshotter_status(const struct snapshotter *snapshotter, struct snapshotter_status *ret);

void snapshotter_close(struct snapshotter *snapshotter);

#endif
