/*
 * No ring is lost: two processes hand a number to and fro, each sleeping until the other rings, 100,000 times for each
 * way to sleep. A lost ring would leave both asleep until the time-out, so a sleep that lasts that long is the failure;
 * how fast the rest goes is printed and judged by nobody.
 */
#include "base/units.h"
#include "env/clock.h"
#include "ring/doorbell.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANDOVERS  100000u
#define TIMEOUT_NS (3 * (uint64_t)NS_PER_SECOND)

static char directory[64];
static _Atomic uint64_t *turn;

/* 0, or 1 if a ring was lost. The first of the two has the even numbers. */
static int hand_over(uint32_t own, bool pollable)
{
    struct doorbells bells;
    struct error error;
    if (doorbells_open(&bells, directory, own, pollable, &error) < 0) {
        fprintf(stderr, "%s: %s\n", error.where, error.what);
        return 1;
    }
    int lost = 0;
    for (uint64_t number = own; number < HANDOVERS && !lost; number += 2) {
        while (atomic_load(turn) != number && !lost) {
            doorbell_arm(&bells);
            if (atomic_load(turn) == number) {
                doorbell_stay(&bells);
                continue;
            }
            uint64_t slept_ns = clock_monotonic_ns();
            doorbell_sleep(&bells, -1, TIMEOUT_NS);
            lost = clock_monotonic_ns() - slept_ns >= TIMEOUT_NS;
        }
        atomic_store(turn, number + 1);
        doorbells_ring(&bells, 1u << (1 - own));
    }
    doorbells_close(&bells);
    return lost;
}

static int measure(const char *what, bool first_pollable, bool second_pollable)
{
    atomic_store(turn, 0);
    uint64_t started_ns = clock_monotonic_ns();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(hand_over(1, second_pollable));
    int lost = hand_over(0, first_pollable);
    int status = 1;
    waitpid(child, &status, 0);
    double each_us = (double)(clock_monotonic_ns() - started_ns) / NS_PER_US / HANDOVERS;
    printf("%-14s %u handovers, %.1f us each: %s\n", what, HANDOVERS, each_us,
           lost || status ? "A RING WAS LOST" : "ok");
    return lost || status;
}

static int make_doorbells(char *path, size_t path_bytes)
{
    snprintf(directory, sizeof(directory), "/dev/shm/ringside-test-bells-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, path_bytes, "%s/doorbells", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    int result = ftruncate(fd, DOORBELLS_MAX * sizeof(struct doorbell));
    close(fd);
    return result;
}

int main(void)
{
    char path[128];
    turn = mmap(NULL, sizeof(*turn), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (turn == MAP_FAILED || make_doorbells(path, sizeof(path)) < 0)
        return 1;
    int failed = measure("futex, futex", false, false);
    failed |= measure("FIFO, FIFO", true, true);
    failed |= measure("futex, FIFO", false, true);
    unlink(path);
    for (uint32_t index = 0; index < 2; index++) {
        snprintf(path, sizeof(path), "%s/doorbell-%u.fifo", directory, index);
        unlink(path);
    }
    rmdir(directory);
    return failed;
}
