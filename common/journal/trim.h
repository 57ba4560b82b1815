/*
 * Taking away the oldest segments of a journal.
 *
 * Rules
 *   1. A segment may go if all of its commands are before the first that is needed, and the segment after it has begun
 *      and begins before that one: so never the last segment, which is being written, and never the one at whose end
 *      stands a reader that has read all but what is needed. It finds its way on by the number of the next segment,
 *      and behind it may be some without commands (of a journaler that was started and asked for nothing).
 *   2. Before anything goes, the segment that is kept first is synced, and its name: it then is what the journal begins
 *      with, whatever happens.
 *   3. The oldest goes first, one by one, and the directory is synced after each: what is left has no gap at any time.
 *
 * Nobody needs to be told: the journaler opens no older segment while it runs, and readers keep what they have open:
 * a file goes when they close it, and one that is kept as a spare (spares.h) is not used anew before.
 */
#ifndef RINGSIDE_JOURNAL_TRIM_H
#define RINGSIDE_JOURNAL_TRIM_H

#include "base/error.h"
#include "journal/survey.h"

struct journal_trim {
    const char *directory;
    const char *archive;     /* where to move them; NULL: they are removed */
    uint64_t needed_seq;     /* the first command that is needed */
    uint64_t recycled_bytes; /* files of this size are kept as spares, as far as more are of use; 0: none */
    bool dry_run;            /* only tells */
    void (*tell)(void *argument, const struct journal_segment_info *gone); /* after each; NULL: nobody */
    void *argument;

    uint32_t count; /* what went */
    uint64_t bytes;
    uint32_t recycled_count; /* of it, kept as spares */
};

int journal_trim(struct journal_trim *trim, struct error *error);

#endif
