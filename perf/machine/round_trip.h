/*
 * What a round trip over TCP takes: 64 bytes there and back on the loopback, between two processes that block, each on
 * a core of its own (wherever the kernel put them, it would be four times quicker whenever it chose one core for both).
 */
#ifndef RINGSIDE_MACHINE_ROUND_TRIP_H
#define RINGSIDE_MACHINE_ROUND_TRIP_H

#include "base/histogram.h"

#include <stdint.h>

/*
 * Adds round trips to times for so long, one after the other. The two are children of the caller, which waits for them.
 * -1 and errno if there is none.
 */
int round_trip_measure(uint64_t for_ns, struct histogram *times);

#endif
