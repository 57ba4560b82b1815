/*
 * What the tables must hold, made from the events that the witness knows, without the persister's encoders.
 *
 *   - Of the tables that only grow: the rows of each event, once, in the transaction that moves the mark past it.
 *   - Of orders: each as its events leave it. Of sessions, instruments and days likewise.
 *   - A mark is never past what is acknowledged, and never behind what was told to be durable.
 */
#ifndef RINGSIDE_SIMULATOR_POSTGRES_TRUTH_H
#define RINGSIDE_SIMULATOR_POSTGRES_TRUTH_H

#include "postgres_tables.h"

enum truth_part { TRUTH_EVENTS, TRUTH_ORDERS, TRUTH_PART_COUNT };

void truth_begin(void);
void truth_end(void);

/* A transaction of that writer is about to be committed, which moves its mark; and has been. */
void truth_before_commit(enum truth_part part, uint64_t from_seq, uint64_t to_seq,
                         const struct transaction *transaction);
void truth_after_commit(enum truth_part part, uint64_t to_seq);

/* A crash took commits back: the marks are there now. */
void truth_rewind(uint64_t events_seq, uint64_t orders_seq);

/* Everything, from the first event to the last. */
void truth_check_all(void);

#endif
