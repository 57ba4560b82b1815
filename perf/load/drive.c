/*
 * One thread, one epoll: LOGIN (all sessions, and their next UserRefNum) -> RUN (the mix) -> DRAIN (every request
 * answered) -> CANCEL_REST (the live orders' stories end) -> QUERY (the exchange's count is ours) -> DONE.
 *
 * Rules
 *   1. Request k of a run with a rate is due at start + k / rate. It goes out at that time or as soon after as can be;
 *      its latency counts from when it was due. Nothing is left out because the exchange was slow.
 *   2. Without a rate a window of unanswered requests a session bounds what is under way, refilled a quarter at a time.
 *   3. It yields for a while before it sleeps, as stages do: at 20,000 requests a second a sleep between any two costs
 *      the exchange an interrupt to the other core for each answer, and on two cores a third of the latency.
 *      With a rate it yields after every turn: it shares the cores with those who are to answer.
 *   4. Reads are large, writes one a session a turn, and between them nothing is allocated.
 */
#include "drive_state.h"

#include "base/units.h"
#include "env/clock.h"
#include "perf/machine/machine.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX          256
#define EMPTY_TURNS_YIELDED 1000u /* about a millisecond */
#define HOUSEKEEPING_NS     (10 * (uint64_t)NS_PER_MS)
#define BEAT_EVERY          16u /* housekeepings: heartbeats are looked after */
#define CONNECT_AGAIN_NS    (50 * (uint64_t)NS_PER_MS)
#define ECHO_EACH_NS        (uint64_t) NS_PER_MS

void drive_fail(struct drive *drive, const char *why)
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
        drive_fail(drive, strerror(errno));
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
        drive_fail(drive, why);
    snprintf(drive->why, sizeof(drive->why), "%s", why);
    drive->run.counts.reconnects += session->was_open;
    session->was_open = false;
}

static void service(struct drive *drive, struct load_session *session)
{
    drive->run.messages_since_clock = 0;
    int result = rs_client_service(session->client, drive->run.now_ns);
    if (result < 0 || rs_client_fd(session->client) < 0)
        lost(drive, session, result);
    else
        watch(drive, session);
    session->was_open = rs_client_state(session->client) == RS_CLIENT_OPEN;
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
        session_sent(session);
        int left = rs_client_flush(session->client);
        if (left < 0)
            lost(drive, session, left);
        else
            watch(drive, session);
    }
}

/* ---- a round trip now and then, beside the requests ---- */

static bool echo_begin(struct drive *drive)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    return echo_open(&drive->echo, ECHO_ANY_CORE) == 0 &&
           epoll_ctl(drive->epoll, EPOLL_CTL_ADD, drive->echo.fd, &event) == 0;
}

static void echo_ask(struct drive *drive)
{
    const char message[ECHO_BYTES] = {0};
    const struct load_run *run = &drive->run;
    if (drive->echo.fd < 0 || drive->echo_asked_ns != 0 || drive->phase != PHASE_RUN || run->now_ns < run->warm_ns ||
        run->now_ns < drive->echo_due_ns)
        return;
    drive->echo_due_ns = run->now_ns + ECHO_EACH_NS;
    drive->echo_asked_ns = clock_monotonic_ns();
    if (send(drive->echo.fd, message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(message))
        drive_fail(drive, "the echo has ended");
}

static void echo_take(struct drive *drive)
{
    char message[ECHO_BYTES];
    if (recv(drive->echo.fd, message, sizeof(message), MSG_DONTWAIT) != (ssize_t)sizeof(message)) {
        drive_fail(drive, "the echo has ended");
        return;
    }
    histogram_record(drive->round_trip_ns, clock_monotonic_ns() - drive->echo_asked_ns);
    drive->echo_asked_ns = 0;
}

/* ---- the loop ---- */

static void check_patience(struct drive *drive)
{
    struct load_run *run = &drive->run;
    bool waiting = drive->phase != PHASE_RUN || drive_in_flight(drive) > 0;
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
             (unsigned long long)drive_in_flight(drive), last[0] ? "; last trouble: " : "", last);
    drive_fail(drive, why);
}

static void housekeeping(struct drive *drive)
{
    if (drive->run.now_ns < drive->housekeeping_at_ns)
        return;
    drive->housekeeping_at_ns = drive->run.now_ns + HOUSEKEEPING_NS;
    bool beat = drive->housekeeping_count++ % BEAT_EVERY == 0;
    for (uint32_t i = 0; i < drive->session_count; i++) {
        struct load_session *session = &drive->sessions[i];
        if (rs_client_state(session->client) == RS_CLIENT_CLOSED)
            connect_again(drive, session);
        else if (beat)
            service(drive, session); /* heartbeats, silence */
        session_forget_ended(session);
    }
    if (drive->run.breach_count > 0)
        drive_fail(drive, drive->run.breach);
    check_patience(drive);
}

static uint64_t sleep_ns(const struct drive *drive, bool more)
{
    uint64_t now_ns = drive->run.now_ns;
    if (more || drive->options->spin || drive->empty_turn_count < EMPTY_TURNS_YIELDED)
        return 0;
    uint64_t until_ns = drive->housekeeping_at_ns;
    if (drive->phase == PHASE_RUN && drive->options->rate > 0) {
        uint64_t due = drive_due_ns(drive);
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
        drive_fail(drive, strerror(errno));
    if (count > 0)
        drive->empty_turn_count = 0;
    else if (drive->empty_turn_count < EMPTY_TURNS_YIELDED && !*more && !drive->options->spin) {
        drive->empty_turn_count++;
        sched_yield();
    }
    drive->run.now_ns = clock_monotonic_ns();
    for (int i = 0; i < count; i++)
        if (events[i].data.ptr)
            service(drive, events[i].data.ptr);
        else
            echo_take(drive);
    housekeeping(drive);
    for (uint32_t i = 0; i < drive->session_count; i++)
        if (!session_ready(&drive->sessions[i]))
            catch_up(&drive->sessions[i]);
    drive->run.now_ns = clock_monotonic_ns();
    *more = drive_act(drive);
    flush(drive);
    echo_ask(drive);
    if (count > 0 && !drive->options->spin && drive->options->rate > 0)
        sched_yield();
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

static const char *open_drive(struct drive *drive, const struct load_options *options, struct load_outcome *outcome)
{
    *drive = (struct drive){.options = options, .session_count = options->sessions, .epoll = -1, .echo.fd = -1};
    drive->run.options = options;
    drive->run.latency_ns = &outcome->latency_ns;
    drive->run.sent_ns = &outcome->sent_ns;
    drive->round_trip_ns = &outcome->round_trip_ns;
    drive->window = options->window == 0 ? UINT32_MAX : (options->window + options->sessions - 1) / options->sessions;
    drive->live_max = (options->live + options->sessions - 1) / options->sessions;
    histogram_clear(&outcome->latency_ns);
    histogram_clear(&outcome->sent_ns);
    histogram_clear(&outcome->round_trip_ns);
    drive->sessions = calloc(options->sessions, sizeof(*drive->sessions));
    drive->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!drive->sessions || drive->epoll < 0 || market_init(&drive->run.market, options) < 0 ||
        !matches_init(&drive->run.matches))
        return "no memory";
    for (uint32_t i = 0; i < options->sessions; i++)
        if (session_init(&drive->sessions[i], &drive->run, i, order_room(options)) < 0)
            return "a session could not be made";
    if (options->rate > 0 && options->yardstick[0] != '\0' && !echo_begin(drive))
        return "no TCP on the loopback";
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
    echo_close(&drive->echo);
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
        drive_fail(drive, run->breach);
}

int drive_run(const struct load_options *options, struct load_outcome *outcome)
{
    struct drive drive;
    struct machine_times before, after;
    *outcome = (struct load_outcome){0};
    const char *wrong = open_drive(&drive, options, outcome);
    if (wrong)
        drive_fail(&drive, wrong);
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
