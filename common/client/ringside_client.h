/*
 * libringside_client: the client side of SoupBinTCP, for programs that speak OUCH 5.0 to an exchange.
 *
 *     struct rs_client_options options = {.addresses = "127.0.0.1:9001", .user = "DEMO01", .password = "ringside",
 *                                         .sequence_next = 1, .on_message = handle, .context = &mine};
 *     struct rs_client *client = rs_client_create(&options, why, sizeof(why));
 *     rs_client_login(client, 5000);                        blocking; or rs_client_connect and a poll loop of your own
 *     rs_client_send(client, message, message_bytes);       kept in the output buffer
 *     rs_client_wait(client, 1000);                         sends, receives, calls handle; or rs_client_service
 *     rs_client_destroy(client);
 *
 * Rules
 *   1. One connection of one user each; no global state; a client is for one thread at a time.
 *   2. The core never blocks: rs_client_connect, _reserve, _commit, _send and _service, with rs_client_fd and
 *      rs_client_events for the program's own poll loop. Call rs_client_service at least each heartbeat_ms.
 *   3. Messages of the exchange come through on_message, each once, in order, with its number; there is no gap.
 *   4. After an error the connection is closed and the client remembers session and next number: rs_client_connect
 *      again goes on after the last message handled, the missed ones first. What was sent before may be lost: requests
 *      without an answer are to be sent again with the same UserRefNum, which is harmless where they did arrive.
 *   5. The messages themselves are made and read with wire/ouch.h (ouch_encode_enter and so on).
 */
#ifndef RINGSIDE_CLIENT_H
#define RINGSIDE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rs_client;

enum rs_client_state {
    RS_CLIENT_CLOSED,     /* not connected, or no more: rs_client_connect begins (again) */
    RS_CLIENT_CONNECTING, /* the connection is being made */
    RS_CLIENT_ASKED,      /* the login request is out */
    RS_CLIENT_OPEN,       /* logged in */
    RS_CLIENT_ENDED,      /* the exchange has ended the session (day over): its last message has been handled */
};

/* Why a login is refused: the letter of SoupBinTCP's Login Rejected. */
enum rs_client_refusal {
    RS_REFUSED_NOT = 0,
    RS_REFUSED_USER = 'A',    /* user unknown or password wrong: asking again changes nothing */
    RS_REFUSED_SESSION = 'S', /* the session asked for is not there: the trading day is another one, or the user is
                                 connected elsewhere and may be so only once. Asking for none tells which it is */
};

/* Negative results. rs_client_why tells more. */
enum rs_client_error {
    RS_CLIENT_SYSTEM = -1,    /* a system call failed: refused, reset, unreachable */
    RS_CLIENT_HUNG_UP = -2,   /* the exchange closed the connection */
    RS_CLIENT_REFUSED = -3,   /* the login is refused: user, password or session */
    RS_CLIENT_PROTOCOL = -4,  /* what came is not SoupBinTCP, or not the number asked for */
    RS_CLIENT_SILENT = -5,    /* nothing came for silence_ms */
    RS_CLIENT_FULL = -6,      /* no room in the output buffer: service first. The connection is as it was */
    RS_CLIENT_STATE = -7,     /* not possible in this state. The connection is as it was */
    RS_CLIENT_TIMEOUT = -8,   /* a blocking call's time is over. The connection is as it was */
    RS_CLIENT_INVALID = -9,   /* what was asked for cannot be said in OUCH; nothing was sent */
    RS_CLIENT_DAY_OVER = -10, /* the exchange has ended the session */
};

/*
 * What carries the bytes in place of the bare socket; ringside_tls.h has one for TLS. A line is one connection's, on a
 * socket that never waits; all but open and close are as recv(2) and send(2), errno included. What the socket has is
 * read as far as `receive` gives it, so that the socket alone tells when there is more.
 */
struct rs_transport {
    void *(*open)(void *context, int fd,
                  const char *host);                 /* the socket is connected; host: as in addresses. NULL: no */
    int (*make)(void *line, bool *ret_wants_output); /* a step: 1 it is made, 0 not yet, -1 it will not be */
    ssize_t (*receive)(void *line, void *to, size_t bytes);
    ssize_t (*send)(void *line, const void *from, size_t bytes);
    void (*close)(void *line); /* the socket is closed afterwards */
    const char *(*why)(const void *line);
};

struct rs_client_options {
    const char *addresses;  /* "host:port", or several with commas: each connect tries the one after the last */
    const char *user;       /* up to 6 characters */
    const char *password;   /* up to 10 */
    const char *session;    /* up to 10; NULL: the current one */
    uint64_t sequence_next; /* first message wanted: 1 replays the day; 0: from the login on */
    uint32_t heartbeat_ms;  /* 0: 1000 */
    uint32_t silence_ms;    /* 0: 15000 */
    uint32_t output_bytes;  /* of the output buffer; 0: 262144 */
    uint32_t input_bytes;   /* of the input buffer, at least 65537, with a transport 81921; 0: 262144 */

    /* A sequenced message. It may send, and may call rs_client_close. */
    void (*on_message)(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes);
    /* The text of a debug packet; may be NULL. */
    void (*on_debug)(void *context, const char *text, size_t text_bytes);
    void *context;

    uint32_t login_timeout_ms; /* the exchange is to give us up after such a silence, to 99999: the longer login of
                                  SoupBinTCP 4; 0: the shorter one, and the exchange's own time */

    const struct rs_transport *transport; /* NULL: the socket itself */
    void *transport_context;
};

/* NULL on a bad option, an address that cannot be resolved or no memory; `why` then says which. */
struct rs_client *rs_client_create(const struct rs_client_options *options, char *why, size_t why_bytes);
void rs_client_destroy(struct rs_client *client); /* NULL is fine */

/* ---- the core, which never blocks ---- */

/* Begins a connection and, once it is made, the login. 0 or an error; the state tells how far it is. */
int rs_client_connect(struct rs_client *client);

/*
 * Does what can be done now: finishes connecting, sends the output buffer, receives, calls on_message, sends a
 * heartbeat if one is due. now_ns is CLOCK_MONOTONIC, or 0 to have it read here. Returns the messages handled, or an
 * error.
 */
int rs_client_service(struct rs_client *client, uint64_t now_ns);

int rs_client_fd(const struct rs_client *client);       /* -1 when closed */
short rs_client_events(const struct rs_client *client); /* what to poll it for: POLLIN, POLLOUT */
int rs_client_poll_ms(const struct rs_client *client);  /* and how long at most; -1: for ever, as when closed */

/*
 * Room for one message of at most message_bytes at the end of the output buffer, or NULL if there is none or the state
 * is not OPEN; rs_client_commit then takes the message written there. Nothing is sent before rs_client_service or
 * rs_client_flush.
 */
uint8_t *rs_client_reserve(struct rs_client *client, uint32_t message_bytes);
void rs_client_commit(struct rs_client *client, uint32_t message_bytes);

/* Both in one for a message made elsewhere: 0, RS_CLIENT_FULL or RS_CLIENT_STATE. */
int rs_client_send(struct rs_client *client, const void *message, uint32_t message_bytes);

/* Sends what the socket takes of the output buffer: bytes still there, or an error. */
int rs_client_flush(struct rs_client *client);

/* Asks for the end, politely: the exchange closes. */
int rs_client_logout(struct rs_client *client);

/* Ends the connection at once. Session and next number are kept. */
void rs_client_close(struct rs_client *client);

/*
 * Closes, and forgets session and number: the next login is to the current session, with the message sequence_next (1:
 * the first of the day; 0: the next there will be). For the day after RS_CLIENT_ENDED, or RS_REFUSED_SESSION.
 */
void rs_client_restart(struct rs_client *client, uint64_t sequence_next);

enum rs_client_state rs_client_state(const struct rs_client *client);
uint64_t rs_client_sequence_next(const struct rs_client *client);         /* number of the next message */
uint64_t rs_client_sequence_first(const struct rs_client *client);        /* number at which the first login began */
const char *rs_client_session(const struct rs_client *client);            /* "" before the first login */
const char *rs_client_why(const struct rs_client *client);                /* the last error as text; never NULL */
enum rs_client_refusal rs_client_refusal(const struct rs_client *client); /* of the last login */
size_t rs_client_pending(const struct rs_client *client);                 /* bytes not yet handed to the socket */

/* ---- conveniences, which block ---- */

/* Connects and logs in. 0 or an error. */
int rs_client_login(struct rs_client *client, uint32_t timeout_ms);

/* Waits until something happens, and does it. Messages handled, 0 at the time-out, or an error. */
int rs_client_wait(struct rs_client *client, uint32_t timeout_ms);

/* Waits until the output buffer is empty. 0 or an error. */
int rs_client_flush_wait(struct rs_client *client, uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
