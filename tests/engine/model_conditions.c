/* The reference model: the conditions that an order has to meet, in the order and with the numbers of docs/engine.md.
 */
#include "model_parts.h"

#include <string.h>

/* `order` is the resolved one; its leaves is the request's quantity. */
struct judged {
    const struct model_instrument *instrument;
    const struct model_order *order;
    uint32_t left; /* for minimum quantity and maximum floor */
};

static bool in_lots(const struct judged *judged, uint32_t quantity)
{
    return quantity % judged->instrument->lot == 0;
}

static bool on_a_tick(const struct judged *judged, int32_t ticks)
{
    return ticks >= 1 && ticks <= PRICE_TICKS_MAX && (uint32_t)ticks % judged->instrument->tick == 0;
}

/* 1 to 8 */
static uint16_t plain_values(const struct judged *judged)
{
    const struct model_order *order = judged->order;
    if (order->leaves < 1 || order->leaves > QUANTITY_MAX || !in_lots(judged, order->leaves))
        return 0x0013;
    if (order->limit_ticks != PRICE_TICKS_MARKET && !on_a_tick(judged, order->limit_ticks))
        return 0x001d;
    if (!one_of(order->display, "YAN"))
        return 0x0003;
    if (!one_of(order->time_in_force, "0356E"))
        return 0x000f;
    if (order->sweep)
        return 0x0008;
    bool lives = order->expires_ns != 0 && order->expire_s == 0; /* inherited with its moment */
    if (order->time_in_force == '6' ? !lives && (order->expire_s < 1 || order->expire_s > 86399) : order->expire_s != 0)
        return 0x000f;
    if (order->trade_now)
        return 0x000f;
    if (order->handle_inst != 0 && !one_of(order->handle_inst, " I"))
        return 0x000f;
    return 0;
}

/* 9 to 12 */
static uint16_t letters(const struct judged *judged)
{
    const struct model_order *order = judged->order;
    if (order->price_type == 'Q')
        return 0x0011;
    if (!pegged(order)) {
        if (order->price_type != 0 && !one_of(order->price_type, "L "))
            return 0x0005;
        if (order->peg_offset_ticks != 0)
            return 0x0011;
    }
    if (order->self_match != 0 && !one_of(order->self_match, "OWDYowdy"))
        return 0x000f;
    if (order->trigger_kind == 0) {
        if (order->trigger_ticks != 0)
            return 0x000f;
    } else if (!one_of(order->trigger_kind, "ST")) {
        return 0x000f;
    } else if (!on_a_tick(judged, order->trigger_ticks)) {
        return 0x001d;
    }
    return one_of(order->cross_type, "NOCH") ? 0 : 0x0014;
}

/* 13 to 18 */
static uint16_t combinations(const struct judged *judged)
{
    const struct model_order *order = judged->order;
    bool cross = order->cross_type != 'N';
    bool special = pegged(order) || order->trigger_kind != 0 || order->post_only || order->min_quantity != 0 ||
                   order->max_floor != 0;
    if (cross && (!one_of(order->time_in_force, "03") || special))
        return 0x0014;
    if (order->handle_inst == 'I' && !cross)
        return 0x000f;
    if (order->handle_inst == 'I' && order->limit_ticks == PRICE_TICKS_MARKET)
        return 0x001d;
    if (pegged(order) && order->display != 'N')
        return 0x0003;
    if (pegged(order) && (order->trigger_kind != 0 || order->post_only))
        return 0x0011;
    if (order->post_only && immediate(order))
        return 0x000f;
    if (order->min_quantity > judged->left || !in_lots(judged, order->min_quantity))
        return 0x000d;
    if (order->min_quantity != 0 && (order->trigger_kind != 0 || order->post_only || order->max_floor != 0 ||
                                     (order->time_in_force != '3' && order->display != 'N')))
        return 0x000d;
    if (!in_lots(judged, order->max_floor) || (order->max_floor != 0 && order->display == 'N'))
        return 0x0004;
    if (!in_lots(judged, order->random_reserve) ||
        (order->random_reserve != 0 && order->random_reserve >= order->max_floor))
        return 0x0004;
    return 0;
}

/* 19 to 22 */
static uint16_t of_the_state(const struct judged *judged)
{
    const struct model_order *order = judged->order;
    uint8_t state = judged->instrument->state;
    if (state == 'C')
        return 0x0002;
    if ((order->cross_type == 'O' && !one_of(state, "PX")) || (order->cross_type == 'C' && !one_of(state, "POH")) ||
        (order->cross_type == 'H' && state != 'H'))
        return 0x0014;
    if (order->cross_type != 'N')
        return 0;
    if ((order->time_in_force == 'E' && state != 'X') || (order->time_in_force == '0' && !one_of(state, "POH")))
        return 0x0002;
    if (immediate(order) && state == 'P')
        return 0x0002;
    return immediate(order) && state == 'H' ? 0x0007 : 0;
}

/* Price times quantity; of a market order the reference times quantity. */
static uint64_t notional(const struct model_instrument *instrument, const struct model_order *order)
{
    int32_t price_ticks = order->limit_ticks == PRICE_TICKS_MARKET ? instrument->reference : order->limit_ticks;
    return (uint64_t)price_ticks * order->leaves;
}

/* 23 to 25 */
static uint16_t of_the_limits(const struct judged *judged)
{
    const struct model_instrument *instrument = judged->instrument;
    const struct model_order *order = judged->order;
    if (instrument->quantity_max != 0 && order->leaves > instrument->quantity_max)
        return 0x001e;
    if (instrument->notional_max != 0 && notional(instrument, order) > instrument->notional_max)
        return 0x001f;
    if (instrument->fat_finger == 0 || instrument->reference == 0 || order->limit_ticks == PRICE_TICKS_MARKET)
        return 0;
    int64_t better = (int64_t)order->limit_ticks - instrument->reference;
    if (sells(order->side))
        better = -better;
    return better > instrument->fat_finger ? 0x0006 : 0;
}

uint16_t model_conditions(const struct model *model, const struct model_order *order, uint32_t left)
{
    const struct judged judged = {&model->instruments[order->instrument], order, left};
    uint16_t reason = plain_values(&judged);
    if (reason == 0)
        reason = letters(&judged);
    if (reason == 0)
        reason = combinations(&judged);
    if (reason == 0)
        reason = of_the_state(&judged);
    if (reason == 0)
        reason = of_the_limits(&judged);
    return reason;
}

/* The firm is disabled, or its limits forbid it. */
uint16_t model_firm_reason(const struct model *model, const struct model_order *order)
{
    for (uint32_t i = 0; i < model->firm_count; i++) {
        const struct model_firm *firm = &model->firms[i];
        if (memcmp(firm->firm, order->firm, FIRM_BYTES) != 0)
            continue;
        if (firm->member_disabled || firm->operator_disabled)
            return 0x000c;
        if (firm->quantity_max != 0 && order->leaves > firm->quantity_max)
            return 0x0031;
        if (firm->notional_max != 0 && notional(&model->instruments[order->instrument], order) > firm->notional_max)
            return 0x0030;
    }
    return 0;
}
