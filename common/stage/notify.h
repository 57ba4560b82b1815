/* What systemd is told of the process: READY, STATUS, STOPPING, and the watchdog fed from the poll loop. */
#ifndef RINGSIDE_STAGE_NOTIFY_H
#define RINGSIDE_STAGE_NOTIFY_H

#include <stdint.h>

struct notify {
    uint64_t watchdog_interval_ns; /* 0: no watchdog is set */
    uint64_t watchdog_next_ns;
};

void notify_open(struct notify *notify);
void notify_ready(const char *status);
void notify_stopping(void);

/* Feeds the watchdog when half its time is over: only a loop that turns does. */
void notify_alive(struct notify *notify, uint64_t now_ns);

#endif
