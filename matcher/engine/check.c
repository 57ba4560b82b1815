#include "check.h"

#include <string.h>

enum side_code check_side(uint8_t letter)
{
    switch (letter) {
    case 'B':
        return CODE_BUY;
    case 'S':
        return CODE_SELL;
    case 'T':
        return CODE_SHORT;
    case 'E':
        return CODE_EXEMPT;
    default:
        return CODE_NONE;
    }
}

static enum reason check_price_type(const struct command_order *order)
{
    switch (order->price_type) {
    case 'L':
    case ' ':
    case 0:
        return order->peg_offset_ticks != 0 ? REASON_PEGGING : REASON_NONE;
    case 'P':
    case 'M':
    case 'R':
    case 'Q':
    case 'm':
        return REASON_PEGGING;
    default:
        return REASON_PEG_TYPE;
    }
}

/* No condition that comes by option: what nearly all orders are. */
static inline bool unconditional(const struct command_order *order)
{
    const uint32_t unusual =
        OPTION_IS_SWEEP | OPTION_IS_POST_ONLY | OPTION_IS_TRADE_NOW | OPTION_TRIGGER | OPTION_SELF_MATCH;
    uint32_t values = order->min_quantity | order->max_floor | (uint32_t)order->peg_offset_ticks |
                      order->random_reserve | order->expire_s | (uint32_t)order->trigger_ticks;
    return ((order->options & unusual) | values | order->trigger_kind | order->self_match) == 0 &&
           order->price_type == 'L' && order->handle_inst == ' ';
}

/* Conditions that come by option, in the order in which they are judged. */
static enum reason check_conditions(const struct command_order *order)
{
    if ((order->options & OPTION_IS_SWEEP) != 0)
        return REASON_SWEEP;
    if (order->min_quantity != 0)
        return REASON_MIN_QUANTITY;
    if ((order->max_floor | order->random_reserve) != 0)
        return REASON_MAX_FLOOR;
    if ((order->options & (OPTION_IS_POST_ONLY | OPTION_IS_TRADE_NOW | OPTION_TRIGGER | OPTION_SELF_MATCH)) != 0)
        return REASON_OTHER;
    if (order->handle_inst != ' ' && order->handle_inst != 0)
        return REASON_OTHER;
    if ((order->expire_s | (uint32_t)order->trigger_ticks | order->trigger_kind | order->self_match) != 0)
        return REASON_OTHER;
    return check_price_type(order);
}

static bool price_fits(const struct book *book, int32_t price_ticks, uint32_t *ret_index)
{
    if (UNLIKELY(price_ticks == PRICE_TICKS_MARKET)) {
        *ret_index = 0;
        return true;
    }
    if (price_ticks <= 0 || price_ticks > PRICE_TICKS_MAX)
        return false;
    *ret_index = price_index(book, price_ticks);
    return *ret_index * book->tick_ticks == (uint32_t)price_ticks;
}

enum reason check_terms(const struct book *book, const struct command_order *order, uint32_t *ret_index)
{
    if (order->quantity - 1 >= QUANTITY_MAX)
        return REASON_QUANTITY;
    if (book->lot_quantity > 1 && order->quantity % book->lot_quantity != 0)
        return REASON_QUANTITY;
    if (!price_fits(book, order->price_ticks, ret_index))
        return REASON_PRICE;
    if (order->display != 'Y' && order->display != 'A')
        return REASON_DISPLAY;
    if (order->time_in_force != '0' && order->time_in_force != '3')
        return REASON_OTHER;
    return LIKELY(unconditional(order)) ? REASON_NONE : check_conditions(order);
}

enum reason check_entry(const struct command_order *order, uint32_t firm)
{
    if (order->capacity != 'A' && order->capacity != 'P' && order->capacity != 'R' && order->capacity != 'O')
        return REASON_OTHER;
    uint32_t asked;
    memcpy(&asked, order->firm, sizeof(asked));
    if (asked != FIRM_BLANK && asked != 0 && asked != firm && firm != FIRM_BLANK)
        return REASON_FIRM;
    return order->cross_type == 'N' ? REASON_NONE : REASON_CROSS_TYPE;
}
