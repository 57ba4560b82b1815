#include "redis_server.h"

#include "base/checksum.h"
#include "base/require.h"
#include "outside.h"
#include "random.h"
#include "redis_data.h"
#include "redis_truth.h"
#include "store_link.h"
#include "stores.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 512
#define STEPS_MAX 24 /* commands that a connection gets done at one time */
#define MARK_KEY  "ringside:mark"
#define LIVE_KEY  "ringside:live"
#define NAMES_KEY "ringside:instruments"

/* The texts of the scripts that are known, by their checksums: guard.lua and take.lua, as guard() and take() do. */
#define GUARD_CHECKSUM 0x5e05d685u
#define TAKE_CHECKSUM  0x227e5f52u

struct client {
    struct store_link *link;
    const char *refuses_with; /* NULL: it takes what comes */
    uint64_t watched;         /* how often the mark had been touched then */
    char *queue;              /* commands between MULTI and EXEC */
    size_t queue_bytes, queue_room;
    uint32_t queue_count;
    bool is_watching;
    bool in_multi;
    bool aborted;
};

struct words {
    uint32_t count;
    struct span at[WORDS_MAX];
};

static struct client clients[STORE_LINKS_MAX];
static struct {
    uint64_t entries_max;
    uint64_t mark_touched; /* how often */
} redis;

/* ---- life ---------------------------------------------------------------------------------------------------------
 */

static void client_clear(struct client *client)
{
    client->is_watching = client->in_multi = client->aborted = false;
    client->refuses_with = NULL;
    client->queue_bytes = 0;
    client->queue_count = 0;
}

void redis_begin(uint64_t entries_max)
{
    memset(&redis, 0, sizeof(redis));
    redis.entries_max = entries_max;
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++)
        client_clear(&clients[i]);
    redis_data_begin();
    redis_truth_forget();
}

void redis_end(void)
{
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++) {
        free(clients[i].queue);
        clients[i] = (struct client){0};
    }
    redis_data_end();
}

uint64_t redis_mark(void)
{
    const char *seq = redis_hash_get(MARK_KEY, "event_seq");
    return seq ? strtoull(seq, NULL, 10) : 0;
}

/* Up to which event the hashes show what happened. */
static uint64_t live_mark(void)
{
    const char *seq = redis_hash_get(LIVE_KEY, "event_seq");
    return seq ? strtoull(seq, NULL, 10) : redis_mark();
}

/* ---- requests -----------------------------------------------------------------------------------------------------
 */

/* "*12\r\n", its number. NULL: it is not whole. */
static const char *take_line(const char *at, const char *end, char type, uint64_t *number)
{
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (!stop)
        return NULL;
    if (*at != type || stop - at < 3 || stop[-1] != '\r')
        violation("Redis is sent what is no request");
    *number = strtoull(at + 1, NULL, 10);
    return stop + 1;
}

/* The words of a request; bytes of it, 0: it is not whole. */
static size_t parse(const char *from, size_t bytes, struct words *words)
{
    const char *end = from + bytes;
    uint64_t count, length;
    const char *at = bytes > 0 ? take_line(from, end, '*', &count) : NULL;
    if (!at)
        return 0;
    REQUIRE(count > 0 && count <= WORDS_MAX);
    for (words->count = 0; words->count < count; words->count++) {
        at = at < end ? take_line(at, end, '$', &length) : NULL;
        if (!at || (size_t)(end - at) < length + 2)
            return 0;
        words->at[words->count] = (struct span){.at = at, .bytes = length};
        at += length + 2;
    }
    return (size_t)(at - from);
}

/* ---- answers ------------------------------------------------------------------------------------------------------
 */

static void answer(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void answer(struct client *client, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    REQUIRE(bytes >= 0 && (size_t)bytes < sizeof(text));
    store_link_answer(client->link, text, (size_t)bytes);
}

static void answer_text(struct client *client, const char *text)
{
    answer(client, "$%zu\r\n%s\r\n", strlen(text), text);
}

static void touch_mark(void)
{
    redis.mark_touched++;
}

static struct span span_of(const char *text)
{
    return (struct span){.at = text, .bytes = strlen(text)};
}

static void set_number(const char *key, const char *name, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    redis_hash_set(span_of(key), span_of(name), span_of(text));
}

static void set_mark(const char *name, uint64_t number)
{
    set_number(MARK_KEY, name, number);
    touch_mark();
}

/* ---- scripts ------------------------------------------------------------------------------------------------------
 */

static void known_script(struct span text, uint32_t checksum, const char *what)
{
    uint32_t found = crc32c(0, text.at, text.bytes);
    if (found != checksum)
        violation("Redis does not know this %s, whose checksum is 0x%08x: tell redis_server.c what it does", what,
                  found);
}

/* guard.lua: whether the mark is at that event under that epoch; if not, it is touched. */
static bool guard(struct span epoch, struct span event_seq)
{
    const char *has_epoch = redis_hash_get(MARK_KEY, "epoch");
    const char *has_seq = redis_hash_get(MARK_KEY, "event_seq");
    if (has_epoch && has_seq && span_is(epoch, has_epoch) && span_is(event_seq, has_seq))
        return true;
    set_mark("epoch", has_epoch ? strtoull(has_epoch, NULL, 10) : 0);
    return false;
}

/* The hashes show all that the stream has, if `live` is not as the last entry left it. */
static uint64_t take_live(uint64_t seq)
{
    const char *live = redis_hash_get(LIVE_KEY, "event_seq");
    const char *stored = redis_hash_get(LIVE_KEY, "stored_seq");
    if (!live || store_bugs.live_is_assumed || !stored || strtoull(stored, NULL, 10) != seq)
        return seq;
    return strtoull(live, NULL, 10);
}

/* take.lua: raises the epoch, and says where the mark is; the stream knows better, if it goes on behind it. */
static void take(struct client *client)
{
    const char *time = redis_hash_get(MARK_KEY, "time_ns");
    const char *epoch = redis_hash_get(MARK_KEY, "epoch");
    uint64_t seq = redis_mark();
    uint64_t time_ns = time ? strtoull(time, NULL, 10) : 0;
    if (redis_stream_last_id() > seq) {
        seq = redis_stream_last_id();
        time_ns = 0;
    }
    uint64_t next = (epoch ? strtoull(epoch, NULL, 10) : 0) + 1;
    set_number(LIVE_KEY, "event_seq", take_live(seq));
    set_number(LIVE_KEY, "stored_seq", seq);
    set_mark("event_seq", seq);
    set_mark("time_ns", time_ns);
    set_mark("epoch", next);
    redis_data_seal();
    answer(client, "*5\r\n");
    answer_text(client, redis_hash_get(MARK_KEY, "epoch"));
    answer_text(client, redis_hash_get(MARK_KEY, "event_seq"));
    answer_text(client, redis_hash_get(MARK_KEY, "time_ns"));
    answer_text(client, redis_hash_get(LIVE_KEY, "event_seq"));
    uint32_t count = redis_hash_count(NAMES_KEY);
    answer(client, "*%u\r\n", 2 * count);
    for (uint32_t i = 0; i < count; i++) {
        answer_text(client, redis_hash_at(NAMES_KEY, i)->name);
        answer_text(client, redis_hash_at(NAMES_KEY, i)->value);
    }
}

/* ---- commands -----------------------------------------------------------------------------------------------------
 */

/* With one key it is the guard. */
static void does_eval(struct client *client, const struct words *words)
{
    REQUIRE(words->count >= 6 && span_is(words->at[3], MARK_KEY));
    if (span_is(words->at[2], "1")) {
        known_script(words->at[1], GUARD_CHECKSUM, "guard.lua");
        answer(client, ":%d\r\n", guard(words->at[4], words->at[5]));
        return;
    }
    known_script(words->at[1], TAKE_CHECKSUM, "take.lua");
    REQUIRE(words->count == 7 && span_is(words->at[2], "4") && span_is(words->at[4], "ringside:events") &&
            span_is(words->at[5], NAMES_KEY) && span_is(words->at[6], LIVE_KEY));
    take(client);
}

static void does_watch(struct client *client, const struct words *words)
{
    REQUIRE(words->count == 2 && span_is(words->at[1], MARK_KEY));
    client->is_watching = true;
    client->watched = redis.mark_touched;
    answer(client, "+OK\r\n");
}

static void does_multi(struct client *client, const struct words *words)
{
    REQUIRE(words->count == 1 && !client->in_multi);
    client->in_multi = true;
    client->aborted = false;
    client->queue_bytes = 0;
    client->queue_count = 0;
    answer(client, "+OK\r\n");
}

static void does_hset(struct client *client, const struct words *words)
{
    REQUIRE(words->count >= 4 && words->count % 2 == 0);
    for (uint32_t i = 2; i < words->count; i += 2)
        redis_hash_set(words->at[1], words->at[i], words->at[i + 1]);
    if (span_is(words->at[1], MARK_KEY))
        touch_mark();
    answer(client, ":%u\r\n", (words->count - 2) / 2);
}

static void does_publish(struct client *client, const struct words *words)
{
    REQUIRE(words->count == 3);
    answer(client, ":0\r\n");
}

/* XADD key MAXLEN ~ most id first N last N p PAYLOAD */
static void does_xadd(struct client *client, const struct words *words)
{
    const struct span *at = words->at;
    REQUIRE(words->count == 12 && span_is(at[2], "MAXLEN") && span_is(at[3], "~") && span_is(at[6], "first") &&
            span_is(at[8], "last") && span_is(at[10], "p") && span_is(at[1], "ringside:events"));
    const struct redis_stream_entry entry = {
        .id = span_number(at[5]), .first = span_number(at[7]), .last = span_number(at[9])};
    if (entry.id <= redis_stream_last_id()) {
        answer(client, "-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n");
        return;
    }
    redis_truth_entry(redis_mark(), &entry, (const uint8_t *)at[11].at, at[11].bytes);
    redis_stream_add(&entry, at[11]);
    uint64_t most = span_number(at[4]);
    REQUIRE(most == redis.entries_max);
    if (redis_stream_count() > most) /* about so many */
        redis_stream_trim((uint32_t)random_below(redis_stream_count() - most + 1));
    answer(client, "$%zu\r\n%.*s\r\n", at[5].bytes, (int)at[5].bytes, at[5].at);
}

/* XTRIM key MINID ~ id */
static void does_xtrim(struct client *client, const struct words *words)
{
    uint32_t old = 0;
    REQUIRE(words->count == 5 && span_is(words->at[2], "MINID") && span_is(words->at[3], "~"));
    while (old < redis_stream_count() && redis_stream_at(old)->id < span_number(words->at[4]))
        old++;
    old = (uint32_t)random_below(old + 1);
    redis_stream_trim(old);
    answer(client, ":%u\r\n", old);
}

static const struct command {
    const char *name;
    void (*does)(struct client *client, const struct words *words);
    bool is_queued; /* between MULTI and EXEC */
} commands[] = {
    {"EVAL", does_eval, false},  {"WATCH", does_watch, false},    {"MULTI", does_multi, false},
    {"HSET", does_hset, true},   {"PUBLISH", does_publish, true}, {"XADD", does_xadd, true},
    {"XTRIM", does_xtrim, true},
};

static const struct command *command_of(struct span name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (span_is(name, commands[i].name))
            return &commands[i];
    violation("Redis does not know the command %.*s: tell redis_server.c what it does", (int)name.bytes, name.at);
}

/* ---- transactions -------------------------------------------------------------------------------------------------
 */

static void run_queue(struct client *client)
{
    static struct words words;
    size_t at = 0;
    answer(client, "*%u\r\n", client->queue_count);
    while (at < client->queue_bytes) {
        at += parse(client->queue + at, client->queue_bytes - at, &words);
        command_of(words.at[0])->does(client, &words);
    }
    redis_data_seal();
    redis_truth_moved(live_mark());
    TRACE("Redis has events up to %" PRIu64, redis_mark());
}

static void exec(struct client *client)
{
    bool is_touched = client->is_watching && client->watched != redis.mark_touched && !store_bugs.watch_is_none;
    if (client->aborted)
        answer(client, "-EXECABORT Transaction discarded because of previous errors.\r\n");
    else if (is_touched)
        answer(client, "*-1\r\n");
    else
        run_queue(client);
    client_clear(client);
}

static void queue(struct client *client, const char *request, size_t bytes)
{
    if (client->queue_bytes + bytes > client->queue_room) {
        client->queue_room = 2 * (client->queue_bytes + bytes);
        client->queue = process_outer_realloc(client->queue, client->queue_room);
    }
    memcpy(client->queue + client->queue_bytes, request, bytes);
    client->queue_bytes += bytes;
    client->queue_count++;
    answer(client, "+QUEUED\r\n");
}

/*
 * Errors that it may have at any time: those that pass, and one that somebody must look at. The cause lasts up to the
 * end of the transaction; the commands that begin and end one are taken even then, and what is refused in one makes it
 * void.
 */
static bool is_refused(struct client *client, struct span name)
{
    static const char *const errors[] = {"LOADING Redis is loading the dataset in memory", "BUSY Redis is busy",
                                         "READONLY You can't write against a read only replica.",
                                         "OOM command not allowed when used memory > 'maxmemory'."};
    if (span_is(name, "WATCH") || span_is(name, "MULTI") || span_is(name, "EXEC"))
        return false;
    if (!client->refuses_with) {
        if (!stores_chance(stores_manners()->refuse))
            return false;
        store_fault_count++;
        client->refuses_with = errors[random_below(sizeof(errors) / sizeof(errors[0]))];
    }
    TRACE("Redis: %s", client->refuses_with);
    client->aborted = client->in_multi;
    answer(client, "-%s\r\n", client->refuses_with);
    return true;
}

/* One command. false: there is none. */
static bool work(struct client *client)
{
    static struct words words;
    struct store_stream *stream = &client->link->to_server;
    const char *at = (const char *)stream->bytes + stream->head;
    size_t bytes = parse(at, stream->arrived - stream->head, &words);
    if (bytes == 0)
        return false;
    stream->head += bytes;
    if (is_refused(client, words.at[0]))
        return true;
    if (span_is(words.at[0], "EXEC")) {
        exec(client);
        return true;
    }
    const struct command *command = command_of(words.at[0]);
    REQUIRE(command->is_queued == client->in_multi);
    if (client->in_multi) {
        queue(client, at, bytes);
    } else {
        command->does(client, &words);
        redis_data_seal();
    }
    return true;
}

static void end_client(struct client *client)
{
    store_link_drop(client->link);
    client_clear(client);
}

static struct client *client_of(uint32_t index)
{
    struct store_link *link = store_link_at(index);
    if (!link->used || !link->server_open || link->side != SIDE_REDIS)
        return NULL;
    clients[index].link = link;
    return &clients[index];
}

void redis_move(bool whole)
{
    store_links_move(SIDE_REDIS, whole);
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++) {
        struct client *client = client_of(i);
        if (!client)
            continue;
        uint64_t steps = whole ? UINT64_MAX : random_below(STEPS_MAX + 1);
        bool busy = true;
        while (busy && steps-- > 0)
            busy = work(client);
        if (!busy && store_link_over(client->link))
            end_client(client);
    }
}

/* ---- what goes wrong ----------------------------------------------------------------------------------------------
 */

/* What it had heard it may still do, before it notices that nobody listens. */
static void break_off(struct client *client)
{
    for (uint64_t steps = random_below(2) == 0 ? 0 : random_below(256); steps > 0 && work(client); steps--)
        continue;
    end_client(client);
}

void redis_drop_one(void)
{
    struct client *client = client_of((uint32_t)random_below(STORE_LINKS_MAX));
    if (!client)
        return;
    store_fault_count++;
    TRACE("a connection to Redis breaks");
    break_off(client);
}

void redis_stop(bool crashes)
{
    store_fault_count++;
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++) {
        struct client *client = client_of(i);
        if (client && crashes)
            end_client(client);
        else if (client)
            break_off(client);
    }
    if (crashes) {
        (void)redis_data_crash(random_below(3) == 0);
        redis_truth_forget();
        touch_mark();
    }
    TRACE("Redis %s, has events up to %" PRIu64, crashes ? "crashes" : "is stopped", redis_mark());
}

void redis_lose(void)
{
    store_fault_count++;
    bool all = random_below(2) == 0;
    TRACE("Redis loses %s", all ? "everything" : "its mark");
    if (all) {
        redis_data_empty();
        redis_truth_forget();
    } else {
        redis_key_remove(span_of(MARK_KEY));
    }
    touch_mark();
    redis_data_seal();
}

void redis_steal(void)
{
    const char *epoch = redis_hash_get(MARK_KEY, "epoch");
    store_fault_count++;
    TRACE("another persister takes the mark of Redis");
    set_mark("epoch", (epoch ? strtoull(epoch, NULL, 10) : 0) + 1);
    redis_data_seal();
}
