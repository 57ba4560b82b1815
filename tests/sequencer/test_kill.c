/*
 * kill -9, many times. Goal: whatever the instruction at which the sequencer dies, no record is lost, doubled or out of
 * order. Method: it runs as a child that is killed at random moments while this process writes two inbound rings and
 * reads the command ring. `test_kill SEED` repeats a run's moments as nearly as the machine lets it.
 */
#include "base/require.h"
#include "world.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_COUNT  200
#define RECORDS_MAX (WORLD_SEEN_MAX - 1024)
#define PATIENCE_S  20

static uint64_t random_state;

static uint64_t random_below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static _Noreturn void be_sequencer(struct world *world)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    world_start(world);
    for (;;) {
        int count = world_poll(world);
        if (count < 0) {
            fprintf(stderr, "the sequencer ends: %s: %s\n", world->error.where, world->error.what);
            _exit(1);
        }
        if (count == 0)
            sched_yield();
    }
}

static pid_t start_sequencer(struct world *world)
{
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0)
        be_sequencer(world);
    return pid;
}

/* Writes and reads for so long. */
static void work(struct world *world, uint64_t duration_us)
{
    for (uint64_t until_us = now_us() + duration_us; now_us() < until_us;) {
        for (uint64_t i = random_below(40); i > 0; i--)
            if (world->gateways[0].producer.next + world->gateways[1].producer.next < RECORDS_MAX)
                world_put(world, 1 + (uint32_t)random_below(2));
        world_read(world);
        sched_yield();
    }
}

/* false: the child ended by itself. */
static bool kill_sequencer(pid_t pid)
{
    int status = 0;
    kill(pid, SIGKILL);
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static bool drain(struct world *world)
{
    uint64_t wanted = 1 + world->gateways[0].producer.next - 1 + world->gateways[1].producer.next - 1;
    uint64_t until_us = now_us() + PATIENCE_S * UINT64_C(1000000);
    while (world->seen_count < wanted && now_us() < until_us)
        world_read(world);
    return world->seen_count == wanted;
}

static const char *run_test(struct world *world)
{
    for (int kills = 0; kills < KILL_COUNT; kills++) {
        pid_t pid = start_sequencer(world);
        work(world, 200 + random_below(6000));
        if (!kill_sequencer(pid))
            return "the sequencer ended by itself";
    }
    pid_t pid = start_sequencer(world);
    bool drained = drain(world);
    if (!kill_sequencer(pid))
        return "the sequencer ended by itself";
    return drained ? world_check(world) : "not every record came";
}

int main(int argc, char **argv)
{
    static struct world world;
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : now_us() | 1;
    random_state = seed;
    world_init(&world, 2);
    world_make_run(&world);
    world_make_inbound(&world, 1);
    world_make_inbound(&world, 2);
    const char *broken = run_test(&world);
    printf("%d kills, %" PRIu64 " commands, seed %" PRIu64 ": %s\n", KILL_COUNT, world.seen_count, seed,
           broken ? broken : "each record once, in order");
    world_finish(&world);
    return broken ? 1 : 0;
}
