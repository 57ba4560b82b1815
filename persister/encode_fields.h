/*
 * The rows of each set, field by field, and the statements that they are for: which table takes them, in which columns
 * (in the order of the fields), and how rows that change what is there are merged into it.
 *
 *   encode_fields.c      orders, trades, refusals and the small tables
 *   encode_steps.c       steps of orders
 *   encode_statements.c  the statements
 *
 * Rules
 *   1. A set with a staging table is copied there and merged; the others are copied into their table.
 *   2. Staging tables are temporary, of the connection, and empty again after each transaction.
 *   3. fields_* write one row of at most ROW_BYTES_MAX bytes. An event that is a row of two orders has one of each
 *      enum which_order.
 *   4. The merge of orders that are all of one day is sent to that day's table: the planner then has an index with one
 *      row a number to think about, and no other days.
 *
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_FIELDS_H
#define RINGSIDE_PERSISTER_ENCODE_FIELDS_H

#include "encode_rows.h"

#define ROW_SET_MERGES_MAX 3
#define ROW_SET_MERGE_HEAD "UPDATE ringside.orders"

struct row_set_statements {
    const char *copy;                       /* COPY ... FROM STDIN */
    const char *staging;                    /* makes the temporary table; NULL: none */
    const char *merges[ROW_SET_MERGES_MAX]; /* to be run after the copy, in order; NULL: no more */
    bool is_of_one_day;                     /* the merge, which begins with ROW_SET_MERGE_HEAD, may be of rule 4 */
    bool is_exact;                          /* the merge must affect as many rows as were copied */
};

extern const struct row_set_statements row_set_statements[ROW_SET_COUNT];

/* day: of its number. */
uint8_t *fields_order_new(uint8_t *at, const struct order_row *order, uint32_t day);

/* key_day: of the number that it had before this batch; day: of the one that it has got, if it has. */
uint8_t *fields_order_changed(uint8_t *at, const struct order_row *order, uint32_t key_day, uint32_t day);

/* Of the two orders of a trade or a replacement. What is about one order has a row of its FIRST_ORDER alone. */
enum which_order {
    FIRST_ORDER,  /* the taker; the order that was replaced */
    SECOND_ORDER, /* the maker; the order that replaces it */
};

uint32_t fields_step_count(const struct event *event);
uint64_t fields_step_order(const struct event *event, enum which_order which);
uint8_t *fields_step(uint8_t *at, const struct event *event, enum which_order which);
uint8_t *fields_execution(uint8_t *at, const struct event *event, enum which_order which, const char *symbol);
uint8_t *fields_rejection(uint8_t *at, const struct event *event);
uint8_t *fields_break(uint8_t *at, const struct event *event);
bool fields_is_login(const struct event *event);
uint8_t *fields_login(uint8_t *at, const struct event *event);
uint8_t *fields_action(uint8_t *at, const struct event *event);
uint8_t *fields_session(uint8_t *at, const struct event *event);
uint8_t *fields_instrument(uint8_t *at, const struct event *event);
uint8_t *fields_day(uint8_t *at, const struct event *event);

#endif
