/*
 * Up to where a journal may be trimmed: the first command that anybody needs, and who needs it. Everything that keeps
 * commands is a keeper in the one list of trim_limit.c; the limit is the least of what they say.
 */
#ifndef RINGSIDE_CLI_JOURNAL_TRIM_LIMIT_H
#define RINGSIDE_CLI_JOURNAL_TRIM_LIMIT_H

#include "config/config.h"

#include <stdint.h>

#define TRIM_WHY_BYTES 160

struct journal_trim_limit {
    uint64_t needed_seq;      /* the first command that is needed */
    const char *keeper;       /* who needs it */
    char why[TRIM_WHY_BYTES]; /* and what for */
};

int journal_trim_limit_find(struct journal_trim_limit *ret, const struct config *config, struct error *error);

#endif
