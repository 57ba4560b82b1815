/*
 * The journal open for writing: batches in, an acknowledged number out. All through one disk queue and without waiting.
 *
 *            journal_add            journal_submit             completion
 *   command ------------> filling ----------------> in flight ------------> acknowledged
 *
 * Rules
 *   1. One batch is in flight at a time; what arrives meanwhile gathers in the other buffer. That is the group commit.
 *   2. sync: a batch is acknowledged when it is on the medium. write: when the kernel has it. off: when it is filled.
 *   3. A write or sync that fails or is short ends the journal at once, with ERROR_IO. Nothing is tried again and
 * nothing after it is acknowledged.
 *   4. The next segment (the spare) is a trimmed one's file used anew, else it is made and zero-written ahead of use,
 *      one chunk at a time, at the pace of the batches that makes it ready a little before the current one is used up,
 *      or freely when there are none. Its name is durable before any of it is used. If the current one is used up
 *      before, the spare is taken as it is.
 *   5. No space for a spare: an alarm, and again every second. When the current segment is used up too, nothing is
 *      taken any more until there is space.
 *   6. When nothing comes for a while, an empty batch seals the last one; another tells that the event log's end is on
 *      the medium.
 *
 * open_journal.c opens and closes, write.c takes batches through, spare.c makes the next segment.
 */
#ifndef RINGSIDE_JOURNALER_JOURNAL_H
#define RINGSIDE_JOURNALER_JOURNAL_H

#include "base/error.h"
#include "batch.h"
#include "config/config.h"
#include "env/disk.h"
#include "journal/segments.h"
#include "journal/tail.h"
#include "metrics/values.h"

#include <stdbool.h>

/* Tags of the queue's requests. What is JOURNAL_TAGS or more belongs to others that share the queue. */
enum journal_tag {
    TAG_BATCH,
    TAG_SPARE,           /* one request for the spare's file */
    TAG_SPARE_DIRECTORY, /* the spare's name */
    TAG_LAZY_SYNC,       /* write and off: brings the medium up to date behind the acknowledgements */
    JOURNAL_TAGS,
};

#define SPARE_CHUNK_BYTES ((size_t)128 << 10) /* zero-written at once; see spare.c */

enum spare_state {
    SPARE_NONE,
    SPARE_RESERVING, /* allocating its space */
    SPARE_NAMING,    /* syncing its size and its name; from here on it can be used in need */
    SPARE_ZEROING,
    SPARE_SYNCING,
    SPARE_READY,
};

struct spare {
    enum spare_state state;
    int file;
    uint32_t number;
    uint32_t in_flight; /* requests */
    uint64_t bytes;
    uint64_t zeroed;  /* bytes from 0 on */
    uint64_t credit;  /* bytes that may be zeroed while batches flow */
    uint64_t try_ns;  /* when to try again */
    bool recycled;    /* an older segment's file, used anew */
    bool failed_full; /* a request found no space; the others are waited for */
    bool no_space;    /* the alarm is on */
    const void *zeros;
};

struct journal_segment_file {
    struct journal_segment_header header;
    int file;
    uint64_t offset; /* where the next batch goes */
};

struct journal {
    char directory[DISK_PATH_BYTES];
    enum config_durability durability;
    uint64_t segment_bytes; /* of a full-sized segment */
    uint64_t batch_bytes;
    int directory_file;
    struct disk_queue *queue;
    uint8_t *memory; /* two batch buffers and a chunk of zeros */

    struct journal_segment_file current;
    struct spare spare;

    struct batch batches[2];
    uint32_t filling; /* index of the batch being filled; the other one is in flight or free */
    bool in_flight;
    bool segment_began;       /* the batch in flight is the first of its segment */
    uint64_t in_flight_bytes; /* of the request */

    uint64_t chain;               /* after the last submitted batch */
    uint64_t last_time_ns;        /* of the last submitted command */
    uint64_t acknowledged_seq;    /* numbers below have been written as the durability asks (off: see below) */
    uint64_t durable_seq;         /* numbers below are on the medium */
    uint64_t acknowledged_offset; /* of the current segment; 0: nothing of it */
    uint64_t durable_offset;      /* of the current segment; 0: nothing of it */
    uint64_t active_ns;           /* when a batch was last submitted or completed */
    bool sealed;                  /* nothing was written since the last seal */

    /* write and off: what the sync in flight will have made durable */
    bool lazy_in_flight;
    uint64_t lazy_next_ns;
    uint64_t lazy_seq;
    uint64_t lazy_offset; /* of the current segment as it was then */
    bool lazy_retires;    /* it is of the segment before, and all of that */
    int retiring;         /* file of the segment before, which must be synced before the current one counts; -1: none */

    /* what goes into the headers from elsewhere */
    uint64_t events_synced;
    uint64_t events_told; /* events_synced of the last submitted batch */
    struct journal_checkpoint checkpoint;

    uint64_t batch_count;
    uint64_t byte_count;
    uint64_t hold_count; /* times nothing could be taken for want of a segment */
    bool held;           /* a batch waits for a segment */
    bool stopping;       /* seal at once when nothing is left */

    struct journaler_values *values; /* NULL: nothing is measured */
    uint64_t submitted_ns;           /* the batch in flight, with metrics */
};

/* ---- opening (open_journal.c) ---- */

/* What was found, for the log and for the run. */
struct journal_found {
    struct journal_end end;
};

/*
 * Reads to the journal's end; changes nothing. The caller may then look at what else is known of that end, and goes on
 * with journal_begin.
 */
int journal_prepare(struct journal *journal, const struct config *config, struct journal_found *found,
                    struct error *error);

/*
 * Syncs the recovered tail, removes what had not begun, and begins a segment with a new epoch. Returns when that is
 * durable.
 */
int journal_begin(struct journal *journal, const struct journal_found *found, uint64_t now_ns, struct error *error);
void journal_close(struct journal *journal);

/* ---- writing (write.c) ---- */

/* Whether another command can be taken now. */
static inline bool journal_has_room(const struct journal *journal)
{
    return batch_has_room(&journal->batches[journal->filling]);
}

/* Takes the command with the number journal_seq_next; there must be room. */
static inline void journal_add(struct journal *journal, const struct command *command)
{
    batch_add(&journal->batches[journal->filling], command);
}

static inline uint64_t journal_seq_next(const struct journal *journal)
{
    return batch_seq_next(&journal->batches[journal->filling]);
}

/* Numbers below this are acknowledged, as far as the durability asks. */
static inline uint64_t journal_acknowledged(const struct journal *journal)
{
    return journal->durability == DURABILITY_OFF ? journal_seq_next(journal) : journal->acknowledged_seq;
}

/* Submits what is filled if nothing is in flight. */
int journal_submit(struct journal *journal, uint64_t now_ns, struct error *error);

/* Takes one completion that has a tag of the journal. */
int journal_complete(struct journal *journal, const struct disk_completion *completion, uint64_t now_ns,
                     struct error *error);

/* The work beside the path: spare, seal, lazy sync. */
int journal_tend(struct journal *journal, uint64_t now_ns, struct error *error);

/* Asked to end: everything taken is written and sealed, or cannot be for want of space. */
bool journal_settled(const struct journal *journal);

/* ---- segments (spare.c) ---- */

/* Goes on with making the spare. */
int spare_tend(struct journal *journal, uint64_t now_ns, bool idle, struct error *error);
int spare_complete(struct journal *journal, const struct disk_completion *completion, uint64_t now_ns,
                   struct error *error);

/* So many bytes of batches are being written: how many of the spare may be. */
void spare_pace(struct journal *journal, uint64_t bytes);

/* Whether the spare can become the current segment now. */
bool spare_usable(const struct spare *spare);

/* Gives up what was begun of the spare; nothing of it is in flight. */
void spare_drop(struct journal *journal);

/* Creates the file of a segment; the space is not reserved yet. */
int segment_create(const struct journal *journal, uint32_t number, int *ret_file, struct error *error);

/* Or takes an older one's, which needs neither reserving nor zeros. 1: there was one; 0: there is none. */
int segment_recycle(const struct journal *journal, uint32_t number, int *ret_file, struct error *error);

#endif
