/* What a bystander sees of a run's processes: who holds a role, and that nobody does any more. A child plays the stage.
 */
#include "config/config.h"
#include "run/run.h"
#include "scratch.h"
#include "view/run_view.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *directory;
static struct config config;

static void make(void)
{
    directory = scratch_make();
    config_init(&config);
    snprintf(config.exchange_rings_directory, sizeof(config.exchange_rings_directory), "%s", directory);
}

static void unmake(void)
{
    config_finish(&config);
    scratch_remove();
}

TestSuite(run_view, .init = make, .fini = unmake);

/* A process that has taken the matcher's role by the time that this returns, and keeps it until it is killed. */
static pid_t matcher(void)
{
    int told[2];
    char byte = 0;
    cr_assert_eq(pipe(told), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        struct run run;
        byte = run_take_role(&run, directory, PROCESS_MATCHER, 0, NULL) == 0;
        if (write(told[1], &byte, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    cr_assert_eq(read(told[0], &byte, 1), 1);
    cr_assert_eq(byte, 1, "the child has the role");
    close(told[0]);
    close(told[1]);
    return child;
}

static void end(pid_t child)
{
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
}

static struct process_view seen_of(const char *name)
{
    static struct run_view view;
    run_view_read(&view, &config);
    for (uint32_t i = 0; i < view.process_count; i++)
        if (strcmp(view.processes[i].name, name) == 0)
            return view.processes[i];
    cr_assert(false, "a run has no %s", name);
    return view.processes[0];
}

static void write_lock(const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/matcher.lock", directory);
    FILE *lock = fopen(path, "w");
    cr_assert_not_null(lock);
    cr_assert_geq(fputs(text, lock), 0);
    cr_assert_eq(fclose(lock), 0);
}

Test(run_view, tells_who_holds_a_role_and_that_nobody_does_any_more)
{
    cr_expect(!seen_of("matcher").held, "nobody has come yet");
    pid_t child = matcher();
    cr_expect(seen_of("matcher").held);
    cr_expect_eq(seen_of("matcher").pid, child);
    cr_expect(!seen_of("sequencer").held, "another role");
    end(child);
    cr_expect(!seen_of("matcher").held, "he is dead, whatever his lock says");
    cr_expect_eq(seen_of("matcher").pid, 0);
}

Test(run_view, does_not_take_another_process_for_the_holder)
{
    pid_t child = matcher();
    char text[64];
    snprintf(text, sizeof(text), "%d 1\n",
             (int)getpid()); /* as one of another PID namespace: a number that we have too */
    write_lock(text);
    cr_expect(seen_of("matcher").held);
    cr_expect_eq(seen_of("matcher").pid, 0, "a process of that number began at another moment");
    write_lock("");
    cr_expect(seen_of("matcher").held, "he has yet to write who he is");
    cr_expect_eq(seen_of("matcher").pid, 0);
    end(child);
}
