#include "states.h"

#include "auction.h"
#include "book.h"
#include "cancels.h"
#include "operators.h"
#include "output.h"
#include "sessions.h"
#include "tour.h"

void market_state(struct engine *engine, const struct command *command)
{
    const struct command_admin *admin = &command->admin;
    uint32_t instrument = 0;
    if (!instrument_meant(engine, admin, &instrument)) {
        command_refuse(engine, command, ENGINE_REFUSAL_UNKNOWN_INSTRUMENT);
        return;
    }
    operator_means(engine, instrument);
    if (!is_state(admin->market_state) || admin->reference_ticks < 0 || admin->reference_ticks > PRICE_TICKS_MAX) {
        command_refuse(engine, command, ENGINE_REFUSAL_INVALID);
        return;
    }
    bool all = instrument == 0;
    engine->states = (struct state_sweep){.instrument = all ? 0 : instrument - 1,
                                          .instrument_last = all ? engine->instrument_count : instrument,
                                          .reference_ticks = admin->reference_ticks,
                                          .state = admin->market_state,
                                          .phase = STATE_NEXT};
    engine->work.sweep = SWEEP_STATES;
}

/* ---- parking ------------------------------------------------------------------------------------------------------
 */

/* The orders that need a continuous market leave their prices: pegs in the order of the movers, then those with a
 * minimum in the order of the walk. */
static void orders_park(struct engine *engine, uint32_t instrument)
{
    struct annex *annex = &engine->annexes[instrument];
    for (uint32_t at = annex->mover_first; at != 0; at = engine->specials[at].mover_next) {
        const struct special *special = &engine->specials[at];
        if (special->peg != 0 && order_where(&engine->orders[special->order]) == WHERE_HIDDEN)
            order_move(engine, special->order, WHERE_WAITING, special->limit_key);
    }
    struct tour tour = tour_begin(engine, instrument, TOUR_HIDDEN_BIDS);
    while (tour.order != 0 && tour.stop <= TOUR_HIDDEN_ASKS) {
        uint32_t index = tour.order;
        const struct order *order = &engine->orders[index];
        tour_next(engine, &tour);
        if (special_of(engine, order)->min_quantity != 0)
            order_move(engine, index, WHERE_WAITING, order->key);
    }
}

static bool is_parked(const struct engine *engine, const struct order *order)
{
    return order->terms.cross_type == 'N' && special_of(engine, order)->trigger_kind == 0;
}

static void orders_unpark(struct engine *engine, uint32_t instrument)
{
    uint32_t next;
    for (uint32_t index = engine->annexes[instrument].waiting.head; index != 0; index = next) {
        next = engine->orders[index].next;
        if (is_parked(engine, &engine->orders[index]))
            order_move(engine, index, WHERE_DUE, engine->orders[index].key);
    }
}

/* ---- a change of one instrument's state ---------------------------------------------------------------------------
 */

/* The kind of auction that the change brings; 0: none. */
static uint8_t auction_kind(uint8_t from, uint8_t to)
{
    if (to == 'O')
        return from == 'H' ? 'H' : 'O';
    if (from == 'O')
        return to == 'C' || to == 'X' ? 'C' : 0;
    return to == 'X' ? 'O' : 0;
}

static void state_begin(struct engine *engine, struct state_sweep *states)
{
    uint32_t instrument = ++states->instrument;
    struct book *book = &engine->books[instrument];
    uint8_t from = book->state;
    engine->touched_instrument = instrument;
    engine->round_first_ticks = 0;
    engine->state_hash -= book_hash(book, instrument);
    if (states->reference_ticks != 0)
        book->reference_ticks = states->reference_ticks;
    book->state = states->state;
    engine->state_hash += book_hash(book, instrument);
    instrument_told(engine, instrument, EVENT_MARKET_STATE_CHANGED);
    if (from == states->state)
        return;
    rare_set(engine, instrument, RARE_NOT_OPEN, states->state != 'O');
    if (state_continuous(from))
        orders_park(engine, instrument);
    states->kind = engine->day_open ? auction_kind(from, states->state) : 0;
    states->on_open = states->state == 'O';
    states->price_ticks = 0;
    states->phase = STATE_CLOSE;
    if (states->kind == 0)
        return;
    auction_gather(engine, states);
    states->price_ticks = auction_price(engine, instrument);
    states->phase = STATE_AUCTION;
}

static void auction_priced(struct engine *engine, struct state_sweep *states)
{
    struct book *book = &engine->books[states->instrument];
    if (states->price_ticks == 0)
        return;
    engine->state_hash -= book_hash(book, states->instrument);
    book->reference_ticks = states->price_ticks;
    engine->state_hash += book_hash(book, states->instrument);
    book_trades_at(engine, book, states->instrument, states->price_ticks);
    engine->round_first_ticks = states->price_ticks;
}

static void left_begin(const struct engine *engine, struct state_sweep *states)
{
    struct tour tour = tour_begin(engine, states->instrument, TOUR_HIDDEN_BIDS);
    if (tour.stop == TOUR_DISPLAYED_ASKS)
        tour = tour_begin(engine, states->instrument, TOUR_HIDDEN_ASKS);
    if (tour.stop == TOUR_BUY_STOPS || tour.stop == TOUR_SELL_STOPS)
        tour = tour_begin(engine, states->instrument, TOUR_WAITING);
    states->left = tour.order;
    states->stop = tour.stop;
}

static void close_begin(struct engine *engine, struct state_sweep *states)
{
    states->phase = STATE_FOLLOW;
    if (states->state != 'C' && states->state != 'X')
        return;
    engine->cancel = (struct cancel_sweep){.tour = {.instrument = states->instrument},
                                           .instrument_last = states->instrument,
                                           .cancels = CANCELS_AT_CLOSE,
                                           .reason = 'E'};
    engine->work.sweep = SWEEP_CANCELS;
}

static bool state_trades(struct engine *engine, struct state_sweep *states)
{
    if (states->price_ticks != 0 && !auction_trade(engine, states))
        return false;
    states->phase = STATE_IMBALANCE;
    states->left = engine->annexes[states->instrument].waiting.head;
    return true;
}

static bool state_imbalance(struct engine *engine, struct state_sweep *states)
{
    if (states->price_ticks != 0 && !auction_imbalance(engine, states))
        return false;
    auction_priced(engine, states);
    states->phase = STATE_LEFT;
    left_begin(engine, states);
    return true;
}

void states_sweep(struct engine *engine)
{
    struct state_sweep *states = &engine->states;
    switch ((enum state_phase)states->phase) {
    case STATE_NEXT:
        if (states->instrument == states->instrument_last)
            engine->work.sweep = SWEEP_NONE;
        else if (!must_pause(engine))
            state_begin(engine, states);
        break;
    case STATE_AUCTION:
        (void)state_trades(engine, states);
        break;
    case STATE_IMBALANCE:
        (void)state_imbalance(engine, states);
        break;
    case STATE_LEFT:
        if (auction_left(engine, states))
            states->phase = STATE_CLOSE;
        break;
    case STATE_CLOSE:
        close_begin(engine, states);
        break;
    case STATE_FOLLOW:
    default:
        if (state_continuous(states->state))
            orders_unpark(engine, states->instrument);
        engine->annexes[states->instrument].pass_keys[SIDE_BUY] = PASS_DUE;
        states->phase = STATE_NEXT;
        engine->work.follows = 1;
        break;
    }
}
