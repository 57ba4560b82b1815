#include "arrive.h"

#include "book.h"
#include "check.h"
#include "output.h"
#include "requests.h"
#include "self_match.h"

/* ---- where it stays -----------------------------------------------------------------------------------------------
 */

static void taker_told_cut(struct engine *engine, const struct taker *taker, uint8_t reason)
{
    const struct book *book = &engine->books[taker->instrument];
    event_cut(engine,
              (struct event_header){.kind = EVENT_CANCELED,
                                    .flags = taker->event_flags,
                                    .instrument = taker->instrument,
                                    .session = taker->session,
                                    .message_no = message_no(engine, taker->session),
                                    .user_ref = taker->user_ref,
                                    .user_ref_index = taker->user_ref_index,
                                    .side = code_letter(taker->code),
                                    .reason = reason},
              taker->order_ref, key_told(book, code_side(taker->code), taker_limit_key(engine, taker)), taker->quantity,
              0);
}

void taker_end(struct engine *engine)
{
    uint32_t special = engine->taker.terms.special;
    if (UNLIKELY(special != 0))
        special_free(engine, engine->taker.instrument, special);
}

void taker_cancel(struct engine *engine, uint8_t reason)
{
    taker_told_cut(engine, &engine->taker, reason);
    taker_end(engine);
}

static void taker_stand(struct engine *engine, enum where where)
{
    if (!order_stand(engine, &engine->taker, where))
        taker_cancel(engine, 'Z');
}

void taker_rest(struct engine *engine)
{
    const struct taker *taker = &engine->taker;
    bool tight = pool_room(&engine->far_level_pool) == 0; /* taker_stand looks for room */
    if (taker->terms.display == 'N')
        taker_stand(engine, WHERE_HIDDEN);
    else if (taker->terms.special != 0 || tight)
        taker_stand(engine, WHERE_DISPLAYED);
    else
        order_join(engine, taker);
}

/* ---- pegs ---------------------------------------------------------------------------------------------------------
 */

static int64_t best_ticks(const struct engine *engine, uint32_t instrument, uint32_t side)
{
    const struct book *book = &engine->books[instrument];
    int32_t best = book->sides[side].best;
    return best == KEY_NONE ? 0 : key_price(book, side, (uint32_t)best);
}

/* Twice the reference; 0: there is none. */
static int64_t peg_reference_twice(const struct engine *engine, uint32_t instrument, uint32_t side, uint8_t peg)
{
    int64_t own = best_ticks(engine, instrument, side);
    int64_t other = best_ticks(engine, instrument, !side);
    if (peg == 'R')
        return 2 * own;
    if (peg == 'P')
        return 2 * other;
    return own != 0 && other != 0 ? own + other : 0;
}

int32_t peg_key(const struct engine *engine, uint32_t instrument, uint32_t side, const struct special *special)
{
    const struct book *book = &engine->books[instrument];
    int64_t twice = peg_reference_twice(engine, instrument, side, special->peg);
    int64_t unit = 2 * (int64_t)book->tick_ticks;
    if (twice == 0)
        return KEY_NONE;
    twice += 2 * (int64_t)special->peg_offset_ticks;
    if (special->limit_key != KEY_MARKET) {
        int64_t limit = 2 * (int64_t)key_price(book, side, special->limit_key);
        bool beyond = side == SIDE_BUY ? twice > limit : twice < limit;
        twice = beyond ? limit : twice;
    }
    if (twice <= 0)
        return KEY_NONE;
    int64_t index = side == SIDE_BUY ? twice / unit : (twice + unit - 1) / unit;
    if (index == 0 || index * book->tick_ticks > PRICE_TICKS_MAX)
        return KEY_NONE;
    return (int32_t)((uint32_t)index ^ key_flip(side));
}

/* ---- arriving -----------------------------------------------------------------------------------------------------
 */

/* A stop whose price has been traded at already. */
static bool fired_before(const struct book *book, const struct taker *taker, const struct special *special)
{
    int32_t trigger_ticks = (int32_t)special->trigger_ticks;
    if (!state_continuous(book->state) || book->last_ticks == 0)
        return false;
    return taker->code == CODE_BUY ? book->last_ticks >= trigger_ticks : book->last_ticks <= trigger_ticks;
}

/* true: it waits for its trigger. */
static bool waits_for_trigger(struct engine *engine)
{
    const struct taker *taker = &engine->taker;
    const struct book *book = &engine->books[taker->instrument];
    struct special *special = &engine->specials[taker->terms.special];
    if (special->trigger_kind == 0)
        return false;
    if (special->trigger_kind == 'T') {
        special->peak_ticks = (uint32_t)book->last_ticks;
        mover_add(engine, taker->instrument, taker->terms.special);
        taker_stand(engine, WHERE_WAITING);
        return true;
    }
    if (fired_before(book, taker, special)) {
        special->trigger_kind = 0;
        special->trigger_ticks = 0;
        return false;
    }
    taker_stand(engine, WHERE_STOPS);
    return true;
}

void taker_arrive(struct engine *engine)
{
    if (waits_for_trigger(engine))
        return;
    if (engine->taker.terms.cross_type != 'N')
        taker_stand(engine, WHERE_WAITING);
    else
        taker_enter(engine);
}

static void taker_park(struct engine *engine)
{
    struct taker *taker = &engine->taker;
    if (engine->specials[taker->terms.special].peg)
        taker->key = engine->specials[taker->terms.special].limit_key;
    taker_stand(engine, WHERE_WAITING);
}

/* Where nothing trades. */
static void taker_collected(struct engine *engine)
{
    struct taker *taker = &engine->taker;
    const struct special *special = &engine->specials[taker->terms.special];
    if (special->peg && !special->moves)
        mover_add(engine, taker->instrument, taker->terms.special);
    if (special->peg || special->min_quantity != 0)
        taker_park(engine);
    else if (!taker->rests)
        taker_cancel(engine, 'I');
    else
        taker_rest(engine);
}

/* true: it has a price. */
static bool peg_priced(struct engine *engine)
{
    struct taker *taker = &engine->taker;
    const struct special *special = &engine->specials[taker->terms.special];
    if (!special->moves && taker->rests)
        mover_add(engine, taker->instrument, taker->terms.special);
    int32_t key = peg_key(engine, taker->instrument, code_side(taker->code), special);
    if (key != KEY_NONE) {
        taker->key = (uint32_t)key;
        taker->limit = taker->key ^ KEY_MASK;
        return true;
    }
    if (taker->rests)
        taker_park(engine);
    else
        taker_cancel(engine, 'I');
    return false;
}

/* Why a post-only order must not stay: the letter of OUCH; 0: it may. */
static uint8_t post_only_meets(const struct engine *engine, const struct taker *taker)
{
    uint32_t other = !code_side(taker->code);
    if (!order_is_post_only(taker->terms.options))
        return 0;
    if (engine->books[taker->instrument].sides[other].best >= (int32_t)taker->limit)
        return 'G';
    return engine->annexes[taker->instrument].hidden[other].best >= (int32_t)taker->limit ? 'F' : 0;
}

/* The worst key of the other side that a collar allows. */
static uint32_t collar_limit(const struct book *book, uint32_t side, int32_t collar_ticks)
{
    int64_t ticks = (int64_t)book->reference_ticks + (side == SIDE_BUY ? collar_ticks : -(int64_t)collar_ticks);
    if (side == SIDE_BUY)
        return price_index(book, ticks >= PRICE_TICKS_MARKET ? PRICE_TICKS_MARKET - 1 : (int32_t)ticks) ^ KEY_MASK;
    return ticks <= 0 ? 0 : (uint32_t)((ticks + book->tick_ticks - 1) / book->tick_ticks);
}

static void taker_collar(struct engine *engine)
{
    struct taker *taker = &engine->taker;
    const struct book *book = &engine->books[taker->instrument];
    const struct annex *annex = &engine->annexes[taker->instrument];
    taker->collared = 0;
    if (annex->collar_ticks == 0 || book->reference_ticks == 0)
        return;
    uint32_t limit = collar_limit(book, code_side(taker->code), annex->collar_ticks);
    if (limit <= taker->limit && taker->key != KEY_MARKET)
        return;
    taker->collared = 1;
    taker->limit = limit;
}

/* true: its minimum can be met, or it has none. */
static bool minimum_met(struct engine *engine)
{
    struct taker *taker = &engine->taker;
    uint32_t min_quantity = engine->specials[taker->terms.special].min_quantity;
    if (min_quantity == 0 || taker_available(engine, taker, min_quantity) >= min_quantity)
        return true;
    if (taker->rests)
        taker_rest(engine);
    else
        taker_cancel(engine, 'I');
    return false;
}

void taker_enter(struct engine *engine)
{
    struct taker *taker = &engine->taker;
    engine->round_first_ticks = 0;
    if (!state_continuous(engine->books[taker->instrument].state)) {
        taker_collected(engine);
        return;
    }
    if (engine->specials[taker->terms.special].peg && !peg_priced(engine))
        return;
    uint8_t reason = post_only_meets(engine, taker);
    if (reason != 0) {
        taker_cancel(engine, reason);
        return;
    }
    taker_collar(engine);
    if (minimum_met(engine))
        taker_trade(engine);
}

/* ---- an order's turn ----------------------------------------------------------------------------------------------
 */

static void taker_from_order(struct engine *engine, const struct order *order, uint32_t key)
{
    struct taker *taker = &engine->taker;
    taker->instrument = order_instrument(order);
    taker->session = order_session(order);
    taker->user_ref = order->user_ref;
    taker->user_ref_index = order_user_ref_index(order);
    taker->quantity = order_leaves(engine, order);
    taker->code = (uint8_t)order_code(order);
    taker->key = key;
    taker->limit = key ^ KEY_MASK;
    taker->rests = order->terms.time_in_force != '3' && (key != KEY_MARKET || special_of(engine, order)->peg);
    taker->event_flags = order_flags(order);
    taker->rare = 1;
    taker->collared = 0;
    taker->slot = INDEX_SLOT_NONE;
    taker->terms = order->terms;
}

static void activated_told(struct engine *engine, uint64_t previous_order_ref)
{
    const struct taker *taker = &engine->taker;
    uint32_t side = code_side(taker->code);
    event_cut(engine,
              (struct event_header){.kind = EVENT_PRIORITY_UPDATED,
                                    .flags = taker->event_flags,
                                    .instrument = taker->instrument,
                                    .session = taker->session,
                                    .message_no = message_no(engine, taker->session),
                                    .user_ref = taker->user_ref,
                                    .user_ref_index = taker->user_ref_index,
                                    .side = code_letter(taker->code)},
              taker->order_ref, key_told(&engine->books[taker->instrument], side, taker->key), 0, taker->quantity);
    struct event *event = event_place(engine, engine->event_seq_next - 1);
    event->cut.previous_order_ref = previous_order_ref;
    event->cut.display = taker->terms.display;
}

void order_activate(struct engine *engine, uint32_t index)
{
    struct taker *taker = &engine->taker;
    const struct order *order = &engine->orders[index];
    uint32_t key = order->key;
    struct special *special = special_of(engine, order);
    uint64_t previous_order_ref = order_ref(order);
    if (special->peg != 0) {
        int32_t priced = peg_key(engine, order_instrument(order), code_side(order_code(order)), special);
        key = priced == KEY_NONE ? special->limit_key : (uint32_t)priced;
    }
    taker_from_order(engine, order, key);
    order_take_out(engine, index);
    if (special->trigger_kind != 0) {
        special->trigger_kind = 0;
        special->trigger_ticks = 0;
        special->peak_ticks = 0;
    }
    taker->order_ref = ++engine->order_ref_last;
    activated_told(engine, previous_order_ref);
    taker_enter(engine);
}

/* ---- available ----------------------------------------------------------------------------------------------------
 */

/* What is counted on the way. */
struct count {
    uint32_t left;      /* of the taker */
    uint32_t available; /* so far */
    bool stopped;       /* by an order of its own that would end it */
};

/* Displayed orders of a level: foreign ones give, own ones take away or end it. */
static void count_displayed(const struct engine *engine, const struct taker *taker, const struct level *level,
                            struct count *count)
{
    uint64_t shown = 0;
    uint64_t foreign = 0;
    uint64_t own = 0;
    for (uint32_t index = level->head; index != 0; index = engine->orders[index].next) {
        const struct order *order = &engine->orders[index];
        if (!is_own(taker, order)) {
            shown += order->quantity;
            foreign += order_leaves(engine, order);
        } else if (self_match_ends_taker(taker->terms.self_match)) {
            count->available += (uint32_t)(shown < count->left ? shown : count->left);
            count->stopped = true;
            return;
        } else if (self_match_decrements(taker->terms.self_match)) {
            own += order_leaves(engine, order);
        }
    }
    count->left -= (uint32_t)(own < count->left ? own : count->left);
    uint32_t got = (uint32_t)(foreign < count->left ? foreign : count->left);
    count->available += got;
    count->left -= got;
}

static void count_hidden(const struct engine *engine, const struct taker *taker, const struct level *level,
                         struct count *count)
{
    for (uint32_t index = level->head; index != 0 && count->left != 0; index = engine->orders[index].next) {
        const struct order *order = &engine->orders[index];
        uint32_t met = smaller(count->left, order->quantity);
        if (met < smaller(special_of(engine, order)->min_quantity, order->quantity))
            continue;
        if (!is_own(taker, order)) {
            count->available += met;
            count->left -= met;
        } else if (self_match_ends_taker(taker->terms.self_match)) {
            count->stopped = true;
            return;
        } else if (self_match_decrements(taker->terms.self_match)) {
            count->left -= met;
        }
    }
}

uint32_t taker_available(const struct engine *engine, const struct taker *taker, uint32_t wanted)
{
    uint32_t side = !code_side(taker->code);
    struct ladder displayed = ladder_at(engine, taker->instrument, WHERE_DISPLAYED, side);
    struct ladder hidden = ladder_at(engine, taker->instrument, WHERE_HIDDEN, side);
    int32_t displayed_key = displayed.side->best;
    int32_t hidden_key = hidden.side->best;
    struct count count = {.left = taker->quantity};
    while (count.left != 0 && count.available < wanted && !count.stopped) {
        int32_t key = displayed_key > hidden_key ? displayed_key : hidden_key;
        if (key < (int32_t)taker->limit)
            break;
        if (key == displayed_key) {
            count_displayed(engine, taker, level_find(engine, &displayed, (uint32_t)key), &count);
            displayed_key = level_below(engine, &displayed, key - 1);
        } else {
            count_hidden(engine, taker, level_find(engine, &hidden, (uint32_t)key), &count);
            hidden_key = level_below(engine, &hidden, key - 1);
        }
    }
    return count.available;
}
