/*
 * New orders and replacements: judged, numbered, told, then traded.
 *
 * Rules
 *   1. A user_ref not above the last of its channel is a request seen before: no event, no change.
 *   2. Nothing is said before it is certain that what follows has room: an order that could rest needs a free order, a
 *      level and a short enough chain in the index, else it is rejected with 000A.
 *   3. A market order never rests, whatever its time in force: what it finds no partner for is canceled with I.
 */
#include "book.h"
#include "check.h"
#include "output.h"
#include "requests.h"

#include <string.h>

static inline bool has_room(const struct engine *engine, struct taker *taker, bool takes_order)
{
    struct index_key key = {taker->session, taker->user_ref, taker->user_ref_index};
    taker->slot = index_room(engine, key);
    if (UNLIKELY(taker->slot == NULL || (takes_order && pool_room(&engine->order_pool) == 0)))
        return false;
    if (LIKELY(pool_room(&engine->far_level_pool) != 0))
        return true; /* any price finds a level */
    struct ladder ladder = ladder_of(engine, taker->instrument, code_side(taker->code));
    return level_find(engine, &ladder, taker->key) != NULL;
}

/* What ENTER and REPLACE have in common. price_index 0 is a market order; its own key is then no price. */
static inline void taker_set(struct engine *engine, const struct command *command, uint32_t instrument,
                             enum side_code code, uint32_t price_index)
{
    struct taker *taker = &engine->taker;
    uint32_t flip = key_flip(code_side(code));
    bool market = price_index == 0;
    taker->instrument = instrument;
    taker->session = command->session;
    taker->user_ref = command->user_ref;
    taker->user_ref_index = command->order.user_ref_index;
    taker->code = (uint8_t)code;
    taker->key = market ? KEY_MASK : price_index ^ flip;
    taker->limit = market ? 0 : price_index ^ (flip ^ KEY_MASK);
    taker->rests = !market && command->order.time_in_force == '0';
    taker->event_flags = answer_flags(command);
    taker->terms.time_in_force = command->order.time_in_force;
    taker->terms.display = command->order.display;
    taker->terms.price_type = 'L';
    taker->terms.handle_inst = ' ';
    taker->terms.size = command->order.quantity;
}

/* ACCEPTED or REPLACED: all up to what the two have of their own. */
static inline struct event *taker_told(struct engine *engine, const struct command *command, uint8_t kind)
{
    const struct taker *taker = &engine->taker;
    const struct terms *terms = &taker->terms;
    struct event *event = event_begin(engine, (struct event_header){.kind = kind,
                                                                    .flags = taker->event_flags,
                                                                    .instrument = taker->instrument,
                                                                    .session = taker->session,
                                                                    .message_no = message_no(engine, taker->session),
                                                                    .user_ref = taker->user_ref,
                                                                    .user_ref_index = taker->user_ref_index,
                                                                    .side = code_letter(taker->code),
                                                                    .reason = 'L'});
    event->accepted.order_ref = taker->order_ref;
    memcpy(event->accepted.symbol, engine->books[taker->instrument].symbol, SYMBOL_BYTES);
    PUT_PAIR(event, accepted.price_ticks, (uint32_t)command->order.price_ticks, taker->quantity);
    PUT_PAIR(event, accepted.options, terms->options, terms->firm);
    /* Six letters and the first two bytes of the id are one word. */
    uint64_t letters = 0;
    memcpy(&letters, command->order.client_order_id, 2);
    letters = letters << 48 | (uint64_t)terms->handle_inst << 40 | (uint64_t)terms->price_type << 32 |
              (uint64_t)terms->cross_type << 24 | (uint64_t)terms->capacity << 16 | (uint64_t)terms->display << 8 |
              terms->time_in_force;
    put_word(event, offsetof(struct event, accepted.time_in_force), letters);
    uint64_t word;
    memcpy(&word, command->order.client_order_id + 2, sizeof(word));
    put_word(event, offsetof(struct event, accepted.client_order_id) + 2, word);
    return event;
}

static inline uint32_t last_of_id(const struct command *command)
{
    uint32_t word;
    memcpy(&word, command->order.client_order_id + 10, sizeof(word));
    return word;
}

/* ---- ENTER --------------------------------------------------------------------------------------------------------
 */

static inline enum reason entry_reason(struct engine *engine, const struct command *command)
{
    const struct command_order *order = &command->order;
    uint32_t firm = engine->sessions[command->session].firm;
    if (UNLIKELY(!engine->day_open))
        return REASON_CLOSED;
    if (UNLIKELY(order->instrument - 1 >= engine->instrument_count))
        return REASON_SYMBOL;
    enum side_code code = check_side(order->side);
    if (UNLIKELY(code == CODE_NONE))
        return REASON_SIDE;
    uint32_t index = 0;
    enum reason reason = check_terms(&engine->books[order->instrument], order, &index);
    if (UNLIKELY(reason != REASON_NONE))
        return reason;
    reason = check_entry(order, firm);
    if (UNLIKELY(reason != REASON_NONE))
        return reason;
    struct taker *taker = &engine->taker;
    taker_set(engine, command, order->instrument, code, index);
    memcpy(&taker->terms.firm, order->firm, FIRM_BYTES);
    if (taker->terms.firm == FIRM_BLANK || taker->terms.firm == 0)
        taker->terms.firm = firm;
    taker->terms.options = order->options;
    taker->terms.capacity = order->capacity;
    taker->terms.cross_type = order->cross_type;
    bool fits = (!taker->rests || has_room(engine, taker, true)) && engine->order_ref_last < ORDER_REF_MAX;
    return LIKELY(fits) ? REASON_NONE : REASON_PROCESSING;
}

void request_enter(struct engine *engine, const struct command *command)
{
    uint32_t *last = user_ref_last(engine, command->session, command->order.user_ref_index);
    if (UNLIKELY(last == NULL)) {
        request_reject(engine, command, REASON_PROCESSING);
        return;
    }
    if (UNLIKELY(command->user_ref <= *last))
        return;
    *last = command->user_ref;
    enum reason reason = entry_reason(engine, command);
    if (UNLIKELY(reason != REASON_NONE)) {
        request_reject(engine, command, (uint16_t)reason);
        return;
    }
    struct taker *taker = &engine->taker;
    taker->quantity = command->order.quantity;
    taker->order_ref = ++engine->order_ref_last;
    struct event *event = taker_told(engine, command, EVENT_ACCEPTED);
    PUT_PAIR(event, accepted.client_order_id[10], last_of_id(command), 0);
    PUT_PAIR(event, accepted.min_quantity, 0, 0);
    taker_trade(engine);
}

/* ---- REPLACE ------------------------------------------------------------------------------------------------------
 */

/* Options of the replacement: what the request carries, else what the original had. A located borrow is not inherited.
 */
static uint32_t options_replaced(uint32_t original, uint32_t asked)
{
    uint32_t inherited = original & ~(uint32_t)(OPTION_IS_SWEEP | OPTION_SHARES_LOCATED | OPTION_IS_LOCATED);
    if (asked & OPTION_CUSTOMER_TYPE)
        inherited &= ~(uint32_t)OPTION_IS_RETAIL;
    if (asked & OPTION_POST_ONLY)
        inherited &= ~(uint32_t)OPTION_IS_POST_ONLY;
    if (asked & OPTION_TRADE_NOW)
        inherited &= ~(uint32_t)OPTION_IS_TRADE_NOW;
    return inherited | asked;
}

/* The original goes, by its owner's doing: the new details are no order. */
static void replace_cancels(struct engine *engine, const struct command *command, struct index_slot *slot)
{
    const struct order *order = &engine->orders[slot->order];
    uint32_t instrument = order_instrument(order);
    const struct book *book = &engine->books[instrument];
    uint32_t code = order_code(order);
    event_cut(engine,
              (struct event_header){.kind = EVENT_CANCELED,
                                    .flags = answer_flags(command),
                                    .instrument = instrument,
                                    .session = command->session,
                                    .message_no = message_no(engine, command->session),
                                    .user_ref = order->user_ref,
                                    .user_ref_index = order_user_ref_index(order),
                                    .side = code_letter(code),
                                    .reason = 'U'},
              order_ref(order), key_price(book, code_side(code), order->key), order->quantity, 0);
    order_leave(engine, slot);
}

/* The original makes way for the taker, which carries its chain on. */
static void replace_trades(struct engine *engine, const struct command *command, struct index_slot *slot)
{
    struct taker *taker = &engine->taker;
    uint64_t previous_order_ref = order_ref(&engine->orders[slot->order]);
    order_leave(engine, slot);
    taker->slot = NULL; /* slots may have moved */
    taker->order_ref = ++engine->order_ref_last;
    struct event *event = taker_told(engine, command, EVENT_REPLACED);
    PUT_PAIR(event, replaced.client_order_id[10], last_of_id(command), command->order.target_user_ref);
    event->replaced.previous_order_ref = previous_order_ref;
    taker_trade(engine);
}

void request_replace(struct engine *engine, const struct command *command)
{
    const struct command_order *asked = &command->order;
    struct index_key key = {command->session, asked->target_user_ref, asked->user_ref_index};
    struct index_slot *slot = index_find(engine, key);
    if (!slot)
        return;
    uint32_t *last = user_ref_last(engine, command->session, asked->user_ref_index);
    if (last == NULL || command->user_ref <= *last)
        return;
    const struct order *order = &engine->orders[slot->order];
    const struct terms *terms = &order->terms;
    uint32_t instrument = order_instrument(order);
    uint32_t executed = terms->size - order->quantity;
    uint32_t price_index = 0;
    if (check_terms(&engine->books[instrument], asked, &price_index) != REASON_NONE || asked->quantity <= executed) {
        replace_cancels(engine, command, slot);
        return;
    }
    struct taker *taker = &engine->taker;
    taker_set(engine, command, instrument, (enum side_code)order_code(order), price_index);
    taker->quantity = asked->quantity - executed;
    taker->terms.firm = terms->firm;
    taker->terms.capacity = terms->capacity;
    taker->terms.cross_type = terms->cross_type;
    taker->terms.options = options_replaced(terms->options, asked->options);
    *last = command->user_ref;
    if ((taker->rests && !has_room(engine, taker, false)) || engine->order_ref_last == ORDER_REF_MAX) {
        request_reject(engine, command, REASON_PROCESSING);
        return;
    }
    replace_trades(engine, command, slot);
}
