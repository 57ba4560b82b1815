/*
 * One TCP connection: its socket, its place in the protocol, and what waits to be sent to it.
 *
 *            accept
 *   FREE ------------> OPEN (session.phase: awaits login, logging in, open)
 *     |                 |  ^
 *     | accept, by TLS  |  | handshake made
 *     +--> SHAKING_HANDS ---+
 *                       |
 *                       | logout, broken rule, time-out, end of file, taken over
 *                       v
 *                    FLUSHING --- all is sent ---> LINGERING --- end of file or a second later ---> FREE
 *
 * Lingering: the writing side is shut down and what still comes in is thrown away, because closing a socket with unread
 * input resets the connection, and the client would lose the packet that says why.
 *
 * Output: bytes from output_head to output_tail are to be sent. The buffer holds whole packets only up to where the
 * socket took them, and is begun anew whenever it runs empty, so an idle connection touches one page of it. Packets
 * that a session's stream is made of are given up when they do not fit (the connection then falls behind and is served
 * from the index later on); the last OUTPUT_RESERVE_BYTES are for the few packets that are not part of a stream.
 */
#ifndef RINGSIDE_GATEWAY_CONNECTION_H
#define RINGSIDE_GATEWAY_CONNECTION_H

#include "base/error.h"
#include "outbound.h"
#include "session.h"

#include <stdbool.h>
#include <stdint.h>

#define CONNECTION_NONE       UINT32_MAX
#define CONNECTION_INDEX_BITS 20
#define OUTPUT_RESERVE_BYTES  1024u

struct member;
struct ssl_st;

enum connection_state {
    CONNECTION_FREE = 0,
    CONNECTION_SHAKING_HANDS, /* TLS is not made yet (handshakes.c): nothing can be told or heard */
    CONNECTION_OPEN,
    CONNECTION_FLUSHING,
    CONNECTION_LINGERING,
};

struct connection {
    uint64_t number; /* unique within the gateway's tenure: a count, then the index; 0: free */
    int fd;
    uint8_t state;      /* enum connection_state */
    bool dirty;         /* is in the list of those with something to send */
    bool blocked;       /* the socket takes no more; waits for it to be writable */
    bool behind;        /* is told its messages from the index, not as they happen */
    struct ssl_st *tls; /* what its bytes go through (tls.h); NULL: nothing */
    uint8_t *output;
    uint32_t output_head;
    uint32_t output_tail;
    struct session session;
    uint32_t stream; /* what it is told: its session's number, or that of a drop copy (copies.h); 0: nothing yet */
    bool limited;    /* its orders are judged by `member` (limits.h) */
    bool any_firm;   /* the engine takes orders of any firm from it: the gateway says which */
    bool stranger;   /* has not asked to log in yet (strangers.c) */
    uint32_t stranger_next; /* its neighbours among those */
    uint32_t stranger_previous;
    uint32_t mistakes;    /* messages of it that could not be understood */
    bool behind_listed;   /* waits for its turn in the list of those that are behind */
    uint32_t behind_next; /* its neighbours there */
    uint32_t behind_previous;
    uint32_t partial_bytes;
    uint8_t *partial;     /* the beginning of a frame whose end has not come yet */
    uint64_t received_ns; /* when it last sent anything */
    uint64_t sent_ns;     /* when anything was last sent to it */
    uint64_t deadline_ns; /* to log in by, or to have lingered until */
    uint32_t heartbeat_ms;
    uint32_t silence_ms;
    struct outbound_cursor cursor; /* while behind: what it is told next */
    uint32_t copied_before;        /* of a drop copy: its messages before the event at the cursor */
    struct session_login login;    /* until it is answered */
    uint32_t login_next;           /* the next connection whose password is to be checked */
    bool login_queued;             /* it waits for that */
    bool login_judged;             /* it was checked: its end is a line in the log of its own */
    bool login_published;          /* the engine knows of it, so it must be told of the end too */
    char firm[FIRM_BYTES];         /* the account's, from the login on */
    const struct member *member; /* what holds for its user, from the login on; changes when settings are read again */
    uint64_t limit_refusals;     /* orders of it that `member` forbade */
    char peer[48];               /* address and port, for the log */
    uint32_t free_next;
};

struct connections {
    struct connection *all;
    uint64_t *look_ns; /* of each: when manners.c looks at it next; apart, so that going over them touches few lines */
    uint8_t *memory;   /* outputs, then partials; touched only where used */
    uint64_t memory_bytes;
    uint32_t count_max;
    uint32_t count;
    uint32_t used_count; /* places that have ever been taken: they are the first ones */
    uint32_t free_first;
    uint32_t output_bytes;
    uint32_t partial_bytes_max;
    uint64_t taken_count;
};

int connections_open(struct connections *connections, uint32_t count_max, uint32_t output_bytes,
                     uint32_t partial_bytes_max, struct error *error);
void connections_close(struct connections *connections);

/* A free one, taken, with a new number; NULL if there is none. */
struct connection *connection_take(struct connections *connections, int fd);

/* Closes the socket and gives the connection back. */
void connection_free(struct connections *connections, struct connection *connection);

static inline uint32_t connection_index(const struct connections *connections, const struct connection *connection)
{
    return (uint32_t)(connection - connections->all);
}

/* The connection with this number, if it is still there, or NULL. */
static inline struct connection *connection_find(struct connections *connections, uint64_t number)
{
    uint32_t index = (uint32_t)number & ((1u << CONNECTION_INDEX_BITS) - 1);
    bool there = number != 0 && index < connections->count_max && connections->all[index].number == number;
    return there ? &connections->all[index] : NULL;
}

/* The user that it asked to log in as, for the log: bytes that are no letters are not the log's to print. */
void connection_user(const struct connection *connection, char user[USER_BYTES + 1]);

/*
 * Room for `bytes` more of output, or NULL. `reserve`: how much must stay free behind them. Moves what is there to the
 * front of the buffer if that helps and costs little.
 */
uint8_t *connection_room_made(struct connections *connections, struct connection *connection, uint32_t bytes,
                              uint32_t reserve);

static inline uint8_t *connection_room(struct connections *connections, struct connection *connection, uint32_t bytes,
                                       uint32_t reserve)
{
    if (connection->output_tail + bytes + reserve <= connections->output_bytes)
        return connection->output + connection->output_tail;
    return connection_room_made(connections, connection, bytes, reserve);
}

/* What has come: a count, 0 at the end, or a negative errno. `bytes`: at least TLS_RECORD_BYTES. */
int64_t connection_receive(struct connection *connection, void *to, size_t bytes);

/*
 * Sends what the socket takes. Returns 0, or a negative errno that ends the connection. Sets blocked if something is
 * left.
 */
int connection_send(struct connection *connection, uint64_t now_ns);

#endif
