/*
 * What the journaler measures (metrics/values.h). Batches, syncs and acknowledgements tell of themselves as they
 * happen, once each; how everything stands is brought in about every 100 ms, the space on the disks once a second.
 *
 * Without metrics `values` is NULL, and all of this does nothing.
 */
#ifndef RINGSIDE_JOURNALER_FIGURES_H
#define RINGSIDE_JOURNALER_FIGURES_H

#include "event_side.h"
#include "journal.h"
#include "metrics/hops.h"
#include "metrics/values.h"
#include "space.h"

struct figures {
    struct journaler_values *values;
    struct hop_sampler sampler;
    uint64_t command_count;
    uint64_t space_next_ns;
};

/* The commands from first_seq to before end_seq are durable, and the matcher is about to hear of it. */
void figures_durable(struct figures *figures, uint64_t first_seq, uint64_t end_seq);

/* The same after it has heard: the hop that ends here. A command that was overwritten meanwhile is left out. */
void figures_hops(struct figures *figures, const struct ring_consumer *consumer, uint64_t first_seq, uint64_t end_seq);

void figures_measure(struct figures *figures, const struct journal *journal, const struct event_side *events,
                     const struct space *space, uint64_t now_ns);

#endif
