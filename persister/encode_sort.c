#include "encode_sort.h"

#define DIGIT_BITS   11
#define DIGIT_VALUES (1u << DIGIT_BITS)

static uint32_t digit_of(const struct sort_entry *entry, uint64_t lowest, uint32_t shift)
{
    return (uint32_t)((entry->order_ref - lowest) >> shift) % DIGIT_VALUES;
}

static void sort_digit(const struct sort_entry *from, struct sort_entry *to, uint32_t count, uint64_t lowest,
                       uint32_t shift)
{
    uint32_t places[DIGIT_VALUES] = {0};
    uint32_t place = 0;
    for (uint32_t i = 0; i < count; i++)
        places[digit_of(&from[i], lowest, shift)]++;
    for (uint32_t digit = 0; digit < DIGIT_VALUES; digit++) {
        uint32_t digit_count = places[digit];
        places[digit] = place;
        place += digit_count;
    }
    for (uint32_t i = 0; i < count; i++)
        to[places[digit_of(&from[i], lowest, shift)]++] = from[i];
}

struct sort_entry *sort_by_order(struct sort_entry *entries, struct sort_entry *spare, uint32_t count)
{
    uint64_t lowest = UINT64_MAX;
    uint64_t highest = 0;
    for (uint32_t i = 0; i < count; i++) {
        lowest = entries[i].order_ref < lowest ? entries[i].order_ref : lowest;
        highest = entries[i].order_ref > highest ? entries[i].order_ref : highest;
    }
    for (uint32_t shift = 0; shift < 64 && count > 0 && (highest - lowest) >> shift != 0; shift += DIGIT_BITS) {
        struct sort_entry *sorted = spare;
        sort_digit(entries, sorted, count, lowest, shift);
        spare = entries;
        entries = sorted;
    }
    return entries;
}
