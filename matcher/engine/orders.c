/*
 * New orders and replacements: judged, numbered, told; then they arrive.
 *
 * Rules
 *   1. A user_ref not above the last of its channel is a request seen before: no event, no change.
 *   2. Nothing is said before it is certain that what follows has room: an order that could rest needs a free order, a
 *      level and a short enough chain in the index, and a record if it is a special one; else it is rejected with 000A.
 */
#include "arrive.h"
#include "book.h"
#include "check.h"
#include "output.h"
#include "requests.h"

#include <string.h>

static inline bool has_room(const struct engine *engine, struct taker *taker, bool takes_order)
{
    struct index_key key = {taker->session, taker->user_ref, taker->user_ref_index};
    taker->slot = index_room(engine, index_hash(key));
    if (UNLIKELY(taker->slot == INDEX_SLOT_NONE || (takes_order && pool_room(&engine->order_pool) == 0)))
        return false;
    if (LIKELY(pool_room(&engine->far_level_pool) != 0))
        return true; /* any price finds a level */
    if (taker->rare)
        return false;
    struct ladder ladder = ladder_of(engine, taker->instrument, code_side(taker->code));
    return level_find(engine, &ladder, taker->key) != NULL;
}

/* What ENTER and REPLACE have in common. price_index 0 is a market order; its own key is then no price. */
static inline void taker_set(struct engine *engine, const struct command *command, const struct asked *asked,
                             uint32_t price_index)
{
    const struct command_order *order = asked->order;
    const struct book *book = &engine->books[asked->instrument];
    struct taker *taker = &engine->taker;
    taker->instrument = asked->instrument;
    taker->session = command->session;
    taker->user_ref = command->user_ref;
    taker->user_ref_index = command->order.user_ref_index;
    taker->quantity = asked->exposed;
    taker->code = (uint8_t)asked->code;
    taker->key = price_index == 0 ? KEY_MARKET : price_index ^ key_flip(code_side(asked->code));
    taker->limit = taker->key ^ KEY_MASK;
    taker->rests = price_index != 0 && order->time_in_force != '3';
    taker->event_flags = answer_flags(command);
    taker->rare = !asked->plain || (book->rare & (RARE_NOT_OPEN | RARE_LIMITS)) != 0;
    taker->collared = 0;
    taker->terms.size = order->quantity;
    taker->terms.firm = asked->firm;
    taker->terms.time_in_force = order->time_in_force;
    taker->terms.display = order->display;
    taker->terms.cross_type = asked->cross_type;
    taker->terms.price_type = order->price_type;
    taker->terms.handle_inst = order->handle_inst;
    taker->terms.special = 0;
    taker->terms.self_match = order->self_match;
}

/* ---- special orders -----------------------------------------------------------------------------------------------
 */

static bool moves(const struct asked *asked)
{
    const struct command_order *order = asked->order;
    return order->trigger_kind == 'T' || (price_type_is_peg(order->price_type) && order->time_in_force != '3');
}

static bool needs_special(const struct asked *asked)
{
    const struct command_order *order = asked->order;
    return order->min_quantity != 0 || order->max_floor != 0 || order->trigger_kind != 0 ||
           order->time_in_force == '6' || price_type_is_peg(order->price_type);
}

static void special_set(struct special *special, const struct asked *asked, const struct taker *taker)
{
    const struct command_order *order = asked->order;
    special->min_quantity = order->min_quantity;
    special->max_floor = order->max_floor;
    special->random_reserve = order->random_reserve;
    special->trigger_kind = order->trigger_kind;
    if (price_type_is_peg(order->price_type)) {
        special->peg = order->price_type;
        special->peg_offset_ticks = order->peg_offset_ticks;
        special->limit_key = taker->key;
    } else {
        special->trigger_ticks = (uint32_t)order->trigger_ticks;
    }
}

/* Gives the taker a record if it needs one; false: there is no room. `expire_ns` is that of the original, or 0. */
static bool special_begin(struct engine *engine, const struct asked *asked, uint64_t expire_ns, bool replaces_mover)
{
    struct taker *taker = &engine->taker;
    if (price_type_is_peg(asked->order->price_type))
        taker->rests = asked->order->time_in_force != '3';
    if (!needs_special(asked))
        return true;
    const struct annex *annex = &engine->annexes[asked->instrument];
    if (moves(asked) && annex->mover_count - replaces_mover >= engine->limits.movers_max)
        return false;
    uint32_t index = special_take(engine);
    if (index == 0)
        return false;
    struct special *special = &engine->specials[index];
    special_set(special, asked, taker);
    if (asked->order->time_in_force == '6') {
        bool inherits = asked->order->expire_s == 0;
        special->expire_ns = inherits ? expire_ns : engine->time_ns + asked->order->expire_s * UINT64_C(1000000000);
        special->entered = engine->order_ref_last + 1;
        expiry_add(engine, index);
    }
    taker->terms.special = index;
    return true;
}

/* ---- ACCEPTED, REPLACED -------------------------------------------------------------------------------------------
 */

/* All up to what the two have of their own. */
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

static bool has_options(const struct command_order *order)
{
    return ((uint32_t)order->peg_offset_ticks | order->random_reserve | order->expire_s |
            (uint32_t)order->trigger_ticks | order->trigger_kind | order->self_match) != 0;
}

/* ORDER_OPTIONS behind the event before it, which is told that it goes on. */
static struct event *options_told(struct engine *engine, const struct command_order *order)
{
    const struct taker *taker = &engine->taker;
    struct event *first = event_place(engine, engine->event_seq_next - 1);
    first->flags |= EVENT_CONTINUED;
    struct event *event = event_begin(engine, (struct event_header){.kind = EVENT_ORDER_OPTIONS,
                                                                    .instrument = taker->instrument,
                                                                    .session = taker->session,
                                                                    .user_ref = taker->user_ref,
                                                                    .user_ref_index = taker->user_ref_index,
                                                                    .side = code_letter(taker->code),
                                                                    .reason = 'L'});
    event_reserve(event, EVENT_PAYLOAD);
    event->options.peg_offset_ticks = order->peg_offset_ticks;
    event->options.random_reserve = order->random_reserve;
    event->options.expire_s = order->expire_s;
    event->options.trigger_ticks = order->trigger_ticks;
    event->options.trigger_kind = order->trigger_kind;
    event->options.self_match = order->self_match;
    return event;
}

/* ---- ENTER --------------------------------------------------------------------------------------------------------
 */

static inline uint32_t entry_firm(const struct command_order *order, uint32_t session_firm)
{
    uint32_t firm;
    memcpy(&firm, order->firm, sizeof(firm));
    return firm == FIRM_BLANK || firm == 0 ? session_firm : firm;
}

static void letters_by_default(struct terms *terms)
{
    if (terms->price_type == 0 || terms->price_type == ' ')
        terms->price_type = 'L';
    if (terms->handle_inst == 0)
        terms->handle_inst = ' ';
}

static inline enum reason entry_reason(struct engine *engine, const struct command *command)
{
    const struct command_order *order = &command->order;
    uint32_t session_firm = engine->sessions[command->session].firm;
    if (UNLIKELY(!engine->day_open))
        return REASON_CLOSED;
    if (UNLIKELY(order->instrument - 1 >= engine->instrument_count))
        return REASON_SYMBOL;
    struct asked asked = {.order = order,
                          .instrument = order->instrument,
                          .firm = entry_firm(order, session_firm),
                          .exposed = order->quantity,
                          .code = check_side(order->side),
                          .cross_type = order->cross_type,
                          .plain = check_plain(order) && order->cross_type == 'N'};
    if (UNLIKELY(asked.code == CODE_NONE))
        return REASON_SIDE;
    uint32_t index = 0;
    enum reason reason = check_conditions(engine, &asked, &index);
    if (UNLIKELY(reason != REASON_NONE))
        return reason;
    reason = check_entry(order, session_firm);
    if (LIKELY(reason == REASON_NONE) && UNLIKELY(engine->firm_count != 0))
        reason = check_firm(engine, &asked);
    if (UNLIKELY(reason != REASON_NONE))
        return reason;
    struct taker *taker = &engine->taker;
    taker_set(engine, command, &asked, index);
    taker->terms.options = order->options;
    taker->terms.capacity = order->capacity;
    taker->terms.group = (uint16_t)order->group;
    if (UNLIKELY(!asked.plain))
        letters_by_default(&taker->terms);
    bool fits = ((!taker->rests && !taker->rare) || has_room(engine, taker, true)) &&
                engine->order_ref_last < ORDER_REF_MAX && (asked.plain || special_begin(engine, &asked, 0, false));
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
    taker->order_ref = ++engine->order_ref_last;
    struct event *event = taker_told(engine, command, EVENT_ACCEPTED);
    PUT_PAIR(event, accepted.client_order_id[10], last_of_id(command), taker->terms.group);
    PUT_PAIR(event, accepted.min_quantity, command->order.min_quantity, command->order.max_floor);
    if (LIKELY(!taker->rare)) {
        taker_trade(engine);
        return;
    }
    if (has_options(&command->order))
        options_told(engine, &command->order);
    taker_arrive(engine);
}

/* ---- REPLACE ------------------------------------------------------------------------------------------------------
 */

/* Options of the replacement: what the request carries, else what the original had. A located borrow is not inherited.
 */
static uint32_t options_replaced(uint32_t original, uint32_t asked)
{
    uint32_t inherited = original & ~(uint32_t)(OPTION_IS_SWEEP | OPTION_SHARES_LOCATED | OPTION_IS_LOCATED);
    /* A value goes with its tag. */
    uint32_t tags[][2] = {{OPTION_CUSTOMER_TYPE, OPTION_IS_RETAIL},
                          {OPTION_POST_ONLY, OPTION_IS_POST_ONLY},
                          {OPTION_TRADE_NOW, OPTION_IS_TRADE_NOW}};
    for (unsigned i = 0; i < 3; i++) {
        if (asked & tags[i][0])
            inherited &= ~tags[i][1];
        else
            asked &= ~tags[i][1];
    }
    return inherited | asked;
}

/* Nothing that a replacement could inherit but its firm, capacity, options and group. */
static bool is_plain(const struct order *order)
{
    const struct terms *terms = &order->terms;
    return terms->special == 0 && terms->cross_type == 'N' && terms->self_match == 0 && terms->price_type == 'L' &&
           (terms->options & OPTION_IS_POST_ONLY) == 0;
}

/* The replacement's options that the request leaves open, from the original as it is now. */
static void inherit(const struct engine *engine, const struct order *original, struct command_order *resolved)
{
    const struct special *special = special_of(engine, original);
    const struct terms *terms = &original->terms;
    uint32_t asked = resolved->options;
    if (!(asked & OPTION_MIN_QUANTITY))
        resolved->min_quantity = special->min_quantity;
    if (!(asked & OPTION_MAX_FLOOR))
        resolved->max_floor = special->max_floor;
    if (!(asked & OPTION_RANDOM_RESERVE))
        resolved->random_reserve = special->random_reserve;
    if (!(asked & OPTION_PRICE_TYPE))
        resolved->price_type = terms->price_type;
    if (!(asked & OPTION_PEG_OFFSET))
        resolved->peg_offset_ticks = special->peg ? special->peg_offset_ticks : 0;
    if (!(asked & OPTION_HANDLE_INST))
        resolved->handle_inst = terms->handle_inst;
    if (!(asked & OPTION_EXPIRE_TIME))
        resolved->expire_s = 0;
    if (!(asked & OPTION_TRIGGER)) {
        resolved->trigger_kind = special->trigger_kind;
        resolved->trigger_ticks = special->trigger_kind ? (int32_t)special->trigger_ticks : 0;
    }
    if (!(asked & OPTION_SELF_MATCH))
        resolved->self_match = terms->self_match;
    resolved->options = options_replaced(terms->options, asked);
}

/* The original goes, by its owner's doing: the new details are no order. */
static void replace_cancels(struct engine *engine, const struct command *command, uint32_t index)
{
    order_told_cut(engine, &engine->orders[index], EVENT_CANCELED, 'U', answer_flags(command), 0);
    order_leave(engine, index);
}

/* The original makes way for the taker, which carries its chain on. */
static void replace_trades(struct engine *engine, const struct command *command, const struct command_order *resolved,
                           uint32_t index)
{
    struct taker *taker = &engine->taker;
    uint64_t previous_order_ref = order_ref(&engine->orders[index]);
    order_leave(engine, index);
    taker->order_ref = ++engine->order_ref_last;
    struct event *event = taker_told(engine, command, EVENT_REPLACED);
    PUT_PAIR(event, replaced.client_order_id[10], last_of_id(command), command->order.target_user_ref);
    event->replaced.previous_order_ref = previous_order_ref;
    if (LIKELY(!taker->rare && taker->terms.group == 0)) {
        taker_trade(engine);
        return;
    }
    if (has_options(resolved) || (resolved->min_quantity | resolved->max_floor | taker->terms.group) != 0) {
        event = options_told(engine, resolved);
        event->options.min_quantity = resolved->min_quantity;
        event->options.max_floor = resolved->max_floor;
        event->options.group = taker->terms.group;
    }
    taker_arrive(engine);
}

/* Judges the new details and makes them the taker. */
static enum reason replacement_reason(struct engine *engine, const struct command *command, const struct order *order,
                                      const struct asked *asked)
{
    uint32_t index = 0;
    uint32_t gone = order->terms.size - order_leaves(engine, order);
    if (!engine->day_open)
        return REASON_CLOSED;
    enum reason reason = check_conditions(engine, asked, &index);
    if (reason == REASON_NONE && asked->order->quantity <= gone)
        reason = REASON_QUANTITY;
    if (reason == REASON_NONE && engine->firm_count != 0)
        reason = check_firm(engine, asked);
    if (reason != REASON_NONE)
        return reason;
    struct taker *taker = &engine->taker;
    taker_set(engine, command, asked, index);
    taker->terms.capacity = order->terms.capacity;
    taker->terms.options = options_replaced(order->terms.options, command->order.options);
    taker->terms.group =
        command->order.options & OPTION_GROUP ? (uint16_t)command->order.replace_group : order->terms.group;
    if (!asked->plain)
        letters_by_default(&taker->terms);
    return REASON_NONE;
}

void request_replace(struct engine *engine, const struct command *command)
{
    struct index_key key = {command->session, command->order.target_user_ref, command->order.user_ref_index};
    uint32_t index = index_find(engine, key);
    if (index == 0)
        return;
    uint32_t *last = user_ref_last(engine, command->session, command->order.user_ref_index);
    if (last == NULL || command->user_ref <= *last)
        return;
    const struct order *order = &engine->orders[index];
    const struct special *special = special_of(engine, order);
    uint32_t gone = order->terms.size - order_leaves(engine, order);
    struct command_order resolved = command->order;
    bool plain = LIKELY(check_plain(&resolved)) && is_plain(order);
    if (!plain)
        inherit(engine, order, &resolved);
    struct asked asked = {.order = &resolved,
                          .instrument = order_instrument(order),
                          .firm = order->terms.firm,
                          .exposed = resolved.quantity > gone ? resolved.quantity - gone : 0,
                          .code = (enum side_code)order_code(order),
                          .cross_type = order->terms.cross_type,
                          .plain = plain,
                          .inherits_expiry = special->expire_ns != 0 && !(command->order.options & OPTION_EXPIRE_TIME)};
    if (replacement_reason(engine, command, order, &asked) != REASON_NONE) {
        replace_cancels(engine, command, index);
        return;
    }
    struct taker *taker = &engine->taker;
    *last = command->user_ref;
    bool fits = ((!taker->rests && !taker->rare) || has_room(engine, taker, false)) &&
                engine->order_ref_last < ORDER_REF_MAX &&
                (plain || special_begin(engine, &asked, special->expire_ns, special->moves));
    if (!fits) {
        request_reject(engine, command, REASON_PROCESSING);
        return;
    }
    replace_trades(engine, command, &resolved, index);
}
