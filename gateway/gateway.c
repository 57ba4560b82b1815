#include "gateway.h"

#include "gateway_state.h"
#include "log/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define EVENTS_PER_POLL 1024u
#define STOP_NS         ((uint64_t)NS_PER_SECOND)

static void gateway_close(void *stage)
{
    struct gateway *gateway = stage;
    if (!gateway)
        return;
    join_close(gateway);
    behind_close(gateway);
    network_close(gateway);
    handshakes_close(gateway);
    inbound_close(gateway);
    follow_close(gateway);
    login_close(gateway);
    limits_close(gateway);
    settings_close(gateway);
    free(gateway);
}

static int gateway_open(void **ret_stage, const struct stage_context *context, struct error *error)
{
    struct gateway *gateway = calloc(1, sizeof(*gateway));
    if (!gateway)
        return error_system(error, ENOMEM, "gateway", "no memory");
    gateway->config = context->config;
    gateway->run = context->run;
    gateway->gateway = context->gateway;
    counts_open(gateway, context->values);
    gateway->poller = gateway->writable_poller = gateway->listener = -1;
    gateway->tls_listener = gateway->handshake_poller = -1;
    gateway->behind_first = gateway->behind_last = CONNECTION_NONE;
    int code = settings_open(gateway, error);
    if (code == 0)
        code = login_open(gateway, error);
    if (code == 0)
        code = limits_open(gateway, error);
    if (code == 0)
        code = network_open(gateway, error);
    if (code == 0)
        code = handshakes_open(gateway, error);
    if (code == 0)
        code = inbound_open(gateway, error);
    if (code == 0)
        code = follow_open(gateway, error);
    if (code < 0) {
        gateway_close(gateway);
        return code;
    }
    *ret_stage = gateway;
    return 0;
}

/* From clients to the inbound ring. */
static int poll_in(struct gateway *gateway, uint64_t now_ns)
{
    uint64_t before = gateway->producer.next;
    int work = inbound_resume(gateway, now_ns);
    work += network_poll(gateway, now_ns);
    work += login_poll(gateway, now_ns);
    if (gateway->producer.next != before)
        inbound_flush(gateway);
    return work;
}

/* From events to clients. */
static int poll_out(struct gateway *gateway, uint64_t now_ns, struct error *error)
{
    int followed = follow_poll(gateway, EVENTS_PER_POLL, now_ns, error);
    if (followed < 0)
        return followed;
    int told = behind_poll(gateway, now_ns);
    manners_poll(gateway, now_ns);
    network_send(gateway, now_ns);
    return followed + told;
}

static int gateway_poll(void *stage, uint64_t now_ns, struct error *error)
{
    struct gateway *gateway = stage;
    if (gateway->phase != GATEWAY_AT_WORK)
        return join_poll(gateway, now_ns, error);
    int in = poll_in(gateway, now_ns);
    int out = poll_out(gateway, now_ns, error);
    return out < 0 ? out : in + out;
}

static void gateway_measure(void *stage, uint64_t now_ns)
{
    counts_look(stage, now_ns);
}

static bool gateway_ready(const void *stage)
{
    const struct gateway *gateway = stage;
    return gateway->phase == GATEWAY_AT_WORK;
}

static int gateway_descriptor(const void *stage)
{
    const struct gateway *gateway = stage;
    return gateway->stalled ? gateway->writable_poller : gateway->poller;
}

/* Clients are told and let go, the engine is told of their ends; whoever comes back finds his messages where he left.
 */
static bool gateway_stopped(void *stage, uint64_t now_ns)
{
    struct gateway *gateway = stage;
    if (gateway->phase != GATEWAY_AT_WORK)
        return true;
    if (!gateway->stopping) {
        gateway->stopping = true;
        gateway->stop_deadline_ns = now_ns + STOP_NS;
        network_stop(gateway, now_ns);
    }
    bool all_gone = gateway->connections.count == 0 && gateway->logout_count == 0;
    return all_gone || now_ns > gateway->stop_deadline_ns;
}

static void gateway_reload(void *stage)
{
    settings_reload(stage);
}

static void gateway_describe(const void *stage, char *text, size_t text_bytes)
{
    const struct gateway *gateway = stage;
    const struct gateway_counts *counts = &gateway->counts;
    snprintf(
        text, text_bytes,
        "tenure %u, trading day %u, %u instruments, %u connections now and %llu in all, %llu logins, %llu refused, "
        "%llu commands, %llu of them refused by limits, %llu messages as they happened and %llu later, inbound ring "
        "full %llu times; closed: %llu that did not log in for those after them, %llu that read nothing, %llu that "
        "could not be understood, %llu that broke a packet's rules, %llu that asked for what is damaged; by TLS: %llu, "
        "failed %llu, not heard %llu",
        gateway->tenure, gateway->date, gateway->instruments.count, gateway->connections.count,
        (unsigned long long)counts->connections, (unsigned long long)counts->logins,
        (unsigned long long)counts->login_refusals, (unsigned long long)counts->commands,
        (unsigned long long)counts->limit_refusals, (unsigned long long)counts->messages,
        (unsigned long long)counts->messages_behind, (unsigned long long)counts->stalls,
        (unsigned long long)counts->strangers_closed, (unsigned long long)counts->unread_closed,
        (unsigned long long)counts->mistaken_closed, (unsigned long long)counts->broken,
        (unsigned long long)counts->untold, (unsigned long long)counts->handshakes,
        (unsigned long long)counts->handshakes_failed, (unsigned long long)counts->handshakes_refused);
}

const struct stage_definition gateway_stage = {
    .name = "gateway",
    .kind = PROCESS_GATEWAY,
    .pollable = true,
    .values = &gateway_values_table,
    .measure = gateway_measure,
    .summary = "serves clients over SoupBinTCP and OUCH 5.0",
    .open = gateway_open,
    .poll = gateway_poll,
    .ready = gateway_ready,
    .descriptor = gateway_descriptor,
    .stopped = gateway_stopped,
    .reload = gateway_reload,
    .describe = gateway_describe,
    .close = gateway_close,
};
