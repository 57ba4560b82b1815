/*
 * Drop copies: streams in which one user sees what others are told. A copy is a function of the events of the day and
 * of its definition in the members' settings (`copy_users`, `copy_firms`, `copy_orders`), so any gateway can make it
 * again.
 *
 * Rules
 *   1. What a copy sees: of each watched session, in the order of the events, executions and broken trades; with
 *      copy_orders all other messages too, but for System Event and Account Query Response. Of a trade between two
 *      watched sessions it sees both messages.
 *   2. Its messages are numbered from 1 each day. Their index is kept beside those of the sessions (outbound.h), under
 *      the numbers behind theirs: sessions_max + 1 and so on.
 *   3. Whether a session is watched is decided by its first login of the day, by its user and its firm, until the day
 *      ends; so what a copy has seen does not depend on when it looks.
 *   4. Definitions are those at the start of the gateway. Other ones would give a stream other numbers, so they are not
 *      changed while it runs.
 *
 * Allocates at open only.
 */
#ifndef RINGSIDE_GATEWAY_COPIES_H
#define RINGSIDE_GATEWAY_COPIES_H

#include "members.h"
#include "record/event.h"
#include "session_encode.h"

#include <stdbool.h>
#include <stdint.h>

#define COPIES_MAX 64u

struct copy {
    char user[USER_BYTES]; /* whose stream it is */
    uint32_t name_first;   /* whom it watches */
    uint32_t name_count;
};

struct copied_session {
    uint64_t copies; /* that watch it today: bits 1 << copy */
    char user[USER_BYTES];
    uint64_t since; /* event that decided it for today: what is told after it is seen; 0: none yet */
};

struct copies {
    struct copy all[COPIES_MAX];
    uint32_t count;
    uint32_t sessions_max;
    uint64_t with_orders; /* bits 1 << copy */
    struct member_name *names;
    struct copied_session *sessions; /* by number */
};

int copies_open(struct copies *copies, const struct members *members, uint32_t sessions_max, struct error *error);
void copies_close(struct copies *copies);

/* The stream of this user's copy, a number of the index; 0: he has none. */
uint32_t copies_stream(const struct copies *copies, const char user[USER_BYTES]);

/* Events: a day begins; a login is accepted. */
void copies_day(struct copies *copies);
void copies_login(struct copies *copies, const struct event *event);

/* The copies that see a message of this session made from this event: bits 1 << copy. */
uint64_t copies_of(const struct copies *copies, uint32_t session, const struct event *event);

/* The messages of an event that a stream sees, in order. Returns how many, at most 2. */
uint32_t copies_seen(const struct copies *copies, uint32_t stream, const struct event *event,
                     enum session_side ret_sides[2]);

/* Whether an index number is that of a copy's stream. */
static inline bool copies_is_stream(const struct copies *copies, uint32_t stream)
{
    return stream > copies->sessions_max;
}

/* The session whose message a side of an event is. */
static inline uint32_t copies_session(const struct event *event, enum session_side side)
{
    return side == SESSION_MAKER ? event->trade.maker_session : event->session;
}

/* The sides of an event that are messages, in the order of their numbers. Returns how many, at most 2. */
uint32_t event_sides(const struct event *event, enum session_side ret_sides[2]);

#endif
