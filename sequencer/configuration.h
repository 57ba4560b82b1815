/*
 * What the configuration asks for, as the commands of gateway 0: the trading day of today, then each instrument
 * and each firm.
 *
 * The source is virtual: command n of it (its inbound_seq, from 1) is made when it is wanted, so the place in it is a
 * number like that in an inbound ring. The engine ignores from gateway 0 what is already so.
 */
#ifndef RINGSIDE_SEQUENCER_CONFIGURATION_H
#define RINGSIDE_SEQUENCER_CONFIGURATION_H

#include "config/config.h"
#include "record/command.h"

#include <stdint.h>

/* How many commands the source has. */
uint64_t configuration_count(const struct config *config);

/* Command inbound_seq of the source, unstamped; time_ns decides which day is today (UTC). */
void configuration_command(const struct config *config, uint64_t inbound_seq, uint64_t time_ns,
                           struct command *command);

/* The calendar date, such as 20261123, of a time in UTC. */
uint32_t configuration_date(uint64_t time_ns);

#endif
