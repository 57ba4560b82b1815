/*
 * The main of every stage process: configuration, role, poll loop, end.
 */
#include "base/units.h"
#include "env/clock.h"
#include "log/log.h"
#include "stage/command_line.h"
#include "stage/lock_memory.h"
#include "stage/notify.h"
#include "stage/runner.h"
#include "stage/signals.h"
#include "stage/stage.h"
#include "stage/waiter.h"

#include <stdio.h>

#define STOP_TIMEOUT_NS (10 * (uint64_t)NS_PER_SECOND)

struct loop {
    struct runner runner;
    struct waiter waiter;
    struct notify notify;
    bool told_ready;
    uint64_t stop_deadline_ns; /* 0: nobody asked for an end */
};

static void tell_ready(struct loop *loop)
{
    char text[512];
    runner_describe(&loop->runner, text, sizeof(text));
    notify_ready(text);
    loop->told_ready = true;
}

/* A line about where it stands with each sign of life; while it cannot work yet, that it waits or recovers. */
static void tell_alive(struct loop *loop, uint64_t now_ns)
{
    char text[512];
    if (!notify_alive(&loop->notify, now_ns) || loop->stop_deadline_ns != 0)
        return;
    runner_describe(&loop->runner, text, sizeof(text));
    notify_status(*text || loop->told_ready ? text : "not ready yet");
}

static void take_reload(struct loop *loop, uint64_t now_ns)
{
    notify_reloading(now_ns);
    runner_reload(&loop->runner);
    if (loop->told_ready)
        notify_reloaded();
}

/* Whether the loop may end: asked to, and what is in flight is finished, or it takes too long, or asked again. */
static bool may_end(struct loop *loop, uint64_t now_ns)
{
    uint32_t requests = signals_end_requests();
    if (requests == 0)
        return false;
    if (loop->stop_deadline_ns == 0) {
        loop->stop_deadline_ns = now_ns + STOP_TIMEOUT_NS;
        notify_stopping();
        log_info("asked to end");
    }
    if (runner_stopped(&loop->runner, now_ns) || requests > 1)
        return true;
    if (now_ns < loop->stop_deadline_ns)
        return false;
    log_warning("did not finish what is in flight within %llu s, ending without",
                (unsigned long long)(STOP_TIMEOUT_NS / NS_PER_SECOND));
    return true;
}

static int loop_run(struct loop *loop)
{
    for (;;) {
        uint64_t now_ns = clock_monotonic_ns();
        int count = runner_poll(&loop->runner, now_ns);
        if (count < 0)
            return loop->runner.exit_code;
        if (loop->runner.ready && !loop->told_ready)
            tell_ready(loop);
        tell_alive(loop, now_ns);
        if (signals_take_reload())
            take_reload(loop, now_ns);
        if (may_end(loop, now_ns))
            return EXIT_STAGE_OK;
        bool settled = loop->runner.ready && !loop->runner.definition->pollable;
        if (count > 0)
            waiter_busy(&loop->waiter, count);
        else
            waiter_idle(&loop->waiter, runner_descriptor(&loop->runner), settled, now_ns);
        loop->runner.sleep_count = loop->waiter.sleep_count;
    }
}

static bool take_memory(const struct config *config)
{
    struct error error = {0};
    bool locked = false;
    if (lock_memory(config->exchange_lock_memory, &locked, &error) < 0) {
        log_error(&error, "the stage does not start");
        return false;
    }
    if (locked)
        log_info("memory is locked");
    return true;
}

static int run_stage(const struct stage_definition *definition, const struct command_line *line)
{
    struct loop loop = {0};
    const struct config *config = &line->config;
    uint32_t process_count = TOPOLOGY_GATEWAY_FIRST + (uint32_t)config->exchange_gateways;
    uint32_t core_count = waiter_core_count();
    bool spin = waiter_spins(config->exchange_wait, process_count, core_count);
    signals_install(definition->reload != NULL);
    notify_open(&loop.notify);
    int code = EXIT_STAGE_FAILED;
    if (!take_memory(config))
        return code;
    if (runner_open(&loop.runner, definition, config, line->gateway)) {
        log_info("opened: version %s, %s, waits by %s (%u cores, %u processes)", ringside_version(),
                 *config->path ? config->path : "default configuration", spin ? "spinning" : "parking", core_count,
                 process_count);
        waiter_init(&loop.waiter, &loop.runner.run, spin, definition->unhurried);
        code = loop_run(&loop);
    } else {
        code = loop.runner.exit_code;
    }
    runner_close(&loop.runner);
    return code;
}

int stage_main(int argc, char **argv, const struct stage_definition *definition)
{
    char program[64];
    struct command_line line;
    snprintf(program, sizeof(program), "ringside-%s", definition->name);
    struct command_line_form form = {
        .program = program, .summary = definition->summary, .takes_gateway = definition->kind == PROCESS_GATEWAY};
    log_open(definition->name, LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    log_set_level(line.config.exchange_log_level);
    code = run_stage(definition, &line);
    config_finish(&line.config);
    return code;
}
