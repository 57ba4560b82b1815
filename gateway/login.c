/*
 * Logins: the password here, the rest by the engine. A login request waits in a queue until its password is checked and
 * the inbound ring takes its LOGIN command; its answer is made from the event that comes back.
 *
 * Rules
 *   1. One password that must be hashed a poll; those that were right before are known at once. So a storm of logins
 *      delays the others by a third of a millisecond at a time (accounts.h).
 *   2. Unknown user and wrong password get the same answer after the same work. Passwords are wiped once checked and
 * are never logged.
 *   3. A later login of a user takes the session over; the earlier connection is told so and closed.
 *   4. The session named in the request must be the current one, whose name is the trading day's date.
 */
#include "gateway_state.h"

#include "base/bytes.h"
#include "base/units.h"
#include "log/log.h"
#include "wire/soup.h"

#include <stdio.h>
#include <string.h>

#define LOGINS_PER_POLL 64

int login_open(struct gateway *gateway, struct error *error)
{
    gateway->login_first = gateway->login_last = CONNECTION_NONE;
    return accounts_open(&gateway->accounts, gateway->config->gateway_accounts, error);
}

void login_close(struct gateway *gateway)
{
    accounts_close(&gateway->accounts);
}

/* ---- the queue ---- */

static void queue_append(struct gateway *gateway, struct connection *connection)
{
    uint32_t index = index_of(gateway, connection);
    connection->login_queued = true;
    connection->login_next = CONNECTION_NONE;
    if (gateway->login_first == CONNECTION_NONE)
        gateway->login_first = index;
    else
        gateway->connections.all[gateway->login_last].login_next = index;
    gateway->login_last = index;
}

static void queue_remove(struct gateway *gateway, struct connection *connection)
{
    uint32_t index = index_of(gateway, connection);
    uint32_t before = CONNECTION_NONE;
    for (uint32_t i = gateway->login_first; i != index; i = gateway->connections.all[i].login_next)
        before = i;
    connection->login_queued = false;
    if (before == CONNECTION_NONE)
        gateway->login_first = connection->login_next;
    else
        gateway->connections.all[before].login_next = connection->login_next;
    if (gateway->login_last == index)
        gateway->login_last = before;
}

void login_forget(struct gateway *gateway, struct connection *connection)
{
    if (connection->login_queued)
        queue_remove(gateway, connection);
    explicit_bzero(connection->login.password, sizeof(connection->login.password));
}

/* ---- answers ---- */

static void reject(struct gateway *gateway, struct connection *connection, char reason, const char *why,
                   uint64_t now_ns)
{
    gateway->counts.login_refusals++;
    network_packet(gateway, connection, SOUP_LOGIN_REJECTED, &reason, 1);
    network_end(gateway, connection, 'S', why, now_ns);
}

/* NULL, or why not: a request without a session's name means the current one. */
static const char *session_mismatch(const struct session_login *login, uint32_t date)
{
    char asked[sizeof(login->requested_session) + 1];
    char current[16];
    snprintf(asked, sizeof(asked), "%.10s", login->requested_session);
    snprintf(current, sizeof(current), "%u", date);
    const char *start = asked + strspn(asked, " ");
    size_t bytes = strcspn(start, " ");
    if (bytes == 0 || (bytes == strlen(current) && memcmp(start, current, bytes) == 0))
        return NULL;
    return "login refused: the session it asks for is not the current one";
}

static void accept_login(struct gateway *gateway, struct connection *connection, uint32_t date)
{
    uint32_t next = outbound_message_next(&gateway->outbound, connection->session.number);
    uint64_t asked = connection->login.requested_message_no;
    uint32_t start = asked == 0 || asked > next ? next : (uint32_t)asked;
    uint8_t payload[SOUP_LOGIN_ACCEPTED_BYTES];
    soup_put_login_accepted(payload, date, start);
    network_packet(gateway, connection, SOUP_LOGIN_ACCEPTED, payload, sizeof(payload));
    if (start < next)
        behind_begin(gateway, connection, start);
    gateway->counts.logins++;
    char fields[160];
    snprintf(fields, sizeof(fields), "peer=%s connection=%llu session=%u user=%.6s message_next=%u from=%u",
             connection->peer, (unsigned long long)connection->number, connection->session.number,
             connection->login.user, next, start);
    log_line(LOG_LEVEL_INFO, fields, "login accepted");
}

static void engine_accepted(struct gateway *gateway, struct connection *connection, const struct event *event,
                            uint64_t now_ns)
{
    const char *mismatch = session_mismatch(&connection->login, event->login.date);
    if (mismatch || event->session == 0 || event->session > gateway->config->engine_sessions_max) {
        reject(gateway, connection, 'S', mismatch ? mismatch : "login refused: engine.sessions_max is too small here",
               now_ns);
        return;
    }
    uint32_t earlier = gateway->session_connection[event->session];
    if (earlier != CONNECTION_NONE)
        network_end(gateway, &gateway->connections.all[earlier], 'S', "a later login has taken its session over",
                    now_ns);
    gateway->session_connection[event->session] = index_of(gateway, connection);
    session_open(&connection->session, event->session);
    accept_login(gateway, connection, event->login.date);
}

static void session_closed(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    static const char text[] = "the session is no longer this connection's: a later login has taken it over";
    connection->login_published = false; /* the engine knows */
    network_debug(gateway, connection, text);
    network_end(gateway, connection, 'S', text, now_ns);
}

void login_event(struct gateway *gateway, const struct event *event, uint64_t now_ns)
{
    struct connection *connection = connection_find(&gateway->connections, event->login.connection);
    if (!connection || connection->state != CONNECTION_OPEN)
        return;
    bool asked = connection->session.phase == SESSION_LOGIN_ASKED && connection->login_published;
    if (event->kind == EVENT_LOGIN_ACCEPTED && asked) {
        engine_accepted(gateway, connection, event, now_ns);
    } else if (event->kind == EVENT_LOGIN_REFUSED && asked) {
        connection->login_published = false; /* nothing to take back */
        char reason = event->reason == 'S' ? 'S' : 'A';
        reject(gateway, connection, reason, "login refused by the engine", now_ns);
    } else if (event->kind == EVENT_SESSION_CLOSED && connection->session.number == event->session) {
        session_closed(gateway, connection, now_ns);
    }
}

/* ---- requests ---- */

/* The longer login request names the silence after which the client wants to be given up. */
static void timeout_take(const struct gateway *gateway, struct connection *connection)
{
    uint32_t asked_ms = connection->login.heartbeat_timeout_ms;
    if (asked_ms == 0)
        return;
    uint32_t least_ms = 2 * (uint32_t)gateway->config->gateway_heartbeat_ms;
    connection->silence_ms = asked_ms < least_ms ? least_ms : asked_ms;
}

void login_asked(struct gateway *gateway, struct connection *connection, const struct session_login *login,
                 uint64_t now_ns)
{
    connection->login = *login;
    timeout_take(gateway, connection);
    const char *mismatch = gateway->date != 0 ? session_mismatch(login, gateway->date) : NULL;
    if (mismatch)
        reject(gateway, connection, 'S', mismatch, now_ns);
    else
        queue_append(gateway, connection);
}

/* true: published. The ring has room, for login_poll has looked. */
static void publish(struct gateway *gateway, struct connection *connection, const struct account *account)
{
    struct command *command = inbound_claim(gateway, COMMAND_LOGIN);
    command->login.flag = 1;
    command->login.connection = connection->number;
    memcpy(command->login.user, account->user, USER_BYTES);
    memcpy(command->login.firm, account->firm, FIRM_BYTES);
    inbound_publish(gateway);
    connection->login_published = true;
}

/* The first of the queue. *hashed: a password has been hashed in this poll; false: this one must wait for the next. */
static bool login_next(struct gateway *gateway, bool *hashed, uint64_t now_ns)
{
    struct connection *connection = &gateway->connections.all[gateway->login_first];
    struct account *account = account_find(&gateway->accounts, connection->login.user);
    bool right = account_quick(&gateway->accounts, account, connection->login.password);
    if (!right && *hashed)
        return false;
    if (!right) {
        right = account_slow(&gateway->accounts, account, connection->login.password);
        *hashed = true;
    }
    queue_remove(gateway, connection);
    explicit_bzero(connection->login.password, sizeof(connection->login.password));
    if (right)
        publish(gateway, connection, account);
    else
        reject(gateway, connection, 'A', "login refused: unknown user or wrong password", now_ns);
    return true;
}

int login_poll(struct gateway *gateway, uint64_t now_ns)
{
    int work = 0;
    bool hashed = false;
    while (work < LOGINS_PER_POLL && gateway->login_first != CONNECTION_NONE) {
        bool room = gateway->logout_count == 0 && !gateway->stalled && ring_free(&gateway->producer, 1) > 0;
        if (!room || !login_next(gateway, &hashed, now_ns))
            break;
        work++;
    }
    return work;
}
