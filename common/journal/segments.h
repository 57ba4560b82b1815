/* The segments of a journal's directory: which there are, and what their headers say. */
#ifndef RINGSIDE_JOURNAL_SEGMENTS_H
#define RINGSIDE_JOURNAL_SEGMENTS_H

#include "base/error.h"
#include "env/disk.h"
#include "journal/journal_layout.h"

struct journal_segments {
    uint32_t count;
    uint32_t room;
    uint32_t *numbers; /* ascending */
    bool out_of_memory;
};

void journal_segment_path(const char *directory, uint32_t number, char path[DISK_PATH_BYTES]);

/* ERROR_NOT_YET: no such directory. journal_segments_finish is due after success. */
int journal_segments_list(struct journal_segments *ret, const char *directory, struct error *error);
void journal_segments_finish(struct journal_segments *segments);

enum journal_segment_state {
    SEGMENT_NONE,    /* no file */
    SEGMENT_BLANK,   /* prepared, not begun: its header is all zero, not there, or an older segment's */
    SEGMENT_DAMAGED, /* its header is neither blank nor whole: torn, or corrupt */
    SEGMENT_BEGUN,
};

/*
 * Opens segment `number` for reading and reads its header into *header. Returns the state, or a negative error: an
 * unreadable version is ERROR_MISMATCH. *ret_file is open (to be closed by the caller) unless the state is
 * SEGMENT_NONE. *ret_why names the failing check of a damaged header.
 */
int journal_segment_open(const char *directory, uint32_t number, int *ret_file, struct journal_segment_header *header,
                         const char **ret_why, struct error *error);

/* Which journal this is, by the header of its newest segment that has begun. ERROR_NOT_YET: there is none. */
int journal_instance_read(const char *directory, uint8_t ret_instance[16], struct error *error);

#endif
