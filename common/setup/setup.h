/*
 * What the configuration asks of the exchange, as commands: the sequencer publishes them when a run begins, as gateway
 * 0; ringside-admin when the configuration is read again, as an operator. Either way the engine passes over what is so
 * already (docs/engine.md, "if needed").
 */
#ifndef RINGSIDE_SETUP_H
#define RINGSIDE_SETUP_H

#include "config/config.h"
#include "record/command.h"

#include <stdint.h>

/* Instruments, then firms. */
uint64_t setup_count(const struct config *config);

/* Command index (from 0): kind and payload, and the name of the configuration for that of an operator. */
void setup_command(const struct config *config, uint64_t index, struct command *command);

#endif
