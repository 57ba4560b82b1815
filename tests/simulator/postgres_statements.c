/*
 * The statements that the simulated PostgreSQL knows: what each says, word for word, and what it does. In a pattern a %
 * stands for a name or a number.
 */
#include "base/units.h"
#include "encode_fields.h"
#include "outside.h"
#include "postgres_backend.h"
#include "postgres_server.h"
#include "random.h"
#include "stores.h"

#include "schema_0001.h"
#include "schema_0002.h"
#include "schema_0003.h"
#include "schema_0004.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORDS_MAX 8
#define ORDER_CHANGES                                                                                                  \
    "executed = o.executed + s.executed, canceled = o.canceled + s.canceled, leaves = s.leaves,"                       \
    " executed_value = o.executed_value + s.executed_value, state = s.state, reason = coalesce(s.reason, o.reason),"   \
    " side = coalesce(s.side, o.side), display = coalesce(s.display, o.display), price = coalesce(s.price, o.price),"  \
    " updated_at = s.updated_at, updated_ns = s.updated_ns, event_seq = s.event_seq"
#define ORDER_IS " WHERE o.order_ref = s.key_ref AND o.day = s.key_day"
#define RETURNING_LOG                                                                                                  \
    " RETURNING pg_current_wal_flush_lsn() - '0/0'::pg_lsn, pg_current_wal_insert_lsn() - '0/0'::pg_lsn"

struct word {
    const char *at;
    size_t bytes;
};

enum outcome { OUTCOME_DONE, OUTCOME_WAITS };

typedef enum outcome statement_does(struct backend *backend, const struct word words[WORDS_MAX]);

/* ---- answers ------------------------------------------------------------------------------------------------------
 */

void answer_text(struct backend *backend, const char *text)
{
    size_t bytes = strlen(text) + 1;
    REQUIRE(backend->answer_bytes + bytes <= ANSWER_BYTES);
    memcpy(backend->answer + backend->answer_bytes, text, bytes);
    backend->answer_bytes += bytes;
}

static void answer_byte(struct backend *backend, size_t value)
{
    REQUIRE(value < 256 && backend->answer_bytes < ANSWER_BYTES);
    backend->answer[backend->answer_bytes++] = (char)(uint8_t)value;
}

static void answer_number(struct backend *backend, int64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, number);
    answer_text(backend, text);
}

/* Tag and columns of an answer, whose rows then follow. */
static void answer_begin(struct backend *backend, const char *tag, size_t rows, size_t columns,
                         const char *const names[])
{
    char text[48];
    backend->answer_bytes = 0;
    snprintf(text, sizeof(text), "%s %zu", tag, rows);
    answer_text(backend, text);
    answer_byte(backend, columns);
    for (size_t i = 0; i < columns; i++)
        answer_text(backend, names ? names[i] : "?column?");
    answer_byte(backend, rows);
}

static enum outcome done(struct backend *backend)
{
    backend_answer(backend, 'R');
    return OUTCOME_DONE;
}

static enum outcome answer_tag(struct backend *backend, const char *tag)
{
    backend->answer_bytes = 0;
    answer_text(backend, tag);
    answer_byte(backend, 0);
    answer_byte(backend, 0);
    return done(backend);
}

static enum outcome answer_count(struct backend *backend, const char *tag, int64_t count)
{
    char text[48];
    if (count < 0) {
        backend_fail(backend, "23505", "duplicate key value violates unique constraint");
        return OUTCOME_DONE;
    }
    snprintf(text, sizeof(text), "%s %" PRId64, tag, count);
    return answer_tag(backend, text);
}

static int64_t number_of(struct word word)
{
    return (int64_t)strtoull(word.at, NULL, 10);
}

/* ---- settings, blocks, schema -------------------------------------------------------------------------------------
 */

static enum outcome does_set(struct backend *backend, const struct word words[WORDS_MAX])
{
    (void)words;
    return answer_tag(backend, "SET");
}

static enum outcome does_begin(struct backend *backend, const struct word words[WORDS_MAX])
{
    (void)words;
    backend->in_block = true;
    return answer_tag(backend, "BEGIN");
}

static enum outcome does_commit(struct backend *backend, const struct word words[WORDS_MAX])
{
    (void)words;
    bool failed = backend->failed;
    if (failed)
        backend_rollback(backend);
    else
        backend_commit(backend);
    return answer_tag(backend, failed ? "ROLLBACK" : "COMMIT");
}

static enum outcome does_lock(struct backend *backend, const struct word words[WORDS_MAX])
{
    (void)words;
    if (postgres.setup_holder && postgres.setup_holder != backend)
        return OUTCOME_WAITS;
    postgres.setup_holder = backend;
    answer_begin(backend, "SELECT", 1, 1, NULL);
    answer_text(backend, "");
    return done(backend);
}

static uint32_t version_seen(const struct backend *backend)
{
    return backend->schema_version > 0 ? backend->schema_version : postgres.schema_version;
}

static enum outcome does_ask_schema(struct backend *backend, const struct word words[WORDS_MAX])
{
    static const char *const names[] = {"has_schema"};
    (void)words;
    answer_begin(backend, "SELECT", 1, 1, names);
    answer_text(backend, version_seen(backend) > 0 ? "t" : "f");
    return done(backend);
}

static enum outcome does_ask_version(struct backend *backend, const struct word words[WORDS_MAX])
{
    static const char *const names[] = {"version"};
    (void)words;
    answer_begin(backend, "SELECT", 1, 1, names);
    answer_number(backend, version_seen(backend));
    return done(backend);
}

/* A query that is a file of the schema: that version, as of the end of the block. */
static bool is_migration(const struct backend *backend, uint32_t *ret_version)
{
    static const char *const files[] = {schema_0001, schema_0002, schema_0003, schema_0004};
    for (uint32_t i = 0; i < ARRAY_COUNT(files); i++)
        if (strcmp(backend->query, files[i]) == 0) {
            *ret_version = i + 1;
            return true;
        }
    return false;
}

/* ---- marks --------------------------------------------------------------------------------------------------------
 */

static int mark_of(struct word store)
{
    if (store.bytes == 6 && memcmp(store.at, "events", 6) == 0)
        return MARK_EVENTS;
    if (store.bytes == 6 && memcmp(store.at, "orders", 6) == 0)
        return MARK_ORDERS;
    violation("PostgreSQL is asked for the mark of '%.*s'", (int)store.bytes, store.at);
}

static bool is_locked(const struct backend *backend, int mark)
{
    return postgres.mark_holder[mark] && postgres.mark_holder[mark] != backend;
}

/* The row as the transaction may change it. */
static struct cell *lock(struct backend *backend, int mark)
{
    postgres.mark_holder[mark] = backend;
    return transaction_change(&backend->transaction, TABLE_HIGH_WATER, (uint32_t)mark);
}

static enum outcome does_take(struct backend *backend, const struct word words[WORDS_MAX])
{
    int mark = mark_of(words[1]);
    if (is_locked(backend, mark))
        return OUTCOME_WAITS;
    struct cell *row = lock(backend, mark);
    row[MARK_EPOCH].number++;
    if (row[MARK_EVENT_SEQ].number == 0 && number_of(words[0]) > row[MARK_FIRST_SEQ].number)
        row[MARK_FIRST_SEQ].number = number_of(words[0]);
    postgres.told_seq[mark] = (uint64_t)row[MARK_DURABLE_SEQ].number;
    answer_begin(backend, "UPDATE", 1, 5, NULL);
    answer_number(backend, row[MARK_EVENT_SEQ].number);
    answer_number(backend, row[MARK_TIME].number);
    answer_number(backend, row[MARK_EPOCH].number);
    answer_number(backend, row[MARK_FIRST_SEQ].number);
    answer_number(backend, row[MARK_DURABLE_SEQ].number);
    return done(backend);
}

static enum outcome answer_log(struct backend *backend, size_t rows)
{
    answer_begin(backend, "UPDATE", rows, 2, NULL);
    if (rows > 0) {
        answer_number(backend, (int64_t)(store_bugs.flushed_is_no ? postgres.log_end : postgres.log_flushed));
        answer_number(backend, (int64_t)postgres.log_end);
    }
    return done(backend);
}

/* Whether the row is at that event and epoch. One that is not keeps nobody waiting. */
static bool is_at(int mark, int64_t event_seq, int64_t epoch)
{
    const struct cell *row = table_row(table_of(TABLE_HIGH_WATER), (uint32_t)mark);
    return store_bugs.mark_anyhow || (row[MARK_EVENT_SEQ].number == event_seq && row[MARK_EPOCH].number == epoch);
}

static void told(int mark, int64_t durable_seq)
{
    if ((uint64_t)durable_seq > postgres.told_seq[mark])
        postgres.told_seq[mark] = (uint64_t)durable_seq;
}

static enum outcome does_move(struct backend *backend, const struct word words[WORDS_MAX])
{
    int mark = mark_of(words[3]);
    if (!is_at(mark, number_of(words[4]), number_of(words[5])))
        return answer_log(backend, 0);
    if (is_locked(backend, mark))
        return OUTCOME_WAITS;
    struct cell *row = lock(backend, mark);
    row[MARK_EVENT_SEQ].number = number_of(words[0]);
    row[MARK_TIME].number = number_of(words[1]);
    row[MARK_DURABLE_SEQ].number = number_of(words[2]);
    told(mark, number_of(words[2]));
    backend->moved = mark;
    backend->moved_seq = (uint64_t)number_of(words[0]);
    backend->moved_epoch = number_of(words[5]);
    if (store_bugs.mark_apart) {
        backend_commit(backend);
        backend->in_block = true;
    }
    return answer_log(backend, 1);
}

static enum outcome does_seal(struct backend *backend, const struct word words[WORDS_MAX])
{
    int mark = mark_of(words[1]);
    if (!is_at(mark, number_of(words[2]), number_of(words[3])))
        return answer_log(backend, 0);
    if (is_locked(backend, mark))
        return OUTCOME_WAITS;
    struct cell *row = lock(backend, mark);
    row[MARK_DURABLE_SEQ].number = number_of(words[0]);
    told(mark, number_of(words[0]));
    return answer_log(backend, 1);
}

/* ---- what a new connection asks -----------------------------------------------------------------------------------
 */

static enum outcome does_ask_instruments(struct backend *backend, const struct word words[WORDS_MAX])
{
    const struct table *table = table_of(TABLE_INSTRUMENTS);
    (void)words;
    answer_begin(backend, "SELECT", table->count, 2, NULL);
    for (uint32_t row = 0; row < table->count; row++) {
        const struct cell *symbol = cell_named(table, table_row(table, row), "symbol");
        char text[16];
        answer_number(backend, table_row(table, row)->number);
        snprintf(text, sizeof(text), "%.*s", (int)symbol->bytes, cell_bytes(symbol));
        answer_text(backend, text);
    }
    return done(backend);
}

static enum outcome does_ask_order_days(struct backend *backend, const struct word words[WORDS_MAX])
{
    const struct table *table = table_of(TABLE_ORDER_DAYS);
    (void)words;
    answer_begin(backend, "SELECT", table->count, 2, NULL);
    for (uint32_t row = 0; row < table->count; row++) { /* rows of days are added in their order */
        answer_number(backend, table_row(table, row)[0].number);
        answer_number(backend, table_row(table, row)[1].number);
    }
    return done(backend);
}

/* ---- days ---------------------------------------------------------------------------------------------------------
 */

/* 2026-11-24, and of a table's name 2026_11_24, as days since 1970. */
static int64_t day_of(struct word text)
{
    struct tm parts = {0};
    char copy[16];
    snprintf(copy, sizeof(copy), "%.*s", (int)text.bytes, text.at);
    for (char *at = copy; *at; at++)
        *at = *at == '_' ? '-' : *at;
    const char *end = strptime(copy, "%Y-%m-%d", &parts);
    if (!end || *end != '\0')
        violation("PostgreSQL is given \"%s\" as a day", copy);
    return timegm(&parts) / (int64_t)(NS_PER_DAY / NS_PER_SECOND);
}

static bool has_day(const struct backend *backend, enum table_name name, int64_t day)
{
    const struct table *table = table_of(name);
    const struct table *fresh = &backend->transaction.fresh[name];
    for (uint32_t row = 0; row < table->count; row++)
        if (table_row(table, row)->number == day)
            return true;
    for (uint32_t row = 0; row < fresh->count; row++)
        if (fresh->cells[(size_t)row * table->column_count].number == day)
            return true;
    return false;
}

static void make_days(struct backend *backend, enum table_name name, int64_t day)
{
    for (int64_t each = day; each <= day + 1; each++)
        if (!has_day(backend, name, each))
            transaction_add(&backend->transaction, name)[0] = cell_number(each);
}

static enum outcome does_begin_day(struct backend *backend, const struct word words[WORDS_MAX])
{
    make_days(backend, TABLE_PARTITIONS, day_of(words[0]));
    answer_begin(backend, "SELECT", 1, 1, NULL);
    answer_text(backend, "");
    return done(backend);
}

static enum outcome does_begin_order_day(struct backend *backend, const struct word words[WORDS_MAX])
{
    int64_t day = day_of(words[0]);
    make_days(backend, TABLE_ORDER_PARTITIONS, day);
    if (!has_day(backend, TABLE_ORDER_DAYS, day)) {
        struct cell *row = transaction_add(&backend->transaction, TABLE_ORDER_DAYS);
        row[0] = cell_number(day);
        row[1] = cell_number(number_of(words[1]));
    }
    answer_begin(backend, "SELECT", 1, 1, NULL);
    answer_text(backend, "");
    return done(backend);
}

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
        if (!has_day(backend, name == TABLE_ORDERS ? TABLE_ORDER_PARTITIONS : TABLE_PARTITIONS,
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
    return answer_count(
        backend, "UPDATE",
        merge_orders(&backend->transaction, staged(backend, "staged_orders"), (uint32_t)day_of(words[0]), false));
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
    if (backend->query_at == 0 && is_migration(backend, &version)) {
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
