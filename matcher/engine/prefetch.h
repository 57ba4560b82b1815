/*
 * Fetching ahead: lines of the cache that will be wanted soon. Nothing here changes anything but the looks, which are
 * notes for the rounds to come.
 */
#ifndef RINGSIDE_ENGINE_PREFETCH_H
#define RINGSIDE_ENGINE_PREFETCH_H

#include "order_index.h"
#include "state.h"

/*
 * A function that does nothing but prefetch has no effect as gcc sees it, so calls of it are left out. Hence all of
 * them are always inlined: then there is no call to leave out.
 */
ALWAYS_INLINE void fetch(const void *address)
{
    __builtin_prefetch(address, 1);
}

/* A maker whose line is here: what its end will touch. */
ALWAYS_INLINE void fetch_maker(const struct engine *engine, uint32_t index)
{
    const struct order *maker = &engine->orders[index];
    fetch(index_bucket_of(engine, maker->terms.slot));
    fetch(&engine->orders[maker->next]);
}

/* prefetch.c: brings what the commands of the groups after this one will touch. Before each LOOK_EVERY-th command, and
 * before the first of a batch, which begins it. */
void look_ahead(struct engine *engine, const struct engine_input *input, uint64_t seq, bool begins);

/* The same without what entries alone touch: where books are few their levels are in the cache, and so are the orders
 * at both ends of most. */
void look_ahead_at_changes(struct engine *engine, const struct engine_input *input, uint64_t seq, bool begins);

/* What was found out about this command; NULL: it was not looked at. */
static inline const struct look *look_of(const struct engine *engine, uint64_t seq)
{
    const struct look *look = &engine->looks.at[seq % LOOK_PLACES];
    return LIKELY(look->seq == seq) ? look : NULL;
}

#endif
