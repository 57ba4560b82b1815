/*
 * Strangers: connections that have not asked to log in yet, or were refused and still linger, in the order in which
 * they came to that. They may take up gateway.strangers_max places and no more: when there is another, the one that has
 * waited longest gives its place up, so that whoever opens connections by the thousand closes his own, and a member who
 * logs in at once is never one of those that wait longest.
 */
#include "gateway_state.h"

#include "base/units.h"
#include "log/log.h"

#define REPORT_INTERVAL_NS ((uint64_t)NS_PER_SECOND)

void strangers_open(struct gateway *gateway)
{
    const struct config *config = gateway->config;
    uint64_t half = (config->gateway_connections_max + 1) / 2;
    gateway->strangers_max = (uint32_t)(config->gateway_strangers_max ? config->gateway_strangers_max : half);
    gateway->stranger_first = gateway->stranger_last = CONNECTION_NONE;
}

void strangers_forget(struct gateway *gateway, struct connection *connection)
{
    struct connection *all = gateway->connections.all;
    if (!connection->stranger)
        return;
    connection->stranger = false;
    gateway->stranger_count--;
    if (connection->stranger_previous == CONNECTION_NONE)
        gateway->stranger_first = connection->stranger_next;
    else
        all[connection->stranger_previous].stranger_next = connection->stranger_next;
    if (connection->stranger_next == CONNECTION_NONE)
        gateway->stranger_last = connection->stranger_previous;
    else
        all[connection->stranger_next].stranger_previous = connection->stranger_previous;
}

/* Once a second: a line each would be another way to do harm. */
static void report(struct gateway *gateway, const struct connection *connection, uint64_t now_ns)
{
    gateway->counts.strangers_closed++;
    if (now_ns - gateway->strangers_told_ns < REPORT_INTERVAL_NS)
        return;
    gateway->strangers_told_ns = now_ns;
    log_warning("more than %u connections have not asked to log in (gateway.strangers_max): the oldest are closed, so "
                "far %llu, this time of %s",
                gateway->strangers_max, (unsigned long long)gateway->counts.strangers_closed, connection->peer);
}

void strangers_add(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    if (gateway->stranger_count == gateway->strangers_max) {
        struct connection *oldest = &gateway->connections.all[gateway->stranger_first];
        report(gateway, oldest, now_ns);
        network_debug(gateway, oldest, "too many connections have not asked to log in");
        (void)network_write(gateway, oldest, now_ns);
        strangers_forget(gateway, oldest);
        network_drop(gateway, oldest);
    }
    uint32_t index = index_of(gateway, connection);
    connection->stranger = true;
    connection->stranger_next = CONNECTION_NONE;
    connection->stranger_previous = gateway->stranger_last;
    if (gateway->stranger_last == CONNECTION_NONE)
        gateway->stranger_first = index;
    else
        gateway->connections.all[gateway->stranger_last].stranger_next = index;
    gateway->stranger_last = index;
    gateway->stranger_count++;
}
