/* Beginning with a snapshot: the newest that is good and not too new; a bad one falls back to the one before. */
#ifndef RINGSIDE_MATCHER_RESTORE_H
#define RINGSIDE_MATCHER_RESTORE_H

#include "books.h"
#include "snapshot_layout.h"

#include <stdint.h>

/* What a snapshot may know of. */
struct restore_bounds {
    const char *journal_directory;
    uint64_t command_seq_end; /* commands from here on are not known to be in the journal; a snapshot of them refuses */
    uint64_t event_seq_end;   /* events from here on are still to be published; a snapshot behind them is passed over */
};

/*
 * Fills empty books. 1: *ret tells from where they go on; 0: there is no snapshot that can be used, the books are
 * empty. Each one passed over is logged with its reason. ERROR_CORRUPT: a snapshot knows of a command that the journal
 * does not hold, so the journal has lost what was durable.
 */
int restore_books(struct books *books, struct snapshot_header *ret, const char *directory,
                  const struct restore_bounds *bounds, struct error *error);

#endif
