/*
 * Sockets. Level-triggered epoll: each socket is registered once, for reading, and what was not read is reported again.
 * Waiting for a socket to become writable is an epoll of its own inside the first, so that a gateway whose inbound ring
 * is full can go on waiting for the one without being woken by the other.
 *
 * Rules
 *   1. What epoll gives back is the connection's number, so an event of a connection that is gone is told from one of
 * its successor in the same place.
 *   2. All sockets of one epoll_wait get their turn before the next one: nobody is starved by who comes before him.
 *   3. One send a connection a poll.
 */
#include "gateway_state.h"

#include "base/require.h"
#include "base/units.h"
#include "log/log.h"
#include "wire/soup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG          4096
#define ACCEPTS_PER_TURN 64u
#define WORK_PER_POLL    2048 /* commands, about, before events are looked at again */
#define LINGER_NS        ((uint64_t)NS_PER_SECOND)
#define ACCEPT_PAUSE_NS  (100u * (uint64_t)NS_PER_MS)
#define DEBUG_BYTES_MAX  200u
#define DATA_LISTENER    UINT64_MAX
#define DATA_WRITABLE_FD (UINT64_MAX - 1)

static int epoll_add(int epoll_fd, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

int network_open(struct gateway *gateway, struct error *error)
{
    const struct config *config = gateway->config;
    gateway->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    gateway->writable_epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (gateway->epoll_fd < 0 || gateway->writable_epoll_fd < 0 ||
        epoll_add(gateway->epoll_fd, gateway->writable_epoll_fd, EPOLLIN, DATA_WRITABLE_FD) < 0)
        return error_system(error, errno, "epoll", "cannot make one");
    gateway->dirty = calloc(config->gateway_connections_max, sizeof(*gateway->dirty));
    if (!gateway->dirty)
        return error_system(error, ENOMEM, "gateway.connections_max", "no memory");
    return connections_open(&gateway->connections, (uint32_t)config->gateway_connections_max,
                            (uint32_t)config->gateway_output_bytes, (uint32_t)config->gateway_frame_bytes_max, error);
}

static int address_of(const struct gateway *gateway, struct sockaddr_storage *address, socklen_t *bytes,
                      char where[ERROR_WHERE_BYTES])
{
    const char *text = gateway->config->gateway_address;
    uint16_t port = (uint16_t)(gateway->config->gateway_port + gateway->gateway - 1);
    snprintf(where, ERROR_WHERE_BYTES, "%.100s:%u", text, port);
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        *bytes = sizeof(*four);
        return 0;
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        *bytes = sizeof(*six);
        return 0;
    }
    return ERROR_INVALID;
}

int network_listen(struct gateway *gateway, struct error *error)
{
    struct sockaddr_storage address;
    socklen_t bytes = 0;
    char where[ERROR_WHERE_BYTES];
    if (address_of(gateway, &address, &bytes, where) < 0)
        return error_set(error, ERROR_INVALID, "gateway.address", "%s is no IP address",
                         gateway->config->gateway_address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_system(error, errno, where, "no socket");
    gateway->listen_fd = fd;
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, bytes) < 0 || listen(fd, BACKLOG) < 0)
        return error_system(error, errno, where, "cannot listen (gateway.address, gateway.port)");
    if (epoll_add(gateway->epoll_fd, fd, EPOLLIN, DATA_LISTENER) < 0)
        return error_system(error, errno, where, "cannot wait for connections");
    gateway->listening = true;
    log_info("listening on %s", where);
    return 0;
}

void network_close(struct gateway *gateway)
{
    connections_close(&gateway->connections);
    free(gateway->dirty);
    if (gateway->listen_fd >= 0)
        close(gateway->listen_fd);
    if (gateway->writable_epoll_fd >= 0)
        close(gateway->writable_epoll_fd);
    if (gateway->epoll_fd >= 0)
        close(gateway->epoll_fd);
}

/* ---- accepting ---- */

static void peer_describe(struct connection *connection, const struct sockaddr_storage *address)
{
    char text[INET6_ADDRSTRLEN] = "?";
    uint16_t port = 0;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
        port = ntohs(four->sin_port);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
        port = ntohs(six->sin6_port);
    }
    snprintf(connection->peer, sizeof(connection->peer), "%.39s:%u", text, port);
}

/* A connection beyond gateway.connections_max gets the reason, if its socket takes it, and no more. */
static void turn_away(int fd)
{
    static const char text[] = "the gateway has as many connections as it may (gateway.connections_max)";
    uint8_t packet[SOUP_HEADER_BYTES + sizeof(text)];
    uint32_t bytes = soup_put_packet(packet, SOUP_DEBUG, text, sizeof(text) - 1);
    (void)send(fd, packet, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

static void welcome(struct gateway *gateway, int fd, const struct sockaddr_storage *address, uint64_t now_ns)
{
    struct connection *connection = connection_take(&gateway->connections, fd);
    if (!connection) {
        turn_away(fd);
        return;
    }
    const struct config *config = gateway->config;
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    peer_describe(connection, address);
    connection->received_ns = connection->sent_ns = now_ns;
    connection->deadline_ns = now_ns + config->gateway_login_timeout_ms * NS_PER_MS;
    connection->heartbeat_ms = (uint32_t)config->gateway_heartbeat_ms;
    connection->silence_ms = (uint32_t)config->gateway_silence_ms;
    gateway->counts.connections++;
    if (epoll_add(gateway->epoll_fd, fd, EPOLLIN, connection->number) < 0) {
        log_warning("cannot wait for %s: %s", connection->peer, strerror(errno));
        connection_free(&gateway->connections, connection);
    }
}

/* Out of descriptors: no more until there may be some again, or epoll would report the listener for ever. */
static void listener_pause(struct gateway *gateway, uint64_t now_ns)
{
    log_warning("cannot accept connections: %s; trying again in 100 ms", strerror(errno));
    (void)epoll_ctl(gateway->epoll_fd, EPOLL_CTL_DEL, gateway->listen_fd, NULL);
    gateway->listen_again_ns = now_ns + ACCEPT_PAUSE_NS;
}

static void listener_resume(struct gateway *gateway, uint64_t now_ns)
{
    if (gateway->listen_again_ns == 0 || now_ns < gateway->listen_again_ns)
        return;
    gateway->listen_again_ns = 0;
    (void)epoll_add(gateway->epoll_fd, gateway->listen_fd, EPOLLIN, DATA_LISTENER);
}

static int accept_some(struct gateway *gateway, uint64_t now_ns)
{
    int count = 0;
    for (uint32_t i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage address = {0};
        socklen_t bytes = sizeof(address);
        int fd = accept4(gateway->listen_fd, (struct sockaddr *)&address, &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                listener_pause(gateway, now_ns);
            return count;
        }
        welcome(gateway, fd, &address, now_ns);
        count++;
    }
    return count;
}

/* ---- sending ---- */

void network_packet(struct gateway *gateway, struct connection *connection, char type, const void *payload,
                    uint32_t payload_bytes)
{
    uint8_t *room = connection_room(&gateway->connections, connection, SOUP_HEADER_BYTES + payload_bytes, 0);
    if (!room)
        return;
    connection->output_tail += soup_put_packet(room, (uint8_t)type, payload, payload_bytes);
    network_dirty(gateway, connection);
}

void network_debug(struct gateway *gateway, struct connection *connection, const char *text)
{
    network_packet(gateway, connection, SOUP_DEBUG, text, (uint32_t)strnlen(text, DEBUG_BYTES_MAX));
}

static void linger(struct connection *connection, uint64_t now_ns)
{
    (void)shutdown(connection->fd, SHUT_WR);
    connection->state = CONNECTION_LINGERING;
    connection->deadline_ns = now_ns + LINGER_NS;
}

static void send_one(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    bool was_blocked = connection->blocked;
    int result = connection_send(connection, now_ns);
    if (result < 0) {
        if (connection->state == CONNECTION_OPEN)
            network_end(gateway, connection, 'D', strerror(-result), now_ns);
        network_drop(gateway, connection);
        return;
    }
    if (connection->blocked && !was_blocked)
        (void)epoll_add(gateway->writable_epoll_fd, connection->fd, EPOLLOUT, connection->number);
    else if (!connection->blocked && was_blocked)
        (void)epoll_ctl(gateway->writable_epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    if (connection->state == CONNECTION_FLUSHING && !connection->blocked)
        linger(connection, now_ns);
    if (connection->behind && !connection->blocked)
        behind_resume(gateway, connection);
}

void network_send(struct gateway *gateway, uint64_t now_ns)
{
    for (uint32_t i = 0; i < gateway->dirty_count; i++) {
        struct connection *connection = &gateway->connections.all[gateway->dirty[i]];
        connection->dirty = false;
        if (connection->state != CONNECTION_FREE && !connection->blocked)
            send_one(gateway, connection, now_ns);
    }
    gateway->dirty_count = 0;
}

/* ---- ending ---- */

void network_drop(struct gateway *gateway, struct connection *connection)
{
    if (connection->state != CONNECTION_FREE)
        connection_free(&gateway->connections, connection);
}

void network_end(struct gateway *gateway, struct connection *connection, char reason, const char *why, uint64_t now_ns)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    char fields[160];
    snprintf(fields, sizeof(fields), "peer=%s connection=%llu session=%u user=%.6s reason=%c", connection->peer,
             (unsigned long long)connection->number, connection->session.number, connection->login.user, reason);
    log_line(LOG_LEVEL_INFO, fields, "connection ends: %s", why);
    login_forget(gateway, connection);
    behind_end(gateway, connection);
    inbound_forget(gateway, connection, reason);
    if (connection->session.number != 0 &&
        gateway->session_connection[connection->session.number] == index_of(gateway, connection))
        gateway->session_connection[connection->session.number] = CONNECTION_NONE;
    connection->state = CONNECTION_FLUSHING;
    connection->deadline_ns = now_ns + LINGER_NS;
    connection->session.phase = SESSION_OVER;
    network_dirty(gateway, connection); /* the flush goes on to linger, even if nothing waits */
}

void network_stop(struct gateway *gateway, uint64_t now_ns)
{
    if (gateway->listen_fd >= 0)
        close(gateway->listen_fd);
    gateway->listen_fd = -1;
    gateway->listen_again_ns = 0;
    for (uint32_t i = 0; i < gateway->connections.used_count; i++) {
        struct connection *connection = &gateway->connections.all[i];
        if (connection->state != CONNECTION_OPEN)
            continue;
        network_debug(gateway, connection, "the gateway is being stopped");
        network_end(gateway, connection, 'S', "the gateway is being stopped", now_ns);
    }
}

/* ---- the turn of each socket ---- */

/* Only called while nothing is stalled, so the input buffer is free. */
static int discard(struct gateway *gateway, struct connection *connection)
{
    ssize_t count = recv(connection->fd, gateway->input.buffer, READ_BYTES, MSG_DONTWAIT);
    bool again = count < 0 && (errno == EAGAIN || errno == EINTR);
    if (count > 0 || again)
        return 1;
    if (connection->state == CONNECTION_FLUSHING)
        (void)connection_send(connection, connection->sent_ns); /* what it takes before the door closes */
    network_drop(gateway, connection);
    return 1;
}

static int readable(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    if (connection->state == CONNECTION_OPEN)
        return inbound_read(gateway, connection, now_ns);
    return discard(gateway, connection);
}

static int writable_poll(struct gateway *gateway, uint64_t now_ns)
{
    struct epoll_event events[READY_MAX];
    int count = epoll_wait(gateway->writable_epoll_fd, events, READY_MAX, 0);
    for (int i = 0; i < count; i++) {
        struct connection *connection = connection_find(&gateway->connections, events[i].data.u64);
        if (connection)
            send_one(gateway, connection, now_ns);
    }
    return count > 0 ? count : 0;
}

static int turn_of(struct gateway *gateway, const struct epoll_event *event, uint64_t now_ns)
{
    if (event->data.u64 == DATA_WRITABLE_FD)
        return writable_poll(gateway, now_ns);
    if (event->data.u64 == DATA_LISTENER)
        return accept_some(gateway, now_ns);
    struct connection *connection = connection_find(&gateway->connections, event->data.u64);
    return connection ? readable(gateway, connection, now_ns) : 0;
}

int network_poll(struct gateway *gateway, uint64_t now_ns)
{
    if (gateway->stalled)
        return writable_poll(gateway, now_ns);
    listener_resume(gateway, now_ns);
    if (gateway->ready_next == gateway->ready_count) {
        int count = epoll_wait(gateway->epoll_fd, gateway->ready, READY_MAX, 0);
        gateway->ready_count = count > 0 ? (uint32_t)count : 0;
        gateway->ready_next = 0;
    }
    int work = 0;
    while (work < WORK_PER_POLL && gateway->ready_next < gateway->ready_count && !gateway->stalled)
        work += turn_of(gateway, &gateway->ready[gateway->ready_next++], now_ns);
    return work;
}
