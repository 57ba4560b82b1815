/*
 * A run: the rings that belong together, in one directory (option rings_directory, in /dev/shm by default).
 *
 *   run           struct run_file, written once by its creator; its flock is what tells survivors
 *   doorbells     doorbell.h
 *   NAME.ring     ring_layout.h
 *   NAME.fifo     doorbells of pollable processes, doorbell-INDEX.fifo
 *   NAME.notes    what a process leaves for its next life, for itself alone; stays when a new run is made
 *   ROLE.lock     one for each process: an exclusive flock, held for life, with pid and start time as text; and a lock
 *                 of its open file description, for bystanders to ask for
 *
 * Rules
 *   1. Every stage holds a shared flock on `run`. The journaler alone makes a new run, and needs the exclusive one for
 *      it, so a new run means that no process of the earlier one survives.
 *   2. If somebody survives, or nobody does but the run file is whole and the rings are there, the run goes on: shared
 *      memory outlives processes. (The journaler, starting with nobody alive, always makes a new run.)
 *   3. A role is owned by its lock alone. Nothing is taken over by a time-out.
 *   4. Once a second a stage compares the run id at the path with its own; another one means that it must restart.
 */
#ifndef RINGSIDE_RUN_H
#define RINGSIDE_RUN_H

#include "base/error.h"
#include "base/units.h"
#include "ring/doorbell.h"
#include "ring/ring.h"
#include "topology/topology.h"

#include <stdint.h>

#define RUN_MAGIC   0x314e555249444952u /* "RIDIRUN1" */
#define RUN_VERSION 1

#define RUN_UNWANTED_NS  (5 * (uint64_t)NS_PER_SECOND)
#define RUN_SURVIVORS_NS (100 * (uint64_t)NS_PER_MS)

/* What a new run starts from: the journaler finds it in the journal and the event log. */
struct run_base {
    uint64_t command_seq_next; /* first command sequence of the run */
    uint64_t event_seq_next;   /* first event sequence that is not in the event log */
    uint64_t last_time_ns;     /* time of the last command in the journal; 0: none */
    uint32_t epoch;            /* journal epoch in which the run was made */
    uint32_t gateway_count;
};

struct run_file {
    _Atomic uint64_t magic; /* stored last */
    uint32_t version;
    uint32_t checksum; /* crc32c of the rest, with this field and magic as 0 */
    uint8_t run_id[16];
    struct run_base base;
    uint64_t created_ns;
};

/* A process's membership of a run. */
struct run {
    char directory[200];
    uint8_t run_id[16];
    struct run_base base;
    int run_fd;  /* holds the shared lock */
    int role_fd; /* holds the role's lock */
    uint64_t run_inode;
    enum process_kind kind;
    uint32_t gateway;           /* from 1 for gateways, else 0 */
    uint32_t gateways_wanted;   /* by the configuration; 0: as many as the run has */
    uint64_t unwanted_since_ns; /* since when there is a run for another number; CLOCK_MONOTONIC, 0: it is not so */
    struct doorbells doorbells;
    uint32_t listeners;
};

/* Takes the role's lock: ERROR_HELD says who has it. First of all; the directory is made if need be. */
int run_take_role(struct run *run, const char *directory, enum process_kind kind, uint32_t gateway,
                  struct error *error);

/*
 * Journaler only: 1 if a surviving run was joined, 0 if nobody survives and run_create must follow (the exclusive lock
 * is then held), negative on failure. One for another number of gateways than wanted is joined all the same if its
 * survivors do not end within RUN_SURVIVORS_NS (ERROR_NOT_YET until then): they wait for nobody but the journaler.
 */
int run_join_or_lock(struct run *run, struct error *error);

/* Journaler only, after run_join_or_lock gave 0: removes the old run's files and makes a new one. */
int run_create(struct run *run, const struct run_base *base, struct error *error);

/*
 * The other stages: ERROR_NOT_YET until there is a whole run file. Takes the shared lock and opens the doorbells. One
 * for another number of gateways than wanted is left alone for RUN_UNWANTED_NS: where all start with a new
 * configuration, whoever joined the old run would keep the journaler from making a new one.
 */
int run_join(struct run *run, struct error *error);

/* 0, or ERROR_MISMATCH if the run at the path is no longer ours. */
int run_check(const struct run *run, struct error *error);

/* Path of a ring of this run, such as run_ring_path(run, "inbound-1", path). */
#define RUN_PATH_BYTES 256
void run_ring_path(const struct run *run, const char *name, char path[RUN_PATH_BYTES]);

/* Path of what a process leaves for its next life: run_notes_path(run, "gateway-1", path). */
void run_notes_path(const struct run *run, const char *name, char path[RUN_PATH_BYTES]);

/* Fills the parameters that all rings of the run share: hashes, run id. record_hash, capacity, gating stay to do. */
void run_ring_parameters(const struct run *run, const char *name, struct ring_parameters *parameters);

/* Rings all listeners of this process: once after each batch. */
static inline void run_ring_listeners(struct run *run)
{
    doorbells_ring(&run->doorbells, run->listeners);
}

void run_leave(struct run *run);

#endif
