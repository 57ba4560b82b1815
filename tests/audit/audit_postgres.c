/*
 * Every row of PostgreSQL against the events: made into the same text from both sides, line by line, in the order of
 * the tables' keys. docs/stores.md says what a row is.
 */
#include "audit.h"

#include "base/bytes.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rows of one query, a line each. */
struct rows {
    const char *table;
    PGconn *connection;
    char *line; /* the last one; NULL: there are no more */
    uint64_t count;
};

static void rows_open(struct rows *rows, const char *address, const char *table, const char *query)
{
    char copy[2048];
    *rows = (struct rows){.table = table, .connection = PQconnectdb(address)};
    snprintf(copy, sizeof(copy), "COPY (%s) TO STDOUT", query);
    if (PQstatus(rows->connection) != CONNECTION_OK)
        give_up("PostgreSQL: %s", PQerrorMessage(rows->connection));
    PGresult *result = PQexec(rows->connection, copy);
    if (PQresultStatus(result) != PGRES_COPY_OUT)
        give_up("PostgreSQL, %s: %s", table, PQerrorMessage(rows->connection));
    PQclear(result);
}

static const char *rows_next(struct rows *rows)
{
    PQfreemem(rows->line);
    rows->line = NULL;
    int bytes = PQgetCopyData(rows->connection, &rows->line, 0);
    if (bytes == -2)
        give_up("PostgreSQL, %s: %s", rows->table, PQerrorMessage(rows->connection));
    if (bytes <= 0)
        return NULL;
    rows->line[bytes - 1] = '\0'; /* the end of the line */
    rows->count++;
    return rows->line;
}

static void rows_compare(struct rows *rows, const char *expected)
{
    const char *line = rows_next(rows);
    if (!line || strcmp(line, expected) != 0)
        wrong("PostgreSQL, %s, row %llu: there is\n    %s\n  where the events say\n    %s", rows->table,
              (unsigned long long)rows->count, line ? line : "(no row)", expected);
}

static uint64_t rows_close(struct rows *rows)
{
    const char *line = rows_next(rows);
    if (line)
        wrong("PostgreSQL, %s: a row too many: %s", rows->table, line);
    PQfreemem(rows->line);
    PQfinish(rows->connection);
    return rows->count;
}

/* ---- orders ---- */

static const char orders_query[] =
    "SELECT order_ref, coalesce(previous_order_ref, 0), session, user_ref, instrument, symbol, side,"
    " coalesce((price * 10000)::bigint, 2147483647), quantity, executed, canceled, leaves,"
    " (executed_value * 10000)::bigint, substr(state, 1, 1), coalesce(reason, '-'), time_in_force, display, capacity,"
    " firm, client_order_id, entered_ns, updated_ns, entered_event_seq, event_seq,"
    " (extract(epoch from entered_at) * 1000000)::bigint FROM ringside.orders ORDER BY order_ref";

static const char *side_name(uint8_t side)
{
    return side == 'B' ? "buy" : side == 'S' ? "sell" : "?";
}

static const char *reason_name(uint8_t reason)
{
    return reason == 0 ? "-" : reason == 'U' ? "user requested" : reason == 'I' ? "immediate or cancel" : "?";
}

static uint64_t compare_orders(const char *address)
{
    struct rows rows;
    char line[1024];
    char symbol[9];
    char firm[5];
    char id[15];
    rows_open(&rows, address, "orders", orders_query);
    for (uint64_t i = 1; i <= orders_count(); i++) {
        const struct order_row *order = orders_at(i);
        if (!order)
            continue;
        text_trim(symbol, order->symbol, SYMBOL_BYTES);
        text_trim(firm, order->firm, FIRM_BYTES);
        text_trim(id, order->client_order_id, CLIENT_ORDER_ID_BYTES);
        snprintf(
            line, sizeof(line),
            "%llu\t%llu\t%u\t%u\t%u\t%s\t%s\t%d\t%u\t%u\t%u\t%u\t%llu\t%c\t%s\t%s\t%s\t%s\t%s\t%s\t%llu\t%llu\t%llu"
            "\t%llu\t%llu",
            (unsigned long long)order->order_ref, (unsigned long long)order->previous_order_ref, order->session,
            order->user_ref, order->instrument, symbol, side_name(order->side), order->price_ticks, order->quantity,
            order->executed, order->canceled, order->leaves, (unsigned long long)order->value_ticks, order->state,
            reason_name(order->reason), order->time_in_force == '0' ? "day" : "immediate or cancel",
            order->display == 'Y' ? "visible" : "?", order->capacity == 'P' ? "principal" : "?", firm, id,
            (unsigned long long)order->entered_ns, (unsigned long long)order->updated_ns,
            (unsigned long long)order->entered_seq, (unsigned long long)order->event_seq,
            (unsigned long long)order->entered_ns / 1000);
        rows_compare(&rows, line);
    }
    return rows_close(&rows);
}

/* ---- executions and rejections ---- */

static const char executions_query[] =
    "SELECT event_seq, is_maker, match_number, order_ref, counter_order_ref, session, user_ref, instrument, symbol,"
    " side, (price * 10000)::bigint, quantity, leaves, liquidity, executed_ns FROM ringside.executions"
    " ORDER BY event_seq, is_maker";

static const char rejections_query[] = "SELECT event_seq, session, user_ref, request, reason_code, client_order_id,"
                                       " rejected_ns FROM ringside.rejections ORDER BY event_seq";

static void compare_execution(struct rows *rows, const struct event *event, bool maker)
{
    const struct event_trade *trade = &event->trade;
    uint8_t liquidity = maker ? trade->maker_liquidity : trade->liquidity;
    char line[1024];
    char symbol[9];
    text_trim(symbol, symbol_at(event->instrument), SYMBOL_BYTES);
    snprintf(line, sizeof(line), "%llu\t%c\t%llu\t%llu\t%llu\t%u\t%u\t%u\t%s\t%s\t%d\t%u\t%u\t%s\t%llu",
             (unsigned long long)event->event_seq, maker ? 't' : 'f', (unsigned long long)trade->match_number,
             (unsigned long long)(maker ? trade->maker_order_ref : trade->order_ref),
             (unsigned long long)(maker ? trade->order_ref : trade->maker_order_ref),
             maker ? trade->maker_session : event->session, maker ? trade->maker_user_ref : event->user_ref,
             event->instrument, symbol, side_name(maker ? trade->maker_side : event->side), trade->price_ticks,
             trade->quantity, maker ? trade->maker_leaves_quantity : trade->leaves_quantity,
             liquidity == 'A'   ? "added"
             : liquidity == 'R' ? "removed"
                                : "?",
             (unsigned long long)event->time_ns);
    rows_compare(rows, line);
}

static void compare_rejection(struct rows *rows, const struct event *event)
{
    char line[1024];
    char id[15];
    uint8_t kind = event->refused.refused_kind;
    text_trim(id, event->refused.client_order_id, CLIENT_ORDER_ID_BYTES);
    snprintf(line, sizeof(line), "%llu\t%u\t%u\t%s\t%u\t%s\t%llu", (unsigned long long)event->event_seq, event->session,
             event->user_ref,
             kind == COMMAND_ENTER     ? "enter"
             : kind == COMMAND_REPLACE ? "replace"
                                       : "?",
             event->refused.reason, id, (unsigned long long)event->time_ns);
    rows_compare(rows, line);
}

/* ---- who came, and what operators did ---- */

static const char logins_query[] = "SELECT event_seq, coalesce(session, 0), user_name, substr(result, 1, 1), gateway,"
                                   " at_ns FROM ringside.logins ORDER BY event_seq";

static const char actions_query[] =
    "SELECT event_seq, operator_id, operator_name, refused_code, coalesce(instrument, 0), acted_ns"
    " FROM ringside.operator_actions ORDER BY event_seq";

static void compare_login(struct rows *rows, const struct event *event)
{
    char line[256];
    char user[8];
    text_trim(user, event->login.user, USER_BYTES);
    snprintf(line, sizeof(line), "%llu\t%u\t%s\t%c\t%u\t%llu", (unsigned long long)event->event_seq, event->session,
             user,
             event->kind == EVENT_LOGIN_ACCEPTED  ? 'a'
             : event->kind == EVENT_LOGIN_REFUSED ? 'r'
                                                  : 'c',
             event->login.gateway, (unsigned long long)event->time_ns);
    rows_compare(rows, line);
}

static void compare_action(struct rows *rows, const struct event *event)
{
    char line[256];
    snprintf(line, sizeof(line), "%llu\t%u\t%.16s\t%u\t%u\t%llu", (unsigned long long)event->event_seq,
             event->acted.operator_id, event->acted.operator_name, event->acted.why, event->instrument,
             (unsigned long long)event->time_ns);
    rows_compare(rows, line);
}

static void compare_mark(const char *address, uint64_t event_count)
{
    struct rows rows;
    char line[64];
    rows_open(&rows, address, "high_water", "SELECT store, event_seq FROM ringside.high_water ORDER BY 1");
    snprintf(line, sizeof(line), "events\t%llu", (unsigned long long)event_count);
    rows_compare(&rows, line);
    snprintf(line, sizeof(line), "orders\t%llu", (unsigned long long)event_count);
    rows_compare(&rows, line);
    rows_close(&rows);
}

void postgres_compare(const struct config *config, uint64_t event_count)
{
    struct rows executions;
    struct rows rejections;
    struct rows logins;
    struct rows actions;
    struct event_walk *walk = event_walk_open(config->events_directory);
    const struct event *event;
    const char *address = config->postgres_connection;
    compare_mark(address, event_count);
    rows_open(&executions, address, "executions", executions_query);
    rows_open(&rejections, address, "rejections", rejections_query);
    rows_open(&logins, address, "logins", logins_query);
    rows_open(&actions, address, "operator_actions", actions_query);
    while ((event = event_walk_next(walk)) != NULL) {
        if (event->kind == EVENT_EXECUTED) {
            compare_execution(&executions, event, false);
            compare_execution(&executions, event, true);
        } else if (event->kind == EVENT_REJECTED) {
            compare_rejection(&rejections, event);
        } else if (event->kind >= EVENT_LOGIN_ACCEPTED && event->kind <= EVENT_SESSION_CLOSED) {
            compare_login(&logins, event);
        } else if (event->kind == EVENT_OPERATOR_ACTED) {
            compare_action(&actions, event);
        }
    }
    event_walk_close(walk);
    uint64_t execution_count = rows_close(&executions);
    uint64_t rejection_count = rows_close(&rejections);
    uint64_t login_count = rows_close(&logins);
    uint64_t action_count = rows_close(&actions);
    uint64_t order_count = compare_orders(address);
    printf(", \"postgres_logins\": %llu, \"postgres_actions\": %llu", (unsigned long long)login_count,
           (unsigned long long)action_count);
    printf(", \"postgres_orders\": %llu, \"postgres_executions\": %llu, \"postgres_rejections\": %llu",
           (unsigned long long)order_count, (unsigned long long)execution_count, (unsigned long long)rejection_count);
}
