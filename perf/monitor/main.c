/*
 * ringside-monitor: looks at a running exchange and tells of it over HTTP (serve.h). A process of its own, apart from
 * the stages: it holds no role and no lock, writes to nothing of theirs, and may be started, stopped and killed at
 * will.
 *
 * One thread: every monitor.refresh_ms a look, in between the requests.
 */
#include "base/units.h"
#include "env/clock.h"
#include "log/log.h"
#include "perf/monitor/serve.h"
#include "stage/command_line.h"
#include "stage/notify.h"
#include "stage/signals.h"
#include "stage/stage.h"

#include <stdlib.h>
#include <string.h>

struct monitor {
    struct watch watch;
    struct health health;
    struct health health_before;
    struct history history;
    struct self self;
    struct scene scene;
    struct serve *serve;
    struct notify notify;
    uint64_t look_next_ns;
};

/* What changed is logged, once: when a reason comes, and when none is left. */
static void log_health(const struct health *before, const struct health *now)
{
    for (uint32_t i = 0; i < now->reason_count; i++) {
        const struct reason *reason = &now->reasons[i];
        bool is_new = true;
        for (uint32_t j = 0; j < before->reason_count && is_new; j++)
            is_new = strcmp(before->reasons[j].check, reason->check) != 0 ||
                     strcmp(before->reasons[j].subject, reason->subject) != 0;
        if (is_new)
            log_line(reason->blocking ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, NULL, "%s %s: %s", reason->check,
                     reason->subject, reason->text);
    }
    if (before->reason_count > 0 && now->reason_count == 0)
        log_info("all is well again");
}

static void look(struct monitor *monitor, uint64_t now_ns)
{
    monitor->health_before = monitor->health;
    watch_look(&monitor->watch, now_ns);
    health_judge(&monitor->health, &monitor->watch);
    history_note(&monitor->history, &monitor->watch);
    log_health(&monitor->health_before, &monitor->health);
    serve_forget(monitor->serve);
    monitor->self.look_count++;
}

static void loop(struct monitor *monitor, const struct config *config)
{
    uint64_t interval_ns = config->monitor_refresh_ms * NS_PER_MS;
    while (signals_end_requests() == 0) {
        uint64_t now_ns = clock_monotonic_ns();
        notify_alive(&monitor->notify, now_ns);
        if (now_ns >= monitor->look_next_ns) {
            look(monitor, now_ns);
            monitor->look_next_ns = now_ns + interval_ns;
        }
        now_ns = clock_monotonic_ns();
        uint64_t wait_ns = monitor->look_next_ns > now_ns ? monitor->look_next_ns - now_ns : 0;
        serve_poll(monitor->serve, (int)(wait_ns / NS_PER_MS) + 1);
    }
}

static int run(struct monitor *monitor, const struct config *config)
{
    struct error error;
    uint64_t now_ns = clock_monotonic_ns();
    watch_open(&monitor->watch, config, now_ns);
    history_init(&monitor->history);
    monitor->health.ready = true;
    monitor->scene = (struct scene){
        .watch = &monitor->watch, .health = &monitor->health, .history = &monitor->history, .self = &monitor->self};
    notify_open(&monitor->notify);
    int result = serve_open(&monitor->serve, config, &monitor->scene, &monitor->self, &error);
    if (result < 0) {
        log_error(&error, "cannot serve");
        watch_close(&monitor->watch);
        return result == ERROR_INVALID ? EXIT_STAGE_CONFIG : EXIT_STAGE_FAILED;
    }
    log_info("http://%s:%u/ tells of the run in %s", config->monitor_address, (unsigned)config->monitor_port,
             config->exchange_rings_directory);
    look(monitor, now_ns);
    notify_ready("serving");
    loop(monitor, config);
    notify_stopping();
    serve_close(monitor->serve);
    watch_close(&monitor->watch);
    return EXIT_STAGE_OK;
}

int main(int argc, char **argv)
{
    static const struct command_line_form form = {
        .program = "ringside-monitor",
        .summary = "tells of a running exchange over HTTP: metrics, health, status and a page",
    };
    struct command_line line;
    log_open("monitor", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    log_set_level(line.config.exchange_log_level);
    signals_install(false);
    struct monitor *monitor = calloc(1, sizeof(*monitor));
    code = monitor ? run(monitor, &line.config) : EXIT_STAGE_FAILED;
    free(monitor);
    config_finish(&line.config);
    return code;
}
