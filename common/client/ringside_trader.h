/*
 * libringside_client, the upper half: a trader's session. Orders by named functions, answers by named callbacks, and a
 * connection that is made again by itself, with nothing lost and nothing sent twice. common/client/example.c shows it.
 *
 *     struct rs_trader_options options = {.client = {.addresses = "10.0.0.1:9001,10.0.0.2:9001", .user = "DEMO01",
 *                                                    .password = "ringside", .context = &mine},
 *                                         .callbacks = {.on_executed = my_fill, .on_rejected = my_reject}};
 *     struct rs_trader *trader = rs_trader_create(&options, why, sizeof(why));
 *     rs_trader_ready_wait(trader, 5000);
 *     struct rs_order order = {.side = 'B', .symbol = "AAPL", .quantity = 100, .price = 5853300};
 *     rs_trader_enter(trader, &order, &ref);
 *     while (rs_trader_poll(trader, 1000) >= 0) ...
 *
 * Rules
 *   1. No global state, no threads, no signals. A trader is for one thread at a time; several are independent.
 *   2. Nothing is allocated after rs_trader_create. Only the functions that have a time-out block.
 *   3. UserRefNum is counted here. After each login an Account Query is asked; its answer, which comes behind all that
 *      was missed, tells the next number and what has to be sent again. Only then is the trader ready. Where an older
 *      query's answer may be among what was missed, a login that only asks for the next number comes first.
 *   4. A request is remembered until it is answered, or until a later one is: requests are handled in order, so one
 *      that a later answer overtook was ignored (docs/protocol.md tells which are). After a broken connection those
 *      without an answer are sent again, in order, with the same numbers, which does no harm. Where what was ignored
 *      might stay for good, an Account Query is asked behind it: when there is no place for a request, and after
 *      sending again one that the exchange may ignore.
 *   5. Requests are taken when the trader is ready, else RS_CLIENT_STATE: an order given during an outage would meet a
 *      market of later. They are sent by the next rs_trader_poll, _service or _flush.
 *   6. Callbacks come from within rs_trader_poll, _service and the _wait functions, in the order of the messages. They
 *      may make requests and call rs_trader_close; they may not destroy the trader, nor call what may call them.
 *   7. For a program that ends and comes back: keep rs_trader_session and rs_trader_sequence_next (best in
 *      client.on_message, which sees each message first) and give them as client.session and client.sequence_next.
 *      What this program missed then comes first. With sequence_next 1 the whole day comes; with 0 only what is new.
 *   8. A later login of the same user takes the session over. Two programs with one user therefore push each other
 *      out: give each its own user.
 */
#ifndef RINGSIDE_TRADER_H
#define RINGSIDE_TRADER_H

#include "client/ringside_client.h"
#include "wire/ouch.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rs_trader;

/* Any may be NULL. `context` is that of rs_client_options; pointers are good until the callback returns. */
struct rs_trader_callbacks {
    /* Requests are taken from now on. After a reconnect: all that was missed has been told. */
    void (*on_ready)(void *context, uint32_t user_ref_next);
    /* The connection is lost, or was not made; the next attempt is in retry_ms. why: for people. */
    void (*on_gone)(void *context, int error, const char *why, uint32_t retry_ms);
    /* A message that is not OUCH 5.0 as this library knows it. */
    void (*on_unknown)(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes, const char *why);
/* on_accepted, on_replaced, on_canceled, on_self_match_canceled, on_executed, on_broken, on_rejected,
 * on_cancel_pending, on_cancel_rejected, on_priority_updated, on_modified, on_restated, on_mass_canceled, on_disabled,
 * on_enabled, on_account_answer, on_system_event: one for every message of wire/ouch_layout.h. Text fields are padded
 * with spaces: text_trim of base/bytes.h makes strings of them. */
#define X(name, NAME, letter, bytes, appendage, title)                                                                 \
    void (*on_##name)(void *context, uint64_t sequence, const struct ouch_##name *message,                             \
                      const struct ouch_options *options);
    OUCH_MESSAGES_OUT(X)
#undef X
};

struct rs_trader_options {
    struct rs_client_options client; /* on_message may be NULL here; it sees every message before its callback */
    struct rs_trader_callbacks callbacks;
    uint32_t requests_max;   /* without an answer at a time; 0: 1024. Beyond it RS_CLIENT_FULL, until one is answered */
    uint32_t backoff_ms_min; /* before the second attempt to connect; 0: 100. Doubles after a round of all addresses */
    uint32_t backoff_ms_max; /* 0: 5000 */
};

/* NULL on a bad option, an address that cannot be resolved or no memory; `why` then says which. */
struct rs_trader *rs_trader_create(const struct rs_trader_options *options, char *why, size_t why_bytes);
void rs_trader_destroy(struct rs_trader *trader); /* NULL is fine */

/* ---- running ----
 *
 * Negative results are final: RS_CLIENT_REFUSED (rs_trader_refusal tells why), RS_CLIENT_PROTOCOL, RS_CLIENT_DAY_OVER
 * and, after rs_trader_close, RS_CLIENT_STATE. Everything else is tried again by itself, and so is a login refused with
 * S of a trader that was in before: the user may be connected elsewhere. It is final once the day is another one.
 */

/* Waits until something happens, at most timeout_ms, and does it. The messages handled; 0 may come early too. */
int rs_trader_poll(struct rs_trader *trader, uint32_t timeout_ms);

/* For a loop of one's own: does what can be done now. The descriptor changes with each connection; -1: none now. */
int rs_trader_service(struct rs_trader *trader, uint64_t now_ns); /* CLOCK_MONOTONIC, or 0 */
int rs_trader_fd(const struct rs_trader *trader);
short rs_trader_events(const struct rs_trader *trader);
int rs_trader_poll_ms(const struct rs_trader *trader); /* service it again after this time at the latest */
int rs_trader_flush(struct rs_trader *trader);         /* sends what the socket takes; see rs_client_flush */

/* 0, RS_CLIENT_TIMEOUT, or what is final. */
int rs_trader_ready_wait(struct rs_trader *trader, uint32_t timeout_ms);

/* Until everything asked so far is answered, or known to be ignored (it asks an Account Query for that). */
int rs_trader_settle(struct rs_trader *trader, uint32_t timeout_ms);

/*
 * Says good-bye and ends; rs_trader_begin_day begins again with the current session's first message, after a refusal
 * not before the back-off.
 */
void rs_trader_close(struct rs_trader *trader);
void rs_trader_begin_day(struct rs_trader *trader);

bool rs_trader_ready(const struct rs_trader *trader);
uint32_t rs_trader_unanswered(const struct rs_trader *trader);
uint32_t rs_trader_user_ref_next(const struct rs_trader *trader); /* 0: not known yet */
uint64_t rs_trader_sequence_next(const struct rs_trader *trader);
const char *rs_trader_session(const struct rs_trader *trader); /* "" before a login is accepted */
const char *rs_trader_why(const struct rs_trader *trader);     /* the last error as text; never NULL */
enum rs_client_refusal rs_trader_refusal(const struct rs_trader *trader);

/* ---- requests ----
 *
 * 0, RS_CLIENT_STATE (not ready), RS_CLIENT_FULL, or RS_CLIENT_INVALID (a text too long, an option that the message may
 * not have, tag 28: channels count for themselves, which needs rs_client and wire/ouch.h). What the exchange thinks of
 * the values comes by callback. *ret_user_ref is the number that was used; NULL is fine.
 */

#define RS_PRICE_MARKET OUCH_PRICE_MARKET

/* What is 0 or NULL has the default in brackets. Of a replacement, what is marked * comes from the original. */
struct rs_order {
    char side;                   /* B, S, T, E * */
    const char *symbol;          /* * */
    uint32_t quantity;           /* of a replacement: total of the chain, executed shares included */
    uint64_t price;              /* four decimals: 5853300 is 585.33; or RS_PRICE_MARKET */
    char time_in_force;          /* ['0', day] */
    char display;                /* ['Y'] */
    char capacity;               /* ['P'] * */
    char sweep;                  /* ['N'] */
    char cross_type;             /* ['N'] * */
    const char *client_order_id; /* up to 14 characters, echoed [""] */
    struct ouch_options options; /* those whose bit is in options.present, Ringside's own included */
};

int rs_trader_enter(struct rs_trader *trader, const struct rs_order *order, uint32_t *ret_user_ref);
int rs_trader_replace(struct rs_trader *trader, uint32_t orig_user_ref, const struct rs_order *order,
                      uint32_t *ret_user_ref);

/* quantity: the new total of the order, executed shares included; 0 takes all that is left. */
int rs_trader_cancel(struct rs_trader *trader, uint32_t user_ref, uint32_t quantity);
int rs_trader_modify(struct rs_trader *trader, uint32_t user_ref, char side, uint32_t quantity);

/* symbol NULL: all; options: of side and group, or NULL. */
int rs_trader_mass_cancel(struct rs_trader *trader, const char *firm, const char *symbol,
                          const struct ouch_options *options, uint32_t *ret_user_ref);
int rs_trader_disable(struct rs_trader *trader, const char *firm, uint32_t *ret_user_ref);
int rs_trader_enable(struct rs_trader *trader, const char *firm, uint32_t *ret_user_ref);
int rs_trader_account_query(struct rs_trader *trader);

#ifdef __cplusplus
}
#endif

#endif
