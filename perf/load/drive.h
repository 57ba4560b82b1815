/* The run itself: sessions in, requests out, phases one after the other. */
#ifndef RINGSIDE_LOAD_DRIVE_H
#define RINGSIDE_LOAD_DRIVE_H

#include "session.h"

struct load_outcome {
    struct load_counts counts;
    struct histogram latency_ns;    /* from when a request was due */
    struct histogram sent_ns;       /* from when it was really sent */
    struct histogram round_trip_ns; /* of TCP, taken in the same loop, as a request is */
    uint64_t trades;
    uint64_t trades_one_sided; /* the other side is not this load's */
    uint64_t live_orders;      /* at the end */
    double seconds;            /* from the first request's time to the last answer */
    double cpu_s;              /* of this process */
    double stolen;             /* fraction of the machine's time that the hypervisor took away, or -1 */
    uint16_t reject_reason;
    bool complete;
    char why[256]; /* why not */
};

/* Runs all of it and fills *outcome. LOAD_OK, or LOAD_FAILED with outcome->why. */
int drive_run(const struct load_options *options, struct load_outcome *outcome);

#endif
