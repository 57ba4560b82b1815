/*
 * Where a test lets something happen between two steps of the ring: the sources are compiled with RING_HOOKED, and each
 * hook that is passed while something is armed counts. A test repeats its scenario with `at` from 0 on, until
 * hooks_reached says that the scenario ended before.
 */
#ifndef RINGSIDE_TESTS_RING_HOOKS_H
#define RINGSIDE_TESTS_RING_HOOKS_H

#include "ring/hook.h"

#include <limits.h>
#include <stdbool.h>

#define HOOKS_EACH UINT_MAX

/* Calls `visitor` once, at the hook number `at` from now, or at each with HOOKS_EACH; hooks inside it do not count. */
void hooks_arm(unsigned at, void (*visitor)(const char *place));

/* True if the visitor was called since arming. */
bool hooks_reached(void);

/* Also before a visitor leaves by longjmp. */
void hooks_disarm(void);

#endif
