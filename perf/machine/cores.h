/* The machine's cores: where a process runs, and how long a cache line takes from one to another. */
#ifndef RINGSIDE_MACHINE_CORES_H
#define RINGSIDE_MACHINE_CORES_H

#include <sys/types.h>

/* Pins the calling thread; a hint: where it is refused, the figures are noisier. Cores count round. */
void core_pin(unsigned core);

/* On any core again. */
void core_unpin(void);

/* A process that keeps a core busy and gives way to whoever wants it, as a stage that spins does; -1: there is none. */
pid_t core_occupy(unsigned core);
void core_vacate(pid_t occupant);

/* One way, in ns, between the first two cores, with a process of its own on the second; pins the caller to the first.
 */
double core_to_core_ns(void);

/* In a loop that waits for another core. */
static inline void core_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

#endif
