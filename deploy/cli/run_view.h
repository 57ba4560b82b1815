/*
 * A run as a bystander sees it: its processes and rings, read without joining it. Nothing is locked, written or held;
 * the figures are those of the moment, each for itself.
 */
#ifndef RINGSIDE_CLI_RUN_VIEW_H
#define RINGSIDE_CLI_RUN_VIEW_H

#include "base/error.h"
#include "config/config.h"
#include "ring/ring_layout.h"
#include "topology/topology.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RUN_VIEW_RINGS_MAX (TOPOLOGY_GATEWAYS_MAX + 2)

struct process_view {
    char name[24];
    bool held; /* somebody holds the role's lock */
    pid_t pid; /* who, where the kernel tells; else 0 */
};

struct line_view {
    char name[24];
    uint64_t cursor_seq;
    uint64_t behind_records;
    uint64_t stall_count;
    uint32_t pid;
    uint32_t epoch;
};

struct ring_view {
    char name[32];
    bool present;
    char why[ERROR_WHAT_BYTES]; /* why not */
    uint64_t capacity_slots;
    uint64_t base_seq;
    uint64_t next_seq;
    uint64_t fill_records; /* held by the slowest consumer */
    uint64_t stall_count;
    uint64_t blocked_ns_total;
    uint32_t pid;
    uint32_t epoch;
    uint32_t line_count;
    struct line_view lines[RING_CONSUMERS_MAX];
};

struct run_view {
    bool present; /* there is a whole run file */
    uint8_t run_id[16];
    uint32_t epoch;
    uint64_t created_ns;       /* CLOCK_REALTIME */
    uint64_t command_seq_next; /* number of the first command of the run */
    uint32_t process_count;
    uint32_t alive_count;
    struct process_view processes[TOPOLOGY_PROCESSES_MAX];
    uint32_t ring_count;
    struct ring_view rings[RUN_VIEW_RINGS_MAX];
};

/* Fills *view with what is there; what is not is marked so. */
void run_view_read(struct run_view *view, const struct config *config);

#endif
