#include "special.h"

uint32_t special_take(struct engine *engine)
{
    struct pool *pool = &engine->special_pool;
    uint32_t index = pool_take(pool, engine->specials[pool->free_first].order);
    if (index != 0)
        engine->specials[index] = (struct special){0};
    return index;
}

void special_free(struct engine *engine, uint32_t instrument, uint32_t index)
{
    struct special *special = &engine->specials[index];
    if (special->moves)
        mover_remove(engine, instrument, index);
    if (special->expiry_at != 0)
        expiry_remove(engine, index);
    *special = (struct special){.order = pool_give(&engine->special_pool, index)};
}

/* ---- movers -------------------------------------------------------------------------------------------------------
 */

static void movers_counted(struct engine *engine, uint32_t instrument, const struct special *special, uint32_t change)
{
    struct annex *annex = &engine->annexes[instrument];
    annex->mover_count += change;
    if (special->peg != 0) {
        annex->peg_count += change;
        rare_set(engine, instrument, RARE_PEGS, annex->peg_count != 0);
    } else {
        annex->stop_count += change;
        rare_set(engine, instrument, RARE_TRIGGERS, annex->stop_count != 0);
    }
}

/* With no peg in the book, nobody keeps the prices of the last pass: it would have been at the present ones. */
static void pass_begins_here(struct engine *engine, uint32_t instrument)
{
    const struct book *book = &engine->books[instrument];
    struct annex *annex = &engine->annexes[instrument];
    if (annex->peg_count != 0 || !state_continuous(book->state))
        return;
    annex->pass_keys[SIDE_BUY] = book->sides[SIDE_BUY].best;
    annex->pass_keys[SIDE_SELL] = book->sides[SIDE_SELL].best;
}

void mover_add(struct engine *engine, uint32_t instrument, uint32_t index)
{
    struct annex *annex = &engine->annexes[instrument];
    struct special *special = &engine->specials[index];
    if (special->peg != 0)
        pass_begins_here(engine, instrument);
    special->moves = 1;
    special->mover_next = 0;
    special->mover_prev = annex->mover_last;
    *(annex->mover_last ? &engine->specials[annex->mover_last].mover_next : &annex->mover_first) = index;
    annex->mover_last = index;
    movers_counted(engine, instrument, special, 1);
}

void mover_remove(struct engine *engine, uint32_t instrument, uint32_t index)
{
    struct annex *annex = &engine->annexes[instrument];
    struct special *special = &engine->specials[index];
    uint32_t next = special->mover_next;
    uint32_t prev = special->mover_prev;
    if (engine->passing && engine->pass_at == index)
        engine->pass_at = next;
    *(prev ? &engine->specials[prev].mover_next : &annex->mover_first) = next;
    *(next ? &engine->specials[next].mover_prev : &annex->mover_last) = prev;
    special->moves = 0;
    movers_counted(engine, instrument, special, UINT32_MAX);
}

/* ---- expiries -----------------------------------------------------------------------------------------------------
 */

static bool expires_before(const struct engine *engine, uint32_t left, uint32_t right)
{
    const struct special *a = &engine->specials[left];
    const struct special *b = &engine->specials[right];
    return a->expire_ns != b->expire_ns ? a->expire_ns < b->expire_ns : a->entered < b->entered;
}

static void expiry_put(struct engine *engine, uint32_t at, uint32_t index)
{
    engine->expiries[at] = index;
    engine->specials[index].expiry_at = at;
}

static void expiry_rise(struct engine *engine, uint32_t at, uint32_t index)
{
    for (; at > 1 && expires_before(engine, index, engine->expiries[at / 2]); at /= 2)
        expiry_put(engine, at, engine->expiries[at / 2]);
    expiry_put(engine, at, index);
}

static void expiry_sink(struct engine *engine, uint32_t at, uint32_t index)
{
    for (;;) {
        uint32_t child = at * 2;
        if (child > engine->expiry_count)
            break;
        if (child < engine->expiry_count &&
            expires_before(engine, engine->expiries[child + 1], engine->expiries[child]))
            child++;
        if (!expires_before(engine, engine->expiries[child], index))
            break;
        expiry_put(engine, at, engine->expiries[child]);
        at = child;
    }
    expiry_put(engine, at, index);
}

void expiry_add(struct engine *engine, uint32_t index)
{
    expiry_rise(engine, ++engine->expiry_count, index);
}

void expiry_remove(struct engine *engine, uint32_t index)
{
    uint32_t at = engine->specials[index].expiry_at;
    uint32_t last = engine->expiries[engine->expiry_count--];
    engine->specials[index].expiry_at = 0;
    if (last == index)
        return;
    if (at > 1 && expires_before(engine, last, engine->expiries[at / 2]))
        expiry_rise(engine, at, last);
    else
        expiry_sink(engine, at, last);
}
