/*
 * The two things under every durable order over TCP, each alone: the bar that an order's latency is held against.
 *   - a blocking round trip of 64 bytes over TCP on the loopback, between two processes
 *   - a durable append of 4 KiB: pwritev2 with RWF_DSYNC, O_DIRECT, into a file written with zeros beforehand
 */
#ifndef RINGSIDE_LOAD_YARDSTICK_H
#define RINGSIDE_LOAD_YARDSTICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct yardstick {
    uint64_t round_trip_p50_ns;
    uint64_t append_p50_ns;
};

/* false, and why, if one of the two cannot be measured here. Takes about a second. */
bool yardstick_measure(const char *directory, struct yardstick *ret, char *why, size_t why_bytes);

#endif
