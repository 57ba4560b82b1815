/*
 * What is asked of a new connection, a step at a time: how it shall behave; that the schema is there and ours, made or
 * brought forward if need be (under a lock, so that two that start together do not both); staging tables; then the
 * mark, taken under a new epoch; and the instruments that the store knows.
 *
 * It talks to the server through postgres_sink.c alone.
 */
#include "postgres_state.h"

#include "schema_0001.h"
#include "schema_0002.h"
#include "schema_0003.h"
#include "schema_0004.h"
#include "schema_0005.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Migration i leads from version i to i + 1; the last one's result is what this program writes. */
static const char *const migrations[] = {schema_0001, schema_0002, schema_0003, schema_0004, schema_0005};
#define SCHEMA_VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

#define SETUP_LOCK "5932749853361927" /* an advisory lock's number: any, so long as it stays the same */

enum setup_step {
    SETUP_SESSION, /* settings; locked; is there a schema? */
    SETUP_VERSION, /* which? */
    SETUP_MIGRATE, /* forward, a version at a time */
    SETUP_TAKE,    /* unlocked; staging tables; mark and epoch */
    SETUP_INSTRUMENTS,
    SETUP_ORDER_DAYS,
    SETUP_DONE,
};

/*
 * Merges look each staged row up in an index. Without statistics of the staging tables the planner would rather read
 * the whole table of orders into a hash, and the larger that is the slower every batch.
 */
#define SETTINGS                                                                                                       \
    "SET synchronous_commit = off; SET client_min_messages = warning; SET statement_timeout = 0; SET lock_timeout = "  \
    "0;"                                                                                                               \
    " SET idle_in_transaction_session_timeout = 0; SET enable_hashjoin = off; SET enable_mergejoin = off;"             \
    " SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off;"

static void send_session(struct postgres_sink *sink)
{
    postgres_send(sink, SETTINGS " BEGIN;"
                                 " SELECT NULL FROM pg_advisory_xact_lock(" SETUP_LOCK ");"
                                 " SELECT to_regclass('ringside.schema_version') IS NOT NULL AS has_schema");
}

static void send_take(struct postgres_sink *sink)
{
    int at = snprintf(sink->query, sizeof(sink->query), "COMMIT;");
    for (int set = 0; set < ROW_SET_COUNT; set++)
        if (row_set_statements[set].staging && sink->sets & ROW_SET_BIT(set))
            at += snprintf(sink->query + at, sizeof(sink->query) - (size_t)at, " %s;", row_set_statements[set].staging);
    snprintf(sink->query + at, sizeof(sink->query) - (size_t)at,
             " UPDATE ringside.high_water SET epoch = epoch + 1, first_seq = CASE WHEN event_seq = 0"
             " THEN greatest(first_seq, %" PRIu64 ") ELSE first_seq END WHERE store = '%s'"
             " RETURNING event_seq, event_time_ns, epoch, first_seq, durable_seq",
             sink->rebuild_seq, sink->store);
    postgres_send(sink, sink->query);
}

static void send_step(struct postgres_sink *sink)
{
    switch ((enum setup_step)sink->setup_step) {
    case SETUP_SESSION:
        send_session(sink);
        break;
    case SETUP_VERSION:
        postgres_send(sink, "SELECT max(version) AS version FROM ringside.schema_version");
        break;
    case SETUP_MIGRATE:
        postgres_send(sink, migrations[sink->schema_version]);
        break;
    case SETUP_TAKE:
        sink->epoch = 0;
        send_take(sink);
        break;
    case SETUP_INSTRUMENTS:
        postgres_send(sink, "SELECT instrument, symbol FROM ringside.instruments");
        break;
    case SETUP_ORDER_DAYS:
        postgres_send(sink, "SELECT day - date '1970-01-01', first_order_ref FROM ringside.order_days ORDER BY day");
        break;
    case SETUP_DONE:
    default:
        break;
    }
}

void postgres_setup_begin(struct postgres_sink *sink)
{
    sink->setup_step = SETUP_SESSION;
    sink->schema_version = -1;
    sink->day_begun = 0;
    sink->days.count = 0;
    send_step(sink);
}

static uint64_t number_at(const PGresult *result, int row, int column)
{
    return strtoull(PQgetvalue(result, row, column), NULL, 10);
}

static void read_instruments(struct postgres_sink *sink, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++)
        symbol_put(&sink->symbols, (uint32_t)number_at(result, row, 0), PQgetvalue(result, row, 1),
                   (size_t)PQgetlength(result, row, 1));
}

static void read_order_days(struct postgres_sink *sink, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++)
        (void)order_days_note(&sink->days, number_at(result, row, 1), (uint32_t)number_at(result, row, 0));
}

void postgres_setup_result(struct postgres_sink *sink, const PGresult *result)
{
    if (PQntuples(result) == 0)
        return;
    if (strcmp(PQfname(result, 0), "has_schema") == 0)
        sink->schema_version = *PQgetvalue(result, 0, 0) == 't' ? -1 : 0;
    else if (strcmp(PQfname(result, 0), "version") == 0)
        sink->schema_version = (int)number_at(result, 0, 0);
    else if (sink->setup_step == SETUP_INSTRUMENTS)
        read_instruments(sink, result);
    else if (sink->setup_step == SETUP_ORDER_DAYS)
        read_order_days(sink, result);
    else if (sink->setup_step == SETUP_TAKE) {
        sink->mark_seq = number_at(result, 0, 0);
        sink->mark_time_ns = number_at(result, 0, 1);
        sink->epoch = number_at(result, 0, 2);
        sink->first_seq = number_at(result, 0, 3);
        sink->durable_seq = sink->told_seq = number_at(result, 0, 4);
        sink->wal_seq = 0; /* another server, another log */
    }
}

/* Where the schema's version leads. */
static enum setup_step step_of_version(struct postgres_sink *sink)
{
    if (sink->schema_version < SCHEMA_VERSION)
        return SETUP_MIGRATE;
    if (sink->schema_version > SCHEMA_VERSION)
        postgres_failed(sink, true, "schema ringside",
                        "it has version %d, this program knows %d: it must not write there; start a newer program",
                        sink->schema_version, SCHEMA_VERSION);
    return SETUP_TAKE;
}

bool postgres_setup_next(struct postgres_sink *sink)
{
    switch ((enum setup_step)sink->setup_step) {
    case SETUP_SESSION:
        sink->setup_step = sink->schema_version < 0 ? SETUP_VERSION : SETUP_MIGRATE;
        break;
    case SETUP_MIGRATE:
        sink->schema_version++;
        sink->setup_step = step_of_version(sink);
        break;
    case SETUP_VERSION:
        sink->setup_step = step_of_version(sink);
        break;
    case SETUP_TAKE:
        if (sink->epoch == 0)
            postgres_failed(sink, true, "ringside.high_water", "the row of store '%s' is not there", sink->store);
        sink->setup_step = SETUP_INSTRUMENTS;
        break;
    case SETUP_INSTRUMENTS:
        sink->setup_step = SETUP_ORDER_DAYS;
        break;
    case SETUP_ORDER_DAYS:
    case SETUP_DONE:
    default:
        sink->setup_step = SETUP_DONE;
        return true;
    }
    if (!sink->has_failed)
        send_step(sink);
    return false;
}
