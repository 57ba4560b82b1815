/*
 * What surrounds a sequencer, for its tests: a run made as the journaler makes one, gateways that write inbound rings,
 * and the two consumers of the command ring. One process, one thread; the sequencer is the real stage.
 *
 * A sequencer that is killed leaves shared memory as it is at that instant. Stopping the stage here does the same,
 * since it writes nothing at its end; what it had not yet stored is then taken back (world_forget_releases).
 */
#ifndef RINGSIDE_TESTS_SEQUENCER_WORLD_H
#define RINGSIDE_TESTS_SEQUENCER_WORLD_H

#include "config/config.h"
#include "record/command.h"
#include "ring/ring.h"
#include "run/run.h"
#include "stage/stage.h"

#include <stdbool.h>
#include <stdint.h>

#define WORLD_GATEWAYS_MAX 3
#define WORLD_OPERATOR     3 /* with fewer gateways: the place of the ring inbound-admin */
#define WORLD_SEEN_MAX     65536

struct world_gateway {
    struct ring ring;
    struct ring_producer producer;
};

struct world {
    char directory[64];
    struct config config;
    struct run journaler_run;
    struct run_base base;
    struct world_gateway gateways[WORLD_GATEWAYS_MAX];
    uint64_t cursors[WORLD_GATEWAYS_MAX]; /* as kept by world_keep_cursors */

    struct run sequencer_run;
    struct stage_context context;
    void *stage; /* NULL: none runs */

    struct ring command_ring;
    struct ring_consumer journaler;
    struct ring_consumer matcher;
    struct command *seen; /* every command that was read, in order */
    uint64_t seen_count;

    struct error error;
};

/* A directory, a configuration of so many gateways and small rings; world->base may be changed before world_make_run.
 */
void world_init(struct world *world, uint32_t gateway_count);
void world_make_run(struct world *world);
void world_make_inbound(struct world *world, uint32_t gateway);
void world_finish(struct world *world);

/* One record of a gateway; false: its ring is full. */
bool world_put(struct world *world, uint32_t gateway);
void world_put_many(struct world *world, uint32_t gateway, uint32_t count);

void world_start(struct world *world);
void world_stop(struct world *world);

/* One poll at some time; what it returned. */
int world_poll(struct world *world);

/* Polls until three in a row find nothing, reading the commands in between. */
void world_settle(struct world *world);

/* Reads what is in the command ring into `seen` and lets the producer have the room. Checks each record's number. */
void world_read(struct world *world);

/* The cursor of the sequencer in an inbound ring. */
uint64_t world_cursor(const struct world *world, uint32_t gateway);

/* Keeps the cursors; puts them back as they were kept: a sequencer killed after publishing, before releasing. */
void world_keep_cursors(struct world *world);
void world_forget_releases(struct world *world);

/*
 * Every promise about `seen`: numbers without gaps, time never back, each source's own numbers from 1 without gaps.
 * Returns NULL or what is broken.
 */
const char *world_check(const struct world *world);

#endif
