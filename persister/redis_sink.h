/*
 * The writer of Redis: events in batches, each one entry of the stream, several on their way at once, over a connection
 * that never blocks.
 *
 *   away --retry--> resolving --> connecting --> preparing --> working
 *    ^                  |             |              |            |
 *    +------------------+-------------+--------------+------------+   any failure
 *
 * Rules
 *   1. An entry is one transaction (MULTI, EXEC): added under the id of its last event; best prices, last trades and
 *      names set and published; the mark moved. In front of it stand WATCH of the mark and guard.lua, which compares it
 *      and touches it if it is another: then, or if anybody else has changed it since, the transaction does not run.
 *   2. Entries on their way each expect the mark that the one before leaves. If one does not find it, none behind it
 *      does: nothing is skipped, nothing doubled.
 *   3. After any failure the connection is thrown away; the next one raises the epoch, reads the mark (take.lua) and
 *      goes on from there: after a restart of a Redis that forgot its last second from that much earlier, after one
 * that forgot everything from event 1.
 *   4. An entry leaves when the last one left redis.batch_ms ago or it is full: at once when there is little, in
 *      large pieces when behind.
 *   5. A poll does a bounded amount of work, and waits for nothing: descriptors and deadlines are the stage's.
 */
#ifndef RINGSIDE_PERSISTER_REDIS_SINK_H
#define RINGSIDE_PERSISTER_REDIS_SINK_H

#include "base/error.h"
#include "config/config.h"
#include "metrics/metrics.h"
#include "ring/ring.h"
#include "store_status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redis_sink;

/* Takes all memory. epoll_fd: where its socket is watched, with `tag` as the data. */
int redis_sink_open(struct redis_sink **ret_sink, const struct config *config, int epoll_fd, uint64_t tag,
                    struct error *error);

/* The event ring is there. */
void redis_sink_join(struct redis_sink *sink, const struct ring *ring);

/* A bounded piece of work; how much was done (0: nothing to do now). is_ready: the socket was reported. */
int redis_sink_poll(struct redis_sink *sink, uint64_t now_ns, bool is_ready);

/* When it wants to be polled whatever happens, CLOCK_MONOTONIC; 0: never. */
uint64_t redis_sink_deadline_ns(const struct redis_sink *sink);

/* Takes no more events. true once what it had taken is written, or cannot be. */
bool redis_sink_stop(struct redis_sink *sink);

/* The time of each batch goes there from now on; NULL: nowhere. */
void redis_sink_measure(struct redis_sink *sink, struct metrics_histogram *batch_ns);

void redis_sink_status(const struct redis_sink *sink, struct store_status *status);

void redis_sink_close(struct redis_sink *sink);

#endif
