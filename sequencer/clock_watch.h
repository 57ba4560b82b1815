/*
 * How the clock behaves: CLOCK_REALTIME beside CLOCK_MONOTONIC, looked at about every 100 ms. The time of commands
 * never goes back (merge.h), so a clock that is set back is not seen in them; here it is.
 */
#ifndef RINGSIDE_SEQUENCER_CLOCK_WATCH_H
#define RINGSIDE_SEQUENCER_CLOCK_WATCH_H

#include <stdint.h>

#define CLOCK_STEP_NS 10000000 /* a change from one look to the next that no slewing makes */

struct clock_watch {
    int64_t first_ns; /* realtime less monotonic, at the first look */
    int64_t last_ns;
    int64_t drift_ns; /* gained since the first look */
    uint64_t step_count;
    uint64_t look_count;
};

void clock_watch_look(struct clock_watch *watch, uint64_t realtime_ns, uint64_t monotonic_ns);

#endif
