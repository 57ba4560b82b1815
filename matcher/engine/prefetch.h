/*
 * Looking ahead in a batch: brings into the cache what a command will touch, in three rounds, each of which needs what
 * the one before has brought. It reads state that may be out of date when the command's turn comes; then a line was
 * fetched in vain, and nothing else.
 */
#ifndef RINGSIDE_ENGINE_PREFETCH_H
#define RINGSIDE_ENGINE_PREFETCH_H

#include "levels.h"
#include "order_index.h"
#include "state.h"

/*
 * A function that does nothing but prefetch has no effect as gcc sees it, so calls of it are left out. Hence always
 * inlined: then there is no call to leave out.
 */
#define LOOKS_AHEAD static inline __attribute__((always_inline))

LOOKS_AHEAD void fetch(const void *address)
{
    __builtin_prefetch(address, 1);
}

LOOKS_AHEAD struct look *look_of(struct engine *engine, uint64_t seq)
{
    return &engine->looks.of[seq % LOOKS];
}

/*
 * No branch depends on what the command is, for that cannot be predicted: of a command that is no entry the part of the
 * entry is done for book 0, which is nobody's, and of an entry that of the order for order 0.
 */
LOOKS_AHEAD uint32_t look_instrument(const struct engine *engine, const struct command *command)
{
    bool enters = (command->kind == COMMAND_ENTER) & (command->order.instrument <= engine->instrument_count);
    return enters ? command->order.instrument : 0;
}

/* Session, slot of the index, book. */
LOOKS_AHEAD void look_first(const struct engine *engine, const struct command *command, struct look *look)
{
    const struct book *book = &engine->books[look_instrument(engine, command)];
    look->key.session = command->session <= engine->session_count ? command->session : 0;
    look->key.user_ref = command->kind == COMMAND_ENTER ? command->user_ref : command->order.target_user_ref;
    look->key.user_ref_index = command->order.user_ref_index;
    fetch(index_bucket(engine, index_hash(look->key)));
    fetch(&engine->sessions[look->key.session]);
    fetch(book);
    fetch(&book->sides[1]);
}

/* The level key of an entry. */
LOOKS_AHEAD uint32_t look_key(const struct engine *engine, const struct command *command, uint32_t instrument)
{
    return price_index(&engine->books[instrument], command->order.price_ticks) ^ key_flip(command->order.side != 'B');
}

/* The directory of an entry's side, the order that is meant by the others. */
LOOKS_AHEAD void look_second(const struct engine *engine, const struct command *command, struct look *look)
{
    uint32_t instrument = look_instrument(engine, command);
    struct ladder ladder = ladder_of(engine, instrument, command->order.side != 'B');
    uint32_t at = (look_key(engine, command, instrument) >> PAGE_SHIFT) - ladder.side->window_base;
    fetch(&ladder.pages[at < engine->window_pages ? at : 0]);
    uint32_t hash = index_hash(look->key);
    look->order = index_guess(engine, hash, index_tag(hash, look->key.user_ref));
    fetch(&engine->orders[look->order]);
}

/* The level, and the order's neighbours in it. */
LOOKS_AHEAD void look_third(const struct engine *engine, const struct command *command, const struct look *look)
{
    const struct order *order = &engine->orders[look->order];
    uint32_t instrument = look_instrument(engine, command);
    uint32_t side = instrument ? command->order.side != 'B' : code_side(order_code(order));
    uint32_t key = instrument ? look_key(engine, command, instrument) : order->key;
    struct ladder ladder = ladder_of(engine, instrument ? instrument : order_instrument(order), side);
    uint32_t at = (key >> PAGE_SHIFT) - ladder.side->window_base;
    uint32_t page = ladder.pages[at < engine->window_pages ? at : 0];
    fetch(level_in_page(engine, page, key));
    fetch(&engine->orders[order->prev]);
    fetch(&engine->orders[order->next]);
}

#endif
