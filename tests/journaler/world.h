/*
 * What the journaler's tests share: directories of their own, a configuration with small sizes, commands that look
 * random but are a function of their number, the stage with a sequencer and a matcher played by the test.
 */
#ifndef TEST_JOURNALER_WORLD_H
#define TEST_JOURNALER_WORLD_H

#include "config/config.h"
#include "env/disk.h"
#include "journal/journal_read.h"
#include "journaler.h"
#include "record/command.h"
#include "ring/ring.h"

struct world {
    char root[64];
    struct config config;
    struct run run;
    struct stage_context context;
    void *values; /* the stage's metrics; NULL: nothing is measured */
    void *stage;
    struct ring command_ring;
    struct ring_producer producer;
    struct ring event_ring;
    struct ring_producer event_producer;
    uint64_t now_ns;
    struct error error;
};

/* Makes the directories under `parent` (such as "/tmp" or "/dev/shm"). Dies if it cannot. */
void world_init(struct world *world, const char *parent);
void world_finish(struct world *world);

/* Opens the stage in its role: 0, or the error's code. */
int world_open(struct world *world);
/* As a killed process leaves it: rings stay, the run stays alive if `survivor` (somebody else holds its lock). */
void world_close(struct world *world);

/* The rings, as sequencer and matcher would make them; kept over journaler restarts. */
void world_make_rings(struct world *world);

/* One poll; the clock goes on by a tenth of a millisecond. */
int world_poll(struct world *world);

/* Publishes commands up to number `last`, as far as the ring has room. Returns how many. */
uint64_t world_publish(struct world *world, uint64_t last);
void world_publish_events(struct world *world, uint64_t count);

/* The journaler's cursor. */
uint64_t world_cursor(const struct world *world);

/* Polls until the cursor is at `seq`, at most so many times; the last result. */
int world_poll_until(struct world *world, uint64_t seq);

/* The command that has this number. */
void world_command(uint64_t seq, struct command *command);

/*
 * Reads the journal from command `from` on and compares. Returns the number of the first command that is not there, or
 * the (negative) error; dies if a command differs.
 */
int64_t world_read(struct world *world, uint64_t from);

/* Path of segment n. */
void world_segment_path(const struct world *world, uint32_t number, char path[DISK_PATH_BYTES]);

/* A file into memory and back. */
uint8_t *world_load(const char *path, size_t *ret_bytes);
void world_store(const char *path, const uint8_t *bytes, size_t count);

#endif
