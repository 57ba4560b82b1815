/*
 * `ringside persister rebuild`: fills an empty database from the event log, from its beginning or from a trading day,
 * with the writers that the persister itself has, at full speed.
 *
 * Rules
 *   1. The database must be empty, or --drop says that what is in the schema ringside may go.
 *   2. No persister of this exchange may be at work: its lock is taken for the time.
 *   3. Nothing is dropped before it is known that the log, with its archive, has all that must take its place; and from
 *      then on `ringside journal trim` keeps it.
 *   4. Interrupted, it says that it is unfinished, fails, and leaves a database that is right up to its mark; the
 *      persister, or another rebuild with the same --day, goes on from there.
 *   5. From a day on: sessions, instruments and days are of all time, orders and what happened to them of that day and
 *      later. A day begins with no live order (the one before ended by cancelling all), so each order is whole.
 */
#include "base/date.h"
#include "base/units.h"
#include "check.h"
#include "env/clock.h"
#include "eventlog/eventlog.h"
#include "eventlog/store_marks.h"
#include "log/log.h"
#include "postgres_sink.h"
#include "run/run.h"
#include "stage/command_line.h"
#include "stage/signals.h"
#include "stage/stage.h"
#include "tools.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define PARTS_COUNT  2
#define WAIT_MS      5
#define REPORT_NS    ((uint64_t)NS_PER_SECOND)
#define PATIENCE_NS  (30ull * NS_PER_SECOND) /* for a store that is away */
#define BATCH_EVENTS 65536                   /* nobody waits for a row */

enum rebuild_option { OPTION_DAY, OPTION_DROP };

struct rebuild {
    const struct config *config;
    uint64_t first_seq;
    int epoll_fd;
    struct postgres_sink *sinks[PARTS_COUNT];
};

/* ---- the log ----------------------------------------------------------------------------------------------------- */

/* The number of the event by which the day (20261124) began; of 0, the first one. */
static int find_start(const struct config *config, uint32_t date, uint64_t *ret_seq, struct error *error)
{
    static struct event chunk[1024];
    struct eventlog_reader *reader = NULL;
    uint64_t next = 1;
    int count = eventlog_reader_open(&reader, config->events_directory, error);
    if (count < 0)
        return count;
    eventlog_reader_archive(reader, config->retention_archive_path);
    eventlog_reader_skip(reader, UINT64_MAX);
    while ((count = eventlog_reader_read(reader, next, chunk, 1024, error)) > 0) {
        for (int i = 0; i < count; i++)
            if (date == 0 || (chunk[i].kind == EVENT_DAY_STARTED && chunk[i].day.date == date)) {
                *ret_seq = date == 0 ? 1 : chunk[i].event_seq;
                eventlog_reader_close(reader);
                return 0;
            }
        next = chunk[count - 1].event_seq + 1;
    }
    eventlog_reader_close(reader);
    if (count < 0)
        return count;
    if (date == 0)
        return error_set(error, ERROR_INVALID, config->events_directory, "there are no events to fill it from");
    return error_set(error, ERROR_INVALID, config->events_directory,
                     "no trading day %u began in its events 1 to %" PRIu64, date, next - 1);
}

/* Whoever trims the log would go by what the database had, not by what it is about to have. */
static int keep_log(const struct rebuild *rebuild, struct error *error)
{
    struct store_marks marks = {0};
    int code = store_marks_read(&marks, rebuild->config->events_directory, error);
    marks.postgres_seq = rebuild->first_seq - 1;
    return code < 0 ? code : store_marks_write(rebuild->config->events_directory, &marks, error);
}

/* All from first_seq on must be there. */
static int check_whole(const struct rebuild *rebuild, struct error *error)
{
    struct check_log log;
    int code = check_log_find(&log, rebuild->config, error);
    if (code < 0 || rebuild->first_seq >= log.whole_from)
        return code < 0 ? code : 0;
    return error_set(error, ERROR_GONE, log.directory,
                     "of the events before %" PRIu64 " some that it needs were trimmed and are not in "
                     "retention.archive_path: set that to the archive that has them, or give --day, %u or a later one; "
                     "the database was left as it is",
                     log.whole_from, log.date_from);
}

/* ---- the database ------------------------------------------------------------------------------------------------ */

/* What is in the way: an error that names it. 0: it is empty. 1: the same rebuild has begun, and goes on. */
static int check_empty(PGconn *connection, uint64_t first_seq, struct error *error)
{
    PGresult *result = PQexec(connection, "SELECT max(event_seq), min(first_seq) FROM ringside.high_water");
    uint64_t mark = 0;
    uint64_t first = 0;
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        mark = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
        first = strtoull(PQgetvalue(result, 0, 1), NULL, 10);
    }
    PQclear(result);
    if (mark == 0)
        return 0;
    if (first == first_seq && first > 1)
        return 1;
    return error_set(error, ERROR_INVALID, "schema ringside",
                     "the database holds events up to %" PRIu64 ": give an empty one, or --drop to throw them away",
                     mark);
}

static int drop_schema(PGconn *connection, struct error *error)
{
    PGresult *result = PQexec(connection, "SET client_min_messages = error; DROP SCHEMA IF EXISTS ringside CASCADE");
    bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return is_done ? 0 : error_set(error, ERROR_CLOSED, "PostgreSQL", "%s", PQerrorMessage(connection));
}

/* One that has begun needs what is behind its mark alone: what it lacks it finds as it goes on. */
static int prepare_database(const struct rebuild *rebuild, bool drop, struct error *error)
{
    PGconn *connection = PQconnectdb(rebuild->config->postgres_connection);
    int code = 0;
    if (PQstatus(connection) != CONNECTION_OK)
        code = error_set(error, ERROR_CLOSED, "PostgreSQL", "%s", PQerrorMessage(connection));
    if (code == 0 && !drop)
        code = check_empty(connection, rebuild->first_seq, error);
    if (code == 0)
        code = keep_log(rebuild, error);
    if (code == 0)
        code = check_whole(rebuild, error);
    if (code == 0 && signals_end_requests() > 0)
        code = error_set(error, ERROR_CLOSED, "interrupted", "the database was left as it is");
    if (code == 0 && drop)
        code = drop_schema(connection, error);
    PQfinish(connection);
    return code < 0 ? code : 0;
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

static int open_sinks(struct rebuild *rebuild, struct error *error)
{
    int code = 0;
    rebuild->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int part = 0; part < PARTS_COUNT && code >= 0; part++) {
        code = postgres_sink_open(&rebuild->sinks[part], rebuild->config, (enum postgres_part)part, rebuild->epoll_fd,
                                  (uint64_t)part, error);
        if (code >= 0)
            postgres_sink_join_log(rebuild->sinks[part], rebuild->first_seq);
    }
    return code;
}

/* Polls both writers once; how much they did. */
static int poll_sinks(struct rebuild *rebuild)
{
    bool is_ready[PARTS_COUNT] = {false};
    struct epoll_event events[PARTS_COUNT];
    int count = epoll_wait(rebuild->epoll_fd, events, PARTS_COUNT, 0);
    int done = 0;
    for (int i = 0; i < count; i++)
        is_ready[events[i].data.u64] = true;
    for (int part = 0; part < PARTS_COUNT; part++)
        done += postgres_sink_poll(rebuild->sinks[part], clock_monotonic_ns(), is_ready[part]);
    return done;
}

static bool are_level(const struct rebuild *rebuild)
{
    return postgres_sink_is_level(rebuild->sinks[0]) && postgres_sink_is_level(rebuild->sinks[1]);
}

enum progress { UNDER_WAY, UNFINISHED, COMPLETE };

static void report(const struct rebuild *rebuild, uint64_t began_ns, bool json, enum progress progress)
{
    struct store_status status[PARTS_COUNT];
    for (int part = 0; part < PARTS_COUNT; part++)
        postgres_sink_status(rebuild->sinks[part], &status[part]);
    double seconds = (double)(clock_monotonic_ns() - began_ns) / 1e9;
    if (json)
        printf("{\"first_seq\": %" PRIu64 ", \"event_seq\": %" PRIu64 ", \"orders_event_seq\": %" PRIu64
               ", \"seconds\": %.3f, \"complete\": %s}\n",
               rebuild->first_seq, status[0].mark_seq, status[1].mark_seq, seconds,
               progress == COMPLETE ? "true" : "false");
    else
        printf("%sevents up to %" PRIu64 ", orders up to %" PRIu64 ", in %.1f s\n",
               progress == UNFINISHED ? "unfinished: " : "", status[0].mark_seq, status[1].mark_seq, seconds);
    fflush(stdout);
}

/* A store that refuses, or stays away, ends it. */
static int find_trouble(const struct rebuild *rebuild, uint64_t began_ns, uint64_t *seen_up_ns, struct error *error)
{
    uint64_t now_ns = clock_monotonic_ns();
    bool is_up = true;
    for (int part = 0; part < PARTS_COUNT; part++) {
        struct store_status status;
        postgres_sink_status(rebuild->sinks[part], &status);
        if (status.needs_rebuild)
            return error_set(
                error, ERROR_GONE, rebuild->config->events_directory,
                "events that it needs were trimmed and are not in retention.archive_path: give --day, of a "
                "day that is whole");
        if (status.is_refused)
            return error_set(error, ERROR_INVALID, "PostgreSQL", "it refuses what it must take");
        is_up = is_up && status.is_up;
    }
    if (is_up || *seen_up_ns == 0)
        *seen_up_ns = is_up ? now_ns : began_ns;
    if (now_ns - *seen_up_ns > PATIENCE_NS)
        return error_set(error, ERROR_CLOSED, "PostgreSQL", "it is away");
    return 0;
}

static int fill(struct rebuild *rebuild, bool json, struct error *error)
{
    uint64_t began_ns = clock_monotonic_ns();
    uint64_t told_ns = began_ns;
    uint64_t seen_up_ns = 0;
    int code = open_sinks(rebuild, error);
    while (code >= 0 && !are_level(rebuild) && signals_end_requests() == 0) {
        if (poll_sinks(rebuild) == 0) {
            struct epoll_event event;
            (void)epoll_wait(rebuild->epoll_fd, &event, 1, WAIT_MS);
            code = find_trouble(rebuild, began_ns, &seen_up_ns, error);
        }
        if (!json && clock_monotonic_ns() - told_ns >= REPORT_NS) {
            report(rebuild, began_ns, false, UNDER_WAY);
            told_ns = clock_monotonic_ns();
        }
    }
    bool is_complete = code >= 0 && are_level(rebuild);
    if (code >= 0)
        report(rebuild, began_ns, json, is_complete ? COMPLETE : UNFINISHED);
    if (code >= 0 && !is_complete)
        code = error_set(error, ERROR_CLOSED, "interrupted",
                         "the database is right up to there, and not complete; the persister goes on from there, or "
                         "another rebuild with the same --day and without --drop");
    for (int part = 0; part < PARTS_COUNT; part++)
        postgres_sink_close(rebuild->sinks[part]);
    close(rebuild->epoll_fd);
    return code;
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

static int rebuild_with(struct config *config, const char *day, bool drop, bool json, struct error *error)
{
    struct rebuild rebuild = {.config = config, .first_seq = 1};
    struct run run = {.run_fd = -1, .role_fd = -1};
    run.doorbells.own_fifo = -1;
    if (*config->postgres_connection == '\0')
        return error_set(error, ERROR_INVALID, "postgres.connection", "no PostgreSQL is configured");
    int code = run_take_role(&run, config->exchange_rings_directory, PROCESS_PERSISTER, 0, error);
    if (code < 0)
        return code;
    if (config->postgres_batch_events < BATCH_EVENTS)
        config->postgres_batch_events = BATCH_EVENTS;
    code = find_start(config, day ? date_read(day) : 0, &rebuild.first_seq, error);
    if (code >= 0)
        code = prepare_database(&rebuild, drop, error);
    if (code >= 0)
        code = fill(&rebuild, json, error);
    run_leave(&run);
    return code;
}

int rebuild_main(int argc, char **argv)
{
    static const struct command_line_option options[] = {
        [OPTION_DAY] = {"day", "YYYY-MM-DD", "from this trading day on, not from the beginning"},
        [OPTION_DROP] = {"drop", NULL, "first throws away what the schema ringside holds"}};
    static const struct command_line_form form = {
        .program = "ringside persister rebuild",
        .summary = "fills an empty PostgreSQL from the event log, while no persister runs",
        .takes_json = true,
        .options = options,
        .option_count = 2,
        .brief = true,
        .extra =
            "\nExit codes: 0 filled; 1 failed, or interrupted and unfinished; 64 usage; 69 a persister is at work;\n"
            "78 configuration, or what is in the way.\n"};
    struct command_line line;
    struct error error = {0};
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    const char *day = line.values[OPTION_DAY];
    if (day && date_read(day) == 0) {
        fprintf(stderr, "ringside persister rebuild: \"%s\" is no day; it must be as 2026-11-24 or 20261124\n", day);
        config_finish(&line.config);
        return EXIT_STAGE_USAGE;
    }
    signals_install(false);
    code = rebuild_with(&line.config, day, line.values[OPTION_DROP] != NULL, line.json, &error);
    if (code < 0)
        log_error(&error, "cannot rebuild");
    config_finish(&line.config);
    return code < 0 ? stage_exit_code(code) : EXIT_STAGE_OK;
}
