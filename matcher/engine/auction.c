/*
 * The price is found by trading the levels of both sides against each other, best against best, on paper:
 *
 *   - All prices between the last ask and the last bid that trade so have the largest volume.
 *   - Of these, the difference between the sides is least between the next bid and the next ask that do not trade: at
 *     most one side has a level that trades in part, and what is left of it is then the difference all the way.
 *   - If no price lies between the two, one of them is best.
 */
#include "auction.h"

#include "book.h"
#include "cancels.h"
#include "output.h"
#include "requests.h"
#include "tour.h"

/* ---- levels of a side, displayed and hidden together --------------------------------------------------------------
 */

struct side_walk {
    const struct engine *engine;
    struct ladder ladders[2]; /* displayed, hidden */
    int32_t keys[2];          /* of the next level of each */
    uint32_t side;
    uint32_t index; /* price of the level at hand in ticks of the book; market: beyond all */
    uint64_t quantity;
    bool reserves;
    bool there;
};

static uint64_t level_total(const struct side_walk *walk, uint32_t which, uint32_t key)
{
    const struct level *level = level_find(walk->engine, &walk->ladders[which], key);
    uint64_t total = level->quantity;
    if (which != 0 || !walk->reserves)
        return total;
    for (uint32_t index = level->head; index != 0; index = walk->engine->orders[index].next)
        total += special_of(walk->engine, &walk->engine->orders[index])->reserve;
    return total;
}

/* On to the next price, all that stands there. */
static void side_walk_next(struct side_walk *walk)
{
    int32_t key = walk->keys[0] > walk->keys[1] ? walk->keys[0] : walk->keys[1];
    walk->there = key != KEY_NONE;
    walk->quantity = 0;
    if (!walk->there)
        return;
    walk->index = (uint32_t)key ^ key_flip(walk->side);
    for (uint32_t which = 0; which < 2; which++) {
        if (walk->keys[which] != key)
            continue;
        walk->quantity += level_total(walk, which, (uint32_t)key);
        walk->keys[which] = level_below(walk->engine, &walk->ladders[which], key - 1);
    }
}

static struct side_walk side_walk_begin(const struct engine *engine, uint32_t instrument, uint32_t side)
{
    struct side_walk walk = {.engine = engine, .side = side};
    walk.ladders[0] = ladder_at(engine, instrument, WHERE_DISPLAYED, side);
    walk.ladders[1] = ladder_at(engine, instrument, WHERE_HIDDEN, side);
    walk.keys[0] = walk.ladders[0].side->best;
    walk.keys[1] = walk.ladders[1].side->best;
    walk.reserves = engine->annexes[instrument].reserve_count != 0;
    side_walk_next(&walk);
    return walk;
}

/* ---- the price ----------------------------------------------------------------------------------------------------
 */

/* Prices in ticks of the book that are equally good so far. */
struct range {
    uint32_t low;
    uint32_t high;
};

/* What stands for the reference, in ticks; 0: nothing does. */
static int64_t auction_reference(const struct engine *engine, uint32_t instrument)
{
    const struct book *book = &engine->books[instrument];
    if (book->reference_ticks != 0)
        return book->reference_ticks;
    if (book->last_ticks != 0)
        return book->last_ticks;
    struct side_walk asks = side_walk_begin(engine, instrument, SIDE_SELL);
    if (asks.there && asks.index == 0)
        side_walk_next(&asks);
    if (asks.there)
        return (int64_t)asks.index * book->tick_ticks;
    struct side_walk bids = side_walk_begin(engine, instrument, SIDE_BUY);
    if (bids.there && bids.index == KEY_MASK)
        side_walk_next(&bids);
    return bids.there ? (int64_t)bids.index * book->tick_ticks : 0;
}

static uint32_t nearest(struct range range, int64_t reference_ticks, int64_t tick_ticks)
{
    if (reference_ticks <= range.low * tick_ticks)
        return range.low;
    if (reference_ticks >= range.high * tick_ticks)
        return range.high;
    int64_t below = reference_ticks / tick_ticks;
    bool lower = reference_ticks - below * tick_ticks <= (below + 1) * tick_ticks - reference_ticks;
    return (uint32_t)(lower ? below : below + 1);
}

static int64_t away_from(uint32_t price, int64_t reference_ticks, int64_t tick_ticks)
{
    int64_t distance = price * tick_ticks - reference_ticks;
    return distance < 0 ? -distance : distance;
}

/*
 * Where neither side has anything left in part, and the next bid and ask that do not trade are neighbours: the
 * difference is that bid from its price down to the bid below it, or that ask from its price up to the ask above it.
 */
static uint32_t better_of(struct range range, const struct side_walk *bids, const struct side_walk *asks,
                          int64_t reference_ticks, int64_t tick_ticks)
{
    struct side_walk below = *bids;
    struct side_walk above = *asks;
    struct range low = {range.low, bids->index};
    struct range high = {asks->index, range.high};
    side_walk_next(&below);
    side_walk_next(&above);
    if (below.there && below.index >= low.low)
        low.low = below.index + 1;
    if (above.there && above.index <= high.high)
        high.high = above.index - 1;
    uint32_t at_low = nearest(low, reference_ticks, tick_ticks);
    uint32_t at_high = nearest(high, reference_ticks, tick_ticks);
    if (bids->quantity != asks->quantity)
        return bids->quantity < asks->quantity ? at_low : at_high;
    bool lower = away_from(at_low, reference_ticks, tick_ticks) <= away_from(at_high, reference_ticks, tick_ticks);
    return lower ? at_low : at_high;
}

/* The walks stand at the first levels of which nothing trades. */
static uint32_t price_within(struct range range, const struct side_walk *bids, const struct side_walk *asks,
                             int64_t reference_ticks, int64_t tick_ticks)
{
    struct range least = range;
    if (bids->there && bids->index >= least.low)
        least.low = bids->index + 1;
    if (asks->there && asks->index <= least.high)
        least.high = asks->index - 1;
    if (least.low > least.high)
        return better_of(range, bids, asks, reference_ticks, tick_ticks);
    return nearest(least, reference_ticks, tick_ticks);
}

/* Past a level that trades in part: what is left of it is the same difference at all prices it could have. */
static void skip_partial(struct side_walk *walk, uint64_t traded_of_level)
{
    if (walk->there && traded_of_level != 0)
        side_walk_next(walk);
}

int32_t auction_price(const struct engine *engine, uint32_t instrument)
{
    const struct book *book = &engine->books[instrument];
    struct side_walk bids = side_walk_begin(engine, instrument, SIDE_BUY);
    struct side_walk asks = side_walk_begin(engine, instrument, SIDE_SELL);
    struct range range = {0, 0};
    uint64_t bid_traded = 0;
    uint64_t ask_traded = 0;
    bool trades = false;
    while (bids.there && asks.there && bids.index >= asks.index) {
        uint64_t bid_left = bids.quantity - bid_traded;
        uint64_t ask_left = asks.quantity - ask_traded;
        uint64_t quantity = bid_left < ask_left ? bid_left : ask_left;
        range = (struct range){asks.index, bids.index};
        trades = true;
        bid_traded += quantity;
        ask_traded += quantity;
        if (bid_traded == bids.quantity) {
            side_walk_next(&bids);
            bid_traded = 0;
        }
        if (ask_traded == asks.quantity) {
            side_walk_next(&asks);
            ask_traded = 0;
        }
    }
    int64_t reference_ticks = auction_reference(engine, instrument);
    if (!trades || reference_ticks == 0)
        return 0;
    skip_partial(&bids, bid_traded);
    skip_partial(&asks, ask_traded);
    range.low = range.low == 0 ? 1 : range.low;
    uint32_t highest = (uint32_t)PRICE_TICKS_MAX / book->tick_ticks;
    range.high = range.high > highest ? highest : range.high;
    return (int32_t)(price_within(range, &bids, &asks, reference_ticks, book->tick_ticks) * book->tick_ticks);
}

/* ---- trading ------------------------------------------------------------------------------------------------------
 */

/* Whether a cross order takes part in the auction at hand. */
static bool auction_takes(const struct state_sweep *states, const struct order *order)
{
    uint8_t cross_type = order->terms.cross_type;
    if (states->kind == 'C')
        return cross_type == 'C';
    return states->on_open && (cross_type == 'O' || cross_type == 'H');
}

void auction_gather(struct engine *engine, const struct state_sweep *states)
{
    uint32_t next;
    for (uint32_t index = engine->annexes[states->instrument].waiting.head; index != 0; index = next) {
        const struct order *order = &engine->orders[index];
        next = order->next;
        if (auction_takes(states, order) && order->terms.handle_inst != 'I' &&
            !order_move(engine, index, WHERE_HIDDEN, order->key))
            order_cancel(engine, index, 'Z');
    }
}

/* The best order of a side at the price or better; 0: none. */
static uint32_t side_best(const struct engine *engine, uint32_t instrument, uint32_t side, int32_t price_ticks)
{
    uint32_t limit = price_index(&engine->books[instrument], price_ticks) ^ key_flip(side);
    struct ladder displayed = ladder_at(engine, instrument, WHERE_DISPLAYED, side);
    struct ladder hidden = ladder_at(engine, instrument, WHERE_HIDDEN, side);
    struct ladder *best = displayed.side->best >= hidden.side->best ? &displayed : &hidden;
    if (best->side->best < (int32_t)limit)
        return 0;
    return level_find(engine, best, (uint32_t)best->side->best)->head;
}

/* The buyer as the header of EXECUTED tells it. */
static struct taker buyer_view(const struct engine *engine, const struct order *order)
{
    return (struct taker){.order_ref = order_ref(order),
                          .instrument = order_instrument(order),
                          .session = order_session(order),
                          .user_ref = order->user_ref,
                          .quantity = order_leaves(engine, order),
                          .user_ref_index = order_user_ref_index(order),
                          .code = (uint8_t)order_code(order),
                          .event_flags = order_flags(order)};
}

static void trade_at(struct engine *engine, uint32_t buyer, uint32_t seller, int32_t price_ticks,
                     struct liquidity liquidity)
{
    uint32_t bid = engine->orders[buyer].quantity;
    uint32_t ask = engine->orders[seller].quantity;
    uint32_t quantity = bid < ask ? bid : ask;
    order_lose(engine, buyer, quantity);
    order_lose(engine, seller, quantity);
    struct taker view = buyer_view(engine, &engine->orders[buyer]);
    executed(engine, &view, &engine->orders[seller], price_ticks, quantity, liquidity);
    order_settle(engine, buyer);
    order_settle(engine, seller);
}

bool auction_trade(struct engine *engine, const struct state_sweep *states)
{
    for (;;) {
        uint32_t buyer = side_best(engine, states->instrument, SIDE_BUY, states->price_ticks);
        uint32_t seller = side_best(engine, states->instrument, SIDE_SELL, states->price_ticks);
        if (buyer == 0 || seller == 0)
            return true;
        if (must_pause(engine))
            return false;
        trade_at(engine, buyer, seller, states->price_ticks, (struct liquidity){states->kind, states->kind});
    }
}

static bool takes_imbalance(const struct engine *engine, const struct state_sweep *states, const struct order *order)
{
    const struct book *book = &engine->books[states->instrument];
    uint32_t side = code_side(order_code(order));
    uint32_t key = price_index(book, states->price_ticks) ^ key_flip(side);
    return auction_takes(states, order) && order->terms.handle_inst == 'I' && order->key >= key;
}

/* One order that takes an imbalance, with all that is there for it; false: the step is full. */
static bool imbalance_taken(struct engine *engine, const struct state_sweep *states, uint32_t index)
{
    uint32_t side = code_side(order_code(&engine->orders[index]));
    uint8_t flag = states->kind == 'C' ? 'L' : 'M';
    for (bool live = true; live;) {
        uint32_t other = side_best(engine, states->instrument, !side, states->price_ticks);
        if (other == 0)
            return true;
        if (must_pause(engine))
            return false;
        live = engine->orders[index].quantity > engine->orders[other].quantity;
        if (side == SIDE_BUY)
            trade_at(engine, index, other, states->price_ticks, (struct liquidity){flag, states->kind});
        else
            trade_at(engine, other, index, states->price_ticks, (struct liquidity){states->kind, flag});
    }
    return true;
}

bool auction_imbalance(struct engine *engine, struct state_sweep *states)
{
    while (states->left != 0) {
        uint32_t next = engine->orders[states->left].next;
        if (takes_imbalance(engine, states, &engine->orders[states->left]) &&
            !imbalance_taken(engine, states, states->left))
            return false;
        states->left = next;
    }
    return true;
}

bool auction_left(struct engine *engine, struct state_sweep *states)
{
    struct tour tour = {.instrument = states->instrument, .stop = states->stop, .order = states->left};
    bool done = true;
    while (tour.order != 0) {
        uint32_t index = tour.order;
        bool takes = auction_takes(states, &engine->orders[index]);
        done = !takes || !must_pause(engine);
        if (!done)
            break;
        tour_next(engine, &tour);
        if (tour.stop == TOUR_DISPLAYED_ASKS || tour.stop == TOUR_BUY_STOPS || tour.stop == TOUR_SELL_STOPS)
            tour = tour_begin(engine, states->instrument,
                              tour.stop == TOUR_DISPLAYED_ASKS ? TOUR_HIDDEN_ASKS : TOUR_WAITING);
        if (takes)
            order_cancel(engine, index, states->kind == 'C' ? 'E' : 'I');
    }
    states->left = tour.order;
    states->stop = tour.stop;
    return done;
}
