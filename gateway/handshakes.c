/*
 * The second port: connections by TLS up to the end of their handshakes. Afterwards they are connections like others,
 * whose bytes go through tls.h.
 *
 * A handshake takes a tenth of a millisecond or more of the thread that serves everybody, and whoever can reach the
 * port can ask for one. So the listener and all that are not done with theirs are in a poller of their own, inside the
 * first.
 *
 * Rules
 *   1. One step of one handshake a poll, in turn.
 *   2. They take gateway.tls_handshake_percent of the time: after more than that the poller of theirs is not looked at
 *      until the share is right again. What was not used is good for WINDOW_NS.
 *   3. One address opens gateway.tls_handshakes_per_s connections a second. The next ones are closed unheard.
 *   4. They are strangers (strangers.c), whose login must be there in time: gateway.login_timeout_ms is for both.
 */
#include "gateway_state.h"

#include "base/units.h"
#include "env/clock.h"
#include "env/net.h"
#include "log/log.h"
#include "tls.h"

#include <errno.h>
#include <stdio.h>

#define WINDOW_NS          (10 * (uint64_t)NS_PER_MS)
#define REPORT_INTERVAL_NS ((uint64_t)NS_PER_SECOND)
#define ADDRESSES_COUNT    16384u /* counted at one time */
#define EXPIRY_DAYS_WARNED 14
#define HANDSHAKES_KEY     1

/* ---- the certificate ---- */

static void tell_certificate(const struct gateway *gateway, const char *what)
{
    char text[TLS_WHY_BYTES];
    int days = tls_describe(gateway->tls, text, sizeof(text));
    if (days < 0)
        log_warning("%s: the certificate is no longer good: %s; clients will refuse it", what, text);
    else if (days < EXPIRY_DAYS_WARNED)
        log_warning("%s: the certificate ends in %d days: %s", what, days, text);
    else
        log_info("%s: certificate of %s", what, text);
}

int handshakes_open(struct gateway *gateway, struct error *error)
{
    const struct config *config = gateway->config;
    if (config->gateway_tls_port == 0)
        return 0;
    uint32_t per_s = (uint32_t)config->gateway_tls_handshakes_per_s;
    gateway->handshake_rate = rate_make(per_s, per_s);
    gateway->handshake_poller = net()->poller_create();
    int result = gateway->handshake_poller;
    if (result >= 0)
        result = net()->poller_add(gateway->poller, gateway->handshake_poller, NET_READABLE, NUMBER_HANDSHAKES);
    if (result < 0)
        return error_system(error, -result, "poller", "cannot make one for TLS");
    result = rate_table_open(&gateway->handshakes, ADDRESSES_COUNT, error);
    if (result == 0)
        result = tls_open(&gateway->tls, config, error);
    if (result == 0)
        tell_certificate(gateway, "TLS");
    return result;
}

void handshakes_close(struct gateway *gateway)
{
    tls_close(gateway->tls);
    rate_table_close(&gateway->handshakes);
    net()->close(gateway->tls_listener);
    net()->close(gateway->handshake_poller);
}

void handshakes_reload(struct gateway *gateway)
{
    struct ssl_ctx_st *tls = NULL;
    struct error error = {.code = ERROR_SYSTEM};
    if (!gateway->tls)
        return;
    if (tls_open(&tls, gateway->config, &error) < 0) {
        log_error(&error, "the TLS certificate stays as it was");
        return;
    }
    tls_close(gateway->tls);
    gateway->tls = tls;
    tell_certificate(gateway, "TLS, read again");
}

/* ---- who may ---- */

bool handshakes_welcome(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    struct address address = {0};
    (void)address_parse_peer(&address, connection->peer);
    uint64_t key = rate_key(HANDSHAKES_KEY, address_host(&address));
    if (!rate_table_take(&gateway->handshakes, key, &gateway->handshake_rate, now_ns)) {
        gateway->counts.handshakes_refused++;
        return false;
    }
    connection->tls = tls_line_open(gateway->tls, connection->fd);
    connection->state = CONNECTION_SHAKING_HANDS;
    return connection->tls != NULL;
}

/* Once a second: a line each would be another way to do harm. */
static void report(struct gateway *gateway, const struct connection *connection, const char *why, uint64_t now_ns)
{
    gateway->counts.handshakes_failed++;
    if (now_ns - gateway->handshakes_told_ns < REPORT_INTERVAL_NS)
        return;
    gateway->handshakes_told_ns = now_ns;
    log_warning("%s: no TLS: %s (so far %llu that failed, %llu closed unheard by gateway.tls_handshakes_per_s)",
                connection->peer, why, (unsigned long long)gateway->counts.handshakes_failed,
                (unsigned long long)gateway->counts.handshakes_refused);
}

/* ---- steps ---- */

/* From now on it is a connection like any other. */
static void done(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    char fields[96];
    char text[TLS_WHY_BYTES];
    gateway->counts.handshakes++;
    connection->state = CONNECTION_OPEN;
    connection->received_ns = now_ns;
    (void)net()->poller_remove(gateway->handshake_poller, connection->fd);
    int result = net()->poller_add(gateway->poller, connection->fd, NET_READABLE, connection->number);
    snprintf(fields, sizeof(fields), "peer=%s connection=%llu", connection->peer,
             (unsigned long long)connection->number);
    tls_line_describe(connection->tls, text, sizeof(text));
    log_line(LOG_LEVEL_INFO, fields, "TLS: %s", text);
    if (result < 0)
        network_drop(gateway, connection);
}

static void step(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    char why[TLS_WHY_BYTES] = "";
    switch (tls_line_shake(connection->tls, why)) {
    case TLS_DONE:
        done(gateway, connection, now_ns);
        break;
    case TLS_NOT_YET:
        break;
    case TLS_FAILED:
        report(gateway, connection, why, now_ns);
        network_drop(gateway, connection);
        break;
    }
}

/* The share is used up: nothing of theirs is looked at until handshakes_resume. */
static void spend(struct gateway *gateway, uint64_t spent_ns, uint64_t now_ns)
{
    uint64_t earliest_ns = now_ns > WINDOW_NS ? now_ns - WINDOW_NS : 0;
    if (gateway->handshakes_free_ns < earliest_ns)
        gateway->handshakes_free_ns = earliest_ns;
    gateway->handshakes_free_ns += spent_ns * 100 / gateway->config->gateway_tls_handshake_percent;
    if (gateway->handshakes_free_ns <= now_ns)
        return;
    gateway->handshakes_held = true;
    (void)net()->poller_remove(gateway->poller, gateway->handshake_poller);
}

int handshakes_turn(struct gateway *gateway, uint64_t now_ns)
{
    uint64_t number = 0;
    if (gateway->handshakes_held || net()->poller_look(gateway->handshake_poller, &number, 1) <= 0)
        return 0;
    uint64_t begin_ns = clock_thread_ns();
    if (number == NUMBER_LISTENER) {
        (void)network_accept(gateway, gateway->tls_listener, now_ns);
    } else {
        struct connection *connection = connection_find(&gateway->connections, number);
        if (connection)
            step(gateway, connection, now_ns);
    }
    spend(gateway, clock_thread_ns() - begin_ns, now_ns);
    return 1;
}

void handshakes_resume(struct gateway *gateway, uint64_t now_ns)
{
    if (!gateway->handshakes_held || now_ns < gateway->handshakes_free_ns)
        return;
    gateway->handshakes_held = false;
    (void)net()->poller_add(gateway->poller, gateway->handshake_poller, NET_READABLE, NUMBER_HANDSHAKES);
}
