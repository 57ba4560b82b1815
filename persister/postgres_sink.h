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
 * each set of rows, COMMIT; COMMIT is sent only after every statement has answered with the count that it must. So a
 * batch is written once or not at all, and two persisters never both write.
 *   2. After any failure, a COMMIT without an answer included, the connection is thrown away; the next one raises the
 *      epoch, reads the mark and goes on from there.
 *   3. While one batch is written the next one gathers. A batch leaves when the store is idle and the last one left
 *      BATCH_INTERVAL_NS ago or it is full: at once when there is little, in large pieces when behind.
 *   4. A poll does a bounded amount of work, and waits for nothing: descriptors and deadlines are the stage's.
 *   5. COMMIT does not wait for the disk (synchronous_commit = off): a server that loses its last transactions loses
 *      their mark with them, and gets them again.
 */
#ifndef RINGSIDE_PERSISTER_POSTGRES_SINK_H
#define RINGSIDE_PERSISTER_POSTGRES_SINK_H

#include "base/error.h"
#include "config/config.h"
#include "ring/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct postgres_sink;

/* Takes all memory. epoll_fd: where its socket is watched, with `tag` as the data. */
int postgres_sink_open(struct postgres_sink **ret_sink, const struct config *config, int epoll_fd, uint64_t tag,
                       struct error *error);

/* The event ring is there. */
void postgres_sink_join(struct postgres_sink *sink, const struct ring *ring);

/* A bounded piece of work; how much was done (0: nothing to do now). is_ready: the socket was reported. */
int postgres_sink_poll(struct postgres_sink *sink, uint64_t now_ns, bool is_ready);

/* When it wants to be polled whatever happens, CLOCK_MONOTONIC; 0: never. */
uint64_t postgres_sink_deadline_ns(const struct postgres_sink *sink);

/* Takes no more events. true once what it had taken is written, or cannot be. */
bool postgres_sink_stop(struct postgres_sink *sink);

void postgres_sink_describe(const struct postgres_sink *sink, char *text, size_t text_bytes);

/* What tests and the log want to know. */
uint64_t postgres_sink_mark(const struct postgres_sink *sink);
bool postgres_sink_is_up(const struct postgres_sink *sink);

void postgres_sink_close(struct postgres_sink *sink);

#endif
