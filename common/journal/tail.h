/*
 * Where a journal ends. Rule 4 of journal_layout.h: what does not check at the end is a torn tail, unless something
 * further on proves that it was acknowledged.
 */
#ifndef RINGSIDE_JOURNAL_TAIL_H
#define RINGSIDE_JOURNAL_TAIL_H

#include "journal/journal_layout.h"
#include "journal/journal_read.h"

#include <stdbool.h>

struct journal_proof {
    uint64_t offset;   /* of a whole batch header that says so; 0: none */
    uint64_t used_end; /* end of what was written behind the place (as far as can be told from what an older segment
                          left there); the place itself: nothing */
};

/*
 * Looks through the open segment from block `offset` on for a whole batch header that tells of anything at or beyond
 * `offset` having been durable.
 */
int journal_proof_search(int file, const struct journal_segment_header *segment, uint64_t offset,
                         struct journal_proof *ret, struct error *error);

/*
 * Looks at a segment that has no whole header, as that of `instance` (NULL: of any). Returns the bytes of it that are
 * in use, or ERROR_CORRUPT if it had begun for sure. *ret_begun: it has a whole header by now, so a journaler is at
 * work and the question is to be asked anew.
 */
int64_t journal_unbegun_bytes(const char *directory, uint32_t number, const uint8_t instance[16], bool *ret_begun,
                              struct error *error);

struct journal_end {
    struct journal_position position;
    struct journal_segment_header segment; /* of the last segment; magic 0: there is none */
    struct journal_batch_header last;      /* last whole batch of that segment; magic 0: there is none */
    uint32_t number_highest;               /* of any file of the journal, begun or not; 0: none */
    uint32_t epoch_first_segment; /* the oldest segment of the last epoch: from here on nothing may be synced yet */
};

/* Reads the last segment to its end, verifying. An empty or absent directory is an empty journal. */
int journal_end_find(struct journal_end *ret, const char *directory, struct error *error);

#endif
