/*
 * The sequencer: merges the inbound rings of all gateways, and the configuration, into one order of commands.
 *
 *   configuration (gateway 0) --+
 *   inbound-1 ------------------+--> number, time --> command
 *   inbound-2 ------------------+
 *   inbound-admin --------------+      (of operators)
 *
 * Rules
 *   1. A command's number is its sequence in the command ring. Its time is CLOCK_REALTIME, but never before the time of
 *      the command before it.
 *   2. Sources are served in turn, a bounded number of records each, so none starves another.
 *   3. What is published is released in the same poll, and a poll publishes at most half a command ring. So of each
 *      source either its cursor or a record still in the command ring tells its place (resume.h).
 *   4. It keeps nothing of its own: killed at any instruction, it goes on exactly where it was.
 *   5. A record that its gateway could not have written stops it (ERROR_CORRUPT): the ring can no longer be trusted.
 *
 * It touches the rings of the run and the clock; no file, no socket.
 */
#ifndef RINGSIDE_SEQUENCER_H
#define RINGSIDE_SEQUENCER_H

#include "stage/stage.h"

extern const struct stage_definition sequencer_stage;

#endif
