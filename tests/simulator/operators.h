/*
 * Operators, as ringside-admin meets them: these are the functions of its socket (admin_state.h), with a person in
 * front of it who asks for one thing after the other, and asks again under the same number where no answer comes.
 *
 *   - Each request is answered in the end, and done; once in each run in which it was asked for, at most.
 */
#ifndef RINGSIDE_SIMULATOR_OPERATORS_H
#define RINGSIDE_SIMULATOR_OPERATORS_H

#include "process.h"
#include "record/command.h"

#include <stdbool.h>
#include <stdint.h>

void operators_begin(void);

/* Something is wanted: it is asked for when what was wanted before is answered. */
void operators_want(const struct command *command);
/* Now and then somebody halts an instrument, opens it, or breaks a trade. */
void operators_meddle(uint32_t per_million);

/* The process is gone; who waited for an answer asks again. */
void operators_forget(const struct process *process);

bool operators_settled(void);
/* At the end: what was asked for is what was done. */
void operators_check(void);

#endif
