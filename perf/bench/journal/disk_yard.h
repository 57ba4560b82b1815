/*
 * What the disk can do by itself, the yardstick of the journal: writes one after the other, O_DIRECT and O_DSYNC, into
 * a file that was written with zeros before.
 *
 * A stall of the machine is one slow write among many, but all who come while it lasts have to wait. So there are two
 * figures: how long writes take, and how long who comes at any moment would wait if his record went into the next write
 * to begin, as it does where records gather in groups.
 */
#ifndef RINGSIDE_BENCH_DISK_YARD_H
#define RINGSIDE_BENCH_DISK_YARD_H

#include "base/error.h"
#include "base/histogram.h"

#include <stddef.h>

struct disk_yard {
    struct histogram took_ns;    /* of each write */
    struct histogram arrived_ns; /* for who comes at any moment: until the write that begins next is done */
    double bytes_per_s;
    double writes_per_s;
};

/* Writes `bytes` at a time for `seconds`, in a file of `file_bytes` made in `directory` and removed again. */
int disk_yard_measure(struct disk_yard *ret, const char *directory, size_t bytes, size_t file_bytes, double seconds,
                      struct error *error);

#endif
