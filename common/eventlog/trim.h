/*
 * Taking away from the event log what nobody needs: files of earlier trading days.
 *
 *   events-0000000000.log  1,048,576 places --trim--> events-0000000000.log  header, sessions, instruments, days
 *                                     |
 *                                     +--> ARCHIVE/events-0000000000.log, if there is an archive
 *
 * Rules
 *   1. A file may be trimmed if all of its events are before the first that is needed, and all of them are whole. The
 *      last file never is.
 *   2. What is of all time stays, packed behind the header (eventlog_is_kept): who starts learns from it who and what
 *      there is, and the file's name goes on telling that the log has no gap.
 *   3. The trimmed file is made beside the whole one, synced, and then takes its name: a reader sees one or the other.
 * A copy is in the archive before that, synced. Whoever has the whole file open reads on in it.
 *   4. The oldest file first. Killed at any moment, it goes on where it was.
 */
#ifndef RINGSIDE_EVENTLOG_TRIM_H
#define RINGSIDE_EVENTLOG_TRIM_H

#include "base/error.h"
#include "record/event.h"

#include <stdbool.h>
#include <stdint.h>

/* Sessions, instruments, limits and days: what is known from before does not become less true by age. */
bool eventlog_is_kept(const struct event *event);

/* The first event that is at its place, here or in the archive (which may be NULL): all from it on are. */
int eventlog_whole_from(const char *directory, const char *archive, uint64_t *ret_seq, struct error *error);

/*
 * The event by which the newest trading day began; 0: there is none. Looks from the end of the log backwards, so it
 * reads what has happened since.
 */
int eventlog_day_started(const char *directory, uint64_t *ret_seq, struct error *error);

/* The files of the log that hold all their events, and their bytes on disk. */
struct eventlog_extent {
    uint64_t file_first, file_end; /* whole ones; the same: none */
    uint64_t bytes;                /* of all but the last */
};
int eventlog_extent_find(const char *directory, struct eventlog_extent *ret, struct error *error);

struct eventlog_trim {
    const char *directory;
    const char *archive; /* where whole files are copied to first; NULL: nowhere */
    uint64_t needed_seq; /* the first event that is needed */
    bool dry_run;        /* only counts */

    uint32_t count; /* files that were trimmed */
    uint64_t bytes; /* of them */
    uint64_t kept;  /* events that stayed */
};

int eventlog_trim(struct eventlog_trim *trim, struct error *error);

#endif
