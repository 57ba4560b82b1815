/*
 * The engine's bookkeeping looked at from outside the path of orders: every rule that its parts rely on, by name. For
 * tests, after each command if they like.
 */
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
};

static const char *order_invalid(const struct engine *engine, uint32_t index, const struct ladder *ladder, uint32_t key,
                                 struct census *census)
{
    const struct order *order = &engine->orders[index];
    const struct terms *terms = &order->terms;
    struct index_key name = {order_session(order), order->user_ref, order_user_ref_index(order)};
    CHECK(order->key == key, "an order stands at its price");
    CHECK(ladder->side == &engine->books[order_instrument(order)].sides[code_side(order_code(order))],
          "an order stands in its book, on its side");
    CHECK(order->quantity != 0 && order->quantity <= QUANTITY_MAX, "a live order has open shares");
    CHECK(terms->size >= order->quantity && terms->size <= QUANTITY_MAX, "open and executed shares make the size");
    CHECK(terms->time_in_force == '0', "only day orders rest");
    const struct index_slot *slot = index_find(engine, name);
    CHECK(slot != NULL && slot->order == index, "a live order is in the index");
    census->orders++;
    census->state_hash += order_weight(order) * order->quantity;
    return NULL;
}

static const char *level_invalid(const struct engine *engine, const struct ladder *ladder, uint32_t key,
                                 struct census *census)
{
    const struct level *level = level_find(engine, ladder, key);
    CHECK(level != NULL && level->head != 0, "a level that is listed has orders");
    uint64_t quantity = 0;
    uint64_t order_ref_last = 0;
    uint32_t prev = 0;
    for (uint32_t index = level->head; index != 0; index = engine->orders[index].next) {
        const struct order *order = &engine->orders[index];
        const char *rule = order_invalid(engine, index, ladder, key, census);
        if (rule)
            return rule;
        CHECK(order->prev == prev, "orders of a level are chained both ways");
        CHECK(order_ref(order) > order_ref_last, "older orders come first");
        quantity += order->quantity;
        order_ref_last = order_ref(order);
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

static const char *side_invalid(const struct engine *engine, uint32_t instrument, uint32_t side, struct census *census)
{
    struct ladder ladder = ladder_of(engine, instrument, side);
    const char *rule = pages_invalid(engine, &ladder, census);
    if (rule)
        return rule;
    int32_t key = level_below(engine, &ladder, (int32_t)KEY_MASK);
    CHECK(key == ladder.side->best, "the best price is that of the best level");
    CHECK(ladder.side->far_best == far_below(engine, ladder.side, KEY_MASK), "the best far price is known");
    for (; key != KEY_NONE; key = level_below(engine, &ladder, key - 1)) {
        rule = level_invalid(engine, &ladder, (uint32_t)key, census);
        if (rule)
            return rule;
    }
    return NULL;
}

static const char *pools_invalid(const struct engine *engine, const struct census *census)
{
    const struct pool *orders = &engine->order_pool;
    const struct pool *pages = &engine->page_pool;
    const struct pool *far = &engine->far_level_pool;
    CHECK(orders->used - orders->free_count == census->orders, "orders are live or free");
    CHECK(pages->used - pages->free_count == census->pages, "pages are in use or free");
    CHECK(far->used - far->free_count == census->far_levels, "far levels are in use or free");
    return NULL;
}

static uint64_t standing_hash(const struct engine *engine)
{
    uint64_t hash = engine->day_open ? hash_fold(engine->date ^ HASH_ODD_0, HASH_ODD_6) : 0;
    for (uint32_t i = 1; i <= engine->instrument_count; i++) {
        const struct book *book = &engine->books[i];
        uint64_t word;
        memcpy(&word, book->symbol, sizeof(word));
        hash +=
            hash_fold(word ^ HASH_ODD_1, i ^ HASH_ODD_2) + two_words(book->tick_ticks, book->lot_quantity) * HASH_ODD_3;
    }
    return hash;
}

static const char *sessions_invalid(const struct engine *engine)
{
    uint64_t connected = 0;
    uint64_t counted = 0;
    for (uint32_t session = 1; session <= engine->session_count; session++)
        connected += engine->sessions[session].owner != 0;
    for (uint32_t gateway = 0; gateway < GATEWAYS_MAX; gateway++)
        counted += engine->connected_counts[gateway];
    CHECK(connected == counted, "connected sessions are counted");
    return NULL;
}

const char *engine_invalid(const struct engine *engine)
{
    struct census census = {.state_hash = standing_hash(engine)};
    for (uint32_t instrument = 1; instrument <= engine->instrument_count; instrument++) {
        const struct book *book = &engine->books[instrument];
        for (uint32_t side = 0; side < 2; side++) {
            const char *rule = side_invalid(engine, instrument, side, &census);
            if (rule)
                return rule;
        }
        int32_t bid = book->sides[SIDE_BUY].best;
        int32_t ask = book->sides[SIDE_SELL].best;
        CHECK(bid == KEY_NONE || ask == KEY_NONE || bid < (ask ^ (int32_t)KEY_MASK), "a book is not crossed");
    }
    CHECK(census.orders == engine->live_orders, "live orders are counted");
    CHECK(census.state_hash == engine->state_hash, "the state hash is that of the state");
    const char *rule = pools_invalid(engine, &census);
    return rule ? rule : sessions_invalid(engine);
}
