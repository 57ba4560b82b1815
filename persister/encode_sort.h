/*
 * The entries of a list by the number of their order; those of one order stay as they were to each other.
 *
 * Radix sort from the lowest digit up, over as many digits as the numbers span: those of one batch lie close together.
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_SORT_H
#define RINGSIDE_PERSISTER_ENCODE_SORT_H

#include <stdint.h>

struct sort_entry {
    uint64_t order_ref;
    uint32_t entry;
};

/* Both arrays have room for count; returns the one that holds the result. */
struct sort_entry *sort_by_order(struct sort_entry *entries, struct sort_entry *spare, uint32_t count);

#endif
