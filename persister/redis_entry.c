#include "redis_entry.h"

#include <stdlib.h>

#define HEAD_BYTES_MAX 4096 /* all but the hashes; guard.lua among it */
#define CHANGE_BYTES_MAX                                                                                               \
    (2 * (REDIS_KEY_BYTES + REQUEST_FRAME_BYTES) +   /* its key, twice */                                              \
     LIVE_JSON_BYTES + 2 * 3 * REQUEST_FRAME_BYTES + /* two commands, the fields as JSON */                            \
     LIVE_PAIRS_MAX * (LIVE_NAME_BYTES + LIVE_TEXT_BYTES + 2 * REQUEST_FRAME_BYTES))

int redis_entry_init(struct redis_entry *entry, uint32_t event_count_max, uint32_t change_count_max,
                     struct error *error)
{
    *entry = (struct redis_entry){0};
    entry->text.capacity = HEAD_BYTES_MAX + (size_t)change_count_max * CHANGE_BYTES_MAX;
    entry->text.bytes = malloc(entry->text.capacity);
    entry->payload = malloc((size_t)event_count_max * PAYLOAD_EVENT_BYTES_MAX);
    if (!entry->text.bytes || !entry->payload)
        return error_set(error, ERROR_SYSTEM, "redis.batch_events", "no memory for entries of %u events",
                         event_count_max);
    return 0;
}

void redis_entry_finish(struct redis_entry *entry)
{
    free(entry->payload);
    free(entry->text.bytes);
    *entry = (struct redis_entry){0};
}

void redis_entry_clear(struct redis_entry *entry)
{
    entry->payload_bytes = entry->head_bytes = entry->written_bytes = entry->text.used = 0;
    entry->count = 0;
}

void redis_entry_add(struct redis_entry *entry, const struct event *event, const struct symbol_table *symbols)
{
    uint8_t *at = entry->payload + entry->payload_bytes;
    if (entry->count++ == 0)
        entry->first_seq = event->event_seq;
    entry->last_seq = event->event_seq;
    entry->last_time_ns = event->time_ns;
    entry->payload_bytes += (size_t)(payload_event(at, event, symbols) - at);
}

void redis_key(char key[REDIS_KEY_BYTES], const char *prefix, const char *name, const char *symbol)
{
    snprintf(key, REDIS_KEY_BYTES, "%s:%s%s", prefix, name, symbol);
}

static void put_key(struct redis_request *request, const char *prefix, const char *name, const char *symbol)
{
    char key[REDIS_KEY_BYTES];
    redis_key(key, prefix, name, symbol);
    request_word(request, key);
}

static const char *const hash_names[LIVE_KIND_COUNT] = {
    [LIVE_TOP] = "top:", [LIVE_LAST] = "last:", [LIVE_INSTRUMENTS] = "instruments", [LIVE_SESSIONS] = "sessions"};

/* A command and how many words follow it. */
static void put_command(struct redis_entry *entry, const char *command, uint32_t words)
{
    request_array(&entry->text, 1 + (uint64_t)words);
    request_word(&entry->text, command);
    entry->command_count++;
}

static void put_hashes(struct redis_entry *entry, const char *prefix, const struct live *live,
                       const struct symbol_table *symbols)
{
    struct live_fields fields;
    char json[LIVE_JSON_BYTES];
    for (uint32_t i = 0; i < live_count(live); i++) {
        live_fields(live, i, symbols, &fields);
        live_json(&fields, json);
        put_command(entry, "HSET", 1 + 2 * fields.count);
        put_key(&entry->text, prefix, hash_names[fields.kind], fields.symbol);
        for (uint32_t pair = 0; pair < fields.count; pair++) {
            request_word(&entry->text, fields.names[pair]);
            request_word(&entry->text, fields.values[pair]);
        }
        put_command(entry, "PUBLISH", 2);
        put_key(&entry->text, prefix, hash_names[fields.kind], fields.symbol);
        request_word(&entry->text, json);
    }
}

static void put_id(struct redis_request *request, uint64_t event_seq)
{
    char id[32] = "";
    int length = snprintf(id, sizeof(id), "%" PRIu64 "-0", event_seq);
    request_text(request, id, (size_t)length);
}

/* What must hold, and everything up to the payload. */
static void put_head(struct redis_entry *entry, const struct redis_entry_mark *mark)
{
    struct redis_request *text = &entry->text;
    put_command(entry, "WATCH", 1);
    put_key(text, mark->prefix, "mark", "");
    put_command(entry, "EVAL", 5);
    request_word(text, mark->guard);
    request_number(text, 1);
    put_key(text, mark->prefix, "mark", "");
    request_number(text, mark->epoch);
    request_number(text, mark->expected_seq);
    put_command(entry, "MULTI", 0);
    put_command(entry, "XADD", 11);
    put_key(text, mark->prefix, "events", "");
    request_word(text, "MAXLEN");
    request_word(text, "~");
    request_number(text, mark->entries_max);
    put_id(text, entry->last_seq);
    request_word(text, "first");
    request_number(text, entry->first_seq);
    request_word(text, "last");
    request_number(text, entry->last_seq);
    request_word(text, "p");
}

/* Where the entry ends: two fields and their values. */
static void put_place(struct redis_entry *entry)
{
    request_word(&entry->text, "event_seq");
    request_number(&entry->text, entry->last_seq);
    request_word(&entry->text, "time_ns");
    request_number(&entry->text, entry->last_time_ns);
}

static void put_tail(struct redis_entry *entry, const struct redis_entry_mark *mark, const struct live *live,
                     const struct symbol_table *symbols)
{
    struct redis_request *text = &entry->text;
    request_bytes(text, "\r\n", 2);
    if (live)
        put_hashes(entry, mark->prefix, live, symbols);
    if (mark->old_seq != 0) {
        put_command(entry, "XTRIM", 4);
        put_key(text, mark->prefix, "events", "");
        request_word(text, "MINID");
        request_word(text, "~");
        put_id(text, mark->old_seq);
    }
    put_command(entry, "HSET", 5);
    put_key(text, mark->prefix, "mark", "");
    put_place(entry);
    put_command(entry, "HSET", live ? 7 : 3);
    put_key(text, mark->prefix, "live", "");
    request_word(text, "stored_seq");
    request_number(text, entry->last_seq);
    if (live)
        put_place(entry);
    put_command(entry, "EXEC", 0);
}

void redis_entry_seal(struct redis_entry *entry, const struct redis_entry_mark *mark, const struct live *live,
                      const struct symbol_table *symbols)
{
    uint8_t head[PAYLOAD_HEAD_BYTES];
    size_t head_bytes = payload_head(head, entry->first_seq, entry->count);
    entry->text.used = 0;
    entry->command_count = 0;
    entry->brings_live = live != NULL;
    put_head(entry, mark);
    request_line(&entry->text, '$', head_bytes + entry->payload_bytes);
    request_bytes(&entry->text, head, head_bytes);
    entry->head_bytes = entry->text.used;
    put_tail(entry, mark, live, symbols);
    entry->written_bytes = 0;
}

int redis_entry_pieces(const struct redis_entry *entry, struct iovec pieces[REDIS_ENTRY_PIECES])
{
    const struct iovec all[REDIS_ENTRY_PIECES] = {
        {.iov_base = entry->text.bytes, .iov_len = entry->head_bytes},
        {.iov_base = entry->payload, .iov_len = entry->payload_bytes},
        {.iov_base = entry->text.bytes + entry->head_bytes, .iov_len = entry->text.used - entry->head_bytes},
    };
    size_t skip = entry->written_bytes;
    int count = 0;
    for (int i = 0; i < REDIS_ENTRY_PIECES; i++) {
        if (skip >= all[i].iov_len) {
            skip -= all[i].iov_len;
            continue;
        }
        pieces[count].iov_base = (char *)all[i].iov_base + skip;
        pieces[count++].iov_len = all[i].iov_len - skip;
        skip = 0;
    }
    return count;
}
