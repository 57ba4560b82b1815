/*
 * Takes samples of a run for the dashboard: rings and locks (view/run_view.h), /proc, the metrics of the processes
 * where they keep them, and what passes through the rings of commands and events, a part of it when much does.
 */
#ifndef RINGSIDE_DASH_SAMPLE_H
#define RINGSIDE_DASH_SAMPLE_H

#include "config/config.h"
#include "metrics/metrics_read.h"
#include "perf/dash/model.h"
#include "perf/dash/tape.h"
#include "perf/probe/hops.h"
#include "perf/probe/tap.h"

/* A histogram of a process, as it was when last looked at. */
struct sampled {
    bool taken;
    struct metrics_distribution before;
};

struct sampler {
    const struct config *config;
    struct run_viewer viewer;
    struct tap commands, events;
    struct hops hops;
    struct batches command_batches, event_batches;
    struct metrics_reader readers[DASH_STAGES_MAX];
    struct sampled way[DASH_STAGES_MAX], told[DASH_STAGES_MAX], synced, stored[DASH_STORES_MAX];
    struct tape tape;
    uint64_t settled_ns;
};

void sampler_init(struct sampler *sampler, const struct config *config);

/* Learns names from the event log's beginning, and the state of the market from what is still in the ring. */
void sampler_learn(struct sampler *sampler);

/* Reads what has come through the rings, up to a bound; many times between two samples. */
void sampler_listen(struct sampler *sampler);

void sampler_take(struct sampler *sampler, struct dash_sample *ret);

void sampler_finish(struct sampler *sampler);

#endif
