/*
 * The last hop, which no stamp in a ring can tell: from the event to the client's socket, and with it the whole way.
 * The gateways measure both themselves; this reads their metrics (docs/metrics.md) at the beginning and the end of a
 * period and takes what came in between, all gateways together.
 */
#ifndef RINGSIDE_PROBE_TOLD_H
#define RINGSIDE_PROBE_TOLD_H

#include "metrics/metrics_read.h"
#include "topology/topology.h"

enum told_part {
    TOLD_HOP, /* matched -> told */
    TOLD_WAY, /* received -> told */
    TOLD_PARTS,
};

struct told {
    const char *directory;
    uint32_t gateway_count;
    struct metrics_reader readers[TOPOLOGY_GATEWAYS_MAX];
    struct metrics_distribution before[TOPOLOGY_GATEWAYS_MAX][TOLD_PARTS];
};

void told_init(struct told *told, const char *directory, uint32_t gateway_count);

/* A period begins now. */
void told_begin(struct told *told);

/* What came since it began; its count is 0 if no gateway keeps metrics. The memory is told's until the next call. */
const struct metrics_distribution *told_since(struct told *told, enum told_part part);

const char *told_name(enum told_part part);
const char *told_key(enum told_part part);

void told_finish(struct told *told);

#endif
