/* What the engine can hold, by the configuration: who replays the journal must have the limits that the matcher had. */
#ifndef RINGSIDE_MATCHER_CONFIG_LIMITS_H
#define RINGSIDE_MATCHER_CONFIG_LIMITS_H

#include "base/error.h"
#include "config/config.h"
#include "ringside_engine.h"

int matcher_limits(struct engine_limits *ret, const struct config *config, struct error *error);

#endif
