/*
 * The engine's bookkeeping looked at from outside the path of orders: every rule that its parts rely on, by name. For
 * tests, after each command or each of its steps if they like.
 */
#include "book.h"
#include "levels.h"
#include "order_index.h"
#include "output.h"
#include "state.h"

#define CHECK(rule, text)                                                                                              \
    do {                                                                                                               \
        if (!(rule))                                                                                                   \
            return (text);                                                                                             \
    } while (0)

/* What the walk over all books adds up. */
struct census {
    uint64_t orders;
    uint64_t state_hash;
    uint64_t pages;
    uint64_t far_levels;
    uint64_t specials;
    uint64_t expiries;
    uint64_t movers;   /* of the book at hand */
    uint64_t reserves; /* of the book at hand */
};

static const char *order_invalid(const struct engine *engine, uint32_t index, struct census *census)
{
    const struct order *order = &engine->orders[index];
    const struct terms *terms = &order->terms;
    struct index_key name = {order_session(order), order->user_ref, order_user_ref_index(order)};
    uint32_t leaves_quantity = order_leaves(engine, order);
    CHECK(order->quantity != 0 && leaves_quantity <= QUANTITY_MAX, "a live order has open shares");
    CHECK(terms->size >= leaves_quantity && terms->size <= QUANTITY_MAX, "open and executed shares make the size");
    CHECK((terms->special != 0) == ((order->place & PLACE_SPECIAL) != 0), "a special order is marked");
    CHECK(index_find(engine, name) == index, "a live order is in the index");
    CHECK(index_bucket_of(engine, terms->slot)->orders[index_lane_of(terms->slot)] == index &&
              terms->away == index_away(engine, index_hash(name), terms->slot),
          "an order knows its slot of the index");
    if (terms->special != 0) {
        const struct special *special = special_of(engine, order);
        CHECK(special->order == index, "a record knows its order");
        CHECK(special->min_quantity <= leaves_quantity, "a minimum is at most what is open");
        CHECK((special->expire_ns != 0) == (special->expiry_at != 0), "an order that expires is in the heap");
        census->specials++;
        census->expiries += special->expiry_at != 0;
        census->movers += special->moves;
        census->reserves += special->reserve != 0;
    }
    census->orders++;
    census->state_hash += order_hash(engine, order);
    return NULL;
}

static const char *level_invalid(const struct engine *engine, const struct ladder *ladder, uint32_t key,
                                 enum where where, struct census *census)
{
    const struct level *level = level_find(engine, ladder, key);
    CHECK(level != NULL && level->head != 0, "a level that is listed has orders");
    uint64_t quantity = 0;
    uint32_t prev = 0;
    for (uint32_t index = level->head; index != 0; index = engine->orders[index].next) {
        const struct order *order = &engine->orders[index];
        uint32_t side = code_side(order_code(order));
        const char *rule = order_invalid(engine, index, census);
        if (rule)
            return rule;
        CHECK(order_level_key(engine, order) == key, "an order stands at its price");
        CHECK(order_where(order) == where, "an order is marked with its place");
        CHECK(ladder_at(engine, order_instrument(order), where, side).side == ladder->side,
              "an order stands in its book, on its side");
        CHECK(order->prev == prev, "orders of a level are chained both ways");
        quantity += order->quantity;
        prev = index;
    }
    CHECK(level->tail == prev, "the tail of a level is its last order");
    CHECK(level->quantity == quantity, "a level's quantity is that of its orders");
    return NULL;
}

static const char *pages_invalid(const struct engine *engine, const struct ladder *ladder, struct census *census)
{
    uint32_t pages = 0;
    for (uint32_t i = 0; i < engine->window_pages; i++) {
        uint32_t page = ladder->pages[i];
        bool marked = ladder->occupied[i / 64] >> (i % 64) & 1;
        CHECK(marked == (page != 0), "pages in use are marked");
        if (page == 0)
            continue;
        CHECK(engine->page_bits[page] != 0, "a page in use holds a level");
        CHECK(far_in_page(engine, ladder->side, ladder->side->window_base + i) == KEY_NONE,
              "no level of a page in use is far");
        for (uint32_t level = 0; level < PAGE_LEVELS; level++) {
            const struct level *self = level_in_page(engine, page, level);
            bool used = self->head != 0;
            CHECK(used == (engine->page_bits[page] >> level & 1), "levels in use are marked");
            CHECK(used || (self->tail == 0 && self->quantity == 0), "an empty level is zero");
        }
        pages++;
    }
    CHECK(pages == ladder->side->window_pages, "pages of a window are counted");
    census->pages += pages;
    census->far_levels += ladder->side->far_count;
    return NULL;
}

static const char *ladder_invalid(const struct engine *engine, const struct ladder *ladder, enum where where,
                                  struct census *census)
{
    int32_t key = level_below(engine, ladder, (int32_t)KEY_MASK);
    CHECK(key == ladder->side->best, "the best price is that of the best level");
    CHECK(ladder->side->far_best == far_below(engine, ladder->side, KEY_MASK), "the best far price is known");
    for (; key != KEY_NONE; key = level_below(engine, ladder, key - 1)) {
        const char *rule = level_invalid(engine, ladder, (uint32_t)key, where, census);
        if (rule)
            return rule;
    }
    return NULL;
}

static const char *side_invalid(const struct engine *engine, uint32_t instrument, uint32_t side, struct census *census)
{
    struct ladder displayed = ladder_at(engine, instrument, WHERE_DISPLAYED, side);
    struct ladder hidden = ladder_at(engine, instrument, WHERE_HIDDEN, side);
    struct ladder stops = ladder_at(engine, instrument, WHERE_STOPS, side);
    const char *rule = pages_invalid(engine, &displayed, census);
    if (!rule)
        rule = ladder_invalid(engine, &displayed, WHERE_DISPLAYED, census);
    if (!rule)
        rule = ladder_invalid(engine, &hidden, WHERE_HIDDEN, census);
    if (!rule)
        rule = ladder_invalid(engine, &stops, WHERE_STOPS, census);
    census->far_levels += hidden.side->far_count + stops.side->far_count;
    uint8_t rare = engine->books[instrument].rare;
    uint8_t flag = side == SIDE_BUY ? RARE_HIDDEN_BIDS : RARE_HIDDEN_ASKS;
    CHECK(((rare & flag) != 0) == (hidden.side->best != KEY_NONE), "hidden orders are flagged");
    return rule;
}

static const char *chain_invalid(const struct engine *engine, uint32_t instrument, enum where where,
                                 struct census *census)
{
    const struct annex *annex = &engine->annexes[instrument];
    const struct chain *chain = where == WHERE_WAITING ? &annex->waiting : &annex->due;
    uint32_t prev = 0;
    for (uint32_t index = chain->head; index != 0; index = engine->orders[index].next) {
        const struct order *order = &engine->orders[index];
        const char *rule = order_invalid(engine, index, census);
        if (rule)
            return rule;
        CHECK(order_where(order) == where && order_instrument(order) == instrument,
              "an order is marked with its place");
        CHECK(order->prev == prev, "orders of a chain are chained both ways");
        prev = index;
    }
    CHECK(chain->tail == prev, "the tail of a chain is its last order");
    return NULL;
}

/* Between the steps of its trades a taker is in no place, but its record is in use. */
static void taker_counted(const struct engine *engine, uint32_t instrument, struct census *census)
{
    const struct taker *taker = &engine->taker;
    const struct special *special = &engine->specials[taker->terms.special];
    if (engine->work.taking == TAKING_NOTHING || taker->instrument != instrument || taker->terms.special == 0)
        return;
    census->specials++;
    census->expiries += special->expiry_at != 0;
    census->movers += special->moves;
}

static const char *movers_invalid(const struct engine *engine, uint32_t instrument, const struct census *census)
{
    const struct annex *annex = &engine->annexes[instrument];
    uint8_t rare = engine->books[instrument].rare;
    uint32_t count = 0;
    uint32_t pegs = 0;
    for (uint32_t at = annex->mover_first; at != 0; at = engine->specials[at].mover_next) {
        pegs += engine->specials[at].peg != 0;
        count++;
    }
    CHECK(count == annex->mover_count && count == census->movers && pegs == annex->peg_count, "movers are counted");
    CHECK(census->reserves == annex->reserve_count, "reserves are counted");
    CHECK(((rare & RARE_PEGS) != 0) == (pegs != 0), "pegs are flagged");
    CHECK(((rare & RARE_TRIGGERS) != 0) == (annex->stop_count != 0), "stops are flagged");
    return NULL;
}

static const char *book_invalid(const struct engine *engine, uint32_t instrument, struct census *census)
{
    const struct book *book = &engine->books[instrument];
    census->movers = 0;
    census->reserves = 0;
    for (uint32_t side = 0; side < 2; side++) {
        const char *rule = side_invalid(engine, instrument, side, census);
        if (rule)
            return rule;
    }
    CHECK(engine->annexes[instrument].due.head == 0 || engine_more(engine), "nothing is due between commands");
    const char *rule = chain_invalid(engine, instrument, WHERE_WAITING, census);
    if (!rule)
        rule = chain_invalid(engine, instrument, WHERE_DUE, census);
    if (rule)
        return rule;
    taker_counted(engine, instrument, census);
    int32_t bid = book->sides[SIDE_BUY].best;
    int32_t ask = book->sides[SIDE_SELL].best;
    bool crossed = bid != KEY_NONE && ask != KEY_NONE && bid >= (ask ^ (int32_t)KEY_MASK);
    CHECK(!crossed || !state_continuous(book->state) || engine->work.sweep == SWEEP_STATES, "a book is not crossed");
    return movers_invalid(engine, instrument, census);
}

static const char *pools_invalid(const struct engine *engine, const struct census *census)
{
    const struct pool *orders = &engine->order_pool;
    const struct pool *pages = &engine->page_pool;
    const struct pool *far = &engine->far_level_pool;
    CHECK(orders->max - orders->room == census->orders, "orders are live or free");
    CHECK(pages->max - pages->room == census->pages, "pages are in use or free");
    CHECK(far->max - far->room == census->far_levels, "far levels are in use or free");
    const struct pool *specials = &engine->special_pool;
    CHECK(specials->max - specials->room == census->specials, "records of special orders are in use or free");
    CHECK(engine->expiry_count == census->expiries, "orders that expire are counted");
    return NULL;
}

static uint64_t standing_hash(const struct engine *engine)
{
    uint64_t hash = engine->day_open ? hash_fold(engine->date ^ HASH_ODD_0, HASH_ODD_6) : 0;
    for (uint32_t instrument = 1; instrument <= engine->instrument_count; instrument++) {
        const struct book *book = &engine->books[instrument];
        hash += book_hash(book, instrument) + (uint64_t)(int64_t)book->last_ticks * last_weight(instrument);
    }
    return hash + engine->firms_hash;
}

static const char *index_invalid(const struct engine *engine)
{
    uint64_t used = 0;
    uint64_t away = 0;
    uint64_t passed = 0;
    for (size_t i = 0; i <= engine->index_mask; i++) {
        const struct index_bucket *bucket = &engine->index[i];
        passed += bucket->passed;
        for (uint32_t lane = 0; lane < INDEX_LANES; lane++) {
            bool taken = bucket->orders[lane] != 0;
            CHECK(taken == (bucket->used >> lane & 1) && taken == (bucket->tags[lane] != 0), "a lane in use is marked");
            used += taken;
            away += taken ? engine->orders[bucket->orders[lane]].terms.away : 0;
        }
    }
    CHECK(used == engine->live_orders, "the index holds the live orders alone");
    CHECK(away == passed, "orders away from their buckets are counted on the way");
    return NULL;
}

static const char *sessions_invalid(const struct engine *engine)
{
    uint64_t connected = 0;
    uint64_t counted = 0;
    uint64_t waiting = 0;
    for (uint32_t session = 1; session <= engine->session_count; session++) {
        const struct session *self = &engine->sessions[session];
        connected += self->owner != 0;
        waiting += self->cancel_at_ns != 0;
        CHECK(self->cancel_at_ns == 0 || (self->owner == 0 && self->cancel_at_ns >= engine->grace_next_ns),
              "a session waits to come back only while it is away, and no longer than the next sweep");
    }
    for (uint32_t gateway = 0; gateway < GATEWAYS_MAX; gateway++)
        counted += engine->connected_counts[gateway];
    CHECK(connected == counted, "connected sessions are counted");
    CHECK(waiting == engine->grace_count, "sessions that may come back in time are counted");
    return NULL;
}

const char *engine_invalid(const struct engine *engine)
{
    struct census census = {.state_hash = standing_hash(engine)};
    for (uint32_t instrument = 1; instrument <= engine->instrument_count; instrument++) {
        const char *rule = book_invalid(engine, instrument, &census);
        if (rule)
            return rule;
    }
    CHECK(census.orders == engine->live_orders, "live orders are counted");
    CHECK(census.state_hash == engine->state_hash, "the state hash is that of the state");
    const char *rule = pools_invalid(engine, &census);
    if (!rule)
        rule = index_invalid(engine);
    return rule ? rule : sessions_invalid(engine);
}
