#include "wire/ouch.h"

/* The place of a message in the table of options: its own bit, or its direction's OTHER. */
static uint32_t option_place(enum ouch_direction direction, uint8_t type)
{
    if (direction == OUCH_IN) {
        if (type == OUCH_TYPE_ENTER)
            return OUCH_IN_ENTER;
        if (type == OUCH_TYPE_REPLACE)
            return OUCH_IN_REPLACE;
        return type == OUCH_TYPE_MASS_CANCEL ? OUCH_IN_MASS_CANCEL : OUCH_IN_OTHER;
    }
    if (type == OUCH_TYPE_ACCEPTED)
        return OUCH_OUT_ACCEPTED;
    if (type == OUCH_TYPE_REPLACED)
        return OUCH_OUT_REPLACED;
    if (type == OUCH_TYPE_RESTATED)
        return OUCH_OUT_RESTATED;
    return type == OUCH_TYPE_MASS_CANCELED ? OUCH_OUT_MASS_CANCELED : OUCH_OUT_OTHER;
}

/* Decodes to the appendage and forgets the rest. */
#define X(name, NAME, letter, bytes, appendage_rule, title)                                                            \
    case letter: {                                                                                                     \
        struct ouch_##name message;                                                                                    \
        const char *broken = ouch_decode_##name(in, count, &message);                                                  \
        if (!broken)                                                                                                   \
            *ret = message.appendage;                                                                                  \
        return broken;                                                                                                 \
    }

static const char *take_in(const uint8_t *in, size_t count, struct ouch_appendage *ret)
{
    switch (in[0]) {
        OUCH_MESSAGES_IN(X)
    default:
        return "a type that no message to the exchange has";
    }
}

static const char *take_out(const uint8_t *in, size_t count, struct ouch_appendage *ret)
{
    switch (in[0]) {
        OUCH_MESSAGES_OUT(X)
    default:
        return "a type that no message to a client has";
    }
}
#undef X

const char *ouch_invalid(enum ouch_direction direction, const uint8_t *bytes, size_t count)
{
    struct ouch_appendage appendage;
    struct ouch_options options;
    if (count == 0)
        return "a message has at least its type";
    const char *broken = direction == OUCH_IN ? take_in(bytes, count, &appendage) : take_out(bytes, count, &appendage);
    return broken ? broken : ouch_options_decode(appendage, option_place(direction, bytes[0]), &options);
}

static const char *title_in(uint8_t type)
{
    switch (type) {
#define X(name, NAME, letter, bytes, appendage, title)                                                                 \
    case letter:                                                                                                       \
        return title;
        OUCH_MESSAGES_IN(X)
    default:
        return NULL;
    }
}

static const char *title_out(uint8_t type)
{
    switch (type) {
        OUCH_MESSAGES_OUT(X)
#undef X
    default:
        return NULL;
    }
}

const char *ouch_title(enum ouch_direction direction, uint8_t type)
{
    return direction == OUCH_IN ? title_in(type) : title_out(type);
}

const char *ouch_reject_text(uint16_t reason)
{
    switch (reason) {
#define X(number, NAME, text)                                                                                          \
    case number:                                                                                                       \
        return text;
        OUCH_REJECT_REASONS(X)
#undef X
    default:
        return "unknown reason";
    }
}

const char *ouch_cancel_text(uint8_t reason)
{
    switch (reason) {
#define X(letter, NAME, text)                                                                                          \
    case letter:                                                                                                       \
        return text;
        OUCH_CANCEL_REASONS(X)
#undef X
    default:
        return "unknown reason";
    }
}
