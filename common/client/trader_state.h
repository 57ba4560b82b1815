/* What a trader is made of, for the files of this folder alone. */
#ifndef RINGSIDE_TRADER_STATE_H
#define RINGSIDE_TRADER_STATE_H

#include "client/client_state.h"
#include "client/ringside_trader.h"

enum trader_phase {
    TRADER_WAITING,   /* no connection; the next attempt is at retry_ns */
    TRADER_PROBING,   /* a first login that only asks which number is next: there a replay ends */
    TRADER_LOGGING,   /* the login proper is under way */
    TRADER_JOINING,   /* logged in; the Account Query is out */
    TRADER_RESENDING, /* it is answered; requests without an answer go out again */
    TRADER_READY,
    TRADER_CLOSED, /* for good: `final` says why */
};

/* A request without an answer. */
struct trader_request {
    uint32_t user_ref; /* the number that it uses up; 0: none */
    uint32_t target;   /* the order that it is about; 0: none */
    uint32_t bytes;
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
};

struct rs_trader {
    struct rs_client *client;
    enum trader_phase phase;
    int final;
    struct rs_trader_callbacks callbacks;
    void (*on_message)(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes);
    void (*on_debug)(void *context, const char *text, size_t text_bytes);
    void *context;
    char session[SOUP_SESSION_BYTES + 1]; /* that all is about; "": no login has been accepted yet */
    uint64_t sequence_wanted;             /* by the next login proper */
    bool sequence_known;                  /* all before it has been told, so it is what must come, not a wish */
    uint64_t replay_end;                  /* what is told before this number is no answer to us */
    bool probes; /* before the next login proper: its replay may hold older answers, or it may be another day */
    uint32_t user_ref_next;

    uint64_t retry_ns;
    uint64_t backoff_ns_min;
    uint64_t backoff_ns_max;
    uint64_t backoff_ns;
    uint32_t attempts; /* since it was ready */
    uint64_t random;   /* so that a thousand traders do not come back at once */

    /* The requests without an answer, oldest first, in a circle. */
    struct trader_request *requests;
    uint32_t request_room; /* one more than requests_max, so that there is always a place for an Account Query */
    uint32_t request_first;
    uint32_t request_count; /* holes among them included */
    uint32_t resend_next;   /* of them, counted from the first */
    uint32_t query_end;     /* so many up to the last Account Query and with it; 0: none is out */
    bool query_due;         /* one goes out as soon as it can */
};

static inline struct trader_request *trader_request_at(struct rs_trader *trader, uint32_t index)
{
    return &trader->requests[(trader->request_first + index) % trader->request_room];
}

/* trader_answers.c: what a message says of the requests, then its callback. */
void trader_on_message(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes);

/* After a login: questions of an earlier connection are not asked again. No holes are left. */
void trader_forget_queries(struct rs_trader *trader);

/* trader_requests.c: sends again; false if there is no room now. */
bool trader_resend(struct rs_trader *trader);

/* Asks what is due to be asked, once the trader is ready and there is room. */
void trader_ask(struct rs_trader *trader);

#endif
