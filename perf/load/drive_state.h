/* The run while it lasts: what its loop (drive.c) and its phases (drive_phases.c) share. */
#ifndef RINGSIDE_LOAD_DRIVE_STATE_H
#define RINGSIDE_LOAD_DRIVE_STATE_H

#include "drive.h"
#include "perf/machine/echo.h"

enum phase {
    PHASE_LOGIN,
    PHASE_RUN,
    PHASE_DRAIN,
    PHASE_CANCEL_REST,
    PHASE_QUERY,
    PHASE_DONE,
    PHASE_FAILED,
};

struct drive {
    const struct load_options *options;
    struct load_run run;
    struct load_session *sessions;
    uint32_t session_count;
    uint32_t session_turn; /* whose turn it is */
    uint32_t window;       /* a session's; UINT32_MAX: none */
    uint32_t live_max;     /* a session's */
    int epoll;
    struct echo echo;       /* of a run with a yardstick and a rate */
    uint64_t echo_asked_ns; /* 0: no round trip is under way */
    uint64_t echo_due_ns;
    struct histogram *round_trip_ns;
    enum phase phase;
    uint64_t start_ns;
    uint64_t end_ns; /* last answer of the measured part */
    uint64_t housekeeping_at_ns;
    uint32_t empty_turn_count; /* in a row; a socket was readable: 0 */
    uint64_t housekeeping_count;
    uint64_t progress_ns;
    uint64_t progress_messages;
    char why[256];
};

/* Ends the run, with the first reason given. */
void drive_fail(struct drive *drive, const char *why);

/* When the next request is due, in a run with a rate. */
uint64_t drive_due_ns(const struct drive *drive);

/* Requests without an answer, of all sessions. */
uint64_t drive_in_flight(const struct drive *drive);

/* What the phase has to do now, and the step to the next one. True: there is more to do at once. */
bool drive_act(struct drive *drive);

#endif
