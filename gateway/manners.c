/*
 * Time: heartbeats to send, clients that have fallen silent, logins that do not come, connections that have lingered
 * long enough. All connections are gone over in turn, some at each poll, so that ten thousand of them are never looked
 * at at once; a round takes an eighth of the heartbeat interval, and touches only those for which there may be
 * something to do by now: each is a few lines of the cache that nobody else had asked for.
 */
#include "gateway_state.h"

#include "base/units.h"
#include "wire/soup.h"

#define ROUNDS_PER_HEARTBEAT 8

/* The client's own heartbeat, which comes as often, is waited for a little: ours then goes with it (manners_heard). */
static uint64_t interval_ns(const struct connection *connection)
{
    uint64_t told_ns = connection->heartbeat_ms * (uint64_t)NS_PER_MS;
    return told_ns + told_ns / 8;
}

/* While the inbound ring was full nobody was heard, so nobody counts as silent. */
static bool is_silent(const struct gateway *gateway, const struct connection *connection, uint64_t now_ns)
{
    uint64_t heard_ns = connection->received_ns;
    if (gateway->stall_end_ns > heard_ns)
        heard_ns = gateway->stall_end_ns;
    return now_ns > heard_ns && now_ns - heard_ns > connection->silence_ms * (uint64_t)NS_PER_MS;
}

/* Its socket has taken nothing of what waits. */
static bool does_not_read(const struct gateway *gateway, const struct connection *connection, uint64_t now_ns)
{
    return connection->blocked && now_ns - connection->sent_ns > gateway->config->gateway_unread_ms * NS_PER_MS;
}

/* It has not asked to log in. One that has is not late while it waits for its password's turn, or for the engine. */
static bool is_late(const struct connection *connection, uint64_t now_ns)
{
    return connection->stranger && now_ns > connection->deadline_ns;
}

/* One that is logged in, takes what it is sent, and has been sent nothing for so long. */
static bool is_owed_a_heartbeat(const struct connection *connection, uint64_t after_ns, uint64_t now_ns)
{
    bool logged_in = connection->session.phase == SESSION_OPEN || connection->session.phase == SESSION_WATCHING;
    return logged_in && !connection->blocked && now_ns - connection->sent_ns >= after_ns;
}

void manners_heard(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    if (is_owed_a_heartbeat(connection, interval_ns(connection) / 2, now_ns))
        network_packet(gateway, connection, SOUP_SERVER_HEARTBEAT, NULL, 0);
}

static void look_at_open(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    if (is_late(connection, now_ns)) {
        network_debug(gateway, connection, "no login in time");
        network_end(gateway, connection, 'T', "no login in time (gateway.login_timeout_ms)", now_ns);
    } else if (is_silent(gateway, connection, now_ns)) {
        network_debug(gateway, connection, "nothing heard for too long");
        network_end(gateway, connection, 'T', "nothing heard for too long (gateway.silence_ms)", now_ns);
    } else if (does_not_read(gateway, connection, now_ns)) {
        gateway->counts.unread_closed++;
        network_debug(gateway, connection, "nothing read for too long");
        network_end(gateway, connection, 'T', "the client has read nothing for too long (gateway.unread_ms)", now_ns);
    } else if (is_owed_a_heartbeat(connection, interval_ns(connection), now_ns)) {
        network_packet(gateway, connection, SOUP_SERVER_HEARTBEAT, NULL, 0);
    }
}

static void look_at(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    if (connection->state == CONNECTION_OPEN)
        look_at_open(gateway, connection, now_ns);
    else if (connection->state != CONNECTION_FREE && now_ns > connection->deadline_ns)
        network_drop(gateway, connection);
}

/*
 * When it is to be looked at again: when its next heartbeat is due, if nothing is sent before, else in half that time,
 * for who logs in or ends meanwhile.
 */
static uint64_t look_again_ns(const struct connection *connection, uint64_t now_ns)
{
    uint64_t due_ns = connection->sent_ns + interval_ns(connection);
    uint64_t again_ns = now_ns + interval_ns(connection) / 2;
    return due_ns > now_ns && due_ns < again_ns ? due_ns : again_ns;
}

static void beat(struct gateway *gateway, uint64_t now_ns)
{
    if (now_ns - gateway->beat_ns < NS_PER_SECOND)
        return;
    gateway->beat_ns = now_ns;
    ring_producer_beat(&gateway->producer, now_ns);
}

void manners_poll(struct gateway *gateway, uint64_t now_ns)
{
    beat(gateway, now_ns);
    uint32_t count = gateway->connections.used_count;
    uint64_t round_ns = gateway->config->gateway_heartbeat_ms * NS_PER_MS / ROUNDS_PER_HEARTBEAT;
    if (count == 0 || gateway->manners_ns == 0) {
        gateway->manners_ns = now_ns;
        return;
    }
    uint64_t due = (now_ns - gateway->manners_ns) * count / round_ns;
    if (due == 0)
        return;
    gateway->manners_ns = now_ns;
    for (uint64_t i = 0; i < due && i < count; i++) {
        if (gateway->manners_next >= count)
            gateway->manners_next = 0;
        uint32_t index = gateway->manners_next++;
        if (now_ns < gateway->connections.look_ns[index])
            continue;
        struct connection *connection = &gateway->connections.all[index];
        look_at(gateway, connection, now_ns);
        gateway->connections.look_ns[index] = look_again_ns(connection, now_ns);
    }
}
