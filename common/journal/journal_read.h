/*
 * Reading the journal: commands in order, verified. Used by the matcher's recovery, by the journaler's own opening and
 * by every tool. Reads plain files; needs no running stage.
 *
 * A reader stops at `durable_end` when it is given one (a live journal: never read past the durable cursor), else at
 * the last whole batch. It tells the torn tail of a crash (ends there, and says where) from corruption (ERROR_CORRUPT
 * with file, offset and the check that failed): a bad batch is corrupt if anything later proves that it was
 * acknowledged.
 */
#ifndef RINGSIDE_JOURNAL_READ_H
#define RINGSIDE_JOURNAL_READ_H

#include "base/error.h"
#include "record/command.h"

#include <stdint.h>

struct journal_batch_header;
struct journal_segment_header;
struct journal_reader; /* allocates at open only */

struct journal_position {
    uint64_t command_seq_next; /* 1 for an empty journal */
    uint64_t last_time_ns;
    uint64_t chain;          /* chain value after the last whole batch */
    uint32_t epoch;          /* highest epoch seen; 0: no segment */
    uint32_t segment;        /* number of the last segment; 0: none */
    uint64_t segment_offset; /* where in it the next batch would go */
    uint64_t events_synced;  /* events before this were durable in the event log by then */
    uint8_t instance[16];    /* the journal's identity */
    uint64_t torn_bytes;     /* bytes of an unfinished batch after that, cut by whoever opens for writing; 0: clean */
};

/* Opens at the segment that holds command from_seq (1 or more). ERROR_NOT_YET: there is no journal in directory. */
int journal_reader_open(struct journal_reader **ret_reader, const char *directory, uint64_t from_seq,
                        struct error *error);

/* The same at the oldest segment there is, from its beginning: for who goes through all of the journal. */
int journal_reader_open_oldest(struct journal_reader **ret_reader, const char *directory, struct error *error);

/* From here on a thread reads ahead (ahead.h). For tools that go through a long journal. */
int journal_reader_read_ahead(struct journal_reader *reader, struct error *error);

/*
 * Reads the next commands, at most `max`, none with a sequence of `durable_end` or more (0: no limit) into `commands`.
 * Heads are zero. Returns how many (0: none now), or a negative error. Verified batch by batch before the first is
 * given.
 */
int journal_reader_next(struct journal_reader *reader, struct command *commands, uint32_t max, uint64_t durable_end,
                        struct error *error);

/*
 * The same a batch at a time: goes on to the next batch (what was not read of the one at hand is left out), verifies it
 * and gives its header, which is good until the next call. 1: there is one, with no records perhaps; 0: none now.
 */
int journal_reader_batch(struct journal_reader *reader, uint64_t durable_end,
                         const struct journal_batch_header **ret_header, struct error *error);

/* Reads commands of the batch at hand, at most `max`; 0: no more of them. */
int journal_reader_records(struct journal_reader *reader, struct command *commands, uint32_t max, struct error *error);

/* The number of the record of the batch at hand that is given next; behind the batch if there are no more. */
uint64_t journal_reader_seq(const struct journal_reader *reader);

/* The header of the segment that the reader is in. */
const struct journal_segment_header *journal_reader_segment(const struct journal_reader *reader);

/* Where the reader stands; after a return of 0 with no durable_end: the end of the journal. */
void journal_reader_position(const struct journal_reader *reader, struct journal_position *position);

/* What the newest batch read or looked at says of others: what was on the medium when it was written, and of the
 * engine. */
struct journal_witness {
    uint64_t durable_seq;            /* commands below were on the medium; 0: no batch was read */
    uint64_t events_synced;          /* events below were */
    uint64_t checkpoint_command_seq; /* 0: none yet */
    uint64_t checkpoint_event_hash;
    uint64_t checkpoint_state_hash; /* 0: not known */
};
/*
 * Looks at the batches without commands that lie where the reader stands at the end: they are witnesses of all before
 * them, even if they are cut later (a dead process's write that landed late), so the reader does not go over them.
 * 1: there is one; 0: there is none; negative: could not read.
 */
int journal_reader_seal(struct journal_reader *reader, struct error *error);

void journal_reader_witness(const struct journal_reader *reader, struct journal_witness *ret);

void journal_reader_close(struct journal_reader *reader);

#endif
