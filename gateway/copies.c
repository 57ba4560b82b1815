#include "copies.h"

#include "base/require.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy_add(struct copies *copies, const struct members *members, const struct member *member,
                    struct error *error)
{
    if (copies->count == COPIES_MAX)
        return error_set(error, ERROR_FULL, "gateway.members", "more than %u users have drop copies", COPIES_MAX);
    struct copy *copy = &copies->all[copies->count];
    memcpy(copy->user, member->user, USER_BYTES);
    copy->name_first = member->copied.first;
    copy->name_count = member->copied.count;
    REQUIRE(copy->name_first + copy->name_count <= members->copied_count);
    copies->with_orders |= (uint64_t)member->copies_orders << copies->count;
    copies->count++;
    return 0;
}

int copies_open(struct copies *copies, const struct members *members, uint32_t sessions_max, struct error *error)
{
    memset(copies, 0, sizeof(*copies));
    copies->sessions_max = sessions_max;
    int code = 0;
    for (uint32_t i = 0; i < members->count && code == 0; i++) {
        if (members->users[i].copied.count > 0)
            code = copy_add(copies, members, &members->users[i], error);
    }
    if (code < 0 || copies->count == 0)
        return code;
    copies->names = calloc(members->copied_count, sizeof(*copies->names));
    copies->sessions = calloc((size_t)sessions_max + 1, sizeof(*copies->sessions));
    if (!copies->names || !copies->sessions) {
        copies_close(copies);
        return error_system(error, ENOMEM, "gateway.members", "no memory for drop copies");
    }
    memcpy(copies->names, members->copied, members->copied_count * sizeof(*copies->names));
    return 0;
}

void copies_close(struct copies *copies)
{
    if (!copies)
        return;
    free(copies->names);
    free(copies->sessions);
    memset(copies, 0, sizeof(*copies));
}

uint32_t copies_stream(const struct copies *copies, const char user[USER_BYTES])
{
    for (uint32_t i = 0; i < copies->count; i++) {
        if (memcmp(copies->all[i].user, user, USER_BYTES) == 0)
            return copies->sessions_max + 1 + i;
    }
    return 0;
}

/* ---- events ---- */

void copies_day(struct copies *copies)
{
    if (copies->sessions)
        memset(copies->sessions, 0, ((size_t)copies->sessions_max + 1) * sizeof(*copies->sessions));
}

static bool watches(const struct copies *copies, const struct copy *copy, const struct event_session *login)
{
    for (uint32_t i = 0; i < copy->name_count; i++) {
        const struct member_name *name = &copies->names[copy->name_first + i];
        const char *own = name->is_firm ? login->firm : login->user;
        if (memcmp(name->name, own, name->is_firm ? FIRM_BYTES : USER_BYTES) == 0)
            return true;
    }
    return false;
}

void copies_login(struct copies *copies, const struct event *event)
{
    if (copies->count == 0 || event->session == 0 || event->session > copies->sessions_max)
        return;
    struct copied_session *self = &copies->sessions[event->session];
    if (self->since != 0)
        return;
    self->since = event->event_seq;
    memcpy(self->user, event->login.user, USER_BYTES);
    for (uint32_t i = 0; i < copies->count; i++) {
        if (watches(copies, &copies->all[i], &event->login))
            self->copies |= UINT64_C(1) << i;
    }
}

uint64_t copies_of(const struct copies *copies, uint32_t session, const struct event *event)
{
    const struct copied_session *self = &copies->sessions[session];
    uint64_t watching = event->event_seq > self->since ? self->copies : 0;
    if (event->kind == EVENT_EXECUTED || event->kind == EVENT_BROKEN)
        return watching;
    if (event->kind == EVENT_SYSTEM_EVENT || event->kind == EVENT_ACCOUNT_ANSWER)
        return 0;
    return watching & copies->with_orders;
}

uint32_t event_sides(const struct event *event, enum session_side ret_sides[2])
{
    uint32_t count = 0;
    bool is_trade = event->kind == EVENT_EXECUTED || event->kind == EVENT_BROKEN;
    const struct event_trade *trade = &event->trade;
    bool has_maker = is_trade && trade->maker_message_no != 0;
    bool maker_first =
        has_maker && trade->maker_session == event->session && trade->maker_message_no < event->message_no;
    if (maker_first)
        ret_sides[count++] = SESSION_MAKER;
    if (event->message_no != 0)
        ret_sides[count++] = SESSION_TAKER;
    if (has_maker && !maker_first)
        ret_sides[count++] = SESSION_MAKER;
    return count;
}

uint32_t copies_seen(const struct copies *copies, uint32_t stream, const struct event *event,
                     enum session_side ret_sides[2])
{
    enum session_side sides[2];
    uint32_t count = event_sides(event, sides);
    uint32_t seen = 0;
    uint64_t bit = UINT64_C(1) << (stream - copies->sessions_max - 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t session = copies_session(event, sides[i]);
        bool known = session != 0 && session <= copies->sessions_max;
        if (known && copies_of(copies, session, event) & bit)
            ret_sides[seen++] = sides[i];
    }
    return seen;
}
