/*
 * Sockets (env/net.h). Each is in the poller once, for reading, and what was not read is reported again. Waiting for a
 * socket to become writable is a poller of its own inside the first, so that a gateway whose inbound ring is full can
 * go on waiting for the one without being woken by the other.
 *
 * Rules
 *   1. What the poller gives back is the connection's number, so one that is gone is told from its successor in the
 * same place.
 *   2. All sockets of one look get their turn before the next one: nobody is starved by who comes before him.
 *   3. One send a connection a poll.
 *   4. A connection is in the list of those with something to send once at most, so the list has a place for each and
 * no more. What goes over the list sends and drops, and puts nothing into it.
 */
#include "gateway_state.h"

#include "base/require.h"
#include "base/units.h"
#include "env/net.h"
#include "log/log.h"
#include "tls.h"
#include "wire/soup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPTS_PER_TURN 16u  /* fewer than are read in the same look: a storm is let in as fast as it is read */
#define WORK_PER_POLL    2048 /* commands, about, before events are looked at again */
#define LINGER_NS        ((uint64_t)NS_PER_SECOND)
#define ACCEPT_PAUSE_NS  (100u * (uint64_t)NS_PER_MS)
#define DEBUG_BYTES_MAX  200u

int network_open(struct gateway *gateway, struct error *error)
{
    const struct config *config = gateway->config;
    gateway->poller = net()->poller_create();
    gateway->writable_poller = net()->poller_create();
    int result = gateway->poller < 0 ? gateway->poller : gateway->writable_poller;
    if (result >= 0)
        result = net()->poller_add(gateway->poller, gateway->writable_poller, NET_READABLE, NUMBER_WRITABLE);
    if (result < 0)
        return error_system(error, -result, "poller", "cannot make one");
    strangers_open(gateway);
    gateway->dirty = calloc(config->gateway_connections_max, sizeof(*gateway->dirty));
    if (!gateway->dirty)
        return error_system(error, ENOMEM, "gateway.connections_max", "no memory");
    return connections_open(&gateway->connections, (uint32_t)config->gateway_connections_max,
                            (uint32_t)config->gateway_output_bytes, (uint32_t)config->gateway_frame_bytes_max, error);
}

static int listen_on(const struct gateway *gateway, const char *address, uint64_t port_first, int poller,
                     const char *by, int *ret_listener, struct error *error)
{
    uint16_t port = (uint16_t)(port_first + gateway->gateway - 1);
    int listener = net()->listen(address, port, error);
    if (listener < 0)
        return listener;
    *ret_listener = listener;
    int result = net()->poller_add(poller, listener, NET_READABLE, NUMBER_LISTENER);
    if (result < 0)
        return error_system(error, -result, address, "cannot wait for connections");
    log_info("listening on %s:%u%s", address, port, by);
    return 0;
}

int network_listen(struct gateway *gateway, struct error *error)
{
    const struct config *config = gateway->config;
    int code = listen_on(gateway, config->gateway_address, config->gateway_port, gateway->poller, "",
                         &gateway->listener, error);
    const char *tls_address = *config->gateway_tls_address ? config->gateway_tls_address : config->gateway_address;
    if (code == 0 && gateway->tls)
        code = listen_on(gateway, tls_address, config->gateway_tls_port, gateway->handshake_poller, " by TLS",
                         &gateway->tls_listener, error);
    gateway->listening = code == 0;
    return code;
}

void network_close(struct gateway *gateway)
{
    connections_close(&gateway->connections);
    free(gateway->dirty);
    net()->close(gateway->listener);
    net()->close(gateway->writable_poller);
    net()->close(gateway->poller);
}

/* ---- accepting ---- */

/* A connection beyond gateway.connections_max gets the reason, if its socket takes it, and no more. */
static void turn_away(int fd)
{
    static const char text[] = "the gateway has as many connections as it may (gateway.connections_max)";
    uint8_t packet[SOUP_HEADER_BYTES + sizeof(text)];
    uint32_t bytes = soup_put_packet(packet, SOUP_DEBUG, text, sizeof(text) - 1);
    (void)net()->send(fd, packet, bytes);
    net()->close(fd);
}

static void welcome(struct gateway *gateway, int fd, const char *peer, bool by_tls, uint64_t now_ns)
{
    struct connection *connection = connection_take(&gateway->connections, fd);
    if (!connection) {
        if (by_tls)
            net()->close(fd); /* nothing can be said to it yet */
        else
            turn_away(fd);
        return;
    }
    const struct config *config = gateway->config;
    snprintf(connection->peer, sizeof(connection->peer), "%s", peer);
    connection->received_ns = connection->sent_ns = now_ns;
    connection->deadline_ns = now_ns + config->gateway_login_timeout_ms * NS_PER_MS;
    connection->heartbeat_ms = (uint32_t)config->gateway_heartbeat_ms;
    connection->silence_ms = (uint32_t)config->gateway_silence_ms;
    gateway->counts.connections++;
    if (by_tls && !handshakes_welcome(gateway, connection, now_ns)) {
        network_drop(gateway, connection);
        return;
    }
    strangers_add(gateway, connection, now_ns);
    int poller = by_tls ? gateway->handshake_poller : gateway->poller;
    int result = net()->poller_add(poller, fd, NET_READABLE, connection->number);
    if (result < 0) {
        log_warning("cannot wait for %s: %s", connection->peer, strerror(-result));
        network_drop(gateway, connection);
    }
}

/* Out of descriptors: no more until there may be some again, or the poller would report the listener for ever. */
static void listener_pause(struct gateway *gateway, int why, uint64_t now_ns)
{
    log_warning("cannot accept connections: %s; trying again in 100 ms", strerror(why));
    (void)net()->poller_remove(gateway->poller, gateway->listener);
    if (gateway->tls)
        (void)net()->poller_remove(gateway->handshake_poller, gateway->tls_listener);
    gateway->listen_again_ns = now_ns + ACCEPT_PAUSE_NS;
}

static void listener_resume(struct gateway *gateway, uint64_t now_ns)
{
    if (gateway->listen_again_ns == 0 || now_ns < gateway->listen_again_ns)
        return;
    gateway->listen_again_ns = 0;
    (void)net()->poller_add(gateway->poller, gateway->listener, NET_READABLE, NUMBER_LISTENER);
    if (gateway->tls)
        (void)net()->poller_add(gateway->handshake_poller, gateway->tls_listener, NET_READABLE, NUMBER_LISTENER);
}

int network_accept(struct gateway *gateway, int listener, uint64_t now_ns)
{
    int count = 0;
    for (uint32_t i = 0; i < ACCEPTS_PER_TURN; i++) {
        char peer[NET_PEER_BYTES];
        int fd = net()->accept(listener, peer);
        if (fd < 0) {
            if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM)
                listener_pause(gateway, -fd, now_ns);
            return count;
        }
        welcome(gateway, fd, peer, listener == gateway->tls_listener, now_ns);
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
    if (connection->tls)
        tls_line_finish(connection->tls);
    net()->finish(connection->fd);
    connection->state = CONNECTION_LINGERING;
    connection->deadline_ns = now_ns + LINGER_NS;
}

int network_write(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    uint32_t waiting = connection->output_tail - connection->output_head;
    int result = connection_send(connection, now_ns);
    if (result == 0 && waiting > 0) {
        gateway->counts.sends++;
        gateway->counts.bytes_out += waiting - (connection->output_tail - connection->output_head);
    }
    return result;
}

static void leave(struct gateway *gateway, struct connection *connection, char reason, const char *why,
                  uint64_t now_ns);

/* One whose socket is broken has nothing to flush and does not linger: it is no stranger and not dirty again. */
static void send_one(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    bool was_blocked = connection->blocked;
    int result = network_write(gateway, connection, now_ns);
    if (result < 0) {
        if (connection->state == CONNECTION_OPEN)
            leave(gateway, connection, 'D', strerror(-result), now_ns);
        network_drop(gateway, connection);
        return;
    }
    if (connection->blocked && !was_blocked)
        (void)net()->poller_add(gateway->writable_poller, connection->fd, NET_WRITABLE, connection->number);
    else if (!connection->blocked && was_blocked)
        (void)net()->poller_remove(gateway->writable_poller, connection->fd);
    if (connection->state == CONNECTION_FLUSHING && !connection->blocked)
        linger(connection, now_ns);
    if (connection->behind && !connection->blocked)
        behind_resume(gateway, connection);
}

void network_send(struct gateway *gateway, uint64_t now_ns)
{
    for (uint32_t i = 0; i < gateway->dirty_count; i++) {
        struct connection *connection = &gateway->connections.all[gateway->dirty[i]];
        if (connection->state != CONNECTION_FREE && !connection->blocked)
            send_one(gateway, connection, now_ns);
        connection->dirty = false;
    }
    gateway->dirty_count = 0;
    if (gateway->out_mark_count > 0)
        counts_out(gateway);
}

/* ---- ending ---- */

void network_drop(struct gateway *gateway, struct connection *connection)
{
    strangers_forget(gateway, connection);
    if (connection->state != CONNECTION_FREE)
        connection_free(&gateway->connections, connection);
}

/*
 * Each end of a connection whose password was looked at. Of the others, which cost who makes them nothing, one a second
 * of those that asked to log in and one of those that did not: a line each would be a way to do harm.
 */
static bool end_is_told(struct gateway *gateway, const struct connection *connection, uint64_t now_ns)
{
    bool asked = connection->login.user[0] != '\0';
    if (connection->login_judged)
        return true;
    gateway->counts.ends_unjudged++;
    if (now_ns - gateway->end_told_ns[asked] < NS_PER_SECOND)
        return false;
    gateway->end_told_ns[asked] = now_ns;
    return true;
}

static void tell_end(const struct gateway *gateway, const struct connection *connection, char reason, const char *why)
{
    char fields[160];
    char user[USER_BYTES + 1];
    connection_user(connection, user);
    snprintf(fields, sizeof(fields), "peer=%s connection=%llu session=%u user=%s reason=%c limit_refusals=%llu",
             connection->peer, (unsigned long long)connection->number, connection->session.number, user, reason,
             (unsigned long long)connection->limit_refusals);
    if (connection->login_judged)
        log_line(LOG_LEVEL_INFO, fields, "connection ends: %s", why);
    else
        log_line(LOG_LEVEL_INFO, fields, "connection ends: %s (so far %llu without a password looked at)", why,
                 (unsigned long long)gateway->counts.ends_unjudged);
}

/* An open connection's end, as far as others have to do with it: the log, the engine, its session. */
static void leave(struct gateway *gateway, struct connection *connection, char reason, const char *why, uint64_t now_ns)
{
    if (end_is_told(gateway, connection, now_ns))
        tell_end(gateway, connection, reason, why);
    login_forget(gateway, connection);
    behind_end(gateway, connection);
    inbound_forget(gateway, connection, reason);
    if (connection->stream != 0 && gateway->stream_connection[connection->stream] == index_of(gateway, connection))
        gateway->stream_connection[connection->stream] = CONNECTION_NONE;
    gateway->session_count -= connection->stream != 0;
    connection->session.phase = SESSION_OVER;
}

void network_end(struct gateway *gateway, struct connection *connection, char reason, const char *why, uint64_t now_ns)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    leave(gateway, connection, reason, why, now_ns);
    connection->state = CONNECTION_FLUSHING;
    connection->deadline_ns = now_ns + LINGER_NS;
    if (!connection->login_published && !connection->stranger)
        strangers_add(gateway, connection, now_ns); /* while it lingers */
    network_dirty(gateway, connection);             /* the flush goes on to linger, even if nothing waits */
}

void network_stop(struct gateway *gateway, uint64_t now_ns)
{
    net()->close(gateway->listener);
    net()->close(gateway->tls_listener);
    gateway->listener = gateway->tls_listener = -1;
    gateway->listen_again_ns = 0;
    for (uint32_t i = 0; i < gateway->connections.used_count; i++) {
        struct connection *connection = &gateway->connections.all[i];
        if (connection->state == CONNECTION_SHAKING_HANDS)
            network_drop(gateway, connection);
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
    int64_t count = net()->receive(connection->fd, gateway->input.buffer, READ_BYTES);
    bool again = count == -EAGAIN || count == -EINTR;
    if (count > 0 || again)
        return 1;
    if (connection->state == CONNECTION_FLUSHING)
        (void)network_write(gateway, connection, connection->sent_ns); /* what it takes before the door closes */
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
    uint64_t numbers[NET_READY_MAX];
    int count = net()->poller_look(gateway->writable_poller, numbers, NET_READY_MAX);
    for (int i = 0; i < count; i++) {
        struct connection *connection = connection_find(&gateway->connections, numbers[i]);
        if (connection)
            send_one(gateway, connection, now_ns);
    }
    return count > 0 ? count : 0;
}

static int turn_of(struct gateway *gateway, uint64_t number, uint64_t now_ns)
{
    if (number == NUMBER_WRITABLE)
        return writable_poll(gateway, now_ns);
    if (number == NUMBER_LISTENER)
        return network_accept(gateway, gateway->listener, now_ns);
    if (number == NUMBER_HANDSHAKES)
        return handshakes_turn(gateway, now_ns);
    struct connection *connection = connection_find(&gateway->connections, number);
    return connection ? readable(gateway, connection, now_ns) : 0;
}

int network_poll(struct gateway *gateway, uint64_t now_ns)
{
    if (gateway->stalled)
        return writable_poll(gateway, now_ns);
    listener_resume(gateway, now_ns);
    handshakes_resume(gateway, now_ns);
    if (gateway->ready_next == gateway->ready_count) {
        int count = net()->poller_look(gateway->poller, gateway->ready, NET_READY_MAX);
        gateway->ready_count = count > 0 ? (uint32_t)count : 0;
        gateway->ready_next = 0;
    }
    int work = 0;
    while (work < WORK_PER_POLL && gateway->ready_next < gateway->ready_count && !gateway->stalled)
        work += turn_of(gateway, gateway->ready[gateway->ready_next++], now_ns);
    return work;
}
