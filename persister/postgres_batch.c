/*
 * A batch as PostgreSQL gets it: one query of all statements up to COMMIT, the rows of each COPY in pieces that are
 * encoded as the socket takes them, and the check that each statement did what it had to.
 *
 * It talks to the server through postgres_sink.c and libpq's COPY calls.
 */
#include "postgres_state.h"

#include "base/require.h"
#include "encode_copy.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_TEXT_BYTES 16

/* How far the server's log is on its disk, and how long it is. */
#define RETURNING_WAL                                                                                                  \
    " RETURNING pg_current_wal_flush_lsn() - '0/0'::pg_lsn, pg_current_wal_insert_lsn() - '0/0'::pg_lsn"

static void append(struct postgres_sink *sink, size_t *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(struct postgres_sink *sink, size_t *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(sink->query + *at, sizeof(sink->query) - *at, format, arguments);
    va_end(arguments);
    REQUIRE(length >= 0 && (size_t)length < sizeof(sink->query) - *at);
    *at += (size_t)length;
}

static void expect(struct postgres_sink *sink, uint64_t count, const char *what)
{
    REQUIRE(sink->statement_count < STATEMENTS_MAX);
    sink->statements[sink->statement_count++] = (struct statement){.count = count, .what = what};
}

/* As SQL has it, or as names of tables do. */
static const char *day_text(uint32_t day, bool is_name, char text[DAY_TEXT_BYTES])
{
    time_t seconds = (time_t)day * (time_t)(NS_PER_DAY / NS_PER_SECOND);
    struct tm parts;
    strftime(text, DAY_TEXT_BYTES, is_name ? "_%Y_%m_%d" : "%Y-%m-%d", gmtime_r(&seconds, &parts));
    return text;
}

/* A day that this connection has not met yet: its partitions, before its rows. */
static void append_day(struct postgres_sink *sink, size_t *at)
{
    char text[DAY_TEXT_BYTES];
    uint32_t day = rows_day(sink->writing);
    uint64_t first_ref = rows_order_ref_first(sink->writing);
    if (sink->sets & ROW_SETS_ORDERS) {
        if (first_ref == 0 || !order_days_note(&sink->days, first_ref, day))
            return;
        append(sink, at, "; SELECT ringside.begin_order_day('%s', %" PRIu64 ")", day_text(day, false, text), first_ref);
    } else {
        if (day == sink->day_begun)
            return;
        sink->day_begun = day;
        append(sink, at, "; SELECT ringside.begin_day('%s')", day_text(day, false, text));
    }
    expect(sink, COUNT_ANY, "the day's partitions");
}

/* A merge of orders that are all of one day goes to the table of that day. */
static void append_merge_of_day(struct postgres_sink *sink, size_t *at, const char *merge)
{
    uint64_t lowest, highest;
    char text[DAY_TEXT_BYTES];
    rows_changed_range(sink->writing, &lowest, &highest);
    uint32_t day = order_days_of(&sink->days, lowest);
    size_t head = strlen(ROW_SET_MERGE_HEAD);
    REQUIRE(strncmp(merge, ROW_SET_MERGE_HEAD, head) == 0);
    append(sink, at, "; %.*s", (int)head, merge);
    if (day != 0 && day == order_days_of(&sink->days, highest))
        append(sink, at, "%s", day_text(day, true, text));
    append(sink, at, "%s", merge + head);
}

static void append_set(struct postgres_sink *sink, size_t *at, enum row_set set)
{
    const struct row_set_statements *statements = &row_set_statements[set];
    uint32_t count = rows_count(sink->writing, set);
    if (count == 0)
        return;
    append(sink, at, "; %s", statements->copy);
    expect(sink, count, statements->copy);
    sink->copy.sets[sink->copy.set_count++] = set;
    for (uint32_t i = 0; i < ROW_SET_MERGES_MAX && statements->merges[i]; i++) {
        if (statements->is_of_one_day)
            append_merge_of_day(sink, at, statements->merges[i]);
        else
            append(sink, at, "; %s", statements->merges[i]);
        expect(sink, statements->is_exact ? count : COUNT_ANY, statements->merges[i]);
    }
}

void postgres_batch_begin(struct postgres_sink *sink)
{
    size_t at = 0;
    sink->statement_count = sink->statement_at = 0;
    sink->copy = (struct copy_state){0};
    append(sink, &at,
           "BEGIN; UPDATE ringside.high_water SET event_seq = %" PRIu64 ", event_time_ns = %" PRIu64
           ", durable_seq = %" PRIu64 ", written_at = now() WHERE store = '%s' AND event_seq = %" PRIu64
           " AND epoch = %" PRIu64 RETURNING_WAL,
           rows_last_seq(sink->writing), rows_last_time_ns(sink->writing), sink->durable_seq, sink->store,
           sink->mark_seq, sink->epoch);
    expect(sink, COUNT_ANY, "BEGIN");
    expect(sink, 1, "the mark");
    sink->told_seq = sink->durable_seq;
    rows_sort(sink->writing);
    append_day(sink, &at);
    for (int set = 0; set < ROW_SET_COUNT; set++)
        append_set(sink, &at, (enum row_set)set);
    postgres_send(sink, sink->query);
}

void postgres_batch_seal(struct postgres_sink *sink)
{
    size_t at = 0;
    sink->statement_count = sink->statement_at = 0;
    sink->copy = (struct copy_state){0};
    append(sink, &at,
           "BEGIN; UPDATE ringside.high_water SET durable_seq = %" PRIu64 " WHERE store = '%s' AND event_seq = %" PRIu64
           " AND epoch = %" PRIu64 RETURNING_WAL,
           sink->durable_seq, sink->store, sink->mark_seq, sink->epoch);
    expect(sink, COUNT_ANY, "BEGIN");
    expect(sink, 1, "the mark");
    sink->told_seq = sink->durable_seq;
    postgres_send(sink, sink->query);
}

/* The mark is another's: not a refusal, but a reason to read it again. Everything else is. */
static void count_failed(struct postgres_sink *sink, uint64_t count)
{
    const struct statement *statement = &sink->statements[sink->statement_at];
    if (sink->statement_at == 1)
        postgres_failed(sink, false, "ringside.high_water",
                        "the mark is no longer at event %" PRIu64 " with epoch %" PRIu64 ": another persister writes",
                        sink->mark_seq, sink->epoch);
    else
        postgres_failed(sink, true, "PostgreSQL",
                        "%" PRIu64 " rows instead of %" PRIu64
                        " by \"%.80s...\": the tables are not as the events up to"
                        " %" PRIu64 " left them",
                        count, statement->count, statement->what, sink->mark_seq);
}

/* What the last COMMIT wrote lies before `end`. The server writes its log out within a second, whoever asks or not. */
static void note_wal(struct postgres_sink *sink, uint64_t flushed, uint64_t end)
{
    if (sink->wal_seq != 0 && flushed >= sink->wal_place) {
        sink->durable_seq = sink->wal_seq;
        sink->wal_seq = 0;
    }
    if (sink->wal_seq == 0 && sink->mark_seq > sink->durable_seq) {
        sink->wal_seq = sink->mark_seq;
        sink->wal_place = end;
    }
}

void postgres_batch_result(struct postgres_sink *sink, const PGresult *result)
{
    if (PQresultStatus(result) == PGRES_COPY_IN) {
        sink->copy.is_open = true;
        sink->copy.has_begun = false;
        sink->copy.cursor = 0;
        return;
    }
    REQUIRE(sink->statement_at < sink->statement_count);
    const struct statement *statement = &sink->statements[sink->statement_at];
    uint64_t count = strtoull(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
    if (statement->count != COUNT_ANY && count != statement->count)
        count_failed(sink, count);
    else if (sink->statement_at == 1)
        note_wal(sink, strtoull(PQgetvalue(result, 0, 0), NULL, 10), strtoull(PQgetvalue(result, 0, 1), NULL, 10));
    sink->statement_at++;
}

/* One piece: the header before the first, the trailer after the last. Its bytes; 0: this was the trailer. */
static size_t next_piece(struct postgres_sink *sink, enum row_set set, bool *is_last)
{
    size_t bytes = 0;
    if (!sink->copy.has_begun) {
        memcpy(sink->copy_bytes, COPY_HEADER, COPY_HEADER_BYTES);
        bytes = COPY_HEADER_BYTES;
        sink->copy.has_begun = true;
    }
    struct rows_context context = {.symbols = &sink->symbols, .days = &sink->days};
    size_t rows = rows_encode(sink->writing, set, &context, &sink->copy.cursor, sink->copy_bytes + bytes,
                              COPY_BYTES - COPY_TRAILER_BYTES - bytes);
    bytes += rows;
    *is_last = rows == 0;
    if (*is_last) {
        memcpy(sink->copy_bytes + bytes, COPY_TRAILER, COPY_TRAILER_BYTES);
        bytes += COPY_TRAILER_BYTES;
    }
    return bytes;
}

int postgres_batch_copy(struct postgres_sink *sink)
{
    bool is_last;
    size_t bytes = next_piece(sink, sink->copy.sets[sink->copy.set_at], &is_last);
    if (PQputCopyData(sink->connection, (const char *)sink->copy_bytes, (int)bytes) != 1 ||
        (is_last && PQputCopyEnd(sink->connection, NULL) != 1)) {
        postgres_failed(sink, false, "PostgreSQL", "%s", PQerrorMessage(sink->connection));
        return 0;
    }
    if (is_last) {
        sink->copy.is_open = false;
        sink->copy.set_at++;
    }
    int flushed = PQflush(sink->connection);
    if (flushed < 0)
        postgres_failed(sink, false, "PostgreSQL", "%s", PQerrorMessage(sink->connection));
    sink->is_output_pending = flushed == 1;
    return flushed == 0 && !is_last;
}

void postgres_batch_commit(struct postgres_sink *sink)
{
    if (sink->statement_at != sink->statement_count) {
        postgres_failed(sink, false, "PostgreSQL", "%u of %u statements were answered", sink->statement_at,
                        sink->statement_count);
        return;
    }
    postgres_send(sink, "COMMIT");
}

void postgres_commit_result(struct postgres_sink *sink, const PGresult *result)
{
    const char *answer = PQcmdStatus((PGresult *)(uintptr_t)result);
    if (strcmp(answer, "COMMIT") != 0)
        postgres_failed(sink, false, "PostgreSQL", "COMMIT was answered by %s", answer);
}
