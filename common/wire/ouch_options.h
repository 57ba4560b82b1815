/*
 * The appendage of OUCH 5.0: option values behind a message's fixed part, each with its length and its tag.
 *
 *     0        1     2                length + 1
 *     +--------+-----+---------------+
 *     | length | tag |     value     |   length: bytes after it, so 1 + the value's; element follows element
 *     +--------+-----+---------------+
 *
 * Rules
 *   1. OUCH_OPTIONS is the table of all tags: size, kind and the messages each may be in. Tags 200 and up are
 *      Ringside's own: triggers, self-match prevention and the user of a drop copy's message, for which OUCH 5.0 has
 *      none (docs/protocol.md).
 *   2. An element whose length is not its tag's, a tag that is not in the table, not allowed in the message, or there
 *      twice, is an error that names the rule.
 *   3. Emitting writes the tags that are set in `present`, in the table's order.
 */
#ifndef RINGSIDE_WIRE_OUCH_OPTIONS_H
#define RINGSIDE_WIRE_OUCH_OPTIONS_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In which messages an option may be; OTHER is every message of its direction that the table does not name. */
enum ouch_option_place {
    OUCH_IN_ENTER = 1 << 0,
    OUCH_IN_REPLACE = 1 << 1,
    OUCH_IN_MASS_CANCEL = 1 << 2,
    OUCH_IN_OTHER = 1 << 3,
    OUCH_OUT_ACCEPTED = 1 << 4,
    OUCH_OUT_REPLACED = 1 << 5,
    OUCH_OUT_RESTATED = 1 << 6,
    OUCH_OUT_MASS_CANCELED = 1 << 7,
    OUCH_OUT_OTHER = 1 << 8,
};

#define OUCH_PLACES_ALL   0x1ff
#define OUCH_PLACES_ENTER (OUCH_IN_ENTER | OUCH_OUT_ACCEPTED)
#define OUCH_PLACES_ORDER (OUCH_IN_ENTER | OUCH_IN_REPLACE | OUCH_OUT_ACCEPTED)
#define OUCH_PLACES_BOTH  (OUCH_PLACES_ORDER | OUCH_OUT_REPLACED)
#define OUCH_PLACES_OUT   0x1f0
#define OUCH_PLACES_MASS  (OUCH_IN_MASS_CANCEL | OUCH_OUT_MASS_CANCELED)

/* bit, NAME, name, tag, bytes of the value, kind, places, meaning. Kinds as in wire/ouch_layout.h; i32 is signed. */
#define OUCH_OPTIONS(X)                                                                                                \
    X(0, SECONDARY_ORDER_REF, secondary_order_ref, 1, 8, u64, OUCH_OUT_RESTATED, "order ref of a reserve's display")   \
    X(1, FIRM, firm, 2, 4, text, OUCH_PLACES_ENTER | OUCH_OUT_REPLACED, "MPID; spaces: the session's own")             \
    X(2, MIN_QUANTITY, min_quantity, 3, 4, u32, OUCH_PLACES_BOTH, "least shares of a first fill")                      \
    X(3, CUSTOMER_TYPE, customer_type, 4, 1, letter, OUCH_PLACES_ORDER, "R retail, N not")                             \
    X(4, MAX_FLOOR, max_floor, 5, 4, u32, OUCH_PLACES_BOTH, "shares displayed of a reserve order")                     \
    X(5, PRICE_TYPE, price_type, 6, 1, letter, OUCH_PLACES_BOTH, "L limit, P, M, R, Q, m pegs")                        \
    X(6, PEG_OFFSET, peg_offset, 7, 4, i32, OUCH_PLACES_ORDER, "signed price")                                         \
    X(7, DISCRETION_PRICE, discretion_price, 9, 8, u64, OUCH_PLACES_ORDER, "price")                                    \
    X(8, DISCRETION_TYPE, discretion_type, 10, 1, letter, OUCH_PLACES_ORDER, "L, P, M, R as PriceType")                \
    X(9, DISCRETION_OFFSET, discretion_offset, 11, 4, i32, OUCH_PLACES_ORDER, "signed price")                          \
    X(10, POST_ONLY, post_only, 12, 1, letter, OUCH_PLACES_BOTH, "P post only, N not")                                 \
    X(11, RANDOM_RESERVE, random_reserve, 13, 4, u32, OUCH_PLACES_ORDER, "shares by which a refill varies")            \
    X(12, ROUTE, route, 14, 4, text, OUCH_PLACES_ENTER, "route")                                                       \
    X(13, EXPIRE_S, expire_s, 15, 4, u32, OUCH_PLACES_BOTH, "seconds to live, below 86,400")                           \
    X(14, TRADE_NOW, trade_now, 16, 1, letter, OUCH_PLACES_BOTH, "Y, N; space: the session's default")                 \
    X(15, HANDLE_INST, handle_inst, 17, 1, letter, OUCH_PLACES_BOTH, "I, O, T, Q, B, D, R")                            \
    X(16, BBO_WEIGHT, bbo_weight, 18, 1, letter, OUCH_OUT_ACCEPTED | OUCH_OUT_REPLACED, "0 to 3, S, N, space")         \
    X(17, DISPLAY_QUANTITY, display_quantity, 22, 4, u32, OUCH_OUT_RESTATED, "shares displayed now")                   \
    X(18, DISPLAY_PRICE, display_price, 23, 8, u64, OUCH_OUT_RESTATED, "price displayed now")                          \
    X(19, GROUP, group, 24, 2, u16, OUCH_PLACES_ORDER | OUCH_PLACES_MASS, "part of the customer")                      \
    X(20, SHARES_LOCATED, shares_located, 25, 1, letter, OUCH_PLACES_ORDER, "Y, N")                                    \
    X(21, LOCATE_BROKER, locate_broker, 26, 4, text, OUCH_IN_REPLACE, "broker")                                        \
    X(22, SIDE, side, 27, 1, letter, OUCH_PLACES_MASS, "B, S, T, E")                                                   \
    X(23, USER_REF_INDEX, user_ref_index, 28, 1, letter, OUCH_PLACES_ALL, "order-flow channel in the session")         \
    X(24, TRIGGER, trigger, 200, 1, letter, OUCH_PLACES_BOTH, "Ringside: S stop, T trailing stop, N none")             \
    X(25, TRIGGER_PRICE, trigger_price, 201, 8, u64, OUCH_PLACES_BOTH, "Ringside: stop price")                         \
    X(26, TRAIL_OFFSET, trail_offset, 202, 8, u64, OUCH_PLACES_BOTH, "Ringside: distance of a trailing stop")          \
    X(27, SELF_MATCH, self_match, 203, 1, letter, OUCH_PLACES_BOTH, "Ringside: O, W, D, Y, o, w, d, y; N none")        \
    X(28, USER, user, 204, 6, text, OUCH_PLACES_OUT, "Ringside: of a drop copy, whose message it is")

/* The bits of `present`. */
enum ouch_option_bit {
#define X(bit, NAME, name, tag, bytes, kind, places, meaning) OUCH_HAS_##NAME = 1 << (bit),
    OUCH_OPTIONS(X)
#undef X
};

enum ouch_option_tag {
#define X(bit, NAME, name, tag, bytes, kind, places, meaning) OUCH_TAG_##NAME = (tag),
    OUCH_OPTIONS(X)
#undef X
};

#define OUCH_DECLARE_letter(name, bytes) uint8_t name;
#define OUCH_DECLARE_u16(name, bytes)    uint16_t name;
#define OUCH_DECLARE_u32(name, bytes)    uint32_t name;
#define OUCH_DECLARE_i32(name, bytes)    int32_t name;
#define OUCH_DECLARE_u64(name, bytes)    uint64_t name;
#define OUCH_DECLARE_text(name, bytes)   char name[bytes];

/* The values of an appendage; those whose bit is not in `present` mean nothing. */
struct ouch_options {
    uint32_t present; /* enum ouch_option_bit */
#define X(bit, NAME, name, tag, bytes, kind, places, meaning) OUCH_DECLARE_##kind(name, bytes)
    OUCH_OPTIONS(X)
#undef X
};

/* All options at once: a sum over the table. NOLINTBEGIN(bugprone-macro-parentheses) */
#define X(bit, NAME, name, tag, bytes, kind, places, meaning) +(2 + (bytes))
enum { OUCH_OPTIONS_BYTES_MAX = 0 OUCH_OPTIONS(X) };
#undef X
/* NOLINTEND(bugprone-macro-parentheses) */

/* What stands behind a message's fixed part. */
struct ouch_appendage {
    const uint8_t *bytes; /* decoding: inside the message given */
    uint16_t count;
    bool present; /* whether the Appendage Length is there; counts only where it may be left out */
};

/*
 * Reads the options of an appendage found in a message of `place`. NULL, or the rule that is broken; then only
 * ret->present is certain to be what it was.
 */
const char *ouch_options_decode(struct ouch_appendage appendage, uint32_t place, struct ouch_options *ret);

/*
 * The channel that an appendage names, whatever else in it breaks a rule: a request that is refused for its options is
 * refused on its own channel. false: none is named, as far as the lengths can be followed.
 */
bool ouch_options_channel(struct ouch_appendage appendage, uint8_t *ret_channel);

/* Writes at most OUCH_OPTIONS_BYTES_MAX and returns the bytes written, for the caller to make an appendage of. */
uint32_t ouch_options_encode(uint8_t *out, const struct ouch_options *options);

#endif
