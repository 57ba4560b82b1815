#include "stage/notify.h"

#include "base/units.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

#define INTERVAL_NS ((uint64_t)NS_PER_SECOND) /* at most: a STATUS is no older */
#define EXTENSION_S 30                        /* of a limit on starting or stopping, from each sign of life on */

void notify_open(struct notify *notify)
{
    uint64_t watchdog_us = 0;
    *notify = (struct notify){0};
    if (!getenv("NOTIFY_SOCKET"))
        return;
    notify->watchdog_interval_ns = INTERVAL_NS;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0 && watchdog_us * NS_PER_US / 2 < INTERVAL_NS)
        notify->watchdog_interval_ns = watchdog_us * NS_PER_US / 2;
}

void notify_ready(const char *status)
{
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}

void notify_reloading(uint64_t now_ns)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(now_ns / NS_PER_US));
}

void notify_reloaded(void)
{
    (void)sd_notify(0, "READY=1");
}

void notify_status(const char *status)
{
    (void)sd_notifyf(0, "STATUS=%s", status);
}

bool notify_alive(struct notify *notify, uint64_t now_ns)
{
    if (notify->watchdog_interval_ns == 0 || now_ns < notify->watchdog_next_ns)
        return false;
    notify->watchdog_next_ns = now_ns + notify->watchdog_interval_ns;
    (void)sd_notifyf(0, "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=%llu",
                     (unsigned long long)EXTENSION_S * NS_PER_SECOND / NS_PER_US);
    return true;
}
