/* Symbol -> number of an instrument, as INSTRUMENT_ADDED events give them. No allocation after opening. */
#ifndef RINGSIDE_GATEWAY_INSTRUMENTS_H
#define RINGSIDE_GATEWAY_INSTRUMENTS_H

#include "base/error.h"
#include "record/command.h"

#include <stdint.h>
#include <string.h>

struct instrument_place {
    uint64_t symbol; /* the 8 bytes as they are; 0: empty */
    uint32_t instrument;
    int32_t reference_ticks; /* as last told; 0: none */
};

struct instruments {
    struct instrument_place *places;
    uint32_t place_mask;
    uint32_t count;
    uint32_t count_max;
};

int instruments_open(struct instruments *instruments, uint32_t count_max, struct error *error);
void instruments_close(struct instruments *instruments);

/* Adds, renumbers, or takes another reference. ERROR_FULL: more than count_max. */
int instruments_add(struct instruments *instruments, const char symbol[SYMBOL_BYTES], uint32_t instrument,
                    int32_t reference_ticks, struct error *error);

/* 0: none is known. */
int32_t instruments_reference(const struct instruments *instruments, const char symbol[SYMBOL_BYTES]);

static inline uint32_t instruments_hash(uint64_t symbol, uint32_t mask)
{
    return (uint32_t)(symbol * 0x9e3779b97f4a7c15u >> 32) & mask;
}

/* 0 if there is none of this name. */
static inline uint32_t instruments_find(const struct instruments *instruments, const char symbol[SYMBOL_BYTES])
{
    uint64_t word;
    memcpy(&word, symbol, SYMBOL_BYTES);
    uint32_t place = instruments_hash(word, instruments->place_mask);
    while (instruments->places[place].symbol != word) {
        if (instruments->places[place].symbol == 0)
            return 0;
        place = (place + 1) & instruments->place_mask;
    }
    return instruments->places[place].instrument;
}

#endif
