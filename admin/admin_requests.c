/*
 * Requests become commands, events become replies. Answers come in the order in which the commands were published, so
 * those that are not answered are a queue.
 */
#include "admin_state.h"

#include "env/clock.h"
#include "log/log.h"

#include <stdio.h>
#include <string.h>

/* ---- requests ---- */

/* Who asked and from where: the part of the record that no client can write. */
static void sign(const struct admin *admin, struct command *command, uint32_t uid, const char *name)
{
    memset(&command->head, 0, sizeof(command->head));
    command->command_seq = 0;
    command->time_ns = 0;
    command->inbound_seq = admin->producer.next;
    command->tenure = admin->tenure;
    command->gateway = OPERATOR_GATEWAY;
    command->shard = 0;
    command->session = 0;
    command->flags &= COMMAND_IF_NEEDED;
    command->admin.operator_id = uid;
    memset(command->admin.operator_name, 0, OPERATOR_NAME_BYTES);
    memcpy(command->admin.operator_name, name, strnlen(name, OPERATOR_NAME_BYTES));
}

bool admin_request_publish(struct admin *admin, const struct command *asked, uint32_t uid, const char *name,
                           uint32_t client, bool of_reload)
{
    struct command command = *asked;
    if (admin->pending_end - admin->pending_first == ADMIN_PENDING_MAX)
        return false;
    struct command *slot = ring_claim(&admin->producer);
    if (!slot)
        return false;
    sign(admin, &command, uid, name);
    memcpy((uint8_t *)slot + RECORD_HEAD_BYTES, (const uint8_t *)&command + RECORD_HEAD_BYTES, RECORD_BODY_BYTES);
    uint32_t now_ns_low = (uint32_t)clock_monotonic_ns();
    slot->head.received_ns_low = slot->head.published_ns_low = now_ns_low;
    slot->command_seq =
        admin->follower.next; /* where to look after a restart; the sequencer's number takes its place */
    admin->pending[admin->pending_end++ & (ADMIN_PENDING_MAX - 1)] =
        (struct admin_pending){.inbound_seq = command.inbound_seq,
                               .tenure = command.tenure,
                               .request = command.user_ref,
                               .uid = uid,
                               .client = client,
                               .of_reload = of_reload};
    ring_publish(&admin->producer);
    ring_flush(&admin->producer);
    run_ring_listeners(admin->run);
    admin->request_count++;
    return true;
}

static const struct admin_reply *remembered(const struct admin *admin, uint32_t uid, uint32_t request)
{
    for (uint32_t i = 0; i < ADMIN_REMEMBERED && i < admin->outcome_count; i++) {
        const struct event *acted = &admin->outcomes[i].acted;
        if (acted->acted.operator_id == uid && acted->user_ref == request)
            return &admin->outcomes[i];
    }
    return NULL;
}

static struct admin_pending *under_way(struct admin *admin, uint32_t uid, uint32_t request)
{
    for (uint64_t at = admin->pending_first; at != admin->pending_end; at++) {
        struct admin_pending *pending = &admin->pending[at & (ADMIN_PENDING_MAX - 1)];
        if (pending->uid == uid && pending->request == request)
            return pending;
    }
    return NULL;
}

/* A rule that it breaks, or NULL. */
static const char *request_invalid(const struct admin *admin, const struct command *asked, uint32_t uid,
                                   const char *name)
{
    struct command command = *asked;
    sign(admin, &command, uid, name);
    const char *rule = command_invalid(&command);
    return !rule && asked->user_ref == 0 ? "a request has a number" : rule;
}

void admin_request_take(struct admin *admin, uint32_t client, const struct command *asked)
{
    uint32_t uid = admin->clients[client].uid;
    const char *name = admin->clients[client].name;
    const char *rule = request_invalid(admin, asked, uid, name);
    if (rule) {
        admin_socket_reply_text(admin, client, ADMIN_INVALID, rule);
        return;
    }
    const struct admin_reply *known = remembered(admin, uid, asked->user_ref);
    struct admin_pending *pending = known ? NULL : under_way(admin, uid, asked->user_ref);
    if (known)
        admin_socket_reply(admin, client, known);
    else if (pending)
        pending->client = client;
    else if (!admin_request_publish(admin, asked, uid, name, client, false))
        admin_socket_reply_text(admin, client, ADMIN_BUSY, "the exchange is behind with what operators asked for");
}

/* ---- events ---- */

static void log_outcome(const struct admin_reply *outcome)
{
    char fields[192];
    const struct event_acted *acted = &outcome->acted.acted;
    snprintf(fields, sizeof(fields), "operator=%.*s uid=%u kind=%s why=%u event_seq=%llu", OPERATOR_NAME_BYTES,
             acted->operator_name, acted->operator_id, command_kind_name(acted->kind), acted->why,
             (unsigned long long)outcome->acted.event_seq);
    log_line(LOG_LEVEL_INFO, fields, acted->why == 0 ? "an operator acted" : "an operator was refused");
}

/*
 * Tenures and numbers of requests are counted anew in each run. So what came of a request of an earlier run, which
 * comes late when the matcher makes its events again, may have higher numbers than one that waits now, and answers
 * nobody.
 */
static void answer(struct admin *admin, const struct admin_reply *outcome)
{
    const struct event_acted *acted = &outcome->acted.acted;
    if (outcome->acted.command_seq < admin->run->base.command_seq_next)
        return;
    while (admin->pending_first != admin->pending_end) {
        struct admin_pending pending = admin->pending[admin->pending_first & (ADMIN_PENDING_MAX - 1)];
        bool later = pending.tenure > acted->tenure || pending.inbound_seq > acted->inbound_seq;
        if (later)
            return;
        admin->pending_first++;
        bool is_it = pending.inbound_seq == acted->inbound_seq && pending.tenure == acted->tenure;
        if (is_it && pending.of_reload)
            admin_reload_answered(admin, outcome);
        else if (is_it)
            admin_socket_reply(admin, pending.client, outcome);
        else
            admin_socket_reply_text(admin, pending.client, ADMIN_FAILED,
                                    "the request was lost with the run that it was for");
    }
}

static bool tells_a_change(uint8_t kind)
{
    return (kind >= EVENT_DAY_STARTED && kind <= EVENT_LIMITS_CHANGED) || kind == EVENT_BROKEN ||
           kind == EVENT_SESSION_CLOSED || kind == EVENT_ENTRY_DISABLED || kind == EVENT_ENTRY_ENABLED;
}

static void take_event(struct admin *admin, const struct event *event)
{
    if (event->command_seq != admin->current_seq) {
        memset(&admin->current, 0, sizeof(admin->current));
        admin->current_seq = event->command_seq;
    }
    admin->current.canceled += event->kind == EVENT_CANCELED;
    admin->current.trades += event->kind == EVENT_EXECUTED;
    if (tells_a_change(event->kind))
        admin->current.told = *event;
    if (event->kind != EVENT_OPERATOR_ACTED)
        return;
    admin->current.acted = *event;
    if (event->user_ref != 0) /* those of a reload have no number, and nobody asks for one again */
        admin->outcomes[admin->outcome_count++ % ADMIN_REMEMBERED] = admin->current;
    admin->refused_count += event->acted.why != 0;
    if (admin->at_work)
        log_outcome(&admin->current);
    answer(admin, &admin->current);
}

int admin_request_follow(struct admin *admin, struct error *error)
{
    int count = event_follower_next(&admin->follower, admin->events, ADMIN_EVENTS, error);
    for (int i = 0; i < count; i++)
        take_event(admin, &admin->events[i]);
    return count;
}
