#include "rate.h"

#include "base/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4u

struct rate rate_make(uint32_t per_s, uint32_t burst)
{
    if (per_s == 0)
        return (struct rate){0};
    uint64_t period_ns = (NS_PER_SECOND + per_s - 1) / per_s;
    uint64_t count = burst != 0 ? burst : per_s;
    return (struct rate){.period_ns = period_ns, .tolerance_ns = (count - 1) * period_ns};
}

int rate_table_open(struct rate_table *table, uint32_t count, struct error *error)
{
    uint32_t sets = 16;
    while (sets * WAYS < count)
        sets *= 2;
    table->entries = calloc((size_t)sets * WAYS, sizeof(*table->entries));
    if (!table->entries)
        return error_system(error, ENOMEM, "rates", "no memory for %u", count);
    table->set_mask = sets - 1;
    return 0;
}

void rate_table_close(struct rate_table *table)
{
    if (!table)
        return;
    free(table->entries);
    memset(table, 0, sizeof(*table));
}

uint64_t rate_key(uint64_t one, uint64_t other)
{
    uint64_t word = (one ^ 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    word = (word ^ word >> 32 ^ other) * 0x94d049bb133111ebu;
    word ^= word >> 29;
    return word != 0 ? word : 1;
}

static struct rate_entry *set_of(const struct rate_table *table, uint64_t key)
{
    return &table->entries[(size_t)((uint32_t)(key >> 32) & table->set_mask) * WAYS];
}

static struct rate_entry *entry_find(const struct rate_table *table, uint64_t key)
{
    struct rate_entry *set = set_of(table, key);
    for (uint32_t i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
    }
    return NULL;
}

/* In the place of the one that is, or will first be, full. */
static struct rate_entry *entry_make(const struct rate_table *table, uint64_t key)
{
    struct rate_entry *set = set_of(table, key);
    struct rate_entry *fullest = &set[0];
    for (uint32_t i = 1; i < WAYS; i++) {
        if (set[i].full_ns < fullest->full_ns)
            fullest = &set[i];
    }
    *fullest = (struct rate_entry){.key = key};
    return fullest;
}

bool rate_table_has(const struct rate_table *table, uint64_t key, const struct rate *rate, uint64_t now_ns)
{
    const struct rate_entry *entry = entry_find(table, key);
    return !entry || rate_has(entry->full_ns, rate, now_ns);
}

bool rate_table_take(struct rate_table *table, uint64_t key, const struct rate *rate, uint64_t now_ns)
{
    if (rate->period_ns == 0)
        return true;
    struct rate_entry *entry = entry_find(table, key);
    if (!entry)
        entry = entry_make(table, key);
    return rate_take(&entry->full_ns, rate, now_ns);
}
