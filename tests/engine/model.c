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
    else
        other_command(model);
    if (model->event_count != 0)
        model->events[model->event_count - 1].flags |= EVENT_LAST_OF_COMMAND;
    for (uint32_t i = 0; i < model->event_count; i++)
        model->event_hash = engine_event_hash_next(model->event_hash, &model->events[i]);
}
