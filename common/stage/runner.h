/*
 * One stage being run: opened with its role, polled, watched, closed. The loops of stage_main and stage_run_all are
 * made of these. A failure is logged here, once, with what to do next; the loops see the exit code.
 */
#ifndef RINGSIDE_STAGE_RUNNER_H
#define RINGSIDE_STAGE_RUNNER_H

#include "stage/measure.h"
#include "stage/stage.h"

#define RUNNER_NAME_BYTES 32

struct runner {
    const struct stage_definition *definition;
    char name[RUNNER_NAME_BYTES]; /* "sequencer", "gateway-1" */
    struct stage_context context;
    struct run run;
    void *stage;
    bool opened;
    bool ready;
    int exit_code; /* enum stage_exit, why it failed */
    struct measure measure;
    uint64_t check_next_ns; /* when the run is to be looked at again */
    uint64_t sleep_count;   /* kept by the loop */
    uint64_t record_count;
    uint64_t busy_poll_count;
    uint64_t busy_since_ns; /* when the last poll began, if it found work; else 0 */
    uint64_t cycle_ns_max;  /* longest time from one poll to the next while busy */
};

/* Takes the role and opens the stage. false: runner->exit_code says why; runner_close is still due. */
bool runner_open(struct runner *runner, const struct stage_definition *definition, const struct config *config,
                 uint32_t gateway);

/* One poll, and once a second a look whether the run is still ours. Records handled, or negative with exit_code set. */
int runner_poll(struct runner *runner, uint64_t now_ns);

/* Settings are to be read again; nothing for a stage that has none. */
void runner_reload(struct runner *runner);

/* A descriptor to watch while asleep, or -1. */
int runner_descriptor(const struct runner *runner);

/* Asked to end: true once the stage may be closed. */
bool runner_stopped(struct runner *runner, uint64_t now_ns);

/* What the stage says of itself; empty if nothing. */
void runner_describe(const struct runner *runner, char *text, size_t text_bytes);

void runner_close(struct runner *runner);

#endif
