/*
 * Doorbells: how a process that sleeps for want of work is woken. One for each process of a run, all in one file.
 *
 * A process raises its `waiting` flag, fences, looks once more for work and sleeps. Whoever makes progress possible for
 * it (records, space, a cursor in its barrier) rings once a batch: fence, and if the flag is up, lower it and wake. So
 * a sleep costs one system call on each side and a busy process none. Every sleep has a time-out as a backstop.
 *
 * Two ways to sleep: on the futex word (stages that have rings only) and on a FIFO (stages that wait on descriptors
 * too). Doorbells do not carry data; a spurious ring is harmless.
 *
 * Layout: doorbell i is at i * 128 of the file "doorbells" in the run directory.
 */
#ifndef RINGSIDE_RING_DOORBELL_H
#define RINGSIDE_RING_DOORBELL_H

#include "base/error.h"
#include "base/units.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define DOORBELLS_MAX 32

struct doorbell {
    _Atomic uint32_t waiting;  /* 1: asleep or about to be; written by the owner, lowered by the ringer */
    _Atomic uint32_t word;     /* futex word, raised by one at each ring */
    _Atomic uint32_t pollable; /* 1: the owner sleeps on its FIFO */
    uint32_t reserved0;
    _Atomic uint64_t ring_count; /* wakes made: each was a system call of the ringer */
    uint8_t reserved1[LINE_PAIR_BYTES - 24];
};
_Static_assert(sizeof(struct doorbell) == LINE_PAIR_BYTES, "a line pair");

struct doorbells {
    struct doorbell *shared;  /* DOORBELLS_MAX of them, mapped */
    int fifos[DOORBELLS_MAX]; /* opened when first rung; -1 */
    char directory[256];
    uint32_t own; /* index of this process */
    int own_fifo; /* -1 if this process sleeps on its futex word */
};

int doorbells_open(struct doorbells *doorbells, const char *directory, uint32_t own, bool pollable,
                   struct error *error);
void doorbells_close(struct doorbells *doorbells);

/* Rings every doorbell whose bit is set, if its owner sleeps. One fence for all. */
void doorbells_ring(struct doorbells *doorbells, uint32_t mask);

/* Raises the own flag and fences: look for work once more after this, then sleep or doorbell_stay. */
void doorbell_arm(struct doorbells *doorbells);
void doorbell_stay(struct doorbells *doorbells);

/*
 * Sleeps until rung, until `descriptor` (if >= 0; the doorbell must be pollable) is readable, or until timeout_ns is
 * over. The flag is down afterwards and the FIFO drained.
 */
void doorbell_sleep(struct doorbells *doorbells, int descriptor, uint64_t timeout_ns);

#endif
