/*
 * What systemd is told of the process, and when.
 *
 *   READY     once it has recovered and is at work, and again after RELOADING
 *   WATCHDOG  fed from the loop alone, so that only a loop that turns is alive
 *   STATUS    a line about where it stands, whenever the watchdog is fed
 *   STOPPING  once it has been asked to end
 *
 * A recovery takes as long as it takes: as long as the loop turns, the time limit of the start moves on with it.
 */
#ifndef RINGSIDE_STAGE_NOTIFY_H
#define RINGSIDE_STAGE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
    uint64_t watchdog_interval_ns; /* from one sign of life to the next; 0: nobody listens */
    uint64_t watchdog_next_ns;
};

void notify_open(struct notify *notify);
void notify_ready(const char *status);
void notify_stopping(void);

/* Around the reading of settings: between them systemd knows that the process is at it. */
void notify_reloading(uint64_t now_ns);
void notify_reloaded(void);

/* Feeds the watchdog when half its time is over: only a loop that turns does. True if it did: time for a STATUS. */
bool notify_alive(struct notify *notify, uint64_t now_ns);
void notify_status(const char *status);

#endif
