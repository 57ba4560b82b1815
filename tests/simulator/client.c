#include "client.h"

#include "base/bytes.h"
#include "base/require.h"
#include "base/units.h"
#include "disk_side.h"
#include "network.h"
#include "outside.h"
#include "random.h"
#include "wire/ouch.h"
#include "wire/soup.h"
#include "witness.h"

#include <stdio.h>
#include <string.h>

#define HEARTBEAT_NS ((uint64_t)NS_PER_SECOND)
#define HALF         500000 /* in a million */

void client_begin(struct client *client, uint32_t number, uint32_t gateway_count, uint16_t port, uint32_t request_limit)
{
    char user[16];
    memset(client, 0, sizeof(*client));
    snprintf(user, sizeof(user), "u%02u", number % 100);
    text_pad(client->user, USER_BYTES, user);
    client->link = NETWORK_NONE;
    client->gateway_count = gateway_count;
    client->port = port;
    client->slow = random_below(4) == 0;
    client->request_limit = request_limit < CLIENT_REQUESTS_MAX ? request_limit : CLIENT_REQUESTS_MAX;
}

/* ---- sending ------------------------------------------------------------------------------------------------------
 */

static void put(struct client *client, const uint8_t *packet, uint32_t bytes)
{
    if (client->output_count + bytes > CLIENT_BYTES || client->spoiled)
        return; /* it is as if it had never been asked */
    memcpy(client->output + client->output_count, packet, bytes);
    client->output_count += bytes;
}

static void put_empty(struct client *client, uint8_t type)
{
    uint8_t packet[SOUP_HEADER_BYTES];
    put(client, packet, soup_put_packet(packet, type, NULL, 0));
}

static void flush(struct client *client)
{
    if (client->output_count == 0)
        return;
    uint32_t wanted = client->output_count;
    if (random_chance(HALF / 4))
        wanted = (uint32_t)random_between(1, wanted);
    uint32_t taken = network_client_send(client->link, client->output, wanted);
    memmove(client->output, client->output + taken, client->output_count - taken);
    client->output_count -= taken;
    client->sent_ns = outside.now_ns;
}

static void go_away(struct client *client, bool cut_off)
{
    TRACE("client %.6s: %s", client->user, cut_off ? "vanishes" : "closes");
    network_client_close(client->link, cut_off);
    client->link = NETWORK_NONE;
    client->state = CLIENT_AWAY;
    client->spoiled = false;
    client->output_count = client->input_count = 0;
}

static void come(struct client *client, const struct client_manners *manners)
{
    uint16_t port = (uint16_t)(client->port + random_below(client->gateway_count));
    client->link = network_connect(port);
    if (client->link == NETWORK_NONE)
        return;
    struct soup_login_request request = {.sequence_next = (uint64_t)client->told_count + 1};
    if (random_chance(manners->from_the_start) && !client->asks_no_more)
        request.sequence_next = random_between(1, (uint64_t)client->told_count + 1);
    memcpy(request.user, client->user, sizeof(request.user));
    text_pad(request.password, sizeof(request.password), OUTSIDE_PASSWORD);
    text_pad(request.session, sizeof(request.session), "");
    uint8_t payload[SOUP_LOGIN_REQUEST_BYTES];
    uint8_t packet[SOUP_HEADER_BYTES + SOUP_LOGIN_REQUEST_BYTES];
    put(client, packet,
        soup_put_packet(packet, SOUP_LOGIN_REQUEST, payload, soup_put_login_request(payload, &request)));
    client->asked_no = request.sequence_next;
    client->state = CLIENT_ASKED;
    TRACE("client %.6s: connects to port %u, asks for message %llu", client->user, port,
          (unsigned long long)client->asked_no);
}

/* ---- requests -----------------------------------------------------------------------------------------------------
 */

/* Any kind of order there is, and some that there are not: those are rejected, which is an answer, too. */
static void draw_options(struct ouch_enter *enter, struct ouch_options *options)
{
    switch (random_below(8)) {
    case 0:
        *options = (struct ouch_options){.present = OUCH_HAS_MAX_FLOOR | OUCH_HAS_RANDOM_RESERVE};
        options->max_floor = (uint32_t)random_between(1, enter->quantity);
        options->random_reserve = (uint32_t)random_below(20);
        break;
    case 1:
        *options = (struct ouch_options){.present = OUCH_HAS_MIN_QUANTITY};
        options->min_quantity = (uint32_t)random_between(1, enter->quantity);
        break;
    case 2:
        *options = (struct ouch_options){.present = OUCH_HAS_PRICE_TYPE | OUCH_HAS_PEG_OFFSET};
        options->price_type = (uint8_t) "PMR"[random_below(3)];
        options->peg_offset = (int32_t)(100 * random_below(4));
        enter->display = 'N';
        break;
    case 3:
        *options = (struct ouch_options){.present = OUCH_HAS_TRIGGER | OUCH_HAS_TRIGGER_PRICE};
        options->trigger = 'S';
        options->trigger_price = enter->price;
        break;
    case 4:
        *options = (struct ouch_options){.present = OUCH_HAS_POST_ONLY, .post_only = 'P'};
        break;
    case 5:
        *options = (struct ouch_options){.present = OUCH_HAS_SELF_MATCH, .self_match = 'O'};
        break;
    default:
        *options = (struct ouch_options){0};
        break;
    }
}

static uint32_t encode_enter(uint8_t *to, uint32_t user_ref)
{
    static const char *const symbols[] = {"AAPL", "MSFT"};
    struct ouch_enter enter = {.user_ref = user_ref, .side = random_below(2) ? 'B' : 'S'};
    enter.quantity = (uint32_t)random_between(1, 300);
    enter.price = 1000000 + 100 * random_below(20) - 1000;
    enter.time_in_force = random_below(8) == 0 ? '3' : '0';
    enter.display = 'Y';
    enter.capacity = 'A';
    enter.sweep = enter.cross_type = 'N';
    text_pad(enter.symbol, sizeof(enter.symbol), random_below(50) == 0 ? "NONE" : symbols[random_below(2)]);
    text_pad(enter.client_order_id, sizeof(enter.client_order_id), "simulated");
    uint8_t appendage[OUCH_OPTIONS_BYTES_MAX];
    struct ouch_options options;
    draw_options(&enter, &options);
    if (options.present != 0)
        enter.appendage = (struct ouch_appendage){
            .bytes = appendage, .count = (uint16_t)ouch_options_encode(appendage, &options), .present = true};
    return ouch_encode_enter(to, &enter);
}

static uint32_t encode_replace(uint8_t *to, uint32_t user_ref, uint32_t original)
{
    struct ouch_replace replace = {.orig_user_ref = original, .user_ref = user_ref};
    replace.quantity = (uint32_t)random_between(1, 300);
    replace.price = 1000000 + 100 * random_below(20) - 1000;
    replace.time_in_force = '0';
    replace.display = 'Y';
    replace.sweep = 'N';
    text_pad(replace.client_order_id, sizeof(replace.client_order_id), "replaced");
    return ouch_encode_replace(to, &replace);
}

static void cancel(struct client *client, uint32_t original)
{
    uint8_t packet[64];
    const struct ouch_cancel message = {.user_ref = original, .quantity = 0};
    uint32_t bytes = ouch_encode_cancel(packet + SOUP_HEADER_BYTES, &message);
    soup_put_header(packet, SOUP_UNSEQUENCED, bytes);
    put(client, packet, SOUP_HEADER_BYTES + bytes);
}

static void ask(struct client *client)
{
    uint64_t kind = random_below(10);
    uint32_t user_ref = client->request_count + 1;
    uint32_t original = (uint32_t)random_between(1, user_ref);
    if (kind == 0) {
        cancel(client, original);
        return;
    }
    struct client_request *request = &client->requests[client->request_count++];
    uint8_t *message = request->packet + SOUP_HEADER_BYTES;
    request->user_ref = user_ref;
    request->must_be_answered = kind > 2;
    uint32_t bytes = kind <= 2 ? encode_replace(message, user_ref, original) : encode_enter(message, user_ref);
    soup_put_header(request->packet, SOUP_UNSEQUENCED, bytes);
    request->bytes = SOUP_HEADER_BYTES + bytes;
    REQUIRE(request->bytes <= sizeof(request->packet));
    put(client, request->packet, request->bytes);
}

/* From the first that is not answered on, all of them: the engine passes over those that it knows. */
static void ask_again(struct client *client)
{
    for (uint32_t i = client->answered_below; i < client->request_count; i++)
        if (!client->requests[i].answered)
            put(client, client->requests[i].packet, client->requests[i].bytes);
}

/* ---- what it is told ----------------------------------------------------------------------------------------------
 */

static void note_answer(struct client *client, uint32_t user_ref, uint8_t type)
{
    if (user_ref == 0 || user_ref > client->request_count)
        violation("user %.6s is told of request %u, which it never made", client->user, user_ref);
    struct client_request *request = &client->requests[user_ref - 1];
    if (request->answered)
        violation("user %.6s is told of request %u twice (%c)", client->user, user_ref, type);
    request->answered = true;
    while (client->answered_below < client->request_count && client->requests[client->answered_below].answered)
        client->answered_below++;
}

static void read_new(struct client *client, const uint8_t *message, uint32_t bytes)
{
    const char *broken = ouch_invalid(OUCH_OUT, message, bytes);
    if (broken)
        violation("user %.6s: message %u: %s", client->user, client->message_no, broken);
    struct ouch_accepted accepted;
    struct ouch_rejected rejected;
    struct ouch_replaced replaced;
    if (message[0] == OUCH_TYPE_ACCEPTED && !ouch_decode_accepted(message, bytes, &accepted))
        note_answer(client, accepted.user_ref, 'A');
    else if (message[0] == OUCH_TYPE_REJECTED && !ouch_decode_rejected(message, bytes, &rejected))
        note_answer(client, rejected.user_ref, 'J');
    else if (message[0] == OUCH_TYPE_REPLACED && !ouch_decode_replaced(message, bytes, &replaced))
        note_answer(client, replaced.user_ref, 'U');
}

/* Rule 1. The ledger is kept by the witness: equal to it once, equal to what was told before for ever. */
static void told(struct client *client, const struct soup_frame *frame, const uint8_t *packet)
{
    uint32_t bytes = 0;
    const uint8_t *known = witness_message(client->user, client->message_no, &bytes);
    if (!known)
        violation("user %.6s is told message %u (%c), which nothing that is acknowledged makes", client->user,
                  client->message_no, frame->payload_bytes ? frame->payload[0] : '-');
    if (bytes != frame->frame_bytes || memcmp(known, packet, bytes) != 0)
        violation("user %.6s is told %c as message %u, which is %c", client->user, frame->payload[0],
                  client->message_no, known[SOUP_HEADER_BYTES]);
    if (client->message_no > client->told_count) {
        client->told_count++;
        read_new(client, frame->payload, frame->payload_bytes);
    }
    client->message_no++;
}

static void accepted(struct client *client, const struct soup_frame *frame)
{
    struct soup_login_accepted login;
    const char *broken = soup_get_login_accepted(frame->payload, frame->payload_bytes, &login);
    if (broken)
        violation("user %.6s: login accepted: %s", client->user, broken);
    if (login.sequence_next != client->asked_no)
        violation("user %.6s asks for message %llu and is told from %llu on", client->user,
                  (unsigned long long)client->asked_no, (unsigned long long)login.sequence_next);
    client->message_no = (uint32_t)login.sequence_next;
    client->state = CLIENT_IN;
    TRACE("client %.6s: is in, next message %u, knows %u", client->user, client->message_no, client->told_count);
    ask_again(client);
}

/* Whether a gateway says that what was asked for is damaged in its log, or cannot be read from it. */
static bool says_cannot(const struct soup_frame *frame)
{
    static const char damaged[] = "is damaged here";
    static const char unread[] = "cannot be read here";
    return memmem(frame->payload, frame->payload_bytes, damaged, sizeof(damaged) - 1) ||
           memmem(frame->payload, frame->payload_bytes, unread, sizeof(unread) - 1);
}

/* Nobody can do more than say so. Reading never fails here but of what is damaged. */
static void cannot_be_told(struct client *client)
{
    if (disk_damage_count == 0)
        violation("user %.6s is told that message %u is damaged or cannot be read, though nothing is damaged",
                  client->user, client->message_no);
    if (client->message_no > client->told_count)
        noticed("user %.6s cannot be told message %u: %s", client->user, client->message_no, outside.last_error);
    client->asks_no_more = true;
}

static void take(struct client *client, const struct soup_frame *frame, const uint8_t *packet)
{
    switch (frame->type) {
    case SOUP_LOGIN_ACCEPTED:
        accepted(client, frame);
        break;
    case SOUP_SEQUENCED:
        if (client->state != CLIENT_IN)
            violation("user %.6s is told a message before its login", client->user);
        told(client, frame, packet);
        break;
    case SOUP_LOGIN_REJECTED:
        if (frame->payload[0] != SOUP_SESSION_NOT_AVAILABLE)
            violation("user %.6s: its login is refused", client->user);
        TRACE("client %.6s: the session is not available", client->user);
        break;
    case SOUP_DEBUG:
        TRACE("client %.6s: %.*s", client->user, (int)frame->payload_bytes, (const char *)frame->payload);
        if (says_cannot(frame))
            cannot_be_told(client);
        break;
    default:
        break;
    }
}

static void read_some(struct client *client)
{
    int64_t count =
        network_client_receive(client->link, client->input + client->input_count, CLIENT_BYTES - client->input_count);
    if (count < 0) {
        go_away(client, false);
        return;
    }
    client->input_count += (uint32_t)count;
    uint32_t start = 0;
    struct soup_frame frame;
    enum soup_frame_state state;
    while ((state = soup_take_frame(client->input + start, client->input_count - start, SOUP_LENGTH_MAX, &frame)) ==
           SOUP_FRAME_WHOLE) {
        take(client, &frame, client->input + start);
        start += frame.frame_bytes;
    }
    if (state == SOUP_FRAME_EMPTY)
        violation("user %.6s is sent a frame without a type", client->user);
    memmove(client->input, client->input + start, client->input_count - start);
    client->input_count -= start;
}

/* Frames that are none, or are not for here. The gateway answers, or ends the connection, and nothing else. */
static void put_garbage(struct client *client)
{
    uint8_t bytes[64];
    uint32_t count = (uint32_t)random_between(1, sizeof(bytes));
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)random_next();
    bool framed = count > SOUP_HEADER_BYTES && random_below(4) != 0;
    if (framed)
        soup_put_header(bytes, random_below(2) ? SOUP_DEBUG : 'z', count - SOUP_HEADER_BYTES);
    put(client, bytes, count);
    client->spoiled = client->spoiled || !framed;
}

/* ---- stepping -----------------------------------------------------------------------------------------------------
 */

void client_leave(struct client *client)
{
    if (client->state != CLIENT_AWAY)
        go_away(client, true);
}

void client_step(struct client *client, const struct client_manners *manners)
{
    if (client->state == CLIENT_AWAY) {
        come(client, manners);
        return;
    }
    bool calm = manners->request == 0;
    if (random_chance(manners->vanish) || (client->spoiled && (calm || random_below(20) == 0))) {
        go_away(client, true);
        return;
    }
    if (client->state == CLIENT_IN && random_chance(manners->logout))
        put_empty(client, SOUP_LOGOUT_REQUEST);
    if (random_chance(manners->garbage))
        put_garbage(client);
    if (client->state == CLIENT_IN && client->request_count < client->request_limit && random_chance(manners->request))
        for (uint64_t burst = random_below(4) == 0 ? random_between(1, 30) : 1;
             burst > 0 && client->request_count < client->request_limit; burst--)
            ask(client);
    if (outside.now_ns - client->sent_ns > HEARTBEAT_NS && client->output_count == 0)
        put_empty(client, SOUP_CLIENT_HEARTBEAT);
    flush(client);
    bool reads = calm || !client->slow || random_below(20) == 0;
    if (reads)
        read_some(client);
}

static uint32_t unanswered(const struct client *client)
{
    for (uint32_t i = client->answered_below; i < client->request_count; i++)
        if (client->requests[i].must_be_answered && !client->requests[i].answered)
            return i + 1;
    return 0;
}

bool client_settled(const struct client *client)
{
    return client->state == CLIENT_IN && unanswered(client) == 0 &&
           client->told_count == witness_message_count(client->user) && client->message_no == client->told_count + 1;
}

void client_check(const struct client *client)
{
    if (unanswered(client) != 0)
        violation("user %.6s was never answered about request %u", client->user, unanswered(client));
}
