/* A stage's memory kept in memory: a page fault that waits for a disk takes longer than all the rest of an order. */
#ifndef RINGSIDE_STAGE_LOCK_MEMORY_H
#define RINGSIDE_STAGE_LOCK_MEMORY_H

#include "base/error.h"
#include "config/config.h"

#include <stdbool.h>

/*
 * Locks what is mapped and what will be, each page from when it is first touched. *ret_locked tells whether it did:
 * auto locks only where RLIMIT_MEMLOCK is infinity, since with any other limit a later mapping would fail. Negative if
 * it was told to and could not.
 */
int lock_memory(enum config_lock_memory wanted, bool *ret_locked, struct error *error);

#endif
