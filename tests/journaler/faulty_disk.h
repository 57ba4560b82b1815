/*
 * A disk that fails on demand, around the real one.
 *
 * Fault model: the n-th operation that changes anything (counted over files and queue alike) fails, once, in the way
 * asked for; everything else happens as it should. Besides, completions can be held back.
 */
#ifndef TEST_JOURNALER_FAULTY_DISK_H
#define TEST_JOURNALER_FAULTY_DISK_H

#include "env/disk.h"

enum fault {
    FAULT_NONE,
    FAULT_EIO,   /* refused, nothing written */
    FAULT_SHORT, /* the first block only (queue), or EIO where there is no such thing */
    FAULT_FULL,  /* no space, for as long as it is set, for whatever allocates: create, reserve */
};

struct faulty_disk {
    enum fault fault;
    uint64_t fail_at; /* number of the operation that fails; 0: none */
    uint64_t operation_count;
    uint64_t free_bytes;   /* what is said to be left; 0: the truth */
    bool failed;           /* it has happened */
    bool hold_completions; /* nothing can be reaped */
    bool refuse_uring;     /* queues are created without io_uring */
};

extern struct faulty_disk faulty_disk;

/* Puts it in use, with no fault set. */
void faulty_disk_install(void);

#endif
