/*
 * Matching: the taker against the best orders of the other side, best price first, oldest first, each trade at the
 * maker's price.
 *
 * Rules
 *   1. One EXECUTED event a trade, for both sides. The taker's message comes first.
 *   2. A maker that is filled leaves its level, the index and the pool before the next trade; one that is not keeps its
 *      place.
 *   3. When the step is full, all of what has been said is in the books, and taker holds what is left.
 */
#include "book.h"
#include "output.h"
#include "requests.h"

static inline void executed(struct engine *engine, const struct taker *taker, const struct order *maker,
                            int32_t price_ticks, uint32_t quantity)
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
    PUT_PAIR(event, trade.leaves_quantity, taker->quantity, maker->quantity);
    PUT_PAIR(event, trade.maker_session, maker_session, message_no(engine, maker_session));
    uint32_t letters = order_user_ref_index(maker) | (uint32_t)code_letter(order_code(maker)) << 8 |
                       (uint32_t)'R' << 16 | (uint32_t)'A' << 24;
    PUT_PAIR(event, trade.maker_user_ref, maker->user_ref, letters);
    event->trade.reserved0 = 0;
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
    executed(engine, taker, maker, price_ticks, quantity);
    if (maker->quantity != 0)
        return;
    uint32_t next = maker->next;
    level->head = next;
    *(next ? &engine->orders[next].prev : &level->tail) = 0;
    index_remove(engine, index_slot_of(engine, order_index_key(maker), index));
    taker->slot = NULL; /* slots may have moved */
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
        do {
            if (UNLIKELY(engine->event_seq_next >= engine->step_limit))
                return false;
            fill(engine, taker, level, price_ticks);
        } while (taker->quantity != 0 && level->head != 0);
        if (level->head == 0)
            level_close(engine, &ladder, key);
    }
    return true;
}

static void taker_cancel(struct engine *engine, const struct taker *taker)
{
    const struct book *book = &engine->books[taker->instrument];
    bool market = taker->key == KEY_MASK;
    int32_t price_ticks = market ? PRICE_TICKS_MARKET : key_price(book, code_side(taker->code), taker->key);
    event_cut(engine,
              (struct event_header){.kind = EVENT_CANCELED,
                                    .flags = taker->event_flags,
                                    .instrument = taker->instrument,
                                    .session = taker->session,
                                    .message_no = message_no(engine, taker->session),
                                    .user_ref = taker->user_ref,
                                    .user_ref_index = taker->user_ref_index,
                                    .side = code_letter(taker->code),
                                    .reason = 'I'},
              taker->order_ref, price_ticks, taker->quantity, 0);
}

void taker_trade(struct engine *engine)
{
    struct taker *taker = &engine->taker;
    engine->sweep = SWEEP_NONE;
    if (!match(engine, taker)) {
        engine->sweep = SWEEP_MATCH;
        return;
    }
    if (taker->quantity == 0)
        return;
    if (LIKELY(taker->rests))
        order_join(engine, taker);
    else
        taker_cancel(engine, taker);
}
