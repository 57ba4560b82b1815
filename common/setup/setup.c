#include "setup/setup.h"

#include "base/require.h"

#include <string.h>

uint64_t setup_count(const struct config *config)
{
    return (uint64_t)config->instrument_count + config->firm_count;
}

static void instrument_add(const struct config_instrument *instrument, struct command *command)
{
    struct command_admin *admin = &command->admin;
    command->kind = COMMAND_INSTRUMENT_ADD;
    memcpy(admin->symbol, instrument->symbol, sizeof(admin->symbol));
    admin->market_state = instrument->market_state;
    admin->tick_ticks = instrument->tick_ticks;
    admin->lot_quantity = instrument->lot_quantity;
    admin->reference_ticks = instrument->reference_ticks;
    admin->collar_ticks = instrument->collar_ticks;
    admin->fat_finger_ticks = instrument->fat_finger_ticks;
    admin->quantity_max = instrument->quantity_max;
    admin->notional_max = instrument->notional_max;
}

static void firm_limits(const struct config_firm *firm, struct command *command)
{
    command->kind = COMMAND_FIRM_LIMITS;
    memcpy(command->admin.firm, firm->firm, sizeof(command->admin.firm));
    command->admin.quantity_max = firm->quantity_max;
    command->admin.notional_max = firm->notional_max;
}

void setup_command(const struct config *config, uint64_t index, struct command *command)
{
    static const char operator_name[] = "configuration";
    REQUIRE(index < setup_count(config));
    if (index < config->instrument_count)
        instrument_add(&config->instruments[index], command);
    else
        firm_limits(&config->firms[index - config->instrument_count], command);
    memcpy(command->admin.operator_name, operator_name, sizeof(operator_name));
}
