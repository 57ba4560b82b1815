/*
 * What a process does when its stage has nothing to do: the wait policy.
 *
 *           poll > 0                  poll = 0                        poll = 0
 *   busy ------------> busy   busy ------------> yield (x 32) ---------------------> armed
 *                                                                                    |  poll = 0
 *   any  -- poll > 0 --> busy                    armed <--- woken, poll = 0 --- asleep <-
 *
 * Rules
 *   1. spin: pause, or yield if the stage has a descriptor (the kernel then works for it, perhaps on this very core);
 *      never sleep. park: the picture above; between raising the doorbell's flag and sleeping there is
 *      always one more poll, so no ring is lost. auto: spin where there is a core for every process of the run.
 *   2. Every sleep has a time-out: 10 ms, and 100 ms once idle for a second and settled (ready, and with nothing to do
 * by the clock: stages that wait on descriptors have heartbeats and time-outs to keep). It is a backstop.
 *   3. An unhurried stage always parks, and looks again by the clock alone: every 2 ms, every 10 ms once idle for a
 *      second. Waking it for each batch costs those who wake it, and the core it wakes on, more than it does itself.
 *   4. A stage that shares its core yields after a poll that found little, too: what it passed on waits for a stage
 * that waits for a core, and whoever goes on polling keeps his until the scheduler's slice ends, milliseconds later.
 *   5. Before the run is joined there is no doorbell; then, whatever the policy, sleep a millisecond at a time.
 */
#ifndef RINGSIDE_STAGE_WAITER_H
#define RINGSIDE_STAGE_WAITER_H

#include "config/config.h"
#include "run/run.h"

#include <stdbool.h>
#include <stdint.h>

struct waiter {
    struct run *run;
    bool spin;
    bool unhurried;
    bool armed;
    uint32_t empty_poll_count; /* since the last record, up to the number after which it stops yielding */
    uint64_t idle_since_ns;    /* 0: busy */
    uint64_t sleep_count;
};

/* Cores that this process may run on. */
uint32_t waiter_core_count(void);

/* Whether a run of so many processes spins under this policy on so many cores. */
bool waiter_spins(enum config_wait wait, uint32_t process_count, uint32_t core_count);

void waiter_init(struct waiter *waiter, struct run *run, bool spin, bool unhurried);

/* After a poll that found work: `count` records, or what the stage counts. */
void waiter_busy(struct waiter *waiter, int count);

/* After a poll that found none. `descriptor` may be -1; `settled`: a sleep of 100 ms does no harm. */
void waiter_idle(struct waiter *waiter, int descriptor, bool settled, uint64_t now_ns);

/* Sleeps until one of `count` descriptors is readable, at most timeout_ns. Negative descriptors are left out. */
void waiter_sleep_on(const int *descriptors, uint32_t count, uint64_t timeout_ns);

#endif
