/*
 * What the disk can do by itself, the yardstick of the journal: writes one after the other, O_DIRECT and O_DSYNC, into
 * a file that was written with zeros before.
 */
#ifndef RINGSIDE_BENCH_DISK_YARD_H
#define RINGSIDE_BENCH_DISK_YARD_H

#include "base/error.h"
#include "base/histogram.h"

#include <stddef.h>

struct disk_yard {
    struct histogram took_ns; /* of each write */
    double bytes_per_s;
    double writes_per_s;
};

/* Writes `bytes` at a time for `seconds`, in a file of `file_bytes` made in `directory` and removed again. */
int disk_yard_measure(struct disk_yard *ret, const char *directory, size_t bytes, size_t file_bytes, double seconds,
                      struct error *error);

#endif
