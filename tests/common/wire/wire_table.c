#include "wire_table.h"

#include "base/require.h"

#include <string.h>

#define FIELD(m, kind, name, offset, bytes, meaning) {WIRE_##kind, #name, offset, bytes, meaning},

#define X(name, NAME, letter, fixed_bytes, appendage_rule, title)                                                      \
    static const struct wire_field name##_fields[] = {OUCH_##NAME##_FIELDS(FIELD, name){WIRE_letter, NULL, 0, 0, ""}}; \
    static uint32_t recode_##name(const uint8_t *in, size_t count, uint8_t *out, const char **ret_broken)              \
    {                                                                                                                  \
        struct ouch_##name message;                                                                                    \
        *ret_broken = ouch_decode_##name(in, count, &message);                                                         \
        return *ret_broken ? 0 : ouch_encode_##name(out, &message);                                                    \
    }
OUCH_MESSAGES_IN(X)
OUCH_MESSAGES_OUT(X)
#undef X

#define ROW(direction, name, letter, fixed_bytes, appendage_rule, title)                                               \
    {direction,    letter, fixed_bytes,   WIRE_##appendage_rule,                                                       \
     #name,        title,  name##_fields, ARRAY_COUNT(name##_fields) - 1,                                              \
     recode_##name},

const struct wire_message wire_messages[] = {
#define X(name, NAME, letter, bytes, appendage, title) ROW(OUCH_IN, name, letter, bytes, appendage, title)
    OUCH_MESSAGES_IN(X)
#undef X
#define X(name, NAME, letter, bytes, appendage, title) ROW(OUCH_OUT, name, letter, bytes, appendage, title)
        OUCH_MESSAGES_OUT(X)
#undef X
};
const size_t wire_message_count = ARRAY_COUNT(wire_messages);

const struct wire_option wire_options[] = {
#define X(bit, NAME, name, tag, bytes, kind, places, meaning) {tag, bytes, (uint32_t)(places), #kind, #name, meaning},
    OUCH_OPTIONS(X)
#undef X
};
const size_t wire_option_count = ARRAY_COUNT(wire_options);

const struct wire_message *wire_find(enum ouch_direction direction, uint8_t type)
{
    for (size_t i = 0; i < wire_message_count; i++)
        if (wire_messages[i].direction == direction && wire_messages[i].type == type)
            return &wire_messages[i];
    return NULL;
}

uint32_t wire_place(const struct wire_message *message)
{
    static const struct {
        const char *name;
        uint32_t place;
    } places[] = {{"enter", OUCH_IN_ENTER},
                  {"replace", OUCH_IN_REPLACE},
                  {"mass_cancel", OUCH_IN_MASS_CANCEL},
                  {"accepted", OUCH_OUT_ACCEPTED},
                  {"replaced", OUCH_OUT_REPLACED},
                  {"restated", OUCH_OUT_RESTATED},
                  {"mass_canceled", OUCH_OUT_MASS_CANCELED}};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++)
        if (strcmp(places[i].name, message->name) == 0)
            return places[i].place;
    return message->direction == OUCH_IN ? OUCH_IN_OTHER : OUCH_OUT_OTHER;
}
