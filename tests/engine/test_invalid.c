/*
 * Goal: engine_invalid, which so many tests rely on, finds every kind of damage and names it.
 * Method: a book with an order in each kind of place; one thing at a time is made wrong behind the engine's back, and
 * the rule that it breaks must be the one that is named.
 */
#include "book.h"
#include "far.h"
#include "fixture.h"
#include "levels.h"
#include "order_index.h"
#include "state.h"

#include <criterion/criterion.h>
#include <string.h>

/* The orders of the book, by the number of their place in the pool: the order in which they were entered. */
enum { BID = 1, BID_BEHIND, RESERVE, HIDDEN, STOP, ON_CLOSE, ON_CLOSE_BEHIND, EXPIRING, PEG, TRAILING, FAR };

/* And their records, those that have one. */
enum { RECORD_OF_RESERVE = 1, RECORD_OF_STOP, RECORD_OF_EXPIRING, RECORD_OF_PEG, RECORD_OF_TRAILING };

static void enter_with(struct fixture *f, struct command command, struct command_order changes)
{
    command.order.max_floor = changes.max_floor;
    command.order.expire_s = changes.expire_s;
    command.order.trigger_kind = changes.trigger_kind;
    command.order.trigger_ticks = changes.trigger_ticks;
    if (changes.display)
        command.order.display = changes.display;
    if (changes.time_in_force)
        command.order.time_in_force = changes.time_in_force;
    if (changes.cross_type)
        command.order.cross_type = changes.cross_type;
    if (changes.price_type)
        command.order.price_type = changes.price_type;
    apply(f, command);
    cr_assert_eq(count_of(f, EVENT_ACCEPTED), 1);
}

static struct fixture *open_full(void)
{
    struct fixture *f = fixture_open(&fixture_limits);
    enter(f, 1, 'B', 10, 10000);
    enter(f, 2, 'B', 10, 10000);
    enter_with(f, order(f, 2, 'S', 100, 10200), (struct command_order){.max_floor = 10});
    enter_with(f, order(f, 1, 'B', 10, 9900), (struct command_order){.display = 'N'});
    enter_with(f, order(f, 1, 'B', 10, 11000), (struct command_order){.trigger_kind = 'S', .trigger_ticks = 11000});
    enter_with(f, order(f, 1, 'B', 10, 10000), (struct command_order){.cross_type = 'C'});
    enter_with(f, order(f, 2, 'B', 10, 10000), (struct command_order){.cross_type = 'C'});
    enter_with(f, order(f, 1, 'B', 10, 9800), (struct command_order){.time_in_force = '6', .expire_s = 60});
    enter_with(f, order(f, 3, 'B', 10, PRICE_TICKS_MARKET), (struct command_order){.display = 'N', .price_type = 'R'});
    enter_with(f, order(f, 3, 'S', 10, 9000), (struct command_order){.trigger_kind = 'T', .trigger_ticks = 500});
    enter(f, 2, 'S', 10, 100000000);
    cr_assert_null(engine_invalid(f->engine));
    return f;
}

static struct ladder bids(struct engine *engine)
{
    return ladder_at(engine, 1, WHERE_DISPLAYED, SIDE_BUY);
}

static struct level *level_of(struct engine *engine, uint32_t index)
{
    const struct order *order = &engine->orders[index];
    struct ladder ladder = ladder_at(engine, 1, (enum where)order_where(order), code_side(order_code(order)));
    return level_find(engine, &ladder, order_level_key(engine, order));
}

static struct index_bucket *bucket_of(struct engine *engine, uint32_t index)
{
    return index_bucket_of(engine, engine->orders[index].terms.slot);
}

static uint32_t lane_of(struct engine *engine, uint32_t index)
{
    return index_lane_of(engine->orders[index].terms.slot);
}

/* A bucket that holds none of the orders above. */
static struct index_bucket *bucket_of_nobody(struct engine *engine)
{
    return index_bucket(engine, index_hash((struct index_key){.session = 8, .user_ref = 1}));
}

static uint32_t page_of_bids(struct engine *engine)
{
    struct ladder ladder = bids(engine);
    return page_of(engine, &ladder, engine->orders[BID].key);
}

static void put_at(struct engine *engine, uint32_t index, enum where where)
{
    struct order *order = &engine->orders[index];
    order->place = (order->place & ~(7u << PLACE_WHERE_SHIFT)) | (uint32_t)where << PLACE_WHERE_SHIFT;
}

/* ---- one damage each ----------------------------------------------------------------------------------------------
 */

#define DAMAGE(name, ...)                                                                                              \
    static void name(struct engine *engine)                                                                            \
    {                                                                                                                  \
        __VA_ARGS__;                                                                                                   \
    }

DAMAGE(no_shares, engine->orders[BID].quantity = 0)
DAMAGE(no_shares_hidden, engine->orders[HIDDEN].quantity = 0)
DAMAGE(no_shares_of_a_stop, engine->orders[STOP].quantity = 0)
DAMAGE(no_shares_waiting, engine->orders[ON_CLOSE].quantity = 0)
DAMAGE(too_many_shares, engine->orders[BID].quantity = QUANTITY_MAX + 1)
DAMAGE(size_too_small, engine->orders[BID].terms.size = 9)
DAMAGE(size_too_large, engine->orders[BID].terms.size = QUANTITY_MAX + 1)
DAMAGE(marked_as_special, engine->orders[BID].place |= PLACE_SPECIAL)
DAMAGE(not_in_the_index, bucket_of(engine, BID)->orders[lane_of(engine, BID)] = 0)
DAMAGE(other_slot, engine->orders[BID].terms.slot++)
DAMAGE(lane_marked, bucket_of_nobody(engine)->used = 1)
DAMAGE(passed_by_nobody, bucket_of_nobody(engine)->passed = 1)
DAMAGE(two_of_one_name, engine->orders[BID_BEHIND].user_ref = engine->orders[BID].user_ref;
       engine->orders[BID_BEHIND].identity = engine->orders[BID].identity)
DAMAGE(record_of_another, engine->specials[RECORD_OF_RESERVE].order = BID)
DAMAGE(minimum_too_large, engine->specials[RECORD_OF_RESERVE].min_quantity = 101)
DAMAGE(expiry_not_in_the_heap, engine->specials[RECORD_OF_EXPIRING].expiry_at = 0)
DAMAGE(level_without_orders, *level_of(engine, HIDDEN) = (struct level){0})
DAMAGE(other_price, engine->orders[BID].key++)
DAMAGE(other_place, put_at(engine, BID, WHERE_HIDDEN))
DAMAGE(other_side, engine->orders[BID].place ^= CODE_SELL << PLACE_SIDE_SHIFT)
DAMAGE(not_chained_back, engine->orders[BID_BEHIND].prev = 0)
DAMAGE(other_tail, level_of(engine, BID)->tail = BID)
DAMAGE(other_quantity, level_of(engine, BID)->quantity++)
DAMAGE(page_not_marked, bids(engine).occupied[0] = 0)
DAMAGE(page_without_levels, engine->page_bits[page_of_bids(engine)] = 0)
DAMAGE(far_in_a_page, far_open(engine, bids(engine).side, engine->orders[BID].key - 1))
DAMAGE(level_not_marked, engine->page_bits[page_of_bids(engine)] ^= UINT64_C(1) << (engine->orders[BID].key % 64))
DAMAGE(tail_of_nothing, level_in_page(engine, page_of_bids(engine), engine->orders[BID].key - 3)->tail = BID)
DAMAGE(quantity_of_nothing, level_in_page(engine, page_of_bids(engine), engine->orders[BID].key - 3)->quantity = 1)
DAMAGE(pages_miscounted, bids(engine).side->window_pages++)
DAMAGE(other_best, bids(engine).side->best++)
DAMAGE(other_far_best, engine->books[1].sides[SIDE_SELL].far_best = KEY_NONE)
DAMAGE(hidden_bids_not_flagged, engine->books[1].rare ^= RARE_HIDDEN_BIDS)
DAMAGE(hidden_asks_flagged, engine->books[1].rare ^= RARE_HIDDEN_ASKS)
DAMAGE(due_for_ever, engine->annexes[1].due.head = ON_CLOSE)
DAMAGE(waiting_elsewhere, put_at(engine, ON_CLOSE, WHERE_DUE))
DAMAGE(waiting_for_another_book, engine->orders[ON_CLOSE].place ^= 1)
DAMAGE(waiting_not_chained_back, engine->orders[ON_CLOSE_BEHIND].prev = 0)
DAMAGE(other_tail_of_waiting, engine->annexes[1].waiting.tail = ON_CLOSE)
DAMAGE(movers_miscounted, engine->annexes[1].mover_count++)
DAMAGE(mover_in_no_list, engine->specials[RECORD_OF_STOP].moves = 1)
DAMAGE(pegs_miscounted, engine->annexes[1].peg_count++)
DAMAGE(reserves_miscounted, engine->annexes[1].reserve_count++)
DAMAGE(pegs_not_flagged, engine->books[1].rare ^= RARE_PEGS)
DAMAGE(stops_not_flagged, engine->books[1].rare ^= RARE_TRIGGERS)
DAMAGE(live_miscounted, engine->live_orders++)
DAMAGE(other_state_hash, engine->state_hash++)
DAMAGE(order_lost, engine->order_pool.room--)
DAMAGE(page_lost, engine->page_pool.room--)
DAMAGE(far_level_lost, engine->far_level_pool.room--)
DAMAGE(record_lost, engine->special_pool.room--)
DAMAGE(expiries_miscounted, engine->expiry_count++)
DAMAGE(slot_of_nobody, *bucket_of_nobody(engine) = (struct index_bucket){.orders = {BID}, .tags = {1}, .used = 1})
DAMAGE(lane_without_a_tag, bucket_of(engine, BID)->tags[lane_of(engine, BID)] = 0)
DAMAGE(away_from_its_bucket, engine->orders[BID].terms.away++)
DAMAGE(connections_miscounted, engine->connected_counts[1]++)

static const struct {
    const char *what;
    void (*damage)(struct engine *engine);
    const char *rule;
} damages[] = {
#define NAMED(damage) #damage, damage
    {NAMED(no_shares), "a live order has open shares"},
    {NAMED(no_shares_hidden), "a live order has open shares"},
    {NAMED(no_shares_of_a_stop), "a live order has open shares"},
    {NAMED(no_shares_waiting), "a live order has open shares"},
    {NAMED(too_many_shares), "a live order has open shares"},
    {NAMED(size_too_small), "open and executed shares make the size"},
    {NAMED(size_too_large), "open and executed shares make the size"},
    {NAMED(marked_as_special), "a special order is marked"},
    {NAMED(not_in_the_index), "a live order is in the index"},
    {NAMED(two_of_one_name), "a live order is in the index"},
    {NAMED(other_slot), "an order knows its slot of the index"},
    {NAMED(record_of_another), "a record knows its order"},
    {NAMED(minimum_too_large), "a minimum is at most what is open"},
    {NAMED(expiry_not_in_the_heap), "an order that expires is in the heap"},
    {NAMED(level_without_orders), "a level that is listed has orders"},
    {NAMED(other_price), "an order stands at its price"},
    {NAMED(other_place), "an order is marked with its place"},
    {NAMED(other_side), "an order stands in its book, on its side"},
    {NAMED(not_chained_back), "orders of a level are chained both ways"},
    {NAMED(other_tail), "the tail of a level is its last order"},
    {NAMED(other_quantity), "a level's quantity is that of its orders"},
    {NAMED(page_not_marked), "pages in use are marked"},
    {NAMED(page_without_levels), "a page in use holds a level"},
    {NAMED(far_in_a_page), "no level of a page in use is far"},
    {NAMED(level_not_marked), "levels in use are marked"},
    {NAMED(tail_of_nothing), "an empty level is zero"},
    {NAMED(quantity_of_nothing), "an empty level is zero"},
    {NAMED(pages_miscounted), "pages of a window are counted"},
    {NAMED(other_best), "the best price is that of the best level"},
    {NAMED(other_far_best), "the best far price is known"},
    {NAMED(hidden_bids_not_flagged), "hidden orders are flagged"},
    {NAMED(hidden_asks_flagged), "hidden orders are flagged"},
    {NAMED(due_for_ever), "nothing is due between commands"},
    {NAMED(waiting_elsewhere), "an order is marked with its place"},
    {NAMED(waiting_for_another_book), "an order is marked with its place"},
    {NAMED(waiting_not_chained_back), "orders of a chain are chained both ways"},
    {NAMED(other_tail_of_waiting), "the tail of a chain is its last order"},
    {NAMED(movers_miscounted), "movers are counted"},
    {NAMED(mover_in_no_list), "movers are counted"},
    {NAMED(pegs_miscounted), "movers are counted"},
    {NAMED(reserves_miscounted), "reserves are counted"},
    {NAMED(pegs_not_flagged), "pegs are flagged"},
    {NAMED(stops_not_flagged), "stops are flagged"},
    {NAMED(live_miscounted), "live orders are counted"},
    {NAMED(other_state_hash), "the state hash is that of the state"},
    {NAMED(order_lost), "orders are live or free"},
    {NAMED(page_lost), "pages are in use or free"},
    {NAMED(far_level_lost), "far levels are in use or free"},
    {NAMED(record_lost), "records of special orders are in use or free"},
    {NAMED(expiries_miscounted), "orders that expire are counted"},
    {NAMED(lane_marked), "a lane in use is marked"},
    {NAMED(lane_without_a_tag), "a live order is in the index"},
    {NAMED(passed_by_nobody), "orders away from their buckets are counted on the way"},
    {NAMED(slot_of_nobody), "the index holds the live orders alone"},
    {NAMED(away_from_its_bucket), "an order knows its slot of the index"},
    {NAMED(connections_miscounted), "connected sessions are counted"},
};

Test(invalid, each_damage_is_named)
{
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct fixture *f = open_full();
        damages[i].damage(f->engine);
        const char *rule = engine_invalid(f->engine);
        cr_expect(rule && strcmp(rule, damages[i].rule) == 0, "%s: %s", damages[i].what, rule ? rule : "not found");
        fixture_close(f);
    }
}

/* Before the market opens they may cross; as soon as it is open they must not. */
Test(invalid, a_crossed_book_is_named)
{
    struct fixture *f = fixture_open(&fixture_limits);
    apply(f, (struct command){.kind = COMMAND_MARKET_STATE, .admin = {.instrument = 1, .market_state = 'P'}});
    enter(f, 1, 'B', 10, 10000);
    enter(f, 2, 'S', 10, 10000);
    cr_expect_null(engine_invalid(f->engine));
    f->engine->books[1].state = 'O';
    cr_expect_str_eq(engine_invalid(f->engine), "a book is not crossed");
    fixture_close(f);
}
