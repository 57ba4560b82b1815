/* The reference model: a taker meets the makers of the other side. */
#include "model_parts.h"

#include <string.h>

static bool midpoint(const struct model_order *order)
{
    return order->price_type == 'M' || order->price_type == 'm';
}

static char taker_liquidity(const struct model_order *maker)
{
    return midpoint(maker) ? 'm' : 'R';
}

static char maker_liquidity(const struct model_order *maker)
{
    if (midpoint(maker))
        return 'k';
    return maker->display == 'N' ? 'J' : 'A';
}

/* Whether the taker's strategy keeps it from trading with this maker. */
bool model_prevented(const struct model_order *taker, const struct model_order *maker)
{
    if (taker->self_match == 0 || memcmp(taker->firm, maker->firm, FIRM_BYTES) != 0)
        return false;
    return one_of(taker->self_match, "OWDY") || taker->group == maker->group;
}

bool model_minimum_unmet(const struct model_order *maker, uint32_t quantity)
{
    return smaller(quantity, maker->leaves) < smaller(maker->min_quantity, maker->leaves);
}

/* ---- what is available to a taker with a minimum ------------------------------------------------------------------
 */

struct availability {
    uint32_t wanted, got; /* r, and what is available so far */
    bool ended;
};

static void give(struct availability *so_far, uint32_t quantity)
{
    uint32_t given = smaller(so_far->wanted, quantity);
    so_far->got += given;
    so_far->wanted -= given;
}

/* 1. The displayed orders of a price, of which `first` is one. */
static void displayed_available(struct model *model, const struct model_order *taker, struct model_order *first,
                                struct availability *so_far)
{
    uint32_t shown = 0;
    uint32_t foreign = 0;
    uint32_t own = 0;
    int32_t price_ticks = first->price_ticks;
    for (struct model_order *order = first; order && order->price_ticks == price_ticks;
         order = model_next(model, order)) {
        bool prevented = model_prevented(taker, order);
        if (prevented && one_of(taker->self_match, "Ww")) {
            give(so_far, shown);
            so_far->ended = true;
            return;
        }
        if (!prevented) {
            shown += order->shown;
            foreign += order->leaves;
        } else if (one_of(taker->self_match, "DdYy")) {
            own += order->leaves;
        }
    }
    so_far->wanted -= smaller(so_far->wanted, own);
    give(so_far, foreign);
}

/* 2. One hidden order. */
static void hidden_available(const struct model_order *taker, const struct model_order *order,
                             struct availability *so_far)
{
    if (model_minimum_unmet(order, so_far->wanted))
        return;
    if (!model_prevented(taker, order))
        give(so_far, order->leaves);
    else if (one_of(taker->self_match, "Ww"))
        so_far->ended = true;
    else if (one_of(taker->self_match, "DdYy"))
        so_far->wanted -= smaller(so_far->wanted, order->leaves);
}

uint32_t model_available(struct model *model, const struct model_order *taker)
{
    struct availability so_far = {.wanted = taker->leaves};
    int32_t displayed_done = 0; /* a price whose displayed orders have been looked at */
    struct model_order *order = model_first_maker(model, taker->instrument, !sells(taker->side));
    while (order && so_far.wanted != 0 && !so_far.ended && model_takes(model, taker, order->price_ticks)) {
        bool displayed = order->place == MODEL_DISPLAYED_BIDS || order->place == MODEL_DISPLAYED_ASKS;
        if (!displayed)
            hidden_available(taker, order, &so_far);
        else if (order->price_ticks != displayed_done)
            displayed_available(model, taker, order, &so_far);
        if (displayed)
            displayed_done = order->price_ticks;
        order = model_next_maker(model, order);
    }
    return so_far.got;
}

/* ---- what happens to a maker --------------------------------------------------------------------------------------
 */

__extension__ typedef unsigned __int128 wide;

/* What a refill shows; `order` has yet the order_ref from before it, and the number of this refill. */
static uint32_t refill_shows(const struct model *model, const struct model_order *order)
{
    uint64_t shows = order->max_floor;
    if (order->random_reserve != 0) {
        uint64_t lot = model->instruments[order->instrument].lot;
        uint64_t ref = order->order_ref ^ UINT64_C(0xc2b2ae3d27d4eb4f);
        uint64_t number = order->refills ^ UINT64_C(0x165667b19e3779f9);
        wide product = (wide)ref * number;
        uint64_t hash = (uint64_t)product ^ (uint64_t)(product >> 64);
        shows += hash % (UINT64_C(2) * order->random_reserve / lot + 1) * lot - order->random_reserve;
    }
    return shows < order->leaves ? (uint32_t)shows : order->leaves;
}

/* After it lost quantity: what has nothing to show shows more, or is no longer live. */
void model_refill_or_leave(struct model *model, struct model_order *order)
{
    order->min_quantity = smaller(order->min_quantity, order->leaves);
    if (order->leaves == 0) {
        model_leave(order);
    } else if (order->shown == 0) {
        order->refills++;
        uint32_t shows = refill_shows(model, order);
        uint64_t previous_order_ref = order->order_ref;
        order->order_ref = ++model->order_ref_last;
        model_join(model, order, order->place);
        order->shown = shows;
        model_told_refill(model, order, previous_order_ref);
    }
}

/* ---- a trade ------------------------------------------------------------------------------------------------------
 */

static void lose(struct model_order *order, uint32_t quantity)
{
    order->leaves -= quantity;
    order->shown -= quantity;
}

/* Tells it and counts it; the orders stay where they are. The buyer of an auction stands for the taker. */
void model_execute(struct model *model, struct model_order *taker, struct model_order *maker, uint32_t quantity,
                   int32_t price_ticks, const char liquidity[2])
{
    lose(taker, quantity);
    lose(maker, quantity);
    struct event *event = model_add_event(model, EVENT_EXECUTED);
    model_about(event, taker);
    model_to_order(model, event, taker);
    if (maker->appendage)
        event->flags |= EVENT_MAKER_APPENDAGE;
    event->trade = (struct event_trade){
        .order_ref = taker->order_ref,
        .maker_order_ref = maker->order_ref,
        .match_number = ++model->match_number_last,
        .price_ticks = price_ticks,
        .quantity = quantity,
        .leaves_quantity = taker->leaves,
        .maker_leaves_quantity = maker->leaves,
        .maker_session = maker->session,
        .maker_message_no = ++model->sessions[maker->session].message_no,
        .maker_user_ref = maker->user_ref,
        .maker_user_ref_index = maker->user_ref_index,
        .maker_side = maker->side,
        .liquidity = (uint8_t)liquidity[0],
        .maker_liquidity = (uint8_t)liquidity[1],
    };
    model->instruments[taker->instrument].last_trade = price_ticks;
    if (model->trade_count == MODEL_TRADES_MAX)
        model->full = true;
    else
        model->trades[model->trade_count++] =
            (struct model_trade){.match_number = model->match_number_last, .event = *event};
}

/* ---- self-match prevention ----------------------------------------------------------------------------------------
 */

/* CANCELED Q of strategy Y, SELF_MATCH_CANCELED of the others. */
static void prevented_one(struct model *model, struct model_order *order, uint32_t decrement, uint32_t prevented,
                          const struct model_order *taker, const struct model_order *maker)
{
    bool plain = one_of(taker->self_match, "Yy");
    struct event *event = model_add_event(model, plain ? EVENT_CANCELED : EVENT_SELF_MATCH_CANCELED);
    model_to_order(model, event, order);
    model_about(event, order);
    event->reason = 'Q';
    event->cut.order_ref = order->order_ref;
    event->cut.price_ticks = model_told_price(order);
    event->cut.decrement = decrement;
    event->cut.leaves_quantity = order->leaves - decrement;
    event->cut.prevented_quantity = prevented;
    event->cut.prevented_ticks = maker->price_ticks;
    if (!plain) {
        event->cut.liquidity = (uint8_t)(order == maker ? maker_liquidity(maker) : taker_liquidity(maker));
        event->cut.self_match = taker->self_match;
    }
}

static void prevent(struct model *model, struct model_order *taker, struct model_order *maker)
{
    uint32_t quantity = smaller(taker->leaves, maker->shown);
    if (one_of(taker->self_match, "Oo")) {
        prevented_one(model, maker, maker->leaves, quantity, taker, maker);
        maker->leaves = maker->shown = 0;
        model_leave(maker);
    } else if (one_of(taker->self_match, "Ww")) {
        prevented_one(model, taker, taker->leaves, quantity, taker, maker);
        taker->leaves = taker->shown = 0;
    } else {
        prevented_one(model, taker, quantity, quantity, taker, maker);
        lose(taker, quantity);
        prevented_one(model, maker, quantity, quantity, taker, maker);
        lose(maker, quantity);
        model_refill_or_leave(model, maker);
    }
}

/* ---- all of it ----------------------------------------------------------------------------------------------------
 */

/* The next maker of this taker, by priority. */
static struct model_order *next_maker(struct model *model, const struct model_order *taker)
{
    struct model_order *maker = model_first_maker(model, taker->instrument, !sells(taker->side));
    while (maker && model_takes(model, taker, maker->price_ticks)) {
        if (model_minimum_unmet(maker, taker->leaves))
            maker->passed_over_by = taker->order_ref;
        if (maker->passed_over_by != taker->order_ref)
            return maker;
        maker = model_next_maker(model, maker);
    }
    return NULL;
}

void model_match(struct model *model, struct model_order *taker)
{
    struct model_order *maker;
    int32_t first = 0;
    int32_t last = 0;
    taker->shown = taker->leaves;
    while (taker->leaves != 0 && (maker = next_maker(model, taker)) != NULL) {
        if (model_prevented(taker, maker)) {
            prevent(model, taker, maker);
            continue;
        }
        last = maker->price_ticks;
        first = first != 0 ? first : last;
        const char liquidity[2] = {taker_liquidity(maker), maker_liquidity(maker)};
        model_execute(model, taker, maker, smaller(taker->leaves, maker->shown), last, liquidity);
        model_refill_or_leave(model, maker);
    }
    model_tick_at_hand(model, taker->instrument, first);
    if (last != first)
        model_tick_at_hand(model, taker->instrument, last);
}
