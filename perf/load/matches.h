/*
 * Both sides of every trade: each match number must come exactly twice, with the same quantity and price.
 *
 * Rules
 *   1. A number's first sight waits in a hash table; the second one must be its like and takes it out. The table is
 *      small, for both sides are told at about the same time, and grows when it must.
 *   2. A bit for each number whose pair is complete, so that a third sight is found however late it comes. The bits are
 *      a lazily filled mapping around the first number seen; the exchange counts match numbers up without gaps.
 */
#ifndef RINGSIDE_LOAD_MATCHES_H
#define RINGSIDE_LOAD_MATCHES_H

#include <stdbool.h>
#include <stdint.h>

struct match_side {
    uint64_t number; /* 0: an empty place */
    uint64_t price;
    uint32_t quantity;
    uint32_t reserved;
};

struct matches {
    struct match_side *waiting;
    uint64_t waiting_mask;
    uint64_t waiting_count; /* trades of which one side has come */
    uint64_t paired_count;  /* trades of which both have */
    uint8_t *paired_bits;
    uint64_t first; /* the number of the first bit */
};

bool matches_init(struct matches *matches);
void matches_finish(struct matches *matches);

/* NULL, or what is wrong with this side of a trade. */
const char *matches_add(struct matches *matches, const struct match_side *side);

#endif
