/*
 * Broken trades. The last trades_max trades of the day are kept for it.
 */
#ifndef RINGSIDE_ENGINE_BREAKS_H
#define RINGSIDE_ENGINE_BREAKS_H

#include "state.h"

void trade_break(struct engine *engine, const struct command *command);

#endif
