/*
 * Instruments: numbered from 1 in the order in which they are added, never removed. And what the books report by
 * themselves, BOOK_TOP.
 */
#include "levels.h"
#include "names.h"
#include "operators.h"
#include "output.h"
#include "sessions.h"
#include "special.h"

#include <string.h>

static uint64_t symbol_word(const char symbol[SYMBOL_BYTES])
{
    uint64_t word;
    memcpy(&word, symbol, SYMBOL_BYTES);
    return word;
}

/* The instrument, or 0; *ret_place is where it is or would be. */
static uint32_t symbol_find(const struct engine *engine, const char symbol[SYMBOL_BYTES], uint32_t *ret_place)
{
    uint32_t place = name_home(symbol_word(symbol)) & engine->symbol_names_mask;
    for (;;) {
        uint32_t instrument = engine->symbol_names[place];
        *ret_place = place;
        if (instrument == 0 || memcmp(engine->books[instrument].symbol, symbol, SYMBOL_BYTES) == 0)
            return instrument;
        place = (place + 1) & engine->symbol_names_mask;
    }
}

bool instrument_meant(const struct engine *engine, const struct command_admin *admin, uint32_t *ret_instrument)
{
    uint32_t place = 0;
    uint32_t instrument = admin->instrument;
    if (instrument == 0 && admin->symbol[0] > ' ')
        instrument = symbol_find(engine, admin->symbol, &place);
    else if (instrument == 0)
        return true;
    if (instrument == 0 || instrument > engine->instrument_count)
        return false;
    *ret_instrument = instrument;
    return true;
}

uint32_t instrument_named(const struct engine *engine, const char symbol[SYMBOL_BYTES])
{
    uint32_t place = 0;
    return symbol_find(engine, symbol, &place);
}

static bool values_invalid(const struct command_admin *admin)
{
    return admin->tick_ticks < 0 || admin->tick_ticks > PRICE_TICKS_MAX || admin->lot_quantity > QUANTITY_MAX ||
           admin->reference_ticks < 0 || admin->reference_ticks > PRICE_TICKS_MAX || admin->collar_ticks < 0 ||
           admin->collar_ticks > PRICE_TICKS_MAX || admin->fat_finger_ticks < 0 ||
           admin->fat_finger_ticks > PRICE_TICKS_MAX || admin->quantity_max > QUANTITY_MAX;
}

static enum engine_refusal instrument_refusal(const struct engine *engine, const struct command_admin *admin)
{
    uint8_t state = admin->market_state;
    if (admin->symbol[0] <= ' ' || values_invalid(admin) || (state != 0 && !is_state(state)))
        return ENGINE_REFUSAL_INVALID;
    if (engine->instrument_count == engine->limits.instruments_max)
        return ENGINE_REFUSAL_FULL;
    return ENGINE_REFUSAL_NONE;
}

void instrument_told(struct engine *engine, uint32_t instrument, uint8_t kind)
{
    const struct book *book = &engine->books[instrument];
    const struct annex *annex = &engine->annexes[instrument];
    struct event *event = event_begin(engine, (struct event_header){.kind = kind, .instrument = instrument});
    event_reserve(event, EVENT_PAYLOAD);
    memcpy(event->admin.symbol, book->symbol, SYMBOL_BYTES);
    event->admin.tick_ticks = (int32_t)book->tick_ticks;
    event->admin.lot_quantity = book->lot_quantity;
    event->admin.reference_ticks = book->reference_ticks;
    event->admin.collar_ticks = annex->collar_ticks;
    event->admin.fat_finger_ticks = annex->fat_finger_ticks;
    event->admin.quantity_max = annex->quantity_max;
    event->admin.notional_max = annex->notional_max;
    event->admin.market_state = book->state;
}

static void side_begin(struct book_side *side, bool window)
{
    side->best = KEY_NONE;
    side->far_best = KEY_NONE;
    side->top_key = KEY_NONE;
    side->window_base = window ? 0 : PAGES_OF_ALL;
}

static void limits_set(struct engine *engine, uint32_t instrument, const struct command_admin *admin)
{
    struct annex *annex = &engine->annexes[instrument];
    annex->collar_ticks = admin->collar_ticks;
    annex->fat_finger_ticks = admin->fat_finger_ticks;
    annex->quantity_max = admin->quantity_max;
    annex->notional_max = admin->notional_max;
    bool any = annex->collar_ticks != 0 || annex->fat_finger_ticks != 0 || annex->quantity_max != 0 ||
               annex->notional_max != 0;
    rare_set(engine, instrument, RARE_LIMITS, any);
}

static void book_begin(struct engine *engine, uint32_t instrument, const struct command_admin *admin)
{
    struct book *book = &engine->books[instrument];
    struct annex *annex = &engine->annexes[instrument];
    memcpy(book->symbol, admin->symbol, SYMBOL_BYTES);
    book->tick_ticks = admin->tick_ticks == 0 ? 1 : (uint32_t)admin->tick_ticks;
    book->tick_inverse = UINT64_MAX / book->tick_ticks;
    book->lot_quantity = admin->lot_quantity == 0 ? 1 : admin->lot_quantity;
    book->reference_ticks = admin->reference_ticks;
    book->state = admin->market_state == 0 ? 'O' : admin->market_state;
    rare_set(engine, instrument, RARE_NOT_OPEN, book->state != 'O');
    for (uint32_t side = 0; side < 2; side++) {
        side_begin(&book->sides[side], true);
        side_begin(&annex->hidden[side], false);
        side_begin(&annex->stops[side], false);
        annex->pass_keys[side] = KEY_NONE;
    }
    limits_set(engine, instrument, admin);
}

/* Whether the instrument has these values already. */
static bool limits_are(const struct engine *engine, uint32_t instrument, const struct command_admin *admin)
{
    const struct annex *annex = &engine->annexes[instrument];
    bool same_reference =
        admin->reference_ticks == 0 || admin->reference_ticks == engine->books[instrument].reference_ticks;
    return same_reference && annex->collar_ticks == admin->collar_ticks &&
           annex->fat_finger_ticks == admin->fat_finger_ticks && annex->quantity_max == admin->quantity_max &&
           annex->notional_max == admin->notional_max;
}

/* An instrument that is there already gets the limits that are named, if any is. */
static void limits_ensure(struct engine *engine, uint32_t instrument, const struct command *command)
{
    struct command_admin named = command->admin;
    named.reference_ticks = 0;
    bool any =
        named.collar_ticks != 0 || named.fat_finger_ticks != 0 || named.quantity_max != 0 || named.notional_max != 0;
    if (values_invalid(&named)) {
        command_refuse(engine, command, ENGINE_REFUSAL_INVALID);
        return;
    }
    if (!any || limits_are(engine, instrument, &named))
        return;
    limits_set(engine, instrument, &named);
    instrument_told(engine, instrument, EVENT_LIMITS_CHANGED);
}

void instrument_add(struct engine *engine, const struct command *command)
{
    const struct command_admin *admin = &command->admin;
    uint32_t place = 0;
    uint32_t known = symbol_find(engine, admin->symbol, &place);
    if (known != 0) {
        operator_means(engine, known);
        if (if_needed(command))
            limits_ensure(engine, known, command);
        else
            command_refuse(engine, command, ENGINE_REFUSAL_EXISTS);
        return;
    }
    enum engine_refusal why = instrument_refusal(engine, admin);
    if (why != ENGINE_REFUSAL_NONE) {
        command_refuse(engine, command, why);
        return;
    }
    uint32_t instrument = ++engine->instrument_count;
    engine->symbol_names[place] = instrument;
    operator_means(engine, instrument);
    book_begin(engine, instrument, admin);
    engine->state_hash += book_hash(&engine->books[instrument], instrument);
    instrument_told(engine, instrument, EVENT_INSTRUMENT_ADDED);
}

void instrument_limits(struct engine *engine, const struct command *command)
{
    const struct command_admin *admin = &command->admin;
    uint32_t instrument = 0;
    if (!instrument_meant(engine, admin, &instrument) || instrument == 0) {
        command_refuse(engine, command, ENGINE_REFUSAL_UNKNOWN_INSTRUMENT);
        return;
    }
    operator_means(engine, instrument);
    struct book *book = &engine->books[instrument];
    bool other_tick = admin->tick_ticks != 0 && (uint32_t)admin->tick_ticks != book->tick_ticks;
    bool other_lot = admin->lot_quantity != 0 && admin->lot_quantity != book->lot_quantity;
    if (other_tick || other_lot || values_invalid(admin)) {
        command_refuse(engine, command, ENGINE_REFUSAL_INVALID);
        return;
    }
    if (if_needed(command) && limits_are(engine, instrument, admin))
        return;
    engine->state_hash -= book_hash(book, instrument);
    if (admin->reference_ticks != 0)
        book->reference_ticks = admin->reference_ticks;
    engine->state_hash += book_hash(book, instrument);
    limits_set(engine, instrument, admin);
    instrument_told(engine, instrument, EVENT_LIMITS_CHANGED);
}

void command_refuse(struct engine *engine, const struct command *command, enum engine_refusal why)
{
    operator_refused(engine, why);
    struct event *event =
        event_begin(engine, (struct event_header){.kind = EVENT_COMMAND_REFUSED, .user_ref = command->user_ref});
    event_reserve(event, EVENT_PAYLOAD);
    if (command->kind == COMMAND_INSTRUMENT_ADD)
        memcpy(event->admin.symbol, command->admin.symbol, SYMBOL_BYTES);
    event->admin.refused_kind = command->kind;
    event->admin.refused_why = (uint8_t)why;
}

/* ---- BOOK_TOP -----------------------------------------------------------------------------------------------------
 */

/* The best level of a side as it is now; true if it is not as last reported. */
static bool top_changed(struct engine *engine, uint32_t instrument, uint32_t side)
{
    struct ladder ladder = ladder_of(engine, instrument, side);
    struct book_side *self = ladder.side;
    uint64_t quantity = self->best == KEY_NONE ? 0 : level_find(engine, &ladder, (uint32_t)self->best)->quantity;
    bool changed = self->best != self->top_key || quantity != self->top_quantity;
    self->top_key = self->best;
    self->top_quantity = quantity;
    return changed;
}

static int32_t top_price(const struct book *book, uint32_t side)
{
    int32_t key = book->sides[side].top_key;
    return key == KEY_NONE ? 0 : key_price(book, side, (uint32_t)key);
}

bool book_top_differs(const struct engine *engine)
{
    const struct book *book = &engine->books[engine->touched_instrument];
    for (uint32_t side = 0; side < 2 && engine->touched && engine->report_tops; side++) {
        struct ladder ladder = ladder_of(engine, engine->touched_instrument, side);
        int32_t best = book->sides[side].best;
        uint64_t quantity = best == KEY_NONE ? 0 : level_find(engine, &ladder, (uint32_t)best)->quantity;
        if (best != book->sides[side].top_key || quantity != book->sides[side].top_quantity)
            return true;
    }
    return false;
}

void book_report_top(struct engine *engine)
{
    uint8_t touched = engine->touched;
    engine->touched = 0;
    if (!touched || !engine->report_tops)
        return;
    uint32_t instrument = engine->touched_instrument;
    const struct book *book = &engine->books[instrument];
    bool changed = touched & 1u << SIDE_BUY && top_changed(engine, instrument, SIDE_BUY);
    changed |= touched & 1u << SIDE_SELL && top_changed(engine, instrument, SIDE_SELL);
    if (!changed)
        return;
    struct event *event = event_begin(engine, (struct event_header){.kind = EVENT_BOOK_TOP, .instrument = instrument});
    memcpy(event->top.symbol, book->symbol, SYMBOL_BYTES);
    PUT_PAIR(event, top.bid_ticks, (uint32_t)top_price(book, SIDE_BUY), (uint32_t)top_price(book, SIDE_SELL));
    event->top.bid_quantity = book->sides[SIDE_BUY].top_quantity;
    event->top.ask_quantity = book->sides[SIDE_SELL].top_quantity;
    event_reserve(event, offsetof(struct event, top.reserved0));
}
