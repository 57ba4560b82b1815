/* The conveniences that block: the core behind poll(2). */
#include "client_state.h"

#include <errno.h>
#include <poll.h>

#define NS_PER_MS 1000000u

/* Waits for the socket, no longer than the next heartbeat, and services it. */
static int step(struct rs_client *client, uint64_t deadline_ns)
{
    uint64_t now_ns = rs_clock_ns();
    uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    if (left_ns > client->heartbeat_ns)
        left_ns = client->heartbeat_ns;
    struct pollfd wanted = {.fd = client->fd, .events = rs_client_events(client)};
    if (poll(&wanted, 1, (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS)) < 0 && errno != EINTR)
        return rs_fail(client, RS_CLIENT_SYSTEM, errno, "waiting failed");
    return rs_client_service(client, 0);
}

int rs_client_login(struct rs_client *client, uint32_t timeout_ms)
{
    uint64_t deadline_ns = rs_clock_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    int result = rs_client_connect(client);
    while (result >= 0 && client->state != RS_CLIENT_OPEN) {
        if (rs_clock_ns() >= deadline_ns)
            return rs_fail(client, RS_CLIENT_TIMEOUT, 0, "no answer to the login within %u ms", timeout_ms);
        result = step(client, deadline_ns);
    }
    return result < 0 ? result : 0;
}

int rs_client_wait(struct rs_client *client, uint32_t timeout_ms)
{
    uint64_t deadline_ns = rs_clock_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    int messages;
    do {
        messages = step(client, deadline_ns);
    } while (messages == 0 && client->state != RS_CLIENT_ENDED && rs_clock_ns() < deadline_ns);
    return messages;
}

int rs_client_flush_wait(struct rs_client *client, uint32_t timeout_ms)
{
    uint64_t deadline_ns = rs_clock_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    int result = rs_client_flush(client);
    while (result > 0) {
        if (rs_clock_ns() >= deadline_ns)
            return RS_CLIENT_TIMEOUT;
        result = step(client, deadline_ns);
        if (result >= 0)
            result = rs_client_flush(client);
    }
    return result;
}
