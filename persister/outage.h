/*
 * A store that may go away: when to try again, and what the log says of it.
 *
 *            outage_begins                     outage_begins (silent)
 *   up  ----------------------->  away  -----------------+
 *    ^      logged, once           |  ^                  |
 *    |                             |  +------------------+
 *    +-----------------------------+      0.1 s, doubled to 5 s
 *       outage_ends: logged, with what is to be caught up; logged again when that is done
 *
 * Rules
 *   1. Nothing waits here: it says when (retry_ns), the caller's timer does.
 *   2. A store that *refuses* (a constraint, a right, a newer schema) is logged as an error, once a minute while it
 *      lasts, and tried every REFUSED_RETRY_NS: the rows are not lost, but somebody has to look.
 */
#ifndef RINGSIDE_PERSISTER_OUTAGE_H
#define RINGSIDE_PERSISTER_OUTAGE_H

#include "base/error.h"
#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_NS_MIN   (100ull * NS_PER_MS)
#define BACKOFF_NS_MAX   (5ull * NS_PER_SECOND)
#define REFUSED_RETRY_NS (10ull * NS_PER_SECOND)

struct outage {
    const char *store; /* "PostgreSQL" */
    bool is_up;
    bool is_refused;     /* it answers, but not as we need it */
    bool is_catching_up; /* up again, not yet level with the exchange */
    uint64_t retry_ns;   /* when to try again */
    uint64_t backoff_ns;
    uint64_t began_ns;      /* 0: no outage is logged */
    uint64_t complained_ns; /* when a refusal was last logged */
    uint64_t up_ns;
    uint32_t count; /* outages so far */
};

void outage_init(struct outage *outage, const char *store);

/* The store is gone, or an attempt to reach it failed. */
void outage_begins(struct outage *outage, uint64_t now_ns, const struct error *why);

/* It answers, but refuses what it must take. */
void outage_refused(struct outage *outage, uint64_t now_ns, const struct error *why);

/* It is there, at event `at_seq`, with `lag` events to catch up. */
void outage_ends(struct outage *outage, uint64_t now_ns, uint64_t at_seq, uint64_t lag);

/* After a batch was taken: back to short waits, and the log hears when the lag is made up. */
void outage_progress(struct outage *outage, uint64_t now_ns, uint64_t at_seq, uint64_t lag);

/* How long it has been away, or has refused, by now; 0: it is neither. */
uint64_t outage_age_ns(const struct outage *outage, uint64_t now_ns);

#endif
