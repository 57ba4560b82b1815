/*
 * A client's own book: the orders of the sessions it plays for, and the levels they add up to, made from the messages
 * of the exchange and from nothing else.
 */
#ifndef RINGSIDE_LOAD_LOBSTER_BOOK_H
#define RINGSIDE_LOAD_LOBSTER_BOOK_H

#include "lobster_file.h"

#include <stdbool.h>
#include <stdint.h>

#define LOBSTER_SYNTHETIC 0 /* the id of an order that stands for shares the file does not name */

struct lobster_order {
    int64_t id; /* of the file, or LOBSTER_SYNTHETIC */
    int64_t price_ticks;
    uint32_t user_ref;
    uint32_t executed;
    uint32_t leaves;
    uint32_t live_at; /* place in the list of live ones */
    int side;
    bool is_live;
    bool is_doubtful; /* its level was out of the file's sight for a while: who was before whom is not known */
};

struct lobster_levels {
    struct lobster_level *levels; /* best first */
    uint32_t count;
    uint32_t room;
};

struct lobster_book {
    struct lobster_levels sides[LOBSTER_SIDES];
    struct lobster_order *orders; /* as entered */
    uint32_t order_count;
    uint32_t order_room;
    uint32_t *live;
    uint32_t live_count;
    uint32_t live_room;
    uint32_t *by_id; /* hash of ids: index + 1 of the newest order with it */
    uint32_t by_id_mask;
};

void lobster_book_init(struct lobster_book *book);
void lobster_book_finish(struct lobster_book *book);

/* Keeps an order that is about to be entered; its index. It has no part in the book before it is accepted. */
uint32_t lobster_book_keep(struct lobster_book *book, const struct lobster_order *order);

void lobster_book_accepted(struct lobster_book *book, uint32_t index, uint32_t quantity);
void lobster_book_taken(struct lobster_book *book, uint32_t index, uint32_t quantity, bool executed);

/* Adds so many shares (or takes them, if negative) at a price, for orders that are not kept here. */
void lobster_book_change(struct lobster_book *book, int side, int64_t price_ticks, int64_t quantity);

/* The live order with this id, or NULL. */
struct lobster_order *lobster_book_find(const struct lobster_book *book, int64_t id);

/* The live order at a price that stands for unnamed shares, else the newest one there, else NULL. */
struct lobster_order *lobster_book_unnamed(const struct lobster_book *book, int side, int64_t price_ticks);

/* The live orders at a price become doubtful. */
void lobster_book_doubt(struct lobster_book *book, int side, int64_t price_ticks);

/* The shares at a price. */
int64_t lobster_book_quantity(const struct lobster_book *book, int side, int64_t price_ticks);

/* Whether the first price is better than the second, on that side. */
static inline bool lobster_better(int side, int64_t price_ticks, int64_t than_ticks)
{
    return side == LOBSTER_ASK ? price_ticks < than_ticks : price_ticks > than_ticks;
}

#endif
