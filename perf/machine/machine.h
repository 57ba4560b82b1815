/* What the machine did meanwhile: own processor time, and time that the hypervisor took away. */
#ifndef RINGSIDE_MACHINE_MACHINE_H
#define RINGSIDE_MACHINE_MACHINE_H

#include <stdint.h>

struct machine_times {
    double own_s;       /* processor time of this process */
    uint64_t all_ticks; /* of all processors together, as /proc/stat counts */
    uint64_t stolen_ticks;
};

void machine_times_read(struct machine_times *times);

/* The fraction of the machine's time between the two that was stolen; -1 if it cannot be known. */
double machine_stolen(const struct machine_times *before, const struct machine_times *after);

#endif
