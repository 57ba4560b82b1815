/* The phases of a run: what is sent when, and when one phase is over. */
#include "drive_state.h"

#include "base/units.h"
#include "env/clock.h"

#include <stdio.h>

#define TURN_REQUESTS_MAX 512u  /* before the sockets are looked at again */
#define REST_WINDOW       1000u /* cancels under way at the end, all sessions together */

/* ---- the mix ---- */

/* The next request of this session; false if it cannot take one now. */
static bool request(struct drive *drive, struct load_session *session, uint64_t asked_ns)
{
    struct market *market = &drive->run.market;
    enum market_action action = market_choose(market, session->live_count, drive->live_max);
    if (action == MARKET_CANCEL && session->live_count > 0)
        return session_cancel_random(session, asked_ns);
    struct market_order order;
    market_order(market, action == MARKET_CANCEL ? MARKET_PASSIVE : action, &order);
    return session_enter(session, &order, asked_ns);
}

static bool orders_left(const struct drive *drive)
{
    return drive->options->orders == 0 || drive->run.counts.orders < drive->options->orders;
}

uint64_t drive_due_ns(const struct drive *drive)
{
    uint64_t k = drive->run.counts.requests;
    uint64_t rate = drive->options->rate;
    return drive->start_ns + k / rate * NS_PER_SECOND + k % rate * NS_PER_SECOND / rate;
}

static uint64_t stop_ns(const struct drive *drive)
{
    double seconds = drive->options->seconds;
    return seconds > 0 ? drive->start_ns + (uint64_t)(seconds * NS_PER_SECOND) : UINT64_MAX;
}

/* The next session in turn that can take a request, or NULL. */
static struct load_session *session_in_turn(struct drive *drive)
{
    for (uint32_t tried = 0; tried < drive->session_count; tried++) {
        struct load_session *session = &drive->sessions[drive->session_turn];
        drive->session_turn = drive->session_turn + 1 == drive->session_count ? 0 : drive->session_turn + 1;
        if (session_ready(session) && session_in_flight(session) < drive->window)
            return session;
    }
    return NULL;
}

/* True: more are due at once. */
static bool generate_at_rate(struct drive *drive)
{
    uint64_t stop = stop_ns(drive);
    for (uint32_t made = 0; orders_left(drive); made++) {
        uint64_t due = drive_due_ns(drive);
        if (due >= stop) {
            drive->phase = PHASE_DRAIN;
            return false;
        }
        if (due > drive->run.now_ns)
            return false;
        if (made == TURN_REQUESTS_MAX)
            return true;
        struct load_session *session = session_in_turn(drive);
        if (!session || !request(drive, session, due))
            return false; /* it stays due: what waits here counts */
    }
    drive->phase = PHASE_DRAIN;
    return false;
}

static void fill_window(struct drive *drive, struct load_session *session)
{
    uint32_t in_flight = session_in_flight(session);
    if (!session_ready(session) || in_flight > drive->window - drive->window / 4)
        return;
    for (; in_flight < drive->window && orders_left(drive); in_flight++)
        if (!request(drive, session, drive->run.now_ns))
            return;
}

static bool generate_at_will(struct drive *drive)
{
    if (!orders_left(drive) || drive->run.now_ns >= stop_ns(drive)) {
        drive->phase = PHASE_DRAIN;
        return false;
    }
    for (uint32_t i = 0; i < drive->session_count; i++)
        fill_window(drive, &drive->sessions[i]);
    return false;
}

/* ---- phases ---- */

uint64_t drive_in_flight(const struct drive *drive)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < drive->session_count; i++)
        total += session_in_flight(&drive->sessions[i]);
    return total;
}

static void login_done_then_run(struct drive *drive)
{
    for (uint32_t i = 0; i < drive->session_count; i++)
        if (!session_ready(&drive->sessions[i]))
            return;
    drive->run.now_ns = clock_monotonic_ns();
    drive->start_ns = drive->run.last_answer_ns = drive->run.now_ns;
    drive->run.warm_ns = drive->start_ns + (uint64_t)(drive->options->warm_up_s * NS_PER_SECOND);
    drive->run.measuring = true;
    drive->phase = PHASE_RUN;
}

static void drained_then_rest(struct drive *drive)
{
    if (drive_in_flight(drive) > 0)
        return;
    drive->run.measuring = false;
    drive->end_ns = drive->run.last_answer_ns;
    drive->phase = drive->options->keep_rest ? PHASE_QUERY : PHASE_CANCEL_REST;
}

static void cancel_rest(struct drive *drive)
{
    uint32_t window = REST_WINDOW / drive->session_count + 1;
    bool all = true;
    for (uint32_t i = 0; i < drive->session_count; i++) {
        struct load_session *session = &drive->sessions[i];
        while (session->live_count > 0 && session_ready(session) && session_in_flight(session) < window)
            if (!session_cancel_random(session, drive->run.now_ns))
                break;
        all &= session->live_count == 0 && session_in_flight(session) == 0;
    }
    if (all)
        drive->phase = PHASE_QUERY;
}

/* Asks each session's next UserRefNum: what the exchange has counted must be what was sent. */
static void query(struct drive *drive)
{
    bool all = true;
    for (uint32_t i = 0; i < drive->session_count; i++) {
        struct load_session *session = &drive->sessions[i];
        uint32_t expected = session->user_ref_first + session->sent;
        bool open = rs_client_state(session->client) == RS_CLIENT_OPEN;
        if (session->user_ref_told == 0) {
            all = false;
            if (open && !session->query_sent)
                session_query(session);
        } else if (session->user_ref_told != expected) {
            char user[16];
            load_user(drive->options, session->number, user);
            run_breach(&drive->run, "%s: the exchange's next UserRefNum is %u, ours %u", user, session->user_ref_told,
                       expected);
        }
    }
    if (all)
        drive->phase = PHASE_DONE;
}

static void begin_query(struct drive *drive)
{
    for (uint32_t i = 0; i < drive->session_count; i++)
        drive->sessions[i].user_ref_told = 0;
}

/* True: do not sleep before the next turn. */
bool drive_act(struct drive *drive)
{
    enum phase before = drive->phase;
    bool more = false;
    switch (drive->phase) {
    case PHASE_LOGIN:
        login_done_then_run(drive);
        break;
    case PHASE_RUN:
        more = drive->options->rate > 0 ? generate_at_rate(drive) : generate_at_will(drive);
        break;
    case PHASE_DRAIN:
        drained_then_rest(drive);
        break;
    case PHASE_CANCEL_REST:
        cancel_rest(drive);
        break;
    case PHASE_QUERY:
        query(drive);
        break;
    case PHASE_DONE:
    case PHASE_FAILED:
        break;
    }
    if (drive->phase == PHASE_QUERY && before != PHASE_QUERY)
        begin_query(drive);
    return more || drive->phase != before;
}
