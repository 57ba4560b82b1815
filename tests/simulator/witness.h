/*
 * The witness: sees what is acknowledged, and knows from then on what must be true for ever.
 *
 *   - A command that the journaler's cursor has passed is acknowledged. It is written down here once, and every later
 *     history (the journal, a recovered ring) must have the same command in the same place.
 *   - An engine of the witness's own makes the events of those commands. Every event in the event ring or in the event
 *     log must be one of them; one that is not there yet was told before it was durable.
 *   - The messages that those events are to each user, in their order, are what clients may be told.
 */
#ifndef RINGSIDE_SIMULATOR_WITNESS_H
#define RINGSIDE_SIMULATOR_WITNESS_H

#include "config/config.h"
#include "record/event.h"

#include <stdbool.h>
#include <stdint.h>

#define WITNESS_USERS_MAX 16

/* failed: a journal or event log that says it is damaged may be right. lied: the disk has lost what it had taken. */
void witness_excuse(bool failed, bool lied);

void witness_begin(const struct config *config);
void witness_end(void);

/* Looks at the rings of the run that is there. After each step. */
void witness_look(void);

/* The rings are others from now on. */
void witness_forget_rings(void);

/*
 * Reads the journal on disk: all that was acknowledged must be in it. `adopt`: what more is in it counts as
 * acknowledged from now on, since a run begins behind it.
 */
void witness_read_journal(bool adopt);

/* Before the journaler opens: which commands the event log knows of. */
void witness_look_at_log(void);

/* At the end: the event log holds every event and nothing else; the live engine is where the witness's is. */
void witness_check_events(void);

/* How many messages user number `user` (from 0) has, and the packet of one (from 1). */
uint32_t witness_message_count(const char user[USER_BYTES]);
const uint8_t *witness_message(const char user[USER_BYTES], uint32_t message_no, uint32_t *ret_bytes);

uint64_t witness_command_count(void);
uint64_t witness_event_count(void);
/* The first event that is still in the event log or its archive: all from it on are; 1 or more. */
uint64_t witness_events_from(void);
/* An event that what is acknowledged makes; NULL: it makes none of that number. */
const struct event *witness_event(uint64_t seq);

/* Whether everything published has been through every stage. */
bool witness_drained(void);

#endif
