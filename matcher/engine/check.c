#include "check.h"

#include "firms.h"

#include <string.h>

#define EXPIRE_S_MAX 86399u

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

static bool is_one_of(uint8_t letter, const char *letters)
{
    while (*letters != '\0' && (uint8_t)*letters != letter)
        letters++;
    return *letters != '\0';
}

bool check_plain(const struct command_order *order)
{
    const uint32_t unusual = OPTION_IS_SWEEP | OPTION_IS_POST_ONLY | OPTION_IS_TRADE_NOW;
    uint32_t values = order->min_quantity | order->max_floor | (uint32_t)order->peg_offset_ticks |
                      order->random_reserve | order->expire_s | (uint32_t)order->trigger_ticks;
    return ((order->options & unusual) | values | order->trigger_kind | order->self_match) == 0 &&
           order->price_type == 'L' && order->handle_inst == ' ' && (order->display == 'Y' || order->display == 'A') &&
           (order->time_in_force == '0' || order->time_in_force == '3');
}

/* ---- prices and quantities ----------------------------------------------------------------------------------------
 */

static bool in_lots(const struct book *book, uint32_t quantity)
{
    return book->lot_quantity <= 1 || quantity % book->lot_quantity == 0;
}

static bool on_a_tick(const struct book *book, int32_t price_ticks, uint32_t *ret_index)
{
    if (price_ticks <= 0 || price_ticks > PRICE_TICKS_MAX)
        return false;
    *ret_index = price_index(book, price_ticks);
    return *ret_index * book->tick_ticks == (uint32_t)price_ticks;
}

static bool price_fits(const struct book *book, int32_t price_ticks, uint32_t *ret_index)
{
    if (UNLIKELY(price_ticks == PRICE_TICKS_MARKET)) {
        *ret_index = 0;
        return true;
    }
    return on_a_tick(book, price_ticks, ret_index);
}

/* ---- what comes by option -----------------------------------------------------------------------------------------
 */

static bool pegged(const struct asked *asked)
{
    return price_type_is_peg(asked->order->price_type);
}

static bool immediate(const struct asked *asked)
{
    return asked->order->time_in_force == '3' || (asked->order->price_ticks == PRICE_TICKS_MARKET && !pegged(asked));
}

static enum reason check_letters(const struct asked *asked)
{
    const struct command_order *order = asked->order;
    if (!is_one_of(order->display, "YAN"))
        return REASON_DISPLAY;
    if (!is_one_of(order->time_in_force, "0356E"))
        return REASON_OTHER;
    if (order->options & OPTION_IS_SWEEP)
        return REASON_SWEEP;
    bool expires = order->time_in_force == '6';
    bool fits = expires ? asked->inherits_expiry || order->expire_s - 1 < EXPIRE_S_MAX : order->expire_s == 0;
    if (!fits || order->options & OPTION_IS_TRADE_NOW)
        return REASON_OTHER;
    return order->handle_inst == 0 || is_one_of(order->handle_inst, " I") ? REASON_NONE : REASON_OTHER;
}

static enum reason check_price_type(const struct command_order *order)
{
    if (price_type_is_peg(order->price_type))
        return REASON_NONE;
    if (order->price_type == 'Q')
        return REASON_PEGGING;
    if (order->price_type != 0 && !is_one_of(order->price_type, "L "))
        return REASON_PEG_TYPE;
    return order->peg_offset_ticks != 0 ? REASON_PEGGING : REASON_NONE;
}

static enum reason check_trigger(const struct book *book, const struct command_order *order)
{
    uint32_t index = 0;
    if (order->trigger_kind == 0)
        return order->trigger_ticks != 0 ? REASON_OTHER : REASON_NONE;
    if (!is_one_of(order->trigger_kind, "ST"))
        return REASON_OTHER;
    return on_a_tick(book, order->trigger_ticks, &index) ? REASON_NONE : REASON_PRICE;
}

static enum reason check_cross(const struct asked *asked)
{
    const struct command_order *order = asked->order;
    bool crosses = asked->cross_type != 'N';
    if (!is_one_of(asked->cross_type, "NOCH"))
        return REASON_CROSS_TYPE;
    if (crosses && (!is_one_of(order->time_in_force, "03") || pegged(asked) || order->trigger_kind != 0 ||
                    order_is_post_only(order->options) || order->min_quantity != 0 || order->max_floor != 0))
        return REASON_CROSS_TYPE;
    if (order->handle_inst != 'I')
        return REASON_NONE;
    if (!crosses)
        return REASON_OTHER;
    return order->price_ticks == PRICE_TICKS_MARKET ? REASON_PRICE : REASON_NONE;
}

static enum reason check_peg_and_post(const struct asked *asked)
{
    const struct command_order *order = asked->order;
    bool posts = order_is_post_only(order->options);
    if (pegged(asked) && order->display != 'N')
        return REASON_DISPLAY;
    if (pegged(asked) && (order->trigger_kind != 0 || posts))
        return REASON_PEGGING;
    return posts && immediate(asked) ? REASON_OTHER : REASON_NONE;
}

static enum reason check_quantities(const struct book *book, const struct asked *asked)
{
    const struct command_order *order = asked->order;
    if (order->min_quantity > asked->exposed || !in_lots(book, order->min_quantity))
        return REASON_MIN_QUANTITY;
    if (order->min_quantity != 0 && (order->trigger_kind != 0 || order_is_post_only(order->options) ||
                                     order->max_floor != 0 || (order->time_in_force != '3' && order->display != 'N')))
        return REASON_MIN_QUANTITY;
    if (!in_lots(book, order->max_floor) || (order->max_floor != 0 && order->display == 'N'))
        return REASON_MAX_FLOOR;
    if (!in_lots(book, order->random_reserve) ||
        (order->random_reserve != 0 && order->random_reserve >= order->max_floor))
        return REASON_MAX_FLOOR;
    return REASON_NONE;
}

/* ---- market state and limits --------------------------------------------------------------------------------------
 */

static enum reason check_state(const struct asked *asked, uint8_t state)
{
    if (state == 'C')
        return REASON_CLOSED;
    if (asked->cross_type != 'N') {
        const char *states = asked->cross_type == 'O' ? "PX" : asked->cross_type == 'C' ? "POH" : "H";
        return is_one_of(state, states) ? REASON_NONE : REASON_CROSS_TYPE;
    }
    uint8_t time_in_force = asked->order->time_in_force;
    if ((time_in_force == 'E' && state != 'X') || (time_in_force == '0' && state == 'X'))
        return REASON_CLOSED;
    if (!immediate(asked) || state_continuous(state))
        return REASON_NONE;
    return state == 'H' ? REASON_HALTED : REASON_CLOSED;
}

static uint64_t notional(const struct book *book, const struct command_order *order)
{
    int32_t price_ticks = order->price_ticks == PRICE_TICKS_MARKET ? book->reference_ticks : order->price_ticks;
    return (uint64_t)(uint32_t)price_ticks * order->quantity;
}

static bool fat_finger(const struct book *book, const struct annex *annex, const struct asked *asked)
{
    int32_t price_ticks = asked->order->price_ticks;
    if (annex->fat_finger_ticks == 0 || book->reference_ticks == 0 || price_ticks == PRICE_TICKS_MARKET)
        return false;
    int64_t better = (int64_t)price_ticks - book->reference_ticks;
    return (asked->code == CODE_BUY ? better : -better) > annex->fat_finger_ticks;
}

static enum reason check_limits(const struct engine *engine, const struct asked *asked)
{
    const struct book *book = &engine->books[asked->instrument];
    const struct annex *annex = &engine->annexes[asked->instrument];
    if (annex->quantity_max != 0 && asked->order->quantity > annex->quantity_max)
        return REASON_SHARES;
    if (annex->notional_max != 0 && notional(book, asked->order) > annex->notional_max)
        return REASON_NOTIONAL;
    return fat_finger(book, annex, asked) ? REASON_FAT_FINGER : REASON_NONE;
}

/* ---- all together -------------------------------------------------------------------------------------------------
 */

static enum reason check_rarely(const struct engine *engine, const struct asked *asked)
{
    const struct book *book = &engine->books[asked->instrument];
    enum reason reason = check_letters(asked);
    if (reason == REASON_NONE)
        reason = check_price_type(asked->order);
    if (reason == REASON_NONE && asked->order->self_match != 0 && !is_one_of(asked->order->self_match, "OWDYowdy"))
        reason = REASON_OTHER;
    if (reason == REASON_NONE)
        reason = check_trigger(book, asked->order);
    if (reason == REASON_NONE)
        reason = check_cross(asked);
    if (reason == REASON_NONE)
        reason = check_peg_and_post(asked);
    if (reason == REASON_NONE)
        reason = check_quantities(book, asked);
    if (reason == REASON_NONE)
        reason = check_state(asked, book->state);
    return reason == REASON_NONE && book->rare & RARE_LIMITS ? check_limits(engine, asked) : reason;
}

enum reason check_conditions(const struct engine *engine, const struct asked *asked, uint32_t *ret_index)
{
    const struct book *book = &engine->books[asked->instrument];
    const struct command_order *order = asked->order;
    if (order->quantity - 1 >= QUANTITY_MAX)
        return REASON_QUANTITY;
    if (book->lot_quantity > 1 && order->quantity % book->lot_quantity != 0)
        return REASON_QUANTITY;
    if (!price_fits(book, order->price_ticks, ret_index))
        return REASON_PRICE;
    if (LIKELY(asked->plain && (book->rare & (RARE_NOT_OPEN | RARE_LIMITS)) == 0))
        return REASON_NONE;
    return check_rarely(engine, asked);
}

enum reason check_entry(const struct command_order *order, uint32_t firm)
{
    if (order->capacity != 'A' && order->capacity != 'P' && order->capacity != 'R' && order->capacity != 'O')
        return REASON_OTHER;
    uint32_t asked;
    memcpy(&asked, order->firm, sizeof(asked));
    return asked == FIRM_BLANK || asked == 0 || asked == firm || firm == FIRM_BLANK ? REASON_NONE : REASON_FIRM;
}

enum reason check_firm(const struct engine *engine, const struct asked *asked)
{
    const struct firm *firm = firm_find(engine, asked->firm);
    if (firm == NULL)
        return REASON_NONE;
    if (firm->disabled != 0)
        return REASON_FIRM;
    if (firm->quantity_max != 0 && asked->order->quantity > firm->quantity_max)
        return REASON_FIRM_QUANTITY;
    bool above =
        firm->notional_max != 0 && notional(&engine->books[asked->instrument], asked->order) > firm->notional_max;
    return above ? REASON_FIRM_NOTIONAL : REASON_NONE;
}
