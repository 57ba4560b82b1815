/*
 * What a person asks for when only some records are wanted: kinds by name, a user or an instrument by name or number.
 */
#ifndef RINGSIDE_SHOW_FILTER_H
#define RINGSIDE_SHOW_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of kinds of commands, or of events. */
struct kind_set {
    uint64_t bits[4];
};

static inline bool kind_set_has(const struct kind_set *set, uint8_t kind)
{
    return set->bits[kind >> 6] >> (kind & 63) & 1;
}

static inline bool kind_set_empty(const struct kind_set *set)
{
    return (set->bits[0] | set->bits[1] | set->bits[2] | set->bits[3]) == 0;
}

/*
 * Adds the kinds of "enter,cancel" to *set; case does not matter. name_of is command_kind_name or event_kind_name.
 * NULL, or where in the text the first one stands that there is not; *ret_bytes is its length.
 */
const char *kind_set_read(struct kind_set *set, const char *text, const char *(*name_of)(uint8_t kind),
                          size_t *ret_bytes);

/* Whether `wanted` is this name or this number (0: it has none); NULL means everything. */
bool name_is_meant(const char *wanted, const char *name, uint32_t number);

#endif
