/* The simulated disk as the stages see it (env/disk.h), with its queues and what goes wrong in them. */
#ifndef RINGSIDE_SIMULATOR_DISK_SIDE_H
#define RINGSIDE_SIMULATOR_DISK_SIDE_H

#include "disk_model.h"

/* Chances in a million, for each operation that changes anything. */
struct disk_faults {
    uint32_t fail;      /* EIO */
    uint32_t shorten;   /* queued writes: a first part only */
    uint32_t lose;      /* damage: reported as done */
    uint32_t misdirect; /* damage: done somewhere else */
    uint64_t latency_ns;
};

extern struct disk_faults disk_faults;
extern uint64_t disk_fault_count;  /* that have happened */
extern uint64_t disk_damage_count; /* of them, those that nobody was told of */

/* Puts an empty one in use. */
void disk_side_begin(void);

/* Does what is due by now. */
void disk_side_advance(void);

/* When something is due next; UINT64_MAX: nothing is. */
uint64_t disk_side_due_ns(void);

/* A process is gone: its files are closed, what it had in flight lands later or never. */
void disk_side_forget(const struct process *process);

void disk_side_power_cut(void);

/* A bit flips in some file whose path has `part` in it. */
void disk_side_flip(const char *part);

/* What bugs can be planted here. */
struct disk_bugs {
    bool durable_is_not;    /* a durable write is an ordinary one */
    bool sync_does_nothing; /* of files, outside the queue */
    bool directory_sync_does_nothing;
};
extern struct disk_bugs disk_bugs;

#endif
