#include "operators.h"

#include "output.h"
#include "sessions.h"

#include <string.h>

/* Fields of a command's payload that the kind has; the rest stays zero. */
static void kind_noted(struct event_acted *acted, const struct command *command)
{
    switch ((enum command_kind)command->kind) {
    case COMMAND_SESSION_BLOCK:
    case COMMAND_SESSION_KICK:
    case COMMAND_GATEWAY_DEAD:
    case COMMAND_FIRM_SWITCH:
    case COMMAND_ORDERS_CANCEL:
        acted->flag = command->act.flag;
        acted->target_gateway = command->act.target_gateway;
        memcpy(acted->user, command->act.user, USER_BYTES);
        memcpy(acted->firm, command->act.firm, FIRM_BYTES);
        break;
    case COMMAND_FIRM_LIMITS:
        memcpy(acted->firm, command->admin.firm, FIRM_BYTES);
        break;
    case COMMAND_MARKET_STATE:
        acted->market_state = command->admin.market_state;
        break;
    case COMMAND_TRADE_BREAK:
        acted->match_number = command->trade.match_number;
        break;
    case COMMAND_ENTER:
    case COMMAND_REPLACE:
    case COMMAND_CANCEL:
    case COMMAND_MODIFY:
    case COMMAND_MASS_CANCEL:
    case COMMAND_DISABLE:
    case COMMAND_ENABLE:
    case COMMAND_ACCOUNT_QUERY:
    case COMMAND_REFUSED:
    case COMMAND_LOGIN:
    case COMMAND_LOGOUT:
    case COMMAND_TENURE_BEGINS:
    case COMMAND_TICK:
    case COMMAND_DAY_START:
    case COMMAND_DAY_END:
    case COMMAND_INSTRUMENT_ADD:
    case COMMAND_INSTRUMENT_LIMITS:
    case COMMAND_SNAPSHOT_MARK:
    default:
        break;
    }
}

void operator_asks(struct engine *engine, const struct command *command)
{
    struct acting *acting = &engine->acting;
    *acting = (struct acting){.request = command->user_ref,
                              .acted = {.inbound_seq = command->inbound_seq,
                                        .tenure = command->tenure,
                                        .operator_id = command->admin.operator_id,
                                        .kind = command->kind}};
    memcpy(acting->acted.operator_name, command->admin.operator_name, OPERATOR_NAME_BYTES);
    kind_noted(&acting->acted, command);
    engine->work.tells_operator = 1;
}

void operator_refused(struct engine *engine, enum engine_refusal why)
{
    engine->acting.acted.why = (uint8_t)why;
}

void operator_means(struct engine *engine, uint32_t instrument)
{
    engine->acting.instrument = instrument;
}

void operator_told(struct engine *engine)
{
    struct acting *acting = &engine->acting;
    if (must_pause(engine))
        return;
    book_report_top(engine);
    acting->acted.event_count = engine->event_index;
    struct event *event = event_begin(engine, (struct event_header){.kind = EVENT_OPERATOR_ACTED,
                                                                    .instrument = acting->instrument,
                                                                    .user_ref = acting->request});
    event->acted = acting->acted;
    engine->work.tells_operator = 0;
}
