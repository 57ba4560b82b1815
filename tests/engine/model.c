#include "model_parts.h"

#include <string.h>

/* ---- a command ----------------------------------------------------------------------------------------------------
 */

/* Of gateways, operators and the configuration. */
static void other_command(struct model *model)
{
    static const struct {
        uint8_t kind;
        void (*apply)(struct model *model);
    } others[] = {
        {COMMAND_LOGIN, model_login},
        {COMMAND_LOGOUT, model_logout},
        {COMMAND_TENURE_BEGINS, model_tenure_begins},
        {COMMAND_TICK, model_time_passes},
        {COMMAND_DAY_START, model_day_start},
        {COMMAND_DAY_END, model_day_end},
        {COMMAND_INSTRUMENT_ADD, model_instrument_add},
        {COMMAND_MARKET_STATE, model_market_state},
        {COMMAND_INSTRUMENT_LIMITS, model_instrument_limits},
        {COMMAND_FIRM_LIMITS, model_firm_limits},
        {COMMAND_TRADE_BREAK, model_trade_break},
        {COMMAND_SESSION_BLOCK, model_session_block},
        {COMMAND_SESSION_KICK, model_session_kick},
        {COMMAND_GATEWAY_DEAD, model_gateway_dead},
        {COMMAND_FIRM_SWITCH, model_firm_switch},
        {COMMAND_ORDERS_CANCEL, model_orders_cancel},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (others[i].kind == model->command->kind) {
            others[i].apply(model);
            return;
        }
    }
    if (model->command->kind != COMMAND_SNAPSHOT_MARK)
        model_refuse(model, ENGINE_REFUSAL_UNKNOWN_KIND);
}

/* An operator is told at the end what came of it. */
static void operator_command(struct model *model)
{
    const struct command *command = model->command;
    struct event_acted acted = {.inbound_seq = command->inbound_seq,
                                .tenure = command->tenure,
                                .operator_id = command->admin.operator_id,
                                .kind = command->kind};
    memcpy(acted.operator_name, command->admin.operator_name, sizeof(acted.operator_name));
    if (command->kind >= COMMAND_SESSION_KICK || command->kind == COMMAND_SESSION_BLOCK)
        model_told_act(model, &acted);
    if (command->kind == COMMAND_FIRM_LIMITS)
        memcpy(acted.firm, command->admin.firm, FIRM_BYTES);
    if (command->kind == COMMAND_MARKET_STATE)
        acted.market_state = command->admin.market_state;
    if (command->kind == COMMAND_TRADE_BREAK)
        acted.match_number = command->trade.match_number;
    model->meant_instrument = 0;
    model->refused_why = 0;
    other_command(model);
    acted.why = model->refused_why;
    acted.event_count = model->event_count;
    struct event *event = model_add_event(model, EVENT_OPERATOR_ACTED);
    event->user_ref = command->user_ref;
    event->instrument = model->meant_instrument;
    event->acted = acted;
}

void model_init(struct model *model, const struct engine_limits *limits)
{
    memset(model, 0, offsetof(struct model, orders));
    model->limits = *limits;
    if (model->limits.channels_max == 0)
        model->limits.channels_max = limits->sessions_max;
    if (model->limits.trades_max == 0)
        model->limits.trades_max = 65536;
}

void model_apply(struct model *model, const struct command *command)
{
    model->command = command;
    model->event_count = 0;
    if (command->kind >= COMMAND_ENTER && command->kind <= COMMAND_REFUSED)
        model_request(model);
    else if (command->gateway == OPERATOR_GATEWAY)
        operator_command(model);
    else
        other_command(model);
    if (model->event_count != 0)
        model->events[model->event_count - 1].flags |= EVENT_LAST_OF_COMMAND;
    for (uint32_t i = 0; i < model->event_count; i++)
        model->event_hash = engine_event_hash_next(model->event_hash, &model->events[i]);
}
