/* The two users who play a LOBSTER file: what they ask, and what the exchange says to them. */
#include "lobster_play.h"

#include "base/bytes.h"
#include "wire/ouch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void lobster_failed(struct lobster *lobster, const char *format, ...)
{
    if (lobster->failures++ > 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    int at = snprintf(lobster->why, sizeof(lobster->why), "event %llu: ", (unsigned long long)lobster->counts.events);
    vsnprintf(lobster->why + at, sizeof(lobster->why) - (size_t)at, format, arguments);
    va_end(arguments);
}

/* ---- what the exchange says ---- */

static struct lobster_order *order_of(struct player *player, uint32_t user_ref, uint32_t *ret_index)
{
    uint32_t at = user_ref - player->user_ref_first;
    if (player->user_ref_first == 0 || at >= player->order_count) {
        lobster_failed(player->lobster, "a message about order %u, which was not entered", user_ref);
        return NULL;
    }
    *ret_index = player->order_of[at];
    return &player->lobster->book.orders[*ret_index];
}

static void take_executed(struct player *player, const struct ouch_executed *executed)
{
    struct lobster *lobster = player->lobster;
    uint32_t index = 0;
    const struct lobster_order *order = order_of(player, executed->user_ref, &index);
    if (!order)
        return;
    if (order->leaves < executed->quantity || executed->price != (uint64_t)order->price_ticks) {
        lobster_failed(lobster, "%u shares executed at %" PRIu64 ", of an order with %u left at %" PRId64,
                       executed->quantity, executed->price, order->leaves, order->price_ticks);
        return;
    }
    if (player == &lobster->players[TAKER]) {
        lobster->taker_left -= executed->quantity;
    } else {
        lobster->hit_id = order->id;
        lobster->hits++;
    }
    lobster_book_taken(&lobster->book, index, executed->quantity, true);
}

static void take_canceled(struct player *player, const struct ouch_canceled *canceled)
{
    uint32_t index = 0;
    const struct lobster_order *order = order_of(player, canceled->user_ref, &index);
    if (order && order->leaves >= canceled->quantity)
        lobster_book_taken(&player->lobster->book, index, canceled->quantity, false);
    else
        lobster_failed(player->lobster, "%u shares cancelled of an order that has fewer", canceled->quantity);
}

static void take_accepted(struct player *player, const struct ouch_accepted *accepted)
{
    uint32_t index = 0;
    const struct lobster_order *order = order_of(player, accepted->user_ref, &index);
    if (order && accepted->price != (uint64_t)order->price_ticks)
        lobster_failed(player->lobster, "an order at %" PRId64 " accepted at %" PRIu64, order->price_ticks,
                       accepted->price);
    else if (order && accepted->state == 'L')
        lobster_book_accepted(&player->lobster->book, index, accepted->quantity);
}

void lobster_message(void *context, uint64_t sequence, const uint8_t *message, size_t bytes)
{
    struct player *player = context;
    union {
        struct ouch_accepted accepted;
        struct ouch_executed executed;
        struct ouch_canceled canceled;
        struct ouch_rejected rejected;
        struct ouch_account_answer answer;
    } decoded;
    (void)sequence;
    if (!ouch_decode_accepted(message, bytes, &decoded.accepted)) {
        take_accepted(player, &decoded.accepted);
    } else if (!ouch_decode_executed(message, bytes, &decoded.executed)) {
        take_executed(player, &decoded.executed);
    } else if (!ouch_decode_canceled(message, bytes, &decoded.canceled)) {
        take_canceled(player, &decoded.canceled);
    } else if (!ouch_decode_account_answer(message, bytes, &decoded.answer)) {
        player->answers++;
        if (player->user_ref_first == 0)
            player->user_ref_first = player->user_ref_next = decoded.answer.user_ref_next;
    } else if (!ouch_decode_rejected(message, bytes, &decoded.rejected)) {
        lobster_failed(player->lobster, "rejected: %s", ouch_reject_text(decoded.rejected.reason));
    } else if (bytes == 0 || message[0] != OUCH_TYPE_SYSTEM_EVENT) {
        lobster_failed(player->lobster, "a message that answers nothing that was asked");
    }
}

/* ---- what is asked ---- */

static void send_message(struct player *player, const uint8_t *message, uint32_t bytes)
{
    int result = rs_client_send(player->client, message, bytes);
    if (result == RS_CLIENT_FULL && rs_client_flush_wait(player->client, 5000) == 0)
        result = rs_client_send(player->client, message, bytes);
    if (result < 0)
        lobster_failed(player->lobster, "sending: %s", rs_client_why(player->client));
}

void lobster_settle(struct player *player)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    const struct ouch_account_query query = {.appendage = {.present = false}};
    uint64_t wanted = player->answers + 1;
    uint32_t timeout_ms = (uint32_t)(player->lobster->options->patience_s * 1000);
    send_message(player, message, ouch_encode_account_query(message, &query));
    while (player->answers < wanted && player->lobster->failures == 0) {
        int messages = rs_client_wait(player->client, timeout_ms);
        if (messages < 0)
            lobster_failed(player->lobster, "%s", rs_client_why(player->client));
        else if (messages == 0 && player->answers < wanted)
            lobster_failed(player->lobster, "no answer for %u ms", timeout_ms);
    }
}

void lobster_enter(struct lobster *lobster, int who, const struct lobster_order *order, uint32_t quantity)
{
    struct player *player = &lobster->players[who];
    if (player->order_count == player->order_room) {
        player->order_room = player->order_room * 2 + 1024;
        uint32_t *larger = realloc(player->order_of, player->order_room * sizeof(*larger));
        if (!larger) {
            lobster_failed(lobster, "no memory");
            return;
        }
        player->order_of = larger;
    }
    player->order_of[player->order_count++] = lobster_book_keep(&lobster->book, order);
    struct ouch_enter message = {.user_ref = order->user_ref,
                                 .side = order->side == LOBSTER_BID ? 'B' : 'S',
                                 .quantity = quantity,
                                 .price = (uint64_t)order->price_ticks,
                                 .time_in_force = who == OWNER ? '0' : '3',
                                 .display = 'Y',
                                 .capacity = 'P',
                                 .sweep = 'N',
                                 .cross_type = 'N'};
    memcpy(message.symbol, lobster->symbol, sizeof(message.symbol));
    text_pad(message.client_order_id, sizeof(message.client_order_id), "lobster");
    uint8_t bytes[OUCH_MESSAGE_BYTES_MAX];
    send_message(player, bytes, ouch_encode_enter(bytes, &message));
}

void lobster_enter_passive(struct lobster *lobster, int64_t id, int side, int64_t price_ticks, int64_t quantity)
{
    struct player *owner = &lobster->players[OWNER];
    const struct lobster_order order = {
        .id = id, .price_ticks = price_ticks, .user_ref = owner->user_ref_next++, .side = side};
    lobster_enter(lobster, OWNER, &order, (uint32_t)quantity);
}

void lobster_cut(struct lobster *lobster, const struct lobster_order *order, int64_t quantity)
{
    bool all = quantity >= order->leaves;
    struct ouch_cancel message = {.user_ref = order->user_ref};
    if (!all)
        message.quantity = order->executed + order->leaves - (uint32_t)quantity; /* the new total, fills included */
    uint8_t bytes[OUCH_MESSAGE_BYTES_MAX];
    send_message(&lobster->players[OWNER], bytes, ouch_encode_cancel(bytes, &message));
}
