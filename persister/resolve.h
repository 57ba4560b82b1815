/*
 * Names to addresses without waiting: libpq and hiredis would look a name up in the thread that calls them, which
 * stands still until a name server has answered. What is an address already, or the path of a socket, needs no look-up.
 */
#ifndef RINGSIDE_PERSISTER_RESOLVE_H
#define RINGSIDE_PERSISTER_RESOLVE_H

#include "base/error.h"

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#define RESOLVE_TEXT_BYTES 64 /* of a numeric address */

struct resolver {
    struct resolve_request *request; /* NULL: none under way */
};

/* Whether `host` must be looked up: it is neither numeric nor a path. */
bool resolve_needed(const char *host);

int resolver_start(struct resolver *resolver, const char *host, struct error *error);

/* 1: `address` has the answer; 0: not yet; negative: it has none. `turn` chooses among several addresses. */
int resolver_poll(struct resolver *resolver, unsigned turn, char address[RESOLVE_TEXT_BYTES], struct error *error);

/* Gives up what is under way. */
void resolver_finish(struct resolver *resolver);

#endif
