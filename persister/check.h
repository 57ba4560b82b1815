/*
 * `ringside persister check`: what the stores hold against what the event log says, row by row and byte by byte, up to
 * each store's mark. It names the first difference of each table.
 *
 *   check_events.c    the event log, from a number to a number
 *   check_rows.c      the rows of a table in COPY BINARY form, and what differs between two of them
 *   check_steps.c     tables to which a row is added for an event: order_events, executions, rejections, broken_trades
 *   check_orders.c    orders, which change: each order's last state is made from its events and compared at the end;
 *                     with them order_days, where each day's numbers begin
 *   check_small.c     tables of few rows, which are compared in the order of their keys
 *   check_names.c     instruments, sessions, trading_days
 *   check_redis.c     the stream, best prices and last trades, names of instruments and sessions
 *
 * Rules
 *   1. Of PostgreSQL all is seen as of one moment (an exported snapshot), of Redis up to the mark read first: so a
 *      persister may be at work the while.
 *   2. Rows are made by the encoders that the persister uses. That those are right is for tests/audit, which has its
 *      own; what is found here is what was lost, doubled, or changed by others.
 *   3. Days that are detached, and events before high_water.first_seq, are passed over; so are trading days of which
 *      the event log was trimmed and which are not in the archive. Instruments, sessions and trading days are of all
 *      time: what is trimmed keeps their events.
 *   4. An order that is over costs 16 bytes of memory, one that lives about 250.
 */
#ifndef RINGSIDE_PERSISTER_CHECK_H
#define RINGSIDE_PERSISTER_CHECK_H

#include "base/error.h"
#include "config/config.h"
#include "encode_rows.h"
#include "record/event.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#define CHECK_TEXT_BYTES   1024
#define CHECK_DAYS_MAX     16384
#define CHECK_SESSIONS_MAX 65537 /* the highest session number, and the number 0, which is none */

/* What a table's comparison found. */
struct check_result {
    const char *what;                  /* "orders" */
    uint64_t row_count;                /* that agree */
    bool differs;                      /* difference says how */
    char difference[CHECK_TEXT_BYTES]; /* the first one */
};

void check_differs(struct check_result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- check_events.c ---- */

struct check_events;

/* The log, and what of it is in the archive. */
struct check_log {
    const char *directory, *archive;
    uint64_t whole_from; /* from this event on all are there; before it sessions, instruments and days */
    uint64_t day_from;   /* from here on trading days are: 1, or the first that begins there */
    uint32_t date_from;  /* which that is, as 20261124; 0: all are */
};

int check_log_find(struct check_log *log, const struct config *config, struct error *error);

/* Events `first` to `last` of the log, as far as they were not trimmed. */
int check_events_open(struct check_events **ret_events, const struct check_log *log, uint64_t first, uint64_t last,
                      struct error *error);

/* The next one; NULL: there are no more, or *ret_code is negative: the log lacks one. Valid until the next call. */
const struct event *check_events_next(struct check_events *events, int *ret_code, struct error *error);
void check_events_close(struct check_events *events);

/* ---- check_rows.c ---- */

struct check_row {
    const uint8_t *bytes; /* NULL: there are no more */
    size_t size;
};

struct check_rows;

/* How PostgreSQL is looked at. */
struct check_postgres {
    const char *connection_string;
    struct check_log log;
    char snapshot[64]; /* which all connections see */
    uint64_t events_seq, orders_seq, events_first_seq, orders_first_seq;
    bool is_orders_cut; /* the store has orders of before orders_first_seq, which the log no longer has */
    uint64_t events_time_ns, orders_time_ns;
    uint32_t day_count;
    uint32_t days[CHECK_DAYS_MAX]; /* attached ones, in order */
    struct symbol_table symbols;
};

bool check_day_attached(const struct check_postgres *postgres, uint32_t day);
PGconn *check_connect(const struct check_postgres *postgres, struct error *error);

/* The columns of the set's COPY, in the order given, of rows whose `seq_column` is not below from_seq. */
int check_rows_open(struct check_rows **ret_rows, const struct check_postgres *postgres, enum row_set set,
                    const char *order, const char *seq_column, uint64_t from_seq, struct error *error);

/* The rows that a query gives; `table` is named in errors. */
int check_rows_ask(struct check_rows **ret_rows, const struct check_postgres *postgres, const char *table,
                   const char *query, struct error *error);
int check_rows_next(struct check_rows *rows, struct check_row *row, struct error *error);
void check_rows_close(struct check_rows *rows);

size_t check_row_size(const uint8_t *bytes);

/* An integer field of a row, of 32 or 64 bits, by its place; bytes of fields before it vary. */
uint64_t check_row_number(const uint8_t *bytes, uint32_t field);

/* "column is X, the events say Y", of the first field that differs; columns: their names, with commas between them. */
void check_fields_compare(const char *columns, const struct check_row *found, const struct check_row *expected,
                          char *text, size_t text_bytes);

/* The same, of the columns of a set. */
void check_row_compare(enum row_set set, const struct check_row *found, const struct check_row *expected, char *text,
                       size_t text_bytes);

/* ---- check_small.c ---- */

/* A table of few rows. */
struct check_table {
    const char *key;     /* what a row is called in a difference: "session" */
    const char *columns; /* that are compared, by name */
    const char *query;   /* what they are read with, ordered by the key */
    uint32_t key_field;  /* which of them is the key, a number */
};

/* A table while its rows are compared, one after the other. */
struct check_small {
    const struct check_table *table;
    struct check_result *result;
    struct check_rows *rows;
    struct check_row found; /* the next one */
    bool has_found;         /* it is read, and nothing was compared with it yet */
};

int check_small_open(struct check_small *small, const struct check_postgres *postgres, const struct check_table *table,
                     struct check_result *result, struct error *error);

/* The next row that the events make. Nothing more is compared after the first difference. */
int check_small_expect(struct check_small *small, const uint8_t *bytes, struct error *error);

/* They make no more. */
int check_small_end(struct check_small *small, struct error *error);
void check_small_close(struct check_small *small);

/* ---- the tables; 0, or a negative error: it could not be compared ---- */

int check_steps(const struct check_postgres *postgres, enum row_set set, struct check_result *result,
                struct error *error);
int check_orders(const struct check_postgres *postgres, struct check_result *orders, struct check_result *order_days,
                 struct error *error);

/* Of instruments, sessions and trading_days, in this order. */
#define CHECK_NAMES_TABLES 3
int check_names(const struct check_postgres *postgres, struct check_result results[CHECK_NAMES_TABLES],
                struct error *error);

/* ---- stores: fill in at most `max` results; how many, or a negative error ---- */

int check_postgres_all(const struct config *config, struct check_result *results, uint32_t max, struct error *error);
int check_redis_all(const struct config *config, struct check_result *results, uint32_t max, struct error *error);

#endif
