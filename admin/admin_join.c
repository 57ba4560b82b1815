/*
 * From nothing to work: the run, the ring of its own, the events; and what was asked for before this life and may not
 * have been answered (admin.h, rule 4).
 */
#include "admin_state.h"

#include "log/log.h"
#include "topology/topology.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int ring_take_up(struct admin *admin, struct error *error)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters = {.name = RING_NAME_ADMIN};
    run_ring_path(admin->run, RING_NAME_ADMIN, path);
    run_ring_parameters(admin->run, RING_NAME_ADMIN, &parameters);
    parameters.record_hash = command_layout_hash();
    int code = ring_attach(&admin->ring, path, true, &parameters, error);
    if (code == ERROR_NOT_YET) {
        (void)unlink(path); /* begun by a life that ended in it: nobody can have attached */
        parameters.capacity = ADMIN_RING_SLOTS;
        parameters.base_seq = 1;
        parameters.gating_count = 1;
        parameters.gating_names[0] = LINE_SEQUENCER;
        code = ring_create(&admin->ring, path, &parameters, error);
    }
    if (code == 0)
        code = ring_producer_open(&admin->producer, &admin->ring, topology_doorbell(PROCESS_ADMIN, 0), error);
    if (code == 0)
        admin->tenure = atomic_load_explicit(&admin->ring.file->producer.epoch, memory_order_relaxed);
    return code;
}

_Static_assert(ADMIN_RING_SLOTS / 2 <= ADMIN_PENDING_MAX, "all of the newer half can be waited for");

/* The last requests of the lives before, as they lie in the ring. Returns the event to begin with; 0: there are none.
 */
static uint64_t requests_before(struct admin *admin)
{
    const struct ring_file *file = admin->ring.file;
    uint64_t next = admin->producer.next;
    uint64_t most = file->header.capacity / 2; /* many may be of one reload */
    uint64_t first = next - file->header.base_seq > most ? next - most : file->header.base_seq;
    uint64_t event_seq = 0;
    for (uint64_t seq = first; seq < next; seq++) {
        const struct ring_slot *slot = &file->slots[seq & (file->header.capacity - 1)];
        const struct command *command = (const struct command *)(const void *)slot;
        if (atomic_load_explicit(&slot->word, memory_order_acquire) != seq + 1)
            continue;
        if (event_seq == 0)
            event_seq = command->command_seq;
        admin->pending[admin->pending_end++ & (ADMIN_PENDING_MAX - 1)] =
            (struct admin_pending){.inbound_seq = command->inbound_seq,
                                   .tenure = command->tenure,
                                   .request = command->user_ref,
                                   .uid = command->admin.operator_id,
                                   .client = ADMIN_NOBODY};
    }
    return event_seq;
}

static int events_attach(struct admin *admin, struct error *error)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters = {.name = RING_NAME_EVENT};
    run_ring_path(admin->run, RING_NAME_EVENT, path);
    run_ring_parameters(admin->run, RING_NAME_EVENT, &parameters);
    parameters.record_hash = event_layout_hash();
    int code = ring_attach(&admin->event_ring, path, false, &parameters, error);
    if (code < 0)
        return code == ERROR_NOT_YET ? 0 : code;
    uint64_t begin = requests_before(admin);
    if (begin == 0) /* nobody has asked for anything in this run */
        begin = atomic_load_explicit(&admin->event_ring.file->producer.cursor, memory_order_acquire);
    if (begin < 1)
        begin = 1;
    code = event_follower_open(&admin->follower, &admin->event_ring, admin->config->events_directory, begin, error);
    if (code < 0) {
        ring_detach(&admin->event_ring);
        admin->pending_first = admin->pending_end;
        return code == ERROR_NOT_YET ? 0 : code;
    }
    /* An old request's event may have been trimmed: then it is over, and nobody waits for it. */
    event_follower_archive(&admin->follower, NULL, UINT64_MAX);
    admin->follower_open = true;
    return 1;
}

int admin_join_poll(struct admin *admin, struct error *error)
{
    if (!admin->joined) {
        int code = run_join(admin->run, error);
        if (code == 0)
            code = ring_take_up(admin, error);
        if (code < 0)
            return code == ERROR_NOT_YET ? 0 : code;
        admin->joined = true;
    }
    if (!admin->follower_open)
        return events_attach(admin, error);
    int count = admin_request_follow(admin, error);
    if (count == 0) {
        admin->at_work = true;
        log_info("listening on %s", admin->socket_path);
        return 1;
    }
    return count;
}

void admin_join_close(struct admin *admin)
{
    if (admin->follower_open)
        event_follower_close(&admin->follower);
    ring_detach(&admin->event_ring);
    ring_detach(&admin->ring);
}
