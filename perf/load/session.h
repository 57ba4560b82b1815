/*
 * One user of the load: its connection, its orders and their stories.
 *
 * Rules
 *   1. An order is at index user_ref - user_ref_first of `orders`, from before its request is sent to the end. Answers
 *      to new orders must come in the order of their numbers, one each.
 *   2. From then on: executions and cancels never take more than what is left, at prices within the limit; a cancel is
 *      answered by CANCELED or overtaken by the last execution. What comes for an order that has ended is a breach.
 *   3. After a broken connection everything without an answer is sent again, in the old order, before anything new:
 *      what had arrived is ignored by the exchange.
 *   4. Messages about numbers below user_ref_first are those of an earlier run with the same user; they are foreign.
 */
#ifndef RINGSIDE_LOAD_SESSION_H
#define RINGSIDE_LOAD_SESSION_H

#include "base/histogram.h"
#include "client/ringside_client.h"
#include "market.h"
#include "matches.h"
#include "options.h"

#include <stdbool.h>
#include <stdint.h>

#define UNSENT_MAX 64 /* of a flush whose sending is timed; what is more was sent when it was made */

enum order_state {
    ORDER_NONE = 0, /* never sent */
    ORDER_SENT,     /* no answer yet */
    ORDER_LIVE,
    ORDER_CANCELLING, /* live, and a cancel is under way */
    ORDER_ENDED,
    ORDER_REFUSED,
};

struct load_order {
    uint64_t asked_ns; /* intended time of the request that has no answer yet */
    uint32_t quantity;
    uint32_t leaves;
    int32_t price_ticks;
    union {
        uint32_t live_at; /* LIVE: place in the list of live orders */
        uint32_t late_ns; /* SENT, CANCELLING: how long after asked_ns the request went out; UINT32_MAX: or longer */
    };
    uint16_t instrument;
    uint8_t state;
    uint8_t side;
    uint8_t time_in_force;
    uint8_t reserved[3];
};

struct load_counts {
    uint64_t requests; /* new orders and cancels, resent ones not counted again */
    uint64_t orders;
    uint64_t cancels_asked;
    uint64_t cancels_of_rest; /* after the measured part */
    uint64_t orders_accepted;
    uint64_t orders_rejected;
    uint64_t orders_dead; /* accepted and ended at once */
    uint64_t executions;  /* EXECUTED messages: two a trade */
    uint64_t executed_shares;
    uint64_t cancels; /* CANCELED messages */
    uint64_t canceled_shares;
    uint64_t accepted_shares;
    uint64_t cancels_overtaken; /* the order was filled before its cancel arrived */
    uint64_t foreign_messages;
    uint64_t messages;
    uint64_t reconnects;
    uint64_t resent;
};

/* What all sessions have in common. */
struct load_run {
    const struct load_options *options;
    struct market market;
    struct matches matches;
    struct histogram *latency_ns; /* from when a request was due */
    struct histogram *sent_ns;    /* from when it was really sent */
    struct load_counts counts;
    uint64_t now_ns;         /* read after each receive, and each so many messages */
    uint64_t warm_ns;        /* from when on latencies count */
    uint64_t last_answer_ns; /* when the last request was answered */
    uint32_t messages_since_clock;
    bool measuring;
    uint64_t breach_count;
    char breach[200];       /* the first one */
    uint16_t reject_reason; /* of the first rejection */
};

struct load_session {
    struct load_run *run;
    struct rs_client *client;
    uint32_t number;         /* from 0 */
    uint32_t user_ref_first; /* 0 until the exchange has told it */
    uint32_t user_ref_told;  /* the last answer to an account query */
    struct load_order *orders;
    uint64_t order_room;
    uint32_t sent;     /* new orders so far */
    uint32_t answered; /* of them */
    uint32_t cancelling;
    uint32_t live_count;
    uint32_t *live; /* indexes of live orders without a cancel under way */
    uint32_t live_room;
    uint32_t unsent[UNSENT_MAX]; /* requests made since the last flush, by index */
    uint32_t unsent_count;
    uint32_t resend_next;   /* index from which to send again; == sent: nothing to do */
    uint32_t oldest;        /* all orders before it have ended */
    uint32_t released;      /* and the memory of those before this one is given back */
    bool query_sent;        /* an account query has no answer yet */
    bool dirty;             /* its output buffer holds something */
    bool was_open;          /* when it was last looked at */
    uint32_t interest;      /* what the loop waits for on its socket; 0: not registered */
    uint64_t connect_at_ns; /* when to try again */
};

int session_init(struct load_session *session, struct load_run *run, uint32_t number, uint64_t order_room);
void session_finish(struct load_session *session);

/* For the client's on_message. */
void session_message(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes);

/* These put one request into the output buffer. False: there is no room now, or no connection. */
bool session_enter(struct load_session *session, const struct market_order *order, uint64_t asked_ns);
bool session_cancel_random(struct load_session *session, uint64_t asked_ns);
bool session_query(struct load_session *session);

/* The output buffer is about to be sent: when that is, for what it holds. */
void session_sent(struct load_session *session);

/* After a reconnect: sends again what has no answer, as far as there is room. True: all of it is out. */
bool session_resend(struct load_session *session);

/* Moves `oldest` on, and gives back the memory of orders that ended long ago. */
void session_forget_ended(struct load_session *session);

/* Shares that are still live. */
uint64_t session_live_shares(const struct load_session *session);

/* Requests without an answer. */
static inline uint32_t session_in_flight(const struct load_session *session)
{
    return session->sent - session->answered + session->cancelling;
}

/* Whether new requests may go out. */
static inline bool session_ready(const struct load_session *session)
{
    return session->user_ref_first != 0 && rs_client_state(session->client) == RS_CLIENT_OPEN &&
           session->resend_next == session->sent;
}

/* Takes an order out of the list of those without a cancel under way. */
void session_live_remove(struct load_session *session, const struct load_order *order);

/* Records a breach of what is checked. */
void run_breach(struct load_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
