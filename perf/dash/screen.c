/* What a person asks of the screen: which part, which row, in which order. Drawing is draw.c's. */
#include "perf/dash/screen.h"

#include <stdlib.h>
#include <string.h>

struct sorting {
    const struct tape *tape;
    const struct dash_model *model;
    uint32_t key;
    bool reversed;
};

static const char *const instrument_keys[] = {"trades", "events", "orders", "shares", "symbol", NULL};
static const char *const session_keys[] = {"messages", "orders", "trades", "rejects", "user", NULL};
static const char *const stage_keys[] = {"pipeline", "cpu", "rate", "behind", NULL};
static const char *const no_keys[] = {NULL};
static const char *const *const keys[PART_COUNT] = {
    [PART_STAGES] = stage_keys,
    [PART_INSTRUMENTS] = instrument_keys,
    [PART_SESSIONS] = session_keys,
    [PART_ALARMS] = no_keys,
};

const char *screen_sort_name(const struct screen *screen, enum part part)
{
    const char *name = keys[part][screen->sort[part]];
    return name ? name : "";
}

static void next_sort(struct screen *screen)
{
    uint32_t *sort = &screen->sort[screen->focus];
    if (!keys[screen->focus][*sort] || !keys[screen->focus][++*sort])
        *sort = 0;
}

void screen_key(struct screen *screen, enum screen_key key)
{
    uint32_t *selected = &screen->selected[screen->focus];
    switch (key) {
    case KEY_NEXT_PART:
        screen->focus = (enum part)((screen->focus + 1) % PART_COUNT);
        break;
    case KEY_UP_ROW:
        *selected -= *selected > 0;
        screen->selecting = true;
        break;
    case KEY_DOWN_ROW:
        *selected += *selected + 1 < screen->row_count[screen->focus];
        screen->selecting = true;
        break;
    case KEY_SORT:
        next_sort(screen);
        break;
    case KEY_REVERSE:
        screen->reversed[screen->focus] = !screen->reversed[screen->focus];
        break;
    case KEY_PAUSE:
        screen->paused = !screen->paused;
        break;
    case KEY_SHOW_HELP:
        screen->help = !screen->help;
        break;
    case KEY_NOTHING:
        break;
    }
}

/* ---- sorting: the most first, names from A ------------------------------------------------------------------------
 */

static int by_number(double a, double b)
{
    return (a < b) - (a > b);
}

/* Rates first; of two that are still the one that had more. */
static int by_counts(const struct tape_rates *a, const struct tape_rates *b, const struct tape_counts *a_all,
                     const struct tape_counts *b_all, uint32_t key)
{
    int order;
    switch (key) {
    case 0:
        order = by_number(a->trades, b->trades);
        return order ? order : by_number((double)a_all->trades, (double)b_all->trades);
    case 1:
        order = by_number(a->events, b->events);
        return order ? order : by_number((double)a_all->events, (double)b_all->events);
    case 2:
        order = by_number(a->orders, b->orders);
        return order ? order : by_number((double)a_all->orders, (double)b_all->orders);
    case 3:
        order = by_number(a->shares, b->shares);
        return order ? order : by_number((double)a_all->shares, (double)b_all->shares);
    default:
        order = by_number(a->rejects, b->rejects);
        return order ? order : by_number((double)a_all->rejects, (double)b_all->rejects);
    }
}

static int by_instrument(const void *a, const void *b, void *argument)
{
    const struct sorting *sorting = argument;
    const struct tape_instrument *first = &sorting->tape->instruments[*(const uint32_t *)a];
    const struct tape_instrument *second = &sorting->tape->instruments[*(const uint32_t *)b];
    int order = sorting->key == 4
                    ? strcmp(first->symbol, second->symbol)
                    : by_counts(&first->rates, &second->rates, &first->counts, &second->counts, sorting->key);
    if (order == 0)
        order = (first->number > second->number) - (first->number < second->number);
    return sorting->reversed ? -order : order;
}

static int by_session(const void *a, const void *b, void *argument)
{
    static const uint32_t counts_key[] = {1, 2, 0, 4}; /* messages, orders, trades, rejects */
    const struct sorting *sorting = argument;
    const struct tape_session *first = &sorting->tape->sessions[*(const uint32_t *)a];
    const struct tape_session *second = &sorting->tape->sessions[*(const uint32_t *)b];
    int order = sorting->key == 4 ? strcmp(first->user, second->user)
                                  : by_counts(&first->rates, &second->rates, &first->counts, &second->counts,
                                              counts_key[sorting->key]);
    if (order == 0)
        order = (first->number > second->number) - (first->number < second->number);
    return sorting->reversed ? -order : order;
}

static int by_stage(const void *a, const void *b, void *argument)
{
    const struct sorting *sorting = argument;
    uint32_t first_index = *(const uint32_t *)a;
    uint32_t second_index = *(const uint32_t *)b;
    const struct dash_stage *first = &sorting->model->stages[first_index];
    const struct dash_stage *second = &sorting->model->stages[second_index];
    int order = 0;
    if (sorting->key == 1)
        order = by_number(first->cpu, second->cpu);
    else if (sorting->key == 2)
        order = by_number(first->records_per_s, second->records_per_s);
    else if (sorting->key == 3)
        order = by_number((double)first->behind, (double)second->behind);
    if (order == 0)
        order = (first_index > second_index) - (first_index < second_index);
    return sorting->reversed ? -order : order;
}

/* In the order in which a request passes them. */
static uint32_t place_in_pipeline(const char *name)
{
    static const char *const places[] = {"gateway", "sequencer", "journaler", "matcher", "persister"};
    for (uint32_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (strncmp(name, places[i], strlen(places[i])) == 0)
            return i;
    return UINT32_MAX;
}

static void list_stages(struct screen *screen, const struct dash_model *model)
{
    uint32_t *order = screen->order[PART_STAGES];
    uint32_t count = 0;
    for (uint32_t place = 0; place < 5; place++)
        for (uint32_t i = 0; i < model->stage_count; i++)
            if (place_in_pipeline(model->stages[i].name) == place)
                order[count++] = i;
    screen->row_count[PART_STAGES] = count;
}

static void list_instruments(struct screen *screen, const struct tape *tape)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < tape->instrument_room && count < SCREEN_ROWS_MAX; i++)
        if (tape->instruments[i].number != 0)
            screen->order[PART_INSTRUMENTS][count++] = i;
    screen->row_count[PART_INSTRUMENTS] = count;
}

static void list_sessions(struct screen *screen, const struct tape *tape)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < tape->session_room && count < SCREEN_ROWS_MAX; i++)
        if (tape->sessions[i].number != 0 && (tape->sessions[i].open || tape->sessions[i].rates.events > 0))
            screen->order[PART_SESSIONS][count++] = i;
    screen->row_count[PART_SESSIONS] = count;
}

/* In the pipeline's order the list is made already; reversing it would need its places. */
static void sort_part(struct screen *screen, enum part part, const struct dash_model *model, const struct tape *tape,
                      int (*compare)(const void *, const void *, void *))
{
    struct sorting sorting = {
        .tape = tape, .model = model, .key = screen->sort[part], .reversed = screen->reversed[part]};
    if (part == PART_STAGES && sorting.key == 0)
        return;
    qsort_r(screen->order[part], screen->row_count[part], sizeof(uint32_t), compare, &sorting);
}

void screen_sort(struct screen *screen, const struct dash_model *model, const struct tape *tape)
{
    list_stages(screen, model);
    list_instruments(screen, tape);
    list_sessions(screen, tape);
    sort_part(screen, PART_STAGES, model, tape, by_stage);
    sort_part(screen, PART_INSTRUMENTS, model, tape, by_instrument);
    sort_part(screen, PART_SESSIONS, model, tape, by_session);
    screen->row_count[PART_ALARMS] = model->log_count < DASH_LOG_MAX ? model->log_count : DASH_LOG_MAX;
    for (enum part part = 0; part < PART_COUNT; part++)
        if (screen->selected[part] >= screen->row_count[part])
            screen->selected[part] = screen->row_count[part] > 0 ? screen->row_count[part] - 1 : 0;
}
