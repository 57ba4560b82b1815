/*
 * The persister: every event in PostgreSQL and in Redis, once, however often they go away, and no order ever waits for
 * it.
 *
 *                         +--> catch_up --> rows    --> PostgreSQL (postgres_sink)
 *   event ring, event log |
 *                         +--> catch_up --> entries --> Redis      (redis_sink)
 *
 * Rules
 *   1. It follows (common/eventlog): it holds nobody, and what the ring has no longer is in the log.
 *   2. Each store has a place, a pace and outages of its own; its place is kept in the store, with what was written.
 *   3. It keeps nothing: killed at any instruction, it asks each store where it is and goes on.
 *   4. A store that is away or refuses is a line in the log, never the end of the stage.
 *   5. With no store configured it is ready and idle. What it missed can be filled in later: an empty store is filled
 *      from event 1.
 */
#ifndef RINGSIDE_PERSISTER_H
#define RINGSIDE_PERSISTER_H

#include "stage/stage.h"

extern const struct stage_definition persister_stage;

#endif
