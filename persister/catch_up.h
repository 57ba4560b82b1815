/*
 * The events that a store has not got yet, in order: from its mark on, out of the event ring while that has them and
 * out of the event log when it does not. Each store has one of its own, so that one's outage never holds the other.
 *
 * Rules
 *   1. Nothing is read before the event ring is there: what lies in the log above it could still be cut. A rebuild
 * reads the log alone.
 *   2. The event at the mark itself is read, first of all but those that are given again. If its time is not the
 *      mark's, the store belongs to another exchange (its journal was thrown away, or the store was): that is an error,
 *      not a reason to add rows. Where it was trimmed and not kept, there is nothing to compare.
 *   3. A store that is ahead of the ring waits: a matcher that recovers publishes those events again. If nothing moves
 *      for STALL_NS, the log says what is missing, once.
 *   4. What was trimmed of the log is read from the archive. Where it is not there either, a store that may skip it
 *      gets what is left of it (sessions, instruments, days); another one ERROR_GONE.
 */
#ifndef RINGSIDE_PERSISTER_CATCH_UP_H
#define RINGSIDE_PERSISTER_CATCH_UP_H

#include "eventlog/eventlog.h"

#include <stdbool.h>
#include <stdint.h>

#define CATCH_UP_CHUNK 256 /* events copied at once: they stay in the cache until they are encoded */

struct catch_up {
    const char *store;
    const char *log_directory;
    const char *archive;     /* of the log; empty: none */
    uint64_t skip_below;     /* events of the log below this one need not be there */
    const struct ring *ring; /* NULL until it is there */
    bool is_alone;           /* there is none: the log is read to its end */
    struct event_follower follower;
    bool is_open;
    bool is_checked;   /* the event at the mark has been seen */
    uint64_t mark_seq; /* as the store had it when we began; 0: it was empty */
    uint64_t mark_time_ns;
    uint64_t again_from; /* events behind this one are given, if it is below the mark */
    uint64_t stalled_ns; /* since when the ring has events that do not come; 0: they do */
    bool is_stall_told;
    uint32_t given_back; /* events at the end of the chunk that were not taken */
    uint32_t chunk_count;
    struct event chunk[CATCH_UP_CHUNK];
};

void catch_up_init(struct catch_up *catch_up, const char *store, const char *log_directory, const char *archive);
void catch_up_join(struct catch_up *catch_up, const struct ring *ring);

/* No exchange runs, or none matters: what is in the log is all. */
void catch_up_join_log(struct catch_up *catch_up);

/*
 * Begins anew behind the store's mark, after each connect. mark_time_ns 0: the store does not know it. skip_below: of
 * trimmed files that end below that event, what is left will do.
 */
void catch_up_begin(struct catch_up *catch_up, uint64_t mark_seq, uint64_t mark_time_ns, uint64_t skip_below);

/* Behind catch_up_begin: events behind that one are given again, those that the store has too. */
void catch_up_again(struct catch_up *catch_up, uint64_t from_seq);

/* The next events, at most max (2 or more); how many (0: none now), or a negative error. They are valid until the next
 * call. */
int catch_up_next(struct catch_up *catch_up, uint64_t now_ns, uint32_t max, const struct event **ret_events,
                  struct error *error);

/* The last `count` events of what catch_up_next gave were not taken: the next call begins with them. */
void catch_up_give_back(struct catch_up *catch_up, uint32_t count);

/* The last event that was published; 0: there is no ring yet. */
uint64_t catch_up_published(const struct catch_up *catch_up);

/* Events that were published behind that one, whoever has read them; 0: there is no ring yet. */
uint64_t catch_up_behind(const struct catch_up *catch_up, uint64_t seq);

/* Events that were published and have not been read here. */
uint64_t catch_up_lag(const struct catch_up *catch_up);

void catch_up_finish(struct catch_up *catch_up);

#endif
