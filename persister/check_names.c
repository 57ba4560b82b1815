/*
 * The small tables: instruments, sessions and trading days, a line each from both sides.
 */
#include "check.h"

#include "base/bytes.h"
#include "encode_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES    192
#define SESSIONS_MAX  65537
#define DAYS_HELD_MAX 65536

struct session_told {
    uint64_t event_seq, logins;
    char user[USER_BYTES + 1];
    bool is_connected;
};

struct instrument_told {
    uint64_t event_seq;
    char symbol[SYMBOL_BYTES + 1];
};

struct day_told {
    uint32_t date;
    uint64_t event_seq;
};

struct names_model {
    struct session_told sessions[SESSIONS_MAX];
    struct instrument_told instruments[INSTRUMENTS_COUNT_MAX];
    struct day_told days[DAYS_HELD_MAX];
    uint32_t day_count;
};

static void apply(struct names_model *model, const struct event *event)
{
    if ((event->kind == EVENT_LOGIN_ACCEPTED || event->kind == EVENT_SESSION_CLOSED) && event->session < SESSIONS_MAX) {
        struct session_told *session = &model->sessions[event->session];
        session->is_connected = event->kind == EVENT_LOGIN_ACCEPTED;
        session->logins += session->is_connected;
        session->event_seq = event->event_seq;
        if (session->is_connected)
            text_trim(session->user, event->login.user, USER_BYTES);
    } else if ((event->kind == EVENT_INSTRUMENT_ADDED || event->kind == EVENT_MARKET_STATE_CHANGED ||
                event->kind == EVENT_LIMITS_CHANGED) &&
               event->instrument != 0 && event->instrument < INSTRUMENTS_COUNT_MAX) {
        struct instrument_told *instrument = &model->instruments[event->instrument];
        instrument->event_seq = event->event_seq;
        if (event->kind == EVENT_INSTRUMENT_ADDED)
            text_trim(instrument->symbol, event->admin.symbol, SYMBOL_BYTES);
    } else if ((event->kind == EVENT_DAY_STARTED || event->kind == EVENT_DAY_ENDED)) {
        bool is_new = model->day_count == 0 || model->days[model->day_count - 1].date != event->day.date;
        if (is_new && model->day_count < DAYS_HELD_MAX)
            model->day_count++;
        model->days[model->day_count - 1] = (struct day_told){event->day.date, event->event_seq};
    }
}

static int run_model(struct names_model *model, const struct check_postgres *postgres, struct error *error)
{
    struct check_events *events = NULL;
    const struct event *event;
    int code = check_events_open(&events, &postgres->log, 1, postgres->events_seq, error);
    while (code >= 0 && (event = check_events_next(events, &code, error)))
        apply(model, event);
    check_events_close(events);
    return code;
}

/* What the rows of one query are compared with, one after the other. */
struct lines {
    const char *table;
    PGresult *rows;
    int at;
    struct check_result *result;
};

static int lines_open(struct lines *lines, PGconn *connection, const char *table, const char *query,
                      struct check_result *result, struct error *error)
{
    *lines = (struct lines){.table = table, .rows = PQexec(connection, query), .result = result};
    if (PQresultStatus(lines->rows) == PGRES_TUPLES_OK)
        return 0;
    PQclear(lines->rows);
    return error_set(error, ERROR_CLOSED, table, "%s", PQerrorMessage(connection));
}

static void lines_compare(struct lines *lines, const char *expected)
{
    const char *found = lines->at < PQntuples(lines->rows) ? PQgetvalue(lines->rows, lines->at, 0) : "no row";
    lines->at++;
    if (strcmp(found, expected) == 0)
        lines->result->row_count++;
    else
        check_differs(lines->result, "%s: there is %s, the events say %s", lines->table, found, expected);
}

static void lines_close(struct lines *lines)
{
    if (lines->at < PQntuples(lines->rows))
        check_differs(lines->result, "%s: there is %s, which the events do not have", lines->table,
                      PQgetvalue(lines->rows, lines->at, 0));
    PQclear(lines->rows);
}

static int compare_sessions(const struct names_model *model, PGconn *connection, struct check_result *result,
                            struct error *error)
{
    struct lines lines;
    int code = lines_open(&lines, connection, "sessions",
                          "SELECT concat_ws(' ', session, user_name, is_connected, login_count, event_seq)"
                          " FROM ringside.sessions ORDER BY session",
                          result, error);
    for (uint32_t i = 0; i < SESSIONS_MAX && code >= 0; i++) {
        const struct session_told *session = &model->sessions[i];
        char line[LINE_BYTES];
        if (session->logins == 0)
            continue;
        snprintf(line, sizeof(line), "%u %s %c %" PRIu64 " %" PRIu64, i, session->user,
                 session->is_connected ? 't' : 'f', session->logins, session->event_seq);
        lines_compare(&lines, line);
    }
    if (code >= 0)
        lines_close(&lines);
    return code;
}

static int compare_instruments(const struct names_model *model, PGconn *connection, struct check_result *result,
                               struct error *error)
{
    struct lines lines;
    int code = lines_open(&lines, connection, "instruments",
                          "SELECT concat_ws(' ', instrument, symbol, event_seq) FROM ringside.instruments"
                          " ORDER BY instrument",
                          result, error);
    for (uint32_t i = 1; i < INSTRUMENTS_COUNT_MAX && code >= 0; i++) {
        char line[LINE_BYTES];
        if (model->instruments[i].event_seq == 0)
            continue;
        snprintf(line, sizeof(line), "%u %s %" PRIu64, i, model->instruments[i].symbol,
                 model->instruments[i].event_seq);
        lines_compare(&lines, line);
    }
    if (code >= 0)
        lines_close(&lines);
    return code;
}

static int compare_days(const struct names_model *model, PGconn *connection, struct check_result *result,
                        struct error *error)
{
    struct lines lines;
    int code = lines_open(&lines, connection, "trading_days",
                          "SELECT to_char(day, 'YYYYMMDD') || ' ' || event_seq FROM ringside.trading_days ORDER BY day",
                          result, error);
    for (uint32_t i = 0; i < model->day_count && code >= 0; i++) {
        char line[LINE_BYTES];
        snprintf(line, sizeof(line), "%u %" PRIu64, model->days[i].date, model->days[i].event_seq);
        lines_compare(&lines, line);
    }
    if (code >= 0)
        lines_close(&lines);
    return code;
}

int check_names(const struct check_postgres *postgres, struct check_result *result, struct error *error)
{
    struct names_model *model = calloc(1, sizeof(*model));
    PGconn *connection = check_connect(postgres, error);
    int code = model && connection ? run_model(model, postgres, error) : ERROR_CLOSED;
    if (code >= 0)
        code = compare_instruments(model, connection, result, error);
    if (code >= 0)
        code = compare_sessions(model, connection, result, error);
    if (code >= 0)
        code = compare_days(model, connection, result, error);
    PQfinish(connection);
    free(model);
    return code;
}
