/* Who a process is: a pid is given again when its process is gone, a pid with its start time never. */
#ifndef RINGSIDE_RING_OWNER_H
#define RINGSIDE_RING_OWNER_H

#include <stdint.h>
#include <sys/types.h>

/* Start time of this process in clock ticks since boot: field 22 of /proc/self/stat. 0 if it cannot be read. */
uint64_t owner_start_time(void);

/* The same of another process; 0 too if there is none, or none to be seen from here. */
uint64_t owner_start_time_of(pid_t pid);

#endif
