/*
 * Notes of how far the streams were at some events, kept beside the rings: a gateway that is killed begins from one
 * instead of from the day's first event, and who asks for messages that are no longer indexed is looked for from one.
 *
 * A file, "gateway-N.notes": a head, and NOTES_COUNT places for notes. Note n is made when `every` x n events have gone
 * by, and lies in the place of n's lowest bit that is set: so the two newest are in different places, and there is
 * always one about half as old, a quarter, and so on. It says what is known when all events before a number have been
 * applied: the day, each stream's next message, instruments, and whom drop copies watch.
 *
 * Rules
 *   1. One process writes it, that gateway; nobody else reads it.
 *   2. A note outlives its run, so each holds the checksum of the last event before it. Whoever opens the file has the
 *      notes checked against the event log (notes_check); one that is not borne out, or of another history, goes.
 *   3. A note that was being written when its writer was killed has no event number, and is none.
 *   4. Made anew if the sizes or the drop copies' definitions are others. Nothing depends on it: a gateway without one
 *      reads the events of the day, from the first.
 */
#ifndef RINGSIDE_GATEWAY_NOTES_H
#define RINGSIDE_GATEWAY_NOTES_H

#include "base/error.h"
#include "copies.h"
#include "instruments.h"
#include "outbound.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTES_COUNT 16u

struct note_stream {
    uint64_t last_event_seq;
    uint32_t message_next;
    uint32_t reserved0;
};

struct note {
    _Atomic uint64_t event_seq; /* all events before this one; 0: none is here */
    uint64_t day_event_seq;
    uint64_t midnight_ns;
    uint32_t date; /* 0: no day yet */
    uint32_t day_open;
    uint32_t instrument_count;
    uint32_t last_sum;     /* crc32c of the body of the last event before it, */
    uint64_t last_time_ns; /* and its time */
    uint64_t reserved0[2];
    /* then the streams, the instruments and, if there are drop copies, the sessions that they watch */
};
_Static_assert(sizeof(struct note_stream) == 16, "no padding");
_Static_assert(sizeof(struct note) == 64, "no padding, and what follows begins a line");

/* What is noted. The tables are the gateway's own. */
struct noted {
    struct outbound *outbound;
    struct instruments *instruments;
    struct copies *copies;
    uint64_t *midnight_ns;
    uint32_t *date;
    bool *day_open;
};

struct notes {
    struct notes_file *file; /* NULL: there is none */
    size_t bytes;
    size_t note_bytes;
    uint64_t every;
    uint64_t count; /* number of the newest note */
    struct noted noted;
};

/* The file as it is, or made anew. */
int notes_open(struct notes *notes, const char *path, uint64_t every, const struct noted *noted, struct error *error);
void notes_close(struct notes *notes);

/* Gives the event of this number, or NULL: it cannot be had. */
typedef const struct event *notes_reader(void *argument, uint64_t event_seq);

/* Takes away the notes whose last event is not what `reader` gives. */
void notes_check(struct notes *notes, notes_reader *reader, void *argument);

/* This event has been applied, and all before it: notes it, if it is time. */
void notes_write(struct notes *notes, const struct event *last);

static inline void notes_pass(struct notes *notes, const struct event *last)
{
    if (notes->file && (last->event_seq + 1) / notes->every > notes->count)
        notes_write(notes, last);
}

/*
 * Begins with the newest note that leaves at least `every` of the events below event_end to be read, so that what was
 * told last is indexed. Returns the first of them; 1, and nothing has changed, if there is no such note.
 */
uint64_t notes_restore(struct notes *notes, uint64_t event_end);

/*
 * Where to begin to look for a message of today: the last event that is known to be at or before it. *ret_message_no:
 * the first of the stream's messages from there on. 0: no note says.
 */
uint64_t notes_before(const struct notes *notes, uint32_t stream, uint32_t message_no, uint32_t *ret_message_no);

#endif
