/*
 * How far each store has the events for good: a small file beside the event log, written by the persister, read by who
 * trims the log. It is a hint that is never too high: a store's own mark is what counts, and a file that is missing or
 * not understood means that a store needs everything.
 *
 *   stores.marks      postgres 1234567
 *                     redis 1234600
 */
#ifndef RINGSIDE_EVENTLOG_STORE_MARKS_H
#define RINGSIDE_EVENTLOG_STORE_MARKS_H

#include "base/error.h"

#include <stdint.h>

struct store_marks {
    uint64_t postgres_seq; /* all up to it are on PostgreSQL's disk, of both writers; 0: not known */
    uint64_t redis_seq;    /* all up to it were taken by Redis; 0: not known */
};

/* Under another name first, so that a reader finds one or the other. */
int store_marks_write(const char *directory, const struct store_marks *marks, struct error *error);

/* No file, or one that is not understood: zeros. */
int store_marks_read(struct store_marks *ret, const char *directory, struct error *error);

#endif
