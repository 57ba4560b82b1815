/*
 * How fast each store is filled, beside what the same store takes from a program that does nothing else, in one run:
 *
 *   PostgreSQL, added rows   beside COPY BINARY of the same rows, encoded beforehand, into tables of the same columns
 *                            and keys, in transactions of the same size, with a mark
 *   PostgreSQL, orders       changed rows; no yardstick: no plain COPY changes rows
 *   Redis, events            beside XADD of the same payloads, as many entries on their way at once: made beforehand;
 *                            made as it goes; made beforehand and sent as a plain client pipelines, so many entries
 *                            and then all their answers
 *
 * The writers are the persister's, reading from the event log, which is a file on a disk as an exchange has it, each
 * alone. Rounds are interleaved; medians are given, and of the ratios the medians of each round's. Every measurement
 * finds its store empty, and Redis without memory that another one has touched.
 * usage: bench_stores [--events 400000] [--rounds 3] [--batch-events 16384] [--entry-events N]
 * [--store postgres|redis] (run by tests/lib/with_stores). A transaction of PostgreSQL has as many events as
 * --batch-events says, at most; an entry of Redis' stream as many as redis.batch_events says, or N.
 */
#include "exchange.h"
#include "market.h"
#include "stores.h"

#include "base/bytes.h"
#include "base/require.h"
#include "base/units.h"
#include "encode_copy.h"
#include "encode_fields.h"
#include "encode_payload.h"
#include "env/clock.h"
#include "log/log.h"
#include "postgres_sink.h"
#include "redis_sink.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS_MAX    15
#define RATES         7
#define BATCH_EVENTS  16384u
#define ON_THEIR_WAY  7
#define WAIT_MS       20
#define PIECE_BYTES   32768
#define TABLES        2
#define SECONDS(from) ((double)(clock_monotonic_ns() - (from)) / NS_PER_SECOND)

struct bench {
    struct exchange exchange;
    struct market market;
    struct stores stores;
    uint64_t row_count; /* of both tables */
    uint32_t batch_events, entry_events;
    double rates[RATES][ROUNDS_MAX];
};

static const char *const names[RATES] = {"PostgreSQL, added rows", "COPY BINARY alone",  "PostgreSQL, orders (events)",
                                         "Redis, events",          "XADD alone, events", "the same, and encoding",
                                         "XADD in bursts, events"};
static const char *const tables[TABLES] = {"order_events", "executions"};

/* ---- the persister's writers ---- */

static double measure_postgres(struct bench *bench, enum postgres_part part)
{
    struct postgres_sink *sink = NULL;
    struct error error;
    struct epoll_event event;
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    uint64_t began_ns = clock_monotonic_ns();
    bool is_ready = false;
    REQUIRE(postgres_sink_open(&sink, &bench->exchange.config, part, epoll_fd, 0, &error) == 0);
    postgres_sink_join_log(sink, 1);
    while (!postgres_sink_is_level(sink)) {
        int done = postgres_sink_poll(sink, clock_monotonic_ns(), is_ready);
        is_ready = epoll_wait(epoll_fd, &event, 1, done > 0 ? 0 : WAIT_MS) > 0;
    }
    double seconds = SECONDS(began_ns);
    postgres_sink_close(sink);
    close(epoll_fd);
    return seconds;
}

static double measure_redis(struct bench *bench)
{
    struct redis_sink *sink = NULL;
    struct error error;
    struct epoll_event event;
    struct store_status status = {0};
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    uint64_t began_ns = clock_monotonic_ns();
    bool is_ready = false;
    REQUIRE(redis_sink_open(&sink, &bench->exchange.config, epoll_fd, 0, &error) == 0);
    redis_sink_join(sink, &bench->exchange.ring);
    while (status.mark_seq < bench->market.event_count) {
        int done = redis_sink_poll(sink, clock_monotonic_ns(), is_ready);
        is_ready = epoll_wait(epoll_fd, &event, 1, done > 0 ? 0 : 2) > 0;
        redis_sink_status(sink, &status);
    }
    double seconds = SECONDS(began_ns);
    redis_sink_close(sink);
    close(epoll_fd);
    return seconds;
}

/* ---- the stores alone ---- */

struct buffer {
    uint8_t *bytes;
    size_t used, capacity;
};

static uint8_t *room(struct buffer *buffer, size_t bytes)
{
    if (buffer->used + bytes > buffer->capacity) {
        buffer->capacity = 2 * (buffer->used + bytes);
        buffer->bytes = realloc(buffer->bytes, buffer->capacity);
        REQUIRE(buffer->bytes);
    }
    return buffer->bytes + buffer->used;
}

/* One event's rows in one table: how many. */
static uint32_t encode_event(int table, const struct event *event, struct buffer *buffer)
{
    char symbol[SYMBOL_BYTES];
    uint32_t count = table == 0 ? fields_step_count(event) : (event->kind == EVENT_EXECUTED ? 2 : 0);
    text_pad(symbol, sizeof(symbol), market_symbols[event->instrument]);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = room(buffer, ROW_BYTES_MAX);
        const uint8_t *end = table == 0 ? fields_step(room(buffer, 0), event, (enum which_order)i)
                                        : fields_execution(room(buffer, 0), event, (enum which_order)i, symbol);
        buffer->used += (size_t)(end - at);
    }
    return count;
}

/* The rows of one table from some events, as a whole COPY stream. */
static uint64_t encode_rows(const struct bench *bench, int table, uint32_t from, uint32_t to, struct buffer *buffer)
{
    uint64_t rows = 0;
    buffer->used = 0;
    memcpy(room(buffer, COPY_HEADER_BYTES), COPY_HEADER, COPY_HEADER_BYTES);
    buffer->used = COPY_HEADER_BYTES;
    for (uint32_t i = from; i < to; i++)
        rows += encode_event(table, &bench->market.events[i], buffer);
    memcpy(room(buffer, COPY_TRAILER_BYTES), COPY_TRAILER, COPY_TRAILER_BYTES);
    buffer->used += COPY_TRAILER_BYTES;
    return rows;
}

static void run_sql(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN) {
        fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(connection));
        abort();
    }
    PQclear(result);
}

static void copy(PGconn *connection, int table, const struct buffer *buffer)
{
    char sql[1024];
    const char *columns = strchr(row_set_statements[table == 0 ? ROWS_STEPS : ROWS_EXECUTIONS].copy, '(');
    snprintf(sql, sizeof(sql), "COPY yard.%s %s", tables[table], columns);
    run_sql(connection, sql);
    for (size_t at = 0; at < buffer->used; at += PIECE_BYTES)
        REQUIRE(PQputCopyData(connection, (const char *)buffer->bytes + at,
                              (int)(buffer->used - at < PIECE_BYTES ? buffer->used - at : PIECE_BYTES)) == 1);
    REQUIRE(PQputCopyEnd(connection, NULL) == 1);
    PGresult *result;
    while ((result = PQgetResult(connection))) {
        REQUIRE(PQresultStatus(result) == PGRES_COMMAND_OK);
        PQclear(result);
    }
}

/* The same rows into the same keys; encoding is not counted. */
static double measure_copy(struct bench *bench)
{
    uint32_t batches = (bench->market.event_count + bench->batch_events - 1) / bench->batch_events;
    struct buffer *buffers = calloc((size_t)batches * TABLES, sizeof(*buffers));
    PGconn *connection = PQconnectdb(bench->stores.connection);
    REQUIRE(buffers && PQstatus(connection) == CONNECTION_OK);
    bench->row_count = 0;
    for (uint32_t i = 0; i < batches * TABLES; i++) {
        uint32_t from = i / TABLES * bench->batch_events;
        uint32_t to = from + bench->batch_events < bench->market.event_count ? from + bench->batch_events
                                                                             : bench->market.event_count;
        bench->row_count += encode_rows(bench, (int)(i % TABLES), from, to, &buffers[i]);
    }
    run_sql(connection,
            "SET synchronous_commit = off; SET client_min_messages = error; DROP SCHEMA IF EXISTS yard CASCADE;"
            " CREATE SCHEMA yard; CREATE TABLE yard.order_events (LIKE ringside.order_events INCLUDING ALL);"
            " CREATE TABLE yard.executions (LIKE ringside.executions INCLUDING ALL);"
            " CREATE TABLE yard.mark AS SELECT 0 AS seq");
    uint64_t began_ns = clock_monotonic_ns();
    for (uint32_t i = 0; i < batches; i++) {
        run_sql(connection, "BEGIN; UPDATE yard.mark SET seq = seq + 1");
        for (int table = 0; table < TABLES; table++)
            copy(connection, table, &buffers[i * TABLES + (uint32_t)table]);
        run_sql(connection, "COMMIT");
    }
    double seconds = SECONDS(began_ns);
    for (uint32_t i = 0; i < batches * TABLES; i++)
        free(buffers[i].bytes);
    free(buffers);
    PQfinish(connection);
    return seconds;
}

/* ---- Redis alone ---- */

static void take_reply(redisContext *context)
{
    redisReply *reply = NULL;
    REQUIRE(redisGetReply(context, (void **)&reply) == REDIS_OK && reply->type != REDIS_REPLY_ERROR);
    freeReplyObject(reply);
}

/* The payload of one entry. */
static void payload_make(struct bench *bench, struct symbol_table *symbols, struct buffer *payload, uint32_t entry)
{
    uint32_t end = (entry + 1) * bench->entry_events;
    payload->used = 0;
    for (uint32_t i = entry * bench->entry_events; i < end && i < bench->market.event_count; i++) {
        symbol_note(symbols, &bench->market.events[i]);
        uint8_t *at = room(payload, PAYLOAD_EVENT_BYTES_MAX);
        payload->used += (size_t)(payload_event(at, &bench->market.events[i], symbols) - at);
    }
}

enum xadd { XADD_ALONE, XADD_ENCODING, XADD_BURSTS, XADD_KINDS };

/* How many answers are waited for before the next entry: one of those on their way, or of a burst all. */
static uint32_t answers_due(enum xadd kind, uint32_t entries_sent)
{
    if (kind == XADD_BURSTS)
        return entries_sent % ON_THEIR_WAY == 0 ? ON_THEIR_WAY : 0;
    return entries_sent >= ON_THEIR_WAY ? 1 : 0;
}

/* What a program takes that does nothing but XADD. */
static double measure_xadd(struct bench *bench, enum xadd kind)
{
    static struct symbol_table symbols;
    uint32_t entries = (bench->market.event_count + bench->entry_events - 1) / bench->entry_events;
    REQUIRE(entries > 0);
    struct buffer *payloads = calloc(entries, sizeof(*payloads));
    redisContext *context = redisConnectUnix(bench->stores.redis_path);
    REQUIRE(payloads && context && !context->err);
    for (uint32_t i = 0; i < entries; i++)
        payload_make(bench, &symbols, &payloads[i], i);
    uint64_t began_ns = clock_monotonic_ns();
    uint32_t answered = 0;
    for (uint32_t i = 0; i < entries; i++) {
        if (kind == XADD_ENCODING)
            payload_make(bench, &symbols, &payloads[i], i);
        REQUIRE(redisAppendCommand(context, "XADD yard MAXLEN ~ 100000 %u-0 p %b", (i + 1) * bench->entry_events,
                                   payloads[i].bytes, payloads[i].used) == REDIS_OK);
        for (uint32_t due = answers_due(kind, i + 1); due > 0; due--, answered++)
            take_reply(context);
    }
    for (; answered < entries; answered++)
        take_reply(context);
    double seconds = SECONDS(began_ns);
    redisFree(context);
    for (uint32_t i = 0; i < entries; i++)
        free(payloads[i].bytes);
    free(payloads);
    return seconds;
}

/* ---- rounds ---- */

static void run_postgres(struct bench *bench, uint32_t round)
{
    stores_sql(&bench->stores, "DROP SCHEMA IF EXISTS ringside CASCADE");
    stores_sql(&bench->stores, "CHECKPOINT");
    double added_s = measure_postgres(bench, POSTGRES_EVENTS);
    bench->rates[1][round] = 1 / measure_copy(bench);
    bench->rates[0][round] = (double)bench->row_count / added_s;
    bench->rates[1][round] *= (double)bench->row_count;
    bench->rates[2][round] = bench->market.event_count / measure_postgres(bench, POSTGRES_ORDERS);
}

static bool redis_rewrites(redisContext *context)
{
    redisReply *info = redisCommand(context, "INFO persistence");
    REQUIRE(info && info->type == REDIS_REPLY_STRING);
    bool rewrites = strstr(info->str, "aof_rewrite_in_progress:0") == NULL;
    freeReplyObject(info);
    return rewrites;
}

/* Memory and log; no process that rewrites the log takes a core in the middle of a measurement. */
static void empty_redis(const struct bench *bench)
{
    redisContext *context = redisConnectUnix(bench->stores.redis_path);
    REQUIRE(context && !context->err);
    freeReplyObject(redisCommand(context, "CONFIG SET auto-aof-rewrite-percentage 0"));
    freeReplyObject(redisCommand(context, "FLUSHALL SYNC"));
    freeReplyObject(redisCommand(context, "MEMORY PURGE"));
    freeReplyObject(redisCommand(context, "BGREWRITEAOF"));
    while (redis_rewrites(context))
        usleep(WAIT_MS * 1000);
    redisFree(context);
}

/* Each of them is the first in its turn. */
static void run_redis(struct bench *bench, uint32_t round)
{
    for (uint32_t turn = 0; turn <= XADD_KINDS; turn++) {
        uint32_t which = (round + turn) % (XADD_KINDS + 1);
        empty_redis(bench);
        double seconds = which == 0 ? measure_redis(bench) : measure_xadd(bench, (enum xadd)(which - 1));
        bench->rates[3 + which][round] = bench->market.event_count / seconds;
    }
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double middle(double *values, uint32_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return values[count / 2];
}

/* The median of the rounds' ratios. Before middle() has put the rates in order. */
static double ratio(const double *values, const double *beside, uint32_t count)
{
    double ratios[ROUNDS_MAX];
    for (uint32_t i = 0; i < count; i++)
        ratios[i] = values[i] / beside[i];
    return middle(ratios, count);
}

static bool wants(int argc, char **argv, const char *store)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--store") == 0)
            return strcmp(argv[i + 1], store) == 0;
    return true;
}

static uint32_t option(int argc, char **argv, const char *name, uint32_t fallback)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return (uint32_t)strtoul(argv[i + 1], NULL, 10);
    return fallback;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    uint32_t events = option(argc, argv, "--events", 400000);
    uint32_t rounds = option(argc, argv, "--rounds", 3);
    log_open("bench", LOG_LEVEL_ERROR);
    rounds = rounds < 1 ? 1 : (rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds);
    exchange_init(&bench.exchange, 16384);
    stores_open(&bench.stores, "bench", &bench.exchange.config);
    struct config *config = &bench.exchange.config; /* its log where the stores are, which go with it */
    snprintf(config->events_directory, sizeof(config->events_directory), "%s/events", bench.stores.directory);
    REQUIRE(mkdir(config->events_directory, 0755) == 0);
    bench.batch_events = option(argc, argv, "--batch-events", BATCH_EVENTS);
    bench.batch_events = bench.batch_events < 1 ? 1 : bench.batch_events;
    bench.exchange.config.postgres_batch_events = bench.batch_events;
    bench.entry_events = option(argc, argv, "--entry-events", (uint32_t)bench.exchange.config.redis_batch_events);
    bench.entry_events = bench.entry_events < 1 ? 1 : bench.entry_events;
    bench.exchange.config.redis_batch_events = bench.entry_events;
    market_init(&bench.market, 1, events + 1000);
    bench.market.is_one_day = true;
    market_run(&bench.market, events - 100);
    exchange_begin(&bench.exchange);
    exchange_publish(&bench.exchange, bench.market.events, bench.market.event_count);
    exchange_log(&bench.exchange);
    bool has[2] = {wants(argc, argv, "postgres"), wants(argc, argv, "redis")};
    for (uint32_t round = 0; round < rounds; round++) {
        if (has[0])
            run_postgres(&bench, round);
        if (has[1])
            run_redis(&bench, round);
    }
    printf("%u events, %" PRIu64 " rows added, %u orders; medians of %u rounds, a second\n", bench.market.event_count,
           bench.row_count, bench.market.order_count, rounds);
    if (has[0])
        printf("  PostgreSQL against its yardstick %.2f\n", ratio(bench.rates[0], bench.rates[1], rounds));
    if (has[1])
        printf("  Redis against XADD in bursts %.2f, encoding as it goes %.2f, alone %.2f\n",
               ratio(bench.rates[3], bench.rates[6], rounds), ratio(bench.rates[3], bench.rates[5], rounds),
               ratio(bench.rates[3], bench.rates[4], rounds));
    for (int i = 0; i < RATES; i++)
        if (has[i >= 3])
            printf("  %-28s %12.0f\n", names[i], middle(bench.rates[i], rounds));
    market_finish(&bench.market);
    exchange_finish(&bench.exchange);
    return 0;
}
