/*
 * What an operator asks for, whatever it is, ends with one event that says who asked and what came of it:
 * OPERATOR_ACTED. It comes when nothing else is left of the command but the CHECKPOINT, so whoever sees it has seen
 * everything.
 */
#ifndef RINGSIDE_ENGINE_OPERATORS_H
#define RINGSIDE_ENGINE_OPERATORS_H

#include "state.h"

/* A command of an operator begins. */
void operator_asks(struct engine *engine, const struct command *command);

/* It has been refused. Nothing for a command of somebody else. */
void operator_refused(struct engine *engine, enum engine_refusal why);

/* It is about this instrument. */
void operator_means(struct engine *engine, uint32_t instrument);

/* OPERATOR_ACTED, unless the step is full. */
void operator_told(struct engine *engine);

/* The configuration, and an operator who says so, pass over what is so already. */
static inline bool if_needed(const struct command *command)
{
    return command->gateway == 0 || (command->flags & COMMAND_IF_NEEDED) != 0;
}

#endif
