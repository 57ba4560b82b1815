/*
 * What a batch leaves of the live state that people poll: of each instrument the best prices and the last trade, as the
 * batch's last events say; and the names of instruments and sessions that it brings.
 *
 * Rules
 *   1. One change for each instrument and kind, the last one; names one each.
 *   2. Values are absolute, so that writing them twice does no harm.
 *   3. Memory is the caller's: live_bytes, live_init.
 *
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_LIVE_H
#define RINGSIDE_PERSISTER_ENCODE_LIVE_H

#include "encode_symbols.h"

#include <stddef.h>
#include <stdint.h>

#define LIVE_PAIRS_MAX  6
#define LIVE_NAME_BYTES 16
#define LIVE_TEXT_BYTES 32

enum live_kind {
    LIVE_TOP,         /* best prices of an instrument */
    LIVE_LAST,        /* its last trade */
    LIVE_INSTRUMENTS, /* number: symbol */
    LIVE_SESSIONS,    /* number: user */
    LIVE_KIND_COUNT,
};

/* A change as fields of a hash, all text. */
struct live_fields {
    enum live_kind kind;
    char symbol[SYMBOL_BYTES + 1]; /* whose, for LIVE_TOP and LIVE_LAST */
    uint32_t count;
    char names[LIVE_PAIRS_MAX][LIVE_NAME_BYTES];
    char values[LIVE_PAIRS_MAX][LIVE_TEXT_BYTES];
};

#define LIVE_JSON_BYTES (LIVE_PAIRS_MAX * (LIVE_NAME_BYTES + 6 * LIVE_TEXT_BYTES + 6) + 3)

struct live;

size_t live_bytes(uint32_t event_count_max);
struct live *live_init(void *memory, uint32_t event_count_max);
void live_clear(struct live *live);
void live_add(struct live *live, const struct event *event);
uint32_t live_count(const struct live *live);

/* What an event leaves, as text: BOOK_TOP, EXECUTED, INSTRUMENT_ADDED or LOGIN_ACCEPTED. */
void live_event_fields(const struct event *event, const struct symbol_table *symbols, struct live_fields *fields);

/* The fields as a JSON object of texts, which ends with a zero. */
void live_json(const struct live_fields *fields, char json[LIVE_JSON_BYTES]);

/* Change number `index` as text. */
void live_fields(const struct live *live, uint32_t index, const struct symbol_table *symbols,
                 struct live_fields *fields);

#endif
