/*
 * Changes in place, and the requests that change no book.
 *
 * Rules
 *   1. A cancel or modify of an order that is not live, or that would change nothing, is passed over: OUCH has no
 * answer for it.
 *   2. Its quantity is the size the order is to have in all, with what it has executed. An order keeps its place when
 * it shrinks.
 */
#include "book.h"
#include "check.h"
#include "output.h"
#include "requests.h"

#include <string.h>

static inline struct index_key target_name(const struct command *command)
{
    return (struct index_key){command->session, command->order.target_user_ref, command->order.user_ref_index};
}

static inline uint32_t target_find(const struct engine *engine, const struct command *command)
{
    return index_find(engine, target_name(command));
}

/* Whether this is the order that the command means; an order that is gone keeps its name, but has no shares. */
static inline bool is_target(const struct order *order, const struct command *command)
{
    return order->quantity != 0 && index_matches(order, target_name(command));
}

/* Shares that stay open if the order is to trade `size` in all. */
static inline uint32_t leaves_of(const struct engine *engine, const struct order *order, uint32_t size)
{
    uint32_t leaves_quantity = order_leaves(engine, order);
    uint32_t gone = order->terms.size - leaves_quantity;
    if (size >= order->terms.size)
        return leaves_quantity;
    return size <= gone ? 0 : size - gone;
}

static inline void order_cut(struct engine *engine, uint32_t index, uint32_t leaves_quantity)
{
    struct order *order = &engine->orders[index];
    if (leaves_quantity == 0) {
        order_leave(engine, index);
        return;
    }
    uint32_t decrement = order_leaves(engine, order) - leaves_quantity;
    order_reduce(engine, order, decrement);
    order->terms.size -= decrement;
}

void request_cancel(struct engine *engine, const struct command *command, uint32_t guess)
{
    uint32_t index = LIKELY(is_target(&engine->orders[guess], command)) ? guess : target_find(engine, command);
    if (index == 0)
        return;
    const struct order *order = &engine->orders[index];
    uint32_t size = command->order.quantity;
    uint32_t leaves_quantity = size == 0 ? 0 : leaves_of(engine, order, size);
    if (leaves_quantity == order_leaves(engine, order))
        return;
    order_told_cut(engine, order, EVENT_CANCELED, 'U', answer_flags(command), leaves_quantity);
    order_cut(engine, index, leaves_quantity);
}

/* S to E, S to T, E to T; or none. */
static bool side_may_become(uint32_t code, enum side_code asked)
{
    if (code == asked)
        return true;
    return (code == CODE_SELL && (asked == CODE_EXEMPT || asked == CODE_SHORT)) ||
           (code == CODE_EXEMPT && asked == CODE_SHORT);
}

static void order_side_set(struct engine *engine, struct order *order, enum side_code code)
{
    engine->state_hash -= order_hash(engine, order);
    order->place = (order->place & ~(3u << PLACE_SIDE_SHIFT)) | (uint32_t)code << PLACE_SIDE_SHIFT;
    engine->state_hash += order_hash(engine, order);
}

void request_modify(struct engine *engine, const struct command *command)
{
    uint32_t index = target_find(engine, command);
    if (index == 0)
        return;
    struct order *order = &engine->orders[index];
    enum side_code asked = check_side(command->order.side);
    if (!side_may_become(order_code(order), asked))
        return;
    uint32_t leaves_quantity = leaves_of(engine, order, command->order.quantity);
    if (leaves_quantity == 0) {
        order_told_cut(engine, order, EVENT_CANCELED, 'U', answer_flags(command), 0);
        order_cut(engine, index, 0);
        return;
    }
    bool cuts = leaves_quantity != order_leaves(engine, order);
    if (!cuts && order_code(order) == asked)
        return;
    order_side_set(engine, order, asked);
    order_told_cut(engine, order, EVENT_MODIFIED, 0, answer_flags(command), leaves_quantity);
    if (cuts)
        order_cut(engine, index, leaves_quantity);
}

/* ---- requests that change no book ---------------------------------------------------------------------------------
 */

void request_account_query(struct engine *engine, const struct command *command)
{
    uint8_t index = command->order.user_ref_index;
    struct session *session = &engine->sessions[command->session];
    const uint32_t *last = index == 0 ? &session->user_ref_last : channel_user_ref(engine, session, index, false);
    struct event *event = event_begin(engine, (struct event_header){.kind = EVENT_ACCOUNT_ANSWER,
                                                                    .flags = answer_flags(command),
                                                                    .session = command->session,
                                                                    .message_no = message_no(engine, command->session),
                                                                    .user_ref = last ? *last + 1 : 1,
                                                                    .user_ref_index = index});
    event_reserve(event, EVENT_PAYLOAD);
}

void request_reject(struct engine *engine, const struct command *command, uint16_t reason)
{
    bool refused = command->kind == COMMAND_REFUSED;
    uint32_t instrument =
        refused || command->order.instrument > engine->instrument_count || command->kind == COMMAND_REPLACE
            ? 0
            : command->order.instrument;
    struct event *event = event_begin(engine, (struct event_header){.kind = EVENT_REJECTED,
                                                                    .flags = answer_flags(command),
                                                                    .instrument = instrument,
                                                                    .session = command->session,
                                                                    .message_no = message_no(engine, command->session),
                                                                    .user_ref = command->user_ref,
                                                                    .user_ref_index = command->order.user_ref_index});
    event_reserve(event, EVENT_PAYLOAD);
    event->refused.reason = reason;
    event->refused.refused_kind = refused ? command->refused.refused_kind : command->kind;
    memcpy(event->refused.client_order_id, command->order.client_order_id, CLIENT_ORDER_ID_BYTES);
}

void request_refused(struct engine *engine, const struct command *command)
{
    uint32_t *last = user_ref_last(engine, command->session, command->order.user_ref_index);
    if (last && command->user_ref <= *last)
        return;
    if (last)
        *last = command->user_ref;
    request_reject(engine, command, command->refused.reason);
}
