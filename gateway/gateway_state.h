/*
 * What the files of the gateway share. Each group below says which file it belongs to; the others read it and call that
 * file's functions.
 *
 *   join.c      the run, the rings, catching up         follow.c   events: instruments, days, messages to sessions
 *   network.c   sockets, pollers                        login.c    passwords, logins and their answers
 *   inbound.c   bytes -> commands -> the inbound ring   behind.c   messages for connections that have fallen behind
 *   limits.c    orders that a member may not send       settings.c accounts and members' settings, read and read again
 *   strangers.c those that have not asked to log in     handshakes.c TLS, until it is made
 *   manners.c   heartbeats and time-outs                gateway.c  the poll that calls them in turn
 *   counts.c    what the metrics file tells
 */
#ifndef RINGSIDE_GATEWAY_STATE_H
#define RINGSIDE_GATEWAY_STATE_H

#include "accounts.h"
#include "base/error.h"
#include "connection.h"
#include "copies.h"
#include "env/net.h"
#include "eventlog/eventlog.h"
#include "instruments.h"
#include "members.h"
#include "metrics/hops.h"
#include "metrics/values.h"
#include "notes.h"
#include "outbound.h"
#include "rate.h"
#include "ring/ring.h"
#include "stage/stage.h"

#include <stdbool.h>
#include <stdint.h>

#define READ_BYTES      ((size_t)32 * KIB) /* of one socket at a time */
#define FOLLOWED_EVENTS 256u               /* copied from the ring at a time */
#define WINDOW_EVENTS   64u                /* read at a time for a connection that is behind */
#define INBOUND_WANTED  64u                /* free slots of the inbound ring below which no socket is read */
#define OUT_MARKS_MAX   64u                /* messages of one poll whose time is taken */

/* What pollers give back for what is no connection. */
#define NUMBER_LISTENER   UINT64_MAX
#define NUMBER_WRITABLE   (UINT64_MAX - 1)
#define NUMBER_HANDSHAKES (UINT64_MAX - 2)

enum gateway_phase {
    GATEWAY_JOINING,     /* the run is not there yet */
    GATEWAY_ATTACHING,   /* the event ring is not there yet */
    GATEWAY_CATCHING_UP, /* going through the events there were */
    GATEWAY_AT_WORK,
};

/* What an ended connection leaves for the engine to be told, once the ring has room. */
struct pending_logout {
    uint64_t connection;
    uint32_t session;
    uint8_t reason;
    char user[USER_BYTES];
};

/* The bytes read last. Those of one socket at a time; they stay here while the inbound ring is full. */
struct gateway_input {
    uint8_t *buffer;
    struct connection *connection; /* whose bytes they are; NULL: nobody's */
    uint32_t offset;
    uint32_t count;
    uint32_t received_ns_low;
};

struct gateway_counts {
    uint64_t commands, messages, messages_behind, logins, login_refusals, connections, complaints, broken, stalls,
        limit_refusals, strangers_closed, unread_closed, mistaken_closed, untold, bytes_in, bytes_out, reads, sends,
        handshakes, handshakes_failed, handshakes_refused, ends_unjudged;
};

/* The stamps of an event that this poll tells of. */
struct out_mark {
    uint32_t received_ns_low;
    uint32_t published_ns_low;
};

/* Grouped by the file that a field belongs to; there is one of it. */
struct gateway { // NOLINT(clang-analyzer-optin.performance.Padding)
    const struct config *config;
    struct run *run;
    uint32_t gateway;
    enum gateway_phase phase;
    bool stopping;
    uint64_t stop_deadline_ns;
    struct gateway_counts counts;

    /* join.c */
    struct ring inbound_ring;
    struct ring event_ring;
    struct ring_producer producer;
    uint32_t tenure;
    bool tenure_announced;
    struct event_follower follower;
    bool follower_open;

    /* network.c */
    int poller;          /* everything that is waited for */
    int writable_poller; /* sockets that took no more, itself in the one above: all that is looked at while stalled */
    int listener;
    bool listening;
    uint64_t listen_again_ns; /* out of descriptors: not before */
    uint64_t ready[NET_READY_MAX];
    uint32_t ready_next;
    uint32_t ready_count;
    struct connections connections;
    uint32_t *dirty; /* indexes of connections with something to send */
    uint32_t dirty_count;
    uint64_t end_told_ns[2]; /* when the log was last told of the end of one without a password looked at: of those that
                                did not ask to log in, of those that did */

    /* inbound.c */
    struct gateway_input input;
    bool stalled;                   /* the inbound ring is full */
    uint64_t stall_end_ns;          /* when it last was */
    struct pending_logout *logouts; /* a queue of connections_max places */
    uint32_t logout_first;
    uint32_t logout_count;

    /* follow.c */
    struct event events[FOLLOWED_EVENTS];
    uint32_t event_count; /* of them, those read last */
    struct instruments instruments;
    struct outbound outbound;
    struct notes notes;
    uint32_t *stream_connection; /* by session number, and behind those by drop copy: index of its connection */
    struct copies copies;
    uint64_t midnight_ns;
    uint32_t date; /* the trading day; 0: none yet */
    bool day_open;
    bool day_torn; /* a part of its events was trimmed, so it is over: nobody asks for its messages again */

    /* behind.c */
    struct eventlog_reader *log;
    struct event window[WINDOW_EVENTS];
    uint64_t window_first;
    uint32_t window_count;
    uint32_t behind_first; /* list of connections that are behind */
    uint32_t behind_last;
    uint32_t behind_read; /* events read for them in this poll, see READ_PER_POLL */

    /* settings.c */
    struct accounts accounts;
    struct members members;

    /* limits.c */
    uint64_t *port_full_ns; /* by session number: its bucket of orders (rate.h) */
    struct rate_table rates;

    /* login.c */
    struct rate_table failures; /* wrong passwords by address and by user */
    struct rate failure_rate;
    uint32_t login_first; /* queue of connections whose password is to be checked */
    uint32_t login_last;

    /* strangers.c */
    uint32_t strangers_max;
    uint32_t stranger_count;
    uint32_t stranger_first; /* list, the oldest first */
    uint32_t stranger_last;
    uint64_t strangers_told_ns; /* when the log was last told of some that were closed */

    /* counts.c */
    struct gateway_values *values;  /* NULL: nothing is measured */
    struct hop_sampler in_sampler;  /* by inbound sequence */
    struct hop_sampler out_sampler; /* by event number */
    struct out_mark out_marks[OUT_MARKS_MAX];
    uint32_t out_mark_count;
    uint32_t session_count; /* connections that are logged in */

    /* handshakes.c */
    struct ssl_ctx_st *tls; /* NULL: no TLS */
    int tls_listener;
    int handshake_poller;         /* that listener and those shaking hands, itself in the first poller */
    struct rate_table handshakes; /* connections by address */
    struct rate handshake_rate;
    uint64_t handshakes_free_ns; /* when their share of the time is right again */
    bool handshakes_held;        /* it is not: they are not looked at */
    uint64_t handshakes_told_ns; /* when the log was last told of one that failed */

    /* manners.c */
    uint32_t manners_next; /* connection to look at next */
    uint64_t manners_ns;
    uint64_t beat_ns;
};

static inline uint32_t index_of(const struct gateway *gateway, const struct connection *connection)
{
    return connection_index(&gateway->connections, connection);
}

/* ---- join.c ---- */

/* One step towards GATEWAY_AT_WORK. Returns the work done, or a negative error. */
int join_poll(struct gateway *gateway, uint64_t now_ns, struct error *error);
void join_close(struct gateway *gateway);

/* ---- network.c ---- */

int network_open(struct gateway *gateway, struct error *error);
int network_listen(struct gateway *gateway, struct error *error);
void network_close(struct gateway *gateway);

/* Accepts some connections of either listener. Returns how many. */
int network_accept(struct gateway *gateway, int listener, uint64_t now_ns);

/* Takes what the poller has, reads sockets, accepts connections. Returns the work done. */
int network_poll(struct gateway *gateway, uint64_t now_ns);

/* Sends what waits for all connections that have something. */
void network_send(struct gateway *gateway, uint64_t now_ns);

/* Something was put into the connection's output. */
static inline void network_dirty(struct gateway *gateway, struct connection *connection)
{
    if (!connection->dirty) {
        connection->dirty = true;
        gateway->dirty[gateway->dirty_count++] = index_of(gateway, connection);
    }
}

/* A packet of SoupBinTCP that is not part of the stream; given up if even the reserve is full. */
void network_packet(struct gateway *gateway, struct connection *connection, char type, const void *payload,
                    uint32_t payload_bytes);
void network_debug(struct gateway *gateway, struct connection *connection, const char *text);

/*
 * The end of a connection: the engine is told with this reason (L, D, T, S), what waits is sent, the socket closed.
 * `why` is for the log.
 */
void network_end(struct gateway *gateway, struct connection *connection, char reason, const char *why, uint64_t now_ns);

/* Lets no more clients in, and tells those there are. */
void network_stop(struct gateway *gateway, uint64_t now_ns);

/* Sends what the socket takes, as connection_send does, and counts it. */
int network_write(struct gateway *gateway, struct connection *connection, uint64_t now_ns);

/* The end at once: lingering is over, or the socket is broken. */
void network_drop(struct gateway *gateway, struct connection *connection);

/* ---- inbound.c ---- */

int inbound_open(struct gateway *gateway, struct error *error);
void inbound_close(struct gateway *gateway);

/* Publishes what is owed and what was left undecoded. Returns the work done; afterwards `stalled` tells if there is
 * room. */
int inbound_resume(struct gateway *gateway, uint64_t now_ns);

/* Reads the socket and publishes what its bytes ask for. Returns the work done. */
int inbound_read(struct gateway *gateway, struct connection *connection, uint64_t now_ns);

/* The connection ends: forgets its bytes, and tells the engine if it knows of the connection. */
void inbound_forget(struct gateway *gateway, const struct connection *connection, char reason);

/* A slot for a command that the gateway itself sends, filled in but for its payload; NULL: no room. */
struct command *inbound_claim(struct gateway *gateway, uint8_t kind);
void inbound_publish(struct gateway *gateway);

/* Makes what was published known: once a batch. */
void inbound_flush(struct gateway *gateway);

/* ---- follow.c ---- */

int follow_open(struct gateway *gateway, struct error *error);
void follow_close(struct gateway *gateway);

/* The event ring is there, with events below event_end: takes up the notes of earlier lives. Returns the first event to
 * be followed. */
uint64_t follow_begin(struct gateway *gateway, uint64_t event_end);

/* Applies the next events, at most about `max`. Returns how many, or a negative error. */
int follow_poll(struct gateway *gateway, uint32_t max, uint64_t now_ns, struct error *error);

/* ---- behind.c ---- */

int behind_open(struct gateway *gateway, struct error *error);
void behind_close(struct gateway *gateway);

/* From message_no on the connection is told its messages from the index. */
void behind_begin(struct gateway *gateway, struct connection *connection, uint32_t message_no);
/* Its socket has taken all: it has turns again. */
void behind_resume(struct gateway *gateway, struct connection *connection);
void behind_end(struct gateway *gateway, struct connection *connection);

/* A bounded slice of what those behind are owed. Returns the messages sent, and one more if there was anything to read.
 */
int behind_poll(struct gateway *gateway, uint64_t now_ns);

/* ---- login.c ---- */

int login_open(struct gateway *gateway, struct error *error);
void login_close(struct gateway *gateway);

/* A login request has come in. */
void login_asked(struct gateway *gateway, struct connection *connection, const struct session_login *login,
                 uint64_t now_ns);

/* Checks passwords that wait, publishes logins. Returns the work done. */
int login_poll(struct gateway *gateway, uint64_t now_ns);

/* LOGIN_ACCEPTED, LOGIN_REFUSED, SESSION_CLOSED of this gateway and tenure; taken_over: closed for a later login. */
void login_event(struct gateway *gateway, const struct event *event, bool taken_over, uint64_t now_ns);

/* LOGIN_ACCEPTED of whatever gateway and run: where its user comes from. */
void login_seen(struct gateway *gateway, const struct event *event);

/* The connection ends: it waits no longer. */
void login_forget(struct gateway *gateway, struct connection *connection);

/* ---- strangers.c ---- */

void strangers_open(struct gateway *gateway);

/* A new connection; the oldest stranger goes if there are too many. */
void strangers_add(struct gateway *gateway, struct connection *connection, uint64_t now_ns);

/* It has asked to log in, or is gone. Nothing for one that is none. */
void strangers_forget(struct gateway *gateway, struct connection *connection);

/* ---- handshakes.c ---- */

int handshakes_open(struct gateway *gateway, struct error *error);
void handshakes_close(struct gateway *gateway);

/* The certificate again; with an error, which is logged, the old one stays. */
void handshakes_reload(struct gateway *gateway);

/* A new connection of the TLS listener begins its handshake. false: it may not, or there is no memory. */
bool handshakes_welcome(struct gateway *gateway, struct connection *connection, uint64_t now_ns);

/* One step of one of them. Returns the work done. */
int handshakes_turn(struct gateway *gateway, uint64_t now_ns);

/* Looks at them again if it is time. */
void handshakes_resume(struct gateway *gateway, uint64_t now_ns);

/* ---- limits.c ---- */

int limits_open(struct gateway *gateway, struct error *error);
void limits_close(struct gateway *gateway);

/* What holds for the connection's user from now on. */
void limits_bind(struct gateway *gateway, struct connection *connection);

/* Judges a command of a limited connection; one that may not be is made a refusal. symbol: as session_take gives it. */
void limits_judge(struct gateway *gateway, struct connection *connection, struct command *command, const char *symbol,
                  uint64_t now_ns);

/* ---- settings.c ---- */

int settings_open(struct gateway *gateway, struct error *error);
void settings_close(struct gateway *gateway);

/*
 * Reads accounts and members' settings again, both or none: with an error, which is logged, the old ones stay. And the
 * TLS certificate, for itself.
 */
void settings_reload(struct gateway *gateway);

/* ---- counts.c ---- */

void counts_open(struct gateway *gateway, void *values);

/* A command is about to be published whose number is sampled; when that is. */
uint32_t counts_in(struct gateway *gateway);

/* A message of this event was put into a connection's output. */
static inline void counts_mark(struct gateway *gateway, const struct event *event)
{
    if (!hop_sampled(&gateway->out_sampler, event->event_seq) || gateway->out_mark_count == OUT_MARKS_MAX)
        return;
    gateway->out_marks[gateway->out_mark_count++] = (struct out_mark){.received_ns_low = event->head.received_ns_low,
                                                                      .published_ns_low = event->head.published_ns_low};
}

/* What was marked has been sent. */
void counts_out(struct gateway *gateway);

/* About every 100 ms. */
void counts_look(struct gateway *gateway, uint64_t now_ns);

/* ---- manners.c ---- */

void manners_poll(struct gateway *gateway, uint64_t now_ns);

/* A packet that asks for nothing has come. Is a heartbeat nearly due it goes now, and takes TCP's acknowledgment along.
 */
void manners_heard(struct gateway *gateway, struct connection *connection, uint64_t now_ns);

#endif
