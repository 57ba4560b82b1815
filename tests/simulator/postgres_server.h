/*
 * The simulated PostgreSQL: connections, statements, transactions, a log of which the end is not on its disk yet.
 *
 * Rules
 *   1. It knows the statements that the persister sends, to the letter, and no others: one that it does not know is a
 *      violation, so whoever changes a statement tells it here what that does.
 *   2. Statements of one query run one after the other, at any times; a client that dies leaves what it had sent to be
 *      run. A row of high_water that a transaction has changed is locked until that ends.
 *   3. COMMIT does not wait for the disk: a crash takes the last commits back, from some place on behind what was
 *      flushed, and all transactions under way.
 *   4. Keys are not checked: a row that is there twice shows in the comparison with the events, at once.
 */
#ifndef RINGSIDE_SIMULATOR_POSTGRES_SERVER_H
#define RINGSIDE_SIMULATOR_POSTGRES_SERVER_H

#include "postgres_tables.h"
#include "process.h"

#include <stdbool.h>
#include <stdint.h>

void postgres_begin(void);
void postgres_end(void);

/* A little work on every connection; all there is if `whole`. */
void postgres_move(bool whole);

/* A connection breaks; what had arrived may have been done before. */
void postgres_drop_one(void);
/* All break. crashes: and it forgets what is not on its disk. */
void postgres_stop(bool crashes);

/* Another persister takes a mark, and does no more. */
void postgres_steal(void);

/* Marks: of the last event, of what was told to be on the disk. */
struct postgres_marks {
    uint64_t events_seq, orders_seq, events_told, orders_told;
};
struct postgres_marks postgres_marks(void);

/* The client library's: a process is gone. */
void postgres_client_forget(const struct process *process);

/* ---- between the files of the server ---- */

/* Parses rows of COPY BINARY into a table. How many, or -1: `what` says what is wrong with them. */
int64_t copy_rows(const uint8_t *bytes, size_t count, const struct table *form, const uint32_t columns[],
                  uint32_t column_count, struct cell *(*add)(void *argument), void *argument, const char **what);

/* What the merges of staged rows do; `day` 0: any. Each returns the rows affected, or -1: a key is there twice. */
int64_t merge_orders(struct transaction *transaction, const struct table *staged, uint32_t day, bool renumbers);
int64_t merge_logins(struct transaction *transaction, const struct table *staged);
int64_t merge_closed(struct transaction *transaction, const struct table *staged);
int64_t merge_instruments_added(struct transaction *transaction, const struct table *staged);
int64_t merge_instruments_state(struct transaction *transaction, const struct table *staged);
int64_t merge_instruments_limits(struct transaction *transaction, const struct table *staged);
int64_t merge_days_started(struct transaction *transaction, const struct table *staged);
int64_t merge_days_ended(struct transaction *transaction, const struct table *staged);

#endif
