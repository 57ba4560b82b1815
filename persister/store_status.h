/* How a store's writer stands, for whoever asks: the log, status, metrics. */
#ifndef RINGSIDE_PERSISTER_STORE_STATUS_H
#define RINGSIDE_PERSISTER_STORE_STATUS_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct store_status {
    const char *store;       /* "PostgreSQL", "PostgreSQL (orders)", "Redis" */
    bool is_up;              /* connected, with its mark taken */
    bool is_refused;         /* it answers, but not as we need it: an operator must look */
    bool needs_rebuild;      /* what it lacks was trimmed and is in no archive (ringside persister rebuild) */
    uint32_t outage_count;   /* since the persister began */
    uint64_t mark_seq;       /* last event whose rows the store has confirmed */
    uint64_t needed_seq;     /* of Redis: events behind this one are read again if its persister begins anew */
    uint64_t durable_seq;    /* of those, known to be on its disk; 0: not known */
    uint64_t lag_events;     /* published and not confirmed; all, where the mark is not known */
    uint64_t lag_ns;         /* age of what the store shows; 0: level */
    uint64_t written_events; /* since the persister began */
    uint64_t batch_count;
};

static inline void store_status_text(const struct store_status *status, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "%s %s at event %" PRIu64 ", %" PRIu64 " behind, %.1f s", status->store,
             status->needs_rebuild ? "needs a rebuild"
                                   : (status->is_refused ? "refuses" : (status->is_up ? "is up" : "is away")),
             status->mark_seq, status->lag_events, (double)status->lag_ns / 1e9);
}

/*
 * The age of what a store shows: now less its mark's time, both CLOCK_REALTIME. Of a store whose mark is not known (it
 * was not reached since the persister began, or it is empty), how long it has been away.
 */
static inline uint64_t store_lag_ns(uint64_t lag_events, uint64_t mark_time_ns, uint64_t now_ns, uint64_t away_ns)
{
    if (lag_events == 0)
        return 0;
    if (mark_time_ns == 0)
        return away_ns;
    return now_ns < mark_time_ns ? 0 : now_ns - mark_time_ns;
}

#endif
