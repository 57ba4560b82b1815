/*
 * Instruments: numbered from 1 in the order in which they are added, never removed. And what the books report by
 * themselves, BOOK_TOP.
 */
#include "levels.h"
#include "names.h"
#include "output.h"
#include "sessions.h"

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

static enum engine_refusal instrument_refusal(const struct engine *engine, const struct command_admin *admin)
{
    if (admin->symbol[0] <= ' ' || admin->tick_ticks < 0 || admin->tick_ticks > PRICE_TICKS_MAX ||
        admin->lot_quantity > QUANTITY_MAX || admin->reference_ticks < 0)
        return ENGINE_REFUSAL_INVALID;
    if (admin->collar_ticks != 0 || admin->fat_finger_ticks != 0 || admin->quantity_max != 0 ||
        admin->notional_max != 0)
        return ENGINE_REFUSAL_NOT_SUPPORTED;
    if (engine->instrument_count == engine->limits.instruments_max)
        return ENGINE_REFUSAL_FULL;
    return ENGINE_REFUSAL_NONE;
}

static void told_instrument(struct engine *engine, uint32_t instrument)
{
    const struct book *book = &engine->books[instrument];
    struct event *event =
        event_begin(engine, (struct event_header){.kind = EVENT_INSTRUMENT_ADDED, .instrument = instrument});
    event_reserve(event, EVENT_PAYLOAD);
    memcpy(event->admin.symbol, book->symbol, SYMBOL_BYTES);
    event->admin.tick_ticks = (int32_t)book->tick_ticks;
    event->admin.lot_quantity = book->lot_quantity;
    event->admin.reference_ticks = book->reference_ticks;
    event->admin.market_state = 'O';
}

void instrument_add(struct engine *engine, const struct command *command)
{
    const struct command_admin *admin = &command->admin;
    uint32_t place = 0;
    if (symbol_find(engine, admin->symbol, &place) != 0) {
        if (command->gateway != 0)
            command_refuse(engine, command, ENGINE_REFUSAL_EXISTS);
        return;
    }
    enum engine_refusal why = instrument_refusal(engine, admin);
    if (why != ENGINE_REFUSAL_NONE) {
        command_refuse(engine, command, why);
        return;
    }
    uint32_t instrument = ++engine->instrument_count;
    struct book *book = &engine->books[instrument];
    engine->symbol_names[place] = instrument;
    memcpy(book->symbol, admin->symbol, SYMBOL_BYTES);
    book->tick_ticks = admin->tick_ticks == 0 ? 1 : (uint32_t)admin->tick_ticks;
    book->tick_inverse = UINT64_MAX / book->tick_ticks;
    book->lot_quantity = admin->lot_quantity == 0 ? 1 : admin->lot_quantity;
    book->reference_ticks = admin->reference_ticks;
    for (uint32_t side = 0; side < 2; side++) {
        book->sides[side].best = KEY_NONE;
        book->sides[side].far_best = KEY_NONE;
        book->sides[side].top_key = KEY_NONE;
    }
    engine->state_hash += hash_fold(symbol_word(book->symbol) ^ HASH_ODD_1, instrument ^ HASH_ODD_2) +
                          two_words(book->tick_ticks, book->lot_quantity) * HASH_ODD_3;
    told_instrument(engine, instrument);
}

void command_refuse(struct engine *engine, const struct command *command, enum engine_refusal why)
{
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
