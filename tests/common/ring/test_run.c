/* Roles and runs: who may start, who joins what, and what is left of a run before. Children play other processes. */
#include "ring/owner.h"
#include "run/run.h"

#include <criterion/criterion.h>
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
    char path[RUN_PATH_BYTES], line[64] = "", expected[64];
    snprintf(path, sizeof(path), "%s/gateway-2.lock", directory);
    FILE *lock = fopen(path, "r");
    cr_assert_not_null(lock);
    cr_assert_not_null(fgets(line, sizeof(line), lock));
    fclose(lock);
    snprintf(expected, sizeof(expected), "%d %lu\n", (int)getpid(), owner_start_time());
    cr_assert_str_eq(line, expected);
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

/* All start anew with another number of gateways: who is sooner than the journaler does not hold the old run for it. */
Test(run, one_for_another_number_of_gateways_is_left_to_be_replaced)
{
    struct run journaler = begin();
    struct run matcher;
    struct error error;
    cr_assert_eq(run_take_role(&matcher, directory, PROCESS_MATCHER, 0, NULL), 0);
    matcher.gateways_wanted = 3;
    cr_assert_eq(run_join(&matcher, &error), ERROR_NOT_YET);
    run_leave(&journaler);
    cr_assert_eq(run_join(&matcher, &error), ERROR_NOT_YET);

    struct run_base wider = base;
    wider.gateway_count = 3;
    cr_assert_eq(run_take_role(&journaler, directory, PROCESS_JOURNALER, 0, &error), 0, "%s", error.what);
    cr_assert_eq(run_join_or_lock(&journaler, &error), 0, "nobody survives");
    cr_assert_eq(run_create(&journaler, &wider, &error), 0, "%s", error.what);
    cr_assert_eq(run_join(&matcher, &error), 0, "%s", error.what);
    run_leave(&matcher);

    cr_assert_eq(run_take_role(&matcher, directory, PROCESS_MATCHER, 0, NULL), 0);
    matcher.gateways_wanted = 2; /* and nobody makes one for two: what that means is the stage's to say */
    cr_assert_eq(run_join(&matcher, &error), ERROR_NOT_YET);
    matcher.unwanted_since_ns = 1;
    cr_assert_eq(run_join(&matcher, &error), 0, "%s", error.what);
    run_leave(&matcher);
    run_leave(&journaler);
}

/* The configuration was changed, the journaler alone began again: the others are in the old run and wait for it. */
Test(run, the_journaler_joins_one_for_another_number_of_gateways_that_goes_on)
{
    struct run journaler = begin(), sequencer, heir;
    struct error error = {0};
    const struct timespec pause = {.tv_nsec = NS_PER_MS};
    cr_assert_eq(run_take_role(&sequencer, directory, PROCESS_SEQUENCER, 0, NULL), 0);
    cr_assert_eq(run_join(&sequencer, NULL), 0);
    run_leave(&journaler);
    cr_assert_eq(run_take_role(&heir, directory, PROCESS_JOURNALER, 0, NULL), 0);
    heir.gateways_wanted = 3;
    int result = run_join_or_lock(&heir, &error);
    cr_assert_eq(result, ERROR_NOT_YET, "for a moment: the survivors may be ending");
    for (int tries = 0; result == ERROR_NOT_YET && tries < 200; tries++) { /* as survivors_join does */
        nanosleep(&pause, NULL);
        result = run_join_or_lock(&heir, &error);
    }
    cr_assert_eq(result, 1, "%s", error.what);
    cr_assert_eq(heir.base.gateway_count, 2);
    cr_assert_eq(memcmp(sequencer.run_id, heir.run_id, sizeof(heir.run_id)), 0);
    run_leave(&heir);
    run_leave(&sequencer);
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

Test(run, a_cut_run_file_is_one_still_being_made)
{
    struct run journaler = begin(), matcher;
    char path[RUN_PATH_BYTES];
    snprintf(path, sizeof(path), "%s/run", directory);
    cr_assert_eq(run_take_role(&matcher, directory, PROCESS_MATCHER, 0, NULL), 0);
    for (off_t bytes = sizeof(struct run_file) - 1; bytes >= 0; bytes--) {
        cr_assert_eq(truncate(path, bytes), 0);
        cr_assert_eq(run_join(&matcher, NULL), ERROR_NOT_YET);
    }
    run_leave(&matcher);
    run_leave(&journaler);
}

/* Locks are never removed: whoever holds one would hold nothing, and a second one could take the role. */
Test(run, a_new_run_leaves_locks_and_strangers_alone)
{
    static const struct {
        const char *name;
        bool kept;
    } files[] = {{"a.ring", false},      {"b.ring.new", false}, {"doorbell-7.fifo", false},
                 {"matcher.lock", true}, {"notes.txt", true},   {"ring", true},
                 {"fifo", true},         {".ring", true},       {"doorbells.old", true}};
    char path[RUN_PATH_BYTES];
    for (size_t which = 0; which < ARRAY_COUNT(files); which++) {
        snprintf(path, sizeof(path), "%s/%s", directory, files[which].name);
        FILE *file = fopen(path, "w");
        cr_assert_not_null(file);
        fclose(file);
    }
    struct run journaler = begin();
    for (size_t which = 0; which < ARRAY_COUNT(files); which++) {
        snprintf(path, sizeof(path), "%s/%s", directory, files[which].name);
        cr_assert_eq(access(path, F_OK) == 0, files[which].kept, "%s", files[which].name);
    }
    run_leave(&journaler);
}

Test(run, directories_are_made_on_the_way)
{
    struct run run;
    char deep[RUN_PATH_BYTES];
    snprintf(deep, sizeof(deep), "%s/one/two", directory);
    cr_assert_eq(run_take_role(&run, deep, PROCESS_MATCHER, 0, NULL), 0);
    struct stat status;
    cr_assert_eq(stat(deep, &status), 0);
    cr_assert_eq(status.st_mode & 07, 0, "others have no business there");
    run_leave(&run);
    struct error error;
    cr_assert_eq(run_take_role(&run, "/proc/no/such", PROCESS_MATCHER, 0, &error), ERROR_SYSTEM);
    cr_assert_not_null(strstr(error.where, "/proc/no"));
}

Test(run, a_process_hears_that_its_run_is_over)
{
    struct run journaler = begin(), sequencer;
    struct error error;
    cr_assert_eq(run_take_role(&sequencer, directory, PROCESS_SEQUENCER, 0, NULL), 0);
    cr_assert_eq(run_join(&sequencer, NULL), 0);
    cr_assert_eq(run_check(&sequencer, NULL), 0);
    char path[RUN_PATH_BYTES];
    snprintf(path, sizeof(path), "%s/run", directory);
    cr_assert_eq(unlink(path), 0); /* by hand: no program of ours does that */
    cr_assert_eq(run_check(&sequencer, &error), ERROR_MISMATCH);
    run_leave(&journaler);
    journaler = begin();
    cr_assert_eq(run_check(&sequencer, &error), ERROR_MISMATCH);
    run_leave(&sequencer);
    run_leave(&journaler);
}

Test(topology, everybody_who_can_go_on_is_rung)
{
    cr_assert_eq(topology_doorbell(PROCESS_GATEWAY, 1), TOPOLOGY_GATEWAY_FIRST);
    cr_assert_eq(topology_doorbell(PROCESS_GATEWAY, 8), TOPOLOGY_ADMIN - 1);
    cr_assert_eq(topology_doorbell(PROCESS_ADMIN, 0), TOPOLOGY_PROCESSES_MAX - 1);
    cr_assert_eq(topology_listeners(PROCESS_ADMIN, 2), 1u << PROCESS_SEQUENCER);
    cr_assert_eq(topology_listeners(PROCESS_GATEWAY, 2), 1u << PROCESS_SEQUENCER);
    cr_assert_eq(topology_listeners(PROCESS_SEQUENCER, 2), 1u << PROCESS_JOURNALER | 3u << TOPOLOGY_GATEWAY_FIRST);
    cr_assert_eq(topology_listeners(PROCESS_JOURNALER, 2), 1u << PROCESS_MATCHER | 1u << PROCESS_SEQUENCER);
    cr_assert_eq(topology_listeners(PROCESS_PERSISTER, 2), 0);
    cr_assert_neq(topology_hash(1), topology_hash(2));
}
