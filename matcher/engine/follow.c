#include "follow.h"

#include "arrive.h"
#include "book.h"

/* ---- ticks fire stops ---------------------------------------------------------------------------------------------
 */

static void due(struct engine *engine, uint32_t index)
{
    struct order *order = &engine->orders[index];
    uint32_t special = order->terms.special;
    if (engine->specials[special].moves && engine->specials[special].trigger_kind == 'T')
        mover_remove(engine, order_instrument(order), special);
    ENGINE_REQUIRE(order_move(engine, index, WHERE_DUE, order->key));
}

/* Stops of one side whose trigger the price has reached, the first to fire first. */
static void stops_fire(struct engine *engine, uint32_t instrument, uint32_t side, int32_t price_ticks)
{
    const struct book *book = &engine->books[instrument];
    struct ladder ladder = ladder_at(engine, instrument, WHERE_STOPS, side);
    while (ladder.side->best != KEY_NONE) {
        uint32_t key = (uint32_t)ladder.side->best;
        int32_t trigger_ticks = key_price(book, !side, key);
        if (side == SIDE_BUY ? trigger_ticks > price_ticks : trigger_ticks < price_ticks)
            break;
        due(engine, level_find(engine, &ladder, key)->head);
    }
}

/* true: the price has come back from the peak by the order's distance. */
static bool trailing_fires(struct engine *engine, struct special *special, int32_t price_ticks)
{
    const struct order *order = &engine->orders[special->order];
    bool buys = order_code(order) == CODE_BUY;
    int64_t peak = special->peak_ticks;
    bool beyond = peak == 0 || (buys ? price_ticks < peak : price_ticks > peak);
    if (!beyond)
        return buys ? price_ticks >= peak + special->trigger_ticks : price_ticks <= peak - special->trigger_ticks;
    engine->state_hash -= order_hash(engine, order);
    special->peak_ticks = (uint32_t)price_ticks;
    engine->state_hash += order_hash(engine, order);
    return false;
}

static void tick(struct engine *engine, uint32_t instrument, int32_t price_ticks)
{
    stops_fire(engine, instrument, SIDE_BUY, price_ticks);
    stops_fire(engine, instrument, SIDE_SELL, price_ticks);
    for (uint32_t at = engine->annexes[instrument].mover_first, next; at != 0; at = next) {
        struct special *special = &engine->specials[at];
        next = special->mover_next;
        if (special->trigger_kind == 'T' && trailing_fires(engine, special, price_ticks))
            due(engine, special->order);
    }
}

static bool ticks(struct engine *engine, uint32_t instrument)
{
    const struct book *book = &engine->books[instrument];
    int32_t first_ticks = engine->round_first_ticks;
    engine->round_first_ticks = 0;
    if (first_ticks == 0 || (book->rare & RARE_TRIGGERS) == 0)
        return false;
    tick(engine, instrument, first_ticks);
    if (book->last_ticks != first_ticks)
        tick(engine, instrument, book->last_ticks);
    return true;
}

/* ---- pegs move ----------------------------------------------------------------------------------------------------
 */

static bool pass_begins(struct engine *engine, uint32_t instrument)
{
    const struct book *book = &engine->books[instrument];
    struct annex *annex = &engine->annexes[instrument];
    if (annex->peg_count == 0 || (annex->pass_keys[SIDE_BUY] == book->sides[SIDE_BUY].best &&
                                  annex->pass_keys[SIDE_SELL] == book->sides[SIDE_SELL].best))
        return false;
    annex->pass_keys[SIDE_BUY] = book->sides[SIDE_BUY].best;
    annex->pass_keys[SIDE_SELL] = book->sides[SIDE_SELL].best;
    engine->passing = 1;
    engine->pass_at = annex->mover_first;
    return true;
}

/* Looks at a peg; moves it if its price is another now. */
static void peg_follows(struct engine *engine, uint32_t instrument, const struct special *special)
{
    uint32_t next = special->mover_next;
    const struct order *order = &engine->orders[special->order];
    bool stands = order_where(order) == WHERE_HIDDEN;
    int32_t key = peg_key(engine, instrument, code_side(order_code(order)), special);
    bool moves = key != KEY_NONE && (!stands || order->key != (uint32_t)key);
    if (moves && must_pause(engine))
        return;
    engine->pass_at = next;
    if (key == KEY_NONE && stands)
        ENGINE_REQUIRE(order_move(engine, special->order, WHERE_WAITING, special->limit_key));
    else if (moves)
        order_activate(engine, special->order);
}

static bool pegs(struct engine *engine, uint32_t instrument)
{
    if (!engine->passing && !pass_begins(engine, instrument))
        return false;
    if (engine->pass_at == 0) {
        engine->passing = 0;
        return true;
    }
    const struct special *special = &engine->specials[engine->pass_at];
    if (special->peg != 0)
        peg_follows(engine, instrument, special);
    else
        engine->pass_at = special->mover_next;
    return true;
}

/* ---- one thing at a time ------------------------------------------------------------------------------------------
 */

bool follow_one(struct engine *engine)
{
    uint32_t instrument = engine->touched_instrument;
    if (!engine->day_open || !state_continuous(engine->books[instrument].state))
        return false;
    if (ticks(engine, instrument))
        return true;
    uint32_t first = engine->annexes[instrument].due.head;
    if (first != 0) {
        if (!must_pause(engine))
            order_activate(engine, first);
        return true;
    }
    return pegs(engine, instrument);
}
