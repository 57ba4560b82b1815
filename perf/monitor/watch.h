/*
 * What the monitor sees: one look at the run, its processes, the clock and the disks. Every other file here takes a
 * look and says it in some form; nothing but watch_look and what it calls reads the outside.
 *
 * Rules
 *   1. A bystander: nothing is locked, written or held, and no ring, stage or store waits for it.
 *   2. Nothing need be there. The exchange may be down, start, stop and begin a new run at any time: the next look
 * shows it, and what is not there is marked so.
 *   3. One thread. A look lasts well under a millisecond; disks are asked once a second.
 */
#ifndef RINGSIDE_MONITOR_WATCH_H
#define RINGSIDE_MONITOR_WATCH_H

#include "config/config.h"
#include "view/run_view.h"

#include "perf/monitor/clock_watch.h"
#include "perf/monitor/meters.h"

#define WATCH_DISKS_MAX 3

/* A process of the run: its lock, its signs of life on the rings and in its metrics file. */
struct stage_look {
    const char *name;
    bool alive;    /* somebody holds the role */
    bool measured; /* its metrics file is there, and its own */
    enum metrics_state state;
    uint64_t heartbeat_ns;  /* the newest sign of life of this process, CLOCK_MONOTONIC; 0: none yet */
    uint64_t silent_ns;     /* alive, but no sign of life for so long */
    uint64_t gone_since_ns; /* CLOCK_MONOTONIC; 0: alive */
};

struct disk_look {
    const char *name; /* "journal", "events", "snapshots" */
    const char *directory;
    bool present;
    uint64_t free_bytes; /* for us, the reserve of root left out */
    uint64_t size_bytes;
};

struct look {
    uint64_t now_ns;      /* CLOCK_MONOTONIC */
    uint64_t realtime_ns; /* CLOCK_REALTIME */
    uint64_t taken_ns;    /* what the look itself took */
    bool is_late;         /* the monitor itself did not run for a while: silences are not to be believed this time */
    struct run_view run;
    uint32_t stage_count;
    struct stage_look stages[TOPOLOGY_PROCESSES_MAX];
    uint32_t disk_count;
    struct disk_look disks[WATCH_DISKS_MAX];
    struct clock_look clock;
    bool space_low; /* the journaler says that new orders are to be refused */
};

struct watch {
    const struct config *config;
    struct run_viewer viewer;
    struct clock_watch clock;
    struct meters meters;
    struct look look; /* the newest */
    uint64_t disks_next_ns;
    uint64_t meters_next_ns;
};

void watch_open(struct watch *watch, const struct config *config, uint64_t now_ns);
void watch_look(struct watch *watch, uint64_t now_ns);
void watch_close(struct watch *watch);

#endif
