/* Roles, runs and doorbells: who may start, who joins what, and what a sleeper hears. Children play other processes. */
#include "run/run.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char directory[64];

static void make(void)
{
    snprintf(directory, sizeof(directory), "/dev/shm/ringside-test-run-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
}

static void unmake(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    cr_assert_eq(system(command), 0);
}

TestSuite(run, .init = make, .fini = unmake);

static const struct run_base base = {
    .command_seq_next = 17, .event_seq_next = 23, .last_time_ns = 5, .epoch = 3, .gateway_count = 2};

static struct run begin(void)
{
    struct run journaler;
    struct error error;
    cr_assert_eq(run_take_role(&journaler, directory, PROCESS_JOURNALER, 0, &error), 0, "%s", error.what);
    cr_assert_eq(run_join_or_lock(&journaler, &error), 0, "%s", error.what);
    cr_assert_eq(run_create(&journaler, &base, &error), 0, "%s", error.what);
    return journaler;
}

Test(run, a_role_is_held_by_one)
{
    struct run first, second;
    struct error error;
    cr_assert_eq(run_take_role(&first, directory, PROCESS_GATEWAY, 2, NULL), 0);
    cr_assert_eq(run_take_role(&second, directory, PROCESS_GATEWAY, 2, &error), ERROR_HELD);
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    cr_assert_not_null(strstr(error.what, pid), "it says who: %s", error.what);
    cr_assert_eq(run_take_role(&second, directory, PROCESS_GATEWAY, 1, NULL), 0, "another gateway is another role");
    run_leave(&first);
    cr_assert_eq(run_take_role(&first, directory, PROCESS_GATEWAY, 2, NULL), 0);
    run_leave(&first);
    run_leave(&second);
}

Test(run, a_role_dies_with_its_process)
{
    pid_t child = fork();
    if (child == 0) {
        struct run run;
        _exit(run_take_role(&run, directory, PROCESS_MATCHER, 0, NULL) == 0 ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    cr_assert_eq(status, 0);
    struct run run;
    cr_assert_eq(run_take_role(&run, directory, PROCESS_MATCHER, 0, NULL), 0);
    run_leave(&run);
}

Test(run, joining_waits_for_the_journaler)
{
    struct run sequencer;
    cr_assert_eq(run_take_role(&sequencer, directory, PROCESS_SEQUENCER, 0, NULL), 0);
    cr_assert_eq(run_join(&sequencer, NULL), ERROR_NOT_YET);
    struct run journaler = begin();
    cr_assert_eq(run_join(&sequencer, NULL), 0);
    cr_assert_eq(sequencer.base.command_seq_next, 17);
    cr_assert_eq(sequencer.base.event_seq_next, 23);
    cr_assert_eq(memcmp(sequencer.run_id, journaler.run_id, sizeof(sequencer.run_id)), 0);
    cr_assert_eq(run_check(&sequencer, NULL), 0);
    run_leave(&sequencer);
    run_leave(&journaler);
}

Test(run, a_run_goes_on_while_somebody_survives)
{
    struct run journaler = begin(), sequencer, heir;
    cr_assert_eq(run_take_role(&sequencer, directory, PROCESS_SEQUENCER, 0, NULL), 0);
    cr_assert_eq(run_join(&sequencer, NULL), 0);
    run_leave(&journaler);
    cr_assert_eq(run_take_role(&heir, directory, PROCESS_JOURNALER, 0, NULL), 0);
    cr_assert_eq(run_join_or_lock(&heir, NULL), 1, "the sequencer survives, so its run does");
    cr_assert_eq(memcmp(sequencer.run_id, heir.run_id, sizeof(heir.run_id)), 0);
    run_leave(&heir);
    run_leave(&sequencer);
}

Test(run, with_no_survivor_a_new_run_removes_the_old_rings)
{
    struct run journaler = begin();
    uint8_t old_id[16];
    memcpy(old_id, journaler.run_id, sizeof(old_id));
    char path[RUN_PATH_BYTES];
    run_ring_path(&journaler, "command", path);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fclose(file);
    run_leave(&journaler);
    journaler = begin();
    cr_assert_neq(memcmp(old_id, journaler.run_id, sizeof(old_id)), 0);
    cr_assert_neq(access(path, F_OK), 0, "rings of the earlier run are gone");
    run_leave(&journaler);
}

Test(run, a_damaged_run_file_is_refused)
{
    struct run journaler = begin(), matcher;
    char path[RUN_PATH_BYTES];
    snprintf(path, sizeof(path), "%s/run", directory);
    for (long byte = 0; byte < 72; byte++) {
        FILE *file = fopen(path, "r+");
        fseek(file, byte, SEEK_SET);
        int was = fgetc(file);
        fseek(file, byte, SEEK_SET);
        fputc(was ^ 0x10, file);
        fflush(file);
        cr_assert_eq(run_take_role(&matcher, directory, PROCESS_MATCHER, 0, NULL), 0);
        cr_assert_lt(run_join(&matcher, NULL), 0, "byte %ld changed and nobody noticed", byte);
        run_leave(&matcher);
        fseek(file, byte, SEEK_SET);
        fputc(was, file);
        fclose(file);
    }
    run_leave(&journaler);
}

/* Two processes hand a number to and fro, sleeping in between: a lost ring would show as a time-out of 2 s. */
Test(run, no_ring_is_lost)
{
    enum { HANDOVERS = 20000 };
    struct run journaler = begin();
    char shared[RUN_PATH_BYTES];
    run_ring_path(&journaler, "numbers", shared);
    struct ring numbers = {0};
    struct ring_parameters parameters = {.name = "numbers", .capacity = 64};
    cr_assert_eq(ring_create(&numbers, shared, &parameters, NULL), 0);
    _Atomic uint64_t *turn = &numbers.file->producer.status;
    pid_t child = fork();
    const enum process_kind kinds[2] = {PROCESS_SEQUENCER, PROCESS_PERSISTER}; /* a futex and a FIFO */
    struct doorbells bells;
    cr_assert_eq(doorbells_open(&bells, directory, child == 0 ? kinds[0] : kinds[1], child != 0, NULL), 0);
    uint32_t other = 1u << (child == 0 ? kinds[1] : kinds[0]);
    struct timespec started, ended;
    clock_gettime(CLOCK_MONOTONIC, &started);
    for (uint64_t number = child == 0 ? 1 : 0; number < HANDOVERS; number += 2) {
        while (atomic_load(turn) != number) {
            doorbell_arm(&bells);
            if (atomic_load(turn) == number)
                doorbell_stay(&bells);
            else
                doorbell_sleep(&bells, -1, 2 * (uint64_t)NS_PER_SECOND);
        }
        atomic_store(turn, number + 1);
        doorbells_ring(&bells, other);
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    if (child == 0)
        _exit(0);
    int status = 1;
    waitpid(child, &status, 0);
    cr_assert_eq(status, 0);
    cr_assert_lt(ended.tv_sec - started.tv_sec, 4, "a ring was lost: only the time-out went on");
    doorbells_close(&bells);
    ring_detach(&numbers);
    run_leave(&journaler);
}

Test(topology, everybody_who_can_go_on_is_rung)
{
    cr_assert_eq(topology_doorbell(PROCESS_GATEWAY, 1), TOPOLOGY_GATEWAY_FIRST);
    cr_assert_eq(topology_doorbell(PROCESS_GATEWAY, 8), TOPOLOGY_PROCESSES_MAX - 1);
    cr_assert_eq(topology_listeners(PROCESS_GATEWAY, 2), 1u << PROCESS_SEQUENCER);
    cr_assert_eq(topology_listeners(PROCESS_SEQUENCER, 2), 1u << PROCESS_JOURNALER | 3u << TOPOLOGY_GATEWAY_FIRST);
    cr_assert_eq(topology_listeners(PROCESS_JOURNALER, 2), 1u << PROCESS_MATCHER | 1u << PROCESS_SEQUENCER);
    cr_assert_eq(topology_listeners(PROCESS_PERSISTER, 2), 0);
    cr_assert_neq(topology_hash(1), topology_hash(2));
}
