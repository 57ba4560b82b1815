/*
 * The simulated Redis: connections, transactions, a stream and some hashes, and a file of what was written that is
 * behind.
 *
 * Rules
 *   1. It knows the commands and the two scripts that the persister sends; any other is a violation. Scripts are known
 *      by their checksum: whoever changes one tells it here what that does.
 *   2. Commands run one at a time, those of a transaction together at its EXEC, or not at all if a watched key was
 *      touched since. A client that dies leaves what it had sent to be run.
 *   3. A crash leaves what was written up to some place behind it, or nothing. Somebody may empty it, or take its mark
 *      away, while it runs.
 */
#ifndef RINGSIDE_SIMULATOR_REDIS_SERVER_H
#define RINGSIDE_SIMULATOR_REDIS_SERVER_H

#include "process.h"

#include <stdbool.h>
#include <stdint.h>

void redis_begin(uint64_t entries_max);
void redis_end(void);

/* A little work on every connection; all there is if `whole`. */
void redis_move(bool whole);

/* A connection breaks; what had arrived may have been done before. */
void redis_drop_one(void);
/* All break. crashes: and it forgets. */
void redis_stop(bool crashes);
/* It is emptied, or loses its mark alone, and connections stay. */
void redis_lose(void);
/* Another persister takes the mark, and does no more. */
void redis_steal(void);

/* The last event that it says it has. */
uint64_t redis_mark(void);

/* The client library's: a process is gone. */
void redis_client_forget(const struct process *process);

#endif
