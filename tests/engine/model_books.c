/* The reference model: the places in which orders stand, and the order in which they stand there. */
#include "model_parts.h"

#include <string.h>

void model_join(struct model *model, struct model_order *order, enum model_place place)
{
    order->place = place;
    order->joined = ++model->joined_last;
    order->shown = order->leaves;
}

/* At the end of its price: a peg at the price that was made for it, any other at its limit. */
void model_join_price(struct model *model, struct model_order *order)
{
    bool hidden = order->display == 'N';
    if (!pegged(order))
        order->price_ticks = order->limit_ticks;
    if (sells(order->side))
        model_join(model, order, hidden ? MODEL_HIDDEN_ASKS : MODEL_DISPLAYED_ASKS);
    else
        model_join(model, order, hidden ? MODEL_HIDDEN_BIDS : MODEL_DISPLAYED_BIDS);
    if (order->max_floor != 0 && order->max_floor < order->leaves)
        order->shown = order->max_floor;
    order->min_quantity = smaller(order->min_quantity, order->leaves);
}

void model_leave(struct model_order *order)
{
    order->place = MODEL_NOWHERE;
}

/* What an order of a place is sorted by, the smallest first. Market orders (in auctions) are better than any price. */
static int64_t rank(const struct model_order *order)
{
    switch (order->place) {
    case MODEL_DISPLAYED_BIDS:
    case MODEL_HIDDEN_BIDS:
        return -(int64_t)order->price_ticks;
    case MODEL_DISPLAYED_ASKS:
    case MODEL_HIDDEN_ASKS:
        return order->price_ticks == PRICE_TICKS_MARKET ? 0 : order->price_ticks;
    case MODEL_BUY_STOPS:
        return order->trigger_ticks;
    case MODEL_SELL_STOPS:
        return -(int64_t)order->trigger_ticks;
    case MODEL_NOWHERE:
    case MODEL_WAITING:
    case MODEL_DUE:
    default:
        return 0;
    }
}

static bool before(const struct model_order *left, const struct model_order *right)
{
    return rank(left) != rank(right) ? rank(left) < rank(right) : left->joined < right->joined;
}

/* The first order of the place that comes behind `after`, or of all of them. */
static struct model_order *first_behind(struct model *model, uint32_t instrument, enum model_place place,
                                        const struct model_order *after)
{
    struct model_order *first = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (order->place != place || order->instrument != instrument || (after && !before(after, order)))
            continue;
        if (!first || before(order, first))
            first = order;
    }
    return first;
}

struct model_order *model_first(struct model *model, uint32_t instrument, enum model_place place)
{
    return first_behind(model, instrument, place, NULL);
}

struct model_order *model_next(struct model *model, const struct model_order *order)
{
    return first_behind(model, order->instrument, order->place, order);
}

/* Best price first; at one price displayed orders before hidden ones; then as they joined. */
static bool priority(const struct model_order *left, const struct model_order *right)
{
    if (rank(left) != rank(right))
        return rank(left) < rank(right);
    return left->place != right->place ? left->place < right->place : left->joined < right->joined;
}

static struct model_order *maker_behind(struct model *model, uint32_t instrument, bool of_sellers,
                                        const struct model_order *after)
{
    struct model_order *first = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (!at_a_price(order) || order->instrument != instrument || sells(order->side) != of_sellers)
            continue;
        if ((!after || priority(after, order)) && (!first || priority(order, first)))
            first = order;
    }
    return first;
}

struct model_order *model_first_maker(struct model *model, uint32_t instrument, bool of_sellers)
{
    return maker_behind(model, instrument, of_sellers, NULL);
}

struct model_order *model_next_maker(struct model *model, const struct model_order *order)
{
    return maker_behind(model, order->instrument, sells(order->side), order);
}

/* Of the displayed orders; 0: none. */
int32_t model_best_price(struct model *model, uint32_t instrument, bool of_sellers)
{
    const struct model_order *best =
        model_first(model, instrument, of_sellers ? MODEL_DISPLAYED_ASKS : MODEL_DISPLAYED_BIDS);
    return best ? best->price_ticks : 0;
}

/* The live order that the command's session calls so. */
struct model_order *model_find_order(struct model *model, uint32_t user_ref)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (order->place != MODEL_NOWHERE && order->session == model->command->session && order->user_ref == user_ref &&
            order->user_ref_index == model->command->order.user_ref_index)
            return order;
    }
    return NULL;
}
