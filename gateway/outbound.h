/*
 * The index of what each session has been told: message number -> number of the event it is made from. It holds no
 * message: a message is made again from its event (encode.h), which is in the event ring or the event log.
 *
 * Memory: a pool of 256-byte chunks, taken in turn and used for ever. A chunk holds the numbers of consecutive messages
 * of one session, the first in full and each other as the distance to the one before, in LEB128: one byte where less
 * than 128 events lie between two messages of a session, two below 16,384. The pool is memory, or a mapped file that
 * the kernel may write out.
 *
 * Rules
 *   1. Messages are appended in order, from 1 without gaps; event numbers never go back (a trade with oneself is two
 *      messages of one event).
 *   2. When the pool has gone round, the oldest chunk is taken from its session, whoever that is. So what is indexed of
 *      a session is a suffix of its messages; for what is before it, outbound_seek says where to begin to look instead.
 *   3. A new trading day clears everything: numbers begin at 1 again.
 *   4. It can be made again from the event log, so nothing here is ever synced.
 *
 * Allocates at open only.
 */
#ifndef RINGSIDE_GATEWAY_OUTBOUND_H
#define RINGSIDE_GATEWAY_OUTBOUND_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTBOUND_CHUNK_BYTES 256
#define OUTBOUND_NONE        UINT32_MAX

struct outbound_session {
    uint64_t last_event_seq; /* of the newest message */
    uint32_t message_next;   /* number of the next message, from 1 */
    uint32_t first_indexed;  /* number of the oldest message still indexed; message_next if there is none */
    uint32_t first_slot;     /* chunk of first_indexed, OUTBOUND_NONE if there is none */
    uint32_t last_slot;
    uint32_t first_ordinal; /* chunks of a session are counted from 0; this is the oldest still there */
    uint32_t ordinal_next;
};

struct outbound_chunk;

struct outbound {
    struct outbound_chunk *chunks;
    struct outbound_session *sessions;
    size_t chunk_bytes_total;
    uint32_t chunk_count;
    uint32_t chunk_turn;    /* the chunk to take next */
    uint32_t session_count; /* sessions are numbered from 1 to session_count */
    uint64_t taken_count;   /* chunks taken since the day began */
    uint64_t evicted_count;
    uint64_t day_event_seq; /* no message of this day is made from an event before this one */
};

/* A place in a session's messages, moving forward. */
struct outbound_cursor {
    uint64_t event_seq; /* of message_no - 1, or where the day begins */
    uint32_t session;
    uint32_t message_no; /* what outbound_cursor_next gives */
    uint32_t slot;       /* chunk of message_no; OUTBOUND_NONE: not looked up */
    uint32_t ordinal;
    uint16_t used; /* bytes of the chunk gone through */
    uint16_t count;
};

/* path: the file to map for the pool, made or emptied; NULL or "": memory. */
int outbound_open(struct outbound *outbound, uint32_t session_count, size_t pool_bytes, const char *path,
                  struct error *error);
void outbound_close(struct outbound *outbound);

/* A new trading day, whose first event has this number. */
void outbound_clear(struct outbound *outbound, uint64_t day_event_seq);

/* A session that has had messages below message_next, the last of them made from last_event_seq; none is indexed. */
void outbound_begin(struct outbound *outbound, uint32_t session, uint32_t message_next, uint64_t last_event_seq);

/* NULL, or the rule that this message breaks (it is then not taken). */
const char *outbound_append(struct outbound *outbound, uint32_t session, uint32_t message_no, uint64_t event_seq);

/* Number of the next message of a session; 1 for one that has had none. */
uint32_t outbound_message_next(const struct outbound *outbound, uint32_t session);

/* Puts the cursor before `message_no`, which is from 1 to message_next. */
void outbound_seek(const struct outbound *outbound, struct outbound_cursor *cursor, uint32_t session,
                   uint32_t message_no);

enum outbound_found {
    OUTBOUND_FOUND,   /* *ret_event_seq is the event of cursor->message_no, and the cursor has moved on */
    OUTBOUND_END,     /* message_no is the next message, not there yet */
    OUTBOUND_EVICTED, /* no longer indexed: it is made from the first fitting event from cursor->event_seq on */
};
enum outbound_found outbound_cursor_next(const struct outbound *outbound, struct outbound_cursor *cursor,
                                         uint64_t *ret_event_seq);

/* For OUTBOUND_EVICTED: message_no has been found by looking, in event event_seq. */
void outbound_cursor_found(struct outbound_cursor *cursor, uint64_t event_seq);

#endif
