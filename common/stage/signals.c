#include "stage/signals.h"

#include "base/require.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t end_requests;
static volatile sig_atomic_t reload_request;

static void end_requested(int signal_number)
{
    (void)signal_number;
    if (end_requests < 2)
        end_requests = end_requests + 1;
}

static void reload_requested(int signal_number)
{
    (void)signal_number;
    reload_request = 1;
}

void signals_install(bool hangup_reloads)
{
    struct sigaction ends = {.sa_handler = end_requested}; /* no SA_RESTART: a sleep is to be cut short */
    struct sigaction reloads = {.sa_handler = reload_requested};
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    sigemptyset(&ends.sa_mask);
    sigemptyset(&reloads.sa_mask);
    sigemptyset(&ignored.sa_mask);
    end_requests = 0;
    reload_request = 0;
    REQUIRE(sigaction(SIGTERM, &ends, NULL) == 0);
    REQUIRE(sigaction(SIGINT, &ends, NULL) == 0);
    REQUIRE(sigaction(SIGPIPE, &ignored, NULL) == 0);
    if (hangup_reloads)
        REQUIRE(sigaction(SIGHUP, &reloads, NULL) == 0);
}

bool signals_take_reload(void)
{
    if (LIKELY(reload_request == 0))
        return false;
    reload_request = 0;
    return true;
}

uint32_t signals_end_requests(void)
{
    return (uint32_t)end_requests;
}
