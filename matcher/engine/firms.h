/*
 * Firms that are restricted: disabled by their own kill switch or the operator's, or limited by the operator. Others
 * are not kept.
 */
#ifndef RINGSIDE_ENGINE_FIRMS_H
#define RINGSIDE_ENGINE_FIRMS_H

#include "names.h"
#include "state.h"

/* NULL: it is not restricted, and never was. */
static inline const struct firm *firm_find(const struct engine *engine, uint32_t name)
{
    uint32_t place = name_home(name) & engine->firms_mask;
    if (LIKELY(engine->firm_count == 0))
        return NULL;
    for (; engine->firms[place].name != 0; place = (place + 1) & engine->firms_mask) {
        if (engine->firms[place].name == name)
            return &engine->firms[place];
    }
    return NULL;
}

/* DISABLE, ENABLE; FIRM_SWITCH, FIRM_LIMITS. */
void request_switch(struct engine *engine, const struct command *command);
void firm_switch(struct engine *engine, const struct command *command);
void firm_limits(struct engine *engine, const struct command *command);

#endif
