/*
 * The straight path of a new order: plain, in a book without anything rare, within all limits. Nearly all orders are
 * such, so they are judged and stood here in one piece, which is part of the loop over commands: a call would cost as
 * much as a twentieth of it. Whatever is not certain to be so is left alone, for orders.c to judge from the beginning;
 * so this path gives what that one would, and knows no reason to reject.
 *
 * Rules
 *   1. Judging reads and decides; only when all is certain is anything written.
 *   2. Letters and values are judged as words: what would be a dozen branches, each of which is nearly always taken the
 * same way, is one.
 *   3. An order that meets no other is never laid down as engine->taker; one that does goes on in match.c.
 */
#ifndef RINGSIDE_ENGINE_STRAIGHT_H
#define RINGSIDE_ENGINE_STRAIGHT_H

#include "book.h"
#include "output.h"
#include "requests.h"

/* The letters from user_ref_index to handle_inst as one word, and the six of them that an order keeps. */
#define LETTERS        offsetof(struct command, order.user_ref_index)
#define TERMS_LETTERS  offsetof(struct command, order.time_in_force)
#define LETTERS_JUDGED UINT64_C(0xffffff00ff0000ff) /* user_ref_index; display; cross, price type, handling */
#define LETTERS_PLAIN  UINT64_C(0x204c4e0059000000) /* 0; Y; N, L, space */
_Static_assert(LETTERS % 8 == 0 && offsetof(struct command, order.handle_inst) == LETTERS + 7, "one word");
_Static_assert(offsetof(struct command, order.firm) % 8 == 4 && offsetof(struct command, order.min_quantity) % 8 == 0 &&
                   offsetof(struct command, order.trigger_ticks) == offsetof(struct command, order.min_quantity) + 20 &&
                   offsetof(struct command, order.trigger_kind) == 126,
               "what comes by option are three words and the end of a fourth");
_Static_assert(offsetof(struct command, order.time_in_force) == LETTERS + 2 &&
                   offsetof(struct terms, handle_inst) == offsetof(struct terms, time_in_force) + 5,
               "six letters of the order's terms and of ACCEPTED, as they come");

ALWAYS_INLINE uint64_t word_at(const struct command *command, size_t offset)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)command + offset, sizeof(word));
    return word;
}

ALWAYS_INLINE uint64_t word_turned(uint64_t word)
{
    return word << 32 | word >> 32;
}

ALWAYS_INLINE bool is_plain(const struct command *command)
{
    const uint32_t unusual = OPTION_IS_SWEEP | OPTION_IS_POST_ONLY | OPTION_IS_TRADE_NOW;
    size_t options = offsetof(struct command, order.min_quantity);
    return (((word_at(command, LETTERS) & LETTERS_JUDGED) ^ LETTERS_PLAIN) | word_at(command, options) |
            word_at(command, options + 8) | word_at(command, options + 16) | word_at(command, options + 32) >> 48 |
            (command->order.options & unusual)) == 0;
}

/* What a letter may be in its field, a bit each; and a side's code. */
enum letter_use {
    LETTER_IS_SIDE = 1,
    LETTER_IS_CAPACITY = 2,
    LETTER_IS_TIME_IN_FORCE = 4,
    LETTER_CODE_SHIFT = 6,
};
#define LETTER_OF_SIDE(code) (LETTER_IS_SIDE | (code) << LETTER_CODE_SHIFT)

static const uint8_t straight_letters[256] = {
    ['B'] = LETTER_OF_SIDE(CODE_BUY),    ['S'] = LETTER_OF_SIDE(CODE_SELL), ['T'] = LETTER_OF_SIDE(CODE_SHORT),
    ['E'] = LETTER_OF_SIDE(CODE_EXEMPT), ['A'] = LETTER_IS_CAPACITY,        ['P'] = LETTER_IS_CAPACITY,
    ['R'] = LETTER_IS_CAPACITY,          ['O'] = LETTER_IS_CAPACITY,        ['0'] = LETTER_IS_TIME_IN_FORCE,
    ['3'] = LETTER_IS_TIME_IN_FORCE,
};

/* What is found out about the order while it is judged. */
struct straight {
    struct session *session;
    struct book *book;
    uint32_t code; /* enum side_code */
    uint32_t side;
    uint32_t key;
    uint32_t hash; /* in the index, and where it goes there */
    uint32_t slot;
};

/* straight.c: it meets others, or is not to stay; match.c goes on. */
void straight_trades(struct engine *engine, const struct command *command, const struct straight *straight);

ALWAYS_INLINE bool letters_judged(const struct command_order *order)
{
    return (straight_letters[order->side] & LETTER_IS_SIDE & straight_letters[order->capacity] / LETTER_IS_CAPACITY &
            straight_letters[order->time_in_force] / LETTER_IS_TIME_IN_FORCE) != 0;
}

ALWAYS_INLINE bool sender_judged(const struct command *command, const struct session *session)
{
    uint32_t asked;
    memcpy(&asked, command->order.firm, sizeof(asked));
    return command->user_ref > session->user_ref_last && (asked == FIRM_BLANK || asked == 0 || asked == session->firm);
}

/* On true *ret_index is the price in ticks of the book. */
ALWAYS_INLINE bool book_judged(const struct book *book, const struct command_order *order, uint32_t *ret_index)
{
    uint32_t index = *ret_index = price_index(book, order->price_ticks);
    bool fits = (book->rare == 0) & (order->quantity - 1 < QUANTITY_MAX) &
                ((uint32_t)order->price_ticks - 1 < PRICE_TICKS_MAX) &
                (index * book->tick_ticks == (uint32_t)order->price_ticks);
    return fits && (LIKELY(book->lot_quantity <= 1) || order->quantity % book->lot_quantity == 0);
}

ALWAYS_INLINE bool room_judged(const struct engine *engine, uint32_t slot)
{
    return slot != INDEX_SLOT_NONE && pool_room(&engine->order_pool) != 0 && pool_room(&engine->far_level_pool) != 0 &&
           engine->order_ref_last < ORDER_REF_MAX;
}

ALWAYS_INLINE bool judged(const struct engine *engine, const struct command *command, struct straight *straight)
{
    const struct command_order *order = &command->order;
    if (UNLIKELY(!is_plain(command) || !letters_judged(order) || !engine->day_open || engine->firm_count != 0 ||
                 order->instrument - 1 >= engine->instrument_count))
        return false;
    straight->book = &engine->books[order->instrument];
    uint32_t index;
    if (UNLIKELY(!sender_judged(command, straight->session) || !book_judged(straight->book, order, &index)))
        return false;
    straight->code = straight_letters[order->side] >> LETTER_CODE_SHIFT;
    straight->side = code_side(straight->code);
    straight->key = index ^ key_flip(straight->side);
    straight->slot = index_room(engine, straight->hash);
    return LIKELY(room_judged(engine, straight->slot));
}

ALWAYS_INLINE void accepted_told(struct engine *engine, const struct command *command, const struct straight *straight)
{
    const struct command_order *order = &command->order;
    struct event *event = event_begin(engine, (struct event_header){.kind = EVENT_ACCEPTED,
                                                                    .flags = answer_flags(command),
                                                                    .instrument = order->instrument,
                                                                    .session = command->session,
                                                                    .message_no = ++straight->session->message_no,
                                                                    .user_ref = command->user_ref,
                                                                    .side = order->side,
                                                                    .reason = 'L'});
    event->accepted.order_ref = ++engine->order_ref_last;
    memcpy(event->accepted.symbol, straight->book->symbol, SYMBOL_BYTES);
    put_word(event, offsetof(struct event, accepted.price_ticks),
             word_turned(word_at(command, offsetof(struct command, order.quantity))));
    PUT_PAIR(event, accepted.options, order->options, straight->session->firm);
    /* Six letters and the 14 bytes of the id, each with two bytes more, in whose place comes what is next. */
    put_word(event, offsetof(struct event, accepted.time_in_force), word_at(command, TERMS_LETTERS));
    memcpy((uint8_t *)event + offsetof(struct event, accepted.client_order_id),
           (const uint8_t *)command + offsetof(struct command, order.client_order_id), CLIENT_ORDER_ID_BYTES + 2);
    uint32_t group = (uint16_t)order->group;
    memcpy((uint8_t *)event + offsetof(struct event, accepted.group), &group, sizeof(group));
    put_word(event, offsetof(struct event, accepted.min_quantity), 0);
}

ALWAYS_INLINE void terms_word(struct order *order, size_t offset, uint64_t word)
{
    memcpy((uint8_t *)&order->terms + offset, &word, sizeof(word));
}

/* The order's line, in words. */
ALWAYS_INLINE void line_written(const struct engine *engine, const struct command *command,
                                const struct straight *straight, struct order *order)
{
    const struct command_order *asked = &command->order;
    order->quantity = asked->quantity;
    order->key = straight->key;
    order->user_ref = command->user_ref;
    order->place = (asked->instrument - 1) | straight->code << PLACE_SIDE_SHIFT |
                   (uint32_t)(command->flags & COMMAND_HAS_APPENDAGE ? PLACE_APPENDAGE : 0);
    order->identity = engine->order_ref_last | (uint64_t)(command->session - 1) << ORDER_REF_BITS;
    order->terms.size = asked->quantity;
    order->terms.options = asked->options;
    order->terms.firm = straight->session->firm;
    terms_word(order, offsetof(struct terms, time_in_force), word_at(command, TERMS_LETTERS));
    terms_word(order, offsetof(struct terms, group), (uint16_t)asked->group); /* and no record, no self-match */
}

/* As order_join does. */
ALWAYS_INLINE void joined(struct engine *engine, const struct command *command, const struct straight *straight)
{
    struct pool *pool = &engine->order_pool;
    uint32_t index = pool_take(pool, engine->orders[pool->free_first].next);
    struct order *order = &engine->orders[index];
    struct ladder ladder = ladder_of(engine, command->order.instrument, straight->side);
    line_written(engine, command, straight, order);
    struct level *level = level_open(engine, &ladder, straight->key);
    uint32_t quantity = command->order.quantity;
    level_link(engine, level, index);
    level->quantity += quantity;
    engine->state_hash += order_weight(order) * quantity;
    book_touch_if(engine, command->order.instrument, straight->side, (int32_t)straight->key == ladder.side->best);
    engine->live_orders++;
    index_put(engine, straight->slot, straight->hash, index);
}

/*
 * `session` is the command's, `hash` that of the order's name in the index. false: not on the straight path, and
 * nothing has changed.
 */
ALWAYS_INLINE bool straight_enter(struct engine *engine, const struct command *command, struct session *session,
                                  uint32_t hash)
{
    struct straight straight = {.session = session, .hash = hash};
    if (!judged(engine, command, &straight))
        return false;
    straight.session->user_ref_last = command->user_ref;
    accepted_told(engine, command, &straight);
    int32_t best = straight.book->sides[!straight.side].best;
    if (best >= (int32_t)(straight.key ^ KEY_MASK) || UNLIKELY(command->order.time_in_force == '3'))
        straight_trades(engine, command, &straight);
    else
        joined(engine, command, &straight);
    return true;
}

#endif
