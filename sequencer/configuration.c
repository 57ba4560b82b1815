#include "configuration.h"

#include "base/require.h"
#include "base/units.h"

#include <string.h>
#include <time.h>

uint64_t configuration_count(const struct config *config)
{
    return 1 + (uint64_t)config->instrument_count;
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

static void instrument_add(const struct config_instrument *instrument, struct command *command)
{
    static const char operator_name[] = "configuration";
    command->kind = COMMAND_INSTRUMENT_ADD;
    memcpy(command->admin.symbol, instrument->symbol, sizeof(command->admin.symbol));
    command->admin.tick_ticks = instrument->tick_ticks;
    command->admin.lot_quantity = instrument->lot_quantity;
    command->admin.reference_ticks = instrument->reference_ticks;
    memcpy(command->admin.operator_name, operator_name, sizeof(operator_name));
}

void configuration_command(const struct config *config, uint64_t inbound_seq, uint64_t time_ns, struct command *command)
{
    REQUIRE(inbound_seq >= 1 && inbound_seq <= configuration_count(config));
    memset(command, 0, sizeof(*command));
    command->inbound_seq = inbound_seq;
    if (inbound_seq == 1)
        day_start(time_ns, command);
    else
        instrument_add(&config->instruments[inbound_seq - 2], command);
}
