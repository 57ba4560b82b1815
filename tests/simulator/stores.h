/*
 * The simulated stores together: what happens to them, and whether they hold what they must.
 */
#ifndef RINGSIDE_SIMULATOR_STORES_H
#define RINGSIDE_SIMULATOR_STORES_H

#include "config/config.h"
#include "eventlog/store_marks.h"
#include "store_link.h"

/* How stores behave. Chances are in a million. */
struct store_manners {
    uint32_t move;   /* a step: what is on its way arrives, servers work */
    uint32_t refuse; /* a statement or command: an error is the answer */
    uint32_t drop;   /* a step: a connection breaks */
    uint32_t stop;   /* a step: a store goes away for a while, and forgets nothing */
    uint32_t crash;  /* a step: likewise, and forgets what it may */
    uint32_t hang;   /* a step: it answers nobody for a while */
    uint32_t steal;  /* a step: another persister takes its mark, and does no more */
    uint32_t lose;   /* a step: Redis loses its mark, or everything, and goes on */
    uint32_t room;   /* bytes that may be on their way to a store */
};

/* What bugs can be planted here. */
struct store_bugs {
    bool mark_apart;      /* the mark is moved in a transaction of its own */
    bool mark_anyhow;     /* the mark is moved wherever it is */
    bool flushed_is_no;   /* the end of the server's log is taken for what is on its disk */
    bool live_is_assumed; /* take.lua says that the hashes show all */
    bool watch_is_none;   /* a watched key may change */
};

extern struct store_bugs store_bugs;
extern uint64_t store_fault_count; /* that have happened */

void stores_begin(const struct store_manners *manners, const struct config *config);
void stores_end(void);

/* A process is gone: its connections are. */
void stores_forget(const struct process *process);

bool stores_up(enum store_side side);

/* A step: some of it, or none. */
void stores_move(void);
/* Things go wrong again. */
void stores_rage(void);
/* Nothing goes wrong any more, and all that is on its way arrives. */
void stores_rest(void);

/* Each has the last event, and has said so for good. */
bool stores_settled(void);
/* Where they stand, for a person. */
void stores_describe(char *text, size_t text_bytes);

/* At the end: everything, from the first event to the last. */
void stores_check(void);

/* ---- for the stores themselves ---- */

const struct store_manners *stores_manners(void);
/* A chance, while things go wrong. */
bool stores_chance(uint32_t per_million);
/* What whoever trims the event log is told. */
struct store_marks stores_told(void);

#endif
