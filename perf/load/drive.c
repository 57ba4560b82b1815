/*
 * One thread, one epoll: LOGIN (all sessions, and their next UserRefNum) -> RUN (the mix) -> DRAIN (every request
 * answered) -> CANCEL_REST (the live orders' stories end) -> QUERY (the exchange's count is ours) -> DONE.
 *
 * Rules
 *   1. Request k of a run with a rate is due at start + k / rate. It goes out at that time or as soon after as can be;
 *      its latency counts from when it was due. Nothing is left out because the exchange was slow.
 *   2. Without a rate a window of unanswered requests a session bounds what is under way, refilled a quarter at a time.
 *   3. Reads are large, writes one a session a turn, and between them nothing is allocated.
 */
#include "drive.h"

#include "base/units.h"
#include "env/clock.h"
#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#define EVENTS_MAX        256
#define TURN_REQUESTS_MAX 512u /* before the sockets are looked at again */
#define HOUSEKEEPING_NS   (10 * (uint64_t)NS_PER_MS)
#define CONNECT_AGAIN_NS  (50 * (uint64_t)NS_PER_MS)
#define REST_WINDOW       1000u /* cancels under way at the end, all sessions together */

enum phase {
    PHASE_LOGIN,
    PHASE_RUN,
    PHASE_DRAIN,
    PHASE_CANCEL_REST,
    PHASE_QUERY,
    PHASE_DONE,
    PHASE_FAILED,
};

struct drive {
    const struct load_options *options;
    struct load_run run;
    struct load_session *sessions;
    uint32_t session_count;
    uint32_t session_turn; /* whose turn it is */
    uint32_t window;       /* a session's; UINT32_MAX: none */
    uint32_t live_max;     /* a session's */
    int epoll;
    enum phase phase;
    uint64_t start_ns;
    uint64_t end_ns; /* last answer of the measured part */
    uint64_t housekeeping_at_ns;
    uint64_t progress_ns;
    uint64_t progress_messages;
    char why[256];
};

static void fail(struct drive *drive, const char *why)
{
    if (drive->phase != PHASE_FAILED)
        snprintf(drive->why, sizeof(drive->why), "%.255s", why);
    drive->phase = PHASE_FAILED;
}

/* ---- connections ---- */

static void watch(struct drive *drive, struct load_session *session)
{
    int fd = rs_client_fd(session->client);
    uint32_t wanted = fd >= 0 ? (uint32_t)rs_client_events(session->client) : 0; /* POLLIN is EPOLLIN, and so on */
    if (wanted == session->interest)
        return;
    struct epoll_event event = {.events = wanted, .data.ptr = session};
    if (wanted != 0 && epoll_ctl(drive->epoll, session->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0)
        fail(drive, strerror(errno));
    session->interest = wanted; /* a closed socket has left the set by itself */
}

static void lost(struct drive *drive, struct load_session *session, int error)
{
    char why[256];
    char user[16];
    load_user(drive->options, session->number, user);
    snprintf(why, sizeof(why), "%s: %s", user, rs_client_why(session->client));
    bool never_in = session->user_ref_first == 0;
    session->interest = 0;
    session->dirty = false;
    session->resend_next = session->oldest;
    session->connect_at_ns = drive->run.now_ns + CONNECT_AGAIN_NS;
    if (error == RS_CLIENT_PROTOCOL)
        run_breach(&drive->run, "%s", why);
    bool hopeless = error == RS_CLIENT_PROTOCOL || (error == RS_CLIENT_REFUSED && never_in);
    if (hopeless || (!drive->options->resume && !never_in) || rs_client_state(session->client) == RS_CLIENT_ENDED)
        fail(drive, why);
    snprintf(drive->why, sizeof(drive->why), "%s", why);
    drive->run.counts.reconnects += !never_in;
}

static void service(struct drive *drive, struct load_session *session)
{
    drive->run.messages_since_clock = 0;
    int result = rs_client_service(session->client, drive->run.now_ns);
    if (result < 0 || rs_client_fd(session->client) < 0)
        lost(drive, session, result);
    else
        watch(drive, session);
}

static void connect_again(struct drive *drive, struct load_session *session)
{
    if (drive->run.now_ns < session->connect_at_ns)
        return;
    int result = rs_client_connect(session->client);
    if (result < 0)
        lost(drive, session, result);
    else
        watch(drive, session);
}

/* What was asked before a break and has no answer goes out again; the first account query comes before everything. */
static void catch_up(struct load_session *session)
{
    if (rs_client_state(session->client) != RS_CLIENT_OPEN)
        return;
    if (session->user_ref_first == 0 && !session->query_sent)
        session_query(session);
    else if (session->resend_next < session->sent)
        session_resend(session);
}

static void flush(struct drive *drive)
{
    for (uint32_t i = 0; i < drive->session_count; i++) {
        struct load_session *session = &drive->sessions[i];
        if (!session->dirty)
            continue;
        session->dirty = false;
        int left = rs_client_flush(session->client);
        if (left < 0)
            lost(drive, session, left);
        else
            watch(drive, session);
    }
}

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

static uint64_t due_ns(const struct drive *drive)
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
        uint64_t due = due_ns(drive);
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

static uint64_t in_flight_total(const struct drive *drive)
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
    drive->run.measuring = true;
    drive->phase = PHASE_RUN;
}

static void drained_then_rest(struct drive *drive)
{
    if (in_flight_total(drive) > 0)
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
static bool act(struct drive *drive)
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

/* ---- the loop ---- */

static void check_patience(struct drive *drive)
{
    struct load_run *run = &drive->run;
    bool waiting = drive->phase != PHASE_RUN || in_flight_total(drive) > 0;
    for (uint32_t i = 0; i < drive->session_count; i++)
        waiting |= rs_client_state(drive->sessions[i].client) != RS_CLIENT_OPEN;
    if (!waiting || run->counts.messages != drive->progress_messages || drive->progress_ns == 0) {
        drive->progress_messages = run->counts.messages;
        drive->progress_ns = run->now_ns;
    }
    if (run->now_ns - drive->progress_ns <= (uint64_t)(drive->options->patience_s * NS_PER_SECOND))
        return;
    char last[sizeof(drive->why)];
    memcpy(last, drive->why, sizeof(last));
    char why[sizeof(drive->why) + 128];
    snprintf(why, sizeof(why), "no progress for %.0f s with %llu requests unanswered%s%s", drive->options->patience_s,
             (unsigned long long)in_flight_total(drive), last[0] ? "; last trouble: " : "", last);
    fail(drive, why);
}

static void housekeeping(struct drive *drive)
{
    if (drive->run.now_ns < drive->housekeeping_at_ns)
        return;
    drive->housekeeping_at_ns = drive->run.now_ns + HOUSEKEEPING_NS;
    for (uint32_t i = 0; i < drive->session_count; i++) {
        struct load_session *session = &drive->sessions[i];
        if (rs_client_state(session->client) == RS_CLIENT_CLOSED)
            connect_again(drive, session);
        else
            service(drive, session); /* heartbeats, silence */
        session_forget_ended(session);
    }
    if (drive->run.breach_count > 0)
        fail(drive, drive->run.breach);
    check_patience(drive);
}

static uint64_t sleep_ns(const struct drive *drive, bool more)
{
    uint64_t now_ns = drive->run.now_ns;
    if (more || drive->options->spin)
        return 0;
    uint64_t until_ns = drive->housekeeping_at_ns;
    if (drive->phase == PHASE_RUN && drive->options->rate > 0) {
        uint64_t due = due_ns(drive);
        if (due > now_ns && due < until_ns) /* one that is due already waits for its session */
            until_ns = due;
    }
    return until_ns > now_ns ? until_ns - now_ns : 0;
}

static void turn(struct drive *drive, bool *more)
{
    struct epoll_event events[EVENTS_MAX];
    uint64_t wait_ns = sleep_ns(drive, *more);
    const struct timespec wait = {.tv_sec = (time_t)(wait_ns / NS_PER_SECOND),
                                  .tv_nsec = (long)(wait_ns % NS_PER_SECOND)};
    int count = epoll_pwait2(drive->epoll, events, EVENTS_MAX, &wait, NULL);
    if (count < 0 && errno != EINTR)
        fail(drive, strerror(errno));
    drive->run.now_ns = clock_monotonic_ns();
    for (int i = 0; i < count; i++)
        service(drive, events[i].data.ptr);
    housekeeping(drive);
    for (uint32_t i = 0; i < drive->session_count; i++)
        if (!session_ready(&drive->sessions[i]))
            catch_up(&drive->sessions[i]);
    drive->run.now_ns = clock_monotonic_ns();
    *more = act(drive);
    flush(drive);
}

/* ---- life ---- */

static uint64_t order_room(const struct load_options *options)
{
    const uint64_t most = (uint64_t)1 << 31;
    uint64_t room = ((uint64_t)1 << 40) / sizeof(struct load_order) / options->sessions; /* a terabyte of addresses */
    if (options->orders > 0 && options->orders < room)
        room = options->orders;
    return room < most ? room : most;
}

static const char *open_drive(struct drive *drive, const struct load_options *options, struct histogram *latency_ns)
{
    *drive = (struct drive){.options = options, .session_count = options->sessions, .epoll = -1};
    drive->run.options = options;
    drive->run.latency_ns = latency_ns;
    drive->window = options->window == 0 ? UINT32_MAX : (options->window + options->sessions - 1) / options->sessions;
    drive->live_max = (options->live + options->sessions - 1) / options->sessions;
    histogram_clear(latency_ns);
    drive->sessions = calloc(options->sessions, sizeof(*drive->sessions));
    drive->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!drive->sessions || drive->epoll < 0 || market_init(&drive->run.market, options) < 0 ||
        !matches_init(&drive->run.matches))
        return "no memory";
    for (uint32_t i = 0; i < options->sessions; i++)
        if (session_init(&drive->sessions[i], &drive->run, i, order_room(options)) < 0)
            return "a session could not be made";
    prctl(PR_SET_TIMERSLACK, 1);
    return NULL;
}

static void close_drive(struct drive *drive)
{
    for (uint32_t i = 0; drive->sessions && i < drive->session_count; i++) {
        if (drive->sessions[i].client && drive->phase == PHASE_DONE)
            (void)rs_client_logout(drive->sessions[i].client);
        if (drive->sessions[i].client)
            session_finish(&drive->sessions[i]);
    }
    free(drive->sessions);
    market_finish(&drive->run.market);
    matches_finish(&drive->run.matches);
    if (drive->epoll >= 0)
        close(drive->epoll);
}

/* Nothing may be open, and the shares must add up. */
static void check_end(struct drive *drive, struct load_outcome *outcome)
{
    struct load_run *run = &drive->run;
    uint64_t live_shares = 0;
    for (uint32_t i = 0; i < drive->session_count; i++) {
        outcome->live_orders += drive->sessions[i].live_count;
        live_shares += session_live_shares(&drive->sessions[i]);
    }
    outcome->trades = run->matches.paired_count + run->matches.waiting_count;
    outcome->trades_one_sided = run->matches.waiting_count;
    const struct load_counts *counts = &run->counts;
    if (counts->orders != counts->orders_accepted + counts->orders_rejected)
        run_breach(run, "%llu orders, but %llu accepted and %llu rejected", (unsigned long long)counts->orders,
                   (unsigned long long)counts->orders_accepted, (unsigned long long)counts->orders_rejected);
    if (counts->accepted_shares != counts->executed_shares + counts->canceled_shares + live_shares)
        run_breach(run, "%llu shares accepted, but %llu executed, %llu cancelled, %llu live",
                   (unsigned long long)counts->accepted_shares, (unsigned long long)counts->executed_shares,
                   (unsigned long long)counts->canceled_shares, (unsigned long long)live_shares);
    if (outcome->trades_one_sided > 0 && !drive->options->shared && counts->foreign_messages == 0)
        run_breach(run, "%llu trades have one side only (--shared if others trade too)",
                   (unsigned long long)outcome->trades_one_sided);
    if (run->breach_count > 0)
        fail(drive, run->breach);
}

int drive_run(const struct load_options *options, struct load_outcome *outcome)
{
    struct drive drive;
    struct machine_times before, after;
    *outcome = (struct load_outcome){0};
    const char *wrong = open_drive(&drive, options, &outcome->latency_ns);
    if (wrong)
        fail(&drive, wrong);
    machine_times_read(&before);
    drive.run.now_ns = clock_monotonic_ns();
    bool more = false;
    while (drive.phase < PHASE_DONE)
        turn(&drive, &more);
    machine_times_read(&after);
    if (drive.end_ns == 0)
        drive.end_ns = drive.run.last_answer_ns;
    if (!wrong)
        check_end(&drive, outcome);
    outcome->counts = drive.run.counts;
    outcome->reject_reason = drive.run.reject_reason;
    outcome->seconds = (double)(drive.end_ns - drive.start_ns) / NS_PER_SECOND;
    outcome->cpu_s = after.own_s - before.own_s;
    outcome->stolen = machine_stolen(&before, &after);
    outcome->complete = drive.phase == PHASE_DONE;
    if (!outcome->complete)
        memcpy(outcome->why, drive.why, sizeof(outcome->why));
    close_drive(&drive);
    return outcome->complete ? LOAD_OK : LOAD_FAILED;
}
