/*
 * Reading a file ahead of who goes through it: two threads read on in pieces of a MiB while the caller checks what has
 * come, so that going through a journal takes as long as the slower of the two and not as long as both.
 *
 *   disk --threads-> [piece][piece][piece][piece] --caller copies--> window
 *
 * Rules
 *   1. One file at a time, forward. A read that does not go on where the last one ended begins again there.
 *   2. What is given may be some pieces old: who reads a file that grows looks again without this.
 *   3. The file belongs to the caller, who calls journal_ahead_stop before closing it.
 *
 * For tools. The stages have no threads and read for themselves.
 */
#ifndef RINGSIDE_JOURNAL_AHEAD_H
#define RINGSIDE_JOURNAL_AHEAD_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct journal_ahead;

int journal_ahead_create(struct journal_ahead **ret_ahead, struct error *error);
void journal_ahead_destroy(struct journal_ahead *ahead); /* accepts NULL */

/* As the disk's read: up to `bytes`, less only at the end of the file. Offset and bytes are multiples of a block. */
int journal_ahead_read(struct journal_ahead *ahead, int file, uint64_t offset, void *to, size_t bytes,
                       size_t *ret_count, struct error *error);

/* Nothing is read from the file any more when this returns. Accepts NULL. */
void journal_ahead_stop(struct journal_ahead *ahead);

#endif
