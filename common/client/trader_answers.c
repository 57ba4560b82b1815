/* What comes from the exchange: which requests it answers, and whose callback it is. */
#include "trader_state.h"

#include <stddef.h>

/* ---- requests that are answered ---- */

static void drop(struct rs_trader *trader, uint32_t count)
{
    trader->request_first = (trader->request_first + count) % trader->request_room;
    trader->request_count -= count;
    trader->resend_next -= trader->resend_next < count ? trader->resend_next : count;
    trader->query_end -= trader->query_end < count ? trader->query_end : count;
}

/* A request in the middle that is answered while earlier ones are not: it stays as a hole of no bytes. */
static void drop_one(struct rs_trader *trader, uint32_t index)
{
    trader_request_at(trader, index)->bytes = 0;
    while (trader->request_count > 0 && trader_request_at(trader, 0)->bytes == 0)
        drop(trader, 1);
}

/* The request that used up this number is answered, so all before it have been handled. */
static void answer_of_number(struct rs_trader *trader, uint32_t user_ref)
{
    if (trader->user_ref_next <= user_ref && user_ref < UINT32_MAX)
        trader->user_ref_next = user_ref + 1;
    for (uint32_t i = 0; i < trader->request_count && user_ref != 0; i++)
        if (trader_request_at(trader, i)->user_ref == user_ref) {
            drop(trader, i + 1);
            return;
        }
}

/*
 * A Cancel or Modify of this order may be what is answered, or something else took the shares off: that one request
 * is forgotten, and nothing is concluded about others.
 */
static void answer_of_order(struct rs_trader *trader, uint8_t type, uint32_t user_ref)
{
    for (uint32_t i = 0; i < trader->request_count; i++) {
        const struct trader_request *request = trader_request_at(trader, i);
        if (request->bytes > 0 && request->message[0] == type && request->target == user_ref) {
            drop_one(trader, i);
            return;
        }
    }
}

static void answer_of_query(struct rs_trader *trader)
{
    for (uint32_t i = 0; i < trader->request_count; i++) {
        const struct trader_request *request = trader_request_at(trader, i);
        if (request->bytes > 0 && request->message[0] == OUCH_TYPE_ACCOUNT_QUERY) {
            drop(trader, i + 1);
            return;
        }
    }
}

void trader_forget_queries(struct rs_trader *trader)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < trader->request_count; i++) {
        const struct trader_request *request = trader_request_at(trader, i);
        if (request->bytes == 0 || request->message[0] == OUCH_TYPE_ACCOUNT_QUERY)
            continue;
        if (kept < i)
            *trader_request_at(trader, kept) = *request;
        kept++;
    }
    trader->request_count = kept;
    trader->query_end = 0;
}

/* The answer to the question after a login: numbers below the next one have been handled. */
static void join(struct rs_trader *trader, uint32_t user_ref_next)
{
    if (trader->user_ref_next < user_ref_next)
        trader->user_ref_next = user_ref_next;
    uint32_t handled = 0;
    for (uint32_t i = 0; i < trader->request_count; i++) {
        uint32_t user_ref = trader_request_at(trader, i)->user_ref;
        if (user_ref != 0 && user_ref < user_ref_next)
            handled = i + 1;
    }
    drop(trader, handled);
    trader->resend_next = 0;
    trader->probes = false;
    trader->phase = TRADER_RESENDING;
}

/* The number that stands at a field of the message; its length has been checked. */
#define REF(name, field) load_be32(message + offsetof(struct ouch_wire_##name, field))

/*
 * Self-match prevention takes shares off an order that may stay open, so a Cancel of it is still to be answered. If
 * that was the order's end the Cancel is ignored, as one that is overtaken by a trade, and the next answer settles it.
 * All other reasons but the user's own request are ends, so whatever Cancel is on its way is settled by them.
 */
static bool settles_cancel(const uint8_t *message)
{
    return message[offsetof(struct ouch_wire_canceled, reason)] != OUCH_CANCEL_SELF_MATCH;
}

static void note(struct rs_trader *trader, uint64_t sequence, const uint8_t *message)
{
    switch (message[0]) {
    case OUCH_TYPE_ACCEPTED:
        answer_of_number(trader, REF(accepted, user_ref));
        return;
    case OUCH_TYPE_REPLACED:
        answer_of_number(trader, REF(replaced, user_ref));
        return;
    case OUCH_TYPE_REJECTED:
    case OUCH_TYPE_MASS_CANCELED:
    case OUCH_TYPE_DISABLED:
    case OUCH_TYPE_ENABLED:
        answer_of_number(trader, REF(rejected, user_ref));
        return;
    case OUCH_TYPE_CANCELED:
        if (settles_cancel(message))
            answer_of_order(trader, OUCH_TYPE_CANCEL, REF(canceled, user_ref));
        return;
    case OUCH_TYPE_CANCEL_PENDING:
    case OUCH_TYPE_CANCEL_REJECTED:
        answer_of_order(trader, OUCH_TYPE_CANCEL, REF(cancel_pending, user_ref));
        return;
    case OUCH_TYPE_MODIFIED:
        answer_of_order(trader, OUCH_TYPE_MODIFY, REF(modified, user_ref));
        return;
    case OUCH_TYPE_ACCOUNT_ANSWER:
        if (trader->phase == TRADER_JOINING && sequence >= trader->replay_end)
            join(trader, REF(account_answer, user_ref_next));
        else if (trader->phase == TRADER_RESENDING || trader->phase == TRADER_READY)
            answer_of_query(trader);
        return;
    default:
        return;
    }
}

/* ---- callbacks ---- */

static uint32_t place_of(uint8_t type)
{
    switch (type) {
    case OUCH_TYPE_ACCEPTED:
        return OUCH_OUT_ACCEPTED;
    case OUCH_TYPE_REPLACED:
        return OUCH_OUT_REPLACED;
    case OUCH_TYPE_RESTATED:
        return OUCH_OUT_RESTATED;
    case OUCH_TYPE_MASS_CANCELED:
        return OUCH_OUT_MASS_CANCELED;
    default:
        return OUCH_OUT_OTHER;
    }
}

/* A function a message: decodes it, notes what it answers, tells the trader's program. NULL or what is wrong. */
#define X(name, NAME, letter, fixed_bytes, appendage_rule, title)                                                      \
    static const char *tell_##name(struct rs_trader *trader, uint64_t sequence, const uint8_t *message, size_t bytes)  \
    {                                                                                                                  \
        struct ouch_##name decoded;                                                                                    \
        struct ouch_options options = {0};                                                                             \
        const char *broken = ouch_decode_##name(message, bytes, &decoded);                                             \
        if (!broken)                                                                                                   \
            broken = ouch_options_decode(decoded.appendage, place_of(letter), &options);                               \
        if (broken)                                                                                                    \
            return broken;                                                                                             \
        note(trader, sequence, message);                                                                               \
        if (trader->callbacks.on_##name)                                                                               \
            trader->callbacks.on_##name(trader->context, sequence, &decoded, &options);                                \
        return NULL;                                                                                                   \
    }
OUCH_MESSAGES_OUT(X)
#undef X

static const char *tell(struct rs_trader *trader, uint64_t sequence, const uint8_t *message, size_t bytes)
{
    if (bytes == 0)
        return "an empty message";
    switch (message[0]) {
#define X(name, NAME, letter, fixed_bytes, appendage_rule, title)                                                      \
    case letter:                                                                                                       \
        return tell_##name(trader, sequence, message, bytes);
        OUCH_MESSAGES_OUT(X)
#undef X
    default:
        return "a message of a type that is not known";
    }
}

void trader_on_message(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes)
{
    struct rs_trader *trader = context;
    if (trader->phase == TRADER_PROBING)
        return; /* it comes again after the login proper */
    if (trader->on_message)
        trader->on_message(trader->context, sequence, message, message_bytes);
    const char *broken = tell(trader, sequence, message, message_bytes);
    if (broken && trader->callbacks.on_unknown)
        trader->callbacks.on_unknown(trader->context, sequence, message, message_bytes, broken);
}
