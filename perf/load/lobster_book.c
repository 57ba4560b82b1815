#include "lobster_book.h"

#include "base/require.h"

#include <stdlib.h>
#include <string.h>

#define START_ROOM 1024u

static void *grown(void *array, uint32_t *room, size_t element_bytes)
{
    uint32_t larger = *room == 0 ? START_ROOM : *room * 2;
    void *grown_array = realloc(array, larger * element_bytes);
    REQUIRE(grown_array != NULL);
    *room = larger;
    return grown_array;
}

void lobster_book_init(struct lobster_book *book)
{
    *book = (struct lobster_book){0};
    book->by_id_mask = START_ROOM - 1;
    book->by_id = calloc(START_ROOM, sizeof(*book->by_id));
    REQUIRE(book->by_id != NULL);
}

void lobster_book_finish(struct lobster_book *book)
{
    for (int side = 0; side < LOBSTER_SIDES; side++)
        free(book->sides[side].levels);
    free(book->orders);
    free(book->live);
    free(book->by_id);
    *book = (struct lobster_book){0};
}

/* ---- ids ---- */

static uint32_t *id_place(const struct lobster_book *book, int64_t id)
{
    uint32_t at = (uint32_t)((uint64_t)id * 0x9e3779b97f4a7c15u >> 32) & book->by_id_mask;
    while (book->by_id[at] != 0 && book->orders[book->by_id[at] - 1].id != id)
        at = (at + 1) & book->by_id_mask;
    return &book->by_id[at];
}

static void remember_id(struct lobster_book *book, uint32_t index)
{
    if (book->order_count * 2 > book->by_id_mask) {
        free(book->by_id);
        book->by_id_mask = book->by_id_mask * 2 + 1;
        book->by_id = calloc((size_t)book->by_id_mask + 1, sizeof(*book->by_id));
        REQUIRE(book->by_id != NULL);
        for (uint32_t i = 0; i < index; i++)
            if (book->orders[i].id != LOBSTER_SYNTHETIC)
                *id_place(book, book->orders[i].id) = i + 1;
    }
    *id_place(book, book->orders[index].id) = index + 1;
}

struct lobster_order *lobster_book_find(const struct lobster_book *book, int64_t id)
{
    if (id == LOBSTER_SYNTHETIC)
        return NULL;
    uint32_t found = *id_place(book, id);
    struct lobster_order *order = found == 0 ? NULL : &book->orders[found - 1];
    return order && order->is_live ? order : NULL;
}

/* ---- levels ---- */

/* Where a price stands, or would stand, among the levels of its side. */
static uint32_t level_at(const struct lobster_levels *levels, int side, int64_t price_ticks)
{
    uint32_t low = 0;
    uint32_t high = levels->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (lobster_better(side, levels->levels[middle].price_ticks, price_ticks))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void lobster_book_change(struct lobster_book *book, int side, int64_t price_ticks, int64_t quantity)
{
    struct lobster_levels *levels = &book->sides[side];
    uint32_t at = level_at(levels, side, price_ticks);
    bool there = at < levels->count && levels->levels[at].price_ticks == price_ticks;
    if (!there) {
        if (levels->count == levels->room)
            levels->levels = grown(levels->levels, &levels->room, sizeof(*levels->levels));
        memmove(&levels->levels[at + 1], &levels->levels[at], (levels->count - at) * sizeof(*levels->levels));
        levels->levels[at] = (struct lobster_level){.price_ticks = price_ticks};
        levels->count++;
    }
    levels->levels[at].quantity += quantity;
    if (levels->levels[at].quantity != 0)
        return;
    levels->count--;
    memmove(&levels->levels[at], &levels->levels[at + 1], (levels->count - at) * sizeof(*levels->levels));
}

int64_t lobster_book_quantity(const struct lobster_book *book, int side, int64_t price_ticks)
{
    const struct lobster_levels *levels = &book->sides[side];
    uint32_t at = level_at(levels, side, price_ticks);
    return at < levels->count && levels->levels[at].price_ticks == price_ticks ? levels->levels[at].quantity : 0;
}

/* ---- orders ---- */

uint32_t lobster_book_keep(struct lobster_book *book, const struct lobster_order *order)
{
    if (book->order_count == book->order_room)
        book->orders = grown(book->orders, &book->order_room, sizeof(*book->orders));
    uint32_t index = book->order_count++;
    book->orders[index] = *order;
    if (order->id != LOBSTER_SYNTHETIC)
        remember_id(book, index);
    return index;
}

void lobster_book_accepted(struct lobster_book *book, uint32_t index, uint32_t quantity)
{
    struct lobster_order *order = &book->orders[index];
    if (book->live_count == book->live_room)
        book->live = grown(book->live, &book->live_room, sizeof(*book->live));
    order->leaves = quantity;
    order->is_live = true;
    order->live_at = book->live_count;
    book->live[book->live_count++] = index;
    lobster_book_change(book, order->side, order->price_ticks, quantity);
}

void lobster_book_taken(struct lobster_book *book, uint32_t index, uint32_t quantity, bool executed)
{
    struct lobster_order *order = &book->orders[index];
    lobster_book_change(book, order->side, order->price_ticks, -(int64_t)quantity);
    order->leaves -= quantity;
    order->executed += executed ? quantity : 0;
    if (order->leaves > 0)
        return;
    uint32_t last = book->live[--book->live_count];
    book->live[order->live_at] = last;
    book->orders[last].live_at = order->live_at;
    order->is_live = false;
}

struct lobster_order *lobster_book_unnamed(const struct lobster_book *book, int side, int64_t price_ticks)
{
    struct lobster_order *newest = NULL;
    for (uint32_t i = 0; i < book->live_count; i++) {
        struct lobster_order *order = &book->orders[book->live[i]];
        if (order->side != side || order->price_ticks != price_ticks)
            continue;
        if (order->id == LOBSTER_SYNTHETIC)
            return order;
        if (!newest || order > newest)
            newest = order;
    }
    return newest;
}

void lobster_book_doubt(struct lobster_book *book, int side, int64_t price_ticks)
{
    for (uint32_t i = 0; i < book->live_count; i++) {
        struct lobster_order *order = &book->orders[book->live[i]];
        if (order->side == side && order->price_ticks == price_ticks)
            order->is_doubtful = true;
    }
}
