/*
 * The gateway: clients on one side, the inbound ring and the events on the other.
 *
 * Rules
 *   1. A Sequenced Data packet is made from one event and nothing else. What the gateway keeps of a session's stream is
 *      an index that any gateway can make again from the events.
 *   2. A login is accepted when the engine says so. The engine owns sessions, their message numbers and their
 *      UserRefNums; the gateway knows passwords, instruments and which connection serves which session.
 *   3. It never waits for anybody. A full inbound ring stops the reading of sockets, not the reading of events; a
 * client that does not read is left behind and served from the index and the event log when it does.
 *   4. Not listening before it has caught up with all events there are.
 */
#ifndef RINGSIDE_GATEWAY_GATEWAY_H
#define RINGSIDE_GATEWAY_GATEWAY_H

#include "stage/stage.h"

extern const struct stage_definition gateway_stage;

#endif
