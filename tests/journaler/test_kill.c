/*
 * A real journaler process killed with SIGKILL at random moments while this process publishes commands and reads its
 * cursor. Whatever the cursor told must be in the journal, all of it once and in order, over every life.
 *
 *   test_journaler_kill JOURNALER [LIVES] [SEED]
 */
#include "base/units.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(bool ok, const char *what, uint64_t number)
{
    if (ok)
        return;
    printf("failed: %s (%lu)\n", what, number);
    exit(1);
}

static pid_t start_journaler(const char *program, const struct world *world, const char *durability)
{
    char settings[6][320];
    snprintf(settings[0], 320, "exchange.rings_directory=%s", world->config.exchange_rings_directory);
    snprintf(settings[1], 320, "journal.directory=%s", world->config.journal_directory);
    snprintf(settings[2], 320, "events.directory=%s", world->config.events_directory);
    snprintf(settings[3], 320, "journal.durability=%s", durability);
    snprintf(settings[4], 320, "journal.segment_bytes=%u", 2 * MIB);
    snprintf(settings[5], 320, "journal.batch_bytes=%u", 64 * KIB);
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, "--set", settings[0], "--set", settings[1], "--set", settings[2], "--set", settings[3],
              "--set", settings[4], "--set", settings[5], "--set", "exchange.log_level=error", (char *)NULL);
        _exit(127);
    }
    check(child > 0, "fork", (uint64_t)errno);
    return child;
}

/* Joins the run that the journaler made, and stays in it, so that it survives. */
static void join(struct world *world)
{
    world->run = (struct run){.run_fd = -1, .role_fd = -1};
    check(run_take_role(&world->run, world->config.exchange_rings_directory, PROCESS_SEQUENCER, 0, &world->error) == 0,
          world->error.what, 0);
    for (int tries = 0; tries < 5000; tries++) {
        if (run_join(&world->run, &world->error) == 0)
            return;
        usleep(1000);
    }
    check(false, world->error.what, 0);
}

/* Publishes for a random while, waking the journaler as the sequencer would. */
static void feed(struct world *world, uint64_t micros)
{
    for (uint64_t slept = 0; slept < micros; slept += 50) {
        world_publish(world, world->producer.next + (uint64_t)(rand() % 200));
        run_ring_listeners(&world->run);
        usleep(50);
    }
}

static void run_lives(const char *program, const char *durability, int lives)
{
    struct world world;
    world_init(&world, "/tmp");
    pid_t child = start_journaler(program, &world, durability);
    join(&world);
    world_make_rings(&world);
    for (int life = 0; life < lives; life++) {
        feed(&world, (uint64_t)(rand() % 40000));
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the journaler ended by itself", (uint64_t)status);
        uint64_t told = world_cursor(&world);
        int64_t read = world_read(&world, 1);
        /* A kill in the very first moments leaves no whole segment. */
        check(read >= (int64_t)told || (read == ERROR_NOT_YET && told == 1), "told but not in the journal", told);
        child = start_journaler(program, &world, durability);
    }
    feed(&world, 300000);
    uint64_t last = world.producer.next - 1;
    for (int tries = 0; tries < 5000 && world_cursor(&world) <= last; tries++) {
        run_ring_listeners(&world.run);
        usleep(1000);
    }
    check(world_cursor(&world) == last + 1, "the last life did not catch up", world_cursor(&world));
    kill(child, SIGTERM);
    int status;
    waitpid(child, &status, 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "ending it", (uint64_t)status);
    check(world_read(&world, 1) == (int64_t)last + 1, "what the journal holds", last);
    printf("%s: %d kills, %lu commands, each there once\n", durability, lives, last);
    run_leave(&world.run);
    world_finish(&world);
}

int main(int argc, char **argv)
{
    check(argc >= 2, "usage: test_journaler_kill JOURNALER [LIVES] [SEED]", 0);
    int lives = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 25;
    unsigned seed = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : (unsigned)getpid();
    signal(SIGPIPE, SIG_IGN); /* the doorbell of a killed journaler */
    srand(seed);
    printf("seed %u\n", seed);
    run_lives(argv[1], "sync", lives);
    run_lives(argv[1], "write", lives);
    return 0;
}
