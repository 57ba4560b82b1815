/*
 * One user of the chaos load: a connection that breaks and comes back, and a ledger of everything asked and told.
 *
 * Written from docs/protocol.md; it shares no line with common/client and common/wire, so that what one side gets wrong
 * the other one shows.
 *
 * Rules
 *   1. Every request is in the file USER.asked once, from before its bytes go out; every sequenced message in USER.told
 *      once, in order of its number. Each with its length in two bytes before it. tests/audit/ledger.h reads them.
 *   2. After a broken connection it logs in with the number of the next message, at times with an earlier one: what is
 *      told again must have the bytes it had. Then it sends again, in the old order, everything it does not know of.
 *   3. An answer to a number settles everything asked before that: requests of one connection are taken in their order.
 *      So an order that is still unanswered then is lost, which is a breach.
 *   4. A cancel is asked once for all that is left and once at most for a part of it, so what was asked can be told
 *      from the ledger alone.
 */
#ifndef RINGSIDE_AUDIT_CLIENT_H
#define RINGSIDE_AUDIT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CLIENT_USERS_MAX     15 /* one more is the tests' own */
#define CLIENT_ORDERS_MAX    (UINT32_C(1) << 26)
#define CLIENT_LIVE_MAX      300
#define CLIENT_FRAME_MAX     64  /* longest request that is sent here */
#define CLIENT_MESSAGE_MAX   128 /* longest message that may come */
#define CLIENT_UNSETTLED_MAX 512 /* requests without an answer; a power of two */
#define CLIENT_RECENT_MAX    1024
#define CLIENT_BUFFER_BYTES  ((size_t)256 << 10)

enum client_state {
    CLIENT_CLOSED,
    CLIENT_CONNECTING,
    CLIENT_ASKED, /* the login request is out */
    CLIENT_OPEN,
};

enum client_order_state {
    CLIENT_ORDER_NONE,
    CLIENT_ORDER_SENT,
    CLIENT_ORDER_LIVE,
    CLIENT_ORDER_ENDED,
};

struct client_order {
    uint32_t quantity;
    uint32_t leaves;
    uint32_t live_at; /* place in the list of live orders */
    uint8_t state;
    bool cancel_asked;
    bool part_asked;
    bool replace_asked;
};

struct client_request {
    uint32_t user_ref; /* 0: a cancel, which has no number of its own */
    uint8_t bytes;
    char type;
    uint8_t frame[CLIENT_FRAME_MAX];
};

struct client_recent {
    uint8_t bytes;
    uint8_t message[CLIENT_MESSAGE_MAX];
};

/* What everybody can see while it runs (in the file `progress`) and what is printed at the end. */
struct client_counts {
    uint64_t told;        /* messages, each once */
    uint64_t asked;       /* requests, each once */
    uint64_t orders;      /* new ones, replaces not counted */
    uint64_t answered;    /* of them */
    uint64_t executions;  /* Executed messages: two a trade */
    uint64_t reconnects;  /* logins after the first */
    uint64_t resent;      /* requests sent again */
    uint64_t told_again;  /* messages told a second time, byte for byte the same */
    uint64_t unsettled;   /* requests without an answer just now */
    uint64_t open;        /* users logged in just now */
    uint64_t phase;       /* enum client_phase */
    uint64_t slowest_ns;  /* longest time in which nobody was told anything while something was unsettled */
    uint64_t debug_count; /* debug packets */
};

enum client_phase { PHASE_LOAD, PHASE_DRAIN, PHASE_REREAD, PHASE_DONE };

struct client {
    char user[8];
    uint32_t number;
    uint16_t port; /* of the first gateway */
    uint32_t port_count;
    struct client_counts *counts;
    uint64_t *random;

    int fd;
    enum client_state state;
    uint64_t connect_at_ns;
    uint64_t sent_at_ns;     /* when something was last sent, for heartbeats */
    uint64_t deaf_until_ns;  /* it reads nothing until then */
    char session[11];        /* "" before the first login */
    uint64_t requested;      /* first message asked for at the login */
    uint64_t sequence_next;  /* number of the next message on this connection */
    uint64_t told_count;     /* messages in the ledger */
    bool was_in;             /* it has logged in before */
    uint8_t *input, *output; /* CLIENT_BUFFER_BYTES each */
    size_t input_bytes, output_bytes;

    FILE *asked, *told;
    struct client_recent *recent; /* the last CLIENT_RECENT_MAX messages, message n at n % that */
    bool rereads;                 /* at the end: everything is told again and compared with the file */
    FILE *reread;
    uint64_t reread_count;

    struct client_order *orders; /* by user_ref */
    uint32_t user_ref_last;
    uint32_t live[CLIENT_LIVE_MAX + CLIENT_UNSETTLED_MAX];
    uint32_t live_count;
    struct client_request *unsettled; /* a ring of CLIENT_UNSETTLED_MAX */
    uint64_t unsettled_first, unsettled_end;
    uint64_t resend_next; /* place in it from which to send again; == unsettled_end: nothing to do */
};

/* Ends the program with 1: a promise is broken. */
void breach(const struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

uint64_t client_random(uint64_t *random);
static inline uint32_t client_below(uint64_t *random, uint32_t bound)
{
    return (uint32_t)((client_random(random) >> 32) * bound >> 32);
}

/* ---- connection and ledger (client.c) ---- */

void client_open(struct client *client, const char *directory);
void client_finish(struct client *client);

/* Connects when it is time, sends heartbeats and what waits, reads what is there. */
void client_service(struct client *client, bool readable, bool writable, uint64_t now_ns);

/* Ends the connection at once; it comes back after pause_ns. */
void client_break(struct client *client, uint64_t now_ns, uint64_t pause_ns);

/* Logs in once more from message 1 and compares everything. */
void client_reread_begin(struct client *client, uint64_t now_ns);
static inline bool client_reread_done(const struct client *client)
{
    return client->rereads && client->state == CLIENT_OPEN && client->reread_count == client->told_count;
}

/* ---- orders (client_orders.c) ---- */

static inline bool client_ready(const struct client *client)
{
    return client->state == CLIENT_OPEN && client->resend_next == client->unsettled_end && !client->rereads &&
           client->unsettled_end - client->unsettled_first < CLIENT_UNSETTLED_MAX &&
           client->output_bytes + 4 * (size_t)CLIENT_FRAME_MAX < CLIENT_BUFFER_BYTES;
}

/* One request of the mix. */
void client_ask(struct client *client);

/* An order of a symbol that there is not, which is always answered: everything before it is settled then. */
void client_ask_barrier(struct client *client);

/* Sends again what is unsettled, as far as there is room. */
void client_resend(struct client *client);

/* Puts a packet into the output buffer. */
void client_put(struct client *client, char type, const uint8_t *payload, size_t bytes);

/* A message that was not told before. */
void client_take(struct client *client, const uint8_t *message, size_t bytes);

#endif
