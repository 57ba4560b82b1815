#include "config_limits.h"

int matcher_limits(struct engine_limits *ret, const struct config *config, struct error *error)
{
    const struct engine_limits limits = {
        .orders_max = (uint32_t)config->engine_orders_max,
        .instruments_max = (uint32_t)config->engine_instruments_max,
        .sessions_max = (uint32_t)config->engine_sessions_max,
        .levels_max = (uint32_t)config->engine_levels_max,
        .report_tops = 1,
    };
    const char *rule = engine_limits_invalid(&limits);
    if (rule)
        return error_set(error, ERROR_INVALID, "[engine]", "%s", rule);
    *ret = limits;
    return 0;
}
