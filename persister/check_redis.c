/*
 * Redis up to its mark: the stream byte by byte, best prices and last trades, names of instruments and sessions
 * (check.h). The names are read in one transaction with the mark, so that they are all of its time.
 */
#include "check.h"

#include "base/bytes.h"
#include "encode_live.h"
#include "encode_payload.h"
#include "redis_address.h"
#include "redis_entry.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_AT_ONCE "64"
#define PAYLOAD_EVENTS  65537

struct redis_check {
    redisContext *context;
    const struct config *config;
    struct check_log log;
    struct check_events *events;
    uint64_t mark_seq;
    uint64_t live_seq; /* up to which the hashes show what happened: not beyond the mark */
    uint64_t next;     /* the event that the next entry must begin with; 0: any */
    uint64_t read_at;  /* the event that `events` gives next */
    struct check_result *stream, *live, *names;
    redisReply *shown; /* the answers to asked_at_once */
    uint8_t *payload;
    struct symbol_table symbols;              /* up to the mark, for the stream */
    struct symbol_table symbols_shown;        /* up to live_seq, as all that follows */
    struct event tops[INSTRUMENTS_COUNT_MAX]; /* the last of each */
    struct event lasts[INSTRUMENTS_COUNT_MAX];
    char users[CHECK_SESSIONS_MAX][USER_BYTES]; /* by session; zeros where there is none */
};

/* What is read in one transaction, and what its answers are. */
enum shown { SHOWN_MARK, SHOWN_LIVE, SHOWN_INSTRUMENTS, SHOWN_SESSIONS, SHOWN_COUNT };
static const struct {
    const char *command, *name, *field;
} asked_at_once[SHOWN_COUNT] = {[SHOWN_MARK] = {"HGET", "mark", "event_seq"},
                                [SHOWN_LIVE] = {"HGET", "live", "event_seq"},
                                [SHOWN_INSTRUMENTS] = {"HGETALL", "instruments", NULL},
                                [SHOWN_SESSIONS] = {"HGETALL", "sessions", NULL}};

static redisReply *ask(struct redis_check *check, int argc, const char **argv, struct error *error)
{
    redisReply *reply = redisCommandArgv(check->context, argc, argv, NULL);
    if (reply && reply->type != REDIS_REPLY_ERROR)
        return reply;
    error_set(error, ERROR_CLOSED, "Redis", "%s: %s", argv[0], reply ? reply->str : check->context->errstr);
    if (reply)
        freeReplyObject(reply);
    return NULL;
}

static int open_redis(struct redis_check *check, struct error *error)
{
    struct redis_address address;
    int code = redis_address_parse(&address, check->config->redis_address, error);
    if (code < 0)
        return code;
    check->context = address.port == 0 ? redisConnectUnix(address.host) : redisConnect(address.host, address.port);
    if (check->context && !check->context->err)
        return 0;
    return error_set(error, ERROR_CLOSED, "Redis", "%s", check->context ? check->context->errstr : "no memory");
}

static int begin_asking(struct redis_check *check, struct error *error)
{
    const char *argv[] = {"MULTI"};
    redisReply *reply = ask(check, 1, argv, error);
    int code = reply ? 0 : ERROR_CLOSED;
    freeReplyObject(reply);
    for (int i = 0; i < SHOWN_COUNT && code == 0; i++) {
        char key[REDIS_KEY_BYTES];
        redis_key(key, check->config->redis_prefix, asked_at_once[i].name, "");
        const char *words[] = {asked_at_once[i].command, key, asked_at_once[i].field};
        reply = ask(check, asked_at_once[i].field ? 3 : 2, words, error);
        code = reply ? 0 : ERROR_CLOSED;
        freeReplyObject(reply);
    }
    return code;
}

static int read_shown(struct redis_check *check, struct error *error)
{
    const char *argv[] = {"EXEC"};
    int code = begin_asking(check, error);
    check->shown = code < 0 ? NULL : ask(check, 1, argv, error);
    if (!check->shown)
        return ERROR_CLOSED;
    if (check->shown->elements != SHOWN_COUNT || check->shown->element[SHOWN_MARK]->type == REDIS_REPLY_ERROR)
        return error_set(error, ERROR_CLOSED, "Redis", "the mark cannot be read");
    const char *mark = check->shown->element[SHOWN_MARK]->str;
    const char *live = check->shown->element[SHOWN_LIVE]->str;
    check->mark_seq = mark ? strtoull(mark, NULL, 10) : 0;
    check->live_seq = live ? strtoull(live, NULL, 10) : check->mark_seq;
    return 0;
}

/* ---- the stream -------------------------------------------------------------------------------------------------- */

static void note_shown(struct redis_check *check, const struct event *event)
{
    symbol_note(&check->symbols_shown, event);
    if (event->kind == EVENT_LOGIN_ACCEPTED && event->session < CHECK_SESSIONS_MAX)
        memcpy(check->users[event->session], event->login.user, USER_BYTES);
    if (event->kind == EVENT_BOOK_TOP && event->instrument < INSTRUMENTS_COUNT_MAX)
        check->tops[event->instrument] = *event;
    else if (event->kind == EVENT_EXECUTED && event->instrument < INSTRUMENTS_COUNT_MAX)
        check->lasts[event->instrument] = *event;
}

/* Reads on to the event, keeping what the hashes must show. NULL: there is none. */
static const struct event *event_at(struct redis_check *check, uint64_t seq, int *ret_code, struct error *error)
{
    const struct event *event = NULL;
    while (check->read_at <= seq && (event = check_events_next(check->events, ret_code, error))) {
        check->read_at = event->event_seq + 1;
        symbol_note(&check->symbols, event);
        if (event->event_seq <= check->live_seq)
            note_shown(check, event);
    }
    return event;
}

static const redisReply *value_of(const redisReply *fields, const char *name)
{
    for (size_t i = 0; i + 1 < fields->elements; i += 2)
        if (strcmp(fields->element[i]->str, name) == 0)
            return fields->element[i + 1];
    return NULL;
}

static int compare_payload(struct redis_check *check, uint64_t first, uint64_t last, const redisReply *payload,
                           struct error *error)
{
    int code = 0;
    uint8_t *at = check->payload + payload_head(check->payload, first, (uint32_t)(last - first + 1));
    for (uint64_t seq = first; seq <= last; seq++) {
        const struct event *event = event_at(check, seq, &code, error);
        if (!event)
            return code;
        uint8_t *end = payload_event(at, event, &check->symbols);
        size_t begin = (size_t)(at - check->payload);
        size_t bytes = (size_t)(end - at);
        if (payload->len < begin + bytes || memcmp(payload->str, check->payload, PAYLOAD_HEAD_BYTES / 4) != 0 ||
            memcmp(payload->str + begin, at, bytes) != 0) {
            check_differs(check->stream, "event %" PRIu64 ": its entry (%" PRIu64 "-0) does not hold what it says", seq,
                          last);
            return 0;
        }
        at = end;
        check->stream->row_count++;
    }
    if (payload->len != (size_t)(at - check->payload))
        check_differs(check->stream, "entry %" PRIu64 "-0: it holds more than its events", last);
    return 0;
}

static int compare_entry(struct redis_check *check, const redisReply *entry, struct error *error)
{
    const redisReply *fields = entry->element[1];
    const redisReply *first_text = value_of(fields, "first");
    const redisReply *payload = value_of(fields, "p");
    uint64_t last = strtoull(entry->element[0]->str, NULL, 10);
    uint64_t first = first_text ? strtoull(first_text->str, NULL, 10) : 0;
    if (!payload || first == 0 || first > last || last - first >= PAYLOAD_EVENTS) {
        check_differs(check->stream, "entry %s: it is none of Ringside's", entry->element[0]->str);
        return 0;
    }
    if (check->next != 0 && first > check->next && first > check->log.whole_from)
        check_differs(check->stream, "event %" PRIu64 ": its entry is missing", check->next);
    else if (check->next != 0 && first < check->next)
        check_differs(check->stream, "event %" PRIu64 ": it is there twice", first);
    if (check->stream->differs)
        return 0;
    check->next = last + 1;
    if (first < check->log.whole_from) /* what it must hold is gone */
        return 0;
    return compare_payload(check, first, last, payload, error);
}

static uint64_t first_of(const redisReply *entry)
{
    const redisReply *first = value_of(entry->element[1], "first");
    return first ? strtoull(first->str, NULL, 10) : 0;
}

/* 1: the stream has been trimmed beyond the event that is due, by a persister at work; then `next` is what it begins
 * with now. 0: it has not. */
static int skip_trimmed(struct redis_check *check, const char *key, struct error *error)
{
    const char *argv[] = {"XRANGE", key, "-", "+", "COUNT", "1"};
    redisReply *reply = ask(check, 6, argv, error);
    if (!reply)
        return ERROR_CLOSED;
    uint64_t begins = reply->elements > 0 ? first_of(reply->element[0]) : 0;
    freeReplyObject(reply);
    if (begins <= check->next)
        return 0;
    check->next = begins;
    return 1;
}

/* The entries that one request gave; *ret_more: there may be others. */
static int compare_some(struct redis_check *check, const char *key, const redisReply *reply, bool *ret_more,
                        struct error *error)
{
    int code = 0;
    bool parts = check->next != 0 && (reply->elements == 0 || first_of(reply->element[0]) > check->next);
    if (parts && (code = skip_trimmed(check, key, error)) != 0) {
        *ret_more = true;
        return code < 0 ? code : 0;
    }
    *ret_more = reply->elements > 0;
    for (size_t i = 0; i < reply->elements && code >= 0 && !check->stream->differs; i++)
        code = compare_entry(check, reply->element[i], error);
    return code;
}

static int compare_entries(struct redis_check *check, struct error *error)
{
    char key[REDIS_KEY_BYTES], from[32] = "-", to[32];
    redis_key(key, check->config->redis_prefix, "events", "");
    snprintf(to, sizeof(to), "%" PRIu64 "-0", check->mark_seq);
    const char *argv[] = {"XRANGE", key, from, to, "COUNT", ENTRIES_AT_ONCE};
    bool more;
    do {
        redisReply *reply = ask(check, 6, argv, error);
        if (!reply)
            return ERROR_CLOSED;
        int code = compare_some(check, key, reply, &more, error);
        freeReplyObject(reply);
        if (code < 0)
            return code;
        snprintf(from, sizeof(from), "%" PRIu64 "-0", check->next);
    } while (more && !check->stream->differs && check->next <= check->mark_seq);
    if (!check->stream->differs && check->mark_seq > 0 && check->next <= check->mark_seq)
        check_differs(check->stream, "event %" PRIu64 ": its entry is missing", check->next ? check->next : 1);
    return 0;
}

/* ---- the hashes -------------------------------------------------------------------------------------------------- */

static int compare_hash(struct redis_check *check, const struct event *event, struct error *error)
{
    static const char *const names[] = {[LIVE_TOP] = "top:", [LIVE_LAST] = "last:"};
    char key[REDIS_KEY_BYTES];
    struct live_fields fields;
    live_event_fields(event, &check->symbols, &fields);
    redis_key(key, check->config->redis_prefix, names[fields.kind], fields.symbol);
    const char *argv[] = {"HGETALL", key};
    redisReply *reply = ask(check, 2, argv, error);
    if (!reply)
        return ERROR_CLOSED;
    const redisReply *seq = value_of(reply, "event_seq");
    bool is_newer = seq && strtoull(seq->str, NULL, 10) > check->live_seq;
    for (uint32_t i = 0; i < fields.count && !is_newer; i++) {
        const redisReply *value = value_of(reply, fields.names[i]);
        if (!value || strcmp(value->str, fields.values[i]) != 0)
            check_differs(check->live, "%s %s is \"%s\", event %" PRIu64 " says \"%s\"", key, fields.names[i],
                          value ? value->str : "not there", event->event_seq, fields.values[i]);
    }
    check->live->row_count++;
    freeReplyObject(reply);
    return 0;
}

static int compare_hashes(struct redis_check *check, struct error *error)
{
    int code = 0;
    for (uint32_t i = 0; i < INSTRUMENTS_COUNT_MAX && code >= 0 && !check->live->differs; i++) {
        if (check->tops[i].event_seq != 0)
            code = compare_hash(check, &check->tops[i], error);
        if (check->lasts[i].event_seq != 0 && code >= 0)
            code = compare_hash(check, &check->lasts[i], error);
    }
    return code;
}

/* ---- names by number --------------------------------------------------------------------------------------------- */

/* What the events say of a hash of names: each at its number, padded; zeros where there is none. */
struct names_told {
    char *names;
    uint32_t count;
    uint32_t name_bytes;
};

static char *name_at(const struct names_told *told, uint64_t number)
{
    return told->names + number * told->name_bytes;
}

/* The name that a field of the hash must have; NULL: there is none of this number. */
static char *name_of_field(const struct names_told *told, const char *field)
{
    char digits[24];
    uint64_t number = strtoull(field, NULL, 10);
    snprintf(digits, sizeof(digits), "%" PRIu64, number);
    bool is_told = number < told->count && *name_at(told, number) != '\0' && strcmp(digits, field) == 0;
    return is_told ? name_at(told, number) : NULL;
}

static void compare_name(struct redis_check *check, const char *key, const struct names_told *told, const char *field,
                         const char *value)
{
    char expected[LIVE_TEXT_BYTES];
    char *name = name_of_field(told, field);
    if (!name) {
        check_differs(check->names, "%s %s is \"%s\", the events have none of this number", key, field, value);
        return;
    }
    text_trim(expected, name, told->name_bytes);
    if (strcmp(expected, value) != 0)
        check_differs(check->names, "%s %s is \"%s\", the events say \"%s\"", key, field, value, expected);
    *name = '\0'; /* it is there */
    check->names->row_count++;
}

static void compare_names(struct redis_check *check, enum shown which, const struct names_told *told)
{
    const redisReply *pairs = check->shown->element[which];
    char key[REDIS_KEY_BYTES];
    redis_key(key, check->config->redis_prefix, asked_at_once[which].name, "");
    if (pairs->type != REDIS_REPLY_ARRAY)
        check_differs(check->names, "%s is no hash", key);
    for (size_t i = 0; i + 1 < pairs->elements && !check->names->differs; i += 2)
        compare_name(check, key, told, pairs->element[i]->str, pairs->element[i + 1]->str);
    for (uint32_t number = 0; number < told->count && !check->names->differs; number++)
        if (*name_at(told, number) != '\0')
            check_differs(check->names, "%s %" PRIu32 " is not there, the events say \"%.*s\"", key, number,
                          (int)told->name_bytes, name_at(told, number));
}

static void compare_all_names(struct redis_check *check)
{
    const struct names_told instruments = {check->symbols_shown.symbols[0], INSTRUMENTS_COUNT_MAX, SYMBOL_BYTES};
    const struct names_told users = {check->users[0], CHECK_SESSIONS_MAX, USER_BYTES};
    compare_names(check, SHOWN_INSTRUMENTS, &instruments);
    compare_names(check, SHOWN_SESSIONS, &users);
}

static int compare_all(struct redis_check *check, struct error *error)
{
    int code = open_redis(check, error);
    if (code >= 0)
        code = read_shown(check, error);
    if (code >= 0)
        code = check_log_find(&check->log, check->config, error);
    if (code >= 0)
        code = check_events_open(&check->events, &check->log, 1, check->mark_seq, error);
    check->read_at = 1;
    if (code >= 0)
        code = compare_entries(check, error);
    if (code >= 0)
        (void)event_at(check, check->mark_seq, &code, error); /* what the stream did not ask for */
    if (code >= 0)
        code = compare_hashes(check, error);
    if (code >= 0)
        compare_all_names(check); /* last: what is found is taken out of the symbols */
    return code;
}

int check_redis_all(const struct config *config, struct check_result *results, uint32_t max, struct error *error)
{
    struct redis_check *check = calloc(1, sizeof(*check));
    uint8_t *payload = malloc(PAYLOAD_HEAD_BYTES + (size_t)PAYLOAD_EVENTS * PAYLOAD_EVENT_BYTES_MAX);
    if (max < 3 || !check || !payload) {
        free(check);
        free(payload);
        return error_set(error, ERROR_SYSTEM, "Redis", "no memory");
    }
    results[0] = (struct check_result){.what = "Redis stream"};
    results[1] = (struct check_result){.what = "Redis best prices and last trades"};
    results[2] = (struct check_result){.what = "Redis instruments and sessions"};
    check->config = config;
    check->payload = payload;
    check->stream = &results[0];
    check->live = &results[1];
    check->names = &results[2];
    int code = compare_all(check, error);
    check_events_close(check->events);
    freeReplyObject(check->shown);
    if (check->context)
        redisFree(check->context);
    free(check);
    free(payload);
    return code < 0 ? code : 3;
}
