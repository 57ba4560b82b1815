/*
 * The metrics file of a stage that is run: made before the stage opens, kept up to date while it is polled.
 *
 * Rules
 *   1. What is known at every poll is counted in plain words here, and published every 100 ms; the sizes of batches and
 *      the lengths of cycles go into their histograms as they come.
 *   2. The kernel is asked once a second, by a handful of calls; the count of open files, where the kernel has no short
 *      answer (before Linux 6.2), every ten seconds.
 *   3. metrics.enabled = no: no file, and the stage is told so by a NULL.
 */
#ifndef RINGSIDE_STAGE_MEASURE_H
#define RINGSIDE_STAGE_MEASURE_H

#include "config/config.h"
#include "metrics/values.h"
#include "run/run.h"

#include <stdbool.h>
#include <stdint.h>

struct measure {
    struct metrics_writer writer;
    struct process_values *values; /* NULL: no metrics */
    uint64_t empty_poll_count;
    uint64_t busy_poll_count;
    uint64_t record_count;
    uint64_t next_ns;        /* when to publish */
    uint64_t sample_next_ns; /* when to ask the kernel */
    uint64_t files_next_ns;  /* when to count open files one by one */
    int statm_fd;
    bool run_told;
    bool ready_told;
};

/* Makes the file if the configuration wants one; the caller holds the role. `table` (may be NULL): the stage's own. */
int measure_open(struct measure *measure, const struct config *config, const char *role,
                 const struct metrics_table *table, struct error *error);

/* The stage's own values; NULL without metrics. */
static inline void *measure_stage_values(const struct measure *measure)
{
    return measure->values && measure->writer.table_count > 1 ? measure->writer.values[1] : NULL;
}

/* Every poll: how much it did, and how long the cycle before was (0: it was idle). */
static inline void measure_poll(struct measure *measure, uint32_t count, uint64_t cycle_ns)
{
    if (count == 0) {
        measure->empty_poll_count++;
    } else {
        measure->busy_poll_count++;
        measure->record_count += count;
    }
    if (!measure->values)
        return;
    if (count > 0)
        metrics_record(&measure->values->batch, count);
    if (cycle_ns > 0)
        metrics_record(&measure->values->cycle_ns, cycle_ns);
}

/* True about every 100 ms: the stage may bring in what it does not count as it happens, then measure_publish. */
static inline bool measure_due(const struct measure *measure, uint64_t now_ns)
{
    return measure->values && now_ns >= measure->next_ns;
}
void measure_publish(struct measure *measure, const struct run *run, bool ready, uint64_t sleep_count, uint64_t now_ns);

/* The file stays, with its last values. */
void measure_close(struct measure *measure, uint64_t now_ns);

#endif
