/*
 * The tables of the simulated PostgreSQL: rows that are committed, and what transactions would make of them.
 *
 * Rules
 *   1. A transaction's rows are its own until it commits: new ones, and new versions of rows that are there.
 *   2. Each commit is noted with what it takes to undo it, so that a crash can take the last ones back.
 *   3. Columns have the names and types of persister/schema, in the order of that; what COPY does not name is NULL.
 */
#ifndef RINGSIDE_SIMULATOR_POSTGRES_TABLES_H
#define RINGSIDE_SIMULATOR_POSTGRES_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_COLUMNS_MAX 40

/* The columns that are looked at by name; TABLE_FORMS in postgres_tables.c has all of them. */
enum table_name {
    TABLE_HIGH_WATER,
    TABLE_PARTITIONS,       /* of the tables that only grow: a row a day */
    TABLE_ORDER_PARTITIONS, /* of orders */
    TABLE_ORDER_DAYS,
    TABLE_ORDERS,
    TABLE_ORDER_EVENTS,
    TABLE_EXECUTIONS,
    TABLE_REJECTIONS,
    TABLE_BROKEN_TRADES,
    TABLE_LOGINS,
    TABLE_OPERATOR_ACTIONS,
    TABLE_INSTRUMENTS,
    TABLE_SESSIONS,
    TABLE_TRADING_DAYS,
    TABLE_COUNT,
};

enum column_type { TYPE_BOOL, TYPE_INT4, TYPE_INT8, TYPE_DATE, TYPE_TIME, TYPE_NUMERIC, TYPE_TEXT, TYPE_INET };

/* A value: a number (of a numeric in ten-thousandths, of a date in days since 1970), or a text. */
struct cell {
    int64_t number;
    uint32_t text; /* where in the texts */
    uint16_t bytes;
    bool is_null;
};

struct table {
    char name[48];
    char columns[TABLE_COLUMNS_MAX][24];
    enum column_type types[TABLE_COLUMNS_MAX];
    uint32_t column_count;
    struct cell *cells; /* row by row */
    uint32_t count;
    uint32_t room;
};

/* A transaction that is under way. */
struct transaction {
    struct table fresh[TABLE_COUNT]; /* cells, count and room alone */
    struct version {
        enum table_name table;
        uint32_t row;
        struct cell cells[TABLE_COLUMNS_MAX];
    } * versions;
    uint32_t version_count, version_room;
};

void tables_begin(void);
void tables_end(void);

struct table *table_of(enum table_name name);
/* TABLE_COUNT: there is none of that name. */
enum table_name table_find(const char *name, size_t name_bytes);

/* Makes columns from "name type, name type ...", as SQL writes types. false: one is not known. */
bool table_columns(struct table *table, const char *text, size_t text_bytes);
/* UINT32_MAX: there is none of that name. */
uint32_t table_column(const struct table *table, const char *name, size_t name_bytes);

/* A row's value by its column's name, which must be there. */
const struct cell *cell_named(const struct table *table, const struct cell *row, const char *column);
const struct cell *table_row(const struct table *table, uint32_t row);
/* A new row of NULLs. */
struct cell *table_add(struct table *table, uint32_t column_count);

struct cell cell_number(int64_t number);
struct cell cell_text(const char *text, size_t bytes);
bool cell_is(const struct cell *cell, const char *text);
const char *cell_bytes(const struct cell *cell);

/* ---- transactions ---- */

struct cell *transaction_add(struct transaction *transaction, enum table_name table);
/* The transaction's version of a row that is there. */
struct cell *transaction_change(struct transaction *transaction, enum table_name table, uint32_t row);
bool transaction_is_empty(const struct transaction *transaction);
void transaction_clear(struct transaction *transaction);
void transaction_end(struct transaction *transaction);

/* place: where in the server's log the commit ends. */
void transaction_commit(struct transaction *transaction, uint64_t place);

/* A crash: what was committed behind that place is undone. Returns how many commits were. */
uint32_t tables_undo(uint64_t place);

#endif
