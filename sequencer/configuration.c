#include "configuration.h"

#include "base/require.h"
#include "base/units.h"
#include "setup/setup.h"

#include <string.h>
#include <time.h>

uint64_t configuration_count(const struct config *config)
{
    return 1 + setup_count(config);
}

uint32_t configuration_date(uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
    struct tm broken;
    REQUIRE(gmtime_r(&seconds, &broken));
    return (uint32_t)((broken.tm_year + 1900) * 10000 + (broken.tm_mon + 1) * 100 + broken.tm_mday);
}

static void day_start(uint64_t time_ns, struct command *command)
{
    command->kind = COMMAND_DAY_START;
    command->day.date = configuration_date(time_ns);
    command->day.midnight_ns = time_ns - time_ns % NS_PER_DAY;
}

void configuration_command(const struct config *config, uint64_t inbound_seq, uint64_t time_ns, struct command *command)
{
    REQUIRE(inbound_seq >= 1 && inbound_seq <= configuration_count(config));
    memset(command, 0, sizeof(*command));
    command->inbound_seq = inbound_seq;
    if (inbound_seq == 1)
        day_start(time_ns, command);
    else
        setup_command(config, inbound_seq - 2, command);
}
