#include "tour.h"

#include "book.h"

static const struct {
    enum where where;
    uint32_t side;
} tour_stops[TOUR_STOPS] = {
    {WHERE_DISPLAYED, SIDE_BUY}, {WHERE_HIDDEN, SIDE_BUY}, {WHERE_DISPLAYED, SIDE_SELL}, {WHERE_HIDDEN, SIDE_SELL},
    {WHERE_STOPS, SIDE_BUY},     {WHERE_STOPS, SIDE_SELL}, {WHERE_WAITING, SIDE_BUY},
};

/* The first order at a stop, or 0. */
static uint32_t first_at(const struct engine *engine, uint32_t instrument, uint32_t stop)
{
    if (stop == TOUR_WAITING)
        return engine->annexes[instrument].waiting.head;
    struct ladder ladder = ladder_at(engine, instrument, tour_stops[stop].where, tour_stops[stop].side);
    int32_t best = ladder.side->best;
    return best == KEY_NONE ? 0 : level_find(engine, &ladder, (uint32_t)best)->head;
}

/* From a stop that has no more orders to one that has. */
static void tour_on(const struct engine *engine, struct tour *tour)
{
    while (tour->order == 0 && ++tour->stop < TOUR_STOPS)
        tour->order = first_at(engine, tour->instrument, tour->stop);
}

struct tour tour_begin(const struct engine *engine, uint32_t instrument, uint32_t stop)
{
    struct tour tour = {.instrument = instrument, .stop = stop, .order = first_at(engine, instrument, stop)};
    tour_on(engine, &tour);
    return tour;
}

void tour_next(const struct engine *engine, struct tour *tour)
{
    const struct order *order = &engine->orders[tour->order];
    tour->order = order->next;
    if (tour->order == 0 && tour->stop < TOUR_WAITING) {
        struct ladder ladder =
            ladder_at(engine, tour->instrument, tour_stops[tour->stop].where, tour_stops[tour->stop].side);
        int32_t key = level_below(engine, &ladder, (int32_t)order_level_key(engine, order) - 1);
        tour->order = key == KEY_NONE ? 0 : level_find(engine, &ladder, (uint32_t)key)->head;
    }
    tour_on(engine, tour);
}
