/*
 * Up to where the event log may be trimmed: the first event that anybody needs, and who needs it.
 *
 *   the day's sessions   a client may ask for any message of its day again: all from the day's beginning on
 *   the stores           what is not in PostgreSQL and Redis for good (eventlog/store_marks.h); but no more of it than
 *                        retention.retain_bytes_max: a store that is further behind must be rebuilt
 */
#ifndef RINGSIDE_CLI_JOURNAL_EVENTS_LIMIT_H
#define RINGSIDE_CLI_JOURNAL_EVENTS_LIMIT_H

#include "config/config.h"

#include <stdint.h>

#define EVENTS_WHY_BYTES 200

struct events_limit {
    uint64_t needed_seq; /* the first event that is needed */
    const char *keeper;  /* who needs it */
    bool gives_up;       /* a store is left behind: it will have to be rebuilt, or to read the archive */
    char why[EVENTS_WHY_BYTES];
};

int events_limit_find(struct events_limit *ret, const struct config *config, struct error *error);

#endif
