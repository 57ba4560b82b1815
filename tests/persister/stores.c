#include "stores.h"

#include "base/bytes.h"
#include "base/require.h"
#include "encode_payload.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIFFERENCES_SHOWN 5

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        fprintf(stderr, "%s is not set: run this by tests/lib/with_stores\n", name);
        exit(77);
    }
    return value;
}

/* ---- PostgreSQL ---- */

static PGresult *query(const char *connection_string, const char *sql)
{
    PGconn *connection = PQconnectdb(connection_string);
    PGresult *result = PQstatus(connection) == CONNECTION_OK ? PQexec(connection, sql) : NULL;
    ExecStatusType status = result ? PQresultStatus(result) : PGRES_FATAL_ERROR;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(connection));
        abort();
    }
    PQfinish(connection);
    return result;
}

void stores_open(struct stores *stores, const char *name, struct config *config)
{
    const char *server = environment("RINGSIDE_TEST_POSTGRES");
    stores->directory = environment("RINGSIDE_TEST_STORES");
    stores->redis_path = environment("RINGSIDE_TEST_REDIS");
    char sql[128];
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
    PQclear(query(server, sql));
    snprintf(stores->connection, sizeof(stores->connection), "%s dbname=%s", server, name);
    snprintf(stores->prefix, sizeof(stores->prefix), "%s", name);
    REQUIRE(strlen(stores->connection) < sizeof(config->postgres_connection));
    memcpy(config->postgres_connection, stores->connection, strlen(stores->connection) + 1);
    snprintf(config->redis_address, sizeof(config->redis_address), "%s", stores->redis_path);
    snprintf(config->redis_prefix, sizeof(config->redis_prefix), "%s", stores->prefix);
}

void stores_do(const struct stores *stores, const char *verb, const char *store)
{
    char command[512];
    snprintf(command, sizeof(command), "%s %s %s %s", STORES_PROGRAM, verb, stores->directory, store);
    int status = system(command); /* NOLINT(cert-env33-c): a test's own script */
    if (status != 0) {
        fprintf(stderr, "%s: %d\n", command, status);
        abort();
    }
}

const char *stores_sql(const struct stores *stores, const char *format, ...)
{
    static char answer[512];
    char sql[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof(sql), format, arguments);
    va_end(arguments);
    PGresult *result = query(stores->connection, sql);
    snprintf(answer, sizeof(answer), "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return answer;
}

void stores_sql_file(const struct stores *stores, const char *name)
{
    char path[512];
    static char sql[65536];
    snprintf(path, sizeof(path), "%s/%s", SCHEMA_DIRECTORY, name);
    FILE *file = fopen(path, "r");
    REQUIRE(file);
    sql[fread(sql, 1, sizeof(sql) - 1, file)] = '\0';
    fclose(file);
    PQclear(query(stores->connection, sql));
}

static PGconn *locker;

void stores_lock_begin(const struct stores *stores, const char *table)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "BEGIN; LOCK TABLE %s", table);
    locker = PQconnectdb(stores->connection);
    PGresult *result = PQexec(locker, sql);
    REQUIRE(PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
}

void stores_lock_end(void)
{
    PQfinish(locker);
    locker = NULL;
}

uint64_t stores_sql_number(const struct stores *stores, const char *sql)
{
    return strtoull(stores_sql(stores, "%s", sql), NULL, 10);
}

/* ---- comparing ---- */

struct comparison {
    const char *what;
    uint32_t differences;
};

static void compare(struct comparison *comparison, uint64_t number, const char *expected, const char *found)
{
    if (strcmp(expected, found) == 0)
        return;
    if (comparison->differences++ < DIFFERENCES_SHOWN)
        printf("# %s %" PRIu64 ":\n#   expected %s\n#   found    %s\n", comparison->what, number, expected, found);
}

static void compare_number(struct comparison *comparison, const char *what, uint64_t expected, uint64_t found)
{
    if (expected == found)
        return;
    comparison->differences++;
    printf("# %s: expected %" PRIu64 ", found %" PRIu64 "\n", what, expected, found);
}

static int by_ref(const void *a, const void *b)
{
    const struct market_order *const *left = a;
    const struct market_order *const *right = b;
    return ((*left)->order_ref > (*right)->order_ref) - ((*left)->order_ref < (*right)->order_ref);
}

static const char *price_of(uint64_t ticks, char text[32])
{
    snprintf(text, 32, "%" PRIu64 ".%04" PRIu64, ticks / 10000, ticks % 10000);
    return text;
}

/* An offset; 0 is none. */
static const char *signed_price_of(int32_t ticks, char text[32])
{
    text[0] = '-';
    if (ticks == 0)
        text[1] = '\0';
    else
        price_of((uint64_t)(ticks < 0 ? -ticks : ticks), text + (ticks < 0));
    return text;
}

static const char *side_of(char side)
{
    return side == 'B' ? "buy" : side == 'S' ? "sell" : side == 'T' ? "sell short" : "sell short exempt";
}

static void order_line(const struct market_order *order, char *line, size_t line_bytes)
{
    char price[32], value[32], peg[32], previous[32] = "-";
    if (order->previous_order_ref != 0)
        snprintf(previous, sizeof(previous), "%" PRIu64, order->previous_order_ref);
    snprintf(line, line_bytes,
             "%" PRIu64 "|%s|%u|%u|%u|%s|%s|%s|%u|%u|%u|%u|%s|%s|%s|%s|visible|principal|%s|%s|%" PRIu64 "|%" PRIu64
             "|%" PRIu64 "|%" PRIu64 "|%u|%u|%s|t",
             order->order_ref, previous, order->session, order->user_ref, order->instrument,
             market_symbols[order->instrument], side_of(order->side),
             order->price_ticks == PRICE_TICKS_MARKET ? "-" : price_of((uint64_t)order->price_ticks, price),
             order->quantity, order->executed, order->canceled, order->leaves, price_of(order->value_ticks, value),
             order->state,
             order->reason == 'U'   ? "user requested"
             : order->reason == 'Q' ? "self-match prevention"
                                    : "-",
             order->time_in_force == '0' ? "day" : "immediate or cancel", order->session % 2 ? "FIRM" : "-",
             order->client_order_id, order->entered_ns, order->updated_ns, order->entered_seq, order->event_seq,
             order->min_quantity, order->expire_s, signed_price_of(order->peg_offset_ticks, peg));
}

/* The time beside the ns column is that time, cut to microseconds. */
#define TIME_AGREES(at, ns) "(" at " = timestamptz 'epoch' + (" ns " / 1000) * interval '1 microsecond')"

static uint32_t check_orders(const struct stores *stores, const struct market *market)
{
    struct comparison comparison = {.what = "order"};
    PGresult *rows = query(
        stores->connection,
        "SELECT concat_ws('|', order_ref, coalesce(previous_order_ref::text, '-'), session, user_ref, instrument, "
        "symbol,"
        " side, coalesce(price::text, '-'), quantity, executed, canceled, leaves, executed_value, state,"
        " coalesce(reason, '-'), time_in_force, display, capacity, coalesce(firm, '-'), client_order_id, entered_ns,"
        " updated_ns, entered_event_seq, event_seq,"
        " coalesce(min_quantity, 0), coalesce(expire_s, 0), coalesce(peg_offset::text, '-'), "
        " average_price IS NOT DISTINCT FROM round(executed_value / nullif(executed, 0), 8) AND " TIME_AGREES(
            "entered_at", "entered_ns") " AND " TIME_AGREES("updated_at",
                                                            "updated_ns") ") FROM ringside.orders ORDER BY order_ref");
    const struct market_order **orders = calloc(market->order_count + 1, sizeof(void *));
    REQUIRE(orders);
    for (uint32_t i = 0; i < market->order_count; i++)
        orders[i] = &market->orders[i];
    qsort(orders, market->order_count, sizeof(void *), by_ref);
    compare_number(&comparison, "orders", market->order_count, (uint64_t)PQntuples(rows));
    for (uint32_t i = 0; i < market->order_count && i < (uint32_t)PQntuples(rows); i++) {
        char line[512];
        order_line(orders[i], line, sizeof(line));
        compare(&comparison, orders[i]->order_ref, line, PQgetvalue(rows, (int)i, 0));
    }
    free(orders);
    PQclear(rows);
    return comparison.differences;
}

#define STEP_BYTES 256

/* The step of one order that an event is, from the event alone; empty: none. */
static void step_line(const struct event *event, int which, char *line, size_t line_bytes)
{
    const struct event_cut *cut = &event->cut;
    const struct event_trade *trade = &event->trade;
    char price[32];
    line[0] = '\0';
    if (event->kind == EVENT_ACCEPTED || (event->kind == EVENT_REPLACED && which == 1))
        snprintf(line, line_bytes, "%" PRIu64 "|accepted|%u|%s|%u|%s|%" PRIu64 "|0", event->accepted.order_ref,
                 event->accepted.quantity,
                 event->accepted.price_ticks == PRICE_TICKS_MARKET
                     ? "-"
                     : price_of((uint64_t)event->accepted.price_ticks, price),
                 event->reason == 'D' ? 0 : event->accepted.quantity, event->reason == 'D' ? "dead" : "-",
                 event->kind == EVENT_REPLACED ? event->replaced.previous_order_ref : 0);
    else if (event->kind == EVENT_REPLACED)
        snprintf(line, line_bytes, "%" PRIu64 "|replaced|-|-|0|-|0|0", event->replaced.previous_order_ref);
    else if (event->kind == EVENT_EXECUTED)
        snprintf(line, line_bytes, "%" PRIu64 "|executed|%u|%s|%u|-|0|%" PRIu64,
                 which == 1 ? trade->maker_order_ref : trade->order_ref, trade->quantity,
                 price_of((uint64_t)trade->price_ticks, price),
                 which == 1 ? trade->maker_leaves_quantity : trade->leaves_quantity, trade->match_number);
    else if (event->kind == EVENT_BROKEN)
        snprintf(line, line_bytes, "%" PRIu64 "|broken|%u|%s|-|consent|0|%" PRIu64,
                 which == 1 ? trade->maker_order_ref : trade->order_ref, trade->quantity,
                 price_of((uint64_t)trade->price_ticks, price), trade->match_number);
    else if (event->kind == EVENT_CANCELED || event->kind == EVENT_SELF_MATCH_CANCELED)
        snprintf(line, line_bytes, "%" PRIu64 "|%s|%u|0.0000|%u|%s|0|0", cut->order_ref,
                 event->kind == EVENT_CANCELED ? "canceled" : "self-match canceled", cut->decrement,
                 cut->leaves_quantity, event->reason == 'U' ? "user requested" : "self-match prevention");
    else if (event->kind == EVENT_MODIFIED)
        snprintf(line, line_bytes, "%" PRIu64 "|modified|1|0.0000|%u|-|0|0", cut->order_ref, cut->leaves_quantity);
    else if (event->kind == EVENT_PRIORITY_UPDATED)
        snprintf(line, line_bytes, "%" PRIu64 "|priority updated|-|%s|%u|-|%" PRIu64 "|0", cut->order_ref,
                 price_of((uint64_t)cut->price_ticks, price), cut->leaves_quantity, cut->previous_order_ref);
}

/* Of both orders of an event, in the order of their numbers; how many there are. */
static int step_lines(const struct event *event, char lines[2][STEP_BYTES])
{
    bool has_two = event->kind == EVENT_EXECUTED || event->kind == EVENT_BROKEN || event->kind == EVENT_REPLACED;
    step_line(event, 0, lines[0], STEP_BYTES);
    step_line(event, 1, lines[1], STEP_BYTES);
    if (has_two && strtoull(lines[0], NULL, 10) > strtoull(lines[1], NULL, 10)) {
        char first[STEP_BYTES];
        memcpy(first, lines[0], sizeof(first));
        memcpy(lines[0], lines[1], sizeof(first));
        memcpy(lines[1], first, sizeof(first));
    }
    return has_two ? 2 : lines[0][0] != '\0';
}

static uint32_t check_steps(const struct stores *stores, const struct market *market)
{
    struct comparison comparison = {.what = "step at event"};
    PGresult *rows = query(
        stores->connection,
        "SELECT concat_ws('|', event_seq, order_ref, step, coalesce(quantity::text, '-'), coalesce(price::text, '-'),"
        " coalesce(leaves::text, '-'), coalesce(reason, '-'), coalesce(previous_order_ref, 0),"
        " coalesce(match_number, 0), happened_ns, " TIME_AGREES(
            "happened_at", "happened_ns") " AND day = (happened_at AT TIME ZONE 'UTC')::date)"
                                          " FROM ringside.order_events ORDER BY event_seq, order_ref");
    uint32_t row = 0;
    for (uint32_t i = 0; i < market->event_count; i++) {
        char lines[2][STEP_BYTES];
        int count = step_lines(&market->events[i], lines);
        for (int which = 0; which < count; which++, row++) {
            char line[512];
            snprintf(line, sizeof(line), "%u|%s|%" PRIu64 "|t", i + 1, lines[which], market->events[i].time_ns);
            compare(&comparison, i + 1, line, row < (uint32_t)PQntuples(rows) ? PQgetvalue(rows, (int)row, 0) : "none");
        }
    }
    compare_number(&comparison, "steps", row, (uint64_t)PQntuples(rows));
    PQclear(rows);
    return comparison.differences;
}

static void execution_line(const struct event *event, bool is_maker, char *line, size_t line_bytes)
{
    const struct event_trade *trade = &event->trade;
    char price[32];
    snprintf(line, line_bytes,
             "%" PRIu64 "|%s|%" PRIu64 "|%" PRIu64 "|%" PRIu64 "|%u|%u|%u|%s|%s|%s|%u|%u|%s|%" PRIu64 "|t",
             event->event_seq, is_maker ? "t" : "f", trade->match_number,
             is_maker ? trade->maker_order_ref : trade->order_ref, is_maker ? trade->order_ref : trade->maker_order_ref,
             is_maker ? trade->maker_session : event->session, is_maker ? trade->maker_user_ref : event->user_ref,
             event->instrument, market_symbols[event->instrument],
             side_of((char)(is_maker ? trade->maker_side : event->side)), price_of((uint64_t)trade->price_ticks, price),
             trade->quantity, is_maker ? trade->maker_leaves_quantity : trade->leaves_quantity,
             is_maker ? "added" : "removed", event->time_ns);
}

static uint32_t check_executions(const struct stores *stores, const struct market *market)
{
    struct comparison comparison = {.what = "execution at event"};
    PGresult *rows = query(
        stores->connection,
        "SELECT concat_ws('|', event_seq, is_maker, match_number, order_ref, counter_order_ref, session, user_ref,"
        " instrument, symbol, side, price, quantity, leaves, liquidity, executed_ns, " TIME_AGREES(
            "executed_at", "executed_ns") ") FROM ringside.executions ORDER BY event_seq, is_maker");
    uint32_t row = 0;
    for (uint32_t i = 0; i < market->event_count; i++) {
        if (market->events[i].kind != EVENT_EXECUTED)
            continue;
        for (int side = 0; side < 2; side++, row++) {
            char line[512];
            execution_line(&market->events[i], side == 1, line, sizeof(line));
            compare(&comparison, i + 1, line, row < (uint32_t)PQntuples(rows) ? PQgetvalue(rows, (int)row, 0) : "none");
        }
    }
    compare_number(&comparison, "executions", row, (uint64_t)PQntuples(rows));
    PQclear(rows);
    return comparison.differences;
}

static uint32_t check_sessions(const struct stores *stores, const struct market *market)
{
    struct comparison comparison = {.what = "session"};
    PGresult *rows = query(stores->connection, "SELECT concat_ws('|', session, user_name, firm, is_connected,"
                                               " login_count) FROM ringside.sessions ORDER BY session");
    compare_number(&comparison, "sessions", MARKET_SESSIONS, (uint64_t)PQntuples(rows));
    for (uint32_t i = 1; i <= MARKET_SESSIONS && i <= (uint32_t)PQntuples(rows); i++) {
        char line[128];
        const struct market_login *login = &market->logins[i];
        snprintf(line, sizeof(line), "%u|%s|FIRM|%s|%u", i, market_users[i], login->is_connected ? "t" : "f",
                 login->logins);
        compare(&comparison, i, line, PQgetvalue(rows, (int)i - 1, 0));
    }
    PQclear(rows);
    return comparison.differences;
}

uint32_t stores_check_postgres(const struct stores *stores, const struct market *market)
{
    struct comparison comparison = {.what = "table"};
    compare_number(&comparison, "lower mark", market->event_count,
                   stores_sql_number(stores, "SELECT min(event_seq) FROM ringside.high_water"));
    compare_number(&comparison, "higher mark", market->event_count,
                   stores_sql_number(stores, "SELECT max(event_seq) FROM ringside.high_water"));
    compare_number(&comparison, "rejections", market->rejection_count,
                   stores_sql_number(stores, "SELECT count(*) FROM ringside.rejections WHERE reason IS NOT NULL AND"
                                             " request = 'enter' AND client_order_id = '?? ?? id'"));
    compare_number(&comparison, "broken trades", market->break_count,
                   stores_sql_number(stores, "SELECT count(*) FROM ringside.broken_trades WHERE reason = 'consent'"));
    compare_number(&comparison, "instruments", MARKET_INSTRUMENTS,
                   stores_sql_number(stores, "SELECT count(*) FROM ringside.instruments WHERE tick_size = 0.01"
                                             " AND market_state = 'open' AND collar IS NULL"));
    compare_number(&comparison, "days", 1,
                   stores_sql_number(stores, "SELECT count(*) FROM ringside.trading_days WHERE day = '2026-11-23'"));
    return comparison.differences + check_orders(stores, market) + check_steps(stores, market) +
           check_executions(stores, market) + check_sessions(stores, market);
}

/* ---- Redis ---- */

static redisContext *redis_open(const struct stores *stores)
{
    redisContext *context = redisConnectUnix(stores->redis_path);
    if (!context || context->err) {
        fprintf(stderr, "Redis: %s\n", context ? context->errstr : "no memory");
        abort();
    }
    return context;
}

static redisReply *redis_do(redisContext *context, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(context, format, arguments);
    va_end(arguments);
    if (!reply || reply->type == REDIS_REPLY_ERROR) {
        fprintf(stderr, "%s: %s\n", format, reply ? reply->str : context->errstr);
        abort();
    }
    return reply;
}

uint64_t stores_redis_number(const struct stores *stores, const char *format)
{
    redisContext *context = redis_open(stores);
    redisReply *reply = redis_do(context, format, stores->prefix);
    uint64_t number = reply->str ? strtoull(reply->str, NULL, 10) : (uint64_t)reply->integer;
    freeReplyObject(reply);
    redisFree(context);
    return number;
}

void stores_redis_text(const struct stores *stores, const char *format, const char *symbol, const char *field,
                       char *text, size_t text_bytes)
{
    redisContext *context = redis_open(stores);
    redisReply *reply = redis_do(context, format, stores->prefix, symbol, field);
    snprintf(text, text_bytes, "%s", reply->str ? reply->str : "none");
    freeReplyObject(reply);
    redisFree(context);
}

/* The payload that events first..last must have: encoded anew, since test_encode decodes it by another's library. */
static size_t expected_payload(const struct market *market, uint64_t first, uint64_t last, uint8_t *bytes)
{
    static struct symbol_table symbols;
    for (uint32_t i = 1; i <= MARKET_INSTRUMENTS; i++)
        symbol_put(&symbols, i, market_symbols[i], strlen(market_symbols[i]));
    uint8_t *at = bytes + payload_head(bytes, first, (uint32_t)(last - first + 1));
    for (uint64_t seq = first; seq <= last; seq++)
        at = payload_event(at, &market->events[seq - 1], &symbols);
    return (size_t)(at - bytes);
}

static uint64_t field_number(const redisReply *fields, const char *name)
{
    for (size_t i = 0; i + 1 < fields->elements; i += 2)
        if (strcmp(fields->element[i]->str, name) == 0)
            return strtoull(fields->element[i + 1]->str, NULL, 10);
    return 0;
}

/* One entry must begin behind the last and hold what it says. Returns the number of its last event. */
static uint64_t check_entry(struct comparison *comparison, const redisReply *entry, uint64_t behind,
                            const struct market *market)
{
    const redisReply *fields = entry->element[1];
    uint64_t first = field_number(fields, "first");
    uint64_t last = field_number(fields, "last");
    compare_number(comparison, "first event of an entry", behind + 1, first);
    compare_number(comparison, "id of an entry", last, strtoull(entry->element[0]->str, NULL, 10));
    if (first == 0 || last < first || last > market->event_count) {
        compare_number(comparison, "an entry's last event, at most", market->event_count, last);
        return last;
    }
    uint8_t *bytes = malloc(PAYLOAD_HEAD_BYTES + (last - first + 1) * PAYLOAD_EVENT_BYTES_MAX);
    REQUIRE(bytes && strcmp(fields->element[4]->str, "p") == 0);
    size_t expected = expected_payload(market, first, last, bytes);
    compare_number(comparison, "payload bytes", expected, fields->element[5]->len);
    if (expected == fields->element[5]->len && memcmp(bytes, fields->element[5]->str, expected) != 0)
        compare_number(comparison, "payload of the entry that ends with", last, 0);
    free(bytes);
    return last;
}

static uint64_t check_stream(struct comparison *comparison, redisContext *context, const struct stores *stores,
                             const struct market *market)
{
    redisReply *entries = redis_do(context, "XRANGE %s:events - +", stores->prefix);
    uint64_t last = 0;
    for (size_t i = 0; i < entries->elements && comparison->differences < DIFFERENCES_SHOWN; i++)
        last = check_entry(comparison, entries->element[i], last, market);
    freeReplyObject(entries);
    return last;
}

static void check_hash(struct comparison *comparison, redisContext *context, const struct stores *stores,
                       const char *kind, uint32_t instrument, const char *fields, const char *expected)
{
    char found[256] = "";
    char command[256];
    snprintf(command, sizeof(command), "HMGET %s:%s:%%s %s", stores->prefix, kind, fields);
    redisReply *reply = redis_do(context, command, market_symbols[instrument]);
    for (size_t i = 0; i < reply->elements; i++)
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", i > 0 ? "|" : "",
                 reply->element[i]->str ? reply->element[i]->str : "none");
    compare(comparison, instrument, expected, found);
    freeReplyObject(reply);
}

static void check_live(struct comparison *comparison, redisContext *context, const struct stores *stores,
                       const struct market *market, uint32_t instrument)
{
    char expected[256], bid[32] = "", ask[32], price[32];
    if (market->last_top[instrument] != 0) {
        const struct event *event = &market->events[market->last_top[instrument] - 1];
        if (event->top.bid_quantity != 0)
            price_of((uint64_t)event->top.bid_ticks, bid);
        snprintf(expected, sizeof(expected), "%s|%" PRIu64 "|%s|%" PRIu64 "|%" PRIu64, bid, event->top.bid_quantity,
                 price_of((uint64_t)event->top.ask_ticks, ask), event->top.ask_quantity, event->event_seq);
        check_hash(comparison, context, stores, "top", instrument, "bid bid_quantity ask ask_quantity event_seq",
                   expected);
    }
    if (market->last_trade[instrument] != 0) {
        const struct event *event = &market->events[market->last_trade[instrument] - 1];
        snprintf(expected, sizeof(expected), "%s|%u|%" PRIu64 "|%" PRIu64,
                 price_of((uint64_t)event->trade.price_ticks, price), event->trade.quantity, event->trade.match_number,
                 event->time_ns);
        check_hash(comparison, context, stores, "last", instrument, "price quantity match_number time_ns", expected);
    }
}

uint32_t stores_check_redis(const struct stores *stores, const struct market *market)
{
    struct comparison comparison = {.what = "live state of instrument"};
    redisContext *context = redis_open(stores);
    compare_number(&comparison, "last event of the stream", market->event_count,
                   check_stream(&comparison, context, stores, market));
    compare_number(&comparison, "mark", market->event_count, stores_redis_number(stores, "HGET %s:mark event_seq"));
    compare_number(&comparison, "instruments", MARKET_INSTRUMENTS, stores_redis_number(stores, "HLEN %s:instruments"));
    compare_number(&comparison, "sessions", MARKET_SESSIONS, stores_redis_number(stores, "HLEN %s:sessions"));
    for (uint32_t instrument = 1; instrument <= MARKET_INSTRUMENTS; instrument++)
        check_live(&comparison, context, stores, market, instrument);
    redisFree(context);
    return comparison.differences;
}
