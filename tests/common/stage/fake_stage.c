#include "fake_stage.h"

#include "base/require.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 16

struct fake *fake;

struct fake_state {
    struct run *run;
    bool joined;
};

static int fake_open(void **ret_stage, const struct stage_context *context, struct error *error)
{
    if (fake->open_result < 0)
        return error_set(error, fake->open_result, "fake", "told to fail");
    struct fake_state *state = calloc(1, sizeof(*state));
    REQUIRE(state);
    state->run = context->run;
    atomic_fetch_or(&fake->gateways, 1u << context->gateway);
    fake->open_count++;
    *ret_stage = state;
    return 0;
}

static int fake_poll(void *stage, uint64_t now_ns, struct error *error)
{
    struct fake_state *state = stage;
    (void)now_ns;
    fake->poll_count++;
    if (fake->joins && !state->joined) {
        int result = run_join(state->run, error);
        if (result == ERROR_NOT_YET)
            return 0;
        if (result < 0)
            return result;
        state->joined = true;
    }
    int result = fake->poll_result;
    return result < 0 ? error_set(error, result, "fake", "told to fail") : result;
}

static bool fake_ready(const void *stage)
{
    const struct fake_state *state = stage;
    return state->joined || !fake->joins;
}

static int fake_descriptor(const void *stage)
{
    (void)stage;
    return fake->descriptor;
}

static bool fake_stopped(void *stage, uint64_t now_ns)
{
    (void)stage;
    (void)now_ns;
    fake->stop_count++;
    return fake->stops;
}

static void fake_reload(void *stage)
{
    (void)stage;
    fake->reload_count++;
}

static void fake_describe(const void *stage, char *text, size_t text_bytes)
{
    (void)stage;
    snprintf(text, text_bytes, "at rest");
}

static void fake_close(void *stage)
{
    if (!stage)
        return;
    fake->close_count++;
    free(stage);
}

#define FAKE(definition_name, definition_kind, can_poll, stopped_function)                                             \
    {                                                                                                                  \
        .name = (definition_name), .kind = (definition_kind), .pollable = (can_poll), .summary = "does nothing",       \
        .open = fake_open, .poll = fake_poll, .ready = fake_ready, .descriptor = fake_descriptor,                      \
        .stopped = (stopped_function), .reload = fake_reload, .describe = fake_describe, .close = fake_close           \
    }

const struct stage_definition fake_sequencer = FAKE("sequencer", PROCESS_SEQUENCER, false, fake_stopped);
const struct stage_definition fake_persister = FAKE("persister", PROCESS_PERSISTER, true, NULL);
const struct stage_definition fake_gateway = FAKE("gateway", PROCESS_GATEWAY, true, NULL);

void fake_world_init(struct fake_world *world)
{
    struct error error;
    memset(world, 0, sizeof(*world));
    fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(fake != MAP_FAILED);
    fake->descriptor = -1;
    fake->joins = 1;
    fake->stops = 1;
    snprintf(world->directory, sizeof(world->directory), "/dev/shm/ringside-test.XXXXXX");
    REQUIRE(mkdtemp(world->directory));
    snprintf(world->set_directory, sizeof(world->set_directory), "exchange.rings_directory=%s", world->directory);
    struct run_base base = {.command_seq_next = 1, .event_seq_next = 1, .epoch = 1, .gateway_count = 1};
    REQUIRE(run_take_role(&world->run, world->directory, PROCESS_JOURNALER, 0, &error) == 0);
    REQUIRE(run_join_or_lock(&world->run, &error) == 0);
    REQUIRE(run_create(&world->run, &base, &error) == 0);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void fake_world_finish(struct fake_world *world)
{
    run_leave(&world->run);
    nftw(world->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    munmap(fake, sizeof(*fake));
}

pid_t fake_start(const struct fake_world *world, const struct stage_definition *definition, int log,
                 char *const extra[])
{
    char set_directory[96];
    char *arguments[ARGUMENTS_MAX] = {"fake", "--set", set_directory};
    int count = 3;
    memcpy(set_directory, world->set_directory, sizeof(set_directory));
    while (*extra && count + 1 < ARGUMENTS_MAX)
        arguments[count++] = *extra++;
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid > 0)
        return pid;
    dup2(log, STDERR_FILENO);
    dup2(log, STDOUT_FILENO);
    int code = stage_main(count, arguments, definition);
    fflush(stdout);
    _exit(code);
}

int fake_wait(pid_t pid)
{
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool fake_reaches(_Atomic uint64_t *word, uint64_t value)
{
    struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < 5000 && *word < value; i++)
        nanosleep(&pause, NULL);
    return *word >= value;
}
