#include "stage/notify.h"

#include "base/units.h"

#include <systemd/sd-daemon.h>

void notify_open(struct notify *notify)
{
    uint64_t watchdog_us = 0;
    *notify = (struct notify){0};
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
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

void notify_alive(struct notify *notify, uint64_t now_ns)
{
    if (notify->watchdog_interval_ns == 0 || now_ns < notify->watchdog_next_ns)
        return;
    notify->watchdog_next_ns = now_ns + notify->watchdog_interval_ns;
    (void)sd_notify(0, "WATCHDOG=1");
}
