#include "instruments.h"

#include <errno.h>
#include <stdlib.h>

int instruments_open(struct instruments *instruments, uint32_t count_max, struct error *error)
{
    memset(instruments, 0, sizeof(*instruments));
    uint32_t places = 64;
    while (places < 2 * count_max)
        places *= 2;
    instruments->places = calloc(places, sizeof(*instruments->places));
    if (!instruments->places)
        return error_system(error, ENOMEM, "instruments", "no memory for %u", count_max);
    instruments->place_mask = places - 1;
    instruments->count_max = count_max;
    return 0;
}

void instruments_close(struct instruments *instruments)
{
    if (!instruments)
        return;
    free(instruments->places);
    memset(instruments, 0, sizeof(*instruments));
}

int instruments_add(struct instruments *instruments, const char symbol[SYMBOL_BYTES], uint32_t instrument,
                    int32_t reference_ticks, struct error *error)
{
    uint64_t word;
    memcpy(&word, symbol, SYMBOL_BYTES);
    if (word == 0 || instrument == 0)
        return error_set(error, ERROR_INVALID, "instruments", "instrument %u has no name", instrument);
    uint32_t place = instruments_hash(word, instruments->place_mask);
    while (instruments->places[place].symbol != 0 && instruments->places[place].symbol != word)
        place = (place + 1) & instruments->place_mask;
    if (instruments->places[place].symbol == 0) {
        if (instruments->count == instruments->count_max)
            return error_set(error, ERROR_FULL, "instruments", "more than engine.instruments_max, %u",
                             instruments->count_max);
        instruments->count++;
    }
    instruments->places[place] =
        (struct instrument_place){.symbol = word, .instrument = instrument, .reference_ticks = reference_ticks};
    return 0;
}

int32_t instruments_reference(const struct instruments *instruments, const char symbol[SYMBOL_BYTES])
{
    uint64_t word;
    memcpy(&word, symbol, SYMBOL_BYTES);
    uint32_t place = instruments_hash(word, instruments->place_mask);
    while (instruments->places[place].symbol != word) {
        if (instruments->places[place].symbol == 0)
            return 0;
        place = (place + 1) & instruments->place_mask;
    }
    return instruments->places[place].reference_ticks;
}
