/*
 * Files of trimmed segments, kept to be used anew: `spare-0.seg` to `spare-3.seg` beside the journal. A block that was
 * written before needs no change of the file system's own books, so a durable write of it costs one write, as with
 * zeros written ahead but without their cost.
 *
 *   journal-4.seg --trim--> spare-0.seg --journaler--> journal-9.seg, whose header and first batch then begin it
 *
 * Rules
 *   1. The contents stay as they are; what is stale in them shows by its segment's number (journal_layout.h, rule 7).
 *   2. A reader that still has the old segment open holds it (disk.h). A file that is held is not taken.
 *   3. A taken file has its new name before anything is written to it. So who opens the journal after a kill removes
 *      it, and a write of the dead process that lands late lands in no file that is in use.
 *   4. One process puts (trim), one takes (the journaler). Neither waits for the other.
 */
#ifndef RINGSIDE_JOURNAL_SPARES_H
#define RINGSIDE_JOURNAL_SPARES_H

#include "base/error.h"
#include "env/disk.h"

#include <stdbool.h>
#include <stdint.h>

#define JOURNAL_SPARES_MAX 4

/* Keeps the file as a spare. 1: done. 0: there are enough of them; it stays as it is. */
int journal_spare_put(const char *directory, const char *path, struct error *error);

/*
 * Takes a spare of `bytes` bytes and gives it the name `to_path`; the directory is not synced yet. 1: *ret_file is open
 * for writing, with `flags` of disk.h. 0: there is none that can be taken now; one of another size is removed.
 */
int journal_spare_take(const char *directory, const char *to_path, uint64_t bytes, unsigned flags, int *ret_file,
                       struct error *error);

#endif
