#include "wire/ouch_options.h"

#define LOAD_letter(field, in, bytes) (field) = (in)[0]
#define LOAD_u16(field, in, bytes)    (field) = load_be16(in)
#define LOAD_u32(field, in, bytes)    (field) = load_be32(in)
#define LOAD_i32(field, in, bytes)    (field) = (int32_t)load_be32(in)
#define LOAD_u64(field, in, bytes)    (field) = load_be64(in)
#define LOAD_text(field, in, bytes)   memcpy((field), (in), (bytes))

#define STORE_letter(field, out, bytes) (out)[0] = (field)
#define STORE_u16(field, out, bytes)    store_be16((out), (field))
#define STORE_u32(field, out, bytes)    store_be32((out), (field))
#define STORE_i32(field, out, bytes)    store_be32((out), (uint32_t)(field))
#define STORE_u64(field, out, bytes)    store_be64((out), (field))
#define STORE_text(field, out, bytes)   memcpy((out), (field), (bytes))

/* One element: NULL with its bit in *ret_bit, or the rule that is broken. */
static const char *decode_one(const uint8_t *element, uint32_t place, struct ouch_options *ret, uint32_t *ret_bit)
{
    uint32_t value_bytes = element[0] - 1u;
    switch (element[1]) {
#define X(bit, NAME, name, tag, bytes, kind, places, meaning)                                                          \
    case tag:                                                                                                          \
        if (value_bytes != (bytes))                                                                                    \
            return "option tag " #tag " (" #name ") has a value of " #bytes " bytes";                                  \
        if (((uint32_t)(places)&place) == 0)                                                                           \
            return "option tag " #tag " (" #name ") may not be in this message";                                       \
        LOAD_##kind(ret->name, element + 2, bytes);                                                                    \
        *ret_bit = 1u << (bit);                                                                                        \
        return NULL;
        OUCH_OPTIONS(X)
#undef X
    default:
        return "an option tag that OUCH 5.0 and Ringside do not have";
    }
}

const char *ouch_options_decode(struct ouch_appendage appendage, uint32_t place, struct ouch_options *ret)
{
    uint32_t present = 0;
    uint32_t at = 0;
    while (at < appendage.count) {
        const uint8_t *element = appendage.bytes + at;
        if (element[0] == 0 || at + 1u + element[0] > appendage.count)
            return "an option's length does not fit into the appendage";
        uint32_t bit = 0;
        const char *broken = decode_one(element, place, ret, &bit);
        if (broken)
            return broken;
        if (present & bit)
            return "an option tag is there twice";
        present |= bit;
        at += 1u + element[0];
    }
    ret->present = present;
    return NULL;
}

bool ouch_options_channel(struct ouch_appendage appendage, uint8_t *ret_channel)
{
    uint32_t at = 0;
    while (at < appendage.count) {
        const uint8_t *element = appendage.bytes + at;
        if (element[0] == 0 || at + 1u + element[0] > appendage.count)
            return false;
        if (element[0] == 2 && element[1] == OUCH_TAG_USER_REF_INDEX) {
            *ret_channel = element[2];
            return true;
        }
        at += 1u + element[0];
    }
    return false;
}

uint32_t ouch_options_encode(uint8_t *out, const struct ouch_options *options)
{
    const uint8_t *start = out;
    if (options->present == 0)
        return 0;
#define X(bit, NAME, name, tag, bytes, kind, places, meaning)                                                          \
    if (options->present & (1u << (bit))) {                                                                            \
        out[0] = 1 + (bytes);                                                                                          \
        out[1] = (tag);                                                                                                \
        STORE_##kind(options->name, out + 2, bytes);                                                                   \
        out += 2 + (bytes);                                                                                            \
    }
    OUCH_OPTIONS(X)
#undef X
    return (uint32_t)(out - start);
}
