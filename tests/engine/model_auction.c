/* The reference model: an auction, in the steps of docs/engine.md. */
#include "model_parts.h"

struct auction {
    struct model *model;
    uint32_t instrument;
    char kind;
    const char *cross_types; /* of the waiting orders that take part */
};

static bool takes_part(const struct auction *auction, const struct model_order *order)
{
    return order->instrument == auction->instrument && one_of(order->cross_type, auction->cross_types) &&
           (order->place == MODEL_WAITING || at_a_price(order));
}

static bool imbalance_only(const struct model_order *order)
{
    return order->handle_inst == 'I';
}

/* ---- 1: cross orders join the book --------------------------------------------------------------------------------
 */

static void crosses_join(struct auction *auction)
{
    struct model_order *next;
    for (struct model_order *order = model_first(auction->model, auction->instrument, MODEL_WAITING); order;
         order = next) {
        next = model_next(auction->model, order);
        if (!takes_part(auction, order) || imbalance_only(order))
            continue;
        order->price_ticks = order->limit_ticks;
        model_join(auction->model, order, sells(order->side) ? MODEL_HIDDEN_ASKS : MODEL_HIDDEN_BIDS);
    }
}

/* ---- 2: the price -------------------------------------------------------------------------------------------------
 */

/* Whether an order would trade at this price. */
static bool at_or_better(const struct model_order *order, int32_t price_ticks)
{
    if (order->price_ticks == PRICE_TICKS_MARKET)
        return true;
    return sells(order->side) ? order->price_ticks <= price_ticks : order->price_ticks >= price_ticks;
}

struct sums {
    uint64_t bids, asks;
};

static struct sums sums_at(const struct auction *auction, int32_t price_ticks)
{
    struct sums sums = {0, 0};
    for (uint32_t i = 0; i < auction->model->order_count; i++) {
        const struct model_order *order = &auction->model->orders[i];
        if (order->instrument != auction->instrument || !at_a_price(order) || !at_or_better(order, price_ticks))
            continue;
        *(sells(order->side) ? &sums.asks : &sums.bids) += order->leaves;
    }
    return sums;
}

/* The best limit of a side that takes part: the lowest of asks, the highest of bids; 0: there is none. */
static int32_t best_limit(const struct auction *auction, bool of_sellers)
{
    int32_t best = 0;
    for (uint32_t i = 0; i < auction->model->order_count; i++) {
        const struct model_order *order = &auction->model->orders[i];
        if (order->instrument != auction->instrument || !at_a_price(order) || sells(order->side) != of_sellers ||
            order->price_ticks == PRICE_TICKS_MARKET)
            continue;
        if (best == 0 || (of_sellers ? order->price_ticks < best : order->price_ticks > best))
            best = order->price_ticks;
    }
    return best;
}

static int32_t reference_of(const struct auction *auction)
{
    const struct model_instrument *instrument = &auction->model->instruments[auction->instrument];
    if (instrument->reference != 0)
        return instrument->reference;
    if (instrument->last_trade != 0)
        return instrument->last_trade;
    int32_t ask = best_limit(auction, true);
    return ask != 0 ? ask : best_limit(auction, false);
}

struct candidate {
    int64_t price_ticks;
    uint64_t volume, difference;
    int64_t distance; /* from the reference */
};

static bool better(const struct candidate *left, const struct candidate *right)
{
    if (left->volume != right->volume)
        return left->volume > right->volume;
    if (left->difference != right->difference)
        return left->difference < right->difference;
    if (left->distance != right->distance)
        return left->distance < right->distance;
    return left->price_ticks < right->price_ticks;
}

/* Takes the price if it is one, and better than the best so far. */
static void consider(const struct auction *auction, int64_t price_ticks, int32_t reference, struct candidate *best)
{
    if (price_ticks < 1 || price_ticks > PRICE_TICKS_MAX)
        return;
    struct sums sums = sums_at(auction, (int32_t)price_ticks);
    struct candidate candidate = {
        .price_ticks = price_ticks,
        .volume = sums.bids < sums.asks ? sums.bids : sums.asks,
        .difference = sums.bids < sums.asks ? sums.asks - sums.bids : sums.bids - sums.asks,
        .distance = price_ticks > reference ? price_ticks - reference : reference - price_ticks,
    };
    if (best->price_ticks == 0 || better(&candidate, best))
        *best = candidate;
}

/*
 * 0: none. Between two neighbouring limits all prices have the same sums, so that the best price is a limit, the tick
 * beside one, the tick beside the reference, or the lowest or highest of all.
 */
static int32_t price_of(const struct auction *auction)
{
    int64_t tick = auction->model->instruments[auction->instrument].tick;
    int32_t reference = reference_of(auction);
    struct candidate best = {0};
    if (reference == 0)
        return 0;
    consider(auction, tick, reference, &best);
    consider(auction, PRICE_TICKS_MAX / tick * tick, reference, &best);
    consider(auction, reference / tick * tick, reference, &best);
    consider(auction, (reference / tick + 1) * tick, reference, &best);
    for (uint32_t i = 0; i < auction->model->order_count; i++) {
        const struct model_order *order = &auction->model->orders[i];
        if (order->instrument != auction->instrument || !at_a_price(order))
            continue;
        for (int beside = -1; beside <= 1; beside++)
            consider(auction, order->price_ticks + beside * tick, reference, &best);
    }
    return best.volume != 0 ? (int32_t)best.price_ticks : 0;
}

/* ---- 3 and 4: the trades ------------------------------------------------------------------------------------------
 */

static struct model_order *best_at(const struct auction *auction, bool of_sellers, int32_t price_ticks)
{
    struct model_order *best = model_first_maker(auction->model, auction->instrument, of_sellers);
    return best && at_or_better(best, price_ticks) ? best : NULL;
}

/* `flags`: of the buyer, of the seller. */
static void trade(const struct auction *auction, struct model_order *buyer, struct model_order *seller,
                  int32_t price_ticks, const char flags[2])
{
    model_execute(auction->model, buyer, seller, smaller(buyer->shown, seller->shown), price_ticks, flags);
    model_refill_or_leave(auction->model, buyer);
    model_refill_or_leave(auction->model, seller);
}

static void trade_with_imbalance_only(const struct auction *auction, int32_t price_ticks)
{
    bool sellers_are_left = best_at(auction, true, price_ticks) != NULL;
    char flag = auction->kind == 'C' ? 'L' : 'M';
    struct model_order *next;
    for (struct model_order *order = model_first(auction->model, auction->instrument, MODEL_WAITING); order;
         order = next) {
        next = model_next(auction->model, order);
        order->price_ticks = order->limit_ticks;
        if (!takes_part(auction, order) || !imbalance_only(order) || sells(order->side) == sellers_are_left ||
            !at_or_better(order, price_ticks))
            continue;
        struct model_order *other;
        while (order->leaves != 0 && (other = best_at(auction, sellers_are_left, price_ticks)) != NULL) {
            const char flags[2] = {sellers_are_left ? flag : auction->kind, sellers_are_left ? auction->kind : flag};
            trade(auction, sellers_are_left ? order : other, sellers_are_left ? other : order, price_ticks, flags);
        }
    }
}

static void trade_at(const struct auction *auction, int32_t price_ticks)
{
    struct model_order *buyer;
    struct model_order *seller;
    const char flags[2] = {auction->kind, auction->kind};
    while ((buyer = best_at(auction, false, price_ticks)) != NULL &&
           (seller = best_at(auction, true, price_ticks)) != NULL)
        trade(auction, buyer, seller, price_ticks, flags);
    trade_with_imbalance_only(auction, price_ticks);
}

/* ---- 6: what is left ----------------------------------------------------------------------------------------------
 */

static bool left_over(const struct model *model, const struct model_order *order, const void *asked)
{
    (void)model;
    return takes_part(asked, order);
}

/* ---- all of it ----------------------------------------------------------------------------------------------------
 */

void model_auction(struct model *model, uint32_t instrument, char kind, const char *cross_types)
{
    struct auction auction = {model, instrument, kind, cross_types};
    crosses_join(&auction);
    int32_t price_ticks = price_of(&auction);
    if (price_ticks != 0) {
        trade_at(&auction, price_ticks);
        model->instruments[instrument].reference = price_ticks;
        model_tick_at_hand(model, instrument, price_ticks);
    }
    model_cancel_of_book(model, instrument, kind == 'C' ? 'E' : 'I', left_over, &auction);
}
