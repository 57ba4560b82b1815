/*
 * OUCH 5.0: a struct, a decoder and an encoder for every message, made from the tables of wire/ouch_layout.h.
 *
 *     struct ouch_enter message;
 *     const char *broken = ouch_decode_enter(bytes, count, &message);    NULL, or the rule that is broken
 *     uint32_t written = ouch_encode_enter(out, &message);               out: OUCH_ENTER_BYTES and the appendage
 *
 * Rules
 *   1. Decoders check the form: type, length, and that the appendage is as long as it says. What values mean is for
 *      those who know the instruments, the session and the day. On failure *ret is not to be used.
 *   2. Decoding and encoding again gives the same bytes: the appendage stays as it is, as a pointer into the message;
 *      wire/ouch_options.h takes it apart.
 *   3. Encoders write into room that the caller has made sure of: OUCH_MESSAGE_BYTES_MAX is enough for every message
 *      whose appendage was made by ouch_options_encode.
 *   4. Straight-line code, inline: no loop a field, no system call, no allocation.
 */
#ifndef RINGSIDE_WIRE_OUCH_H
#define RINGSIDE_WIRE_OUCH_H

#include "base/bytes.h"
#include "wire/ouch_layout.h"
#include "wire/ouch_options.h"

#include <stddef.h>
#include <stdint.h>

#define OUCH_PRICE_MARKET 0x7fffffffu /* a market order; so are OUCH_PRICE_TOP and all bits set */
#define OUCH_PRICE_TOP    2000000000u /* $200,000 */
#define OUCH_PRICE_MAX    1999999900u /* the highest limit: $199,999.99 */
#define OUCH_QUANTITY_MAX 999999u

#define OUCH_SYMBOL_BYTES          8u
#define OUCH_FIRM_BYTES            4u
#define OUCH_CLIENT_ORDER_ID_BYTES 14u

/* Type letters; some are used in both directions for different messages. */
enum ouch_type_in {
#define X(name, NAME, letter, bytes, appendage, title) OUCH_TYPE_##NAME = (letter),
    OUCH_MESSAGES_IN(X)
};
enum ouch_type_out {
    OUCH_MESSAGES_OUT(X)
#undef X
};

/* Bytes of the fixed part. */
enum {
#define X(name, NAME, letter, bytes, appendage, title) OUCH_##NAME##_BYTES = (bytes),
    OUCH_MESSAGES_IN(X) OUCH_MESSAGES_OUT(X)
#undef X
};

#define OUCH_MESSAGE_BYTES_MAX (OUCH_REPLACED_BYTES + OUCH_OPTIONS_BYTES_MAX)

/* Both languages have it, under names of their own. */
#ifdef __cplusplus
#define OUCH_ASSERT static_assert
#else
#define OUCH_ASSERT _Static_assert
#endif

/* ---- appendages ---- */

static inline void ouch_no_appendage(struct ouch_appendage *ret)
{
    ret->bytes = NULL;
    ret->count = 0;
    ret->present = false;
}

static inline const char *ouch_take_appendage_ALWAYS(const uint8_t *in, size_t count, size_t fixed_bytes,
                                                     struct ouch_appendage *ret)
{
    ret->bytes = in + fixed_bytes;
    ret->count = load_be16(in + fixed_bytes - 2);
    ret->present = true;
    return ret->count == count - fixed_bytes ? NULL : "the Appendage Length is not that of what follows it";
}

static inline const char *ouch_take_appendage_OPTIONAL(const uint8_t *in, size_t count, size_t fixed_bytes,
                                                       struct ouch_appendage *ret)
{
    ouch_no_appendage(ret);
    if (count == fixed_bytes)
        return NULL;
    if (count < fixed_bytes + 2)
        return "the message has one byte too many";
    return ouch_take_appendage_ALWAYS(in, count, fixed_bytes + 2, ret);
}

static inline const char *ouch_take_appendage_NEVER(const uint8_t *in, size_t count, size_t fixed_bytes,
                                                    struct ouch_appendage *ret)
{
    (void)in;
    ouch_no_appendage(ret);
    return count == fixed_bytes ? NULL : "the message is longer than its fields";
}

static inline uint32_t ouch_put_appendage_ALWAYS(uint8_t *out, uint32_t fixed_bytes,
                                                 const struct ouch_appendage *appendage)
{
    store_be16(out + fixed_bytes - 2, appendage->count);
    if (appendage->count > 0)
        memcpy(out + fixed_bytes, appendage->bytes, appendage->count);
    return fixed_bytes + appendage->count;
}

static inline uint32_t ouch_put_appendage_OPTIONAL(uint8_t *out, uint32_t fixed_bytes,
                                                   const struct ouch_appendage *appendage)
{
    return appendage->present ? ouch_put_appendage_ALWAYS(out, fixed_bytes + 2, appendage) : fixed_bytes;
}

static inline uint32_t ouch_put_appendage_NEVER(const uint8_t *out, uint32_t fixed_bytes,
                                                const struct ouch_appendage *appendage)
{
    (void)out;
    (void)appendage;
    return fixed_bytes;
}

/* ---- fields ---- */

/* NOLINTBEGIN(bugprone-macro-parentheses): what is pasted are names of members and of messages */

#define OUCH_LOAD_letter(field, in, bytes) (field) = (in)[0]
#define OUCH_LOAD_u16(field, in, bytes)    (field) = load_be16(in)
#define OUCH_LOAD_u32(field, in, bytes)    (field) = load_be32(in)
#define OUCH_LOAD_u64(field, in, bytes)    (field) = load_be64(in)
#define OUCH_LOAD_text(field, in, bytes)   memcpy((field), (in), (bytes))

#define OUCH_STORE_letter(field, out, bytes) (out)[0] = (field)
#define OUCH_STORE_u16(field, out, bytes)    store_be16((out), (field))
#define OUCH_STORE_u32(field, out, bytes)    store_be32((out), (field))
#define OUCH_STORE_u64(field, out, bytes)    store_be64((out), (field))
#define OUCH_STORE_text(field, out, bytes)   memcpy((out), (field), (bytes))

#define OUCH_FIELD_DECLARE(m, kind, name, offset, bytes, meaning) OUCH_DECLARE_##kind(name, bytes)
#define OUCH_FIELD_LOAD(m, kind, name, offset, bytes, meaning)    OUCH_LOAD_##kind(ret->name, in + (offset), bytes);
#define OUCH_FIELD_STORE(m, kind, name, offset, bytes, meaning)   OUCH_STORE_##kind(m->name, out + (offset), bytes);

/* The fields follow each other and, with the two bytes of an appendage that is always there, fill the fixed part. */
#define OUCH_FIELD_WIRE(m, kind, name, offset, bytes, meaning) uint8_t name[bytes];
#define OUCH_FIELD_PIN(m, kind, name, offset, bytes, meaning)                                                          \
    OUCH_ASSERT(offsetof(struct ouch_wire_##m, name) == (offset), #m "." #name " is at " #offset);
#define OUCH_LENGTH_ALWAYS   2
#define OUCH_LENGTH_OPTIONAL 0
#define OUCH_LENGTH_NEVER    0

/* ---- messages ---- */

#define OUCH_MESSAGE(name, NAME, letter, fixed_bytes, appendage_rule, title)                                           \
    struct ouch_wire_##name {                                                                                          \
        uint8_t type;                                                                                                  \
        OUCH_##NAME##_FIELDS(OUCH_FIELD_WIRE, name)                                                                    \
    };                                                                                                                 \
    OUCH_##NAME##_FIELDS(OUCH_FIELD_PIN, name)                                                                         \
        OUCH_ASSERT(sizeof(struct ouch_wire_##name) + OUCH_LENGTH_##appendage_rule == (fixed_bytes),                   \
                    title " has " #fixed_bytes " bytes");                                                              \
                                                                                                                       \
    struct ouch_##name {                                                                                               \
        OUCH_##NAME##_FIELDS(OUCH_FIELD_DECLARE, name) struct ouch_appendage appendage;                                \
    };                                                                                                                 \
                                                                                                                       \
    static inline const char *ouch_decode_##name(const uint8_t *in, size_t count, struct ouch_##name *ret)             \
    {                                                                                                                  \
        if (__builtin_expect(count < (fixed_bytes), 0))                                                                \
            return title " has at least " #fixed_bytes " bytes";                                                       \
        if (__builtin_expect(in[0] != (letter), 0))                                                                    \
            return title " begins with " #letter;                                                                      \
        OUCH_##NAME##_FIELDS(OUCH_FIELD_LOAD, name) return ouch_take_appendage_##appendage_rule(                       \
            in, count, fixed_bytes, &ret->appendage);                                                                  \
    }                                                                                                                  \
                                                                                                                       \
    static inline uint32_t ouch_encode_##name(uint8_t *out, const struct ouch_##name *name)                            \
    {                                                                                                                  \
        out[0] = (letter);                                                                                             \
        OUCH_##NAME##_FIELDS(OUCH_FIELD_STORE, name) return ouch_put_appendage_##appendage_rule(out, fixed_bytes,      \
                                                                                                &name->appendage);     \
    }

OUCH_MESSAGES_IN(OUCH_MESSAGE)
OUCH_MESSAGES_OUT(OUCH_MESSAGE)

/* NOLINTEND(bugprone-macro-parentheses) */

/* ---- any message ---- */

enum ouch_direction {
    OUCH_IN,  /* client to exchange */
    OUCH_OUT, /* exchange to client */
};

/* NULL, or the rule that a whole message breaks: type, length, appendage and its options. */
const char *ouch_invalid(enum ouch_direction direction, const uint8_t *bytes, size_t count);

/* "Enter Order", or NULL for a letter that is no message of this direction. */
const char *ouch_title(enum ouch_direction direction, uint8_t type);

/* ---- reasons ---- */

/* number, NAME, text */
#define OUCH_REJECT_REASONS(X)                                                                                         \
    X(0x0001, QUOTE_UNAVAILABLE, "quote unavailable")                                                                  \
    X(0x0002, DESTINATION_CLOSED, "destination closed")                                                                \
    X(0x0003, INVALID_DISPLAY, "invalid display")                                                                      \
    X(0x0004, INVALID_MAX_FLOOR, "invalid max floor")                                                                  \
    X(0x0005, INVALID_PEG_TYPE, "invalid peg type")                                                                    \
    X(0x0006, FAT_FINGER, "fat finger")                                                                                \
    X(0x0007, HALTED, "instrument is halted")                                                                          \
    X(0x0008, SWEEP_NOT_ALLOWED, "inter-market sweep not allowed")                                                     \
    X(0x0009, INVALID_SIDE, "invalid side")                                                                            \
    X(0x000a, PROCESSING_ERROR, "processing error")                                                                    \
    X(0x000b, CANCEL_PENDING, "a cancel is pending")                                                                   \
    X(0x000c, FIRM_NOT_AUTHORIZED, "firm not authorized")                                                              \
    X(0x000d, INVALID_MIN_QUANTITY, "invalid min quantity")                                                            \
    X(0x000e, NO_CLOSING_REFERENCE, "no closing reference price")                                                      \
    X(0x000f, OTHER, "other")                                                                                          \
    X(0x0010, CANCEL_NOT_ALLOWED, "cancel not allowed")                                                                \
    X(0x0011, PEGGING_NOT_ALLOWED, "pegging not allowed")                                                              \
    X(0x0012, CROSSED_MARKET, "crossed market")                                                                        \
    X(0x0013, INVALID_QUANTITY, "invalid quantity")                                                                    \
    X(0x0014, INVALID_CROSS_ORDER, "invalid cross order")                                                              \
    X(0x0015, REPLACE_NOT_ALLOWED, "replace not allowed")                                                              \
    X(0x0016, ROUTING_NOT_ALLOWED, "routing not allowed")                                                              \
    X(0x0017, INVALID_SYMBOL, "invalid symbol")                                                                        \
    X(0x0018, TEST, "test")                                                                                            \
    X(0x0019, LATE_CLOSE_TOO_AGGRESSIVE, "late limit-on-close too aggressive")                                         \
    X(0x001a, RETAIL_NOT_ALLOWED, "retail not allowed")                                                                \
    X(0x001b, INVALID_MIDPOINT_PRICE, "invalid midpoint post-only price")                                              \
    X(0x001c, INVALID_DESTINATION, "invalid destination")                                                              \
    X(0x001d, INVALID_PRICE, "invalid price")                                                                          \
    X(0x001e, SHARES_EXCEED_THRESHOLD, "shares exceed threshold")                                                      \
    X(0x001f, EXCEEDS_NOTIONAL, "exceeds maximum notional")                                                            \
    X(0x0020, RISK_EXPOSURE, "risk: aggregate exposure")                                                               \
    X(0x0021, RISK_MARKET_IMPACT, "risk: market impact")                                                               \
    X(0x0022, RISK_RESTRICTED_STOCK, "risk: restricted stock")                                                         \
    X(0x0023, RISK_SHORT_RESTRICTED, "risk: short sell restricted")                                                    \
    X(0x0024, RISK_SWEEP_NOT_ALLOWED, "risk: inter-market sweep not allowed")                                          \
    X(0x0025, RISK_ADV_LIMIT, "risk: average daily volume limit")                                                      \
    X(0x0026, RISK_FAT_FINGER, "risk: fat finger")                                                                     \
    X(0x0027, RISK_LOCATE_REQUIRED, "risk: locate required")                                                           \
    X(0x0028, RISK_SYMBOL_RATE, "risk: symbol message rate")                                                           \
    X(0x0029, RISK_PORT_RATE, "risk: port message rate")                                                               \
    X(0x002a, RISK_DUPLICATE_RATE, "risk: duplicate message rate")                                                     \
    X(0x002b, RISK_SHORT_NOT_ALLOWED, "risk: short sell not allowed")                                                  \
    X(0x002c, RISK_MARKET_NOT_ALLOWED, "risk: market order not allowed")                                               \
    X(0x002d, RISK_PRE_MARKET_NOT_ALLOWED, "risk: pre-market not allowed")                                             \
    X(0x002e, RISK_POST_MARKET_NOT_ALLOWED, "risk: post-market not allowed")                                           \
    X(0x002f, RISK_SHORT_EXEMPT_NOT_ALLOWED, "risk: short sell exempt not allowed")                                    \
    X(0x0030, RISK_NOTIONAL, "risk: single order notional")                                                            \
    X(0x0031, RISK_QUANTITY, "risk: max quantity")                                                                     \
    X(0x0032, SHORT_STATE_UNAVAILABLE, "short-sale state not available")

enum ouch_reject_reason {
#define X(number, NAME, text) OUCH_REJECT_##NAME = (number),
    OUCH_REJECT_REASONS(X)
#undef X
};

/* The text of a reason; "unknown reason" for a number that is none. */
const char *ouch_reject_text(uint16_t reason);

/* letter, NAME, text */
#define OUCH_CANCEL_REASONS(X)                                                                                         \
    X('U', USER, "asked for by the user")                                                                              \
    X('I', IMMEDIATE, "immediate or cancel")                                                                           \
    X('T', TIMEOUT, "time in force has run out")                                                                       \
    X('S', SUPERVISORY, "supervisory")                                                                                 \
    X('D', REGULATORY, "regulatory restriction")                                                                       \
    X('Q', SELF_MATCH, "self-match prevention")                                                                        \
    X('Z', SYSTEM, "cancelled by the system")                                                                          \
    X('K', COLLAR, "market collar")                                                                                    \
    X('H', HALTED, "instrument is halted")                                                                             \
    X('X', OPEN_PROTECTION, "open protection")                                                                         \
    X('E', CLOSED, "closed")                                                                                           \
    X('F', POST_ONLY_SLIDE, "post-only would slide")                                                                   \
    X('G', POST_ONLY_CONTRA, "post-only would slide: contra displayed")                                                \
    X('e', OVER_ALLOCATION, "direct listing over-allocation")

enum ouch_cancel_reason {
#define X(letter, NAME, text) OUCH_CANCEL_##NAME = (letter),
    OUCH_CANCEL_REASONS(X)
#undef X
};

/* The text of a reason; "unknown reason" for a letter that is none. */
const char *ouch_cancel_text(uint8_t reason);

#endif
