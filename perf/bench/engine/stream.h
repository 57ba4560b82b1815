/*
 * Streams of commands in the shapes that matching engines are compared by: half passive limit orders around a moving
 * middle, 40 % cancels of any live order, 10 % orders that cross; as many live orders throughout as the shape says.
 *
 * A stream is made by an engine of its own, so it knows what lives, and with the hash of all events it must give.
 */
#ifndef RINGSIDE_BENCH_STREAM_H
#define RINGSIDE_BENCH_STREAM_H

#include "base/error.h"
#include "ringside_engine.h"

#include <stdbool.h>
#include <stdint.h>

struct shape {
    const char *name;
    uint32_t live_orders;
    uint32_t instruments;
    double distance_mean; /* ticks from the middle to a passive order */
    uint32_t distance_max;
    int32_t middle; /* price around which the middle moves */
    int32_t middle_range;
    uint32_t middle_moves_every; /* commands, about */
};

#define SHAPE_COUNT 4
extern const struct shape shapes[SHAPE_COUNT];

struct stream {
    const struct shape *shape;
    struct engine_limits limits;
    struct command *commands; /* command n at n - 1 */
    uint64_t warm_count;      /* those that build the book up */
    uint64_t count;           /* all */
    uint64_t event_count;     /* of those after the warm ones */
    uint64_t event_seq_next;  /* at the end */
    uint64_t event_hash;
    uint64_t trade_count;
    size_t mapped_bytes;
};

int stream_open(struct stream *stream, const struct shape *shape, uint64_t commands, uint64_t seed, bool report_tops,
                struct error *error);
void stream_close(struct stream *stream);

/* Anonymous memory in huge pages where there are any; NULL if there is none. */
void *stream_memory(size_t bytes);

#endif
