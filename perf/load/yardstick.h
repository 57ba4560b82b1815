/*
 * The two things under every durable order over TCP, each alone: the bar that an order's latency is held against.
 *   - a blocking round trip of 64 bytes over TCP on the loopback, between two processes
 *   - a durable append of 4 KiB: pwritev2 with RWF_DSYNC, O_DIRECT, into a file written with zeros beforehand
 */
#ifndef RINGSIDE_LOAD_YARDSTICK_H
#define RINGSIDE_LOAD_YARDSTICK_H

#include "base/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct yardstick {
    struct histogram round_trip_ns;
    struct histogram append_ns;
};

void yardstick_clear(struct yardstick *yardstick);

/*
 * Measures both for half a second each and adds what they took. false, and why, if one cannot be measured here. Called
 * before and after a run, so that a disk that changes its mind in between counts with both.
 */
bool yardstick_measure(const char *directory, struct yardstick *yardstick, char *why, size_t why_bytes);

uint64_t yardstick_round_trip_p50_ns(const struct yardstick *yardstick);
uint64_t yardstick_round_trip_p99_ns(const struct yardstick *yardstick);
uint64_t yardstick_append_p50_ns(const struct yardstick *yardstick);

#endif
