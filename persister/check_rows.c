/* The rows of a table in COPY BINARY form, and what differs between two of them (check.h). */
#include "check.h"

#include "base/bytes.h"
#include "base/require.h"
#include "encode_copy.h"
#include "encode_fields.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_BYTES 1024
#define QUERY_BYTES   (COLUMNS_BYTES + 256)

struct check_rows {
    PGconn *connection;
    char *message; /* the last one, of libpq's */
    bool has_begun;
};

void check_differs(struct check_result *result, const char *format, ...)
{
    va_list arguments;
    if (result->differs) /* the first one counts */
        return;
    result->differs = true;
    va_start(arguments, format);
    vsnprintf(result->difference, sizeof(result->difference), format, arguments);
    va_end(arguments);
}

bool check_day_attached(const struct check_postgres *postgres, uint32_t day)
{
    for (uint32_t i = postgres->day_count; i > 0; i--)
        if (postgres->days[i - 1] == day)
            return true;
    return false;
}

PGconn *check_connect(const struct check_postgres *postgres, struct error *error)
{
    char query[256];
    PGconn *connection = PQconnectdb(postgres->connection_string);
    if (PQstatus(connection) == CONNECTION_OK) {
        snprintf(query, sizeof(query), "SET search_path = ''; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY%s%s%s",
                 *postgres->snapshot ? "; SET TRANSACTION SNAPSHOT '" : "", postgres->snapshot,
                 *postgres->snapshot ? "'" : "");
        PGresult *result = PQexec(connection, query);
        bool is_good = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
        if (is_good)
            return connection;
    }
    error_set(error, ERROR_CLOSED, "PostgreSQL", "%s", PQerrorMessage(connection));
    PQfinish(connection);
    return NULL;
}

/* ---- the rows of a table ----------------------------------------------------------------------------------------- */

/* "COPY ringside.orders (order_ref, ...) FROM ...": the table and the columns of the set's statement. */
static void split_copy(enum row_set set, char table[64], char columns[COLUMNS_BYTES])
{
    const char *copy = row_set_statements[set].copy;
    const char *open = strchr(copy, '(');
    const char *close = open ? strchr(open, ')') : NULL;
    REQUIRE(close && strncmp(copy, "COPY ", 5) == 0 && close - open < COLUMNS_BYTES && open - copy < 64);
    snprintf(table, 64, "%.*s", (int)(open - copy - 6), copy + 5);
    snprintf(columns, COLUMNS_BYTES, "%.*s", (int)(close - open - 1), open + 1);
}

int check_rows_ask(struct check_rows **ret_rows, const struct check_postgres *postgres, const char *table,
                   const char *query, struct error *error)
{
    char copy[QUERY_BYTES + 64];
    struct check_rows *rows = calloc(1, sizeof(*rows));
    if (!rows)
        return error_set(error, ERROR_SYSTEM, "PostgreSQL", "no memory to read its rows");
    snprintf(copy, sizeof(copy), "COPY (%s) TO STDOUT (FORMAT binary)", query);
    rows->connection = check_connect(postgres, error);
    PGresult *result = rows->connection ? PQexec(rows->connection, copy) : NULL;
    int code = 0;
    if (!rows->connection)
        code = ERROR_CLOSED;
    else if (PQresultStatus(result) != PGRES_COPY_OUT)
        code = error_set(error, ERROR_CLOSED, table, "%s", PQerrorMessage(rows->connection));
    PQclear(result);
    if (code < 0)
        check_rows_close(rows);
    else
        *ret_rows = rows;
    return code;
}

int check_rows_open(struct check_rows **ret_rows, const struct check_postgres *postgres, enum row_set set,
                    const char *order, const char *seq_column, uint64_t from_seq, struct error *error)
{
    char table[64], columns[COLUMNS_BYTES], query[QUERY_BYTES], where[64] = "";
    split_copy(set, table, columns);
    if (from_seq > 1)
        snprintf(where, sizeof(where), "WHERE %s >= %" PRIu64, seq_column, from_seq);
    snprintf(query, sizeof(query), "SELECT %s FROM %s %s ORDER BY %s", columns, table, where, order);
    return check_rows_ask(ret_rows, postgres, table, query, error);
}

int check_rows_next(struct check_rows *rows, struct check_row *row, struct error *error)
{
    *row = (struct check_row){0};
    for (;;) { /* a message is a row; the first has the head before it, the last is the end alone */
        PQfreemem(rows->message);
        rows->message = NULL;
        int bytes = PQgetCopyData(rows->connection, &rows->message, 0);
        if (bytes == -2)
            return error_set(error, ERROR_CLOSED, "PostgreSQL", "%s", PQerrorMessage(rows->connection));
        if (bytes < 0)
            return 0;
        const uint8_t *at = (const uint8_t *)rows->message;
        const uint8_t *end = at + bytes;
        if (!rows->has_begun)
            at += COPY_HEADER_BYTES;
        rows->has_begun = true;
        if (end - at <= COPY_TRAILER_BYTES)
            continue;
        *row = (struct check_row){.bytes = at, .size = (size_t)(end - at)};
        return 0;
    }
}

void check_rows_close(struct check_rows *rows)
{
    if (!rows)
        return;
    PQfreemem(rows->message);
    PQfinish(rows->connection);
    free(rows);
}

/* ---- a row's fields ---------------------------------------------------------------------------------------------- */

static const uint8_t *field_end(const uint8_t *field)
{
    uint32_t bytes = load_be32(field);
    return field + 4 + (bytes == UINT32_MAX ? 0 : bytes);
}

static const uint8_t *field_at(const uint8_t *row, uint32_t index)
{
    const uint8_t *at = row + 2;
    REQUIRE(index < load_be16(row));
    while (index-- > 0)
        at = field_end(at);
    return at;
}

size_t check_row_size(const uint8_t *bytes)
{
    return (size_t)(field_end(field_at(bytes, load_be16(bytes) - 1u)) - bytes);
}

uint64_t check_row_number(const uint8_t *bytes, uint32_t field)
{
    const uint8_t *at = field_at(bytes, field);
    return load_be32(at) == sizeof(uint32_t) ? load_be32(at + 4) : load_be64(at + 4);
}

/* A numeric's digits are in base 10,000; those behind the point are the ticks' last four. */
static void numeric_text(const uint8_t *value, char *text, size_t text_bytes)
{
    int count = load_be16(value);
    int weight = (int16_t)load_be16(value + 2);
    uint64_t ticks = 0;
    for (int power = weight; power >= -1; power--)
        ticks =
            ticks * NUMERIC_BASE + (weight - power < count ? load_be16(value + 8 + 2 * (size_t)(weight - power)) : 0);
    snprintf(text, text_bytes, "%s%" PRIu64 ".%04" PRIu64, load_be16(value + 4) != 0 ? "-" : "", ticks / NUMERIC_BASE,
             ticks % NUMERIC_BASE);
}

/* What kind of value a column holds is known from its name, as the schema names them. */
static bool is_numeric(const char *column)
{
    static const char *const names[] = {"price",           "executed_value", "peg_offset", "trigger_price", "tick_size",
                                        "reference_price", "collar",         "fat_finger", "notional_max"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strcmp(column, names[i]) == 0)
            return true;
    return false;
}

static bool is_number(const char *column, uint32_t bytes)
{
    static const char *const names[] = {"day",       "quantity", "executed",     "canceled",
                                        "leaves",    "session",  "expire_s",     "instrument",
                                        "max_floor", "lot_size", "quantity_max", "login_count"};
    static const char *const parts_of_four[] = {"_code", "_quantity"};
    static const char *const parts_of_eight[] = {"_ns", "_ref", "_seq", "_at", "_number"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strcmp(column, names[i]) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_COUNT(parts_of_four) && bytes == 4; i++)
        if (strstr(column, parts_of_four[i]))
            return true;
    for (size_t i = 0; i < ARRAY_COUNT(parts_of_eight) && bytes == 8; i++)
        if (strstr(column, parts_of_eight[i]))
            return true;
    return false;
}

static void field_text(const uint8_t *field, const char *column, char *text, size_t text_bytes)
{
    uint32_t bytes = load_be32(field);
    const uint8_t *value = field + 4;
    if (bytes == UINT32_MAX)
        snprintf(text, text_bytes, "NULL");
    else if (is_numeric(column) && bytes >= 8)
        numeric_text(value, text, text_bytes);
    else if (strncmp(column, "is_", 3) == 0 && bytes == 1)
        snprintf(text, text_bytes, "%s", value[0] ? "true" : "false");
    else if (bytes == 8 && is_number(column, bytes))
        snprintf(text, text_bytes, "%" PRId64, (int64_t)load_be64(value));
    else if (bytes == 4 && is_number(column, bytes))
        snprintf(text, text_bytes, "%" PRId32, (int32_t)load_be32(value));
    else
        snprintf(text, text_bytes, "\"%.*s\"", (int)bytes, (const char *)value);
}

static void column_name(const char *columns, uint32_t index, char *name, size_t name_bytes)
{
    const char *at = columns;
    while (index-- > 0)
        at = strchr(at, ',') + 1;
    while (*at == ' ')
        at++;
    snprintf(name, name_bytes, "%.*s", (int)strcspn(at, ","), at);
}

void check_fields_compare(const char *columns, const struct check_row *found, const struct check_row *expected,
                          char *text, size_t text_bytes)
{
    char column[64], values[2][128];
    snprintf(text, text_bytes, "the rows have other fields");
    for (uint32_t i = 0; i < load_be16(expected->bytes) && i < load_be16(found->bytes); i++) {
        const uint8_t *left = field_at(found->bytes, i);
        const uint8_t *right = field_at(expected->bytes, i);
        size_t bytes = (size_t)(field_end(right) - right);
        if ((size_t)(field_end(left) - left) == bytes && memcmp(left, right, bytes) == 0)
            continue;
        column_name(columns, i, column, sizeof(column));
        field_text(left, column, values[0], sizeof(values[0]));
        field_text(right, column, values[1], sizeof(values[1]));
        snprintf(text, text_bytes, "%s is %s, the events say %s", column, values[0], values[1]);
        return;
    }
}

void check_row_compare(enum row_set set, const struct check_row *found, const struct check_row *expected, char *text,
                       size_t text_bytes)
{
    char table[64], columns[COLUMNS_BYTES];
    split_copy(set, table, columns);
    check_fields_compare(columns, found, expected, text, text_bytes);
}
