/*
 * Writing a snapshot beside other work, a part a call, so that whoever paces the calls paces the disk.
 *
 *   begin (copies the engine: milliseconds) --> step ... step --> publish (gives it its name)
 *
 * The file has its name only when all of it is on the medium. One writer a directory: whoever calls sees to that.
 */
#ifndef RINGSIDE_MATCHER_SNAPSHOT_WRITER_H
#define RINGSIDE_MATCHER_SNAPSHOT_WRITER_H

#include "base/error.h"
#include "env/disk.h"
#include "ringside_engine.h"

#include <stdbool.h>

#define SNAPSHOT_STEP_BYTES ((size_t)4 << 20)

struct snapshot_writer {
    char directory[DISK_PATH_BYTES];
    int file;       /* -1: nothing is being written */
    uint8_t *image; /* header and image, as they go to disk */
    size_t image_room;
    size_t bytes;
    size_t written;
    uint64_t command_seq_next; /* of the snapshot at hand */
    uint64_t event_seq_next;
};

/* Makes the directory if need be. */
int snapshot_writer_open(struct snapshot_writer *writer, const char *directory, struct error *error);

/* Copies the engine as it is now, between two commands. */
int snapshot_writer_begin(struct snapshot_writer *writer, const struct engine *engine, const uint8_t instance[16],
                          uint64_t now_realtime_ns, struct error *error);

/* Writes the next part. 1: all is on the medium; 0: there is more; negative: dropped. */
int snapshot_writer_step(struct snapshot_writer *writer, struct error *error);

/* After a step that returned 1. */
int snapshot_writer_publish(struct snapshot_writer *writer, struct error *error);

static inline bool snapshot_writer_busy(const struct snapshot_writer *writer)
{
    return writer->file >= 0;
}

/* Drops what is being written; accepts zeros. */
void snapshot_writer_close(struct snapshot_writer *writer);

#endif
