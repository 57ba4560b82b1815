/*
 * The machine's clock: how far it is from true time as far as the kernel knows, and whether it was set. A step is seen
 * as a jump of CLOCK_REALTIME against CLOCK_MONOTONIC from one look to the next; slewing, as chrony and ntpd do it,
 * moves the two apart by at most a part in two thousand and is no step.
 */
#ifndef RINGSIDE_MONITOR_CLOCK_WATCH_H
#define RINGSIDE_MONITOR_CLOCK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_STEP_NS 20000000 /* smaller ones are not told from a look that was interrupted between the two clocks */

struct clock_look {
    bool synchronized;    /* somebody keeps it: adjtimex without STA_UNSYNC */
    int64_t offset_ns;    /* from true time, as the one who keeps it last said */
    int64_t error_ns_max; /* that the kernel allows for */
    uint64_t step_count;  /* since the monitor began */
    int64_t step_ns;      /* the last one; forward is positive */
    uint64_t step_at_ns;  /* CLOCK_MONOTONIC; 0: none was seen */
};

struct clock_watch {
    int64_t apart_ns; /* realtime less monotonic, at the last look */
    uint64_t step_count;
    int64_t step_ns;
    uint64_t step_at_ns;
};

void clock_watch_open(struct clock_watch *watch);
void clock_watch_look(struct clock_watch *watch, struct clock_look *ret, uint64_t now_ns);

/* The rule alone: a look found the two clocks so far apart. */
void clock_watch_note(struct clock_watch *watch, int64_t apart_ns, uint64_t now_ns);

#endif
