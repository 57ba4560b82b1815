/*
 * The engine's arena: one anonymous mapping, in huge pages where the machine gives them. Its pages come as they are
 * touched, or ahead of that, part by part: who must be ready soon need not wait for those that he does not use yet.
 */
#ifndef RINGSIDE_MATCHER_MEMORY_H
#define RINGSIDE_MATCHER_MEMORY_H

#include "base/error.h"

#include <stddef.h>

struct memory {
    void *mapped;
    size_t mapped_bytes;
    void *start;         /* aligned to a huge page, zeroed */
    size_t absent_bytes; /* at its end, that were not populated */
};

/* ERROR_FULL: there is not so much memory. */
int memory_open(struct memory *memory, size_t bytes, struct error *error);

/* Brings in the next so many bytes, if they are not there. 1: there may be more to bring in; 0: all is there. */
int memory_populate(struct memory *memory, size_t bytes, struct error *error);

void memory_close(struct memory *memory);

#endif
