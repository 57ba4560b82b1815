/*
 * An engine in memory of its own, as large as the configuration says; empty, or from a snapshot. The matcher has one,
 * and so has whoever replays the journal beside it.
 */
#ifndef RINGSIDE_MATCHER_BOOKS_H
#define RINGSIDE_MATCHER_BOOKS_H

#include "config/config.h"
#include "memory.h"
#include "ringside_engine.h"

struct books {
    struct engine_limits limits;
    struct memory memory;
    struct engine *engine; /* lies in memory */
};

/* ERROR_INVALID names the rule that a limit of [engine] breaks; ERROR_FULL: not so much memory. */
int books_open(struct books *books, const struct config *config, struct error *error);

/* Empty again, in new memory: after a snapshot that was begun with and cannot be used. */
int books_empty(struct books *books, struct error *error);

void books_close(struct books *books);

#endif
