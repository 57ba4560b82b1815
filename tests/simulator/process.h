/*
 * A simulated process: what a stage owns, so that a kill can take it away as the kernel would, and nothing else.
 *
 *   memory        one arena a process; malloc and its like, called while the process runs, take from it
 *   mappings      mmap and munmap of the process are kept count of
 *   descriptors   open and close likewise; closing them gives up the locks of a run
 *
 * Rules
 *   1. The calls are wrapped at link time (-Wl,--wrap), so the stages' code is what the product has. Outside a process
 *      they are the C library's.
 *   2. A kill leaves by longjmp from a kill point, of which there are: each RING_HOOK, each call of the simulated disk
 *      and network. It never interrupts the C library.
 *   3. At a kill point, others may have their turn before this one goes on, as they do on several cores: what they do
 *      falls between two steps of a ring, of a file, of a socket.
 *   4. Memory that is given again is filled with a pattern, the same in every simulation of a seed.
 */
#ifndef RINGSIDE_SIMULATOR_PROCESS_H
#define RINGSIDE_SIMULATOR_PROCESS_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_DESCRIPTORS_MAX 64
#define PROCESS_MAPS_MAX        32

struct process_map {
    void *start;
    size_t bytes;
};

struct process {
    const char *name;
    uint8_t *arena;
    size_t arena_used;
    int descriptors[PROCESS_DESCRIPTORS_MAX];
    uint32_t descriptor_count;
    struct process_map maps[PROCESS_MAPS_MAX];
    uint32_t map_count;
    uint64_t kill_countdown;      /* kill points until the end; 0: none */
    uint64_t interlude_countdown; /* kill points until others have a turn in between; 0: none */
    bool running;                 /* its code is somewhere on the stack */
    const char *killed_at;        /* the place of the last kill */
    jmp_buf out;
};

/* Whose code runs; NULL: the simulator's own. */
extern struct process *process_current;

/* Runs work(argument) as the process. false: it was killed in it. */
bool process_run(struct process *process, void (*work)(void *argument), void *argument);

/* Gives others their turn, in the middle of a process; NULL: nobody does. */
extern void (*process_interlude)(void);

/* A place where a process can die, or others have their turn. */
void process_kill_point(const char *place);

/* Memory of the simulator's own, whoever runs: as realloc, for the simulated outside. */
void *process_outer_realloc(void *block, size_t bytes);

/* The kernel takes everything back. */
void process_drop(struct process *process);

#endif
