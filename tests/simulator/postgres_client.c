/*
 * libpq as far as the persister uses it, over a link to the simulated server: the functions have the names, arguments
 * and answers of the library's, which is not linked. Non-blocking throughout.
 */
#include "base/require.h"
#include "outside.h"
#include "postgres_server.h"
#include "postgres_wire.h"
#include "store_link.h"
#include "stores.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_BYTES (1u << 17)
#define INPUT_BYTES  (1u << 16)

struct pg_conn {
    bool used;
    bool is_asked; /* the server knows of it */
    ConnStatusType status;
    int descriptor;
    const struct process *owner;
    char error[128];
    size_t output_count, input_count;
    uint8_t output[OUTPUT_BYTES];
    uint8_t input[INPUT_BYTES];
};

struct pg_result {
    ExecStatusType status;
    int columns, rows;
    const char *tag;
    const char *names;  /* one behind the other */
    const char *values; /* row by row */
    char bytes[];
};

static struct pg_conn connections[STORE_LINKS_MAX];

static void say(PGconn *connection, const char *what)
{
    snprintf(connection->error, sizeof(connection->error), "%s\n", what);
}

/* ---- connecting ---------------------------------------------------------------------------------------------------
 */

static PGconn *connection_new(void)
{
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++) {
        PGconn *connection = &connections[i];
        if (connection->used)
            continue;
        connection->used = true;
        connection->owner = process_current;
        connection->is_asked = false;
        connection->output_count = connection->input_count = 0;
        connection->error[0] = '\0';
        return connection;
    }
    violation("the persister has more than %d connections to PostgreSQL", STORE_LINKS_MAX);
}

void postgres_client_forget(const struct process *process)
{
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++)
        if (connections[i].owner == process)
            connections[i].used = false;
}

PGconn *PQconnectStartParams(const char *const *keywords, const char *const *values, int expand_dbname)
{
    (void)keywords;
    (void)values;
    (void)expand_dbname;
    process_kill_point("postgres: connect");
    PGconn *connection = connection_new();
    connection->descriptor = stores_up(SIDE_POSTGRES) ? store_link_open(SIDE_POSTGRES) : -1;
    connection->status = connection->descriptor < 0 ? CONNECTION_BAD : CONNECTION_STARTED;
    if (connection->descriptor < 0)
        say(connection, "connection refused");
    return connection;
}

static int flush(PGconn *connection)
{
    struct store_link *link = store_link_of(connection->descriptor);
    while (connection->output_count > 0) {
        int64_t taken = store_link_send(link, connection->output, connection->output_count);
        if (taken < 0) { /* the library says so when it reads */
            connection->output_count = 0;
            return 0;
        }
        if (taken == 0)
            return 1;
        connection->output_count -= (size_t)taken;
        memmove(connection->output, connection->output + taken, connection->output_count);
    }
    return 0;
}

static void put(PGconn *connection, char type, const void *payload, size_t bytes)
{
    REQUIRE(connection->output_count + WIRE_HEAD_BYTES + bytes <= OUTPUT_BYTES);
    uint8_t *at = connection->output + connection->output_count;
    wire_head(at, type, bytes);
    memcpy(at + WIRE_HEAD_BYTES, payload, bytes);
    connection->output_count += WIRE_HEAD_BYTES + bytes;
}

PostgresPollingStatusType PQconnectPoll(PGconn *connection)
{
    if (!connection->is_asked) {
        put(connection, 'S', "", 0);
        connection->is_asked = true;
        (void)flush(connection);
        return PGRES_POLLING_READING;
    }
    if (PQconsumeInput(connection) != 1) {
        connection->status = CONNECTION_BAD;
        return PGRES_POLLING_FAILED;
    }
    size_t bytes = wire_whole(connection->input, connection->input_count);
    if (bytes == 0)
        return PGRES_POLLING_READING;
    REQUIRE(connection->input[0] == 'Z' && bytes == connection->input_count);
    connection->input_count = 0;
    connection->status = CONNECTION_OK;
    return PGRES_POLLING_OK;
}

void PQfinish(PGconn *connection)
{
    if (!connection)
        return;
    if (connection->descriptor >= 0)
        store_link_hang_up(connection->descriptor);
    connection->used = false;
}

int PQsocket(const PGconn *connection)
{
    return connection->descriptor;
}

ConnStatusType PQstatus(const PGconn *connection)
{
    return connection->status;
}

int PQsetnonblocking(PGconn *connection, int arg)
{
    (void)connection;
    REQUIRE(arg == 1);
    return 0;
}

char *PQerrorMessage(const PGconn *connection)
{
    return (char *)(uintptr_t)connection->error;
}

PQnoticeReceiver PQsetNoticeReceiver(PGconn *connection, PQnoticeReceiver proc, void *arg)
{
    (void)connection;
    (void)arg;
    return proc;
}

/* The simulated store has one address, a path, so nobody is to be looked up. */
PQconninfoOption *PQconninfoParse(const char *conninfo, char **errmsg)
{
    static char keyword[] = "host", value[] = "/simulated";
    static PQconninfoOption options[2] = {{.keyword = keyword, .val = value}};
    (void)conninfo;
    (void)errmsg;
    return options;
}

void PQconninfoFree(PQconninfoOption *options)
{
    (void)options;
}

void PQfreemem(void *ptr)
{
    (void)ptr;
}

/* ---- asking -------------------------------------------------------------------------------------------------------
 */

int PQsendQuery(PGconn *connection, const char *query)
{
    process_kill_point("postgres: query");
    put(connection, 'Q', query, strlen(query) + 1);
    return 1;
}

int PQputCopyData(PGconn *connection, const char *buffer, int nbytes)
{
    put(connection, 'd', buffer, (size_t)nbytes);
    return 1;
}

int PQputCopyEnd(PGconn *connection, const char *errormsg)
{
    REQUIRE(!errormsg);
    put(connection, 'c', "", 0);
    return 1;
}

int PQflush(PGconn *connection)
{
    process_kill_point("postgres: flush");
    int left = flush(connection);
    process_kill_point("postgres: flushed");
    return left;
}

int PQconsumeInput(PGconn *connection)
{
    process_kill_point("postgres: read");
    struct store_link *link = store_link_of(connection->descriptor);
    int64_t count =
        store_link_receive(link, connection->input + connection->input_count, INPUT_BYTES - connection->input_count);
    if (count < 0)
        say(connection, "server closed the connection unexpectedly");
    else
        connection->input_count += (size_t)count;
    return count >= 0;
}

int PQisBusy(PGconn *connection)
{
    return wire_whole(connection->input, connection->input_count) == 0;
}

/* ---- results ------------------------------------------------------------------------------------------------------
 */

static const char *behind(const char *text)
{
    return text + strlen(text) + 1;
}

static void read_result(PGresult *result)
{
    result->tag = result->bytes;
    const char *at = behind(result->tag);
    result->columns = (uint8_t)*at++;
    result->names = at;
    for (int i = 0; i < result->columns; i++)
        at = behind(at);
    result->rows = (uint8_t)*at++;
    result->values = at;
    result->status = result->columns > 0 ? PGRES_TUPLES_OK : PGRES_COMMAND_OK;
}

PGresult *PQgetResult(PGconn *connection)
{
    process_kill_point("postgres: result");
    size_t whole = wire_whole(connection->input, connection->input_count);
    REQUIRE(whole > 0);
    char type = (char)connection->input[0];
    PGresult *result = NULL;
    if (type != 'Z') {
        result = malloc(sizeof(*result) + whole);
        *result = (struct pg_result){0};
        memcpy(result->bytes, connection->input + WIRE_HEAD_BYTES, whole - WIRE_HEAD_BYTES);
        if (type == 'R')
            read_result(result);
        else
            result->status = type == 'G' ? PGRES_COPY_IN : PGRES_FATAL_ERROR;
    }
    connection->input_count -= whole;
    memmove(connection->input, connection->input + whole, connection->input_count);
    return result;
}

ExecStatusType PQresultStatus(const PGresult *result)
{
    return result->status;
}

void PQclear(PGresult *result)
{
    free(result);
}

char *PQresultErrorMessage(const PGresult *result)
{
    return (char *)(uintptr_t)behind(result->bytes);
}

char *PQresultErrorField(const PGresult *result, int fieldcode)
{
    if (fieldcode == PG_DIAG_SQLSTATE)
        return (char *)(uintptr_t)result->bytes;
    return fieldcode == PG_DIAG_MESSAGE_PRIMARY ? PQresultErrorMessage(result) : NULL;
}

int PQntuples(const PGresult *result)
{
    return result->rows;
}

char *PQfname(const PGresult *result, int field_num)
{
    const char *name = result->names;
    REQUIRE(field_num < result->columns);
    while (field_num-- > 0)
        name = behind(name);
    return (char *)(uintptr_t)name;
}

char *PQgetvalue(const PGresult *result, int tup_num, int field_num)
{
    const char *value = result->values;
    REQUIRE(tup_num < result->rows && field_num < result->columns);
    for (int skip = tup_num * result->columns + field_num; skip > 0; skip--)
        value = behind(value);
    return (char *)(uintptr_t)value;
}

int PQgetlength(const PGresult *result, int tup_num, int field_num)
{
    return (int)strlen(PQgetvalue(result, tup_num, field_num));
}

char *PQcmdStatus(PGresult *result)
{
    return (char *)(uintptr_t)result->tag;
}

/* The number that ends the tag, if it has one. */
char *PQcmdTuples(PGresult *result)
{
    const char *space = strrchr(result->tag, ' ');
    return (char *)(uintptr_t)(space ? space + 1 : "");
}
