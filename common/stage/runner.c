#include "stage/runner.h"

#include "base/units.h"
#include "env/clock.h"
#include "log/log.h"

#include <stdio.h>
#include <string.h>

#define CHECK_INTERVAL_NS ((uint64_t)NS_PER_SECOND)
#define DESCRIBE_BYTES    512

int stage_exit_code(int error_code)
{
    switch (error_code) {
    case ERROR_CORRUPT:
    case ERROR_MISMATCH:
        return EXIT_STAGE_DATA;
    case ERROR_HELD:
        return EXIT_STAGE_HELD;
    case ERROR_INVALID:
        return EXIT_STAGE_CONFIG;
    case ERROR_IO:
        return EXIT_STAGE_IO;
    default:
        return EXIT_STAGE_FAILED;
    }
}

static const char *advice(int exit_code)
{
    switch (exit_code) {
    case EXIT_STAGE_DATA:
        return "nothing was changed; look at the file before starting again";
    case EXIT_STAGE_HELD:
        return "end that process first, a role is never taken over";
    case EXIT_STAGE_CONFIG:
        return "correct it and start again";
    case EXIT_STAGE_IO:
        return "look at the device before starting again";
    case EXIT_STAGE_RUN:
        return "start again to join the new run";
    default:
        return "starting again may help";
    }
}

/* The failure ends here. Returns its code. */
static int fail(struct runner *runner, const struct error *error, int exit_code, const char *doing)
{
    runner->exit_code = exit_code;
    log_error(error, "%s (%s; exit code %d)", doing, advice(exit_code), exit_code);
    return error->code < 0 ? error->code : ERROR_SYSTEM;
}

bool runner_open(struct runner *runner, const struct stage_definition *definition, const struct config *config,
                 uint32_t gateway)
{
    struct error error = {.code = ERROR_SYSTEM};
    memset(runner, 0, sizeof(*runner));
    runner->definition = definition;
    runner->run.run_fd = runner->run.role_fd = runner->run.doorbells.own_fifo = -1;
    bool is_gateway = definition->kind == PROCESS_GATEWAY;
    runner->context =
        (struct stage_context){.config = config, .run = &runner->run, .gateway = is_gateway ? gateway : 0};
    if (is_gateway)
        snprintf(runner->name, sizeof(runner->name), "%.20s-%u", definition->name, gateway);
    else
        snprintf(runner->name, sizeof(runner->name), "%.20s", definition->name);
    log_set_stage(runner->name);
    int result = run_take_role(&runner->run, config->exchange_rings_directory, definition->kind,
                               runner->context.gateway, &error);
    if (result < 0) {
        fail(runner, &error, stage_exit_code(result), "cannot take the role");
        return false;
    }
    runner->opened = true;
    runner->run.gateways_wanted = (uint32_t)config->exchange_gateways;
    result = measure_open(&runner->measure, config, runner->name, definition->values, &error);
    if (result < 0) {
        fail(runner, &error, stage_exit_code(result), "cannot make the metrics file");
        return false;
    }
    runner->context.values = measure_stage_values(&runner->measure);
    result = definition->open(&runner->stage, &runner->context, &error);
    if (result < 0)
        fail(runner, &error, stage_exit_code(result), "cannot open the stage");
    return result >= 0;
}

static void note_cycle(struct runner *runner, uint64_t now_ns, int count)
{
    uint64_t cycle_ns = runner->busy_since_ns != 0 ? now_ns - runner->busy_since_ns : 0;
    if (cycle_ns > runner->cycle_ns_max)
        runner->cycle_ns_max = cycle_ns;
    measure_poll(&runner->measure, (uint32_t)count, cycle_ns);
    runner->busy_since_ns = count > 0 ? now_ns : 0;
    runner->busy_poll_count += count > 0;
    runner->record_count += (uint64_t)count;
}

void runner_describe(const struct runner *runner, char *text, size_t text_bytes)
{
    text[0] = '\0';
    if (runner->stage && runner->definition->describe)
        runner->definition->describe(runner->stage, text, text_bytes);
}

static void note_ready(struct runner *runner)
{
    char text[DESCRIBE_BYTES];
    if (!runner->definition->ready(runner->stage))
        return;
    runner->ready = true;
    runner_describe(runner, text, sizeof(text));
    log_info("ready%s%s", *text ? ": " : "", text);
}

static int check_run(struct runner *runner, uint64_t now_ns)
{
    struct error error = {.code = ERROR_SYSTEM};
    runner->check_next_ns = now_ns + CHECK_INTERVAL_NS;
    bool joined = runner->run.doorbells.shared != NULL;
    if (!joined || run_check(&runner->run, &error) == 0)
        return 0;
    return fail(runner, &error, EXIT_STAGE_RUN, "the run is no longer ours");
}

static void measure(struct runner *runner, uint64_t now_ns)
{
    if (runner->definition->measure && runner->stage)
        runner->definition->measure(runner->stage, now_ns);
    measure_publish(&runner->measure, &runner->run, runner->ready, runner->sleep_count, now_ns);
}

int runner_poll(struct runner *runner, uint64_t now_ns)
{
    struct error error = {.code = ERROR_SYSTEM};
    int count = runner->definition->poll(runner->stage, now_ns, &error);
    if (count < 0)
        return fail(runner, &error, stage_exit_code(count), "the stage ends");
    note_cycle(runner, now_ns, count);
    if (!runner->ready)
        note_ready(runner);
    if (UNLIKELY(measure_due(&runner->measure, now_ns)))
        measure(runner, now_ns);
    if (now_ns >= runner->check_next_ns && check_run(runner, now_ns) < 0)
        return ERROR_MISMATCH;
    return count;
}

void runner_reload(struct runner *runner)
{
    if (runner->definition->reload && runner->stage)
        runner->definition->reload(runner->stage);
}

int runner_descriptor(const struct runner *runner)
{
    return runner->definition->descriptor ? runner->definition->descriptor(runner->stage) : -1;
}

bool runner_stopped(struct runner *runner, uint64_t now_ns)
{
    return !runner->definition->stopped || runner->definition->stopped(runner->stage, now_ns);
}

void runner_close(struct runner *runner)
{
    if (!runner->opened)
        return;
    char text[DESCRIBE_BYTES];
    char fields[160];
    log_set_stage(runner->name);
    runner_describe(runner, text, sizeof(text));
    snprintf(fields, sizeof(fields), "records=%llu busy_polls=%llu cycle_us_max=%llu",
             (unsigned long long)runner->record_count, (unsigned long long)runner->busy_poll_count,
             (unsigned long long)(runner->cycle_ns_max / NS_PER_US));
    log_line(LOG_LEVEL_INFO, fields, "ended%s%s;", *text ? ": " : "", text);
    if (runner->measure.values)
        measure(runner, clock_monotonic_ns());
    runner->definition->close(runner->stage);
    measure_close(&runner->measure, clock_monotonic_ns());
    run_leave(&runner->run);
    runner->opened = false;
}
