/*
 * One batch: from the sources, in turn, into the command ring. Nothing here attaches, recovers or waits.
 */
#ifndef RINGSIDE_SEQUENCER_MERGE_H
#define RINGSIDE_SEQUENCER_MERGE_H

#include "base/error.h"
#include "config/config.h"
#include "metrics/hops.h"
#include "metrics/values.h"
#include "ring/ring.h"
#include "topology/topology.h"

#include <stdbool.h>
#include <stdint.h>

#define MERGE_BATCH_RECORDS 1024u /* most of one poll, and never more than half the command ring */
#define MERGE_TURN_RECORDS  64u   /* most of one source at a time */

struct command;

struct merge_source {
    struct ring ring;
    struct ring_consumer consumer;
    uint64_t released; /* the cursor as last stored */
    uint8_t gateway;   /* what its records bear */
    bool attached;
};

struct merge {
    const struct config *config;
    struct ring ring; /* command */
    struct ring_producer producer;
    uint64_t batch_records_max;
    uint64_t time_ns;                                  /* of the last command */
    uint64_t configuration_next;                       /* inbound_seq of gateway 0 that is published next */
    struct merge_source sources[TOPOLOGY_SOURCES_MAX]; /* of the gateways, then of the operators */
    uint32_t source_count;
    uint32_t turn;                 /* the source to begin with */
    const _Atomic uint64_t *space; /* what the journaler says of the disk: JOURNALER_SPACE_LOW */
    uint64_t refused_count;        /* for want of that space */
    struct hop_sampler sampler;
    struct sequencer_values *values; /* NULL: nothing is measured */
};

/*
 * Publishes what there is, up to batch_records_max, with the time `realtime_ns` or later, and releases its input.
 * Records published; ERROR_CORRUPT if a source holds what its gateway cannot have written (what came before it is
 * published and released).
 */
int merge_batch(struct merge *merge, uint64_t realtime_ns, uint64_t monotonic_ns, struct error *error);

/*
 * Publishes a command that is the sequencer's own: of no gateway, and with no place in a source (inbound_seq 0). 1, or
 * 0 if the ring is full.
 */
int merge_own(struct merge *merge, const struct command *command, uint64_t realtime_ns, uint64_t monotonic_ns);

#endif
