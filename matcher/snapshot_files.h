/*
 * The snapshots of a directory: which there are, reading one into the books, taking away the old ones. Writing them is
 * in snapshot_writer.h. Files are used through env/disk.h; nothing here logs.
 */
#ifndef RINGSIDE_MATCHER_SNAPSHOT_FILES_H
#define RINGSIDE_MATCHER_SNAPSHOT_FILES_H

#include "books.h"
#include "env/disk.h"
#include "snapshot_layout.h"

#include <stdbool.h>

#define SNAPSHOTS_MAX 64 /* looked at; the newest ones */

struct snapshot_list {
    uint32_t count;
    uint64_t seqs[SNAPSHOTS_MAX]; /* command_seq_next of each by its name, newest first */
};

void snapshot_path(const char *directory, uint64_t command_seq_next, char path[DISK_PATH_BYTES]);

/* Where it is written until it is whole; readers and listings pass over it. */
void snapshot_undone_path(const char *directory, uint64_t command_seq_next, char path[DISK_PATH_BYTES]);

/* An absent directory holds none. */
int snapshot_list_read(struct snapshot_list *ret, const char *directory, struct error *error);

/* Reads and checks the header alone. ERROR_CORRUPT or ERROR_MISMATCH name the failing check. */
int snapshot_header_read(struct snapshot_header *ret, const char *directory, uint64_t command_seq_next,
                         struct error *error);

/*
 * Fills empty books from a snapshot, whose header goes into *ret, and checks the hashes. ERROR_CORRUPT, ERROR_MISMATCH:
 * it is damaged or of another version, journal or size; the books must be emptied before they are used again.
 */
int snapshot_load(struct books *books, struct snapshot_header *ret, const char *directory, uint64_t command_seq_next,
                  const uint8_t instance[16], struct error *error);

/* What a prune leaves. */
struct snapshot_kept {
    uint32_t count;
    const uint8_t *instance; /* of the journal */
    uint64_t events_synced;  /* events below this one are on the medium in the event log */
};

/*
 * Removes what is older than the newest `count` that are of this journal and whose events are synced, and what a writer
 * that was killed left behind. (A loss of power takes events that are not, and leaves newer snapshots of no use: were
 * they counted, those that the journal was trimmed by would be gone.) Returns how many it removed.
 */
int snapshot_prune(const char *directory, const struct snapshot_kept *kept, struct error *error);

#endif
