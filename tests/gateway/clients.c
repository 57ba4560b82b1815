/*
 * Clients of the gateway under test: one thread polls the exchange and reads the sockets in turn, so a wait is a loop
 * and has a deadline.
 */
#include "clients.h"

#include "base/bytes.h"
#include "base/units.h"
#include "env/clock.h"
#include "wire/ouch.h"
#include "wire/soup.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 5000u

struct stand_in exchange;
static struct client *clients[CLIENTS_MAX];
static uint32_t client_count;

void close_all(void)
{
    for (uint32_t i = 0; i < client_count; i++) {
        close(clients[i]->fd);
        free(clients[i]);
    }
    client_count = 0;
    stand_in_close(&exchange);
}

struct client *client_new(void)
{
    return client_from(INADDR_LOOPBACK);
}

struct client *client_from(uint32_t source)
{
    struct client *client = calloc(1, sizeof(*client));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)exchange.config.gateway_port)};
    const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(client->fd, (const struct sockaddr *)&from, sizeof(from)), 0);
    cr_assert_eq(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_lt(client_count, CLIENTS_MAX);
    clients[client_count++] = client;
    return client;
}

void client_send(struct client *client, const void *bytes, uint32_t count)
{
    cr_assert_eq(send(client->fd, bytes, count, MSG_NOSIGNAL), (ssize_t)count);
}

void client_packet(struct client *client, char type, const void *payload, uint32_t payload_bytes)
{
    uint8_t packet[1024];
    client_send(client, packet, soup_put_packet(packet, (uint8_t)type, payload, payload_bytes));
}

void client_read(struct client *client)
{
    memmove(client->bytes, client->bytes + client->start, client->end - client->start);
    client->end -= client->start;
    client->start = 0;
    ssize_t count = recv(client->fd, client->bytes + client->end, CLIENT_BYTES - client->end, MSG_DONTWAIT);
    if (count > 0)
        client->end += (uint32_t)count;
    else if (count == 0 || (errno != EAGAIN && errno != EINTR))
        client->closed = true;
}

bool frame_next(struct client *client, struct soup_frame *ret_frame)
{
    if (soup_take_frame(client->bytes + client->start, client->end - client->start, SOUP_LENGTH_MAX, ret_frame) !=
        SOUP_FRAME_WHOLE)
        return false;
    client->start += ret_frame->frame_bytes;
    if (ret_frame->type == SOUP_SEQUENCED)
        client->message_no++;
    return true;
}

struct soup_frame expect_any(struct client *client)
{
    struct soup_frame frame = {0};
    uint64_t deadline_ns = clock_monotonic_ns() + WAIT_MS * (uint64_t)NS_PER_MS;
    while (!frame_next(client, &frame) || frame.type == SOUP_SERVER_HEARTBEAT) {
        memset(&frame, 0, sizeof(frame));
        if (client->closed)
            return frame;
        cr_assert(clock_monotonic_ns() < deadline_ns, "nothing comes");
        stand_in_poll(&exchange);
        client_read(client);
    }
    return frame;
}

struct soup_frame expect(struct client *client, char type)
{
    struct soup_frame frame = expect_any(client);
    cr_assert_eq(frame.type, type, "%c (%.*s) instead of %c", frame.type ? frame.type : '-', (int)frame.payload_bytes,
                 frame.payload ? (const char *)frame.payload : "", type);
    return frame;
}

void expect_message(struct client *client, char letter)
{
    struct soup_frame frame = expect(client, 'S');
    cr_assert_eq(frame.payload[0], letter, "%c instead of %c", frame.payload[0], letter);
}

void expect_closed(struct client *client)
{
    struct soup_frame frame = expect_any(client);
    cr_assert_eq(frame.type, 0, "%c", frame.type);
}

void run_for(uint32_t polls)
{
    for (uint32_t i = 0; i < polls; i++)
        stand_in_poll(&exchange);
}

void login_ask(struct client *client, const char *user, const char *password, const char *session, uint64_t message_no)
{
    struct soup_login_request request = {.sequence_next = message_no};
    text_pad(request.user, sizeof(request.user), user);
    text_pad(request.password, sizeof(request.password), password);
    text_pad(request.session, sizeof(request.session), session);
    uint8_t payload[SOUP_LOGIN_REQUEST_BYTES];
    client_packet(client, 'L', payload, soup_put_login_request(payload, &request));
}

uint64_t expect_accepted(struct client *client)
{
    struct soup_login_accepted accepted;
    struct soup_frame frame = expect(client, 'A');
    cr_assert_null(soup_get_login_accepted(frame.payload, frame.payload_bytes, &accepted));
    cr_assert_eq(memcmp(accepted.session, "  20261123", 10), 0);
    client->message_no = (uint32_t)accepted.sequence_next;
    return accepted.sequence_next;
}

struct client *login_from(const char *user, uint64_t message_no)
{
    struct client *client = client_new();
    login_ask(client, user, STAND_IN_PASSWORD, "", message_no);
    expect_accepted(client);
    return client;
}

struct client *login_new(const char *user)
{
    struct client *client = login_from(user, 1);
    expect_message(client, 'S');
    return client;
}

uint32_t enter_put(uint8_t *packet, uint32_t user_ref, const char *symbol, uint64_t price)
{
    struct ouch_enter enter = {.user_ref = user_ref, .side = 'B', .quantity = 100, .price = price};
    enter.time_in_force = '0';
    enter.display = 'Y';
    enter.capacity = 'A';
    enter.sweep = enter.cross_type = 'N';
    text_pad(enter.symbol, sizeof(enter.symbol), symbol);
    text_pad(enter.client_order_id, sizeof(enter.client_order_id), "order");
    uint32_t bytes = ouch_encode_enter(packet + SOUP_HEADER_BYTES, &enter);
    soup_put_header(packet, 'U', bytes);
    return SOUP_HEADER_BYTES + bytes;
}

void enter(struct client *client, uint32_t user_ref, const char *symbol, uint64_t price)
{
    uint8_t packet[128];
    client_send(client, packet, enter_put(packet, user_ref, symbol, price));
}
