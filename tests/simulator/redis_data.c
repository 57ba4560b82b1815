#include "redis_data.h"

#include "base/require.h"
#include "process.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 256

enum write_kind { WRITE_SET, WRITE_REMOVE, WRITE_ADD, WRITE_TRIM, WRITE_EMPTY, WRITE_SEAL };

struct write {
    enum write_kind kind;
    uint32_t count; /* of WRITE_TRIM */
    struct redis_field field;
    struct redis_stream_entry entry;
};

static struct {
    struct redis_field fields[FIELDS_MAX];
    uint32_t field_count;
    struct redis_stream_entry *entries;
    uint32_t entry_first, entry_count, entry_room;
    bool has_stream;
    uint64_t last_id;
    uint8_t *payloads; /* of all entries that ever were */
    size_t payload_bytes, payload_room;
    struct write *writes;
    uint32_t write_count, write_room;
} data;

static void *grown(void *array, size_t count, uint32_t *room, size_t bytes)
{
    if (count < *room)
        return array;
    *room = *room ? 2 * *room : 64;
    return process_outer_realloc(array, *room * bytes);
}

bool span_is(struct span span, const char *text)
{
    return strlen(text) == span.bytes && memcmp(span.at, text, span.bytes) == 0;
}

uint64_t span_number(struct span span)
{
    char text[24];
    snprintf(text, sizeof(text), "%.*s", (int)span.bytes, span.at);
    return strtoull(text, NULL, 10);
}

static void forget(void)
{
    data.field_count = data.entry_first = data.entry_count = 0;
    data.has_stream = false;
    data.last_id = 0;
}

void redis_data_begin(void)
{
    forget();
    data.write_count = 0;
    data.payload_bytes = 0;
}

void redis_data_end(void)
{
    free(data.entries);
    free(data.payloads);
    free(data.writes);
    memset(&data, 0, sizeof(data));
}

/* ---- looking ------------------------------------------------------------------------------------------------------
 */

static struct redis_field *field_of(const char *key, const char *name)
{
    for (uint32_t i = 0; i < data.field_count; i++)
        if (strcmp(data.fields[i].key, key) == 0 && strcmp(data.fields[i].name, name) == 0)
            return &data.fields[i];
    return NULL;
}

const char *redis_hash_get(const char *key, const char *name)
{
    const struct redis_field *field = field_of(key, name);
    return field ? field->value : NULL;
}

const struct redis_field *redis_hash_at(const char *key, uint32_t index)
{
    for (uint32_t i = 0; i < data.field_count; i++)
        if (strcmp(data.fields[i].key, key) == 0 && index-- == 0)
            return &data.fields[i];
    return NULL;
}

uint32_t redis_hash_count(const char *key)
{
    uint32_t count = 0;
    while (redis_hash_at(key, count))
        count++;
    return count;
}

uint32_t redis_stream_count(void)
{
    return data.entry_count - data.entry_first;
}

const struct redis_stream_entry *redis_stream_at(uint32_t index)
{
    REQUIRE(index < redis_stream_count());
    return &data.entries[data.entry_first + index];
}

const uint8_t *redis_stream_payload(const struct redis_stream_entry *entry)
{
    return data.payloads + entry->payload;
}

uint64_t redis_stream_last_id(void)
{
    return data.has_stream ? data.last_id : 0;
}

/* ---- writing ------------------------------------------------------------------------------------------------------
 */

static void set(const struct redis_field *wanted)
{
    struct redis_field *field = field_of(wanted->key, wanted->name);
    if (!field) {
        REQUIRE(data.field_count < FIELDS_MAX);
        field = &data.fields[data.field_count++];
    }
    *field = *wanted;
}

static void remove_key(const char *key)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < data.field_count; i++)
        if (strcmp(data.fields[i].key, key) != 0)
            data.fields[kept++] = data.fields[i];
    data.field_count = kept;
}

static void add(const struct redis_stream_entry *entry)
{
    data.entries = grown(data.entries, data.entry_count, &data.entry_room, sizeof(*data.entries));
    data.entries[data.entry_count++] = *entry;
    data.has_stream = true;
    data.last_id = entry->id;
}

static void apply(const struct write *write)
{
    switch (write->kind) {
    case WRITE_SET:
        set(&write->field);
        break;
    case WRITE_REMOVE:
        remove_key(write->field.key);
        break;
    case WRITE_ADD:
        add(&write->entry);
        break;
    case WRITE_TRIM:
        data.entry_first += write->count;
        break;
    case WRITE_EMPTY:
        forget();
        break;
    case WRITE_SEAL:
    default:
        break;
    }
}

static void note(const struct write *write)
{
    data.writes = grown(data.writes, data.write_count, &data.write_room, sizeof(*data.writes));
    data.writes[data.write_count++] = *write;
    apply(write);
}

static void span_copy(char *to, size_t room, struct span from)
{
    REQUIRE(from.bytes < room);
    memcpy(to, from.at, from.bytes);
    to[from.bytes] = '\0';
}

void redis_hash_set(struct span key, struct span name, struct span value)
{
    struct write write = {.kind = WRITE_SET};
    span_copy(write.field.key, sizeof(write.field.key), key);
    span_copy(write.field.name, sizeof(write.field.name), name);
    span_copy(write.field.value, sizeof(write.field.value), value);
    note(&write);
}

void redis_key_remove(struct span key)
{
    struct write write = {.kind = WRITE_REMOVE};
    span_copy(write.field.key, sizeof(write.field.key), key);
    note(&write);
}

void redis_stream_add(const struct redis_stream_entry *entry, struct span payload)
{
    struct write write = {.kind = WRITE_ADD, .entry = *entry};
    if (data.payload_bytes + payload.bytes > data.payload_room) {
        data.payload_room = 2 * (data.payload_bytes + payload.bytes);
        data.payloads = process_outer_realloc(data.payloads, data.payload_room);
    }
    memcpy(data.payloads + data.payload_bytes, payload.at, payload.bytes);
    write.entry.payload = data.payload_bytes;
    write.entry.payload_bytes = payload.bytes;
    data.payload_bytes += payload.bytes;
    note(&write);
}

void redis_stream_trim(uint32_t count)
{
    REQUIRE(count <= redis_stream_count());
    const struct write write = {.kind = WRITE_TRIM, .count = count};
    if (count > 0)
        note(&write);
}

void redis_data_empty(void)
{
    const struct write write = {.kind = WRITE_EMPTY};
    note(&write);
}

void redis_data_seal(void)
{
    const struct write write = {.kind = WRITE_SEAL};
    if (data.write_count > 0 && data.writes[data.write_count - 1].kind != WRITE_SEAL)
        note(&write);
}

uint64_t redis_data_crash(bool all)
{
    uint64_t seals = 0;
    for (uint32_t i = 0; i < data.write_count; i++)
        seals += data.writes[i].kind == WRITE_SEAL;
    uint64_t lost = all ? seals : random_skewed(2);
    uint64_t kept = lost < seals ? seals - lost : 0;
    uint32_t end = 0;
    for (uint64_t seen = 0; seen < kept; end++)
        seen += data.writes[end].kind == WRITE_SEAL;
    data.write_count = end;
    forget();
    for (uint32_t i = 0; i < end; i++)
        apply(&data.writes[i]);
    return kept;
}
