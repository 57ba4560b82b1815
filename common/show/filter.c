#include "show/filter.h"

#include "show/text.h"

#include <string.h>
#include <strings.h>

static bool add_kind(struct kind_set *set, const char *name, size_t bytes, const char *(*name_of)(uint8_t kind))
{
    for (unsigned kind = 1; kind <= UINT8_MAX; kind++) {
        const char *known = name_of((uint8_t)kind);
        if (known[0] == '?' || strlen(known) != bytes || strncasecmp(known, name, bytes) != 0)
            continue;
        set->bits[kind >> 6] |= UINT64_C(1) << (kind & 63);
        return true;
    }
    return false;
}

const char *kind_set_read(struct kind_set *set, const char *text, const char *(*name_of)(uint8_t kind),
                          size_t *ret_bytes)
{
    while (*text) {
        size_t bytes = strcspn(text, ",");
        if (!add_kind(set, text, bytes, name_of)) {
            *ret_bytes = bytes;
            return text;
        }
        text += bytes + (text[bytes] == ',');
    }
    return NULL;
}

bool name_is_meant(const char *wanted, const char *name, uint32_t number)
{
    uint64_t wanted_number;
    if (!wanted || strcmp(wanted, name) == 0)
        return true;
    return number != 0 && number_read(wanted, &wanted_number) && wanted_number == number;
}
