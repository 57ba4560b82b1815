#include "redis_entry.h"

#include <stdlib.h>

#define HEAD_BYTES_MAX 2048 /* all but the keys of hashes */
#define CHANGE_BYTES_MAX                                                                                               \
    (REDIS_KEY_BYTES + REQUEST_FRAME_BYTES + /* its key */                                                             \
     2 * REQUEST_FRAME_BYTES +               /* how many strings */                                                    \
     LIVE_PAIRS_MAX * (LIVE_NAME_BYTES + LIVE_TEXT_BYTES + 2 * REQUEST_FRAME_BYTES))

int redis_entry_init(struct redis_entry *entry, uint32_t event_count_max, struct error *error)
{
    *entry = (struct redis_entry){0};
    entry->text.capacity = HEAD_BYTES_MAX + (size_t)event_count_max * CHANGE_BYTES_MAX;
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

static void put_keys(struct redis_request *request, const char *prefix, const struct live *live,
                     const struct symbol_table *symbols)
{
    struct live_fields fields;
    for (uint32_t i = 0; i < live_count(live); i++) {
        live_fields(live, i, symbols, &fields);
        put_key(request, prefix, hash_names[fields.kind], fields.symbol);
    }
}

static void put_fields(struct redis_request *request, const struct live *live, const struct symbol_table *symbols)
{
    struct live_fields fields;
    for (uint32_t i = 0; i < live_count(live); i++) {
        live_fields(live, i, symbols, &fields);
        request_number(request, 2 * (uint64_t)fields.count);
        for (uint32_t pair = 0; pair < fields.count; pair++) {
            request_word(request, fields.names[pair]);
            request_word(request, fields.values[pair]);
        }
    }
}

/* Strings that put_fields puts. */
static uint64_t count_strings(const struct live *live, const struct symbol_table *symbols)
{
    uint64_t strings = 0;
    struct live_fields fields;
    for (uint32_t i = 0; i < live_count(live); i++) {
        live_fields(live, i, symbols, &fields);
        strings += 1 + 2 * fields.count;
    }
    return strings;
}

#define FIXED_STRINGS 12 /* EVALSHA, sha, number of keys, two keys, seven arguments */

void redis_entry_seal(struct redis_entry *entry, const struct redis_entry_mark *mark, const struct live *live,
                      const struct symbol_table *symbols)
{
    struct redis_request *text = &entry->text;
    uint8_t head[PAYLOAD_HEAD_BYTES];
    size_t head_bytes = payload_head(head, entry->first_seq, entry->count);
    text->used = 0;
    request_array(text, FIXED_STRINGS + live_count(live) + count_strings(live, symbols));
    request_word(text, "EVALSHA");
    request_word(text, mark->sha);
    request_number(text, 2 + (uint64_t)live_count(live));
    put_key(text, mark->prefix, "events", "");
    put_key(text, mark->prefix, "mark", "");
    put_keys(text, mark->prefix, live, symbols);
    request_number(text, mark->epoch);
    request_number(text, mark->expected_seq);
    request_number(text, entry->first_seq);
    request_number(text, entry->last_seq);
    request_number(text, entry->last_time_ns);
    request_number(text, mark->entries_max);
    request_line(text, '$', head_bytes + entry->payload_bytes);
    request_bytes(text, head, head_bytes);
    entry->head_bytes = text->used;
    request_bytes(text, "\r\n", 2);
    put_fields(text, live, symbols);
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
