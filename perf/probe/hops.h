/*
 * Where the time of requests goes, hop by hop, from the stamps that records carry (record/stamp.h). Pure: records in,
 * histograms out.
 *
 *   received   the gateway read the bytes                          command, event: received_ns_low
 *   sequenced  the sequencer published the command                 command: published_ns_low
 *   matched    the matcher published the first of its events, so   event: published_ns_low
 *              the command was durable before
 *
 * Rules
 *   1. A command counts once: by its first event. Those that nobody received (ticks, the configuration) do not count.
 *   2. A stage reads its clock once a batch, at the beginning: what came in while it worked has a later stamp than the
 *      batch that carries it. Such a hop, of less than nothing, counts as 0.
 */
#ifndef RINGSIDE_PROBE_HOPS_H
#define RINGSIDE_PROBE_HOPS_H

#include "base/histogram.h"
#include "record/command.h"
#include "record/event.h"

enum hop {
    HOP_SEQUENCED, /* received -> sequenced */
    HOP_MATCHED,   /* sequenced -> matched: made durable, matched */
    HOP_WHOLE,     /* received -> matched */
    HOP_COUNT,
};

/* "received -> sequenced" */
const char *hop_name(enum hop hop);

/* "received_to_sequenced" */
const char *hop_key(enum hop hop);

/* One ring's batches: records in a row with one and the same stamp were published at one go. */
struct batches {
    struct histogram sizes;
    uint64_t next_seq; /* that would go on with the batch */
    uint32_t stamp;
    uint32_t size; /* so far; 0: none */
};

struct hops {
    struct histogram hops[HOP_COUNT];
};

void hops_clear(struct hops *hops);

/* ns from one stamp to a later one; see rule 2. */
uint32_t hop_ns(uint32_t from_ns_low, uint32_t to_ns_low);

/* A record of the command ring. */
void hops_command(struct hops *hops, const struct command *command);

/* A record of the event ring; cause: the head of its command, or NULL if it is not known. */
void hops_event(struct hops *hops, const struct event *event, const struct record_head *cause);

void batches_clear(struct batches *batches);

/* A record of any ring: it was published with others of the same stamp. Only whole batches are counted. */
void batches_note(struct batches *batches, uint64_t seq, uint32_t stamp);

#endif
