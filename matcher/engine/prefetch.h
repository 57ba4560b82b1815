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

static inline void fetch(const void *address)
{
    __builtin_prefetch(address, 1);
}

static inline struct index_key prefetch_key(const struct command *command)
{
    bool enters = command->kind == COMMAND_ENTER;
    struct index_key key = {.session = command->session,
                            .user_ref = enters ? command->user_ref : command->order.target_user_ref,
                            .user_ref_index = command->order.user_ref_index};
    return key;
}

static inline bool prefetch_enters(const struct engine *engine, const struct command *command)
{
    return command->kind == COMMAND_ENTER && command->order.instrument - 1 < engine->instrument_count;
}

/* Session, slot of the index, book. */
static inline void prefetch_first(const struct engine *engine, const struct command *command)
{
    struct index_key key = prefetch_key(command);
    uint32_t session = command->session <= engine->session_count ? command->session : 0;
    uint32_t instrument = prefetch_enters(engine, command) ? command->order.instrument : 0;
    fetch(&engine->sessions[session]);
    fetch(index_home(engine, key));
    fetch(&engine->books[instrument]);
    fetch(&engine->books[instrument].sides[1]);
}

static inline uint32_t prefetch_ladder_key(const struct engine *engine, const struct command *command, uint32_t side)
{
    return price_index(&engine->books[command->order.instrument], command->order.price_ticks) ^ key_flip(side);
}

/* The order of a cancel, or the directory of an entry. */
static inline void prefetch_second(const struct engine *engine, const struct command *command)
{
    if (prefetch_enters(engine, command)) {
        uint32_t side = command->order.side != 'B';
        struct ladder ladder = ladder_of(engine, command->order.instrument, side);
        uint32_t at = (prefetch_ladder_key(engine, command, side) >> PAGE_SHIFT) - ladder.side->window_base;
        fetch(&ladder.pages[at < engine->window_pages ? at : 0]);
        return;
    }
    struct index_key key = prefetch_key(command);
    uint32_t index = index_home(engine, key)->order;
    fetch(&engine->orders[index]);
    fetch(&engine->terms[index]);
}

/* The level, and the neighbours in it. */
static inline void prefetch_third(const struct engine *engine, const struct command *command)
{
    if (prefetch_enters(engine, command)) {
        uint32_t side = command->order.side != 'B';
        struct ladder ladder = ladder_of(engine, command->order.instrument, side);
        uint32_t key = prefetch_ladder_key(engine, command, side);
        fetch(level_in_page(engine, page_of(engine, &ladder, key), key));
        return;
    }
    struct index_key key = prefetch_key(command);
    uint32_t index = index_home(engine, key)->order;
    const struct order *order = &engine->orders[index];
    struct ladder ladder = ladder_of(engine, order_instrument(order), code_side(order_code(order)));
    fetch(level_in_page(engine, page_of(engine, &ladder, order->key), order->key));
    fetch(&engine->orders[order->prev]);
    fetch(&engine->orders[order->next]);
}

#endif
