/*
 * The statements that the simulated PostgreSQL knows: what each says, word for word, and what it does. In a pattern a %
 * stands for a name or a number.
 */
#include "postgres_statements.h"

#include "base/require.h"
#include "outside.h"
#include "postgres_server.h"
#include "random.h"
#include "stores.h"

#include <stdio.h>
#include <string.h>

#define ORDER_CHANGES                                                                                                  \
    "executed = o.executed + s.executed, canceled = o.canceled + s.canceled, leaves = s.leaves,"                       \
    " executed_value = o.executed_value + s.executed_value, state = s.state, reason = coalesce(s.reason, o.reason),"   \
    " side = coalesce(s.side, o.side), display = coalesce(s.display, o.display), price = coalesce(s.price, o.price),"  \
    " updated_at = s.updated_at, updated_ns = s.updated_ns, event_seq = s.event_seq"
#define ORDER_IS " WHERE o.order_ref = s.key_ref AND o.day = s.key_day"
#define RETURNING_LOG                                                                                                  \
    " RETURNING pg_current_wal_flush_lsn() - '0/0'::pg_lsn, pg_current_wal_insert_lsn() - '0/0'::pg_lsn"

/* ---- COPY ---------------------------------------------------------------------------------------------------------
 */

static struct table *staged_find(struct backend *backend, const char *name, size_t bytes)
{
    for (uint32_t i = 0; i < backend->staged_count; i++)
        if (strlen(backend->staged[i].name) == bytes && memcmp(backend->staged[i].name, name, bytes) == 0)
            return &backend->staged[i];
    return NULL;
}

/* CREATE TEMP TABLE name (columns) ON COMMIT DELETE ROWS */
static bool creates_staging(struct backend *backend, const char *text)
{
    static const char begin[] = "CREATE TEMP TABLE ", end[] = ") ON COMMIT DELETE ROWS";
    size_t length = strlen(text);
    if (strncmp(text, begin, sizeof(begin) - 1) != 0 || length < sizeof(end) ||
        strcmp(text + length - sizeof(end) + 1, end) != 0)
        return false;
    const char *name = text + sizeof(begin) - 1;
    const char *open = strchr(name, '(');
    REQUIRE(open && backend->staged_count < STAGED_MAX);
    struct table *table = &backend->staged[backend->staged_count++];
    snprintf(table->name, sizeof(table->name), "%.*s", (int)(open - name - 1), name);
    table->count = 0;
    if (!table_columns(table, open + 1, (size_t)(text + length - sizeof(end) + 1 - open - 1)))
        violation("PostgreSQL does not know a type in \"%s\"", text);
    (void)answer_tag(backend, "CREATE TABLE");
    return true;
}

static bool copy_columns(struct backend *backend, const char *list)
{
    const struct table *table = backend->copying;
    backend->copy_column_count = 0;
    for (const char *at = list; *at != ')'; at += *at == ',') {
        at += strspn(at, " ");
        size_t bytes = strcspn(at, ",)");
        uint32_t column = table_column(table, at, bytes);
        if (column == UINT32_MAX || backend->copy_column_count == TABLE_COLUMNS_MAX)
            return false;
        backend->copy_columns[backend->copy_column_count++] = column;
        at += bytes;
    }
    return true;
}

/* COPY table (columns) FROM STDIN (FORMAT binary), or of a staging table without columns */
static bool begins_copy(struct backend *backend, const char *text)
{
    static const char begin[] = "COPY ", end[] = " FROM STDIN (FORMAT binary)";
    size_t length = strlen(text);
    if (strncmp(text, begin, sizeof(begin) - 1) != 0 || length < sizeof(end) ||
        strcmp(text + length - sizeof(end) + 1, end) != 0)
        return false;
    const char *name = text + sizeof(begin) - 1;
    size_t bytes = strcspn(name, " ");
    backend->copying_name = table_find(name, bytes);
    backend->copying =
        backend->copying_name < TABLE_COUNT ? table_of(backend->copying_name) : staged_find(backend, name, bytes);
    if (!backend->copying)
        violation("PostgreSQL has no table for \"%s\"", text);
    backend->copy_column_count = backend->copying->column_count;
    for (uint32_t i = 0; i < backend->copy_column_count; i++)
        backend->copy_columns[i] = i;
    if (name[bytes + 1] == '(' && !copy_columns(backend, name + bytes + 2))
        violation("PostgreSQL does not know a column in \"%s\"", text);
    backend->copy_bytes = 0;
    backend->answer_bytes = 0;
    backend_answer(backend, 'G');
    return true;
}

static struct cell *add_row(void *argument)
{
    struct backend *backend = argument;
    if (backend->copying_name < TABLE_COUNT)
        return transaction_add(&backend->transaction, backend->copying_name);
    return table_add((struct table *)(uintptr_t)backend->copying, backend->copying->column_count);
}

/* Rows go to the partitions of their days. */
static bool have_partitions(const struct backend *backend)
{
    enum table_name name = backend->copying_name;
    if (name < TABLE_ORDERS || name > TABLE_REJECTIONS)
        return true;
    const struct table *fresh = &backend->transaction.fresh[name];
    uint32_t columns = backend->copying->column_count;
    uint32_t day = table_column(backend->copying, "day", 3);
    for (uint32_t row = 0; row < fresh->count; row++)
        if (!statement_has_day(backend, name == TABLE_ORDERS ? TABLE_ORDER_PARTITIONS : TABLE_PARTITIONS,
                               fresh->cells[(size_t)row * columns + day].number))
            return false;
    return true;
}

void statement_copied(struct backend *backend)
{
    const char *what = NULL;
    int64_t rows = copy_rows(backend->copy, backend->copy_bytes, backend->copying, backend->copy_columns,
                             backend->copy_column_count, add_row, backend, &what);
    if (rows < 0)
        violation("PostgreSQL refuses rows of %s: %s", backend->copying->name, what);
    if (!have_partitions(backend)) {
        backend_fail(backend, "23514", "no partition of relation found for row");
        return;
    }
    backend->copying = NULL;
    (void)answer_count(backend, "COPY", rows);
}

/* ---- merges -------------------------------------------------------------------------------------------------------
 */

static const struct table *staged(struct backend *backend, const char *name)
{
    const struct table *table = staged_find(backend, name, strlen(name));
    if (!table)
        violation("PostgreSQL has no table %s", name);
    return table;
}

static enum outcome does_change_orders(struct backend *backend, const struct word words[WORDS_MAX])
{
    (void)words;
    return answer_count(backend, "UPDATE",
                        merge_orders(&backend->transaction, staged(backend, "staged_orders"), 0, false));
}

static enum outcome does_change_orders_of_day(struct backend *backend, const struct word words[WORDS_MAX])
{
    return answer_count(backend, "UPDATE",
                        merge_orders(&backend->transaction, staged(backend, "staged_orders"),
                                     (uint32_t)statement_day(words[0]), false));
}

static enum outcome does_renumber_orders(struct backend *backend, const struct word words[WORDS_MAX])
{
    (void)words;
    return answer_count(backend, "UPDATE",
                        merge_orders(&backend->transaction, staged(backend, "staged_renumbered"), 0, true));
}

#define MERGE(does, table, tag, merge)                                                                                 \
    static enum outcome does(struct backend *backend, const struct word words[WORDS_MAX])                              \
    {                                                                                                                  \
        (void)words;                                                                                                   \
        return answer_count(backend, tag, merge(&backend->transaction, staged(backend, table)));                       \
    }
MERGE(does_log_in, "staged_sessions", "INSERT 0", merge_logins)
MERGE(does_close, "staged_sessions", "UPDATE", merge_closed)
MERGE(does_add_instruments, "staged_instruments", "INSERT 0", merge_instruments_added)
MERGE(does_change_states, "staged_instruments", "UPDATE", merge_instruments_state)
MERGE(does_change_limits, "staged_instruments", "UPDATE", merge_instruments_limits)
MERGE(does_start_days, "staged_days", "INSERT 0", merge_days_started)
MERGE(does_end_days, "staged_days", "UPDATE", merge_days_ended)

/* ---- all of them --------------------------------------------------------------------------------------------------
 */

static const struct {
    const char *pattern;
    statement_does *does;
} statements[] = {
    {"SET synchronous_commit = off", does_set},
    {"SET client_min_messages = warning", does_set},
    {"SET statement_timeout = 0", does_set},
    {"SET lock_timeout = 0", does_set},
    {"SET idle_in_transaction_session_timeout = 0", does_set},
    {"SET enable_hashjoin = off", does_set},
    {"SET enable_mergejoin = off", does_set},
    {"SET enable_seqscan = off", does_set},
    {"SET enable_bitmapscan = off", does_set},
    {"SET jit = off", does_set},
    {"BEGIN", does_begin},
    {"COMMIT", does_commit},
    {"SELECT NULL FROM pg_advisory_xact_lock(5932749853361927)", does_lock},
    {"SELECT to_regclass('ringside.schema_version') IS NOT NULL AS has_schema", does_ask_schema},
    {"SELECT max(version) AS version FROM ringside.schema_version", does_ask_version},
    {"SELECT instrument, symbol FROM ringside.instruments", does_ask_instruments},
    {"SELECT day - date '1970-01-01', first_order_ref FROM ringside.order_days ORDER BY day", does_ask_order_days},
    {"SELECT ringside.begin_day('%')", does_begin_day},
    {"SELECT ringside.begin_order_day('%', %)", does_begin_order_day},
    {"UPDATE ringside.high_water SET epoch = epoch + 1, first_seq = CASE WHEN event_seq = 0"
     " THEN greatest(first_seq, %) ELSE first_seq END WHERE store = '%'"
     " RETURNING event_seq, event_time_ns, epoch, first_seq, durable_seq",
     does_take},
    {"UPDATE ringside.high_water SET event_seq = %, event_time_ns = %, durable_seq = %, written_at = now()"
     " WHERE store = '%' AND event_seq = % AND epoch = %" RETURNING_LOG,
     does_move},
    {"UPDATE ringside.high_water SET durable_seq = % WHERE store = '%' AND event_seq = % AND epoch = %" RETURNING_LOG,
     does_seal},
    {"UPDATE ringside.orders AS o SET " ORDER_CHANGES " FROM staged_orders AS s" ORDER_IS, does_change_orders},
    {"UPDATE ringside.orders_% AS o SET " ORDER_CHANGES " FROM staged_orders AS s" ORDER_IS, does_change_orders_of_day},
    {"UPDATE ringside.orders AS o SET order_ref = s.order_ref, day = s.day, " ORDER_CHANGES
     " FROM staged_renumbered AS s" ORDER_IS,
     does_renumber_orders},
    {"INSERT INTO ringside.sessions AS t (session, user_name, firm, is_connected, login_count, first_login_at,"
     " last_login_at, last_login_ns, event_seq) SELECT session, (array_agg(user_name ORDER BY event_seq DESC))[1],"
     " (array_agg(firm ORDER BY event_seq DESC))[1], true, count(*), min(at), max(at), max(at_ns), max(event_seq)"
     " FROM staged_sessions WHERE is_login GROUP BY session ON CONFLICT (session) DO UPDATE SET"
     " user_name = excluded.user_name, firm = excluded.firm, is_connected = true,"
     " login_count = t.login_count + excluded.login_count, last_login_at = excluded.last_login_at,"
     " last_login_ns = excluded.last_login_ns, event_seq = excluded.event_seq",
     does_log_in},
    {"UPDATE ringside.sessions AS t SET closed_at = s.at, closed_ns = s.at_ns, is_connected = s.event_seq <"
     " t.event_seq, event_seq = greatest(s.event_seq, t.event_seq) FROM (SELECT DISTINCT ON (session) * FROM"
     " staged_sessions WHERE NOT is_login ORDER BY session, event_seq DESC) AS s WHERE t.session = s.session",
     does_close},
    {"INSERT INTO ringside.instruments (instrument, symbol, tick_size, lot_size, reference_price, collar, fat_finger,"
     " quantity_max, notional_max, market_state, added_at, added_ns, event_seq) SELECT instrument, symbol, tick_size,"
     " lot_size, reference_price, collar, fat_finger, quantity_max, notional_max, market_state, at, at_ns, event_seq"
     " FROM staged_instruments WHERE kind = 50",
     does_add_instruments},
    {"UPDATE ringside.instruments AS t SET market_state = s.market_state,"
     " reference_price = coalesce(s.reference_price, t.reference_price),"
     " event_seq = greatest(s.event_seq, t.event_seq) FROM (SELECT DISTINCT ON (instrument) * FROM staged_instruments"
     " WHERE kind = 51 ORDER BY instrument, event_seq DESC) AS s WHERE t.instrument = s.instrument",
     does_change_states},
    {"UPDATE ringside.instruments AS t SET tick_size = s.tick_size, lot_size = s.lot_size, collar = s.collar,"
     " fat_finger = s.fat_finger, quantity_max = s.quantity_max, notional_max = s.notional_max,"
     " reference_price = CASE WHEN s.event_seq > t.event_seq THEN coalesce(s.reference_price, t.reference_price)"
     " ELSE t.reference_price END,"
     " event_seq = greatest(s.event_seq, t.event_seq) FROM (SELECT DISTINCT ON (instrument) * FROM staged_instruments"
     " WHERE kind = 52 ORDER BY instrument, event_seq DESC) AS s WHERE t.instrument = s.instrument",
     does_change_limits},
    {"INSERT INTO ringside.trading_days (day, started_at, started_ns, event_seq) SELECT DISTINCT ON (date_number)"
     " to_date(date_number::text, 'YYYYMMDD'), at, at_ns, event_seq FROM staged_days WHERE is_start"
     " ORDER BY date_number, event_seq ON CONFLICT (day) DO NOTHING",
     does_start_days},
    {"UPDATE ringside.trading_days AS t SET ended_at = s.at, ended_ns = s.at_ns, event_seq = s.event_seq FROM"
     " (SELECT DISTINCT ON (date_number) * FROM staged_days WHERE NOT is_start ORDER BY date_number, event_seq DESC)"
     " AS s WHERE t.day = to_date(s.date_number::text, 'YYYYMMDD')",
     does_end_days},
};

/* Whether the text is the pattern's; what its % stand for. */
static bool matches(const char *text, const char *pattern, struct word words[WORDS_MAX])
{
    uint32_t count = 0;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '%') {
            if (*text++ != *pattern)
                return false;
            continue;
        }
        words[count].at = text;
        words[count].bytes = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz_-");
        text += words[count++].bytes;
    }
    return *text == '\0';
}

/* The next statement as a text of its own; where it begins in the query stays known, in case it waits. */
static size_t next_statement(const struct backend *backend, char *text, size_t room)
{
    const char *from = backend->query + backend->query_at;
    size_t skipped = strspn(from, " ");
    size_t bytes = strcspn(from + skipped, ";");
    REQUIRE(bytes < room);
    memcpy(text, from + skipped, bytes);
    text[bytes] = '\0';
    return skipped + bytes + (from[skipped + bytes] == ';');
}

/* Errors that a server may have at any time: those that pass, and those that somebody must look at. */
static bool is_refused(struct backend *backend)
{
    static const char *const states[][2] = {{"40P01", "deadlock detected"},
                                            {"57014", "canceling statement due to user request"},
                                            {"53300", "too many connections"},
                                            {"57P01", "terminating connection due to administrator command"},
                                            {"53100", "No space left on device"}};
    if (!stores_chance(stores_manners()->refuse))
        return false;
    store_fault_count++;
    uint64_t kind = random_below(ARRAY_COUNT(states));
    backend_fail(backend, states[kind][0], states[kind][1]);
    return true;
}

static bool run(struct backend *backend, const char *text)
{
    struct word words[WORDS_MAX];
    for (size_t i = 0; i < ARRAY_COUNT(statements); i++)
        if (matches(text, statements[i].pattern, words))
            return statements[i].does(backend, words) == OUTCOME_DONE;
    if (!creates_staging(backend, text) && !begins_copy(backend, text))
        violation("PostgreSQL does not know the statement \"%s\": tell postgres_statements.c what it does", text);
    return true;
}

bool statement_run(struct backend *backend)
{
    static char text[32768];
    uint32_t version = 0;
    if (backend->query_at == 0 && statement_is_migration(backend, &version)) {
        backend->query_at = backend->query_bytes;
        backend->schema_version = version;
        (void)answer_tag(backend, "INSERT 0 1");
        return true;
    }
    size_t at = backend->query_at;
    size_t bytes = next_statement(backend, text, sizeof(text));
    bool is_end = strcmp(text, "COMMIT") == 0;
    if (is_refused(backend))
        return true;
    if (backend->failed && !is_end) {
        backend_fail(backend, "25P02", "current transaction is aborted");
        return true;
    }
    backend->query_at = at + bytes;
    if (run(backend, text)) {
        TRACE("PostgreSQL, connection %u: %.100s", store_link_index(backend->link), text);
        return true;
    }
    backend->query_at = at;
    return false;
}
