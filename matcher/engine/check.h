/*
 * What an order may ask for (docs/engine.md, Conditions): each rule with the reject reason of OUCH that breaking it
 * gives, in the order in which they are judged. Nearly all orders are plain, and few rules are looked at for them.
 */
#ifndef RINGSIDE_ENGINE_CHECK_H
#define RINGSIDE_ENGINE_CHECK_H

#include "state.h"

/* Reject reasons of OUCH 5.0. */
enum reason {
    REASON_NONE = 0,
    REASON_CLOSED = 0x0002,
    REASON_DISPLAY = 0x0003,
    REASON_MAX_FLOOR = 0x0004,
    REASON_PEG_TYPE = 0x0005,
    REASON_FAT_FINGER = 0x0006,
    REASON_HALTED = 0x0007,
    REASON_SWEEP = 0x0008,
    REASON_SIDE = 0x0009,
    REASON_PROCESSING = 0x000a, /* a limit of the engine */
    REASON_FIRM = 0x000c,
    REASON_MIN_QUANTITY = 0x000d,
    REASON_OTHER = 0x000f,
    REASON_PEGGING = 0x0011,
    REASON_QUANTITY = 0x0013,
    REASON_CROSS_TYPE = 0x0014,
    REASON_SYMBOL = 0x0017,
    REASON_PRICE = 0x001d,
    REASON_SHARES = 0x001e,
    REASON_NOTIONAL = 0x001f,
    REASON_FIRM_NOTIONAL = 0x0030,
    REASON_FIRM_QUANTITY = 0x0031,
};

/* An order as it asks to be: of a REPLACE with what it inherits. */
struct asked {
    const struct command_order *order;
    uint32_t instrument;
    uint32_t firm;
    uint32_t exposed; /* shares that it would have open; the order's quantity counts its chain's executions too */
    enum side_code code;
    uint8_t cross_type;
    bool plain;           /* nothing rare asked for, or inherited */
    bool inherits_expiry; /* time in force 6 needs no expire_s */
};

enum side_code check_side(uint8_t letter);

/* Nothing that comes by option, and none of the rarer letters. */
bool check_plain(const struct command_order *order);

/* On REASON_NONE *ret_index is the price in ticks of the book; 0: market. */
enum reason check_conditions(const struct engine *engine, const struct asked *asked, uint32_t *ret_index);

/* What ENTER has besides. `firm` is the session's. */
enum reason check_entry(const struct command_order *order, uint32_t firm);

/* What the firm may ask for. */
enum reason check_firm(const struct engine *engine, const struct asked *asked);

static inline bool order_is_post_only(uint32_t options)
{
    return (options & OPTION_IS_POST_ONLY) != 0;
}

static inline bool price_type_is_peg(uint8_t price_type)
{
    return price_type == 'P' || price_type == 'M' || price_type == 'm' || price_type == 'R';
}

#endif
