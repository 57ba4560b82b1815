/*
 * The writer of PostgreSQL: events in batches, each one transaction with the mark, over a connection that never blocks.
 *
 *   away --retry--> resolving --> connecting --> preparing --> idle --batch--> writing --> committing --+
 *    ^                  |             |              |           ^  |             |            |        |
 *    |                  |             |              |           |  |             |            |        |
 *    +------------------+-------------+--------------+-----------|--+-------------+------------+        |
 *      any failure: what the server did not commit it forgets    +--------------------------------------+
 *
 * Rules
 *   1. A batch is BEGIN, the mark moved from the number that we know under the epoch that is ours, COPY and merge of
 *      each set of rows, COMMIT; COMMIT is sent only after every statement has answered with the count that it must. So
 * a batch is written once or not at all, and two persisters never both write.
 *   2. After any failure, a COMMIT without an answer included, the connection is thrown away; the next one raises the
 *      epoch, reads the mark and goes on from there.
 *   3. While one batch is written the next one gathers. A batch leaves when the store is idle and the last one left
 *      postgres.batch_ms ago or it is full: at once when there is little, in large pieces when behind.
 *   4. A poll does a bounded amount of work, and waits for nothing: descriptors and deadlines are the stage's.
 *   5. COMMIT does not wait for the disk (synchronous_commit = off): a server that loses its last transactions loses
 *      their mark with them, and gets them again. Each batch asks how far the server's log is on its disk, and so does
 * an empty one when no more events come: durable_seq is up to where the rows stay.
 *   6. There are two of these: one adds (order_events, executions and so on), one changes orders in place. Each has its
 *      connection, its mark and its lag, so the first never waits for the second; while there is too little time for
 *      both, the second gives way (rest.h).
 */
#ifndef RINGSIDE_PERSISTER_POSTGRES_SINK_H
#define RINGSIDE_PERSISTER_POSTGRES_SINK_H

#include "base/error.h"
#include "config/config.h"
#include "metrics/metrics.h"
#include "ring/ring.h"
#include "store_status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct postgres_sink;

enum postgres_part {
    POSTGRES_EVENTS, /* what is only added to, and the small tables */
    POSTGRES_ORDERS,
};

/* Takes all memory. epoll_fd: where its socket is watched, with `tag` as the data. */
int postgres_sink_open(struct postgres_sink **ret_sink, const struct config *config, enum postgres_part part,
                       int epoll_fd, uint64_t tag, struct error *error);

/* The event ring is there. */
void postgres_sink_join(struct postgres_sink *sink, const struct ring *ring);

/* `sink` gives way to `first`, which is there as long as `sink` is polled. */
void postgres_sink_give_way(struct postgres_sink *sink, const struct postgres_sink *first);

/* For a rebuild: there is no ring, the log alone is read; of events before first_seq only sessions, instruments and
 * days are written. */
void postgres_sink_join_log(struct postgres_sink *sink, uint64_t first_seq);

/* All that was found is written. */
bool postgres_sink_is_level(const struct postgres_sink *sink);

/* A bounded piece of work; how much was done (0: nothing to do now). is_ready: the socket was reported. */
int postgres_sink_poll(struct postgres_sink *sink, uint64_t now_ns, bool is_ready);

/* When it wants to be polled whatever happens, CLOCK_MONOTONIC; 0: never. */
uint64_t postgres_sink_deadline_ns(const struct postgres_sink *sink);

/* Takes no more events. true once what it had taken is written, or cannot be. */
bool postgres_sink_stop(struct postgres_sink *sink);

/* The time of each batch goes there from now on; NULL: nowhere. */
void postgres_sink_measure(struct postgres_sink *sink, struct metrics_histogram *batch_ns);

void postgres_sink_status(const struct postgres_sink *sink, struct store_status *status);

void postgres_sink_close(struct postgres_sink *sink);

#endif
