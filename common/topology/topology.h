/*
 * The topology: every process, every ring, its producer and its gating consumers, in one table each. Stages, the
 * simulator, `ringside status`, the units and the picture in the docs are made from it.
 *
 * Gateways are numbered from 1; gateway g has the process index TOPOLOGY_GATEWAY_FIRST + g - 1 and the ring
 * "inbound-g". ringside-admin comes behind all gateways there may be. An exchange runs without it.
 */
#ifndef RINGSIDE_TOPOLOGY_H
#define RINGSIDE_TOPOLOGY_H

#include <stdint.h>

enum process_kind {
    PROCESS_JOURNALER = 0,
    PROCESS_SEQUENCER = 1,
    PROCESS_MATCHER = 2,
    PROCESS_PERSISTER = 3,
    PROCESS_GATEWAY = 4,
    PROCESS_ADMIN = 5,
    PROCESS_KIND_COUNT = 6,
};

#define TOPOLOGY_GATEWAYS_MAX  8
#define TOPOLOGY_GATEWAY_FIRST 4 /* index of gateway 1 among the processes, hence of its doorbell */
#define TOPOLOGY_ADMIN         (TOPOLOGY_GATEWAY_FIRST + TOPOLOGY_GATEWAYS_MAX) /* index of ringside-admin */
#define TOPOLOGY_PROCESSES_MAX (TOPOLOGY_ADMIN + 1)

/* Inbound rings: those of the gateways, and behind them that of ringside-admin, which there need not be. */
#define TOPOLOGY_SOURCES_MAX (TOPOLOGY_GATEWAYS_MAX + 1)

/* Names of the gating lines, used in ring_consumer_open. */
#define LINE_SEQUENCER "sequencer"
#define LINE_JOURNALER "journaler"
#define LINE_MATCHER   "matcher"
#define LINE_EVENT_LOG "event-log"

#define RING_NAME_COMMAND "command"
#define RING_NAME_EVENT   "event"
#define RING_NAME_ADMIN   "inbound-admin"
/* inbound rings: "inbound-1" ... */

/* What the status of a line means: bits of the event ring's producer, and of the journaler's in the command ring. */
#define EVENT_RING_TIMER_ARMED UINT64_C(1) /* an order is to end by the clock: the engine wants ticks */
#define JOURNALER_SPACE_LOW    UINT64_C(1) /* the disk is filling up: new orders are to be refused */

/* "journaler", ...; gateways are "gateway". */
const char *topology_process_name(enum process_kind kind);

/* Doorbell index of a process; gateway counts from 1 and is ignored for the others. */
uint32_t topology_doorbell(enum process_kind kind, uint32_t gateway);

/*
 * Whom a process of this kind rings after a batch, as a mask of doorbells, with gateway_count gateways in the run:
 *   gateway    -> sequencer (records)
 *   sequencer  -> journaler (records), gateways (space)
 *   journaler  -> matcher (barrier, space), sequencer (space)
 *   matcher    -> journaler, gateways, persister (events), sequencer (space)
 *   persister  -> nobody
 *   admin      -> sequencer (records); it looks by itself for events and space
 */
uint32_t topology_listeners(enum process_kind kind, uint32_t gateway_count);

/* Hash of the tables with this many gateways; kept in every ring's header. */
uint64_t topology_hash(uint32_t gateway_count);

#endif
