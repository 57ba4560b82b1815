/* The clocks of the outside. The real side reads the kernel's; the simulator links its own. */
#ifndef RINGSIDE_ENV_CLOCK_H
#define RINGSIDE_ENV_CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_ns(void); /* for waiting, ages and hop stamps */
uint64_t clock_realtime_ns(void);  /* for what is told to people; only the sequencer puts it into commands */
uint64_t clock_thread_ns(void);    /* the time on a core that this thread has had; a system call */

#endif
