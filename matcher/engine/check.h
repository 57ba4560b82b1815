/*
 * What an order may ask for: each rule with the reject reason of OUCH that breaking it gives. What the engine does not
 * do yet is refused here, by name, so that nothing a client asks for is passed over in silence.
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
};

enum side_code check_side(uint8_t letter);

/* What ENTER and REPLACE have in common. On REASON_NONE *ret_index is the price in ticks of the book; 0: market. */
enum reason check_terms(const struct book *book, const struct command_order *order, uint32_t *ret_index);

/* What ENTER has besides. `firm` is the session's. */
enum reason check_entry(const struct command_order *order, uint32_t firm);

#endif
