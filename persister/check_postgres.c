/* PostgreSQL as of one moment: marks, days, and then table by table (check.h). */
#include "check.h"

#include "base/bytes.h"
#include "base/require.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number_at(const PGresult *result, int row, int column)
{
    return strtoull(PQgetvalue(result, row, column), NULL, 10);
}

static PGresult *ask(PGconn *connection, const char *query, struct error *error)
{
    PGresult *result = PQexec(connection, query);
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return result;
    error_set(error, ERROR_CLOSED, "PostgreSQL", "%s", PQerrorMessage(connection));
    PQclear(result);
    return NULL;
}

static int read_marks(struct check_postgres *postgres, PGconn *connection, struct error *error)
{
    PGresult *result = ask(connection,
                           "SELECT store, event_seq, first_seq, event_time_ns FROM ringside.high_water"
                           " WHERE store IN ('events', 'orders') ORDER BY store",
                           error);
    if (!result)
        return ERROR_CLOSED;
    int code = PQntuples(result) == 2
                   ? 0
                   : error_set(error, ERROR_INVALID, "ringside.high_water", "it has not the two rows it must have");
    if (code == 0) {
        postgres->events_seq = number_at(result, 0, 1);
        postgres->events_first_seq = number_at(result, 0, 2);
        postgres->events_time_ns = number_at(result, 0, 3);
        postgres->orders_seq = number_at(result, 1, 1);
        postgres->orders_first_seq = number_at(result, 1, 2);
        postgres->orders_time_ns = number_at(result, 1, 3);
    }
    PQclear(result);
    if (postgres->events_first_seq < postgres->log.day_from)
        postgres->events_first_seq = postgres->log.day_from;
    postgres->is_orders_cut = postgres->orders_first_seq < postgres->log.day_from;
    if (postgres->is_orders_cut)
        postgres->orders_first_seq = postgres->log.day_from;
    return code;
}

/* A day is there if both it and the tables of it are: a detached one is passed over. */
static int read_days(struct check_postgres *postgres, PGconn *connection, struct error *error)
{
    PGresult *result =
        ask(connection, "SELECT DISTINCT day - date '1970-01-01' FROM ringside.partitions ORDER BY 1", error);
    if (!result)
        return ERROR_CLOSED;
    for (int row = 0; row < PQntuples(result) && row < CHECK_DAYS_MAX; row++)
        postgres->days[postgres->day_count++] = (uint32_t)number_at(result, row, 0);
    PQclear(result);
    return 0;
}

static int read_symbols(struct check_postgres *postgres, PGconn *connection, struct error *error)
{
    PGresult *result = ask(connection, "SELECT instrument, symbol FROM ringside.instruments", error);
    if (!result)
        return ERROR_CLOSED;
    for (int row = 0; row < PQntuples(result); row++)
        symbol_put(&postgres->symbols, (uint32_t)number_at(result, row, 0), PQgetvalue(result, row, 1),
                   (size_t)PQgetlength(result, row, 1));
    PQclear(result);
    return 0;
}

static int take_snapshot(struct check_postgres *postgres, PGconn *connection, struct error *error)
{
    PGresult *result = ask(connection, "SELECT pg_export_snapshot()", error);
    if (!result)
        return ERROR_CLOSED;
    snprintf(postgres->snapshot, sizeof(postgres->snapshot), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return 0;
}

/* The event at the mark must be the one that the exchange has there. */
static int check_mark(const struct check_postgres *postgres, uint64_t seq, uint64_t time_ns, const char *store,
                      struct check_result *result, struct error *error)
{
    struct check_events *events = NULL;
    if (seq < postgres->log.whole_from)
        return 0;
    int code = check_events_open(&events, &postgres->log, seq, seq, error);
    const struct event *event = code < 0 ? NULL : check_events_next(events, &code, error);
    if (event && event->time_ns != time_ns)
        check_differs(result, "%s: event %" PRIu64 " is of time %" PRIu64 " ns, the event log's of %" PRIu64 " ns",
                      store, seq, time_ns, event->time_ns);
    result->row_count += event && !result->differs;
    check_events_close(events);
    return code;
}

/* In the order in which they are compared. */
static const struct {
    const char *what;
    enum row_set set; /* of check_steps; ROW_SET_COUNT: another */
} tables[] = {{"high_water", ROW_SET_COUNT},      {"instruments", ROW_SET_COUNT}, {"sessions", ROW_SET_COUNT},
              {"trading_days", ROW_SET_COUNT},    {"order_events", ROWS_STEPS},   {"executions", ROWS_EXECUTIONS},
              {"rejections", ROWS_REJECTIONS},    {"broken_trades", ROWS_BREAKS}, {"logins", ROWS_LOGINS},
              {"operator_actions", ROWS_ACTIONS}, {"orders", ROW_SET_COUNT},      {"order_days", ROW_SET_COUNT}};
#define TABLE_COUNT ((uint32_t)ARRAY_COUNT(tables))

static int compare_all(const struct check_postgres *postgres, struct check_result results[TABLE_COUNT],
                       struct error *error)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        results[i] = (struct check_result){.what = tables[i].what};
    int code = check_mark(postgres, postgres->events_seq, postgres->events_time_ns, "events", &results[0], error);
    if (code >= 0)
        code = check_mark(postgres, postgres->orders_seq, postgres->orders_time_ns, "orders", &results[0], error);
    if (code >= 0)
        code = check_names(postgres, &results[1], error);
    for (size_t i = 0; i < TABLE_COUNT && code >= 0; i++)
        if (tables[i].set != ROW_SET_COUNT)
            code = check_steps(postgres, tables[i].set, &results[i], error);
    if (code >= 0)
        code = check_orders(postgres, &results[TABLE_COUNT - 2], &results[TABLE_COUNT - 1], error);
    return code < 0 ? code : (int)TABLE_COUNT;
}

int check_postgres_all(const struct config *config, struct check_result *results, uint32_t max, struct error *error)
{
    struct check_postgres *postgres = calloc(1, sizeof(*postgres));
    REQUIRE(max >= TABLE_COUNT);
    if (!postgres)
        return error_set(error, ERROR_SYSTEM, "PostgreSQL", "no memory");
    postgres->connection_string = config->postgres_connection;
    int found = check_log_find(&postgres->log, config, error);
    PGconn *connection = found < 0 ? NULL : check_connect(postgres, error);
    int code = connection ? take_snapshot(postgres, connection, error) : (found < 0 ? found : ERROR_CLOSED);
    if (code >= 0)
        code = read_marks(postgres, connection, error);
    if (code >= 0)
        code = read_days(postgres, connection, error);
    if (code >= 0)
        code = read_symbols(postgres, connection, error);
    if (code >= 0)
        code = compare_all(postgres, results, error);
    PQfinish(connection); /* the snapshot lives as long as its transaction */
    free(postgres);
    return code;
}
