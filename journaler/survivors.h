/*
 * What else knows where the journal ends, asked before anything is changed on disk: the rings of a run that survives,
 * and the event log. A journal that ends before what they know has lost what was acknowledged.
 */
#ifndef RINGSIDE_JOURNALER_SURVIVORS_H
#define RINGSIDE_JOURNALER_SURVIVORS_H

#include "base/error.h"
#include "config/config.h"
#include "journal/tail.h"
#include "run/run.h"

/* run_join_or_lock, tried again for a while: a stage that looks at the run file holds its lock for an instant. */
int survivors_join(struct run *run, struct error *error);

/* 0, or ERROR_CORRUPT. `joined`: the run survives (what survivors_join returned). */
int survivors_check(const struct run *run, bool joined, const struct config *config, const struct journal_end *end,
                    struct error *error);

/* ERROR_CORRUPT: the cursor of the command ring is beyond the journal's end. */
int survivors_refuse(uint64_t cursor, uint64_t next, const char *directory, enum config_durability durability,
                     struct error *error);

#endif
