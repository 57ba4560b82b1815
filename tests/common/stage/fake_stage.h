/*
 * A stage without work of its own: what it does is told by a struct in shared memory, so that a test can watch and
 * steer it while it runs as a child of the test.
 */
#ifndef RINGSIDE_TESTS_FAKE_STAGE_H
#define RINGSIDE_TESTS_FAKE_STAGE_H

#include "run/run.h"
#include "stage/stage.h"

#include <stdatomic.h>
#include <sys/types.h>

struct fake {
    /* what it is to do */
    _Atomic int open_result;
    _Atomic int poll_result; /* returned by every poll; an error is filled in */
    _Atomic int joins;       /* 1: joins the run */
    _Atomic int stops;       /* 1: stopped() says yes */
    _Atomic int descriptor;
    /* what it has done */
    _Atomic uint64_t open_count;
    _Atomic uint64_t poll_count;
    _Atomic uint64_t stop_count;
    _Atomic uint64_t close_count;
    _Atomic uint64_t reload_count;
    _Atomic uint32_t gateways; /* mask of the gateways it was opened as */
};

extern struct fake *fake; /* of the process that runs, and of the test that watches */

extern const struct stage_definition fake_sequencer; /* sleeps on its futex word; has a stopped() */
extern const struct stage_definition fake_persister; /* pollable; ends at once */
extern const struct stage_definition fake_gateway;

/* A directory for the rings, and a run in it, made as the journaler makes one. */
struct fake_world {
    char directory[64];
    char set_directory[96]; /* exchange.rings_directory=... */
    struct run run;
};

void fake_world_init(struct fake_world *world);
void fake_world_finish(struct fake_world *world);

/* Runs stage_main in a child; stderr goes to `log`, a file descriptor. The arguments end with NULL. */
pid_t fake_start(const struct fake_world *world, const struct stage_definition *definition, int log,
                 char *const extra[]);

/* Its exit code; -signal if it was killed. */
int fake_wait(pid_t pid);

/* Waits until *word is at least `value`, at most 5 s. */
bool fake_reaches(_Atomic uint64_t *word, uint64_t value);

#endif
