/*
 * The small tables: instruments, sessions and trading days, each row made from its events and compared with the one
 * that is there, all columns (check.h).
 *
 * Rules
 *   1. A row is what encode_statements.c makes of its events, one after the other. How the persister cut its batches
 *      makes no difference to that: of a batch it takes the last event of each kind, and each names all that it sets.
 *   2. An instrument's reference price is that of the last of its events that names one.
 */
#include "check.h"

#include "encode_copy.h"
#include "encode_fields.h"

#include <stdlib.h>
#include <string.h>

#define DAYS_HELD_MAX  65536
#define SESSION_FIELDS 11
#define DAY_FIELDS     6

struct session_told {
    uint64_t event_seq, logins;
    uint64_t first_login_ns, last_login_ns, closed_ns; /* 0: not yet */
    char user[USER_BYTES], firm[FIRM_BYTES];
    bool is_connected;
};

struct day_told {
    uint64_t event_seq, started_ns, ended_ns; /* 0: not yet */
    uint32_t date;
};

struct names_model {
    struct session_told sessions[CHECK_SESSIONS_MAX];
    struct event instruments[INSTRUMENTS_COUNT_MAX]; /* as if each had been added as it is now */
    struct day_told days[DAYS_HELD_MAX];
    uint32_t day_count;
};

/* ---- what the events make ---------------------------------------------------------------------------------------- */

static void log_in(struct session_told *session, const struct event *event)
{
    if (session->logins++ == 0)
        session->first_login_ns = event->time_ns;
    session->last_login_ns = event->time_ns;
    session->is_connected = true;
    session->event_seq = event->event_seq;
    memcpy(session->user, event->login.user, USER_BYTES);
    memcpy(session->firm, event->login.firm, FIRM_BYTES);
}

static void close_session(struct session_told *session, const struct event *event)
{
    session->closed_ns = event->time_ns;
    session->is_connected = false;
    session->event_seq = event->event_seq;
}

static void change_state(struct event *instrument, const struct event *event)
{
    instrument->admin.market_state = event->admin.market_state;
    if (event->admin.reference_ticks != 0)
        instrument->admin.reference_ticks = event->admin.reference_ticks;
    instrument->event_seq = event->event_seq;
}

static void change_limits(struct event *instrument, const struct event *event)
{
    uint8_t market_state = instrument->admin.market_state;
    int32_t reference_ticks = instrument->admin.reference_ticks;
    instrument->admin = event->admin;
    instrument->admin.market_state = market_state;
    if (instrument->admin.reference_ticks == 0)
        instrument->admin.reference_ticks = reference_ticks;
    instrument->event_seq = event->event_seq;
}

static void start_day(struct names_model *model, const struct event *event)
{
    if (model->day_count < DAYS_HELD_MAX)
        model->days[model->day_count++] =
            (struct day_told){.event_seq = event->event_seq, .started_ns = event->time_ns, .date = event->day.date};
}

static void end_day(struct names_model *model, const struct event *event)
{
    struct day_told *day = model->day_count > 0 ? &model->days[model->day_count - 1] : NULL;
    if (!day || day->date != event->day.date)
        return;
    day->ended_ns = event->time_ns;
    day->event_seq = event->event_seq;
}

static void apply(struct names_model *model, const struct event *event)
{
    struct session_told *session = &model->sessions[event->session < CHECK_SESSIONS_MAX ? event->session : 0];
    struct event *instrument = &model->instruments[event->instrument < INSTRUMENTS_COUNT_MAX ? event->instrument : 0];
    switch (event->kind) {
    case EVENT_LOGIN_ACCEPTED:
        log_in(session, event);
        break;
    case EVENT_SESSION_CLOSED:
        close_session(session, event);
        break;
    case EVENT_INSTRUMENT_ADDED:
        *instrument = *event;
        break;
    case EVENT_MARKET_STATE_CHANGED:
        change_state(instrument, event);
        break;
    case EVENT_LIMITS_CHANGED: /* those of a firm too, as if of instrument 0, which is none */
        change_limits(instrument, event);
        break;
    case EVENT_DAY_STARTED:
        start_day(model, event);
        break;
    case EVENT_DAY_ENDED:
        end_day(model, event);
        break;
    default: /* names nothing */
        break;
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

/* ---- as the tables have it --------------------------------------------------------------------------------------- */

static uint8_t *copy_time_or_null(uint8_t *at, uint64_t time_ns)
{
    return time_ns != 0 ? copy_time(at, time_ns) : copy_null(at);
}

static void session_row(uint8_t *at, uint32_t number, const struct session_told *session)
{
    at = copy_row(at, SESSION_FIELDS);
    at = copy_int4(at, number);
    at = copy_field(at, session->user, USER_BYTES);
    at = copy_field(at, session->firm, FIRM_BYTES);
    at = copy_bool(at, session->is_connected);
    at = copy_int8(at, session->logins);
    at = copy_time(at, session->first_login_ns);
    at = copy_time(at, session->last_login_ns);
    at = copy_int8(at, session->last_login_ns);
    at = copy_time_or_null(at, session->closed_ns);
    at = copy_int8_or_null(at, session->closed_ns);
    (void)copy_int8(at, session->event_seq);
}

static void day_row(uint8_t *at, const struct day_told *day)
{
    at = copy_row(at, DAY_FIELDS);
    at = copy_int4(at, day->date);
    at = copy_time(at, day->started_ns);
    at = copy_int8(at, day->started_ns);
    at = copy_time_or_null(at, day->ended_ns);
    at = copy_int8_or_null(at, day->ended_ns);
    (void)copy_int8(at, day->event_seq);
}

/* In the order of fields_instrument, the kind of whose rows is that of the event that adds. */
static const struct check_table instruments_table = {
    .key = "instrument",
    .columns = "event_seq, kind, instrument, symbol, tick_size, lot_size, reference_price, collar, fat_finger,"
               " quantity_max, notional_max, market_state, added_at, added_ns",
    .query = "SELECT event_seq, 50, instrument, symbol, tick_size, lot_size, reference_price, collar, fat_finger,"
             " quantity_max, notional_max, market_state, added_at, added_ns FROM ringside.instruments"
             " ORDER BY instrument",
    .key_field = 2};
_Static_assert(EVENT_INSTRUMENT_ADDED == 50, "as the query says");

static const struct check_table sessions_table = {
    .key = "session",
    .columns = "session, user_name, firm, is_connected, login_count, first_login_at, last_login_at, last_login_ns,"
               " closed_at, closed_ns, event_seq",
    .query = "SELECT session, user_name, firm, is_connected, login_count, first_login_at, last_login_at,"
             " last_login_ns, closed_at, closed_ns, event_seq FROM ringside.sessions ORDER BY session"};

static const struct check_table days_table = {
    .key = "day",
    .columns = "day, started_at, started_ns, ended_at, ended_ns, event_seq",
    .query = "SELECT to_char(day, 'YYYYMMDD')::integer, started_at, started_ns, ended_at, ended_ns, event_seq"
             " FROM ringside.trading_days ORDER BY day"};

/* ---- comparing --------------------------------------------------------------------------------------------------- */

typedef int expect_all(const struct names_model *model, struct check_small *small, struct error *error);

static int expect_instruments(const struct names_model *model, struct check_small *small, struct error *error)
{
    uint8_t bytes[ROW_BYTES_MAX];
    int code = 0;
    for (uint32_t i = 1; i < INSTRUMENTS_COUNT_MAX && code == 0; i++) {
        if (model->instruments[i].kind != EVENT_INSTRUMENT_ADDED)
            continue;
        (void)fields_instrument(bytes, &model->instruments[i]);
        code = check_small_expect(small, bytes, error);
    }
    return code;
}

static int expect_sessions(const struct names_model *model, struct check_small *small, struct error *error)
{
    uint8_t bytes[ROW_BYTES_MAX];
    int code = 0;
    for (uint32_t i = 1; i < CHECK_SESSIONS_MAX && code == 0; i++) {
        if (model->sessions[i].logins == 0)
            continue;
        session_row(bytes, i, &model->sessions[i]);
        code = check_small_expect(small, bytes, error);
    }
    return code;
}

static int expect_days(const struct names_model *model, struct check_small *small, struct error *error)
{
    uint8_t bytes[ROW_BYTES_MAX];
    int code = 0;
    for (uint32_t i = 0; i < model->day_count && code == 0; i++) {
        day_row(bytes, &model->days[i]);
        code = check_small_expect(small, bytes, error);
    }
    return code;
}

static int compare_table(const struct check_postgres *postgres, const struct check_table *table,
                         const struct names_model *model, expect_all *expect, struct check_result *result,
                         struct error *error)
{
    struct check_small small;
    int code = check_small_open(&small, postgres, table, result, error);
    if (code == 0)
        code = expect(model, &small, error);
    if (code == 0)
        code = check_small_end(&small, error);
    check_small_close(&small);
    return code;
}

int check_names(const struct check_postgres *postgres, struct check_result results[CHECK_NAMES_TABLES],
                struct error *error)
{
    static const struct {
        const struct check_table *table;
        expect_all *expect;
    } tables[CHECK_NAMES_TABLES] = {
        {&instruments_table, expect_instruments}, {&sessions_table, expect_sessions}, {&days_table, expect_days}};
    struct names_model *model = calloc(1, sizeof(*model));
    if (!model)
        return error_set(error, ERROR_SYSTEM, "PostgreSQL", "no memory to compare the small tables");
    int code = run_model(model, postgres, error);
    for (size_t i = 0; i < CHECK_NAMES_TABLES && code >= 0; i++)
        code = compare_table(postgres, tables[i].table, model, tables[i].expect, &results[i], error);
    free(model);
    return code;
}
