/*
 * Logins: the password here, the rest by the engine. A login request waits in a queue until its password is checked and
 * the inbound ring takes its LOGIN command; its answer is made from the event that comes back.
 *
 * Rules
 *   1. One password that must be hashed a poll; those that were right before are known at once. So a storm of logins
 *      delays the others by a third of a millisecond at a time (accounts.h).
 *   2. Unknown user and wrong password get the same answer after the same work. Passwords are wiped once checked and
 * are never logged.
 *   3. A later login of a user takes the session over, and the earlier connection is told so and closed; or it is
 *      refused with S, if the settings say so (members.h).
 *   4. The session named in the request must be the current one, whose name is the trading day's date.
 *   5. Wrong passwords are counted by address (of IPv6: by its first 64 bits) and by user. Whoever has used up what
 *      gateway.login_failures allows is refused unseen, at no cost, until gateway.login_pause_ms have passed for each
 *      further try. So that nobody can lock out another, a user who has logged in from his address before is held by
 *      the count of that address alone; he may have done so at any gateway, for the events tell.
 *   6. A login refused by the gateway is published too (LOGIN_FAILED), so that the events know of all; not one that is
 *      refused unseen, so that a flood of them costs the journal nothing; nor the log more than a line a second.
 *   7. What is refused for its address or firm is so after the password was looked at: only who knows it can tell.
 */
#include "gateway_state.h"

#include "address.h"
#include "base/bytes.h"
#include "base/require.h"
#include "base/units.h"
#include "log/log.h"
#include "wire/soup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGINS_PER_POLL 64
#define FAILURES_COUNT  65536u /* addresses and users counted at one time */

enum { FAILURES_OF_ADDRESS = 1, FAILURES_OF_USER };

int login_open(struct gateway *gateway, struct error *error)
{
    gateway->login_first = gateway->login_last = CONNECTION_NONE;
    const struct config *config = gateway->config;
    uint64_t period_ns = config->gateway_login_pause_ms * NS_PER_MS;
    gateway->failure_rate =
        (struct rate){.period_ns = period_ns, .tolerance_ns = (config->gateway_login_failures - 1) * period_ns};
    return rate_table_open(&gateway->failures, FAILURES_COUNT, error);
}

void login_close(struct gateway *gateway)
{
    rate_table_close(&gateway->failures);
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
    uint32_t next = outbound_message_next(&gateway->outbound, connection->stream);
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
    uint32_t copy = copies_stream(&gateway->copies, event->login.user);
    uint32_t stream = copy != 0 ? copy : event->session;
    uint32_t earlier = gateway->stream_connection[stream];
    if (earlier != CONNECTION_NONE)
        network_end(gateway, &gateway->connections.all[earlier], 'S', "a later login has taken its session over",
                    now_ns);
    gateway->stream_connection[stream] = index_of(gateway, connection);
    connection->stream = stream;
    gateway->session_count++;
    if (copy != 0)
        session_watch(&connection->session, event->session);
    else
        session_open(&connection->session, event->session);
    accept_login(gateway, connection, event->login.date);
}

/* 'D': the sessions of all its connections, because the operator has declared the gateway dead (the engine's rule). */
static const char *why_closed(const struct event *event, bool taken_over)
{
    if (taken_over)
        return "the session is no longer this connection's: a later login has taken it over";
    if (event->reason == 'D')
        return "the exchange has closed the session, with all others of this gateway";
    return "the exchange has closed the session";
}

static void session_closed(struct gateway *gateway, struct connection *connection, const char *text, uint64_t now_ns)
{
    connection->login_published = false; /* the engine knows */
    network_debug(gateway, connection, text);
    network_end(gateway, connection, 'S', text, now_ns);
}

void login_event(struct gateway *gateway, const struct event *event, bool taken_over, uint64_t now_ns)
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
        session_closed(gateway, connection, why_closed(event, taken_over), now_ns);
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
    strangers_forget(gateway, connection);
    timeout_take(gateway, connection);
    const char *mismatch = gateway->date != 0 ? session_mismatch(login, gateway->date) : NULL;
    if (mismatch)
        reject(gateway, connection, 'S', mismatch, now_ns);
    else
        queue_append(gateway, connection);
}

/* ---- wrong passwords ---- */

struct failure_keys {
    uint64_t address;
    uint64_t user;
};

static uint64_t key_of_address(const struct address *address)
{
    return rate_key(FAILURES_OF_ADDRESS, address_host(address));
}

/* An address that cannot be read is one like any other. */
static struct failure_keys keys_of(const struct connection *connection)
{
    struct address address = {0};
    uint64_t user = 0;
    (void)address_parse_peer(&address, connection->peer);
    memcpy(&user, connection->login.user, USER_BYTES);
    return (struct failure_keys){.address = key_of_address(&address), .user = rate_key(FAILURES_OF_USER, user)};
}

void login_seen(struct gateway *gateway, const struct event *event)
{
    struct account *account = account_find(&gateway->accounts, event->login.user);
    struct address address;
    if (!account)
        return;
    memcpy(address.bytes, event->login.peer, PEER_BYTES);
    account->came_before = true;
    account->came_from = key_of_address(&address);
}

static bool may_try(const struct gateway *gateway, const struct account *account, const struct failure_keys *keys,
                    uint64_t now_ns)
{
    const struct rate *rate = &gateway->failure_rate;
    bool known_here = account && account->came_before && account->came_from == keys->address;
    return rate_table_has(&gateway->failures, keys->address, rate, now_ns) &&
           (known_here || rate_table_has(&gateway->failures, keys->user, rate, now_ns));
}

static void failed(struct gateway *gateway, const struct failure_keys *keys, uint64_t now_ns)
{
    (void)rate_table_take(&gateway->failures, keys->address, &gateway->failure_rate, now_ns);
    (void)rate_table_take(&gateway->failures, keys->user, &gateway->failure_rate, now_ns);
}

/* ---- checking ---- */

/* For the record: where the login comes from. */
static void put_peer(const struct connection *connection, struct command *command)
{
    struct address address = {0};
    const char *colon = strrchr(connection->peer, ':');
    if (!address_parse_peer(&address, connection->peer))
        return;
    memcpy(command->login.peer, address.bytes, PEER_BYTES);
    command->login.peer_port = colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

/* A refused one goes down the pipeline too, so that there is one place that knows of all; it has been answered. */
static void publish_failed(struct gateway *gateway, const struct connection *connection)
{
    const char *user = connection->login.user;
    if (user[0] <= ' ') /* a name that nobody can have */
        return;
    struct command *command = inbound_claim(gateway, COMMAND_LOGIN);
    command->login.flag = LOGIN_FAILED;
    command->login.connection = connection->number;
    for (size_t i = 0; i < USER_BYTES; i++)
        command->login.user[i] = (char)(user[i] >= ' ' && user[i] <= '~' ? user[i] : '?');
    put_peer(connection, command);
    inbound_publish(gateway);
}

/* The ring has room, for login_poll has looked. */
static void publish(struct gateway *gateway, struct connection *connection, const struct account *account)
{
    struct command *command = inbound_claim(gateway, COMMAND_LOGIN);
    const struct member *member = connection->member;
    command->login.flag =
        (uint8_t)((member->takes_over ? LOGIN_TAKES_OVER : 0) | (member->cancels ? LOGIN_CANCELS_ON_DISCONNECT : 0));
    command->login.grace_ms = member->cancels ? member->grace_ms : 0;
    command->login.connection = connection->number;
    memcpy(command->login.user, account->user, USER_BYTES);
    if (connection->any_firm)
        memset(command->login.firm, ' ', FIRM_BYTES);
    else
        memcpy(command->login.firm, account->firm, FIRM_BYTES);
    put_peer(connection, command);
    inbound_publish(gateway);
    connection->login_published = true;
}

/* The password is right: what the settings say of this user. */
static void admit(struct gateway *gateway, struct connection *connection, const struct account *account,
                  uint64_t now_ns)
{
    REQUIRE(account); /* of a user that there is not no password is right */
    const struct members *members = &gateway->members;
    const struct member *member = member_find(members, account->user);
    if (!member_may_come_from(members, member, connection->peer)) {
        publish_failed(gateway, connection);
        reject(gateway, connection, 'A', "login refused: the user may not come from this address", now_ns);
        return;
    }
    if (!member_has_firm(members, member, account->firm, account->firm)) {
        publish_failed(gateway, connection);
        reject(gateway, connection, 'A', "login refused: the account's firm is none of those that it may trade for",
               now_ns);
        return;
    }
    connection->any_firm = member_has_other_firms(members, member, account->firm);
    memcpy(connection->firm, account->firm, FIRM_BYTES);
    limits_bind(gateway, connection);
    publish(gateway, connection, account);
}

enum checked { CHECKED_RIGHT, CHECKED_WRONG, CHECKED_UNSEEN, CHECKED_NOT_YET };

static enum checked check(struct gateway *gateway, const struct connection *connection, struct account *account,
                          const struct failure_keys *keys, bool *hashed, uint64_t now_ns)
{
    if (!may_try(gateway, account, keys, now_ns))
        return CHECKED_UNSEEN;
    if (account_quick(&gateway->accounts, account, connection->login.password))
        return CHECKED_RIGHT;
    if (*hashed)
        return CHECKED_NOT_YET;
    *hashed = true;
    return account_slow(&gateway->accounts, account, connection->login.password) ? CHECKED_RIGHT : CHECKED_WRONG;
}

/* The first of the queue. *hashed: a password has been hashed in this poll; false: this one must wait for the next. */
static bool login_next(struct gateway *gateway, bool *hashed, uint64_t now_ns)
{
    struct connection *connection = &gateway->connections.all[gateway->login_first];
    struct account *account = account_find(&gateway->accounts, connection->login.user);
    const struct failure_keys keys = keys_of(connection);
    enum checked checked = check(gateway, connection, account, &keys, hashed, now_ns);
    if (checked == CHECKED_NOT_YET)
        return false;
    queue_remove(gateway, connection);
    connection->login_judged = checked != CHECKED_UNSEEN;
    explicit_bzero(connection->login.password, sizeof(connection->login.password));
    if (checked == CHECKED_RIGHT) {
        admit(gateway, connection, account, now_ns);
    } else if (checked == CHECKED_WRONG) {
        failed(gateway, &keys, now_ns);
        publish_failed(gateway, connection);
        reject(gateway, connection, 'A', "login refused: unknown user or wrong password", now_ns);
    } else {
        reject(gateway, connection, 'A',
               "login refused unseen: too many wrong passwords from this address or for this user", now_ns);
    }
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
