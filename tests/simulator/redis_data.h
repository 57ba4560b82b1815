/*
 * What the simulated Redis holds, and the writes that made it so, for a crash to take the last of them back.
 */
#ifndef RINGSIDE_SIMULATOR_REDIS_DATA_H
#define RINGSIDE_SIMULATOR_REDIS_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text that somebody else keeps. */
struct span {
    const char *at;
    size_t bytes;
};
bool span_is(struct span span, const char *text);
uint64_t span_number(struct span span);

/* A field of a hash. */
struct redis_field {
    char key[48], name[24], value[64];
};

struct redis_stream_entry {
    uint64_t id; /* the first half; the second is 0 */
    uint64_t first, last;
    uint64_t payload; /* where in the payloads */
    size_t payload_bytes;
};

void redis_data_begin(void);
void redis_data_end(void);

/* NULL: there is none. */
const char *redis_hash_get(const char *key, const char *name);
uint32_t redis_hash_count(const char *key);
const struct redis_field *redis_hash_at(const char *key, uint32_t index);

uint32_t redis_stream_count(void);
const struct redis_stream_entry *redis_stream_at(uint32_t index);
const uint8_t *redis_stream_payload(const struct redis_stream_entry *entry);
uint64_t redis_stream_last_id(void);

/* ---- writes, each of which is noted ---- */

void redis_hash_set(struct span key, struct span name, struct span value);
void redis_key_remove(struct span key);
void redis_stream_add(const struct redis_stream_entry *entry, struct span payload);
/* The oldest entries go, as many. */
void redis_stream_trim(uint32_t count);
void redis_data_empty(void);

/* Between commands or transactions: what is written up to here is kept or lost as a whole. */
void redis_data_seal(void);
/* Loses what was written last, from a seal of chance on, or everything. Returns how many seals are left. */
uint64_t redis_data_crash(bool all);

#endif
