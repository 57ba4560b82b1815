/* The inside of a journal reader, shared by the files of common/journal. */
#ifndef RINGSIDE_JOURNAL_READER_H
#define RINGSIDE_JOURNAL_READER_H

#include "env/disk.h"
#include "journal/journal_codec.h"
#include "journal/journal_read.h"

#include <stdbool.h>

struct journal_ahead;

struct journal_reader {
    char directory[DISK_PATH_BYTES];
    uint64_t from_seq; /* commands before it are read over */

    struct journal_segment_header segment;
    int file;
    struct journal_cursor cursor;     /* where the next batch is due */
    struct journal_batch_header last; /* the last whole one; magic 0: none yet */
    struct journal_batch_header seal; /* one that was looked at and not gone over; magic 0: none */
    uint64_t last_time_ns;
    uint64_t torn_bytes;
    uint64_t searched_offset; /* the end at which a proof was looked for already; 0: none */

    bool next_known; /* the segment after this one is open */
    int next_file;
    struct journal_segment_header next;
    uint64_t
        none_before_seq; /* there was none when all below this was durable; UINT64_MAX: with no durable_end given */

    struct journal_ahead *ahead; /* NULL: the reader reads for itself */
    uint8_t *window;             /* part of the segment's file */
    size_t window_room;
    size_t window_count;
    uint64_t window_offset;

    const uint8_t *record; /* next record of the batch that is being given out */
    const uint8_t *record_end;
    uint64_t record_seq;
    uint32_t record_count;
};

/* Makes the window large enough for any batch of the segment. What it held is lost if it has to grow. */
int journal_reader_fit_window(struct journal_reader *reader, struct error *error);

/*
 * Goes on to the next batch and verifies it. 1: its records are next; 0: there is none; negative: see
 * journal_reader_next.
 */
int journal_reader_step(struct journal_reader *reader, uint64_t durable_end, struct error *error);

#endif
