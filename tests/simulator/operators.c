#include "operators.h"

#include "admin_state.h"
#include "base/require.h"
#include "outside.h"
#include "random.h"
#include "witness.h"

#include <string.h>

#define WANTED_MAX   64
#define OPERATOR_ID  7u
#define ASK_AGAIN_NS ((uint64_t)20000000)
#define CLIENT       0u

static struct {
    struct wanted {
        struct command command;
        uint8_t run_id[16]; /* in which it was asked for last */
        uint32_t done_most; /* times that it may be done: as many as runs in which it was asked for */
        bool answered;
    } wanted[WANTED_MAX];
    uint32_t count, at;          /* asked for; the one that waits for its answer */
    const struct process *asked; /* whom; NULL: nobody */
    uint64_t asked_ns;
} operators;

void operators_begin(void)
{
    memset(&operators, 0, sizeof(operators));
}

void operators_want(const struct command *command)
{
    REQUIRE(operators.count < WANTED_MAX);
    struct wanted *wanted = &operators.wanted[operators.count++];
    *wanted = (struct wanted){.command = *command};
    wanted->command.user_ref = operators.count;
}

void operators_meddle(uint32_t per_million)
{
    static const uint8_t states[] = {'H', 'O', 'O', 'P'};
    struct command command = {.kind = COMMAND_MARKET_STATE};
    if (!random_chance(per_million) || operators.count + 8 > WANTED_MAX)
        return;
    if (random_below(2) == 0) {
        command.kind = COMMAND_TRADE_BREAK;
        command.trade.match_number = 1 + random_below(20);
        command.trade.reason = 'E';
    } else {
        command.admin.instrument = (uint32_t)random_below(3);
        command.admin.market_state = states[random_below(sizeof(states))];
    }
    operators_want(&command);
}

void operators_forget(const struct process *process)
{
    if (operators.asked == process)
        operators.asked = NULL;
}

bool operators_settled(void)
{
    return operators.at == operators.count;
}

void operators_check(void)
{
    uint32_t done[WANTED_MAX] = {0};
    const struct event *event;
    for (uint64_t seq = 1; (event = witness_event(seq)) != NULL; seq++) {
        if (event->kind != EVENT_OPERATOR_ACTED || event->acted.operator_id != OPERATOR_ID)
            continue;
        if (event->user_ref == 0 || event->user_ref > operators.count)
            violation("event %llu answers request %u, which no operator made", (unsigned long long)seq,
                      event->user_ref);
        if (++done[event->user_ref - 1] > operators.wanted[event->user_ref - 1].done_most)
            violation("what an operator asked for under number %u was done %u times", event->user_ref,
                      done[event->user_ref - 1]);
    }
    for (uint32_t i = 0; i < operators.count; i++)
        if (done[i] == 0)
            violation("what an operator asked for under number %u was answered, but never done", i + 1);
}

/* ---- the socket of ringside-admin ---------------------------------------------------------------------------------
 */

int admin_peer_group_find(const char *name, int64_t *ret_group, struct error *error)
{
    (void)name;
    (void)error;
    *ret_group = -1;
    return 0;
}

int admin_socket_open(struct admin *admin, struct error *error)
{
    (void)error;
    admin->clients[CLIENT] = (struct admin_client){.fd = 0, .uid = OPERATOR_ID, .may = true, .name = "root"};
    return 0;
}

void admin_socket_close(struct admin *admin)
{
    (void)admin;
}

int admin_socket_poll(struct admin *admin)
{
    process_kill_point("admin: look");
    bool waits = operators.asked == process_current && outside.now_ns < operators.asked_ns + ASK_AGAIN_NS;
    if (operators.at == operators.count || waits)
        return 0;
    struct wanted *wanted = &operators.wanted[operators.at];
    if (wanted->done_most == 0 || memcmp(wanted->run_id, admin->run->run_id, sizeof(wanted->run_id)) != 0)
        wanted->done_most++;
    memcpy(wanted->run_id, admin->run->run_id, sizeof(wanted->run_id));
    operators.asked = process_current;
    operators.asked_ns = outside.now_ns;
    admin->clients[CLIENT].waits = true;
    TRACE("an operator asks for %s under number %u", command_kind_name(wanted->command.kind), operators.at + 1);
    admin_request_take(admin, CLIENT, &wanted->command);
    process_kill_point("admin: asked");
    return 1;
}

void admin_socket_reply(struct admin *admin, uint32_t client, const struct admin_reply *reply)
{
    process_kill_point("admin: reply");
    if (client == ADMIN_NOBODY)
        return;
    admin->clients[CLIENT].waits = false;
    if (reply->status == ADMIN_INVALID || reply->status == ADMIN_DENIED)
        violation("an operator is refused: %s", reply->text);
    if (reply->status != ADMIN_ANSWERED) { /* asks again */
        operators.asked_ns = 0;
        return;
    }
    if (reply->acted.user_ref > operators.at + 1)
        violation("an operator gets the answer to request %u before that to %u", reply->acted.user_ref,
                  operators.at + 1);
    if (reply->acted.user_ref != operators.at + 1)
        return; /* of one that was asked for twice */
    TRACE("an operator's request %u is answered: %u", operators.at + 1, reply->acted.acted.why);
    operators.wanted[operators.at++].answered = true;
    operators.asked = NULL;
}

void admin_socket_reply_text(struct admin *admin, uint32_t client, enum admin_status status, const char *text)
{
    struct admin_reply reply = {.status = status};
    strncpy(reply.text, text, sizeof(reply.text) - 1);
    admin_socket_reply(admin, client, &reply);
}
