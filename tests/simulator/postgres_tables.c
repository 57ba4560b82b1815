#include "postgres_tables.h"

#include "base/require.h"
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const char *columns;
} forms[TABLE_COUNT] = {
    [TABLE_HIGH_WATER] = {"ringside.high_water", "store text, event_seq bigint, event_time_ns bigint, epoch bigint,"
                                                 " first_seq bigint, durable_seq bigint"},
    [TABLE_PARTITIONS] = {"partitions", "day date"},
    [TABLE_ORDER_PARTITIONS] = {"order partitions", "day date"},
    [TABLE_ORDER_DAYS] = {"ringside.order_days", "day date, first_order_ref bigint"},
    [TABLE_ORDERS] =
        {"ringside.orders",
         "order_ref bigint, day date, previous_order_ref bigint, session integer, user_ref bigint, instrument integer,"
         " symbol text, side text, price numeric, quantity integer, executed integer, canceled integer, leaves integer,"
         " executed_value numeric, state text, reason text, time_in_force text, display text, capacity text, firm text,"
         " client_order_id text, min_quantity integer, max_floor integer, peg_offset numeric, trigger_price numeric,"
         " expire_s integer, entered_at timestamptz, entered_ns bigint, updated_at timestamptz, updated_ns bigint,"
         " entered_event_seq bigint, event_seq bigint"},
    [TABLE_ORDER_EVENTS] = {"ringside.order_events",
                            "day date, event_seq bigint, order_ref bigint, step text, quantity integer, price numeric,"
                            " leaves integer, reason text, previous_order_ref bigint, match_number bigint,"
                            " happened_at timestamptz, happened_ns bigint"},
    [TABLE_EXECUTIONS] =
        {"ringside.executions",
         "day date, event_seq bigint, is_maker boolean, match_number bigint, order_ref bigint,"
         " counter_order_ref bigint, session integer, user_ref bigint, instrument integer, symbol text, side text,"
         " price numeric, quantity integer, leaves integer, liquidity text, executed_at timestamptz,"
         " executed_ns bigint"},
    [TABLE_REJECTIONS] = {"ringside.rejections",
                          "day date, event_seq bigint, session integer, user_ref bigint, request text,"
                          " reason_code integer, reason text, client_order_id text, rejected_at timestamptz,"
                          " rejected_ns bigint"},
    [TABLE_BROKEN_TRADES] = {"ringside.broken_trades",
                             "event_seq bigint, match_number bigint, order_ref bigint, maker_order_ref bigint,"
                             " reason text, broken_at timestamptz, broken_ns bigint"},
    [TABLE_LOGINS] = {"ringside.logins",
                      "event_seq bigint, session integer, user_name text, firm text, result text, reason text,"
                      " gateway integer, peer inet, peer_port integer, at timestamptz, at_ns bigint"},
    [TABLE_OPERATOR_ACTIONS] =
        {"ringside.operator_actions",
         "event_seq bigint, operator_id bigint, operator_name text, action text, refused_code integer, refused text,"
         " instrument integer, user_name text, firm text, market_state text, match_number bigint,"
         " target_gateway integer, acted_at timestamptz, acted_ns bigint"},
    [TABLE_INSTRUMENTS] = {"ringside.instruments",
                           "instrument integer, symbol text, tick_size numeric, lot_size integer,"
                           " reference_price numeric, collar numeric, fat_finger numeric, quantity_max integer,"
                           " notional_max numeric, market_state text, added_at timestamptz, added_ns bigint,"
                           " event_seq bigint"},
    [TABLE_SESSIONS] = {"ringside.sessions",
                        "session integer, user_name text, firm text, is_connected boolean, login_count bigint,"
                        " first_login_at timestamptz, last_login_at timestamptz, last_login_ns bigint,"
                        " closed_at timestamptz, closed_ns bigint, event_seq bigint"},
    [TABLE_TRADING_DAYS] = {"ringside.trading_days",
                            "day date, started_at timestamptz, started_ns bigint, ended_at timestamptz,"
                            " ended_ns bigint, event_seq bigint"},
};

/* A commit, and what undoes it: the tables' lengths before it, and versions of rows that it replaced. */
struct commit {
    uint64_t place;
    uint32_t counts[TABLE_COUNT];
    uint32_t version_count;
};

static struct table tables[TABLE_COUNT];
static struct commit *commits;
static uint32_t commit_count, commit_room;
static struct version *replaced;
static uint32_t replaced_count, replaced_room;
static char *texts;
static uint32_t text_bytes, text_room;

static void *grown(void *array, uint32_t count, uint32_t *room, size_t bytes)
{
    if (count < *room)
        return array;
    *room = *room ? 2 * *room : 64;
    return process_outer_realloc(array, *room * bytes);
}

/* ---- columns ------------------------------------------------------------------------------------------------------
 */

static bool type_find(const char *text, size_t bytes, enum column_type *ret)
{
    static const char *const names[] = {"boolean",     "integer", "bigint", "date",
                                        "timestamptz", "numeric", "text",   "inet"};
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == bytes && memcmp(names[i], text, bytes) == 0) {
            *ret = (enum column_type)i;
            return true;
        }
    return false;
}

/* Rows of another width than the columns are gone. */
bool table_columns(struct table *table, const char *text, size_t bytes)
{
    const char *end = text + bytes;
    uint32_t width = table->column_count;
    for (table->column_count = 0; text < end; table->column_count++) {
        text += strspn(text, " ");
        size_t name = strcspn(text, " ");
        const char *type = text + name + 1;
        size_t type_bytes = strcspn(type, " ,)");
        REQUIRE(table->column_count < TABLE_COLUMNS_MAX && name < sizeof(table->columns[0]));
        memcpy(table->columns[table->column_count], text, name);
        table->columns[table->column_count][name] = '\0';
        if (!type_find(type, type_bytes, &table->types[table->column_count]))
            return false;
        text = type + type_bytes + 1;
    }
    if (table->column_count != width) {
        free(table->cells);
        table->cells = NULL;
        table->room = table->count = 0;
    }
    return true;
}

uint32_t table_column(const struct table *table, const char *name, size_t name_bytes)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (strncmp(table->columns[i], name, name_bytes) == 0 && table->columns[i][name_bytes] == '\0')
            return i;
    return UINT32_MAX;
}

const struct cell *cell_named(const struct table *table, const struct cell *row, const char *column)
{
    uint32_t index = table_column(table, column, strlen(column));
    REQUIRE(index != UINT32_MAX);
    return &row[index];
}

/* ---- tables -------------------------------------------------------------------------------------------------------
 */

static void mark_add(const char *store)
{
    struct cell *row = table_add(&tables[TABLE_HIGH_WATER], tables[TABLE_HIGH_WATER].column_count);
    row[0] = cell_text(store, strlen(store));
    for (uint32_t i = 1; i < tables[TABLE_HIGH_WATER].column_count; i++)
        row[i] = cell_number(0);
    row[4] = cell_number(1);
}

void tables_begin(void)
{
    commit_count = replaced_count = text_bytes = 0;
    for (int name = 0; name < TABLE_COUNT; name++) {
        struct table *table = &tables[name];
        table->count = 0;
        if (table->column_count > 0)
            continue;
        snprintf(table->name, sizeof(table->name), "%s", forms[name].name);
        REQUIRE(table_columns(table, forms[name].columns, strlen(forms[name].columns)));
    }
    mark_add("events");
    mark_add("orders");
}

void tables_end(void)
{
    for (int name = 0; name < TABLE_COUNT; name++) {
        free(tables[name].cells);
        tables[name].cells = NULL;
        tables[name].room = tables[name].count = 0;
    }
    free(commits);
    free(replaced);
    free(texts);
    commits = NULL;
    replaced = NULL;
    texts = NULL;
    commit_room = replaced_room = text_room = 0;
}

struct table *table_of(enum table_name name)
{
    return &tables[name];
}

enum table_name table_find(const char *name, size_t name_bytes)
{
    int table = 0;
    while (table < TABLE_COUNT &&
           (strlen(tables[table].name) != name_bytes || memcmp(tables[table].name, name, name_bytes) != 0))
        table++;
    return (enum table_name)table;
}

const struct cell *table_row(const struct table *table, uint32_t row)
{
    return table->cells + (size_t)row * table->column_count;
}

struct cell *table_add(struct table *table, uint32_t column_count)
{
    table->cells = grown(table->cells, table->count, &table->room, column_count * sizeof(struct cell));
    struct cell *row = table->cells + (size_t)table->count++ * column_count;
    for (uint32_t i = 0; i < column_count; i++)
        row[i] = (struct cell){.is_null = true};
    return row;
}

/* ---- values -------------------------------------------------------------------------------------------------------
 */

struct cell cell_number(int64_t number)
{
    return (struct cell){.number = number};
}

struct cell cell_text(const char *text, size_t bytes)
{
    while (text_bytes + bytes > text_room) {
        text_room = text_room ? 2 * text_room : 65536;
        texts = process_outer_realloc(texts, text_room);
    }
    memcpy(texts + text_bytes, text, bytes);
    text_bytes += (uint32_t)bytes;
    return (struct cell){.text = text_bytes - (uint32_t)bytes, .bytes = (uint16_t)bytes};
}

const char *cell_bytes(const struct cell *cell)
{
    return texts + cell->text;
}

bool cell_is(const struct cell *cell, const char *text)
{
    return !cell->is_null && cell->bytes == strlen(text) && memcmp(texts + cell->text, text, cell->bytes) == 0;
}

/* ---- transactions -------------------------------------------------------------------------------------------------
 */

struct cell *transaction_add(struct transaction *transaction, enum table_name table)
{
    return table_add(&transaction->fresh[table], tables[table].column_count);
}

struct cell *transaction_change(struct transaction *transaction, enum table_name table, uint32_t row)
{
    for (uint32_t i = 0; i < transaction->version_count; i++)
        if (transaction->versions[i].table == table && transaction->versions[i].row == row)
            return transaction->versions[i].cells;
    transaction->versions =
        grown(transaction->versions, transaction->version_count, &transaction->version_room, sizeof(struct version));
    struct version *version = &transaction->versions[transaction->version_count++];
    version->table = table;
    version->row = row;
    memcpy(version->cells, table_row(&tables[table], row), tables[table].column_count * sizeof(struct cell));
    return version->cells;
}

bool transaction_is_empty(const struct transaction *transaction)
{
    uint32_t rows = transaction->version_count;
    for (int name = 0; name < TABLE_COUNT; name++)
        rows += transaction->fresh[name].count;
    return rows == 0;
}

void transaction_clear(struct transaction *transaction)
{
    transaction->version_count = 0;
    for (int name = 0; name < TABLE_COUNT; name++)
        transaction->fresh[name].count = 0;
}

void transaction_end(struct transaction *transaction)
{
    for (int name = 0; name < TABLE_COUNT; name++)
        free(transaction->fresh[name].cells);
    free(transaction->versions);
    *transaction = (struct transaction){0};
}

static void replace(const struct version *version)
{
    const struct table *table = &tables[version->table];
    struct cell *row = table->cells + (size_t)version->row * table->column_count;
    replaced = grown(replaced, replaced_count, &replaced_room, sizeof(*replaced));
    struct version *before = &replaced[replaced_count++];
    before->table = version->table;
    before->row = version->row;
    memcpy(before->cells, row, table->column_count * sizeof(*row));
    memcpy(row, version->cells, table->column_count * sizeof(*row));
}

void transaction_commit(struct transaction *transaction, uint64_t place)
{
    commits = grown(commits, commit_count, &commit_room, sizeof(*commits));
    struct commit *commit = &commits[commit_count++];
    commit->place = place;
    commit->version_count = transaction->version_count;
    for (uint32_t i = 0; i < transaction->version_count; i++)
        replace(&transaction->versions[i]);
    for (int name = 0; name < TABLE_COUNT; name++) {
        struct table *table = &tables[name];
        const struct table *fresh = &transaction->fresh[name];
        commit->counts[name] = table->count;
        for (uint32_t i = 0; i < fresh->count; i++)
            memcpy(table_add(table, table->column_count), fresh->cells + (size_t)i * table->column_count,
                   table->column_count * sizeof(struct cell));
    }
    transaction_clear(transaction);
}

uint32_t tables_undo(uint64_t place)
{
    uint32_t undone = 0;
    for (; commit_count > 0 && commits[commit_count - 1].place > place; undone++) {
        const struct commit *commit = &commits[--commit_count];
        for (int name = 0; name < TABLE_COUNT; name++)
            tables[name].count = commit->counts[name];
        for (uint32_t i = commit->version_count; i > 0; i--) {
            const struct version *before = &replaced[--replaced_count];
            const struct table *table = &tables[before->table];
            memcpy(table->cells + (size_t)before->row * table->column_count, before->cells,
                   table->column_count * sizeof(struct cell));
        }
    }
    return undone;
}
