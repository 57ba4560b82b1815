/*
 * All stages in one thread, polled in turn: a laptop, a test, a machine with few cores.
 *
 * Rules
 *   1. Each stage has its own role lock and its own membership of the run, so a stage outside may stand in for one
 * here, and nothing behaves otherwise than with five processes.
 *   2. Idle means that a whole round found nothing. After some idle rounds the thread sleeps on the descriptors of all
 *      stages. Nobody need ring: whoever would is this thread. A stage outside waits for the time-out.
 *   3. Asked to end, it ends as the records flow: the stages that clients speak to first, then, once a whole round has
 *      found nothing more of theirs, the others. So nothing is left in the rings.
 *   4. The first failure ends all.
 */
#include "base/require.h"
#include "base/units.h"
#include "env/clock.h"
#include "log/log.h"
#include "stage/notify.h"
#include "stage/runner.h"
#include "stage/signals.h"
#include "stage/waiter.h"

#include <immintrin.h>
#include <stdlib.h>
#include <unistd.h>

#define RUNNERS_MAX       (TOPOLOGY_PROCESSES_MAX + 1)
#define IDLE_ROUNDS_AWAKE 32u
#define SLEEP_NS          ((uint64_t)NS_PER_MS)
#define SLEEP_LONG_NS     (10u * (uint64_t)NS_PER_MS)
#define IDLE_ROUNDS_LONG  (IDLE_ROUNDS_AWAKE + 1000u)
#define TICK_INTERVAL_NS  (10u * (uint64_t)NS_PER_MS)
#define STOP_TIMEOUT_NS   (10u * (uint64_t)NS_PER_SECOND)

struct crew {
    struct runner *runners;
    uint32_t count;
    bool spin;
    bool all_ready;
    struct notify notify;
    uint32_t idle_round_count;
    uint64_t tick_next_ns;
    uint64_t stop_deadline_ns;
    bool (*tick)(void *argument, bool all_ready);
    void *argument;
    int exit_code;
};

static bool open_one(struct crew *crew, const struct stage_definition *definition, const struct config *config,
                     uint32_t gateway)
{
    REQUIRE(crew->count < RUNNERS_MAX);
    struct runner *runner = &crew->runners[crew->count++];
    if (runner_open(runner, definition, config, gateway))
        return true;
    crew->exit_code = runner->exit_code;
    return false;
}

static bool open_all(struct crew *crew, const struct stage_definition *const definitions[], uint32_t count,
                     const struct config *config)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t instances = definitions[i]->kind == PROCESS_GATEWAY ? config->exchange_gateways : 1;
        for (uint64_t gateway = 1; gateway <= instances; gateway++)
            if (!open_one(crew, definitions[i], config, (uint32_t)gateway))
                return false;
    }
    return true;
}

static void reload_all(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->count; i++) {
        log_set_stage(crew->runners[i].name);
        runner_reload(&crew->runners[i]);
    }
    log_set_stage("run");
}

/* One poll of each. Records handled, or negative. */
static int64_t poll_round(struct crew *crew, uint64_t now_ns)
{
    int64_t total = 0;
    bool all_ready = true;
    for (uint32_t i = 0; i < crew->count; i++) {
        struct runner *runner = &crew->runners[i];
        log_set_stage(runner->name);
        int count = runner_poll(runner, now_ns);
        if (count < 0) {
            crew->exit_code = runner->exit_code;
            return count;
        }
        total += count;
        all_ready = all_ready && runner->ready;
    }
    log_set_stage("run");
    if (all_ready && !crew->all_ready)
        notify_ready("all stages at work");
    crew->all_ready = all_ready;
    return total;
}

static void wait_idle(struct crew *crew)
{
    int descriptors[RUNNERS_MAX];
    crew->idle_round_count += crew->idle_round_count < IDLE_ROUNDS_LONG;
    if (crew->spin || crew->idle_round_count < IDLE_ROUNDS_AWAKE) {
        _mm_pause();
        return;
    }
    for (uint32_t i = 0; i < crew->count; i++)
        descriptors[i] = runner_descriptor(&crew->runners[i]);
    bool idle_long = crew->all_ready && crew->idle_round_count == IDLE_ROUNDS_LONG;
    waiter_sleep_on(descriptors, crew->count, idle_long ? SLEEP_LONG_NS : SLEEP_NS);
}

static bool lets_clients_in(const struct runner *runner)
{
    return runner->definition->kind == PROCESS_GATEWAY || runner->definition->kind == PROCESS_ADMIN;
}

static bool stopped(struct crew *crew, uint64_t now_ns, bool clients)
{
    bool all = true;
    for (uint32_t i = 0; i < crew->count; i++)
        if (lets_clients_in(&crew->runners[i]) == clients)
            all = runner_stopped(&crew->runners[i], now_ns) && all;
    return all;
}

static bool may_end(struct crew *crew, uint64_t now_ns, bool asked, bool found_nothing)
{
    if (!asked && crew->stop_deadline_ns == 0)
        return false;
    if (crew->stop_deadline_ns == 0) {
        crew->stop_deadline_ns = now_ns + STOP_TIMEOUT_NS;
        notify_stopping();
        log_info("asked to end");
    }
    bool all_in = stopped(crew, now_ns, true) && found_nothing;
    if ((all_in && stopped(crew, now_ns, false)) || signals_end_requests() > 1)
        return true;
    if (now_ns < crew->stop_deadline_ns)
        return false;
    log_warning("did not finish what is in flight in time, ending without");
    return true;
}

static bool tick_due(struct crew *crew, uint64_t now_ns)
{
    if (!crew->tick || now_ns < crew->tick_next_ns)
        return false;
    crew->tick_next_ns = now_ns + TICK_INTERVAL_NS;
    return crew->tick(crew->argument, crew->all_ready);
}

static void crew_run(struct crew *crew)
{
    for (;;) {
        uint64_t now_ns = clock_monotonic_ns();
        int64_t count = poll_round(crew, now_ns);
        if (count < 0)
            return;
        (void)notify_alive(&crew->notify, now_ns);
        if (signals_take_reload())
            reload_all(crew);
        if (may_end(crew, now_ns, tick_due(crew, now_ns) || signals_end_requests() > 0, count == 0))
            return;
        if (count > 0)
            crew->idle_round_count = 0;
        else
            wait_idle(crew);
    }
}

int stage_run_all(const struct stage_definition *const definitions[], uint32_t count, const struct config *config,
                  bool (*tick)(void *argument, bool all_ready), void *argument)
{
    struct crew crew = {.tick = tick, .argument = argument, .spin = config->exchange_wait == WAIT_SPIN};
    crew.runners = calloc(RUNNERS_MAX, sizeof(*crew.runners));
    if (!crew.runners) {
        log_failure("no memory for the stages");
        return EXIT_STAGE_FAILED;
    }
    signals_install(isatty(STDIN_FILENO) == 0); /* what runs at a terminal ends with it */
    notify_open(&crew.notify);
    crew.exit_code = EXIT_STAGE_OK;
    if (open_all(&crew, definitions, count, config))
        crew_run(&crew);
    for (uint32_t i = crew.count; i-- > 0;)
        runner_close(&crew.runners[i]);
    free(crew.runners);
    return crew.exit_code;
}
