/* The book against the answers, as far as a file that shows the best levels alone can know them (rule 3 of lobster.h).
 */
#include "lobster_play.h"

#include <inttypes.h>

/* The worst price of which the row knows everything that is better or equal: a side with room left is known whole. */
static bool known_until(const struct lobster_row *row, int side, int64_t *ret_price)
{
    if (row->count[side] < row->shown)
        return false;
    *ret_price = row->levels[side][row->count[side] - 1].price_ticks;
    return true;
}

/* Makes a level from beyond the range what the row shows. */
static void adopt(struct lobster *lobster, int side, int64_t price_ticks, int64_t quantity)
{
    int64_t missing = quantity - lobster_book_quantity(&lobster->book, side, price_ticks);
    lobster_book_doubt(&lobster->book, side, price_ticks);
    if (missing == 0)
        return;
    lobster->counts.levels_adopted++;
    if (missing > 0)
        lobster_enter_passive(lobster, LOBSTER_SYNTHETIC, side, price_ticks, missing);
    while (missing < 0 && lobster->failures == 0) {
        const struct lobster_order *order = lobster_book_unnamed(&lobster->book, side, price_ticks);
        int64_t less = order && order->leaves < -missing ? order->leaves : -missing;
        if (order) {
            lobster_cut(lobster, order, less);
        } else {
            lobster_failed(lobster, "shares at %" PRId64 " belong to no order", price_ticks);
        }
        lobster_settle(&lobster->players[OWNER]);
        missing += less;
    }
}

/* Levels of ours that came into the row's range from beyond the one before, and are not in the row: gone unseen. */
static void drop_unseen(struct lobster *lobster, const struct lobster_row *row, int side, bool bounded, int64_t before)
{
    const struct lobster_levels *ours = &lobster->book.sides[side];
    int64_t until = 0;
    bool row_bounded = known_until(row, side, &until);
    for (uint32_t i = 0; i < ours->count && bounded && lobster->failures == 0;) {
        int64_t price = ours->levels[i].price_ticks;
        bool in_range = !row_bounded || !lobster_better(side, until, price);
        bool in_row = false;
        for (uint32_t j = 0; j < row->count[side]; j++)
            in_row |= row->levels[side][j].price_ticks == price;
        if (!in_range || in_row || !lobster_better(side, before, price))
            i++;
        else
            adopt(lobster, side, price, 0);
    }
}

/* Compares one side with the row, as far as the row before lets the file know it, and adopts what lies beyond. */
static bool compare_side(struct lobster *lobster, const struct lobster_row *row, const struct lobster_row *row_before,
                         int side)
{
    const struct lobster_levels *ours = &lobster->book.sides[side];
    int64_t before = 0;
    bool bounded = known_until(row_before, side, &before);
    uint32_t at = 0;
    bool same = true;
    for (; at < row->count[side]; at++) {
        const struct lobster_level *level = &row->levels[side][at];
        if (bounded && lobster_better(side, before, level->price_ticks))
            break;
        lobster->counts.levels_compared++;
        same &= at < ours->count && ours->levels[at].price_ticks == level->price_ticks &&
                ours->levels[at].quantity == level->quantity;
    }
    /* Within the range there must be no level of ours that the row does not have. */
    int64_t until = 0;
    bool row_bounded = known_until(row, side, &until);
    if (at < ours->count) {
        int64_t price = ours->levels[at].price_ticks;
        bool in_range =
            (!bounded || !lobster_better(side, before, price)) && (!row_bounded || !lobster_better(side, until, price));
        same &= !in_range;
    }
    drop_unseen(lobster, row, side, bounded, before);
    for (; at < row->count[side]; at++)
        adopt(lobster, side, row->levels[side][at].price_ticks, row->levels[side][at].quantity);
    return same;
}

void lobster_compare(struct lobster *lobster, const struct lobster_row *row, const struct lobster_row *row_before)
{
    bool same = compare_side(lobster, row, row_before, LOBSTER_ASK);
    same &= compare_side(lobster, row, row_before, LOBSTER_BID);
    lobster_settle(&lobster->players[OWNER]);
    if (same)
        return;
    lobster->counts.differences++;
    lobster_failed(lobster,
                   "the book is not the answer's: best bid %" PRId64 " x %" PRId64 ", best ask %" PRId64 " x %" PRId64,
                   row->levels[LOBSTER_BID][0].price_ticks, row->levels[LOBSTER_BID][0].quantity,
                   row->levels[LOBSTER_ASK][0].price_ticks, row->levels[LOBSTER_ASK][0].quantity);
}
