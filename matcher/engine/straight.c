/*
 * Rules
 *   1. Judging reads and decides; only when all is certain is anything written.
 *   2. Letters and values are judged as words: what would be a dozen branches, each of which is nearly always taken the
 * same way, is one.
 *   3. An order that meets no other is never laid down as engine->taker; one that does goes on in match.c.
 */
#include "straight.h"

#include "book.h"
#include "output.h"
#include "requests.h"

/* The letters from user_ref_index to handle_inst as one word. */
#define LETTERS        offsetof(struct command, order.user_ref_index)
#define LETTERS_JUDGED UINT64_C(0xffffff00ff0000ff) /* user_ref_index; display; cross, price type, handling */
#define LETTERS_PLAIN  UINT64_C(0x204c4e0059000000) /* 0; Y; N, L, space */
_Static_assert(LETTERS % 8 == 0 && offsetof(struct command, order.handle_inst) == LETTERS + 7, "one word");
_Static_assert(offsetof(struct command, order.firm) % 8 == 4 && offsetof(struct command, order.min_quantity) % 8 == 0 &&
                   offsetof(struct command, order.trigger_ticks) == offsetof(struct command, order.min_quantity) + 20 &&
                   offsetof(struct command, order.trigger_kind) == 126,
               "what comes by option are three words and the end of a fourth");

static inline uint64_t word_at(const struct command *command, size_t offset)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)command + offset, sizeof(word));
    return word;
}

static inline bool is_plain(const struct command *command, uint64_t letters)
{
    const uint32_t unusual = OPTION_IS_SWEEP | OPTION_IS_POST_ONLY | OPTION_IS_TRADE_NOW;
    size_t options = offsetof(struct command, order.min_quantity);
    return (((letters & LETTERS_JUDGED) ^ LETTERS_PLAIN) | word_at(command, options) | word_at(command, options + 8) |
            word_at(command, options + 16) | word_at(command, options + 32) >> 48 |
            (command->order.options & unusual)) == 0;
}

/* Sides by the last five bits of their letters; the others are no side. */
static const uint8_t side_codes[32] = {['S' & 31] = CODE_SELL, ['T' & 31] = CODE_SHORT, ['E' & 31] = CODE_EXEMPT};

static inline bool is_capacity(uint8_t letter)
{
    const uint32_t capacities = 1u << ('A' & 31) | 1u << ('P' & 31) | 1u << ('R' & 31) | 1u << ('O' & 31);
    return letter >> 5 == 2 && (capacities >> (letter & 31) & 1) != 0;
}

/* What the order is, once it is certain that it may be. */
struct straight {
    struct session *session;
    struct book *book;
    uint64_t letters;
    uint32_t code;
    uint32_t firm;
    uint32_t key;
    uint32_t slot;
    bool immediate;
};

static inline bool book_judged(const struct engine *engine, const struct command *command, struct straight *straight)
{
    const struct command_order *order = &command->order;
    if (UNLIKELY(order->instrument - 1 >= engine->instrument_count))
        return false;
    const struct book *book = straight->book = &engine->books[order->instrument];
    uint32_t index = price_index(book, order->price_ticks);
    bool fits = book->rare == 0 && order->quantity - 1 < QUANTITY_MAX && order->price_ticks > 0 &&
                order->price_ticks <= PRICE_TICKS_MAX && index * book->tick_ticks == (uint32_t)order->price_ticks;
    if (UNLIKELY(!fits) || (UNLIKELY(book->lot_quantity > 1) && order->quantity % book->lot_quantity != 0))
        return false;
    straight->key = index ^ key_flip(code_side(straight->code));
    return true;
}

static inline bool sender_judged(const struct engine *engine, const struct command *command, struct straight *straight)
{
    const struct session *session = straight->session = &engine->sessions[command->session];
    uint32_t asked;
    memcpy(&asked, command->order.firm, sizeof(asked));
    bool own = asked == FIRM_BLANK || asked == 0 || asked == session->firm;
    straight->firm = session->firm;
    return LIKELY(own && command->user_ref > session->user_ref_last);
}

static inline bool room_judged(const struct engine *engine, const struct command *command, struct straight *straight)
{
    struct index_key key = {command->session, command->user_ref, 0};
    straight->slot = index_room(engine, key);
    return LIKELY(straight->slot != INDEX_SLOT_NONE && pool_room(&engine->order_pool) != 0 &&
                  pool_room(&engine->far_level_pool) != 0 && engine->order_ref_last < ORDER_REF_MAX);
}

static inline bool judged(const struct engine *engine, const struct command *command, struct straight *straight)
{
    straight->letters = word_at(command, LETTERS);
    if (UNLIKELY(!is_plain(command, straight->letters) || !engine->day_open || engine->firm_count != 0))
        return false;
    straight->code = side_codes[command->order.side & 31];
    straight->immediate = command->order.time_in_force == '3';
    if (UNLIKELY(code_letter(straight->code) != command->order.side || !is_capacity(command->order.capacity) ||
                 (command->order.time_in_force != '0' && !straight->immediate)))
        return false;
    return book_judged(engine, command, straight) && sender_judged(engine, command, straight) &&
           room_judged(engine, command, straight);
}

static inline void accepted_told(struct engine *engine, const struct command *command, const struct straight *straight)
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
    event->accepted.order_ref = engine->order_ref_last;
    memcpy(event->accepted.symbol, straight->book->symbol, SYMBOL_BYTES);
    PUT_PAIR(event, accepted.price_ticks, (uint32_t)order->price_ticks, order->quantity);
    PUT_PAIR(event, accepted.options, order->options, straight->firm);
    /* Six letters and the 14 bytes of the id: the id's last two come from a word whose rest is zero. */
    uint64_t id_first = word_at(command, offsetof(struct command, order.client_order_id));
    uint64_t id_last = word_at(command, offsetof(struct command, order.client_order_id) + 8);
    put_word(event, offsetof(struct event, accepted.time_in_force), straight->letters >> 16 | id_first << 48);
    put_word(event, offsetof(struct event, accepted.client_order_id) + 2, id_first >> 16 | id_last << 48);
    put_word(event, offsetof(struct event, accepted.client_order_id) + 10,
             (uint32_t)(id_last >> 16) | (uint64_t)(uint16_t)order->group << 32);
    put_word(event, offsetof(struct event, accepted.min_quantity), 0);
}

/* As order_join does; the order's line is written in words. */
static inline void joined(struct engine *engine, const struct command *command, const struct straight *straight)
{
    const struct command_order *asked = &command->order;
    struct pool *pool = &engine->order_pool;
    uint32_t index = pool_take(pool, engine->orders[pool->free_first].next);
    struct order *order = &engine->orders[index];
    uint32_t side = code_side(straight->code);
    struct ladder ladder = ladder_of(engine, asked->instrument, side);
    struct level *level = level_open(engine, &ladder, straight->key);
    uint32_t last = level->tail;
    order->next = 0;
    order->prev = last;
    order->quantity = asked->quantity;
    order->key = straight->key;
    order->user_ref = command->user_ref;
    order->place = (asked->instrument - 1) | straight->code << PLACE_SIDE_SHIFT |
                   (command->flags & COMMAND_HAS_APPENDAGE ? PLACE_APPENDAGE : 0);
    order->identity = engine->order_ref_last | (uint64_t)(command->session - 1) << ORDER_REF_BITS;
    order->terms = (struct terms){.size = asked->quantity,
                                  .options = asked->options,
                                  .firm = straight->firm,
                                  .time_in_force = asked->time_in_force,
                                  .display = asked->display,
                                  .capacity = asked->capacity,
                                  .cross_type = asked->cross_type,
                                  .price_type = asked->price_type,
                                  .handle_inst = asked->handle_inst,
                                  .group = (uint16_t)asked->group,
                                  .slot = straight->slot};
    *(last ? &engine->orders[last].next : &level->head) = index;
    level->tail = index;
    level->quantity += asked->quantity;
    engine->touched |= (uint8_t)((uint32_t)((int32_t)straight->key == ladder.side->best) << side);
    engine->touched_instrument = asked->instrument;
    engine->live_orders++;
    index_put(engine, straight->slot, (struct index_key){command->session, command->user_ref, 0}, index);
    engine->state_hash += order_weight(order) * asked->quantity;
}

static void taker_laid_down(struct engine *engine, const struct command *command, const struct straight *straight)
{
    const struct command_order *order = &command->order;
    engine->taker = (struct taker){.order_ref = engine->order_ref_last,
                                   .instrument = order->instrument,
                                   .session = command->session,
                                   .user_ref = command->user_ref,
                                   .quantity = order->quantity,
                                   .key = straight->key,
                                   .limit = straight->key ^ KEY_MASK,
                                   .code = (uint8_t)straight->code,
                                   .rests = !straight->immediate,
                                   .event_flags = answer_flags(command),
                                   .slot = straight->slot,
                                   .terms = {.size = order->quantity,
                                             .options = order->options,
                                             .firm = straight->firm,
                                             .time_in_force = order->time_in_force,
                                             .display = order->display,
                                             .capacity = order->capacity,
                                             .cross_type = order->cross_type,
                                             .price_type = order->price_type,
                                             .handle_inst = order->handle_inst,
                                             .group = (uint16_t)order->group}};
}

bool straight_enter(struct engine *engine, const struct command *command)
{
    struct straight straight;
    if (!judged(engine, command, &straight))
        return false;
    straight.session->user_ref_last = command->user_ref;
    engine->order_ref_last++;
    accepted_told(engine, command, &straight);
    int32_t best = straight.book->sides[!code_side(straight.code)].best;
    if (UNLIKELY(straight.immediate) || best >= (int32_t)(straight.key ^ KEY_MASK)) {
        taker_laid_down(engine, command, &straight);
        taker_trade(engine);
    } else {
        joined(engine, command, &straight);
    }
    return true;
}
