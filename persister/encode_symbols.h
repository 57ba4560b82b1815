/*
 * The symbols of the instruments, by number, for events that carry the number alone.
 *
 * A store's own instruments are read into the table when its mark is, and INSTRUMENT_ADDED adds what is new after the
 * mark. An instrument is added before anything can happen to it, so the table always knows what an event needs; and a
 * number never changes its symbol, so it does not matter if it knows more than the mark.
 *
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_SYMBOLS_H
#define RINGSIDE_PERSISTER_ENCODE_SYMBOLS_H

#include "base/bytes.h"
#include "record/event.h"

#include <stdint.h>

#ifndef INSTRUMENTS_COUNT_MAX        /* the simulator, which starts persisters by the thousand, has few */
#define INSTRUMENTS_COUNT_MAX 131073 /* the highest engine.instruments_max and the number 0, which is none */
#endif

struct symbol_table {
    char symbols[INSTRUMENTS_COUNT_MAX][SYMBOL_BYTES]; /* padded with spaces; zeros where unknown */
};

/* A number beyond the table has no symbol. */
static inline const char *symbol_of(const struct symbol_table *table, uint32_t instrument)
{
    return table->symbols[instrument < INSTRUMENTS_COUNT_MAX ? instrument : 0];
}

static inline void symbol_put(struct symbol_table *table, uint32_t instrument, const char *symbol, size_t symbol_bytes)
{
    if (instrument == 0 || instrument >= INSTRUMENTS_COUNT_MAX)
        return;
    size_t bytes = symbol_bytes < SYMBOL_BYTES ? symbol_bytes : SYMBOL_BYTES;
    memset(table->symbols[instrument], ' ', SYMBOL_BYTES);
    memcpy(table->symbols[instrument], symbol, bytes);
}

static inline void symbol_note(struct symbol_table *table, const struct event *event)
{
    if (event->kind == EVENT_INSTRUMENT_ADDED)
        symbol_put(table, event->instrument, event->admin.symbol, SYMBOL_BYTES);
}

#endif
