#include "firms.h"

#include "check.h"
#include "operators.h"
#include "output.h"
#include "requests.h"
#include "sessions.h"

#include <string.h>

/* The firm's entry, made if it is not there; NULL: there is no room. */
static struct firm *firm_take(struct engine *engine, uint32_t name)
{
    uint32_t place = name_home(name) & engine->firms_mask;
    for (; engine->firms[place].name != 0; place = (place + 1) & engine->firms_mask) {
        if (engine->firms[place].name == name)
            return &engine->firms[place];
    }
    if (engine->firm_count == engine->limits.firms_max)
        return NULL;
    engine->firm_count++;
    engine->firms[place].name = name;
    return &engine->firms[place];
}

/* One switch adds the same whosever it is: as it did when there was one only, so that old checkpoints still hold. */
static uint64_t switches_hash(const struct firm *firm)
{
    const uint32_t both = DISABLED_BY_MEMBER | DISABLED_BY_OPERATOR;
    if (firm->disabled == 0)
        return 0;
    uint64_t hash = hash_fold(firm->name ^ HASH_ODD_5, HASH_ODD_3);
    return (firm->disabled & both) == both ? hash + hash_fold(firm->name ^ HASH_ODD_5, HASH_ODD_6) : hash;
}

/* What a firm adds to the state hash comes to it (1) or leaves it (-1). */
static void firm_hashed(struct engine *engine, const struct firm *firm, uint64_t change)
{
    uint64_t switched = switches_hash(firm);
    uint64_t limits = two_words(firm->quantity_max, firm->name);
    bool limited = firm->quantity_max != 0 || firm->notional_max != 0;
    uint64_t hash = switched + (limited ? hash_fold(limits ^ HASH_ODD_1, firm->notional_max ^ HASH_ODD_2) : 0);
    engine->firms_hash += change * hash;
    engine->state_hash += change * hash;
}

/* ---- the kill switches --------------------------------------------------------------------------------------------
 */

static void told_switch(struct engine *engine, const struct command *command, uint32_t firm)
{
    bool disables = command->kind == COMMAND_DISABLE;
    struct event *event =
        event_begin(engine, (struct event_header){.kind = disables ? EVENT_ENTRY_DISABLED : EVENT_ENTRY_ENABLED,
                                                  .flags = answer_flags(command),
                                                  .session = command->session,
                                                  .message_no = message_no(engine, command->session),
                                                  .user_ref = command->user_ref,
                                                  .user_ref_index = command->order.user_ref_index});
    event_reserve(event, EVENT_PAYLOAD);
    memcpy(event->mass.firm, &firm, FIRM_BYTES);
    event->mass.options = command->order.options;
    event->mass.group = (uint16_t)command->order.group;
}

/* The switch of `whose` alone. false: there is no room for the firm. Enabling one that is not there needs none. */
static bool switch_set(struct engine *engine, uint32_t name, uint32_t whose, bool disables)
{
    if (!disables && firm_find(engine, name) == NULL)
        return true;
    struct firm *firm = firm_take(engine, name);
    if (firm == NULL)
        return false;
    firm_hashed(engine, firm, UINT64_MAX);
    if (disables)
        firm->disabled |= whose;
    else
        firm->disabled &= ~(whose | DISABLED_BY_SOMEBODY);
    firm_hashed(engine, firm, 1);
    return true;
}

static enum reason switch_firm(struct engine *engine, const struct command *command, uint32_t name)
{
    uint32_t session_firm = engine->sessions[command->session].firm;
    if (name != session_firm && session_firm != FIRM_BLANK)
        return REASON_FIRM;
    bool disables = command->kind == COMMAND_DISABLE;
    return switch_set(engine, name, DISABLED_BY_MEMBER, disables) ? REASON_NONE : REASON_PROCESSING;
}

void request_switch(struct engine *engine, const struct command *command)
{
    uint32_t *last = user_ref_last(engine, command->session, command->order.user_ref_index);
    if (last == NULL) {
        request_reject(engine, command, REASON_PROCESSING);
        return;
    }
    if (command->user_ref <= *last)
        return;
    *last = command->user_ref;
    uint32_t name;
    memcpy(&name, command->order.firm, sizeof(name));
    if (name == 0 || name == FIRM_BLANK)
        name = engine->sessions[command->session].firm;
    enum reason reason = switch_firm(engine, command, name);
    if (reason == REASON_NONE)
        told_switch(engine, command, name);
    else
        request_reject(engine, command, (uint16_t)reason);
}

/* The operator's: told to nobody's session. */
void firm_switch(struct engine *engine, const struct command *command)
{
    const struct command_act *act = &command->act;
    uint32_t name;
    memcpy(&name, act->firm, sizeof(name));
    if (name == 0 || name == FIRM_BLANK) {
        command_refuse(engine, command, ENGINE_REFUSAL_INVALID);
        return;
    }
    if (!switch_set(engine, name, DISABLED_BY_OPERATOR, act->flag != 0)) {
        command_refuse(engine, command, ENGINE_REFUSAL_FULL);
        return;
    }
    uint8_t kind = act->flag != 0 ? EVENT_ENTRY_DISABLED : EVENT_ENTRY_ENABLED;
    struct event *event = event_begin(engine, (struct event_header){.kind = kind});
    event_reserve(event, EVENT_PAYLOAD);
    memcpy(event->mass.firm, act->firm, FIRM_BYTES);
}

/* ---- limits -------------------------------------------------------------------------------------------------------
 */

static void told_limits(struct engine *engine, const struct firm *firm)
{
    struct event *event = event_begin(engine, (struct event_header){.kind = EVENT_LIMITS_CHANGED});
    event_reserve(event, EVENT_PAYLOAD);
    memcpy(event->admin.firm, &firm->name, FIRM_BYTES);
    event->admin.quantity_max = firm->quantity_max;
    event->admin.notional_max = firm->notional_max;
}

void firm_limits(struct engine *engine, const struct command *command)
{
    const struct command_admin *admin = &command->admin;
    uint32_t name;
    memcpy(&name, admin->firm, sizeof(name));
    if (name == 0 || name == FIRM_BLANK || admin->quantity_max > QUANTITY_MAX) {
        command_refuse(engine, command, ENGINE_REFUSAL_INVALID);
        return;
    }
    const struct firm *known = firm_find(engine, name);
    bool is_so = (known != NULL ? known->quantity_max : 0) == admin->quantity_max &&
                 (known != NULL ? known->notional_max : 0) == admin->notional_max;
    if (is_so && if_needed(command))
        return;
    struct firm *firm = firm_take(engine, name);
    if (firm == NULL) {
        command_refuse(engine, command, ENGINE_REFUSAL_FULL);
        return;
    }
    firm_hashed(engine, firm, UINT64_MAX);
    firm->quantity_max = admin->quantity_max;
    firm->notional_max = admin->notional_max;
    firm_hashed(engine, firm, 1);
    told_limits(engine, firm);
}
