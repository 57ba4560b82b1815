#include "postgres_sink.h"

#include "base/require.h"
#include "base/trace.h"
#include "env/clock.h"
#include "log/log.h"
#include "postgres_state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define CONNECT_TIMEOUT_NS  (10ull * NS_PER_SECOND)
#define RESOLVE_INTERVAL_NS (20ull * NS_PER_MS)
#define SEAL_INTERVAL_NS    ((uint64_t)NS_PER_SECOND)
#define GATHER_CHUNKS_MAX   4 /* of CATCH_UP_CHUNK events, in one poll */
#define COPY_PIECES_MAX     4 /* in one poll */

/* ---- life -------------------------------------------------------------------------------------------------------- */

static struct rows *rows_create(uint32_t event_count_max, row_sets sets)
{
    size_t bytes = (rows_bytes(event_count_max, sets) + LINE_PAIR_BYTES - 1) / LINE_PAIR_BYTES * LINE_PAIR_BYTES;
    void *memory = aligned_alloc(LINE_PAIR_BYTES, bytes);
    return memory ? rows_init(memory, event_count_max, sets) : NULL;
}

static const struct {
    const char *store;
    const char *name;
    row_sets sets;
} parts[] = {
    [POSTGRES_EVENTS] = {"events", "PostgreSQL", ROW_SETS_EVENTS},
    [POSTGRES_ORDERS] = {"orders", "PostgreSQL (orders)", ROW_SETS_ORDERS},
};

int postgres_sink_open(struct postgres_sink **ret_sink, const struct config *config, enum postgres_part part,
                       int epoll_fd, uint64_t tag, struct error *error)
{
    struct postgres_sink *sink = calloc(1, sizeof(*sink));
    if (!sink)
        return error_set(error, ERROR_SYSTEM, "postgres", "no memory");
    sink->store = parts[part].store;
    sink->sets = parts[part].sets;
    snprintf(sink->connection_string, sizeof(sink->connection_string), "%s", config->postgres_connection);
    sink->batch_events = (uint32_t)config->postgres_batch_events;
    sink->batch_interval_ns = config->postgres_batch_ms * NS_PER_MS;
    sink->pace.times = config->persister_catch_up_times;
    sink->epoll_fd = epoll_fd;
    sink->tag = tag;
    sink->watched_fd = -1;
    outage_init(&sink->outage, parts[part].name);
    catch_up_init(&sink->catch_up, parts[part].name, config->events_directory, config->retention_archive_path);
    int result = hosts_open(&sink->hosts, sink->connection_string, error);
    /* One more than a batch: whoever reads events wants room for two. */
    sink->gathering = result < 0 ? NULL : rows_create(sink->batch_events + 1, sink->sets);
    sink->writing = result < 0 ? NULL : rows_create(sink->batch_events + 1, sink->sets);
    if (result >= 0 && (!sink->gathering || !sink->writing))
        result = error_set(error, ERROR_SYSTEM, "postgres.batch_events", "no memory for two batches of %u events",
                           sink->batch_events);
    if (result < 0) {
        postgres_sink_close(sink);
        return result;
    }
    *ret_sink = sink;
    return 0;
}

void postgres_sink_join(struct postgres_sink *sink, const struct ring *ring)
{
    catch_up_join(&sink->catch_up, ring);
}

void postgres_sink_give_way(struct postgres_sink *sink, const struct postgres_sink *first)
{
    sink->first = first;
}

void postgres_sink_join_log(struct postgres_sink *sink, uint64_t first_seq)
{
    catch_up_join_log(&sink->catch_up);
    sink->rebuild_seq = first_seq;
}

bool postgres_sink_is_level(const struct postgres_sink *sink)
{
    return sink->phase == POSTGRES_IDLE && sink->is_dry && rows_event_count(sink->gathering) == 0;
}

/* ---- the socket -------------------------------------------------------------------------------------------------- */

/* libpq may close its socket and open another one under the same number, so while connecting it is watched anew. */
static void watch(struct postgres_sink *sink, uint32_t events, bool is_new)
{
    int fd = PQsocket(sink->connection);
    if (!is_new && fd == sink->watched_fd && events == sink->watched_events)
        return;
    struct epoll_event event = {.events = events, .data.u64 = sink->tag};
    if (fd < 0)
        return;
    if (epoll_ctl(sink->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0)
        (void)epoll_ctl(sink->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    sink->watched_fd = fd;
    sink->watched_events = events;
}

static void disconnect(struct postgres_sink *sink)
{
    if (sink->connection) {
        int fd = PQsocket(sink->connection);
        if (fd >= 0)
            (void)epoll_ctl(sink->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        PQfinish(sink->connection);
    }
    sink->connection = NULL;
    sink->watched_fd = -1;
    sink->is_output_pending = false;
    sink->phase = POSTGRES_AWAY;
    rows_clear(sink->gathering);
    rows_clear(sink->writing);
    sink->is_cut = sink->is_dry = false;
}

void postgres_failed(struct postgres_sink *sink, bool is_refused, const char *where, const char *format, ...)
{
    va_list arguments;
    if (sink->has_failed)
        return;
    sink->has_failed = true;
    sink->is_refused = is_refused;
    char text[ERROR_WHAT_BYTES];
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (char *at = text; *at != '\0'; at++) /* the server's messages have several lines, with tabs */
        if (*at == '\n' || *at == '\t')
            *at = at[1] == '\0' ? '\0' : ' ';
    error_set(&sink->failure, is_refused ? ERROR_INVALID : ERROR_CLOSED, where, "%s", text);
}

/* What failed ends here: the connection goes, the log hears of it, a time is set to try again. */
static void give_up(struct postgres_sink *sink, uint64_t now_ns)
{
    disconnect(sink);
    if (sink->is_refused)
        outage_refused(&sink->outage, now_ns, &sink->failure);
    else
        outage_begins(&sink->outage, now_ns, &sink->failure);
    sink->has_failed = false;
}

void postgres_send(struct postgres_sink *sink, const char *query)
{
    if (PQsendQuery(sink->connection, query) != 1) {
        postgres_failed(sink, false, "PostgreSQL", "%s", PQerrorMessage(sink->connection));
        return;
    }
    int flushed = PQflush(sink->connection);
    if (flushed < 0)
        postgres_failed(sink, false, "PostgreSQL", "%s", PQerrorMessage(sink->connection));
    sink->is_output_pending = flushed == 1;
}

/* ---- connecting -------------------------------------------------------------------------------------------------- */

static void ignore_notice(void *argument, const PGresult *result)
{
    (void)argument;
    (void)result;
}

static void connect_start(struct postgres_sink *sink, uint64_t now_ns)
{
    /* A peer that vanishes without a word is noticed within half a minute; the user's string may say otherwise. */
    const char *const keywords[] = {"fallback_application_name",
                                    "keepalives_idle",
                                    "keepalives_interval",
                                    "tcp_user_timeout",
                                    "dbname",
                                    "host",
                                    "hostaddr",
                                    "port",
                                    NULL};
    /* What is empty libpq takes as not given, and what stands behind the string goes before it. */
    const char *const values[] = {"ringside-persister",
                                  "10",
                                  "5",
                                  "30000",
                                  sink->connection_string,
                                  sink->hosts.host_list,
                                  sink->hosts.hostaddr_list,
                                  sink->hosts.port_list,
                                  NULL};
    sink->connection = PQconnectStartParams(keywords, values, 1);
    if (!sink->connection || PQstatus(sink->connection) == CONNECTION_BAD) {
        postgres_failed(sink, false, "PostgreSQL", "%s",
                        sink->connection ? PQerrorMessage(sink->connection) : "no memory");
        return;
    }
    PQsetNoticeReceiver(sink->connection, ignore_notice, NULL);
    sink->phase = POSTGRES_CONNECTING;
    sink->connect_deadline_ns = now_ns + CONNECT_TIMEOUT_NS;
    watch(sink, EPOLLOUT, true);
}

static void resolve_poll(struct postgres_sink *sink, uint64_t now_ns, bool is_start)
{
    struct error error = {0};
    int result = is_start ? hosts_start(&sink->hosts, &error) : hosts_poll(&sink->hosts, &error);
    if (result < 0)
        postgres_failed(sink, false, error.where, "%s", error.what);
    else if (result > 0)
        connect_start(sink, now_ns);
    if (result != 0)
        return;
    sink->phase = POSTGRES_RESOLVING;
    sink->connect_deadline_ns = now_ns + RESOLVE_INTERVAL_NS; /* nothing becomes readable: look again then */
}

static void connected(struct postgres_sink *sink)
{
    watch(sink, EPOLLIN, true);
    if (PQsetnonblocking(sink->connection, 1) != 0) {
        postgres_failed(sink, false, "PostgreSQL", "%s", PQerrorMessage(sink->connection));
        return;
    }
    sink->phase = POSTGRES_PREPARING;
    postgres_setup_begin(sink);
}

static void connect_poll(struct postgres_sink *sink, uint64_t now_ns, bool is_ready)
{
    if (now_ns >= sink->connect_deadline_ns) {
        postgres_failed(sink, false, "PostgreSQL", "no answer to a connect within %llu s",
                        CONNECT_TIMEOUT_NS / NS_PER_SECOND);
        return;
    }
    if (!is_ready)
        return;
    switch (PQconnectPoll(sink->connection)) {
    case PGRES_POLLING_READING:
        watch(sink, EPOLLIN, true);
        break;
    case PGRES_POLLING_WRITING:
        watch(sink, EPOLLOUT, true);
        break;
    case PGRES_POLLING_OK:
        connected(sink);
        break;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
    default:
        postgres_failed(sink, false, "PostgreSQL", "%s", PQerrorMessage(sink->connection));
    }
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

/* SQLSTATEs, by their beginnings, that another attempt at once would meet again: data, constraints, names, rights, a
 * full disk, what the schema's own functions refuse. */
static bool is_refusal(const char *state)
{
    static const char *const classes[] = {"0A", "21", "22", "23", "3D", "3F", "42", "44", "53100", "P0"};
    for (size_t i = 0; state && i < ARRAY_COUNT(classes); i++)
        if (strncmp(state, classes[i], strlen(classes[i])) == 0)
            return true;
    return false;
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

static void statement_failed(struct postgres_sink *sink, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    bool is_batch = sink->phase == POSTGRES_WRITING || sink->phase == POSTGRES_COMMITTING;
    char where[96] = "PostgreSQL";
    if (is_batch)
        snprintf(where, sizeof(where), "events %" PRIu64 " to %" PRIu64, rows_first_seq(sink->writing),
                 rows_last_seq(sink->writing));
    postgres_failed(sink, is_refusal(state), where, "%s (%s) %s %s", message ? message : PQresultErrorMessage(result),
                    state ? state : "no SQLSTATE", text_or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL)),
                    text_or_empty(PQresultErrorField(result, PG_DIAG_CONTEXT)));
}

static void take_result(struct postgres_sink *sink, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
        statement_failed(sink, result);
    else if (sink->phase == POSTGRES_PREPARING)
        postgres_setup_result(sink, result);
    else if (sink->phase == POSTGRES_WRITING)
        postgres_batch_result(sink, result);
    else
        postgres_commit_result(sink, result);
}

static void prepared(struct postgres_sink *sink, uint64_t now_ns)
{
    sink->phase = POSTGRES_IDLE;
    hosts_worked(&sink->hosts);
    catch_up_begin(&sink->catch_up, sink->mark_seq, sink->mark_time_ns, sink->first_seq);
    pace_begin(&sink->pace);
    outage_ends(&sink->outage, now_ns, sink->mark_seq, catch_up_lag(&sink->catch_up));
}

static void committed(struct postgres_sink *sink, uint64_t now_ns)
{
    sink->phase = POSTGRES_IDLE;
    if (rows_event_count(sink->writing) == 0) { /* a seal */
        sink->sealed_ns = now_ns;
        return;
    }
    TRACE2(persister_stored, "postgres", rows_last_seq(sink->writing) - sink->mark_seq);
    sink->mark_seq = rows_last_seq(sink->writing);
    sink->mark_time_ns = rows_last_time_ns(sink->writing);
    sink->written_events += rows_event_count(sink->writing);
    sink->batch_count++;
    rest_begin(&sink->rest, sink->sent_ns, now_ns);
    if (sink->batch_ns)
        metrics_record(sink->batch_ns, now_ns - sink->sent_ns);
    sink->needs_rebuild = false;
    rows_clear(sink->writing);
    outage_progress(&sink->outage, now_ns, sink->mark_seq,
                    catch_up_lag(&sink->catch_up) + rows_event_count(sink->gathering));
}

/* A query has had all its results. */
static void query_done(struct postgres_sink *sink, uint64_t now_ns)
{
    if (sink->phase == POSTGRES_PREPARING) {
        if (postgres_setup_next(sink))
            prepared(sink, now_ns);
    } else if (sink->phase == POSTGRES_WRITING) {
        sink->phase = POSTGRES_COMMITTING;
        postgres_batch_commit(sink);
    } else {
        committed(sink, now_ns);
    }
}

/* Sends rows while the socket takes them. 1: there is more to send at once. */
static int copy_rows(struct postgres_sink *sink)
{
    for (int piece = 0; piece < COPY_PIECES_MAX; piece++)
        if (postgres_batch_copy(sink) == 0)
            return 0;
    return 1;
}

static void exchange_bytes(struct postgres_sink *sink, bool is_ready)
{
    if (is_ready && PQconsumeInput(sink->connection) != 1)
        postgres_failed(sink, false, "PostgreSQL", "%s", PQerrorMessage(sink->connection));
    if (sink->has_failed || !sink->is_output_pending)
        return;
    int flushed = PQflush(sink->connection);
    if (flushed < 0)
        postgres_failed(sink, false, "PostgreSQL", "%s", PQerrorMessage(sink->connection));
    sink->is_output_pending = flushed == 1;
}

/* Takes what results there are. 1: there is more to do at once. */
static int pump(struct postgres_sink *sink, uint64_t now_ns)
{
    while (!sink->has_failed && sink->phase > POSTGRES_CONNECTING && sink->phase != POSTGRES_IDLE) {
        if (sink->copy.is_open && sink->phase == POSTGRES_WRITING) {
            if (sink->is_output_pending)
                return 0;
            if (copy_rows(sink))
                return 1;
            if (sink->copy.is_open)
                return 0;
            continue;
        }
        if (PQisBusy(sink->connection))
            return 0;
        PGresult *result = PQgetResult(sink->connection);
        if (result)
            take_result(sink, result);
        else
            query_done(sink, now_ns);
        PQclear(result);
    }
    return 0;
}

/* ---- working ----------------------------------------------------------------------------------------------------- */

/* Adds events to the batch that gathers, up to the first that must begin the next one. Returns how many. */
static uint32_t gather_chunk(struct postgres_sink *sink, const struct event *events, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool is_first = rows_event_count(sink->gathering) == 0;
        if (!is_first && (!rows_fits(sink->gathering, &events[i]) || events[i].event_seq == sink->first_seq))
            return i;
        if (is_first)
            rows_want(sink->gathering,
                      events[i].event_seq < sink->first_seq ? sink->sets & ROW_SETS_KNOWN : sink->sets);
        symbol_note(&sink->symbols, &events[i]);
        rows_add(sink->gathering, &events[i]);
    }
    return count;
}

static int gather(struct postgres_sink *sink, uint64_t now_ns)
{
    int total = 0;
    struct error error = {0};
    for (int chunk = 0; chunk < GATHER_CHUNKS_MAX; chunk++) {
        uint32_t have = rows_event_count(sink->gathering);
        if (have >= sink->batch_events || sink->is_stopping || sink->is_cut)
            return total;
        const struct event *events;
        int count = catch_up_next(&sink->catch_up, now_ns, sink->batch_events + 1 - have, &events, &error);
        if (count < 0) {
            postgres_failed(sink, true, error.where, "%s", error.what);
            sink->needs_rebuild = error.code == ERROR_GONE;
            return total;
        }
        sink->is_dry = count == 0;
        uint32_t taken = gather_chunk(sink, events, (uint32_t)count);
        sink->is_cut = taken < (uint32_t)count;
        catch_up_give_back(&sink->catch_up, (uint32_t)count - taken);
        total += (int)taken;
        if (count < CATCH_UP_CHUNK / 2)
            return total;
    }
    return total;
}

/* No batch leaves before; 0: at any time. */
static uint64_t paced_ns(const struct postgres_sink *sink)
{
    return sink->outage.is_catching_up && !sink->is_stopping ? sink->pace.next_ns : 0;
}

/* How far it is behind; 0 while it is away. */
static uint64_t lag_while_up_ns(const struct postgres_sink *sink)
{
    if (!sink->outage.is_up)
        return 0;
    return store_lag_ns(catch_up_behind(&sink->catch_up, sink->mark_seq), sink->mark_time_ns, clock_realtime_ns(), 0);
}

static bool gives_way(const struct postgres_sink *sink, uint64_t now_ns)
{
    return sink->first && !sink->is_stopping && rest_holds(&sink->rest, now_ns, lag_while_up_ns(sink->first));
}

static bool is_batch_due(const struct postgres_sink *sink, uint64_t now_ns)
{
    uint32_t count = rows_event_count(sink->gathering);
    return count > 0 && now_ns >= paced_ns(sink) && !gives_way(sink, now_ns) &&
           (count >= sink->batch_events || sink->is_cut || sink->is_stopping ||
            now_ns - sink->sent_ns >= sink->batch_interval_ns);
}

/* When, if no more events come, to ask how far the server's disk is; 0: the table says that it has all. */
static uint64_t seal_ns(const struct postgres_sink *sink)
{
    if (rows_event_count(sink->gathering) > 0 || sink->told_seq >= sink->mark_seq || sink->is_stopping)
        return 0;
    return (sink->sent_ns > sink->sealed_ns ? sink->sent_ns : sink->sealed_ns) + SEAL_INTERVAL_NS;
}

static bool is_seal_due(const struct postgres_sink *sink, uint64_t now_ns)
{
    uint64_t due_ns = seal_ns(sink);
    return due_ns != 0 && now_ns >= due_ns;
}

static int work(struct postgres_sink *sink, uint64_t now_ns, bool is_ready)
{
    exchange_bytes(sink, is_ready);
    int done = pump(sink, now_ns);
    if (sink->has_failed || sink->phase < POSTGRES_IDLE)
        return done;
    done += gather(sink, now_ns);
    if (sink->outage.is_catching_up)
        pace_note(&sink->pace, now_ns, catch_up_published(&sink->catch_up));
    if (!sink->has_failed && sink->phase == POSTGRES_IDLE && is_batch_due(sink, now_ns)) {
        struct rows *batch = sink->gathering;
        sink->gathering = sink->writing;
        sink->writing = batch;
        sink->sent_ns = now_ns;
        pace_batch(&sink->pace, now_ns, rows_event_count(batch));
        sink->is_cut = false;
        sink->phase = POSTGRES_WRITING;
        postgres_batch_begin(sink);
        done++;
    } else if (!sink->has_failed && sink->phase == POSTGRES_IDLE && is_seal_due(sink, now_ns)) {
        sink->phase = POSTGRES_WRITING;
        postgres_batch_seal(sink);
        done++;
    }
    return done;
}

int postgres_sink_poll(struct postgres_sink *sink, uint64_t now_ns, bool is_ready)
{
    int done = 0;
    switch (sink->phase) {
    case POSTGRES_AWAY:
        if (now_ns < sink->outage.retry_ns || sink->is_stopping)
            return 0;
        resolve_poll(sink, now_ns, true);
        break;
    case POSTGRES_RESOLVING:
        resolve_poll(sink, now_ns, false);
        break;
    case POSTGRES_CONNECTING:
        connect_poll(sink, now_ns, is_ready);
        break;
    case POSTGRES_PREPARING:
    case POSTGRES_IDLE:
    case POSTGRES_WRITING:
    case POSTGRES_COMMITTING:
    default:
        done = work(sink, now_ns, is_ready);
    }
    if (sink->has_failed)
        give_up(sink, now_ns);
    else if (sink->phase > POSTGRES_CONNECTING)
        watch(sink, sink->is_output_pending ? EPOLLIN | EPOLLOUT : EPOLLIN, false);
    return done;
}

/* When the batch that gathers leaves, however little it has by then. */
static uint64_t batch_ns(const struct postgres_sink *sink)
{
    uint64_t due_ns = sink->sent_ns + sink->batch_interval_ns;
    if (gives_way(sink, due_ns))
        due_ns = sink->rest.until_ns;
    return due_ns > paced_ns(sink) ? due_ns : paced_ns(sink);
}

uint64_t postgres_sink_deadline_ns(const struct postgres_sink *sink)
{
    switch (sink->phase) {
    case POSTGRES_AWAY:
        return sink->is_stopping ? 0 : sink->outage.retry_ns + 1;
    case POSTGRES_RESOLVING:
    case POSTGRES_CONNECTING:
        return sink->connect_deadline_ns;
    case POSTGRES_IDLE:
        return rows_event_count(sink->gathering) > 0 ? batch_ns(sink) : seal_ns(sink);
    case POSTGRES_PREPARING:
    case POSTGRES_WRITING:
    case POSTGRES_COMMITTING:
    default:
        return 0;
    }
}

bool postgres_sink_stop(struct postgres_sink *sink)
{
    sink->is_stopping = true;
    return sink->phase <= POSTGRES_PREPARING ||
           (sink->phase == POSTGRES_IDLE && rows_event_count(sink->gathering) == 0);
}

/* ---- what it says of itself -------------------------------------------------------------------------------------- */

void postgres_sink_measure(struct postgres_sink *sink, struct metrics_histogram *batch_ns)
{
    sink->batch_ns = batch_ns;
}

void postgres_sink_status(const struct postgres_sink *sink, struct store_status *status)
{
    /* What is on its way is missing until the store has confirmed it: a connection that ends loses it. */
    uint64_t lag = catch_up_behind(&sink->catch_up, sink->mark_seq);
    uint64_t away_ns = outage_age_ns(&sink->outage, clock_monotonic_ns());
    *status = (struct store_status){.store = sink->outage.store,
                                    .is_up = sink->outage.is_up,
                                    .is_refused = sink->outage.is_refused,
                                    .needs_rebuild = sink->needs_rebuild,
                                    .outage_count = sink->outage.count,
                                    .mark_seq = sink->mark_seq,
                                    .durable_seq = sink->durable_seq,
                                    .lag_events = lag,
                                    .lag_ns = store_lag_ns(lag, sink->mark_time_ns, clock_realtime_ns(), away_ns),
                                    .written_events = sink->written_events,
                                    .batch_count = sink->batch_count};
}

void postgres_sink_close(struct postgres_sink *sink)
{
    if (!sink)
        return;
    if (sink->gathering && sink->writing)
        disconnect(sink);
    hosts_finish(&sink->hosts);
    catch_up_finish(&sink->catch_up);
    free(sink->gathering);
    free(sink->writing);
    free(sink);
}
