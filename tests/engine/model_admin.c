/* The model's part of what gateways and operators ask for: sessions, days, instruments. */
#include "model_parts.h"

#include <string.h>

/* ---- sessions -----------------------------------------------------------------------------------------------------
 */

static uint32_t find_user(const struct model *model, const char user[USER_BYTES])
{
    for (uint32_t session = 1; session <= model->session_count; session++) {
        if (memcmp(model->sessions[session].user, user, USER_BYTES) == 0)
            return session;
    }
    return 0;
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

static void close_session(struct model *model, uint32_t session, char reason)
{
    told_connection(model, EVENT_SESSION_CLOSED, session, reason);
    model->sessions[session].connected = false;
}

static void system_event(struct model *model, uint32_t session, char code)
{
    struct event *event = model_add_event(model, EVENT_SYSTEM_EVENT);
    model_to_session(model, event, session);
    event->reason = (uint8_t)code;
}

static void login_refused(struct model *model, uint32_t session)
{
    const struct command *command = model->command;
    struct event *event = told_connection(model, EVENT_LOGIN_REFUSED, session, 'S');
    event->login.connection = command->login.connection;
    event->login.gateway = command->gateway;
    event->login.tenure = command->tenure;
    memcpy(event->login.user, command->login.user, USER_BYTES);
}

static void login(struct model *model)
{
    const struct command *command = model->command;
    uint32_t session = find_user(model, command->login.user);
    if (session == 0 && model->session_count == model->limits.sessions_max) {
        login_refused(model, 0);
        return;
    }
    if (session == 0) {
        session = ++model->session_count;
        memcpy(model->sessions[session].user, command->login.user, USER_BYTES);
    }
    struct model_session *self = &model->sessions[session];
    bool same = self->gateway == command->gateway && self->tenure == command->tenure &&
                self->connection == command->login.connection;
    if (self->connected && !same && !command->login.flag) {
        login_refused(model, session);
        return;
    }
    if (self->connected && !same)
        close_session(model, session, 'S');
    self->connected = true;
    self->gateway = command->gateway;
    self->tenure = command->tenure;
    self->connection = command->login.connection;
    memcpy(self->firm, blank(command->login.firm) ? "    " : command->login.firm, FIRM_BYTES);
    if (model->day_open && self->message_no == 0)
        system_event(model, session, 'S');
    told_connection(model, EVENT_LOGIN_ACCEPTED, session, 0);
}

static void logout(struct model *model)
{
    const struct command *command = model->command;
    uint32_t session = command->session ? command->session : find_user(model, command->login.user);
    if (session == 0 || session > model->session_count)
        return;
    const struct model_session *self = &model->sessions[session];
    if (self->connected && self->gateway == command->gateway && self->tenure == command->tenure &&
        self->connection == command->login.connection)
        close_session(model, session, (char)command->login.reason);
}

static void tenure_begins(struct model *model)
{
    for (uint32_t session = 1; session <= model->session_count; session++) {
        if (model->sessions[session].connected && model->sessions[session].gateway == model->command->gateway)
            close_session(model, session, 'D');
    }
}

/* ---- days and instruments -----------------------------------------------------------------------------------------
 */

static void told_day(struct model *model, uint8_t kind)
{
    struct event *event = model_add_event(model, kind);
    event->day.date = model->date;
    event->day.midnight_ns = model->midnight_ns;
}

static void day_start(struct model *model)
{
    const struct command *command = model->command;
    if (model->day_open || command->day.date <= model->date) {
        if (!model->day_open)
            model_refuse(model, ENGINE_REFUSAL_DATE);
        else if (command->gateway != 0)
            model_refuse(model, ENGINE_REFUSAL_DAY_IS_OPEN);
        return;
    }
    model->day_open = true;
    model->date = command->day.date;
    model->midnight_ns = command->day.midnight_ns;
    model->channel_count = 0;
    told_day(model, EVENT_DAY_STARTED);
    for (uint32_t session = 1; session <= model->session_count; session++) {
        struct model_session *self = &model->sessions[session];
        self->message_no = 0;
        memset(self->user_ref_last, 0, sizeof(self->user_ref_last));
        memset(self->channel_used, 0, sizeof(self->channel_used));
        system_event(model, session, 'S');
    }
}

static void day_end(struct model *model)
{
    if (!model->day_open) {
        if (model->command->gateway != 0)
            model_refuse(model, ENGINE_REFUSAL_NO_DAY_IS_OPEN);
        return;
    }
    model->day_open = false;
    for (uint32_t instrument = 1; instrument <= model->instrument_count; instrument++) {
        struct model_order *order;
        for (int of_sellers = 0; of_sellers < 2; of_sellers++) {
            while ((order = model_best_order(model, instrument, of_sellers)) != NULL)
                model_canceled(model, order, 0, 'Z');
        }
        model_report_top(model);
    }
    for (uint32_t session = 1; session <= model->session_count; session++)
        system_event(model, session, 'E');
    told_day(model, EVENT_DAY_ENDED);
}

static void instrument_add(struct model *model)
{
    const struct command_admin *admin = &model->command->admin;
    for (uint32_t i = 1; i <= model->instrument_count; i++) {
        if (memcmp(model->instruments[i].symbol, admin->symbol, SYMBOL_BYTES) == 0) {
            if (model->command->gateway != 0)
                model_refuse(model, ENGINE_REFUSAL_EXISTS);
            return;
        }
    }
    if (admin->symbol[0] <= ' ' || admin->tick_ticks < 0 || admin->tick_ticks > 1999999900 ||
        admin->lot_quantity > 999999 || admin->reference_ticks < 0) {
        model_refuse(model, ENGINE_REFUSAL_INVALID);
    } else if (admin->collar_ticks || admin->fat_finger_ticks || admin->quantity_max || admin->notional_max) {
        model_refuse(model, ENGINE_REFUSAL_NOT_SUPPORTED);
    } else if (model->instrument_count == model->limits.instruments_max) {
        model_refuse(model, ENGINE_REFUSAL_FULL);
    } else {
        struct model_instrument *self = &model->instruments[++model->instrument_count];
        memcpy(self->symbol, admin->symbol, SYMBOL_BYTES);
        memcpy(self->top.symbol, admin->symbol, SYMBOL_BYTES);
        self->tick = admin->tick_ticks ? (uint32_t)admin->tick_ticks : 1;
        self->lot = admin->lot_quantity ? admin->lot_quantity : 1;
        self->reference = admin->reference_ticks;
        struct event *event = model_add_event(model, EVENT_INSTRUMENT_ADDED);
        event->instrument = model->instrument_count;
        memcpy(event->admin.symbol, self->symbol, SYMBOL_BYTES);
        event->admin.tick_ticks = (int32_t)self->tick;
        event->admin.lot_quantity = self->lot;
        event->admin.reference_ticks = self->reference;
        event->admin.market_state = 'O';
    }
}

/* ---- all of them --------------------------------------------------------------------------------------------------
 */

void model_other_command(struct model *model)
{
    uint8_t kind = model->command->kind;
    if (kind == COMMAND_LOGIN)
        login(model);
    else if (kind == COMMAND_LOGOUT)
        logout(model);
    else if (kind == COMMAND_TENURE_BEGINS)
        tenure_begins(model);
    else if (kind == COMMAND_DAY_START)
        day_start(model);
    else if (kind == COMMAND_DAY_END)
        day_end(model);
    else if (kind == COMMAND_INSTRUMENT_ADD)
        instrument_add(model);
    else if (kind >= COMMAND_MARKET_STATE && kind <= COMMAND_SESSION_BLOCK)
        model_refuse(model, ENGINE_REFUSAL_NOT_SUPPORTED);
    else if (kind != COMMAND_TICK && kind != COMMAND_SNAPSHOT_MARK)
        model_refuse(model, ENGINE_REFUSAL_UNKNOWN_KIND);
}
