/*
 * stage_run_all. Goal: several stages in one thread behave as each alone: roles, readiness, the first failure, the end.
 * Method: stages that do nothing, in a child where signals are in play, else here.
 */
#include "fake_stage.h"
#include "log/log.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct fake_world world;
static struct config config;

static void setup(void)
{
    fake_world_init(&world);
    config_init(&config);
    snprintf(config.exchange_rings_directory, sizeof(config.exchange_rings_directory), "%s", world.directory);
    log_open("run", LOG_LEVEL_ERROR);
}

static void teardown(void)
{
    config_finish(&config);
    fake_world_finish(&world);
}

TestSuite(run_all, .init = setup, .fini = teardown, .timeout = 20);

static const struct stage_definition *const stages[] = {&fake_sequencer, &fake_persister, &fake_gateway};

struct ticking {
    int ready_count;
    int until;
};

static bool tick(void *argument, bool all_ready)
{
    struct ticking *ticking = argument;
    ticking->ready_count += all_ready;
    return ticking->ready_count >= ticking->until;
}

Test(run_all, opens_polls_ticks_and_closes)
{
    struct ticking ticking = {.until = 5};
    cr_expect_eq(stage_run_all(stages, 3, &config, tick, &ticking), EXIT_STAGE_OK);
    cr_expect_eq(ticking.ready_count, 5);
    cr_expect_eq(fake->open_count, 3);
    cr_expect_eq(fake->close_count, 3);
    cr_expect_geq(fake->poll_count, 15);
}

Test(run_all, runs_every_gateway_configured)
{
    struct ticking ticking = {.until = 1};
    config.exchange_gateways = 3;
    fake->joins = 0; /* the run is for one */
    cr_expect_eq(stage_run_all(stages, 3, &config, tick, &ticking), EXIT_STAGE_OK);
    cr_expect_eq(fake->gateways, 0xfu);
    cr_expect_eq(fake->close_count, 5);
}

Test(run_all, the_first_failure_ends_all)
{
    fake->poll_result = ERROR_IO;
    cr_expect_eq(stage_run_all(stages, 3, &config, NULL, NULL), EXIT_STAGE_IO);
    cr_expect_eq(fake->poll_count, 1);
    cr_expect_eq(fake->close_count, 3);
}

Test(run_all, gives_up_if_a_role_is_held)
{
    struct run other;
    struct error error;
    cr_assert_eq(run_take_role(&other, world.directory, PROCESS_PERSISTER, 0, &error), 0);
    cr_expect_eq(stage_run_all(stages, 3, &config, NULL, NULL), EXIT_STAGE_HELD);
    cr_expect_eq(fake->open_count, 1);
    cr_expect_eq(fake->close_count, 1);
    run_leave(&other);
}

Test(run_all, ends_when_told_and_rests_when_idle)
{
    pid_t pid = fork();
    cr_assert(pid >= 0);
    if (pid == 0)
        _exit(stage_run_all(stages, 3, &config, NULL, NULL));
    struct timespec pause = {.tv_nsec = 400000000};
    cr_assert(fake_reaches(&fake->poll_count, 200));
    uint64_t polls = fake->poll_count;
    nanosleep(&pause, NULL);
    cr_expect_leq(fake->poll_count - polls, 1500, "%lu polls in 400 ms of rest",
                  (unsigned long)(fake->poll_count - polls));
    fake->stops = 0;
    kill(pid, SIGTERM);
    cr_expect(fake_reaches(&fake->stop_count, 3));
    fake->stops = 1;
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_OK);
    cr_expect_eq(fake->close_count, 3);
}

Test(run_all, asked_to_end_it_takes_what_is_left_first)
{
    pid_t pid = fork();
    cr_assert(pid >= 0);
    if (pid == 0)
        _exit(stage_run_all(stages, 3, &config, NULL, NULL));
    cr_assert(fake_reaches(&fake->poll_count, 30));
    fake->poll_result = 1; /* every poll finds a record */
    struct timespec pause = {.tv_nsec = 50000000};
    nanosleep(&pause, NULL); /* a poll that began before has ended */
    kill(pid, SIGTERM);
    cr_assert(fake_reaches(&fake->poll_count, fake->poll_count + 3000));
    cr_expect_eq(fake->stop_count, 0, "the sequencer is not asked while there are records");
    fake->poll_result = 0;
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_OK);
    cr_expect_eq(fake->stop_count, 1);
    cr_expect_eq(fake->close_count, 3);
}
