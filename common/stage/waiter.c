#include "stage/waiter.h"

#include "base/require.h"
#include "base/units.h"

#include <immintrin.h>
#include <poll.h>
#include <sched.h>
#include <time.h>

#define EMPTY_POLLS_YIELDED   32u
#define LITTLE_WORK           256 /* records of a poll: up to 100 us of it */
#define SLEEP_NS              (10u * (uint64_t)NS_PER_MS)
#define SLEEP_LONG_NS         (100u * (uint64_t)NS_PER_MS)
#define SLEEP_UNHURRIED_NS    (2u * (uint64_t)NS_PER_MS)
#define SLEEP_UNJOINED_NS     ((uint64_t)NS_PER_MS)
#define IDLE_LONG_NS          ((uint64_t)NS_PER_SECOND)
#define SLEEP_DESCRIPTORS_MAX (TOPOLOGY_PROCESSES_MAX + 1)

uint32_t waiter_core_count(void)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (sched_getaffinity(0, sizeof(cores), &cores) != 0)
        return 1;
    return (uint32_t)CPU_COUNT(&cores);
}

bool waiter_spins(enum config_wait wait, uint32_t process_count, uint32_t core_count)
{
    if (wait == WAIT_AUTO)
        return core_count >= process_count;
    return wait == WAIT_SPIN;
}

void waiter_init(struct waiter *waiter, struct run *run, bool spin, bool unhurried)
{
    *waiter = (struct waiter){.run = run, .spin = spin && !unhurried, .unhurried = unhurried};
}

void waiter_busy(struct waiter *waiter, int count)
{
    if (waiter->armed) {
        doorbell_stay(&waiter->run->doorbells);
        waiter->armed = false;
    }
    waiter->empty_poll_count = 0;
    waiter->idle_since_ns = 0;
    bool shares_cores = !waiter->spin && !waiter->unhurried && waiter->run->doorbells.shared != NULL;
    if (shares_cores && count < LITTLE_WORK)
        sched_yield();
}

void waiter_sleep_on(const int *descriptors, uint32_t count, uint64_t timeout_ns)
{
    struct pollfd polled[SLEEP_DESCRIPTORS_MAX];
    nfds_t polled_count = 0;
    REQUIRE(count <= SLEEP_DESCRIPTORS_MAX);
    for (uint32_t i = 0; i < count; i++)
        if (descriptors[i] >= 0)
            polled[polled_count++] = (struct pollfd){.fd = descriptors[i], .events = POLLIN};
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_SECOND),
                               .tv_nsec = (long)(timeout_ns % NS_PER_SECOND)};
    (void)ppoll(polled, polled_count, &timeout, NULL); /* a signal, a descriptor, the time: each is a reason to go on */
}

/* Asleep on the doorbell, or on the descriptor alone where the doorbell is a futex word and cannot watch it. */
static void sleep_armed(struct waiter *waiter, int descriptor, uint64_t timeout_ns)
{
    struct doorbells *doorbells = &waiter->run->doorbells;
    waiter->sleep_count++;
    waiter->armed = false;
    if (descriptor >= 0 && doorbells->own_fifo < 0) {
        doorbell_stay(doorbells);
        waiter_sleep_on(&descriptor, 1, SLEEP_UNJOINED_NS);
        return;
    }
    doorbell_sleep(doorbells, descriptor, timeout_ns);
}

/* The kernel's threads that complete a disk's writes or take packets run on some core, and may be waiting for this. */
static void spin(bool kernel_works)
{
    if (kernel_works)
        sched_yield();
    else
        _mm_pause();
}

void waiter_idle(struct waiter *waiter, int descriptor, bool settled, uint64_t now_ns)
{
    bool joined = waiter->run->doorbells.shared != NULL;
    if (waiter->spin && joined) {
        spin(descriptor >= 0);
        return;
    }
    if (waiter->idle_since_ns == 0)
        waiter->idle_since_ns = now_ns;
    bool idle_long = now_ns - waiter->idle_since_ns > IDLE_LONG_NS;
    if (waiter->unhurried && joined) {
        waiter->sleep_count++;
        waiter_sleep_on(&descriptor, 1, idle_long ? SLEEP_NS : SLEEP_UNHURRIED_NS);
    } else if (waiter->empty_poll_count < EMPTY_POLLS_YIELDED) {
        waiter->empty_poll_count++;
        sched_yield();
    } else if (!joined) {
        waiter->sleep_count++;
        waiter_sleep_on(&descriptor, 1, SLEEP_UNJOINED_NS);
    } else if (!waiter->armed) {
        doorbell_arm(&waiter->run->doorbells);
        waiter->armed = true;
    } else {
        sleep_armed(waiter, descriptor, idle_long && settled ? SLEEP_LONG_NS : SLEEP_NS);
    }
}
