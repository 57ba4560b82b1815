/* The reference model: sessions begin, are taken over, blocked and end. */
#include "model_parts.h"

#include <string.h>

uint32_t model_find_user(const struct model *model, const char user[USER_BYTES])
{
    for (uint32_t session = 1; session <= model->session_count; session++) {
        if (memcmp(model->sessions[session].user, user, USER_BYTES) == 0)
            return session;
    }
    return 0;
}

/* The session of the user, made if need be; 0: there is no room for one. */
static uint32_t make_user(struct model *model, const char user[USER_BYTES])
{
    uint32_t session = model_find_user(model, user);
    if (session != 0 || model->session_count == model->limits.sessions_max)
        return session;
    session = ++model->session_count;
    memcpy(model->sessions[session].user, user, USER_BYTES);
    return session;
}

static struct event *told_connection(struct model *model, uint8_t kind, uint32_t session, char reason)
{
    const struct model_session *self = &model->sessions[session];
    struct event *event = model_add_event(model, kind);
    event->session = session;
    event->reason = (uint8_t)reason;
    event->login.message_next = self->message_no + 1;
    event->login.user_ref_next = self->user_ref_last[0] + 1;
    event->login.date = model->date;
    memcpy(event->login.user, self->user, USER_BYTES);
    memcpy(event->login.firm, self->firm, FIRM_BYTES);
    event->login.connection = self->connection;
    event->login.gateway = self->gateway;
    event->login.tenure = self->tenure;
    return event;
}

void model_system_event(struct model *model, uint32_t session, char code)
{
    struct event *event = model_add_event(model, EVENT_SYSTEM_EVENT);
    model_to_session(model, event, session);
    event->reason = (uint8_t)code;
}

/* ---- the end of sessions ------------------------------------------------------------------------------------------
 */

/* Sessions that end together: all are closed first, then their orders go. */
struct ended {
    bool cancels[MODEL_SESSIONS_MAX + 1];
};

static void close_session(struct model *model, uint32_t session, char reason, struct ended *ended)
{
    told_connection(model, EVENT_SESSION_CLOSED, session, reason);
    struct model_session *self = &model->sessions[session];
    self->connected = false;
    self->away = self->cancels_on_disconnect && self->grace_ms > 0 && !self->blocked;
    self->away_to_ns = model->command->time_ns + 1000000 * (uint64_t)self->grace_ms;
    ended->cancels[session] = self->cancels_on_disconnect && !self->away;
}

static bool of_an_ended(const struct model *model, const struct model_order *order, const void *asked)
{
    (void)model;
    const struct ended *ended = asked;
    return ended->cancels[order->session];
}

static void cancel_orders(struct model *model, const struct ended *ended)
{
    model_cancel_of_books(model, 'Z', of_an_ended, ended);
}

void model_away_too_long(struct model *model)
{
    struct ended ended = {{false}};
    bool any = false;
    for (uint32_t session = 1; session <= model->session_count; session++) {
        struct model_session *self = &model->sessions[session];
        if (!self->away || self->away_to_ns > model->command->time_ns)
            continue;
        self->away = false;
        any = ended.cancels[session] = true;
    }
    if (any)
        cancel_orders(model, &ended);
}

void model_logout(struct model *model)
{
    const struct command *command = model->command;
    uint32_t session = command->session ? command->session : model_find_user(model, command->login.user);
    if (session == 0 || session > model->session_count)
        return;
    const struct model_session *self = &model->sessions[session];
    struct ended ended = {{false}};
    if (!self->connected || self->gateway != command->gateway || self->tenure != command->tenure ||
        self->connection != command->login.connection)
        return;
    close_session(model, session, (char)command->login.reason, &ended);
    cancel_orders(model, &ended);
}

static void gateway_ended(struct model *model, uint8_t gateway)
{
    struct ended ended = {{false}};
    for (uint32_t session = 1; session <= model->session_count; session++) {
        if (model->sessions[session].connected && model->sessions[session].gateway == gateway)
            close_session(model, session, 'D', &ended);
    }
    cancel_orders(model, &ended);
}

void model_tenure_begins(struct model *model)
{
    gateway_ended(model, model->command->gateway);
}

void model_gateway_dead(struct model *model)
{
    gateway_ended(model, model->command->act.target_gateway);
}

void model_session_kick(struct model *model)
{
    struct ended ended = {{false}};
    uint32_t session = model_find_user(model, model->command->act.user);
    if (session == 0) {
        model_refuse(model, ENGINE_REFUSAL_UNKNOWN_USER);
    } else if (!model->sessions[session].connected) {
        model_refuse(model, ENGINE_REFUSAL_NOT_CONNECTED);
    } else {
        close_session(model, session, 'S', &ended);
        cancel_orders(model, &ended);
    }
}

void model_session_block(struct model *model)
{
    const struct command *command = model->command;
    struct ended ended = {{false}};
    uint32_t session = make_user(model, command->act.user);
    if (session == 0) {
        model_refuse(model, ENGINE_REFUSAL_FULL);
        return;
    }
    struct model_session *self = &model->sessions[session];
    self->blocked = command->act.flag != 0;
    if (!self->blocked)
        return;
    if (self->connected)
        close_session(model, session, 'S', &ended);
    ended.cancels[session] |= self->away;
    self->away = false;
    cancel_orders(model, &ended);
}

/* ---- LOGIN --------------------------------------------------------------------------------------------------------
 */

static void told_peer(const struct model *model, struct event *event)
{
    event->login.peer_port = model->command->login.peer_port;
    memcpy(event->login.peer, model->command->login.peer, PEER_BYTES);
}

static void login_refused(struct model *model, uint32_t session, char reason)
{
    const struct command *command = model->command;
    struct event *event = told_connection(model, EVENT_LOGIN_REFUSED, session, reason);
    event->login.connection = command->login.connection;
    event->login.gateway = command->gateway;
    event->login.tenure = command->tenure;
    memcpy(event->login.user, command->login.user, USER_BYTES);
    told_peer(model, event);
}

static void accept_login(struct model *model, uint32_t session)
{
    const struct command *command = model->command;
    struct model_session *self = &model->sessions[session];
    self->connected = true;
    self->gateway = command->gateway;
    self->tenure = command->tenure;
    self->connection = command->login.connection;
    self->cancels_on_disconnect = (command->login.flag & LOGIN_CANCELS_ON_DISCONNECT) != 0;
    self->grace_ms = command->login.grace_ms;
    self->away = false;
    memcpy(self->firm, blank(command->login.firm) ? "    " : command->login.firm, FIRM_BYTES);
    if (model->day_open && self->message_no == 0)
        model_system_event(model, session, 'S');
    told_peer(model, told_connection(model, EVENT_LOGIN_ACCEPTED, session, 0));
}

void model_login(struct model *model)
{
    const struct command *command = model->command;
    struct ended ended = {{false}};
    if (command->login.flag & LOGIN_FAILED) {
        login_refused(model, model_find_user(model, command->login.user), 'A');
        return;
    }
    uint32_t session = make_user(model, command->login.user);
    const struct model_session *self = &model->sessions[session];
    if (session == 0 || self->blocked) {
        login_refused(model, session, session == 0 ? 'S' : 'A');
        return;
    }
    bool same = self->gateway == command->gateway && self->tenure == command->tenure &&
                self->connection == command->login.connection;
    if (self->connected && !same && !(command->login.flag & LOGIN_TAKES_OVER)) {
        login_refused(model, session, 'S');
        return;
    }
    if (self->connected && !same)
        close_session(model, session, 'S', &ended);
    accept_login(model, session);
    cancel_orders(model, &ended);
}
