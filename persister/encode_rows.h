/*
 * What a batch of events does to the tables: rows to add, and for each order that was there before, one row of what
 * has changed.
 *
 *   event                                     rows
 *   ACCEPTED                                  a new order
 *   REPLACED                                  a new order; the order before it becomes 'replaced'
 *   CANCELED, SELF_MATCH_CANCELED             leaves, canceled, state and reason of its order
 *   EXECUTED                                  two executions, one a side; executed, value, leaves, state of both orders
 *   PRIORITY_UPDATED, RESTATED, MODIFIED      number, price, display, side, leaves of its order
 *   ORDER_OPTIONS                             what else was asked, of the order before it
 *   each of these, CANCEL_PENDING, BROKEN     a step of its order, or of both
 *   REJECTED, BROKEN                          a rejection, a broken trade
 *   LOGIN_ACCEPTED, SESSION_CLOSED            its session
 *   INSTRUMENT_ADDED, MARKET_STATE_CHANGED,   its instrument
 *   LIMITS_CHANGED
 *   DAY_STARTED, DAY_ENDED                    its trading day
 *   LOGIN_ACCEPTED, LOGIN_REFUSED,            a row of logins
 *   SESSION_CLOSED
 *   OPERATOR_ACTED                            an action of an operator
 *
 * Rules
 *   1. An order has one row in a batch, whatever happens to it: a new one is added as the batch leaves it; for one that
 *      was there before, amounts are differences and all else is the last value.
 *   2. Differences are right because a batch is applied exactly once, in one transaction with the mark.
 *   3. A batch is of one calendar day, and never begins what does not fit: rows_fits says so, before rows_add.
 *   4. Sets that are not wanted cost nothing.
 *   5. Memory is the caller's: rows_bytes, rows_init.
 *
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_ROWS_H
#define RINGSIDE_PERSISTER_ENCODE_ROWS_H

#include "encode_day.h"
#include "encode_symbols.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they are sent. */
enum row_set {
    ROWS_INSTRUMENTS,
    ROWS_SESSIONS,
    ROWS_DAYS,
    ROWS_ORDERS_NEW,
    ROWS_ORDERS_CHANGED,
    ROWS_ORDERS_RENUMBERED, /* changed, and their number too */
    ROWS_STEPS,
    ROWS_EXECUTIONS,
    ROWS_REJECTIONS,
    ROWS_BREAKS,
    ROWS_LOGINS,
    ROWS_ACTIONS, /* of operators */
    ROW_SET_COUNT,
};

/* Sets of rows, a bit each. */
typedef uint32_t row_sets;
#define ROW_SET_BIT(set) (UINT32_C(1) << (set))
#define ROW_SETS_ORDERS                                                                                                \
    (ROW_SET_BIT(ROWS_ORDERS_NEW) | ROW_SET_BIT(ROWS_ORDERS_CHANGED) | ROW_SET_BIT(ROWS_ORDERS_RENUMBERED))
#define ROW_SETS_ALL    (ROW_SET_BIT(ROW_SET_COUNT) - 1)
#define ROW_SETS_EVENTS (ROW_SETS_ALL & ~ROW_SETS_ORDERS)
/* What is known of the time before the first event wanted: sessions and instruments. */
#define ROW_SETS_KNOWN (ROW_SET_BIT(ROWS_INSTRUMENTS) | ROW_SET_BIT(ROWS_SESSIONS) | ROW_SET_BIT(ROWS_DAYS))

#define ROW_BYTES_MAX ((size_t)1280) /* of one row of any set in COPY BINARY */

enum order_state {
    ORDER_LIVE,
    ORDER_FILLED,
    ORDER_CANCELED,
    ORDER_REPLACED,
    ORDER_DEAD, /* accepted and cancelled at once */
};

/* A new order, or what has happened to one that was there before. */
struct order_row {
    uint64_t key_ref;   /* its number in the table before this batch */
    uint64_t order_ref; /* its number now */
    uint64_t previous_order_ref;
    uint64_t entered_ns;
    uint64_t updated_ns;
    uint64_t entered_seq;
    uint64_t event_seq;
    uint64_t value_ticks; /* sum of price x quantity of its executions */
    uint32_t session;
    uint32_t user_ref;
    uint32_t instrument;
    uint32_t quantity;
    uint32_t executed;
    uint32_t canceled;
    uint32_t leaves;
    int32_t price_ticks;
    uint32_t min_quantity; /* of a new order; 0: none, so are the next */
    uint32_t max_floor;
    uint32_t expire_s;
    int32_t peg_offset_ticks;
    int32_t trigger_ticks;
    char symbol[SYMBOL_BYTES];
    char firm[FIRM_BYTES];
    char client_order_id[CLIENT_ORDER_ID_BYTES];
    uint8_t side; /* of a changed order: 0 if unchanged; so are display and reason */
    uint8_t time_in_force;
    uint8_t display;
    uint8_t capacity;
    uint8_t reason;
    uint8_t state; /* enum order_state */
    bool is_new;
    bool is_repriced; /* of a changed order: price_ticks is set */
};

struct rows;

/* Memory for a batch of so many events, of which at most these sets are ever wanted. */
size_t rows_bytes(uint32_t event_count_max, row_sets wanted);
struct rows *rows_init(void *memory, uint32_t event_count_max, row_sets wanted);
void rows_clear(struct rows *rows);

/* From the next batch on, other sets, of those that it was made for. */
void rows_want(struct rows *rows, row_sets wanted);

/* Whether the event may join: there is room, and it is of the batch's day. */
bool rows_fits(const struct rows *rows, const struct event *event);
void rows_add(struct rows *rows, const struct event *event);

/* Events added, the numbers and the time of the first and the last, and their day. */
uint32_t rows_event_count(const struct rows *rows);
uint64_t rows_first_seq(const struct rows *rows);
uint64_t rows_last_seq(const struct rows *rows);
uint64_t rows_last_time_ns(const struct rows *rows);
uint32_t rows_day(const struct rows *rows);

/* The first number that an order got in this batch; 0: none did. */
uint64_t rows_order_ref_first(const struct rows *rows);

/* Lowest and highest number, before this batch, of the orders of ROWS_ORDERS_CHANGED and _RENUMBERED. */
void rows_changed_range(const struct rows *rows, uint64_t *lowest, uint64_t *highest);

/* Rows of a set, as the tables count them. */
uint32_t rows_count(const struct rows *rows, enum row_set set);

/*
 * Puts the rows that belong to orders in the order of their orders' numbers, and those of one order in that of the
 * events: before a batch is encoded. The tables' keys begin with the order, and a server that gets neighbours one after
 * the other finds their places faster.
 */
void rows_sort(struct rows *rows);

/* What rows are made with, besides the batch. */
struct rows_context {
    const struct symbol_table *symbols;
    const struct order_days *days; /* with the batch's own day in it */
};

/*
 * Writes rows of a set from *cursor (0 at first) on, as many as surely fit, and moves the cursor. Returns the bytes
 * written; 0 when none is left. bytes_max must be ROW_BYTES_MAX or more.
 */
size_t rows_encode(const struct rows *rows, enum row_set set, const struct rows_context *context, uint32_t *cursor,
                   uint8_t *bytes, size_t bytes_max);

/* The orders of the batch, in the order in which they came up. */
uint32_t rows_order_count(const struct rows *rows);
const struct order_row *rows_order(const struct rows *rows, uint32_t index);

#endif
