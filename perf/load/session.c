#include "session.h"

#include "base/require.h"
#include "client/ringside_tls.h"
#include "env/clock.h"
#include "wire/ouch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define RELEASE_ORDERS 131072u /* whole pages, as orders have 32 bytes */

_Static_assert(sizeof(struct load_order) == 32, "two orders fit a cache line");

void run_breach(struct load_run *run, const char *format, ...)
{
    if (run->breach_count++ > 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->breach, sizeof(run->breach), format, arguments);
    va_end(arguments);
}

/* ---- life ---- */

int session_init(struct load_session *session, struct load_run *run, uint32_t number, uint64_t order_room)
{
    *session = (struct load_session){.run = run, .number = number, .order_room = order_room};
    session->live_room = 1024;
    session->live = malloc(session->live_room * sizeof(*session->live));
    void *orders = mmap(NULL, order_room * sizeof(*session->orders), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    session->orders = orders == MAP_FAILED ? NULL : orders;
    char user[16];
    char addresses[LOAD_ADDRESSES_MAX * LOAD_ADDRESS_BYTES];
    char why[256] = "no memory";
    load_user(run->options, number, user);
    load_address_list(run->options, number, addresses, sizeof(addresses));
    struct rs_client_options options = {.addresses = addresses,
                                        .user = user,
                                        .password = run->options->password,
                                        .on_message = session_message,
                                        .context = session};
    if (run->options->tls)
        rs_tls_use(run->options->tls, &options);
    if (session->live && session->orders)
        session->client = rs_client_create(&options, why, sizeof(why));
    if (session->client)
        return 0;
    fprintf(stderr, "ringside load: %s\n", why);
    session_finish(session);
    return -1;
}

void session_finish(struct load_session *session)
{
    rs_client_destroy(session->client);
    free(session->live);
    if (session->orders)
        munmap(session->orders, session->order_room * sizeof(*session->orders));
    *session = (struct load_session){0};
}

/* ---- the list of live orders ---- */

void session_live_remove(struct load_session *session, const struct load_order *order)
{
    uint32_t last = session->live[--session->live_count];
    session->live[order->live_at] = last;
    session->orders[last].live_at = order->live_at;
}

/* ---- requests ---- */

static bool put_enter(struct load_session *session, uint32_t index)
{
    uint8_t *room = rs_client_reserve(session->client, OUCH_ENTER_BYTES);
    if (UNLIKELY(!room))
        return false;
    const struct load_order *order = &session->orders[index];
    struct ouch_enter enter = {
        .user_ref = session->user_ref_first + index,
        .side = order->side,
        .quantity = order->quantity,
        .price = (uint64_t)order->price_ticks,
        .time_in_force = order->time_in_force,
        .display = 'Y',
        .capacity = 'P',
        .sweep = 'N',
        .cross_type = 'N',
        .client_order_id = {'r', 'i', 'n', 'g', 's', 'i', 'd', 'e', ' ', 'l', 'o', 'a', 'd', ' '}};
    memcpy(enter.symbol, session->run->options->instruments[order->instrument].symbol, sizeof(enter.symbol));
    rs_client_commit(session->client, ouch_encode_enter(room, &enter));
    session->dirty = true;
    return true;
}

static bool put_cancel(struct load_session *session, uint32_t index)
{
    uint8_t *room = rs_client_reserve(session->client, OUCH_CANCEL_BYTES);
    if (UNLIKELY(!room))
        return false;
    const struct ouch_cancel cancel = {.user_ref = session->user_ref_first + index};
    rs_client_commit(session->client, ouch_encode_cancel(room, &cancel));
    session->dirty = true;
    return true;
}

static void sent_at(struct load_order *order, uint64_t now_ns)
{
    uint64_t late = now_ns > order->asked_ns ? now_ns - order->asked_ns : 0;
    order->late_ns = late < UINT32_MAX ? (uint32_t)late : UINT32_MAX;
}

static void note_made(struct load_session *session, uint32_t index)
{
    sent_at(&session->orders[index], session->run->now_ns);
    if (session->unsent_count < UNSENT_MAX)
        session->unsent[session->unsent_count++] = index;
}

void session_sent(struct load_session *session)
{
    uint64_t now_ns = clock_monotonic_ns();
    for (uint32_t i = 0; i < session->unsent_count; i++)
        sent_at(&session->orders[session->unsent[i]], now_ns);
    session->unsent_count = 0;
}

bool session_enter(struct load_session *session, const struct market_order *order, uint64_t asked_ns)
{
    if (UNLIKELY(session->sent >= session->order_room))
        return false;
    session->orders[session->sent] = (struct load_order){.asked_ns = asked_ns,
                                                         .quantity = order->quantity,
                                                         .leaves = order->quantity,
                                                         .price_ticks = order->price_ticks,
                                                         .instrument = (uint16_t)order->instrument,
                                                         .state = ORDER_SENT,
                                                         .side = order->side,
                                                         .time_in_force = order->time_in_force};
    if (!put_enter(session, session->sent))
        return false;
    note_made(session, session->sent);
    session->sent++;
    session->resend_next = session->sent;
    session->run->counts.orders++;
    session->run->counts.requests++;
    return true;
}

bool session_cancel_random(struct load_session *session, uint64_t asked_ns)
{
    uint32_t index = session->live[market_below(&session->run->market, session->live_count)];
    struct load_order *order = &session->orders[index];
    if (!put_cancel(session, index))
        return false;
    session_live_remove(session, order);
    order->state = ORDER_CANCELLING;
    order->asked_ns = asked_ns;
    note_made(session, index);
    session->cancelling++;
    session->run->counts.cancels_asked += session->run->measuring;
    session->run->counts.requests += session->run->measuring;
    session->run->counts.cancels_of_rest += !session->run->measuring;
    return true;
}

bool session_query(struct load_session *session)
{
    uint8_t *room = rs_client_reserve(session->client, OUCH_ACCOUNT_QUERY_BYTES);
    if (!room)
        return false;
    const struct ouch_account_query query = {.appendage = {.present = false}};
    rs_client_commit(session->client, ouch_encode_account_query(room, &query));
    session->dirty = true;
    session->query_sent = true;
    return true;
}

bool session_resend(struct load_session *session)
{
    while (session->resend_next < session->sent) {
        uint32_t index = session->resend_next;
        uint8_t state = session->orders[index].state;
        if (state == ORDER_SENT && !put_enter(session, index))
            return false;
        if (state == ORDER_CANCELLING && !put_cancel(session, index))
            return false;
        session->run->counts.resent += state == ORDER_SENT || state == ORDER_CANCELLING;
        session->resend_next++;
    }
    return true;
}

void session_forget_ended(struct load_session *session)
{
    while (session->oldest < session->answered && session->orders[session->oldest].state >= ORDER_ENDED)
        session->oldest++;
    if (session->oldest - session->released < RELEASE_ORDERS)
        return;
    uint32_t until = session->oldest - session->oldest % RELEASE_ORDERS;
    madvise(&session->orders[session->released], (until - session->released) * sizeof(*session->orders), MADV_DONTNEED);
    session->released = until;
}

uint64_t session_live_shares(const struct load_session *session)
{
    uint64_t shares = 0;
    for (uint32_t i = session->oldest; i < session->sent; i++) {
        const struct load_order *order = &session->orders[i];
        if (order->state == ORDER_LIVE || order->state == ORDER_CANCELLING)
            shares += order->leaves;
    }
    return shares;
}
