/* What statements do that are no COPY and no merge: settings and blocks, the schema, marks, what a new connection asks.
 */
#include "base/require.h"
#include "base/units.h"
#include "outside.h"
#include "postgres_server.h"
#include "postgres_statements.h"
#include "stores.h"

#include "schema_0001.h"
#include "schema_0002.h"
#include "schema_0003.h"
#include "schema_0004.h"
#include "schema_0005.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

enum outcome answer_tag(struct backend *backend, const char *tag)
{
    backend->answer_bytes = 0;
    answer_text(backend, tag);
    answer_byte(backend, 0);
    answer_byte(backend, 0);
    return done(backend);
}

enum outcome answer_count(struct backend *backend, const char *tag, int64_t count)
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

enum outcome does_set(struct backend *backend, const struct word words[WORDS_MAX])
{
    (void)words;
    return answer_tag(backend, "SET");
}

enum outcome does_begin(struct backend *backend, const struct word words[WORDS_MAX])
{
    (void)words;
    backend->in_block = true;
    return answer_tag(backend, "BEGIN");
}

enum outcome does_commit(struct backend *backend, const struct word words[WORDS_MAX])
{
    (void)words;
    bool failed = backend->failed;
    if (failed)
        backend_rollback(backend);
    else
        backend_commit(backend);
    return answer_tag(backend, failed ? "ROLLBACK" : "COMMIT");
}

enum outcome does_lock(struct backend *backend, const struct word words[WORDS_MAX])
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

enum outcome does_ask_schema(struct backend *backend, const struct word words[WORDS_MAX])
{
    static const char *const names[] = {"has_schema"};
    (void)words;
    answer_begin(backend, "SELECT", 1, 1, names);
    answer_text(backend, version_seen(backend) > 0 ? "t" : "f");
    return done(backend);
}

enum outcome does_ask_version(struct backend *backend, const struct word words[WORDS_MAX])
{
    static const char *const names[] = {"version"};
    (void)words;
    answer_begin(backend, "SELECT", 1, 1, names);
    answer_number(backend, version_seen(backend));
    return done(backend);
}

/* A query that is a file of the schema: that version, as of the end of the block. */
bool statement_is_migration(const struct backend *backend, uint32_t *ret_version)
{
    static const char *const files[] = {schema_0001, schema_0002, schema_0003, schema_0004, schema_0005};
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

enum outcome does_take(struct backend *backend, const struct word words[WORDS_MAX])
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

enum outcome does_move(struct backend *backend, const struct word words[WORDS_MAX])
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

enum outcome does_seal(struct backend *backend, const struct word words[WORDS_MAX])
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

enum outcome does_ask_instruments(struct backend *backend, const struct word words[WORDS_MAX])
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

enum outcome does_ask_order_days(struct backend *backend, const struct word words[WORDS_MAX])
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
int64_t statement_day(struct word text)
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

bool statement_has_day(const struct backend *backend, enum table_name name, int64_t day)
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
        if (!statement_has_day(backend, name, each))
            transaction_add(&backend->transaction, name)[0] = cell_number(each);
}

enum outcome does_begin_day(struct backend *backend, const struct word words[WORDS_MAX])
{
    make_days(backend, TABLE_PARTITIONS, statement_day(words[0]));
    answer_begin(backend, "SELECT", 1, 1, NULL);
    answer_text(backend, "");
    return done(backend);
}

enum outcome does_begin_order_day(struct backend *backend, const struct word words[WORDS_MAX])
{
    int64_t day = statement_day(words[0]);
    make_days(backend, TABLE_ORDER_PARTITIONS, day);
    if (!statement_has_day(backend, TABLE_ORDER_DAYS, day)) {
        struct cell *row = transaction_add(&backend->transaction, TABLE_ORDER_DAYS);
        row[0] = cell_number(day);
        row[1] = cell_number(number_of(words[1]));
    }
    answer_begin(backend, "SELECT", 1, 1, NULL);
    answer_text(backend, "");
    return done(backend);
}
