/*
 * Who owns a session. A user gets a number at the first login and keeps it; a connection, known by gateway, tenure and
 * number, owns the session from LOGIN_ACCEPTED to SESSION_CLOSED.
 *
 * Rules
 *   1. One connection a session. A second login is refused with S, or, if it asks to take over, closes the first.
 *   2. The stream of a session begins each day with SYSTEM_EVENT S: at the start of the day, or before its first login.
 *   3. Orders stay when a connection goes, unless its login asked for cancels on disconnect. With a grace period they
 *      go at the first TICK after it, unless the user has logged in by then: an end and a login within it, a takeover
 *      among them, change nothing. Who is blocked cannot come back, so his go at once.
 */
#include "sessions.h"

#include "names.h"
#include "output.h"

#include <string.h>

#define SCANNED_MAX 4096u /* sessions looked at in one step */

static uint64_t user_word(const char user[USER_BYTES])
{
    uint64_t word = 0;
    memcpy(&word, user, USER_BYTES);
    return word;
}

/* The user's session, or 0; *ret_place is where it is or would be. */
static uint32_t user_find(const struct engine *engine, const char user[USER_BYTES], uint32_t *ret_place)
{
    uint32_t place = name_home(user_word(user)) & engine->user_names_mask;
    for (;;) {
        uint32_t session = engine->user_names[place];
        *ret_place = place;
        if (session == 0 || memcmp(engine->sessions[session].user, user, USER_BYTES) == 0)
            return session;
        place = (place + 1) & engine->user_names_mask;
    }
}

static uint32_t firm_word(const char firm[FIRM_BYTES])
{
    uint32_t word;
    memcpy(&word, firm, FIRM_BYTES);
    return word == 0 ? FIRM_BLANK : word;
}

static uint32_t user_add(struct engine *engine, const char user[USER_BYTES], uint32_t place)
{
    if (engine->session_count == engine->limits.sessions_max)
        return 0;
    uint32_t session = ++engine->session_count;
    engine->user_names[place] = session;
    memcpy(engine->sessions[session].user, user, USER_BYTES);
    return session;
}

/* LOGIN_ACCEPTED, LOGIN_REFUSED, SESSION_CLOSED, addressed to a connection. session 0: there is none. */
static void told_connection(struct engine *engine, uint8_t kind, uint8_t reason, uint32_t session, uint64_t owner,
                            uint64_t connection)
{
    const struct session *self = &engine->sessions[session];
    struct event *event =
        event_begin(engine, (struct event_header){.kind = kind, .session = session, .reason = reason});
    struct event_session *login = &event->login;
    event_reserve(event, EVENT_PAYLOAD);
    login->connection = connection;
    login->tenure = (uint32_t)owner;
    login->gateway = (uint8_t)(owner >> 32);
    login->message_next = self->message_no + 1;
    login->user_ref_next = self->user_ref_last + 1;
    login->date = engine->date;
    memcpy(login->user, self->user, USER_BYTES);
    memcpy(login->firm, &self->firm, FIRM_BYTES);
}

static void cancels_due(struct engine *engine, struct session *self)
{
    if (self->cancel_due)
        return;
    self->cancel_due = 1;
    engine->work.cancel_due_count++;
}

static void grace_begin(struct engine *engine, struct session *self)
{
    self->cancel_at_ns = engine->time_ns + self->grace_ms * UINT64_C(1000000);
    if (engine->grace_count++ == 0 || self->cancel_at_ns < engine->grace_next_ns)
        engine->grace_next_ns = self->cancel_at_ns;
}

static void grace_end(struct engine *engine, struct session *self)
{
    engine->grace_count -= self->cancel_at_ns != 0;
    self->cancel_at_ns = 0;
}

static void session_close(struct engine *engine, uint32_t session, uint8_t reason)
{
    struct session *self = &engine->sessions[session];
    told_connection(engine, EVENT_SESSION_CLOSED, reason, session, self->owner, self->connection);
    engine->connected_counts[self->owner >> 32 & 0xff]--;
    if (self->cancels && self->grace_ms != 0 && !self->blocked)
        grace_begin(engine, self);
    else if (self->cancels)
        cancels_due(engine, self);
    self->owner = 0;
    self->connection = 0;
}

void session_told_day(struct engine *engine, uint32_t session, uint8_t code)
{
    struct event *event = event_begin(engine, (struct event_header){.kind = EVENT_SYSTEM_EVENT,
                                                                    .session = session,
                                                                    .message_no = message_no(engine, session),
                                                                    .reason = code});
    event_reserve(event, EVENT_PAYLOAD);
}

static void told_peer(struct event *event, const struct command *command)
{
    event->login.peer_port = command->login.peer_port;
    memcpy(event->login.peer, command->login.peer, PEER_BYTES);
}

static void login_refused(struct engine *engine, const struct command *command, uint32_t session, uint8_t reason)
{
    uint64_t owner = owner_of(command->gateway, command->tenure);
    told_connection(engine, EVENT_LOGIN_REFUSED, reason, session, owner, command->login.connection);
    struct event *event = event_place(engine, engine->event_seq_next - 1);
    memcpy(event->login.user, command->login.user, USER_BYTES);
    told_peer(event, command);
}

void session_login(struct engine *engine, const struct command *command)
{
    const struct command_session *login = &command->login;
    uint64_t owner = owner_of(command->gateway, command->tenure);
    uint32_t place = 0;
    uint32_t session = user_find(engine, login->user, &place);
    if (login->flag & LOGIN_FAILED) {
        login_refused(engine, command, session, 'A');
        return;
    }
    if (session == 0)
        session = user_add(engine, login->user, place);
    if (session == 0) {
        login_refused(engine, command, 0, 'S');
        return;
    }
    struct session *self = &engine->sessions[session];
    if (self->blocked) {
        login_refused(engine, command, session, 'A');
        return;
    }
    bool same = self->owner == owner && self->connection == login->connection;
    if (self->owner != 0 && !same) {
        if ((login->flag & LOGIN_TAKES_OVER) == 0) {
            login_refused(engine, command, session, 'S');
            return;
        }
        session_close(engine, session, 'S');
    }
    if (!same)
        engine->connected_counts[command->gateway]++;
    self->owner = owner;
    self->connection = login->connection;
    self->firm = firm_word(login->firm);
    self->cancels = (login->flag & LOGIN_CANCELS_ON_DISCONNECT) != 0;
    self->grace_ms = login->grace_ms;
    grace_end(engine, self);
    if (engine->day_open && self->message_no == 0)
        session_told_day(engine, session, 'S');
    told_connection(engine, EVENT_LOGIN_ACCEPTED, 0, session, owner, login->connection);
    told_peer(event_place(engine, engine->event_seq_next - 1), command);
}

/* The gateway may not have known the session's number yet when the connection ended; it always knows the user. */
void session_logout(struct engine *engine, const struct command *command)
{
    uint32_t place = 0;
    uint32_t session = command->session;
    if (session == 0)
        session = user_find(engine, command->login.user, &place);
    if (session == 0 || session > engine->session_count)
        return;
    const struct session *self = &engine->sessions[session];
    if (self->owner == owner_of(command->gateway, command->tenure) && self->connection == command->login.connection)
        session_close(engine, session, command->login.reason);
}

void session_block(struct engine *engine, const struct command *command)
{
    uint32_t place = 0;
    uint32_t session = user_find(engine, command->act.user, &place);
    if (session == 0)
        session = user_add(engine, command->act.user, place);
    if (session == 0) {
        command_refuse(engine, command, ENGINE_REFUSAL_FULL);
        return;
    }
    struct session *self = &engine->sessions[session];
    self->blocked = command->act.flag != 0;
    if (!self->blocked)
        return;
    if (self->owner != 0) {
        session_close(engine, session, 'S');
    } else if (self->cancel_at_ns != 0) { /* it cannot come back: nothing to wait for */
        grace_end(engine, self);
        cancels_due(engine, self);
    }
}

uint32_t session_of_user(const struct engine *engine, const char user[USER_BYTES])
{
    uint32_t place = 0;
    return user_find(engine, user, &place);
}

void session_kick(struct engine *engine, const struct command *command)
{
    uint32_t session = session_of_user(engine, command->act.user);
    if (session == 0)
        command_refuse(engine, command, ENGINE_REFUSAL_UNKNOWN_USER);
    else if (engine->sessions[session].owner == 0)
        command_refuse(engine, command, ENGINE_REFUSAL_NOT_CONNECTED);
    else
        session_close(engine, session, 'S');
}

/* ---- a gateway begins again: none of its connections is left ------------------------------------------------------
 */

void session_tenure_begins(struct engine *engine, const struct command *command)
{
    engine->sweep_place = 1;
    engine->sweep_owner = command->gateway;
    session_tenure_sweep(engine);
}

void session_gateway_dead(struct engine *engine, const struct command *command)
{
    engine->sweep_place = 1;
    engine->sweep_owner = command->act.target_gateway;
    session_tenure_sweep(engine);
}

void session_tenure_sweep(struct engine *engine)
{
    uint32_t scanned = 0;
    const uint32_t *left = &engine->connected_counts[engine->sweep_owner];
    engine->work.sweep = SWEEP_TENURE;
    while (*left != 0 && engine->event_seq_next < engine->step_limit && scanned < SCANNED_MAX) {
        uint32_t session = engine->sweep_place++;
        ENGINE_REQUIRE(session <= engine->session_count);
        uint64_t owner = engine->sessions[session].owner;
        if (owner != 0 && (owner >> 32 & 0xff) == engine->sweep_owner)
            session_close(engine, session, 'D');
        scanned++;
    }
    if (*left == 0)
        engine->work.sweep = SWEEP_NONE;
}

/* ---- who has not come back in time --------------------------------------------------------------------------------
 */

bool session_grace_is_over(const struct engine *engine)
{
    return engine->grace_count != 0 && engine->time_ns >= engine->grace_next_ns;
}

void session_grace_begin(struct engine *engine)
{
    engine->sweep_place = 1;
    engine->grace_next_ns = UINT64_MAX;
    session_grace_sweep(engine);
}

void session_grace_sweep(struct engine *engine)
{
    engine->work.sweep = SWEEP_GRACE;
    for (uint32_t scanned = 0; scanned < SCANNED_MAX && engine->sweep_place <= engine->session_count; scanned++) {
        struct session *self = &engine->sessions[engine->sweep_place++];
        if (self->cancel_at_ns == 0)
            continue;
        if (self->cancel_at_ns <= engine->time_ns) {
            grace_end(engine, self);
            cancels_due(engine, self);
        } else if (self->cancel_at_ns < engine->grace_next_ns) {
            engine->grace_next_ns = self->cancel_at_ns;
        }
    }
    if (engine->sweep_place > engine->session_count)
        engine->work.sweep = engine->expiry_count != 0 ? SWEEP_EXPIRY : SWEEP_NONE;
}
