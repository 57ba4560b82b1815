#include "redis_sink.h"

#include "base/require.h"
#include "base/trace.h"
#include "catch_up.h"
#include "encode_live.h"
#include "env/clock.h"
#include "guard.h"
#include "log/log.h"
#include "outage.h"
#include "pace.h"
#include "redis_address.h"
#include "redis_entry.h"
#include "resolve.h"
#include "stream_age.h"
#include "take.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define ENTRIES             8 /* one gathers, the others are on their way */
#define CONNECT_TIMEOUT_NS  (10ull * NS_PER_SECOND)
#define RESOLVE_INTERVAL_NS (20ull * NS_PER_MS)
#define GATHER_CHUNKS_MAX   4   /* of CATCH_UP_CHUNK events, in one poll */
#define LIVE_CARRIED_MAX    512 /* changes that may wait for a later entry */
#define SETUP_BYTES         8192
#define SETUP_REPLIES       2
#define USER_TIMEOUT_MS     30000
#define KEEPALIVE_IDLE_S    10 /* as PostgreSQL's connection is asked for */
#define KEEPALIVE_EACH_S    5
#define KEEPALIVE_COUNT     4

enum redis_phase {
    REDIS_AWAY,
    REDIS_RESOLVING,
    REDIS_CONNECTING,
    REDIS_PREPARING,
    REDIS_WORKING,
};

struct redis_sink {
    char prefix[REDIS_PREFIX_BYTES_MAX + 1];
    struct redis_address address;
    uint32_t batch_events;
    uint64_t entries_max;
    struct stream_age age;
    int epoll_fd;
    uint64_t tag;
    uint32_t watched_events;
    struct outage outage;
    struct catch_up catch_up;
    struct pace pace;
    struct resolver resolver;
    redisContext *context;
    enum redis_phase phase;
    uint64_t connect_deadline_ns;
    size_t setup_written;
    struct redis_request setup;
    char setup_bytes[SETUP_BYTES];
    bool is_output_pending;
    bool is_stopping;
    bool is_cut; /* the entry that gathers can take no more: the numbers go on with a gap, of what was trimmed */
    bool has_failed;
    bool is_refused;
    struct error failure;
    uint64_t epoch;
    uint64_t mark_seq; /* as Redis has confirmed it */
    uint64_t mark_time_ns;
    uint64_t live_seq;       /* up to which the hashes show what the stream has, as Redis has confirmed it */
    uint64_t sealed_seq;     /* as it will be once all entries on their way are appended */
    uint64_t sent_ns;        /* when the last entry was sealed */
    uint64_t sealed_count;   /* entries so far, in this connection; the next to gather is this one */
    uint64_t written_count;  /* of those, wholly handed to the socket */
    uint64_t appended_count; /* of those, confirmed */
    uint32_t reply_count;    /* answers to the next one of those so far */
    uint64_t written_events; /* since open */
    uint64_t batch_count;
    uint64_t interval_ns;               /* between entries, unless one is full; of these, between those with hashes */
    uint64_t live_ns;                   /* when the last one with hashes was sealed */
    uint64_t sealed_ns[ENTRIES];        /* of the entries on their way */
    struct metrics_histogram *batch_ns; /* NULL: not measured */
    struct redis_entry entries[ENTRIES];
    struct live *live; /* what the hashes do not show yet */
    struct symbol_table symbols;
};

/* ---- life -------------------------------------------------------------------------------------------------------- */

static struct redis_entry *entry_of(struct redis_sink *sink, uint64_t number)
{
    return &sink->entries[number % ENTRIES];
}

static int configure(struct redis_sink *sink, const struct config *config, struct error *error)
{
    if (strlen(config->redis_prefix) > REDIS_PREFIX_BYTES_MAX)
        return error_set(error, ERROR_INVALID, "redis.prefix", "longer than %d bytes", REDIS_PREFIX_BYTES_MAX);
    memcpy(sink->prefix, config->redis_prefix, strlen(config->redis_prefix) + 1);
    sink->batch_events = (uint32_t)config->redis_batch_events;
    sink->interval_ns = config->redis_batch_ms * NS_PER_MS;
    sink->pace.times = config->persister_catch_up_times;
    sink->entries_max = config->redis_stream_entries_max;
    sink->age.limit_ns = config->redis_stream_age_s * NS_PER_SECOND;
    return redis_address_parse(&sink->address, config->redis_address, error);
}

int redis_sink_open(struct redis_sink **ret_sink, const struct config *config, int epoll_fd, uint64_t tag,
                    struct error *error)
{
    struct redis_sink *sink = calloc(1, sizeof(*sink));
    if (!sink)
        return error_set(error, ERROR_SYSTEM, "redis", "no memory");
    sink->epoll_fd = epoll_fd;
    sink->tag = tag;
    outage_init(&sink->outage, "Redis");
    catch_up_init(&sink->catch_up, "Redis", config->events_directory, config->retention_archive_path);
    int result = configure(sink, config, error);
    uint32_t events_max = sink->batch_events + 1; /* whoever reads events wants room for two */
    uint32_t changes_max = LIVE_CARRIED_MAX + events_max;
    for (int i = 0; i < ENTRIES && result >= 0; i++)
        result = redis_entry_init(&sink->entries[i], events_max, changes_max, error);
    void *memory = result < 0 ? NULL : malloc(live_bytes(changes_max));
    if (memory)
        sink->live = live_init(memory, changes_max);
    else if (result >= 0)
        result = error_set(error, ERROR_SYSTEM, "redis.batch_events", "no memory");
    if (result < 0) {
        redis_sink_close(sink);
        return result;
    }
    *ret_sink = sink;
    return 0;
}

void redis_sink_join(struct redis_sink *sink, const struct ring *ring)
{
    catch_up_join(&sink->catch_up, ring);
}

static void disconnect(struct redis_sink *sink)
{
    if (sink->context) {
        (void)epoll_ctl(sink->epoll_fd, EPOLL_CTL_DEL, sink->context->fd, NULL);
        redisFree(sink->context);
    }
    sink->context = NULL;
    sink->watched_events = 0;
    sink->is_output_pending = sink->is_cut = false;
    sink->phase = REDIS_AWAY;
    sink->sealed_count = sink->written_count = sink->appended_count = 0;
    sink->reply_count = 0;
    sink->sealed_seq = sink->mark_seq;
    redis_entry_clear(entry_of(sink, 0));
    if (sink->live)
        live_clear(sink->live);
}

static void failed(struct redis_sink *sink, bool is_refused, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Notes a failure of the store: the first one counts. */
static void failed(struct redis_sink *sink, bool is_refused, const char *where, const char *format, ...)
{
    va_list arguments;
    if (sink->has_failed)
        return;
    char text[ERROR_WHAT_BYTES];
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    sink->has_failed = true;
    sink->is_refused = is_refused;
    error_set(&sink->failure, is_refused ? ERROR_INVALID : ERROR_CLOSED, where, "%s", text);
}

static void give_up(struct redis_sink *sink, uint64_t now_ns)
{
    disconnect(sink);
    if (sink->is_refused)
        outage_refused(&sink->outage, now_ns, &sink->failure);
    else
        outage_begins(&sink->outage, now_ns, &sink->failure);
    sink->has_failed = false;
}

/* ---- connecting -------------------------------------------------------------------------------------------------- */

static void watch(struct redis_sink *sink, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = sink->tag};
    if (events == sink->watched_events)
        return;
    int operation = sink->watched_events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(sink->epoll_fd, operation, sink->context->fd, &event) < 0)
        failed(sink, false, "Redis", "cannot watch the socket: %s", strerror(errno));
    sink->watched_events = events;
}

/* A peer that vanishes without a word is noticed within half a minute, whether it owes an acknowledgment or an answer.
 */
static void watch_peer(redisContext *context)
{
    int on = 1;
    int idle_s = KEEPALIVE_IDLE_S;
    int each_s = KEEPALIVE_EACH_S;
    int count = KEEPALIVE_COUNT;
    unsigned timeout_ms = USER_TIMEOUT_MS;
    (void)setsockopt(context->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(context->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    (void)setsockopt(context->fd, IPPROTO_TCP, TCP_KEEPINTVL, &each_s, sizeof(each_s));
    (void)setsockopt(context->fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    (void)setsockopt(context->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

static void connect_start(struct redis_sink *sink, const char *address, uint64_t now_ns)
{
    redisContext *context = sink->address.port == 0 ? redisConnectUnixNonBlock(sink->address.host)
                                                    : redisConnectNonBlock(address, sink->address.port);
    if (!context || context->err) {
        failed(sink, false, "Redis", "%s: %s", sink->address.host, context ? context->errstr : "no memory");
        if (context)
            redisFree(context);
        return;
    }
    if (sink->address.port != 0)
        watch_peer(context);
    sink->context = context;
    sink->phase = REDIS_CONNECTING;
    sink->connect_deadline_ns = now_ns + CONNECT_TIMEOUT_NS;
    watch(sink, EPOLLOUT);
}

static void resolve_start(struct redis_sink *sink, uint64_t now_ns)
{
    struct error error = {0};
    if (sink->address.port == 0 || !resolve_needed(sink->address.host)) {
        connect_start(sink, sink->address.host, now_ns);
        return;
    }
    if (resolver_start(&sink->resolver, sink->address.host, &error) < 0)
        failed(sink, false, "Redis", "%s", error.what);
    sink->phase = REDIS_RESOLVING;
    sink->connect_deadline_ns = now_ns + RESOLVE_INTERVAL_NS; /* nothing becomes readable: look again then */
}

static void resolve_poll(struct redis_sink *sink, uint64_t now_ns)
{
    struct error error = {0};
    char address[RESOLVE_TEXT_BYTES];
    int result = resolver_poll(&sink->resolver, sink->outage.count, address, &error);
    if (result < 0)
        failed(sink, false, "Redis", "%s", error.what);
    else if (result > 0)
        connect_start(sink, address, now_ns);
    else
        sink->connect_deadline_ns = now_ns + RESOLVE_INTERVAL_NS;
}

/* Runs take.lua. */
static void prepare(struct redis_sink *sink, uint64_t now_ns)
{
    char key[REDIS_KEY_BYTES];
    static const char *const keys[] = {"mark", "events", "instruments", "live"};
    sink->setup = (struct redis_request){.bytes = sink->setup_bytes, .capacity = sizeof(sink->setup_bytes)};
    request_array(&sink->setup, 3 + ARRAY_COUNT(keys));
    request_word(&sink->setup, "EVAL");
    request_word(&sink->setup, take_lua);
    request_number(&sink->setup, ARRAY_COUNT(keys));
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        redis_key(key, sink->prefix, keys[i], "");
        request_word(&sink->setup, key);
    }
    sink->setup_written = 0;
    sink->connect_deadline_ns = now_ns + CONNECT_TIMEOUT_NS;
    sink->phase = REDIS_PREPARING;
}

static void connect_poll(struct redis_sink *sink, uint64_t now_ns, bool is_ready)
{
    int problem = 0;
    socklen_t bytes = sizeof(problem);
    if (now_ns >= sink->connect_deadline_ns)
        failed(sink, false, "Redis", "no answer to a connect within %llu s", CONNECT_TIMEOUT_NS / NS_PER_SECOND);
    else if (!is_ready)
        return;
    else if (getsockopt(sink->context->fd, SOL_SOCKET, SO_ERROR, &problem, &bytes) < 0 || problem != 0)
        failed(sink, false, "Redis", "%s: %s", sink->address.host, strerror(problem));
    else
        prepare(sink, now_ns);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Hands pieces to the socket. false: it takes no more now, or has failed. */
static bool send_pieces(struct redis_sink *sink, struct iovec *pieces, int count, size_t *written)
{
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
    ssize_t result = sendmsg(sink->context->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (result < 0) {
        sink->is_output_pending = errno == EAGAIN || errno == EINTR;
        if (!sink->is_output_pending)
            failed(sink, false, "Redis", "%s: %s", sink->address.host, strerror(errno));
        return false;
    }
    *written += (size_t)result;
    return true;
}

static void write_some(struct redis_sink *sink)
{
    struct iovec pieces[REDIS_ENTRY_PIECES];
    sink->is_output_pending = false;
    while (sink->phase == REDIS_PREPARING && sink->setup_written < sink->setup.used) {
        pieces[0] = (struct iovec){.iov_base = sink->setup.bytes + sink->setup_written,
                                   .iov_len = sink->setup.used - sink->setup_written};
        if (!send_pieces(sink, pieces, 1, &sink->setup_written))
            return;
    }
    while (sink->written_count < sink->sealed_count) {
        struct redis_entry *entry = entry_of(sink, sink->written_count);
        int count = redis_entry_pieces(entry, pieces);
        if (count == 0)
            sink->written_count++;
        else if (!send_pieces(sink, pieces, count, &entry->written_bytes))
            return;
    }
}

/* ---- replies ----------------------------------------------------------------------------------------------------- */

/* What passes by itself: a server that still loads its data, is stopped, or fails over. */
static bool is_passing(const char *error)
{
    static const char *const names[] = {"LOADING", "BUSY", "MASTERDOWN", "READONLY", "TRYAGAIN", "UNKILLABLE"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strncmp(error, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void take_symbols(struct redis_sink *sink, const redisReply *pairs)
{
    for (size_t i = 0; i + 1 < pairs->elements; i += 2)
        symbol_put(&sink->symbols, (uint32_t)strtoul(pairs->element[i]->str, NULL, 10), pairs->element[i + 1]->str,
                   pairs->element[i + 1]->len);
}

/* The numbers of take.lua's answer, in its order; behind them come the symbols. */
enum taken { TAKEN_EPOCH, TAKEN_SEQ, TAKEN_TIME_NS, TAKEN_LIVE_SEQ, TAKEN_COUNT };

static bool read_taken(const redisReply *reply, uint64_t numbers[TAKEN_COUNT])
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != TAKEN_COUNT + 1 ||
        reply->element[TAKEN_COUNT]->type != REDIS_REPLY_ARRAY)
        return false;
    for (int i = 0; i < TAKEN_COUNT; i++) {
        if (reply->element[i]->type != REDIS_REPLY_STRING)
            return false;
        numbers[i] = strtoull(reply->element[i]->str, NULL, 10);
    }
    return true;
}

static void take_mark(struct redis_sink *sink, const redisReply *reply, uint64_t now_ns)
{
    uint64_t taken[TAKEN_COUNT];
    if (!read_taken(reply, taken)) {
        failed(sink, true, "Redis", "the mark has an unknown form");
        return;
    }
    sink->epoch = taken[TAKEN_EPOCH];
    sink->mark_seq = sink->sealed_seq = taken[TAKEN_SEQ];
    sink->mark_time_ns = taken[TAKEN_TIME_NS];
    take_symbols(sink, reply->element[TAKEN_COUNT]);
    sink->live_seq = taken[TAKEN_LIVE_SEQ] < sink->mark_seq ? taken[TAKEN_LIVE_SEQ] : sink->mark_seq;
    /* What was trimmed, a stream that is trimmed itself can do without. */
    catch_up_begin(&sink->catch_up, sink->mark_seq, sink->mark_time_ns, UINT64_MAX);
    catch_up_again(&sink->catch_up, sink->live_seq);
    sink->phase = REDIS_WORKING;
    pace_begin(&sink->pace);
    outage_ends(&sink->outage, now_ns, sink->mark_seq, catch_up_lag(&sink->catch_up));
}

/* EXEC's answer: nil if the transaction did not run, else an answer for each of its commands, XADD's first. */
static void take_executed(struct redis_sink *sink, const struct redis_entry *entry, const redisReply *reply,
                          uint64_t now_ns)
{
    if (reply->type == REDIS_REPLY_NIL) {
        failed(sink, false, "Redis",
               "the mark is no longer at event %" PRIu64 " with epoch %" PRIu64
               ": it lost its memory, or another persister writes",
               sink->mark_seq, sink->epoch);
        return;
    }
    for (size_t i = 0; i < (reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0); i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR)
            failed(sink, true, "Redis", "events %" PRIu64 " to %" PRIu64 ": %s", entry->first_seq, entry->last_seq,
                   reply->element[i]->str);
    if (reply->type != REDIS_REPLY_ARRAY)
        failed(sink, true, "Redis", "EXEC has an answer of an unknown form");
    if (sink->has_failed)
        return;
    TRACE2(persister_stored, "redis", entry->last_seq - sink->mark_seq);
    sink->mark_seq = entry->last_seq;
    sink->mark_time_ns = entry->last_time_ns;
    if (entry->brings_live)
        sink->live_seq = entry->last_seq;
    sink->written_events += entry->count;
    sink->batch_count++;
    if (sink->batch_ns)
        metrics_record(sink->batch_ns, now_ns - sink->sealed_ns[sink->appended_count % ENTRIES]);
    sink->appended_count++;
    sink->reply_count = 0;
    outage_progress(&sink->outage, now_ns, sink->mark_seq, catch_up_lag(&sink->catch_up));
}

/* Its first commands may be answered before its last ones have found room in the socket. */
static bool has_been_asked(struct redis_sink *sink)
{
    if (sink->appended_count < sink->written_count)
        return true;
    return sink->appended_count < sink->sealed_count && entry_of(sink, sink->appended_count)->written_bytes > 0;
}

/* Each command of an entry is answered: all but the last one's answers say only that it was understood. */
static void take_appended(struct redis_sink *sink, const redisReply *reply, uint64_t now_ns)
{
    if (!has_been_asked(sink)) {
        failed(sink, true, "Redis", "an answer that nothing asked for");
        return;
    }
    const struct redis_entry *entry = entry_of(sink, sink->appended_count);
    if (++sink->reply_count == entry->command_count)
        take_executed(sink, entry, reply, now_ns);
}

static void take_reply(struct redis_sink *sink, const redisReply *reply, uint64_t now_ns)
{
    if (reply->type == REDIS_REPLY_ERROR)
        failed(sink, !is_passing(reply->str), "Redis", "%s", reply->str);
    else if (sink->phase == REDIS_PREPARING)
        take_mark(sink, reply, now_ns);
    else
        take_appended(sink, reply, now_ns);
}

static void read_some(struct redis_sink *sink, uint64_t now_ns)
{
    if (redisBufferRead(sink->context) != REDIS_OK) {
        failed(sink, false, "Redis", "%s: %s", sink->address.host, sink->context->errstr);
        return;
    }
    while (!sink->has_failed) {
        void *reply = NULL;
        if (redisGetReplyFromReader(sink->context, &reply) != REDIS_OK)
            failed(sink, false, "Redis", "%s: %s", sink->address.host, sink->context->errstr);
        if (!reply)
            return;
        take_reply(sink, reply, now_ns);
        freeReplyObject(reply);
    }
}

/* ---- working ----------------------------------------------------------------------------------------------------- */

/* An event that the stream has and the hashes do not show. There are never more changes than were let wait. */
static void show_again(struct redis_sink *sink, const struct event *event)
{
    symbol_note(&sink->symbols, event);
    if (live_count(sink->live) == LIVE_CARRIED_MAX)
        failed(sink, true, "Redis", "%s:live is further behind the mark than a persister leaves it: delete that key",
               sink->prefix);
    else
        live_add(sink->live, event);
}

/* Adds events to the entry that gathers, as far as its numbers go on without a gap. Returns how many. */
static int gather_chunk(struct redis_sink *sink, const struct event *events, int count)
{
    struct redis_entry *entry = entry_of(sink, sink->sealed_count);
    for (int i = 0; i < count; i++) {
        if (UNLIKELY(events[i].event_seq <= sink->sealed_seq)) {
            show_again(sink, &events[i]);
            if (sink->has_failed)
                return count;
            continue;
        }
        sink->is_cut = entry->count > 0 && events[i].event_seq != entry->last_seq + 1;
        if (sink->is_cut)
            return i;
        symbol_note(&sink->symbols, &events[i]);
        live_add(sink->live, &events[i]);
        redis_entry_add(entry, &events[i], &sink->symbols);
    }
    return count;
}

static int gather(struct redis_sink *sink, uint64_t now_ns)
{
    int total = 0;
    struct error error = {0};
    struct redis_entry *entry = entry_of(sink, sink->sealed_count);
    for (int chunk = 0; chunk < GATHER_CHUNKS_MAX; chunk++) {
        const struct event *events;
        if (entry->count >= sink->batch_events || sink->is_stopping || sink->is_cut)
            return total;
        int count = catch_up_next(&sink->catch_up, now_ns, sink->batch_events + 1 - entry->count, &events, &error);
        if (count < 0) {
            failed(sink, true, error.where, "%s", error.what);
            return total;
        }
        int taken = gather_chunk(sink, events, count);
        total += taken;
        if (taken < count) {
            catch_up_give_back(&sink->catch_up, (uint32_t)(count - taken));
            return total;
        }
        if (count < CATCH_UP_CHUNK / 2)
            return total;
    }
    return total;
}

/* No entry leaves before; 0: at any time. */
static uint64_t paced_ns(const struct redis_sink *sink)
{
    return sink->outage.is_catching_up && !sink->is_stopping ? sink->pace.next_ns : 0;
}

/*
 * Whether the entry that gathers brings the hashes up to date. While there is more than can be sent, full entries
 * follow each other at once, and whoever polls or listens is served well by the last of each interval: of the others
 * the hashes' commands would be most of the work.
 */
static bool brings_live(const struct redis_sink *sink, const struct redis_entry *entry, uint64_t now_ns)
{
    bool another_follows = entry->count >= sink->batch_events && !sink->is_stopping && !sink->is_cut &&
                           catch_up_behind(&sink->catch_up, entry->last_seq) > 0;
    return !another_follows || now_ns - sink->live_ns >= sink->interval_ns ||
           live_count(sink->live) >= LIVE_CARRIED_MAX;
}

/* Seals the entry that gathers if it is due and there is a place for the next one. */
static bool seal(struct redis_sink *sink, uint64_t now_ns)
{
    struct redis_entry *entry = entry_of(sink, sink->sealed_count);
    bool is_due = entry->count >= sink->batch_events || sink->is_stopping || sink->is_cut ||
                  now_ns - sink->sent_ns >= sink->interval_ns;
    if (entry->count == 0 || !is_due || now_ns < paced_ns(sink) ||
        sink->sealed_count - sink->appended_count == ENTRIES - 1)
        return false;
    struct redis_entry_mark mark = {.guard = guard_lua,
                                    .prefix = sink->prefix,
                                    .epoch = sink->epoch,
                                    .expected_seq = sink->sealed_seq,
                                    .entries_max = sink->entries_max,
                                    .old_seq = stream_age_note(&sink->age, now_ns, entry->last_seq)};
    bool with_live = brings_live(sink, entry, now_ns);
    redis_entry_seal(entry, &mark, with_live ? sink->live : NULL, &sink->symbols);
    if (with_live) {
        live_clear(sink->live);
        sink->live_ns = now_ns;
    }
    sink->sealed_seq = entry->last_seq;
    sink->sealed_ns[sink->sealed_count % ENTRIES] = now_ns;
    sink->sealed_count++;
    sink->is_cut = false;
    sink->sent_ns = now_ns;
    pace_batch(&sink->pace, now_ns, entry->count);
    redis_entry_clear(entry_of(sink, sink->sealed_count));
    return true;
}

static int work(struct redis_sink *sink, uint64_t now_ns, bool is_ready)
{
    int done = 0;
    if (is_ready)
        read_some(sink, now_ns);
    if (sink->phase == REDIS_PREPARING && now_ns >= sink->connect_deadline_ns)
        failed(sink, false, "Redis", "no answer within %llu s", CONNECT_TIMEOUT_NS / NS_PER_SECOND);
    if (!sink->has_failed && sink->phase == REDIS_WORKING) {
        done = gather(sink, now_ns);
        if (sink->outage.is_catching_up)
            pace_note(&sink->pace, now_ns, catch_up_published(&sink->catch_up));
        done += seal(sink, now_ns);
    }
    if (!sink->has_failed && (is_ready || !sink->is_output_pending))
        write_some(sink);
    return done;
}

int redis_sink_poll(struct redis_sink *sink, uint64_t now_ns, bool is_ready)
{
    int done = 0;
    switch (sink->phase) {
    case REDIS_AWAY:
        if (now_ns < sink->outage.retry_ns || sink->is_stopping)
            return 0;
        resolve_start(sink, now_ns);
        break;
    case REDIS_RESOLVING:
        resolve_poll(sink, now_ns);
        break;
    case REDIS_CONNECTING:
        connect_poll(sink, now_ns, is_ready);
        break;
    case REDIS_PREPARING:
    case REDIS_WORKING:
    default:
        done = work(sink, now_ns, is_ready);
    }
    if (!sink->has_failed && sink->phase >= REDIS_PREPARING)
        watch(sink, sink->is_output_pending ? EPOLLIN | EPOLLOUT : EPOLLIN);
    if (sink->has_failed)
        give_up(sink, now_ns);
    return done;
}

/* When the entry that gathers leaves, however little it has by then. */
static uint64_t entry_ns(const struct redis_sink *sink)
{
    uint64_t due_ns = sink->sent_ns + sink->interval_ns;
    return due_ns > paced_ns(sink) ? due_ns : paced_ns(sink);
}

uint64_t redis_sink_deadline_ns(const struct redis_sink *sink)
{
    switch (sink->phase) {
    case REDIS_AWAY:
        return sink->is_stopping ? 0 : sink->outage.retry_ns + 1;
    case REDIS_RESOLVING:
    case REDIS_CONNECTING:
    case REDIS_PREPARING:
        return sink->connect_deadline_ns;
    case REDIS_WORKING:
        if (sink->entries[sink->sealed_count % ENTRIES].count > 0 &&
            sink->sealed_count - sink->appended_count < ENTRIES - 1)
            return entry_ns(sink);
        return 0;
    default:
        return 0;
    }
}

bool redis_sink_stop(struct redis_sink *sink)
{
    sink->is_stopping = true;
    return sink->phase <= REDIS_PREPARING ||
           (sink->sealed_count == sink->appended_count && entry_of(sink, sink->sealed_count)->count == 0);
}

/* ---- what it says of itself -------------------------------------------------------------------------------------- */

void redis_sink_measure(struct redis_sink *sink, struct metrics_histogram *batch_ns)
{
    sink->batch_ns = batch_ns;
}

void redis_sink_status(const struct redis_sink *sink, struct store_status *status)
{
    /* What is on its way is missing until the store has confirmed it: a connection that ends loses it. */
    uint64_t lag = catch_up_behind(&sink->catch_up, sink->mark_seq);
    uint64_t away_ns = outage_age_ns(&sink->outage, clock_monotonic_ns());
    *status = (struct store_status){.store = sink->outage.store,
                                    .is_up = sink->outage.is_up,
                                    .is_refused = sink->outage.is_refused,
                                    .outage_count = sink->outage.count,
                                    .mark_seq = sink->mark_seq,
                                    .needed_seq = sink->live_seq,
                                    .lag_events = lag,
                                    .lag_ns = store_lag_ns(lag, sink->mark_time_ns, clock_realtime_ns(), away_ns),
                                    .written_events = sink->written_events,
                                    .batch_count = sink->batch_count};
}

void redis_sink_close(struct redis_sink *sink)
{
    if (!sink)
        return;
    disconnect(sink);
    resolver_finish(&sink->resolver);
    catch_up_finish(&sink->catch_up);
    for (int i = 0; i < ENTRIES; i++)
        redis_entry_finish(&sink->entries[i]);
    free(sink->live);
    free(sink);
}
