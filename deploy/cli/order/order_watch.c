/*
 * `ringside order watch`: each event of a session, until Ctrl-C.
 *
 * A watch is a login like any other, so a later one of the same user ends it. It then waits for two seconds, long
 * enough for `ringside order buy` to be done, and comes back with the next number: nothing is left out. Pushed out
 * again and again, it gives way: somebody trades there.
 */
#include "base/units.h"
#include "order_run.h"
#include "stage/stage.h"

#include <signal.h>
#include <time.h>

#define COME_BACK_MS      2000u
#define PUSHED_OUT_MAX    3u
#define PUSHED_OUT_SOON_S 10

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

struct watch {
    struct order_run run; /* first: callbacks are given it */
    struct timespec ready_at;
    uint32_t pushed_out; /* times in a row, soon after coming back */
};

static void on_ready(void *context, uint32_t user_ref_next)
{
    struct watch *watch = context;
    (void)user_ref_next;
    watch->run.ready++;
    clock_gettime(CLOCK_MONOTONIC, &watch->ready_at);
    fprintf(stderr, "ringside order: watching %s%s, from message %llu on\n", watch->run.login.user,
            watch->run.ready > 1 ? " again" : "", (unsigned long long)rs_trader_sequence_next(watch->run.trader));
}

static void on_gone(void *context, int error, const char *why, uint32_t retry_ms)
{
    struct watch *watch = context;
    struct timespec now;
    watch->run.gone += error != RS_CLIENT_REFUSED; /* who refuses is there */
    if (watch->run.ready == 0)
        return; /* order_failed tells */
    clock_gettime(CLOCK_MONOTONIC, &now);
    bool soon = now.tv_sec - watch->ready_at.tv_sec < PUSHED_OUT_SOON_S;
    watch->pushed_out = watch->run.taken_over ? (soon ? watch->pushed_out + 1 : 1) : 0;
    fprintf(stderr, "ringside order: %s; again in %.1f s\n",
            watch->run.taken_over ? "a later login of this user has taken the session over" : why,
            (double)retry_ms / 1000);
    watch->run.taken_over = false;
}

/* The day is another one; or it was, and somebody else has the session now, which may not be taken from him. */
static void begin_day(struct rs_trader *trader)
{
    if (*rs_trader_session(trader) != '\0')
        fprintf(stderr, "ringside order: the trading day is over; waiting for the next one\n");
    else
        fprintf(stderr, "ringside order: %s; again in a moment\n", rs_trader_why(trader));
    rs_trader_begin_day(trader); /* which pauses, so as not to ask in a circle */
}

static int go_on(struct watch *watch)
{
    struct order_run *run = &watch->run;
    while (!stopped) {
        int result = rs_trader_poll(run->trader, 1000);
        bool other_day = result == RS_CLIENT_DAY_OVER ||
                         (result == RS_CLIENT_REFUSED && rs_trader_refusal(run->trader) == RS_REFUSED_SESSION);
        if (other_day)
            begin_day(run->trader);
        else if (result < 0)
            return order_failed(&run->login, run->trader, result, false);
        if (watch->pushed_out >= PUSHED_OUT_MAX) {
            fprintf(stderr,
                    "ringside order watch: another program logs in as %s again and again, and both suffer\n"
                    "  give it a user of its own, or watch when it has ended\n",
                    run->login.user);
            return EXIT_ORDER_UNKNOWN;
        }
    }
    return EXIT_STAGE_OK;
}

int order_watch_main(int argc, char **argv)
{
    static const struct command_line_option options[] = {
        ORDER_CONNECT_OPTIONS,
        {"all", NULL, "from the first message of the day on (else what is new)"},
    };
    static const struct command_line_form form = {
        .program = "ringside order watch",
        .summary = "prints each event of a user's session until Ctrl-C",
        .takes_json = true,
        .extra =
            "\nEvents go to standard output, one a line; news of the connection to standard error. It comes back by "
            "itself\nwhen the connection is lost, or a later login of the user takes the session over, and leaves "
            "nothing out.\n",
        .options = options,
        .option_count = sizeof(options) / sizeof(options[0]),
        .brief = true,
    };
    static const struct rs_trader_callbacks callbacks = {.on_ready = on_ready, .on_gone = on_gone};
    struct watch watch = {0};
    const struct sigaction action = {.sa_handler = stop};
    int code = order_run_read(&watch.run, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    watch.run.shows = true;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    code = order_run_open(&watch.run, watch.run.line.values[ORDER_OWN_OPTIONS] ? 1 : 0, &callbacks, COME_BACK_MS);
    if (code == 0)
        code = order_run_ready(&watch.run);
    if (code == 0)
        code = go_on(&watch);
    order_run_close(&watch.run);
    return code;
}
