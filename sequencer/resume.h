/*
 * How the sequencer finds its place: in what it last published.
 *
 *   inbound ring of gateway g      the larger of its stored cursor there, and one more than the highest inbound_seq of
 * g among the commands still in the command ring configuration (gateway 0)      the same, with the status word of the
 * command ring's producer line as the cursor time                           of the last command in the ring; the run's
 * own if there is none
 *
 * Why it is enough: cursors are stored after the records they cover are published, and at least once each half command
 * ring. So if a cursor is behind, the records it does not cover are among the newest half of the command ring.
 */
#ifndef RINGSIDE_SEQUENCER_RESUME_H
#define RINGSIDE_SEQUENCER_RESUME_H

#include "base/error.h"
#include "ring/ring.h"
#include "topology/topology.h"

#include <stdint.h>

/* Where a source's place is kept: 0 the configuration, then the gateways, then the operators. */
#define RESUME_ADMIN (TOPOLOGY_GATEWAYS_MAX + 1)

struct resume {
    uint64_t time_ns;                                    /* of the last command; 0: there is none */
    uint64_t inbound_seq_last[TOPOLOGY_SOURCES_MAX + 1]; /* highest of each source in the ring; 0: none */
};

/*
 * Looks through the commands that are in the ring, up to `next`, the sequence that the producer writes next.
 * ERROR_CORRUPT if one of them is not what a sequencer wrote there.
 */
int resume_scan(struct resume *ret, const struct ring *command_ring, uint64_t next, struct error *error);

/*
 * Moves a consumer that stands at its stored cursor to the place after inbound_seq_last. ERROR_MISMATCH if the ring
 * does not hold that record: then it is another ring than the one the commands came from.
 */
int resume_place(struct ring_consumer *consumer, uint64_t inbound_seq_last, const char *ring_name, struct error *error);

#endif
