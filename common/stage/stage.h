/*
 * What a stage is: open, poll, close. The shared main (stage_main) and `ringside run` do the rest: configuration, role
 * lock, signals, waiting, sd_notify and its watchdog, the longest-cycle counter, logging of what ends a stage.
 *
 * Rules for a stage
 *   1. open takes what is its own (files, sockets, memory: all of it, nothing is allocated later on the hot path) and
 *      does not wait for others. context->run has the role's lock; nothing of the run is joined yet.
 *   2. poll does at most one batch and never blocks. It attaches to what was not there yet, recovers step by step, then
 *      works. It returns the number of records handled (0: nothing to do now), or a negative error, which ends the
 * stage.
 *   3. After a batch poll has published, flushed, released and rung its listeners (run_ring_listeners).
 *   4. A stage publishes its outputs before it releases their input, and finds its place from what it last published.
 *   5. The clock is read once a poll by the caller: now_ns is CLOCK_MONOTONIC. Stages that stamp use clock_realtime_ns.
 *
 * The poll of one process calls the poll of one stage; `ringside run` calls those of all in turn, in one thread.
 */
#ifndef RINGSIDE_STAGE_H
#define RINGSIDE_STAGE_H

#include "base/error.h"
#include "config/config.h"
#include "metrics/metrics.h"
#include "run/run.h"

#include <stdbool.h>
#include <stdint.h>

struct stage_context {
    const struct config *config; /* lives as long as the stage */
    struct run *run;             /* the role is taken; the stage joins (or makes) the run itself */
    uint32_t gateway;            /* which gateway this is, from 1; 0 for other stages */
    void *values;                /* the stage's own values in its metrics file; NULL: nobody counts */
};

struct stage_definition {
    const char *name; /* "sequencer" */
    enum process_kind kind;
    bool pollable;                      /* the stage waits on a descriptor too, so its doorbell is a FIFO */
    bool unhurried;                     /* nobody waits for it: it looks every few milliseconds and is never rung */
    const char *summary;                /* for --help */
    const struct metrics_table *values; /* what it counts; NULL: nothing of its own */
    int (*open)(void **ret_stage, const struct stage_context *context, struct error *error);
    int (*poll)(void *stage, uint64_t now_ns, struct error *error);
    /* true once recovered and at work: READY=1 to systemd. */
    bool (*ready)(const void *stage);
    /* a descriptor that is readable when the outside has work for the stage (an epoll, an io_uring); -1: none now */
    int (*descriptor)(const void *stage);
    /* asked to end (SIGTERM): finish what is in flight. true once it may be closed. NULL: at once */
    bool (*stopped)(void *stage, uint64_t now_ns);
    /* asked to read its settings again (SIGHUP); what it finds wrong it logs, and goes on. NULL: it has none */
    void (*reload)(void *stage);
    /* a line of text about where it stands, for the log at ready and at the end; NULL: none */
    void (*describe)(const void *stage, char *text, size_t text_bytes);
    /* about every 100 ms, with metrics only: brings in the values that are not counted as they happen. NULL: none */
    void (*measure)(void *stage, uint64_t now_ns);
    void (*close)(void *stage); /* accepts half-opened */
};

/* Exit codes of the stages; deploy/systemd lists EXIT_STAGE_IO in RestartPreventExitStatus. */
enum stage_exit {
    EXIT_STAGE_OK = 0,
    EXIT_STAGE_FAILED = 1,  /* see the log; restarting may help */
    EXIT_STAGE_USAGE = 64,  /* bad command line */
    EXIT_STAGE_DATA = 65,   /* corrupt or mismatching files: restarting will not help */
    EXIT_STAGE_HELD = 69,   /* another process owns the role */
    EXIT_STAGE_IO = 74,     /* a device failed: restarting will not help before somebody has looked */
    EXIT_STAGE_RUN = 75,    /* another run has begun: restart */
    EXIT_STAGE_CONFIG = 78, /* bad configuration */
};

/* The exit code that tells of an error. */
int stage_exit_code(int error_code);

int stage_main(int argc, char **argv, const struct stage_definition *definition);

/*
 * Polls several stages in turn in this thread until SIGTERM, SIGINT or a failure; opens them in the order given. `tick`
 * (may be NULL) is called about every 10 ms and ends the loop by returning true. Used by `ringside run`.
 */
int stage_run_all(const struct stage_definition *const definitions[], uint32_t count, const struct config *config,
                  bool (*tick)(void *argument, bool all_ready), void *argument);

#endif
