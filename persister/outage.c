#include "outage.h"

#include "log/log.h"

#include <stdio.h>
#include <string.h>

#define COMPLAIN_INTERVAL_NS (60ull * NS_PER_SECOND)
#define LEVEL_LAG_EVENTS     1024 /* nearer to the exchange than that is level with it */
#define SECONDS(ns)          ((double)(ns) / NS_PER_SECOND)

void outage_init(struct outage *outage, const char *store)
{
    *outage = (struct outage){.store = store, .backoff_ns = BACKOFF_NS_MIN};
}

/* Common to both ways of being away. */
static void schedule(struct outage *outage, uint64_t now_ns, uint64_t wait_ns)
{
    if (outage->began_ns == 0) {
        outage->began_ns = now_ns;
        outage->count++;
    }
    outage->is_up = false;
    outage->retry_ns = now_ns + wait_ns;
}

void outage_begins(struct outage *outage, uint64_t now_ns, const struct error *why)
{
    if (outage->began_ns == 0 || outage->is_refused)
        log_line(LOG_LEVEL_WARNING, NULL,
                 "%s is away, the exchange goes on and its events are kept; trying again every 0.1 to 5 s: %s",
                 outage->store, why->what);
    else
        log_debug("%s is still away: %s", outage->store, why->what);
    outage->is_refused = false;
    schedule(outage, now_ns, outage->backoff_ns);
    outage->backoff_ns = outage->backoff_ns * 2 < BACKOFF_NS_MAX ? outage->backoff_ns * 2 : BACKOFF_NS_MAX;
}

void outage_refused(struct outage *outage, uint64_t now_ns, const struct error *why)
{
    if (!outage->is_refused || now_ns - outage->complained_ns >= COMPLAIN_INTERVAL_NS) {
        log_failure("%s refuses what it must take, so it gets nothing until somebody has looked; the exchange goes on, "
                    "its events are kept, and it is tried again every 10 s: %s: %s",
                    outage->store, why->where, why->what);
        outage->complained_ns = now_ns;
    }
    outage->is_refused = true;
    schedule(outage, now_ns, REFUSED_RETRY_NS);
}

void outage_ends(struct outage *outage, uint64_t now_ns, uint64_t at_seq, uint64_t lag)
{
    char fields[96];
    snprintf(fields, sizeof(fields), "event_seq=%llu lag_events=%llu", (unsigned long long)at_seq,
             (unsigned long long)lag);
    outage->is_up = true;
    outage->up_ns = now_ns;
    if (outage->is_refused) /* it answers, as it did before: whether it takes the rows is still to be seen */
        return;
    if (outage->began_ns != 0)
        log_line(LOG_LEVEL_INFO, fields, "%s is back after %.1f s", outage->store, SECONDS(now_ns - outage->began_ns));
    else
        log_line(LOG_LEVEL_INFO, fields, "%s is connected", outage->store);
    outage->began_ns = 0;
    outage->is_catching_up = true;
}

void outage_progress(struct outage *outage, uint64_t now_ns, uint64_t at_seq, uint64_t lag)
{
    outage->backoff_ns = BACKOFF_NS_MIN;
    if (outage->is_refused) {
        log_info("%s takes the rows again", outage->store);
        outage->is_refused = false;
        outage->began_ns = 0;
        outage->is_catching_up = true;
    }
    if (!outage->is_catching_up || lag > LEVEL_LAG_EVENTS)
        return;
    char fields[96];
    snprintf(fields, sizeof(fields), "event_seq=%llu lag_events=%llu", (unsigned long long)at_seq,
             (unsigned long long)lag);
    log_line(LOG_LEVEL_INFO, fields, "%s has caught up, %.1f s after it was there", outage->store,
             SECONDS(now_ns - outage->up_ns));
    outage->is_catching_up = false;
}

uint64_t outage_age_ns(const struct outage *outage, uint64_t now_ns)
{
    return outage->began_ns == 0 || now_ns < outage->began_ns ? 0 : now_ns - outage->began_ns;
}
