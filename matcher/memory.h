/*
 * The engine's arena: one anonymous mapping, in huge pages where the machine gives them, all of it in memory before the
 * first order comes.
 */
#ifndef RINGSIDE_MATCHER_MEMORY_H
#define RINGSIDE_MATCHER_MEMORY_H

#include "base/error.h"

#include <stddef.h>

struct memory {
    void *mapped;
    size_t mapped_bytes;
    void *start; /* aligned to a huge page, zeroed */
};

int memory_open(struct memory *memory, size_t bytes, struct error *error);
void memory_close(struct memory *memory);

#endif
