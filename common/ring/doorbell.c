#include "ring/doorbell.h"

#include "base/require.h"
#include "ring/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void fifo_path(const struct doorbells *doorbells, uint32_t index, char path[300])
{
    snprintf(path, 300, "%s/doorbell-%u.fifo", doorbells->directory, index);
}

static int map_shared(struct doorbells *doorbells, struct error *error)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/doorbells", doorbells->directory);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? error_set(error, ERROR_NOT_YET, path, "no doorbells yet")
                               : error_system(error, errno, path, "cannot open the doorbells");
    struct stat status;
    size_t bytes = DOORBELLS_MAX * sizeof(struct doorbell);
    if (fstat(fd, &status) < 0 || (size_t)status.st_size != bytes) {
        close(fd);
        return error_set(error, ERROR_MISMATCH, path, "not %zu bytes long", bytes);
    }
    void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    int system = errno;
    close(fd);
    if (mapped == MAP_FAILED)
        return error_system(error, system, path, "cannot map the doorbells");
    doorbells->shared = mapped;
    return 0;
}

static int open_own_fifo(struct doorbells *doorbells, struct error *error)
{
    char path[300];
    fifo_path(doorbells, doorbells->own, path);
    if (mkfifo(path, 0660) < 0 && errno != EEXIST)
        return error_system(error, errno, path, "cannot make the FIFO");
    /* Read and write, so that it never reports an end when the last ringer goes. */
    doorbells->own_fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (doorbells->own_fifo < 0)
        return error_system(error, errno, path, "cannot open the FIFO");
    return 0;
}

int doorbells_open(struct doorbells *doorbells, const char *directory, uint32_t own, bool pollable, struct error *error)
{
    REQUIRE(own < DOORBELLS_MAX);
    *doorbells = (struct doorbells){.own = own, .own_fifo = -1};
    for (uint32_t index = 0; index < DOORBELLS_MAX; index++)
        doorbells->fifos[index] = -1;
    snprintf(doorbells->directory, sizeof(doorbells->directory), "%s", directory);
    int result = map_shared(doorbells, error);
    if (result == 0 && pollable)
        result = open_own_fifo(doorbells, error);
    if (result < 0) {
        doorbells_close(doorbells);
        return result;
    }
    struct doorbell *bell = &doorbells->shared[own];
    atomic_store_explicit(&bell->pollable, pollable, memory_order_relaxed);
    atomic_store_explicit(&bell->waiting, 0, memory_order_release);
    return 0;
}

void doorbells_close(struct doorbells *doorbells)
{
    if (!doorbells || !doorbells->shared)
        return; /* the mapping comes first, so there is nothing else either */
    atomic_store_explicit(&doorbells->shared[doorbells->own].waiting, 0, memory_order_relaxed);
    for (uint32_t index = 0; index < DOORBELLS_MAX; index++)
        if (doorbells->fifos[index] >= 0)
            close(doorbells->fifos[index]);
    if (doorbells->own_fifo >= 0)
        close(doorbells->own_fifo);
    munmap(doorbells->shared, DOORBELLS_MAX * sizeof(struct doorbell));
    doorbells->shared = NULL;
    doorbells->own_fifo = -1;
}

/* Shared between processes, hence not the private kind. */
static void futex_wake(struct doorbell *bell)
{
    syscall(SYS_futex, &bell->word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void futex_wait(struct doorbell *bell, uint32_t word, const struct timespec *timeout)
{
    RING_HOOK("sleep: before the futex");
    syscall(SYS_futex, &bell->word, FUTEX_WAIT, word, timeout, NULL, 0);
}

/*
 * The FIFO is the same file across restarts of its owner. Opened for reading too, though nothing is read: a ringer
 * whose FIFO has no reader gets SIGPIPE, and an owner that was killed is no reader.
 */
static void ring_fifo(struct doorbells *doorbells, uint32_t index)
{
    if (doorbells->fifos[index] < 0) {
        char path[300];
        fifo_path(doorbells, index, path);
        doorbells->fifos[index] = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (doorbells->fifos[index] < 0)
            return; /* no owner yet: nobody sleeps there */
    }
    ssize_t written = write(doorbells->fifos[index], "!", 1);
    (void)written; /* full: it is ringing already */
}

static void wake(struct doorbells *doorbells, uint32_t index)
{
    struct doorbell *bell = &doorbells->shared[index];
    if (atomic_exchange_explicit(&bell->waiting, 0, memory_order_acq_rel) == 0)
        return;
    RING_HOOK("ring: flag lowered");
    atomic_fetch_add_explicit(&bell->word, 1, memory_order_release);
    atomic_fetch_add_explicit(&bell->ring_count, 1, memory_order_relaxed);
    RING_HOOK("ring: word raised");
    if (atomic_load_explicit(&bell->pollable, memory_order_relaxed))
        ring_fifo(doorbells, index);
    else
        futex_wake(bell);
}

void doorbells_ring(struct doorbells *doorbells, uint32_t mask)
{
    ring_fence_full(); /* what was published is seen by whoever raised his flag before */
    for (; mask; mask &= mask - 1) {
        uint32_t index = (uint32_t)__builtin_ctz(mask);
        if (atomic_load_explicit(&doorbells->shared[index].waiting, memory_order_relaxed))
            wake(doorbells, index);
    }
}

void doorbell_arm(struct doorbells *doorbells)
{
    atomic_store_explicit(&doorbells->shared[doorbells->own].waiting, 1, memory_order_relaxed);
    RING_HOOK("arm: flag raised");
    ring_fence_full(); /* the flag is seen before we look for work once more */
}

void doorbell_stay(struct doorbells *doorbells)
{
    atomic_store_explicit(&doorbells->shared[doorbells->own].waiting, 0, memory_order_relaxed);
}

static void drain(int fifo)
{
    char bytes[256];
    while (read(fifo, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
        ;
}

static void sleep_on_descriptors(const struct doorbells *doorbells, int descriptor, const struct timespec *timeout)
{
    struct pollfd watched[2] = {
        {.fd = doorbells->own_fifo, .events = POLLIN},
        {.fd = descriptor, .events = POLLIN},
    };
    RING_HOOK("sleep: before the poll");
    (void)ppoll(watched, descriptor >= 0 ? 2 : 1, timeout, NULL);
    if (watched[0].revents)
        drain(doorbells->own_fifo);
}

void doorbell_sleep(struct doorbells *doorbells, int descriptor, uint64_t timeout_ns)
{
    struct doorbell *bell = &doorbells->shared[doorbells->own];
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_SECOND),
                               .tv_nsec = (long)(timeout_ns % NS_PER_SECOND)};
    if (doorbells->own_fifo >= 0) {
        sleep_on_descriptors(doorbells, descriptor, &timeout);
    } else {
        REQUIRE(descriptor < 0);
        uint32_t word = atomic_load_explicit(&bell->word, memory_order_acquire);
        RING_HOOK("sleep: word read");
        /* A ring between arming and here has lowered the flag; the word alone would have been read too late. */
        if (atomic_load_explicit(&bell->waiting, memory_order_acquire))
            futex_wait(bell, word, &timeout);
    }
    doorbell_stay(doorbells);
}
