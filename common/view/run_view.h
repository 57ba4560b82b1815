/*
 * A run as a bystander sees it: its processes and rings, read without joining it. Nothing is locked, written or held;
 * the figures are those of the moment, each for itself.
 */
#ifndef RINGSIDE_VIEW_RUN_VIEW_H
#define RINGSIDE_VIEW_RUN_VIEW_H

#include "base/error.h"
#include "config/config.h"
#include "ring/ring.h"
#include "topology/topology.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define RUN_VIEW_RINGS_MAX (TOPOLOGY_SOURCES_MAX + 2)

struct process_view {
    char name[24];
    bool held; /* somebody holds the role's lock */
    pid_t pid; /* who, where the kernel tells; else 0 */
};

struct line_view {
    char name[24];
    uint64_t cursor_seq;
    uint64_t behind_records;
    uint64_t stall_count;  /* times it found nothing */
    uint64_t heartbeat_ns; /* CLOCK_MONOTONIC; 0: never */
    uint64_t status;
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
    uint64_t stall_count;  /* times its producer found it full */
    uint64_t blocked_ns_total;
    uint64_t blocked_ns;   /* how long the producer has been held up by now; 0: it is not */
    uint32_t blocked_on;   /* by which of the lines; RING_NOBODY */
    uint64_t heartbeat_ns; /* of the producer; CLOCK_MONOTONIC; 0: never */
    uint32_t pid;
    uint32_t epoch;
    uint32_t line_count;
    struct line_view lines[RING_CONSUMERS_MAX];
};

struct run_view {
    uint64_t read_ns; /* CLOCK_MONOTONIC, when it was looked at */
    bool present;     /* there is a whole run file */
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

/*
 * For who looks again and again: the rings stay mapped from one look to the next, as long as the same files are at
 * their paths. The configuration must outlive it.
 */
struct run_viewer {
    const struct config *config;
    struct ring rings[RUN_VIEW_RINGS_MAX];
    uint64_t inodes[RUN_VIEW_RINGS_MAX];
};

void run_viewer_init(struct run_viewer *viewer, const struct config *config);
void run_viewer_read(struct run_viewer *viewer, struct run_view *view);
void run_viewer_finish(struct run_viewer *viewer);

/* The run is there and all its processes live. */
bool run_view_complete(const struct run_view *view);

void run_view_id(const struct run_view *view, char text[33]);

/* The name of the consumer that holds a ring's producer up; NULL: nobody does. */
const char *run_view_blocker(const struct ring_view *ring);

/* The members of a JSON object, without its braces. */
void run_view_print_json(FILE *to, const struct run_view *view, const struct config *config);

#endif
