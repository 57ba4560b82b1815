/* What goes to the exchange: each request is made in the place where it waits for its answer, and sent from there. */
#include "trader_state.h"

#include <string.h>

/* The next place, not yet counted. 0, or why there is none. */
static int place_of_any(struct rs_trader *trader, struct trader_request **ret)
{
    if (trader->phase != TRADER_READY)
        return RS_CLIENT_STATE;
    if (trader->request_count == trader->request_room)
        return RS_CLIENT_FULL;
    *ret = trader_request_at(trader, trader->request_count);
    (*ret)->user_ref = (*ret)->target = (*ret)->bytes = 0;
    return 0;
}

/*
 * The place of a request that is no Account Query. It takes the last one only behind a query, whose answer frees at
 * least the query's own: the places may all be held by what the exchange ignored, and the answers behind it.
 */
static int place(struct rs_trader *trader, struct trader_request **ret)
{
    bool is_last = trader->request_count + 1 >= trader->request_room;
    if (trader->phase == TRADER_READY && is_last && trader->query_end == 0) {
        trader->query_due = true;
        return RS_CLIENT_FULL;
    }
    return place_of_any(trader, ret);
}

static int post(struct rs_trader *trader, struct trader_request *request, uint32_t *ret_user_ref)
{
    int sent = rs_client_send(trader->client, request->message, request->bytes);
    if (sent < 0)
        return sent;
    trader->request_count++;
    if (request->user_ref == 0)
        return 0;
    trader->user_ref_next = request->user_ref + 1;
    if (ret_user_ref)
        *ret_user_ref = request->user_ref;
    return 0;
}

/* One about an order that is no more there has no answer, so a question is to go behind it. */
static bool may_be_ignored(const struct trader_request *request)
{
    return request->bytes > 0 && (request->user_ref == 0 || request->target != 0);
}

bool trader_resend(struct rs_trader *trader)
{
    for (; trader->resend_next < trader->request_count; trader->resend_next++) {
        const struct trader_request *request = trader_request_at(trader, trader->resend_next);
        if (request->bytes > 0 && rs_client_send(trader->client, request->message, request->bytes) < 0)
            return false;
        trader->query_due |= may_be_ignored(request);
    }
    return true;
}

void trader_ask(struct rs_trader *trader)
{
    if (trader->query_due && rs_trader_account_query(trader) == 0)
        trader->query_due = false;
}

/* ---- fields ---- */

/* False: the text does not fit. */
static bool put_text(char *field, size_t field_bytes, const char *text)
{
    if (text && strlen(text) > field_bytes)
        return false;
    text_pad(field, field_bytes, text ? text : "");
    return true;
}

static uint8_t letter_or(char given, char otherwise)
{
    return (uint8_t)(given ? given : otherwise);
}

/* Options into `room`. False: one that the message may not have, or a channel's. */
static bool put_options(struct ouch_appendage *appendage, uint8_t *room, const struct ouch_options *options,
                        enum ouch_option_place place)
{
    struct ouch_options allowed;
    *appendage = (struct ouch_appendage){.bytes = room};
    if (!options || options->present == 0)
        return true;
    appendage->count = (uint16_t)ouch_options_encode(room, options);
    appendage->present = true;
    return !(options->present & OUCH_HAS_USER_REF_INDEX) && !ouch_options_decode(*appendage, place, &allowed);
}

/* ---- requests ---- */

int rs_trader_enter(struct rs_trader *trader, const struct rs_order *order, uint32_t *ret_user_ref)
{
    struct trader_request *request;
    uint8_t options[OUCH_OPTIONS_BYTES_MAX];
    int refused = place(trader, &request);
    if (refused < 0)
        return refused;
    struct ouch_enter enter = {.user_ref = trader->user_ref_next,
                               .side = (uint8_t)order->side,
                               .quantity = order->quantity,
                               .price = order->price,
                               .time_in_force = letter_or(order->time_in_force, '0'),
                               .display = letter_or(order->display, 'Y'),
                               .capacity = letter_or(order->capacity, 'P'),
                               .sweep = letter_or(order->sweep, 'N'),
                               .cross_type = letter_or(order->cross_type, 'N')};
    if (!put_text(enter.symbol, sizeof(enter.symbol), order->symbol) ||
        !put_text(enter.client_order_id, sizeof(enter.client_order_id), order->client_order_id) ||
        !put_options(&enter.appendage, options, &order->options, OUCH_IN_ENTER))
        return RS_CLIENT_INVALID;
    request->user_ref = enter.user_ref;
    request->bytes = ouch_encode_enter(request->message, &enter);
    return post(trader, request, ret_user_ref);
}

int rs_trader_replace(struct rs_trader *trader, uint32_t orig_user_ref, const struct rs_order *order,
                      uint32_t *ret_user_ref)
{
    struct trader_request *request;
    uint8_t options[OUCH_OPTIONS_BYTES_MAX];
    int refused = place(trader, &request);
    if (refused < 0)
        return refused;
    struct ouch_replace replace = {.orig_user_ref = orig_user_ref,
                                   .user_ref = trader->user_ref_next,
                                   .quantity = order->quantity,
                                   .price = order->price,
                                   .time_in_force = letter_or(order->time_in_force, '0'),
                                   .display = letter_or(order->display, 'Y'),
                                   .sweep = letter_or(order->sweep, 'N')};
    if (!put_text(replace.client_order_id, sizeof(replace.client_order_id), order->client_order_id) ||
        !put_options(&replace.appendage, options, &order->options, OUCH_IN_REPLACE))
        return RS_CLIENT_INVALID;
    request->user_ref = replace.user_ref;
    request->target = orig_user_ref;
    request->bytes = ouch_encode_replace(request->message, &replace);
    return post(trader, request, ret_user_ref);
}

int rs_trader_cancel(struct rs_trader *trader, uint32_t user_ref, uint32_t quantity)
{
    struct trader_request *request;
    int refused = place(trader, &request);
    if (refused < 0)
        return refused;
    const struct ouch_cancel cancel = {.user_ref = user_ref, .quantity = quantity};
    request->target = user_ref;
    request->bytes = ouch_encode_cancel(request->message, &cancel);
    return post(trader, request, NULL);
}

int rs_trader_modify(struct rs_trader *trader, uint32_t user_ref, char side, uint32_t quantity)
{
    struct trader_request *request;
    int refused = place(trader, &request);
    if (refused < 0)
        return refused;
    const struct ouch_modify modify = {.user_ref = user_ref, .side = (uint8_t)side, .quantity = quantity};
    request->target = user_ref;
    request->bytes = ouch_encode_modify(request->message, &modify);
    return post(trader, request, NULL);
}

int rs_trader_mass_cancel(struct rs_trader *trader, const char *firm, const char *symbol,
                          const struct ouch_options *options, uint32_t *ret_user_ref)
{
    struct trader_request *request;
    uint8_t room[OUCH_OPTIONS_BYTES_MAX];
    int refused = place(trader, &request);
    if (refused < 0)
        return refused;
    struct ouch_mass_cancel mass = {.user_ref = trader->user_ref_next};
    if (!put_text(mass.firm, sizeof(mass.firm), firm) || !put_text(mass.symbol, sizeof(mass.symbol), symbol) ||
        !put_options(&mass.appendage, room, options, OUCH_IN_MASS_CANCEL))
        return RS_CLIENT_INVALID;
    request->user_ref = mass.user_ref;
    request->bytes = ouch_encode_mass_cancel(request->message, &mass);
    return post(trader, request, ret_user_ref);
}

int rs_trader_disable(struct rs_trader *trader, const char *firm, uint32_t *ret_user_ref)
{
    struct trader_request *request;
    int refused = place(trader, &request);
    if (refused < 0)
        return refused;
    struct ouch_disable disable = {.user_ref = trader->user_ref_next};
    if (!put_text(disable.firm, sizeof(disable.firm), firm))
        return RS_CLIENT_INVALID;
    request->user_ref = disable.user_ref;
    request->bytes = ouch_encode_disable(request->message, &disable);
    return post(trader, request, ret_user_ref);
}

int rs_trader_enable(struct rs_trader *trader, const char *firm, uint32_t *ret_user_ref)
{
    struct trader_request *request;
    int refused = place(trader, &request);
    if (refused < 0)
        return refused;
    struct ouch_enable enable = {.user_ref = trader->user_ref_next};
    if (!put_text(enable.firm, sizeof(enable.firm), firm))
        return RS_CLIENT_INVALID;
    request->user_ref = enable.user_ref;
    request->bytes = ouch_encode_enable(request->message, &enable);
    return post(trader, request, ret_user_ref);
}

int rs_trader_account_query(struct rs_trader *trader)
{
    struct trader_request *request;
    int refused = place_of_any(trader, &request);
    if (refused < 0)
        return refused;
    request->bytes = ouch_encode_account_query(request->message, &(const struct ouch_account_query){0});
    int sent = post(trader, request, NULL);
    if (sent == 0)
        trader->query_end = trader->request_count;
    return sent;
}
