#include "perf/machine/cores.h"

#include "base/units.h"
#include "env/clock.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 200000u

struct ping {
    _Alignas(LINE_PAIR_BYTES) _Atomic uint64_t there;
    _Alignas(LINE_PAIR_BYTES) _Atomic uint64_t back;
};

void core_pin(unsigned core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

void core_unpin(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (long core = 0; core < sysconf(_SC_NPROCESSORS_ONLN) && core < CPU_SETSIZE; core++)
        CPU_SET((size_t)core, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

pid_t core_occupy(unsigned core)
{
    pid_t occupant = fork();
    if (occupant != 0)
        return occupant;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    core_pin(core);
    for (;;)
        sched_yield();
}

void core_vacate(pid_t occupant)
{
    if (occupant <= 0)
        return;
    kill(occupant, SIGKILL);
    waitpid(occupant, NULL, 0);
}

double core_to_core_ns(void)
{
    struct ping *ping = mmap(NULL, sizeof(*ping), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ping == MAP_FAILED)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        core_pin(1);
        for (uint64_t round = 1; round <= ROUNDS; round++) {
            while (atomic_load_explicit(&ping->there, memory_order_acquire) != round)
                core_relax();
            atomic_store_explicit(&ping->back, round, memory_order_release);
        }
        _exit(0);
    }
    core_pin(0);
    uint64_t started_ns = clock_monotonic_ns();
    for (uint64_t round = 1; child > 0 && round <= ROUNDS; round++) {
        atomic_store_explicit(&ping->there, round, memory_order_release);
        while (atomic_load_explicit(&ping->back, memory_order_acquire) != round)
            core_relax();
    }
    uint64_t took_ns = clock_monotonic_ns() - started_ns;
    if (child > 0)
        waitpid(child, NULL, 0);
    munmap(ping, sizeof(*ping));
    return (double)took_ns / (2.0 * ROUNDS);
}
