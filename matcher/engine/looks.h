/* What looking ahead in a batch keeps from one round to the next (prefetch.h). */
#ifndef RINGSIDE_ENGINE_LOOKS_H
#define RINGSIDE_ENGINE_LOOKS_H

#include <stdint.h>

/* Looking ahead in a batch (prefetch.h): what one round leaves for the next, and how far each has come. */
#define LOOK_GROUP  8u /* commands */
#define LOOK_GROUPS 8u
#define LOOK_ROUNDS 3u
#define LOOK_PLACES UINT64_C(64) /* commands of all groups */
#define LOOK_EVERY  4u           /* commands: the first round's turn, then that of the others */

/* What is found out about a command for its own turn. A guess: by then it may be wrong, and is never used unseen. */
struct look {
    uint64_t seq;   /* of the command */
    uint32_t hash;  /* in the index: of an entry's own name, else of the order that it is about */
    uint32_t order; /* the order that a change is about; 0: none was found */
};

struct look_change {
    struct look *look;
};

struct look_entry {
    union {
        const uint32_t *page;      /* where its page's number stands */
        const struct level *level; /* from the second round on */
    };
    uint32_t key;
    uint32_t instrument;
    uint32_t side;
    uint32_t maker; /* the oldest order of the best level that it crosses; 0: it crosses none */
};

struct look_group {
    uint32_t change_count;
    uint32_t entry_count;
    struct look_change changes[LOOK_GROUP + 1]; /* one place more than ever counts: see look_first */
    struct look_entry entries[LOOK_GROUP + 1];
};

_Static_assert(LOOK_PLACES == UINT64_C(1) * LOOK_GROUPS * LOOK_GROUP, "a place for each");

struct looks {
    uint64_t done[LOOK_ROUNDS];            /* groups below this one have had this round */
    struct look at[LOOK_PLACES];           /* of command n at n modulo their number */
    struct look_group groups[LOOK_GROUPS]; /* group n at n modulo their number */
};

#endif
