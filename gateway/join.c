/*
 * From nothing to work: joining the run, the inbound ring, the event ring, and the events there have been.
 *
 * Each step that has to wait for another stage is tried again at the next poll. The first command of this life of the
 * gateway is TENURE_BEGINS, which ends the sessions of the life before; the port opens when the events have been gone
 * through, so that nobody is answered from half the knowledge.
 */
#include "gateway_state.h"

#include "log/log.h"
#include "record/event.h"
#include "run/run.h"
#include "topology/topology.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_PER_POLL 8192u

/* So near to the newest event counts as caught up: under load there is always another one. */
#define LAG_CAUGHT_UP 1024u

/*
 * The ring of this run, made if it is not there. One that is there without its magic is what a life of this gateway
 * left that ended while making it: nobody can have attached, so it is made again.
 */
static int inbound_ring_open(struct gateway *gateway, struct error *error)
{
    char name[32];
    char path[RUN_PATH_BYTES];
    snprintf(name, sizeof(name), "inbound-%u", gateway->gateway);
    run_ring_path(gateway->run, name, path);
    struct ring_parameters parameters = {.name = name};
    run_ring_parameters(gateway->run, name, &parameters);
    parameters.record_hash = command_layout_hash();
    int code = ring_attach(&gateway->inbound_ring, path, true, &parameters, error);
    if (code != ERROR_NOT_YET)
        return code;
    (void)unlink(path);
    parameters.capacity = (uint32_t)gateway->config->rings_inbound_slots;
    parameters.base_seq = 1;
    parameters.gating_count = 1;
    parameters.gating_names[0] = LINE_SEQUENCER;
    return ring_create(&gateway->inbound_ring, path, &parameters, error);
}

static int run_take_up(struct gateway *gateway, struct error *error)
{
    int code = run_join(gateway->run, error);
    if (code < 0)
        return code == ERROR_NOT_YET ? 0 : code;
    code = inbound_ring_open(gateway, error);
    if (code < 0)
        return code;
    uint32_t doorbell = topology_doorbell(PROCESS_GATEWAY, gateway->gateway);
    code = ring_producer_open(&gateway->producer, &gateway->inbound_ring, doorbell, error);
    if (code < 0)
        return code;
    gateway->tenure = atomic_load_explicit(&gateway->inbound_ring.file->producer.epoch, memory_order_relaxed);
    gateway->phase = GATEWAY_ATTACHING;
    return 1;
}

static int events_attach(struct gateway *gateway, struct error *error)
{
    char path[RUN_PATH_BYTES];
    run_ring_path(gateway->run, RING_NAME_EVENT, path);
    struct ring_parameters parameters = {.name = RING_NAME_EVENT};
    run_ring_parameters(gateway->run, RING_NAME_EVENT, &parameters);
    parameters.record_hash = event_layout_hash();
    int code = ring_attach(&gateway->event_ring, path, false, &parameters, error);
    if (code < 0)
        return code == ERROR_NOT_YET ? 0 : code;
    if (!gateway->log)
        code = behind_open(gateway, error);
    if (code >= 0) {
        uint64_t end = atomic_load_explicit(&gateway->event_ring.file->producer.cursor, memory_order_acquire);
        uint64_t first = follow_begin(gateway, end);
        code = event_follower_open(&gateway->follower, &gateway->event_ring, gateway->config->events_directory, first,
                                   error);
    }
    if (code == 0) { /* of earlier days, sessions and instruments are enough */
        event_follower_archive(&gateway->follower, NULL, UINT64_MAX);
        gateway->follower_open = true;
    }
    if (code < 0) {
        ring_detach(&gateway->event_ring);
        return code == ERROR_NOT_YET ? 0 : code;
    }
    gateway->phase = GATEWAY_CATCHING_UP;
    return 1;
}

static int catch_up(struct gateway *gateway, uint64_t now_ns, struct error *error)
{
    int count = follow_poll(gateway, EVENTS_PER_POLL, now_ns, error);
    if (count < 0 || event_follower_lag(&gateway->follower) > LAG_CAUGHT_UP)
        return count;
    int code = network_listen(gateway, error);
    if (code < 0)
        return code;
    gateway->phase = GATEWAY_AT_WORK;
    return 1;
}

static void announce(struct gateway *gateway)
{
    if (gateway->tenure_announced || !inbound_claim(gateway, COMMAND_TENURE_BEGINS))
        return;
    inbound_publish(gateway);
    inbound_flush(gateway);
    gateway->tenure_announced = true;
}

int join_poll(struct gateway *gateway, uint64_t now_ns, struct error *error)
{
    if (gateway->phase == GATEWAY_JOINING)
        return run_take_up(gateway, error);
    announce(gateway);
    if (gateway->phase == GATEWAY_ATTACHING)
        return events_attach(gateway, error);
    return gateway->tenure_announced ? catch_up(gateway, now_ns, error) : 0;
}

void join_close(struct gateway *gateway)
{
    if (gateway->follower_open)
        event_follower_close(&gateway->follower);
    ring_detach(&gateway->event_ring);
    ring_detach(&gateway->inbound_ring);
}
