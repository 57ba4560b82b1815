/*
 * How fast a store takes what it missed: at a multiple of the rate at which the exchange goes on, so that it comes
 * nearer, and the rest of the machine is left to those who trade.
 *
 * Rules
 *   1. It is for a store that has come back and is not yet level (outage.h). One that is level, or slow, is never held.
 *   2. Where the exchange publishes fewer than PACE_LIVE_PER_S_MIN events a second there is nobody to disturb, so there
 *      is no limit; nor is there one before the rate is known, PACE_WINDOW_NS after the store came back.
 *   3. It counts from the beginning of one batch to the beginning of the next; a store that takes longer than that for
 *      a batch goes as fast as it can.
 */
#ifndef RINGSIDE_PERSISTER_PACE_H
#define RINGSIDE_PERSISTER_PACE_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

#define PACE_WINDOW_NS      (500ull * NS_PER_MS)
#define PACE_LIVE_PER_S_MIN 1000u

struct pace {
    uint64_t times;      /* the live rate, at most; 0: no limit */
    uint64_t noted_seq;  /* the last event that the exchange had published, */
    uint64_t noted_ns;   /* at this moment; 0: not yet */
    uint64_t live_per_s; /* events, over the last whole window; 0: not known */
    uint64_t next_ns;    /* no batch begins before; 0: at any time */
};

static inline void pace_begin(struct pace *pace)
{
    *pace = (struct pace){.times = pace->times};
}

/* Called often while the store catches up, with the last event that the exchange has published. */
static inline void pace_note(struct pace *pace, uint64_t now_ns, uint64_t published_seq)
{
    uint64_t passed_ns = now_ns - pace->noted_ns;
    if (pace->noted_ns != 0 && passed_ns < PACE_WINDOW_NS)
        return;
    /* A producer that starts anew may be behind where the one before it was. */
    uint64_t moved = published_seq > pace->noted_seq ? published_seq - pace->noted_seq : 0;
    if (pace->noted_ns != 0)
        pace->live_per_s = (uint64_t)((double)moved * NS_PER_SECOND / (double)passed_ns);
    pace->noted_seq = published_seq;
    pace->noted_ns = now_ns;
}

/* A batch begins now. */
static inline void pace_batch(struct pace *pace, uint64_t now_ns, uint32_t event_count)
{
    bool is_free = pace->times == 0 || pace->live_per_s < PACE_LIVE_PER_S_MIN;
    pace->next_ns = is_free ? 0 : now_ns + event_count * (uint64_t)NS_PER_SECOND / (pace->times * pace->live_per_s);
}

#endif
