/*
 * stage_main. Goal: every way in and out of a stage process: command line, role, signals, exit codes, systemd,
 * sleeping. Method: a stage that does nothing (fake_stage.h) run as a child by the real main.
 */
#include "fake_stage.h"
#include "stage/waiter.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOTHING ((char *const[]){NULL})

static struct fake_world world;
static int log_file;

static void setup(void)
{
    fake_world_init(&world);
    log_file = memfd_create("log", MFD_CLOEXEC);
    unsetenv("RINGSIDE_CONFIG");
}

static void teardown(void)
{
    close(log_file);
    fake_world_finish(&world);
}

TestSuite(stage, .init = setup, .fini = teardown, .timeout = 20);

static const char *log_text(void)
{
    static char text[65536];
    ssize_t bytes = pread(log_file, text, sizeof(text) - 1, 0);
    text[bytes > 0 ? bytes : 0] = '\0';
    return text;
}

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* ---- the command line ---------------------------------------------------------------------------------------------
 */

static void expect_exit(int code, const char *says, char *const arguments[])
{
    cr_assert_eq(ftruncate(log_file, 0), 0);
    lseek(log_file, 0, SEEK_SET);
    int got = fake_wait(fake_start(&world, &fake_sequencer, log_file, arguments));
    cr_expect_eq(got, code, "%s: %d, wanted %d", arguments[0], got, code);
    cr_expect(strstr(log_text(), says), "%s does not say '%s' but: %s", arguments[0], says, log_text());
}

Test(stage, answers_and_ends)
{
    expect_exit(EXIT_STAGE_OK, "ringside-sequencer ", (char *const[]){"--version", NULL});
    expect_exit(EXIT_STAGE_OK, "durability = sync", (char *const[]){"--help", NULL});
    expect_exit(EXIT_STAGE_OK, "defaults: good, 1 instruments",
                (char *const[]){"--set", "instruments.AAPL=", "--check", NULL});
    cr_expect_eq(fake->open_count, 0);
}

Test(stage, refuses_a_bad_command_line)
{
    expect_exit(EXIT_STAGE_USAGE, "no such option: --fast", (char *const[]){"--fast", NULL});
    expect_exit(EXIT_STAGE_USAGE, "lacks its value: --config", (char *const[]){"--config", NULL});
    expect_exit(EXIT_STAGE_USAGE, "unexpected: more", (char *const[]){"more", NULL});
    expect_exit(EXIT_STAGE_USAGE, "only a gateway", (char *const[]){"--gateway", "1", NULL});
    expect_exit(EXIT_STAGE_USAGE, "--json", (char *const[]){"--json", NULL});
    cr_expect_eq(fake->open_count, 0);
}

Test(stage, refuses_a_bad_configuration)
{
    expect_exit(EXIT_STAGE_CONFIG, "there is no option exchange.x", (char *const[]){"--set", "exchange.x=1", NULL});
    expect_exit(EXIT_STAGE_CONFIG, "/nonexistent", (char *const[]){"--config", "/nonexistent", NULL});
    expect_exit(EXIT_STAGE_CONFIG, "power of two", (char *const[]){"--set", "rings.event_slots=65", NULL});
    cr_expect_eq(fake->open_count, 0);
}

Test(stage, reads_the_file_that_the_environment_names)
{
    char path[] = "/tmp/ringside-test-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(write(fd, "[exchange]\nwhat = 1\n", 20) == 20);
    close(fd);
    setenv("RINGSIDE_CONFIG", path, 1);
    expect_exit(EXIT_STAGE_CONFIG, ":2: there is no option what", (char *const[]){"--check", NULL});
    unlink(path);
}

Test(stage, an_instance_names_its_file_and_its_gateway)
{
    expect_exit(EXIT_STAGE_CONFIG, "/etc/ringside/no-such.conf", (char *const[]){"--instance", "no-such", NULL});
    expect_exit(EXIT_STAGE_USAGE, "only a gateway", (char *const[]){"--instance", "no-such:2", NULL});
    expect_exit(EXIT_STAGE_USAGE, "only a gateway", (char *const[]){"--instance", "2", NULL});
    expect_exit(EXIT_STAGE_USAGE, "letters, digits", (char *const[]){"--instance", "../blue", NULL});
    expect_exit(EXIT_STAGE_USAGE, "letters, digits", (char *const[]){"--instance", "-blue", NULL});
    expect_exit(EXIT_STAGE_USAGE, "no name", (char *const[]){"--instance", ":2", NULL});
    expect_exit(EXIT_STAGE_USAGE, "no name", (char *const[]){"--instance", "", NULL});
    fake->poll_result = ERROR_CLOSED; /* ends at the first poll */
    char *const third[] = {"--instance", "3", "--set", "exchange.gateways=3", NULL};
    cr_expect_eq(fake_wait(fake_start(&world, &fake_gateway, log_file, third)), EXIT_STAGE_FAILED);
    cr_expect_eq(fake->gateways, 1u << 3);
}

Test(stage, a_gateway_is_one_of_those_configured)
{
    char *const second[] = {"--gateway", "2", NULL};
    cr_expect_eq(fake_wait(fake_start(&world, &fake_gateway, log_file, second)), EXIT_STAGE_CONFIG);
    cr_expect(strstr(log_text(), "2 is above exchange.gateways"));
    fake->poll_result = ERROR_CLOSED; /* ends at the first poll */
    cr_expect_eq(fake_wait(fake_start(&world, &fake_gateway, log_file,
                                      (char *const[]){"--gateway", "3", "--set", "exchange.gateways=3", NULL})),
                 EXIT_STAGE_FAILED);
    cr_expect_eq(fake->gateways, 1u << 3);
    cr_expect(strstr(log_text(), " gateway-3: "));
}

/* ---- ways out -----------------------------------------------------------------------------------------------------
 */

Test(stage, exit_codes_tell_what_to_do)
{
    static const struct {
        int error;
        int code;
    } cases[] = {
        {ERROR_SYSTEM, EXIT_STAGE_FAILED}, {ERROR_CORRUPT, EXIT_STAGE_DATA}, {ERROR_MISMATCH, EXIT_STAGE_DATA},
        {ERROR_HELD, EXIT_STAGE_HELD},     {ERROR_IO, EXIT_STAGE_IO},        {ERROR_INVALID, EXIT_STAGE_CONFIG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake->open_result = cases[i].error;
        cr_expect_eq(fake_wait(fake_start(&world, &fake_sequencer, log_file, NOTHING)), cases[i].code);
        fake->open_result = 0;
        fake->poll_result = cases[i].error;
        cr_expect_eq(fake_wait(fake_start(&world, &fake_sequencer, log_file, NOTHING)), cases[i].code);
        fake->poll_result = 0;
    }
    cr_expect(strstr(log_text(), "the stage ends (look at the device before starting again; exit code 74): fake: "
                                 "told to fail"));
    cr_expect_eq(fake->open_count, fake->close_count);
}

Test(stage, a_role_has_one_owner)
{
    pid_t first = fake_start(&world, &fake_sequencer, log_file, NOTHING);
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)first);
    cr_assert(fake_reaches(&fake->poll_count, 1));
    cr_expect_eq(fake_wait(fake_start(&world, &fake_sequencer, log_file, NOTHING)), EXIT_STAGE_HELD);
    cr_expect(strstr(log_text(), pid), "does not say who: %s", log_text());
    kill(first, SIGKILL);
    fake_wait(first);
    pid_t next = fake_start(&world, &fake_sequencer, log_file, NOTHING);
    cr_assert(fake_reaches(&fake->open_count, 2));
    kill(next, SIGTERM);
    cr_expect_eq(fake_wait(next), EXIT_STAGE_OK);
}

Test(stage, another_run_ends_it)
{
    pid_t pid = fake_start(&world, &fake_sequencer, log_file, NOTHING);
    char path[RUN_PATH_BYTES];
    cr_assert(fake_reaches(&fake->poll_count, 2));
    snprintf(path, sizeof(path), "%s/run", world.directory);
    unlink(path);
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_RUN);
}

Test(stage, finishes_what_is_in_flight)
{
    fake->stops = 0;
    pid_t pid = fake_start(&world, &fake_sequencer, log_file, NOTHING);
    cr_assert(fake_reaches(&fake->poll_count, 1));
    kill(pid, SIGTERM);
    cr_assert(fake_reaches(&fake->stop_count, 3), "polled on until it says that it has stopped");
    cr_expect_eq(fake->close_count, 0);
    fake->stops = 1;
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_OK);
    cr_expect_eq(fake->close_count, 1);
    cr_expect(strstr(log_text(), "ended: at rest"));
}

Test(stage, ends_at_once_when_asked_twice)
{
    fake->stops = 0;
    pid_t pid = fake_start(&world, &fake_sequencer, log_file, NOTHING);
    cr_assert(fake_reaches(&fake->poll_count, 1));
    kill(pid, SIGINT);
    cr_assert(fake_reaches(&fake->stop_count, 1));
    kill(pid, SIGINT);
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_OK);
}

/* ---- systemd ------------------------------------------------------------------------------------------------------
 */

static int notify_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", world.directory);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    struct timeval patience = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    return fd;
}

/* Reads messages until one holds `wanted`. */
static bool notified(int fd, const char *wanted)
{
    char text[1024];
    for (ssize_t bytes; (bytes = recv(fd, text, sizeof(text) - 1, 0)) > 0;) {
        text[bytes] = '\0';
        if (strstr(text, wanted))
            return true;
    }
    return false;
}

Test(stage, tells_systemd)
{
    int fd = notify_socket();
    setenv("WATCHDOG_USEC", "200000", 1);
    unsetenv("WATCHDOG_PID");
    pid_t pid = fake_start(&world, &fake_sequencer, log_file, NOTHING);
    cr_expect(notified(fd, "READY=1\nSTATUS=at rest"));
    for (int i = 0; i < 3; i++)
        cr_expect(notified(fd, "WATCHDOG=1"));
    cr_expect(notified(fd, "STATUS=at rest"));
    kill(pid, SIGTERM);
    cr_expect(notified(fd, "STOPPING=1"));
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_OK);
    close(fd);
}

Test(stage, tells_systemd_of_a_reload)
{
    int fd = notify_socket();
    pid_t pid = fake_start(&world, &fake_gateway, log_file, NOTHING);
    cr_expect(notified(fd, "READY=1\nSTATUS="));
    kill(pid, SIGHUP);
    cr_expect(notified(fd, "RELOADING=1\nMONOTONIC_USEC="));
    cr_expect(notified(fd, "READY=1"));
    cr_expect_eq(fake->reload_count, 1);
    kill(pid, SIGTERM);
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_OK);
    close(fd);
}

Test(stage, a_long_start_is_given_time_as_long_as_it_turns)
{
    int fd = notify_socket();
    fake->joins = 0;
    pid_t pid = fake_start(&world, &fake_sequencer, log_file, NOTHING);
    cr_expect(notified(fd, "EXTEND_TIMEOUT_USEC=30000000"));
    kill(pid, SIGTERM);
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_OK);
    close(fd);
}

/* ---- memory -------------------------------------------------------------------------------------------------------
 */

static long locked_kb(pid_t pid)
{
    char path[64], line[128];
    long kb = -1;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *status = fopen(path, "re");
    while (status && fgets(line, sizeof(line), status))
        if (strncmp(line, "VmLck:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    if (status)
        fclose(status);
    return kb;
}

static long locked_kb_of_stage(char *const arguments[])
{
    pid_t pid = fake_start(&world, &fake_sequencer, log_file, arguments);
    cr_assert(fake_reaches(&fake->poll_count, 1));
    fake->poll_count = 0;
    long kb = locked_kb(pid);
    kill(pid, SIGTERM);
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_OK);
    return kb;
}

Test(stage, locks_its_memory_where_there_is_no_limit)
{
    const struct rlimit infinity = {RLIM_INFINITY, RLIM_INFINITY};
    const struct rlimit little = {64 << 10, 64 << 10};
    bool may = setrlimit(RLIMIT_MEMLOCK, &infinity) == 0;
    if (may) {
        cr_expect_gt(locked_kb_of_stage(NOTHING), 0);
        cr_expect_eq(locked_kb_of_stage((char *const[]){"--set", "exchange.lock_memory=no", NULL}), 0);
    }
    cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &little), 0);
    cr_expect_eq(locked_kb_of_stage(NOTHING), 0);
}

/* ---- waiting ------------------------------------------------------------------------------------------------------
 */

Test(stage, sleeps_when_idle_and_wakes_when_rung)
{
    pid_t pid = fake_start(&world, &fake_sequencer, log_file, (char *const[]){"--set", "exchange.wait=park", NULL});
    cr_assert(fake_reaches(&fake->poll_count, 33));
    pause_ms(1300); /* long enough for the long sleeps to begin */
    uint64_t polls = fake->poll_count;
    pause_ms(600);
    cr_expect_leq(fake->poll_count - polls, 30, "%lu polls in 600 ms of rest",
                  (unsigned long)(fake->poll_count - polls));
    polls = fake->poll_count;
    uint32_t index = topology_doorbell(PROCESS_SEQUENCER, 0);
    struct doorbell *bell = &world.run.doorbells.shared[index];
    for (int i = 0; i < 1000 && !bell->waiting; i++)
        pause_ms(1);
    doorbells_ring(&world.run.doorbells, 1u << index);
    cr_expect(fake_reaches(&fake->poll_count, polls + 1));
    cr_expect_geq(bell->ring_count, 1);
    kill(pid, SIGTERM);
    struct rusage usage;
    cr_assert_eq(wait4(pid, NULL, 0, &usage), pid);
    long cpu_us = usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000 +
                  usage.ru_stime.tv_usec;
    cr_expect_leq(cpu_us, 100000, "%ld us of processor for two seconds of rest", cpu_us);
}

Test(stage, watches_its_descriptor_while_asleep)
{
    int ends[2];
    cr_assert_eq(pipe2(ends, O_NONBLOCK), 0);
    fake->descriptor = ends[0];
    pid_t pid = fake_start(&world, &fake_persister, log_file, (char *const[]){"--set", "exchange.wait=park", NULL});
    cr_assert(fake_reaches(&fake->poll_count, 40));
    pause_ms(1300);
    uint64_t polls = fake->poll_count;
    cr_assert_eq(write(ends[1], "x", 1), 1); /* stays readable: from now on it does not sleep */
    cr_expect(fake_reaches(&fake->poll_count, polls + 1000));
    kill(pid, SIGTERM);
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_OK);
    close(ends[0]);
    close(ends[1]);
}

Test(stage, waits_quietly_for_a_run)
{
    char path[RUN_PATH_BYTES];
    char aside[RUN_PATH_BYTES];
    snprintf(path, sizeof(path), "%s/run", world.directory);
    snprintf(aside, sizeof(aside), "%s/run.aside", world.directory);
    cr_assert_eq(rename(path, aside), 0);
    pid_t pid = fake_start(&world, &fake_sequencer, log_file, (char *const[]){"--set", "exchange.wait=spin", NULL});
    pause_ms(300);
    cr_expect_leq(fake->poll_count, 400, "even spin sleeps before it has joined");
    cr_expect_not(strstr(log_text(), "ready"));
    cr_assert_eq(rename(aside, path), 0);
    uint64_t polls = fake->poll_count;
    cr_expect(fake_reaches(&fake->poll_count, polls + 10000), "and spins from then on");
    kill(pid, SIGTERM);
    cr_expect_eq(fake_wait(pid), EXIT_STAGE_OK);
    cr_expect(strstr(log_text(), "ready: at rest"));
}

Test(waiter, spins_where_there_is_a_core_for_each)
{
    cr_expect(waiter_spins(WAIT_AUTO, 5, 5));
    cr_expect_not(waiter_spins(WAIT_AUTO, 5, 4));
    cr_expect(waiter_spins(WAIT_SPIN, 5, 1));
    cr_expect_not(waiter_spins(WAIT_PARK, 5, 64));
    cr_expect_geq(waiter_core_count(), 1);
}
