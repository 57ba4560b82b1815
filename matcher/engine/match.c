/*
 * Matching: the taker against the best orders of the other side, best price first, at one price displayed orders before
 * hidden ones, oldest first, each trade at the maker's price.
 *
 * Rules
 *   1. One EXECUTED event a trade, for both sides. The taker's message comes first.
 *   2. A maker that is filled leaves its level, the index and the pool before the next trade, or is refilled at the end
 *      of its level; one that is not keeps its place.
 *   3. When the step is full, all of what has been said is in the books, and taker holds what is left.
 *   4. match goes straight on; match_rarely is for books with hidden orders on the other side and for takers with
 *      self-match prevention.
 */
#include "book.h"
#include "output.h"
#include "prefetch.h"
#include "requests.h"
#include "self_match.h"

static inline void trade_noted(struct engine *engine, const struct trade_note *note)
{
    engine->trades[engine->match_number_last & engine->trades_mask] = *note;
}

static inline uint8_t note_codes(uint32_t taker_code, uint32_t maker_code, uint8_t flags)
{
    uint32_t taker = taker_code | (flags & EVENT_HAS_APPENDAGE ? NOTE_APPENDAGE : 0);
    uint32_t maker = maker_code | (flags & EVENT_MAKER_APPENDAGE ? NOTE_APPENDAGE : 0);
    return (uint8_t)(taker | maker << NOTE_MAKER_SHIFT);
}

void executed(struct engine *engine, const struct taker *taker, const struct order *maker, int32_t price_ticks,
              uint32_t quantity, struct liquidity liquidity)
{
    uint32_t maker_session = order_session(maker);
    uint8_t flags = taker->event_flags;
    if (maker->place & PLACE_APPENDAGE)
        flags |= EVENT_MAKER_APPENDAGE;
    struct event *event = event_begin(engine, (struct event_header){.kind = EVENT_EXECUTED,
                                                                    .flags = flags,
                                                                    .instrument = taker->instrument,
                                                                    .session = taker->session,
                                                                    .message_no = message_no(engine, taker->session),
                                                                    .user_ref = taker->user_ref,
                                                                    .user_ref_index = taker->user_ref_index,
                                                                    .side = code_letter(taker->code)});
    event->trade.order_ref = taker->order_ref;
    event->trade.maker_order_ref = order_ref(maker);
    event->trade.match_number = ++engine->match_number_last;
    PUT_PAIR(event, trade.price_ticks, (uint32_t)price_ticks, quantity);
    PUT_PAIR(event, trade.leaves_quantity, taker->quantity, order_leaves(engine, maker));
    PUT_PAIR(event, trade.maker_session, maker_session, message_no(engine, maker_session));
    uint32_t letters = order_user_ref_index(maker) | (uint32_t)code_letter(order_code(maker)) << 8 |
                       (uint32_t)liquidity.taker << 16 | (uint32_t)liquidity.maker << 24;
    PUT_PAIR(event, trade.maker_user_ref, maker->user_ref, letters);
    event->trade.reserved0 = 0;
    trade_noted(engine, &(struct trade_note){.price_ticks = (uint32_t)price_ticks,
                                             .quantity = quantity,
                                             .session = taker->session,
                                             .maker_session = maker_session,
                                             .user_ref = taker->user_ref,
                                             .maker_user_ref = maker->user_ref,
                                             .instrument = taker->instrument,
                                             .user_ref_index = taker->user_ref_index,
                                             .maker_user_ref_index = order_user_ref_index(maker),
                                             .codes = note_codes(taker->code, order_code(maker), flags)});
}

/* ---- straight on --------------------------------------------------------------------------------------------------
 */

/* A special maker shows nothing any more: refilled, or its record goes. */
static bool special_goes_on(struct engine *engine, uint32_t index)
{
    const struct order *maker = &engine->orders[index];
    const struct special *special = special_of(engine, maker);
    if (special->reserve != 0) {
        order_refill(engine, index);
        return true;
    }
    engine->state_hash -= special_weight(special, maker->identity);
    special_free(engine, order_instrument(maker), maker->terms.special);
    return false;
}

/* Trades with the oldest order of a level. */
static inline void fill(struct engine *engine, struct taker *taker, struct level *level, int32_t price_ticks)
{
    uint32_t index = level->head;
    struct order *maker = &engine->orders[index];
    uint32_t quantity = taker->quantity < maker->quantity ? taker->quantity : maker->quantity;
    engine->state_hash -= order_weight(maker) * quantity;
    level->quantity -= quantity;
    taker->quantity -= quantity;
    maker->quantity -= quantity;
    executed(engine, taker, maker, price_ticks, quantity, (struct liquidity){'R', 'A'});
    if (maker->quantity != 0)
        return;
    if (UNLIKELY(maker->place & PLACE_SPECIAL) && special_goes_on(engine, index))
        return;
    uint32_t next = maker->next;
    level->head = next;
    *(next ? &engine->orders[next].prev : &level->tail) = 0;
    fetch_maker(engine, next);
    index_remove(engine, maker);
    order_release(engine, index);
}

/* true: done. false: the step is full, and there is more to trade. */
static bool match(struct engine *engine, struct taker *taker)
{
    struct book *book = &engine->books[taker->instrument];
    uint32_t side = !code_side(taker->code);
    struct ladder ladder = ladder_of(engine, taker->instrument, side);
    while (taker->quantity != 0 && ladder.side->best >= (int32_t)taker->limit) {
        uint32_t key = (uint32_t)ladder.side->best;
        struct level *level = level_find(engine, &ladder, key);
        int32_t price_ticks = key_price(book, side, key);
        book_touch(engine, taker->instrument, side);
        if (UNLIKELY(step_full(engine)))
            return false;
        book_trades_at(engine, book, taker->instrument, price_ticks);
        if (engine->round_first_ticks == 0)
            engine->round_first_ticks = price_ticks;
        do {
            if (UNLIKELY(step_full(engine)))
                return false;
            fill(engine, taker, level, price_ticks);
        } while (taker->quantity != 0 && level->head != 0);
        if (level->head == 0)
            level_close(engine, &ladder, key);
    }
    return true;
}

/* ---- with hidden orders and self-match prevention -----------------------------------------------------------------
 */

/* The oldest hidden order at the best price that the taker has not passed over; 0: none. */
static uint32_t hidden_next(const struct engine *engine, const struct taker *taker)
{
    struct ladder ladder = ladder_at(engine, taker->instrument, WHERE_HIDDEN, !code_side(taker->code));
    int32_t key = ladder.side->best;
    if (taker->passed != 0) {
        const struct order *passed = &engine->orders[taker->passed];
        if (passed->next != 0)
            return passed->next;
        key = level_below(engine, &ladder, (int32_t)passed->key - 1);
    }
    return key == KEY_NONE ? 0 : level_find(engine, &ladder, (uint32_t)key)->head;
}

/* The maker that the taker meets next; 0: none within its limit. */
static uint32_t maker_next(const struct engine *engine, const struct taker *taker)
{
    uint32_t side = !code_side(taker->code);
    struct ladder displayed = ladder_of(engine, taker->instrument, side);
    uint32_t hidden = hidden_next(engine, taker);
    int32_t hidden_key = hidden ? (int32_t)engine->orders[hidden].key : KEY_NONE;
    int32_t key = displayed.side->best;
    if (key >= hidden_key && key >= (int32_t)taker->limit)
        return level_find(engine, &displayed, (uint32_t)key)->head;
    return hidden_key >= (int32_t)taker->limit ? hidden : 0;
}

static bool minimum_forbids(const struct engine *engine, const struct taker *taker, const struct order *maker)
{
    uint32_t min_quantity = special_of(engine, maker)->min_quantity;
    return smaller(taker->quantity, maker->quantity) < smaller(min_quantity, maker->quantity);
}

static struct liquidity liquidity_of(const struct engine *engine, const struct order *maker)
{
    uint8_t peg = special_of(engine, maker)->peg;
    if (peg == 'M' || peg == 'm')
        return (struct liquidity){'m', 'k'};
    return (struct liquidity){'R', order_where(maker) == WHERE_HIDDEN ? 'J' : 'A'};
}

static void fill_rarely(struct engine *engine, struct taker *taker, uint32_t index)
{
    const struct order *maker = &engine->orders[index];
    struct book *book = &engine->books[taker->instrument];
    int32_t price_ticks = key_price(book, !code_side(taker->code), maker->key);
    uint32_t quantity = smaller(taker->quantity, maker->quantity);
    struct liquidity liquidity = liquidity_of(engine, maker);
    engine->touched_instrument = taker->instrument; /* also where only hidden orders trade */
    book_trades_at(engine, book, taker->instrument, price_ticks);
    if (engine->round_first_ticks == 0)
        engine->round_first_ticks = price_ticks;
    taker->quantity -= quantity;
    order_lose(engine, index, quantity);
    executed(engine, taker, maker, price_ticks, quantity, liquidity);
    order_settle(engine, index);
}

/* ---- self-match prevention ---- */

/* What is told of it, to one side. */
struct prevented {
    uint64_t order_ref;
    int32_t price_ticks;
    uint32_t decrement;
    uint32_t leaves_quantity;
    uint8_t liquidity;
    struct event_header header;
};

static void prevented_told(struct engine *engine, const struct prevented *told, uint8_t strategy, uint32_t quantity,
                           int32_t maker_ticks)
{
    bool details = strategy != 'Y' && strategy != 'y';
    struct event_header header = told->header;
    header.kind = details ? EVENT_SELF_MATCH_CANCELED : EVENT_CANCELED;
    header.reason = 'Q';
    header.message_no = message_no(engine, header.session);
    event_cut(engine, header, told->order_ref, told->price_ticks, told->decrement, told->leaves_quantity);
    struct event *event = event_place(engine, engine->event_seq_next - 1);
    event->cut.prevented_quantity = quantity;
    event->cut.prevented_ticks = maker_ticks;
    if (!details)
        return;
    event->cut.liquidity = told->liquidity;
    event->cut.self_match = strategy;
}

static struct prevented prevented_of_taker(const struct engine *engine, const struct taker *taker, uint32_t decrement,
                                           uint8_t liquidity)
{
    const struct book *book = &engine->books[taker->instrument];
    return (struct prevented){.order_ref = taker->order_ref,
                              .price_ticks = key_told(book, code_side(taker->code), taker_limit_key(engine, taker)),
                              .decrement = decrement,
                              .leaves_quantity = taker->quantity - decrement,
                              .liquidity = liquidity,
                              .header = {.flags = taker->event_flags,
                                         .instrument = taker->instrument,
                                         .session = taker->session,
                                         .user_ref = taker->user_ref,
                                         .user_ref_index = taker->user_ref_index,
                                         .side = code_letter(taker->code)}};
}

static struct prevented prevented_of_maker(const struct engine *engine, const struct order *maker, int32_t price_ticks,
                                           uint32_t decrement, uint8_t liquidity)
{
    return (struct prevented){.order_ref = order_ref(maker),
                              .price_ticks = price_ticks,
                              .decrement = decrement,
                              .leaves_quantity = order_leaves(engine, maker) - decrement,
                              .liquidity = liquidity,
                              .header = {.flags = order_flags(maker),
                                         .instrument = order_instrument(maker),
                                         .session = order_session(maker),
                                         .user_ref = maker->user_ref,
                                         .user_ref_index = order_user_ref_index(maker),
                                         .side = code_letter(order_code(maker))}};
}

static void prevent_both(struct engine *engine, struct taker *taker, uint32_t index, uint32_t quantity,
                         int32_t price_ticks)
{
    uint8_t strategy = taker->terms.self_match;
    const struct order *maker = &engine->orders[index];
    struct liquidity liquidity = liquidity_of(engine, maker);
    struct prevented of_taker = prevented_of_taker(engine, taker, quantity, liquidity.taker);
    struct prevented of_maker = prevented_of_maker(engine, maker, price_ticks, quantity, liquidity.maker);
    prevented_told(engine, &of_taker, strategy, quantity, price_ticks);
    prevented_told(engine, &of_maker, strategy, quantity, price_ticks);
    taker->quantity -= quantity;
    order_lose(engine, index, quantity);
    order_settle(engine, index);
}

/* Keeps the taker and an order of the same firm from trading with each other. */
static void prevent(struct engine *engine, struct taker *taker, uint32_t index)
{
    uint8_t strategy = taker->terms.self_match;
    const struct order *maker = &engine->orders[index];
    int32_t price_ticks = key_price(&engine->books[taker->instrument], !code_side(taker->code), maker->key);
    uint32_t quantity = smaller(taker->quantity, maker->quantity);
    if (self_match_decrements(strategy)) {
        prevent_both(engine, taker, index, quantity, price_ticks);
        return;
    }
    struct liquidity liquidity = liquidity_of(engine, maker);
    struct prevented told =
        self_match_ends_taker(strategy)
            ? prevented_of_taker(engine, taker, taker->quantity, liquidity.taker)
            : prevented_of_maker(engine, maker, price_ticks, order_leaves(engine, maker), liquidity.maker);
    prevented_told(engine, &told, strategy, quantity, price_ticks);
    if (self_match_ends_taker(strategy))
        taker->quantity = 0;
    else
        order_leave(engine, index);
}

static bool match_rarely(struct engine *engine, struct taker *taker)
{
    while (taker->quantity != 0) {
        uint32_t index = maker_next(engine, taker);
        if (index == 0)
            return true;
        const struct order *maker = &engine->orders[index];
        bool forbidden = minimum_forbids(engine, taker, maker);
        if (!forbidden && step_full(engine))
            return false;
        if (forbidden)
            taker->passed = index;
        else if (is_own(taker, maker))
            prevent(engine, taker, index);
        else
            fill_rarely(engine, taker, index);
    }
    return true;
}

/* ---- a taker's trades, and what is left of it ---------------------------------------------------------------------
 */

static inline bool is_straight(const struct engine *engine, const struct taker *taker)
{
    uint8_t hidden = code_side(taker->code) == SIDE_BUY ? RARE_HIDDEN_ASKS : RARE_HIDDEN_BIDS;
    return (engine->books[taker->instrument].rare & hidden) == 0 && taker->terms.self_match == 0;
}

void taker_trade(struct engine *engine)
{
    engine->round_first_ticks = 0;
    engine->taker.passed = 0;
    taker_trade_on(engine);
}

void taker_trade_on(struct engine *engine)
{
    struct taker *taker = &engine->taker;
    engine->work.taking = TAKING_NOTHING;
    bool straight = LIKELY(is_straight(engine, taker)) && taker->passed == 0;
    if (!(straight ? match(engine, taker) : match_rarely(engine, taker))) {
        engine->work.taking = TAKING_MATCH;
        return;
    }
    if (taker->quantity == 0)
        taker_end(engine);
    else if (UNLIKELY(taker->collared))
        taker_cancel(engine, 'K');
    else if (!taker->rests)
        taker_cancel(engine, 'I');
    else if (LIKELY(!taker->rare))
        order_join(engine, taker);
    else
        taker_rest(engine);
}
