/* The parts of the screen, each drawn into the lines that it is given. */
#include "perf/dash/screen.h"

#include "base/units.h"
#include "show/text.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define WIDE 132 /* columns from which on instruments and sessions stand side by side */

typedef unsigned long long ull;

struct region {
    int y, x, width, height; /* without the rule above it */
};

static const char *clock_text(uint64_t realtime_ns, char text[16])
{
    time_t seconds = (time_t)(realtime_ns / NS_PER_SECOND);
    struct tm broken;
    text[0] = '\0';
    if (gmtime_r(&seconds, &broken))
        strftime(text, 16, "%H:%M:%S", &broken);
    return text;
}

/* ---- head ---------------------------------------------------------------------------------------------------------
 */

static void draw_title(const struct screen *screen, struct cells *cells, const struct dash_model *model)
{
    char id[33];
    char clock[16];
    const struct run_view *run = &model->now.run;
    int x = cells_text(cells, 0, 1, -1, LOOK_TITLE, "ringside");
    if (!run->present) {
        cells_print(cells, 0, x + 2, LOOK_BAD, "no exchange runs in %s", screen->directory);
    } else {
        uint64_t up_s = (model->now.realtime_ns - run->created_ns) / NS_PER_SECOND;
        run_view_id(run, id);
        x = cells_print(cells, 0, x + 2, run->alive_count == run->process_count ? LOOK_GOOD : LOOK_BAD, "%u of %u up",
                        run->alive_count, run->process_count);
        x = cells_print(cells, 0, x, LOOK_PLAIN, "  durability %s", screen->durability);
        x = cells_print(cells, 0, x, LOOK_DIM, "  run %.8s for %llu:%02llu:%02llu", id, (ull)up_s / 3600,
                        (ull)up_s / 60 % 60, (ull)up_s % 60);
    }
    clock_text(model->now.realtime_ns, clock);
    if (screen->paused)
        cells_text(cells, 0, cells->width - 16, -1, LOOK_WARN, "PAUSED");
    if (x < cells->width - 9)
        cells_right(cells, 0, cells->width - 1, LOOK_DIM, clock);
}

/* A figure with its unit, bold and dim. */
static int draw_figure(struct cells *cells, int y, int x, const char *label, const char *figure, const char *unit)
{
    x = cells_print(cells, y, x, LOOK_DIM, "%s ", label);
    x = cells_text(cells, y, x, -1, LOOK_BOLD, figure);
    return cells_text(cells, y, x, -1, LOOK_DIM, unit) + 2;
}

static void draw_totals(struct cells *cells, const struct dash_model *model, const struct tape *tape)
{
    char text[NUMBER_BYTES];
    int x = draw_figure(cells, 1, 1, "commands", number_text(model->commands_per_s, text), "/s");
    x = draw_figure(cells, 1, x, "events", number_text(model->events_per_s, text), "/s");
    x = draw_figure(cells, 1, x, "trades", number_text(tape->rates.trades, text), "/s");
    x = draw_figure(cells, 1, x, "sessions", number_text(tape_open_sessions(tape), text), "");
    if (model->now.live_orders_known)
        x = draw_figure(cells, 1, x, "live", number_text((double)model->now.live_orders, text), "");
    if (model->history_count > 1 && cells->width - x > 12)
        cells_spark(cells, 1, x, cells->width - x - 1 < DASH_HISTORY_MAX ? cells->width - x - 1 : DASH_HISTORY_MAX,
                    model->history, model->history_count, LOOK_GOOD);
}

static int draw_hop(struct cells *cells, int y, int x, const char *label, const struct hop_sample *hop)
{
    char p50[NUMBER_BYTES];
    char p99[NUMBER_BYTES];
    x = cells_print(cells, y, x, LOOK_DIM, "%s ", label);
    if (hop->count == 0)
        return cells_text(cells, y, x, -1, LOOK_DIM, "-") + 2;
    x = cells_text(cells, y, x, -1, LOOK_BOLD, span_text(hop->p50_ns, p50));
    return cells_print(cells, y, x, LOOK_PLAIN, " p99 %s", span_text(hop->p99_ns, p99)) + 2;
}

static void draw_store(struct cells *cells, int *x, const struct store_sample *store)
{
    char text[NUMBER_BYTES];
    if (!store->configured)
        return;
    *x = cells_print(cells, 2, *x, LOOK_DIM, "%s ", store->name);
    if (store->up)
        *x = cells_text(cells, 2, *x, -1, LOOK_BOLD, number_text((double)store->lag_records, text)) + 2;
    else
        *x = cells_print(cells, 2, *x, LOOK_BAD, "%s, %s", store->refused ? "refuses" : "away",
                         number_text((double)store->lag_records, text)) +
             2;
}

static void draw_lags(struct cells *cells, const struct dash_model *model)
{
    char text[NUMBER_BYTES];
    int x = draw_hop(cells, 2, 1, "way", &model->now.hops[DASH_HOP_WAY]);
    x = cells_print(cells, 2, x, LOOK_DIM, "behind: journal ");
    x = cells_text(cells, 2, x, -1, LOOK_BOLD, number_text((double)model->journal_lag, text));
    x = cells_print(cells, 2, x, LOOK_DIM, "  event log ");
    x = cells_text(cells, 2, x, -1, LOOK_BOLD, number_text((double)model->event_log_lag, text)) + 2;
    for (uint32_t i = 0; i < model->now.store_count; i++)
        draw_store(cells, &x, &model->now.stores[i]);
}

/* ---- stages -------------------------------------------------------------------------------------------------------
 */

static enum look look_of_fill(double fill)
{
    return fill >= 0.8 ? LOOK_BAD : fill >= 0.5 ? LOOK_WARN : LOOK_GOOD;
}

enum column { CPU, RSS, RECORDS, BATCH, BEHIND, RING, FILL, STALLS, P50, P99, COLUMNS };

/* Where each column of figures ends. */
static const struct {
    int end;
    const char *title;
} columns[COLUMNS] = {
    [CPU] = {22, "cpu%"},      [RSS] = {27, "rss"},   [RECORDS] = {34, "rec/s"}, [BATCH] = {40, "batch"},
    [BEHIND] = {47, "behind"}, [RING] = {52, "ring"}, [FILL] = {57, "full"},     [STALLS] = {64, "stalls"},
    [P50] = {71, "p50"},       [P99] = {78, "p99"},
};

#define BAR_WIDTH 4

static void draw_column(struct cells *cells, int y, enum column column, enum look look, const char *text)
{
    cells_right(cells, y, columns[column].end, look, text);
}

static void draw_ring(struct cells *cells, int y, const struct dash_stage *stage)
{
    char text[NUMBER_BYTES];
    enum look look = look_of_fill(stage->fill);
    cells_bar(cells, y, columns[RING].end - BAR_WIDTH, BAR_WIDTH, stage->fill, look);
    snprintf(text, sizeof(text), "%.0f%%", 100 * stage->fill);
    draw_column(cells, y, FILL, look == LOOK_GOOD ? LOOK_PLAIN : look, text);
    draw_column(cells, y, STALLS, stage->stalls_per_s > 0 ? LOOK_WARN : LOOK_DIM,
                number_text(stage->stalls_per_s, text));
}

static void draw_stage(struct cells *cells, int y, const struct dash_stage *stage, const struct hop_sample *hop)
{
    char text[NUMBER_BYTES];
    bool bad = stage->bad || !stage->alive;
    enum look look = bad ? LOOK_BAD : LOOK_PLAIN;
    cells_text(cells, y, 1, 11, bad ? LOOK_BAD : LOOK_BOLD, stage->name);
    cells_text(cells, y, 12, 7, bad ? LOOK_BAD : LOOK_GOOD, stage->state);
    if (!stage->alive)
        return;
    draw_column(cells, y, CPU, look, number_text(stage->cpu * 100, text));
    draw_column(cells, y, RSS, look, stage->resident_bytes > 0 ? bytes_text(stage->resident_bytes, text) : "-");
    draw_column(cells, y, RECORDS, look, number_text(stage->records_per_s, text));
    draw_column(cells, y, BATCH, look, stage->batch > 0 ? number_text(stage->batch, text) : "-");
    draw_column(cells, y, BEHIND, look, number_text((double)stage->behind, text));
    if (!isnan(stage->fill))
        draw_ring(cells, y, stage);
    if (hop->count == 0)
        return;
    draw_column(cells, y, P50, look, span_text(hop->p50_ns, text));
    draw_column(cells, y, P99, look, span_text(hop->p99_ns, text));
}

static void draw_stages(const struct screen *screen, struct cells *cells, const struct region *region,
                        const struct dash_model *model)
{
    cells_rule(cells, region->y - 1, "stages", screen_sort_name(screen, PART_STAGES), screen->focus == PART_STAGES);
    for (enum column column = 0; column < COLUMNS; column++)
        draw_column(cells, region->y, column, LOOK_DIM, columns[column].title);
    for (int row = 0; row + 1 < region->height && row < (int)screen->row_count[PART_STAGES]; row++) {
        uint32_t index = screen->order[PART_STAGES][row];
        int y = region->y + 1 + row;
        draw_stage(cells, y, &model->stages[index], &model->now.hops[model->stages[index].hop]);
        if (screen->selecting && screen->focus == PART_STAGES && row == (int)screen->selected[PART_STAGES])
            cells_select(cells, y);
    }
}

/* ---- instruments and sessions -------------------------------------------------------------------------------------
 */

/* The first row to show so that the selected one is seen. */
static uint32_t first_row(const struct screen *screen, enum part part, int rows)
{
    uint32_t selected = screen->selected[part];
    return rows > 0 && selected >= (uint32_t)rows ? selected - (uint32_t)rows + 1 : 0;
}

enum quote { BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, TRADES, EVENTS, QUOTES };

/* Where each column ends, from the part's left edge. */
static const struct {
    int end;
    const char *title;
} quotes[QUOTES] = {
    [BID_SIZE] = {20, "size"}, [BID] = {30, "bid"},        [ASK] = {40, "ask"},         [ASK_SIZE] = {46, "size"},
    [LAST] = {56, "last"},     [LAST_SIZE] = {62, "size"}, [TRADES] = {71, "trades/s"}, [EVENTS] = {79, "ev/s"},
};

static void draw_quote(struct cells *cells, int y, int x, enum quote quote, enum look look, const char *text)
{
    cells_right(cells, y, x + quotes[quote].end, look, text);
}

static void draw_price(struct cells *cells, int y, int x, enum quote quote, int32_t ticks, enum look look)
{
    char text[PRICE_TEXT_BYTES];
    draw_quote(cells, y, x, quote, ticks > 0 ? look : LOOK_DIM, ticks > 0 ? price_text(ticks, text) : "-");
}

static const char *state_text(char state)
{
    switch (state) {
    case 'H':
        return "halt";
    case 'C':
        return "closed";
    case 'P':
        return "pre";
    default:
        return "";
    }
}

static void draw_instrument(struct cells *cells, int y, int x, const struct tape_instrument *instrument)
{
    char text[NUMBER_BYTES];
    cells_text(cells, y, x + 1, 8, LOOK_BOLD, instrument->symbol);
    cells_text(cells, y, x + 10, 6, LOOK_WARN, state_text(instrument->state));
    if (instrument->bid_ticks > 0)
        draw_quote(cells, y, x, BID_SIZE, LOOK_DIM, number_text((double)instrument->bid_quantity, text));
    draw_price(cells, y, x, BID, instrument->bid_ticks, LOOK_PLAIN);
    draw_price(cells, y, x, ASK, instrument->ask_ticks, LOOK_PLAIN);
    if (instrument->ask_ticks > 0)
        draw_quote(cells, y, x, ASK_SIZE, LOOK_DIM, number_text((double)instrument->ask_quantity, text));
    if (instrument->last_quantity > 0) {
        draw_price(cells, y, x, LAST, instrument->last_ticks, LOOK_BOLD);
        draw_quote(cells, y, x, LAST_SIZE, LOOK_DIM, number_text(instrument->last_quantity, text));
    }
    draw_quote(cells, y, x, TRADES, LOOK_PLAIN, number_text(instrument->rates.trades, text));
    draw_quote(cells, y, x, EVENTS, LOOK_PLAIN, number_text(instrument->rates.events, text));
}

static void draw_instruments(const struct screen *screen, struct cells *cells, const struct region *region,
                             const struct tape *tape)
{
    int rows = region->height - 1;
    uint32_t first = first_row(screen, PART_INSTRUMENTS, rows);
    for (enum quote quote = 0; quote < QUOTES; quote++)
        draw_quote(cells, region->y, region->x, quote, LOOK_DIM, quotes[quote].title);
    if (screen->row_count[PART_INSTRUMENTS] == 0)
        cells_text(cells, region->y + 1, region->x + 1, -1, LOOK_DIM, "none heard of yet");
    for (int row = 0; row < rows && first + (uint32_t)row < screen->row_count[PART_INSTRUMENTS]; row++) {
        uint32_t at = first + (uint32_t)row;
        int y = region->y + 1 + row;
        draw_instrument(cells, y, region->x, &tape->instruments[screen->order[PART_INSTRUMENTS][at]]);
        if (screen->selecting && screen->focus == PART_INSTRUMENTS && at == screen->selected[PART_INSTRUMENTS])
            cells_select(cells, y);
    }
}

static void draw_session(struct cells *cells, int y, int x, const struct tape_session *session)
{
    char text[NUMBER_BYTES];
    cells_text(cells, y, x + 1, 6, LOOK_BOLD, session->user[0] ? session->user : "?");
    cells_text(cells, y, x + 9, 4, LOOK_DIM, session->firm);
    if (session->open)
        cells_print(cells, y, x + 15, LOOK_PLAIN, "gateway-%u", session->gateway);
    else
        cells_text(cells, y, x + 15, -1, LOOK_DIM, "away");
    cells_right(cells, y, x + 35, LOOK_PLAIN, number_text(session->rates.events, text));
    cells_right(cells, y, x + 45, LOOK_PLAIN, number_text(session->rates.orders, text));
    cells_right(cells, y, x + 55, LOOK_PLAIN, number_text(session->rates.trades, text));
    cells_right(cells, y, x + 65, session->rates.rejects > 0 ? LOOK_WARN : LOOK_DIM,
                number_text(session->rates.rejects, text));
}

static void draw_sessions(const struct screen *screen, struct cells *cells, const struct region *region,
                          const struct tape *tape)
{
    int rows = region->height - 1;
    uint32_t first = first_row(screen, PART_SESSIONS, rows);
    cells_print(cells, region->y, region->x + 1, LOOK_DIM, "%-8s%-6s%-11s%9s%10s%10s%10s", "user", "firm", "on",
                "msgs/s", "orders/s", "trades/s", "rejects/s");
    if (screen->row_count[PART_SESSIONS] == 0)
        cells_text(cells, region->y + 1, region->x + 1, -1, LOOK_DIM, "nobody is logged in");
    for (int row = 0; row < rows && first + (uint32_t)row < screen->row_count[PART_SESSIONS]; row++) {
        uint32_t at = first + (uint32_t)row;
        int y = region->y + 1 + row;
        draw_session(cells, y, region->x, &tape->sessions[screen->order[PART_SESSIONS][at]]);
        if (screen->selecting && screen->focus == PART_SESSIONS && at == screen->selected[PART_SESSIONS])
            cells_select(cells, y);
    }
}

/* ---- alarms -------------------------------------------------------------------------------------------------------
 */

static void draw_alarms(const struct screen *screen, struct cells *cells, const struct region *region,
                        const struct dash_model *model)
{
    char right[64] = "none now";
    char clock[16];
    if (model->alarm_count > 0)
        snprintf(right, sizeof(right), "%u now", model->alarm_count);
    cells_rule(cells, region->y - 1, "alarms", right, screen->focus == PART_ALARMS);
    int y = region->y;
    for (uint32_t i = 0; i < model->alarm_count && y < region->y + region->height; i++, y++)
        cells_print(cells, y, 1, LOOK_BAD, "%s  %s", "now     ", model->alarms[i].text);
    uint32_t back = screen->selected[PART_ALARMS];
    for (uint32_t i = back; i < screen->row_count[PART_ALARMS] && y < region->y + region->height; i++, y++) {
        const struct dash_log_line *line = &model->log[(model->log_count - 1 - i) % DASH_LOG_MAX];
        int x = cells_print(cells, y, 1, LOOK_DIM, "%s", clock_text(line->realtime_ns, clock));
        cells_text(cells, y, x + 2, -1, line->bad ? LOOK_WARN : LOOK_PLAIN, line->text);
    }
}

/* ---- foot ---------------------------------------------------------------------------------------------------------
 */

static void draw_selected_stage(struct cells *cells, int y, const struct dash_stage *stage)
{
    cells_print(cells, y, 1, LOOK_BOLD, "%s  pid %d  %llu records wait for it  ring %s was full %llu times",
                stage->name, stage->pid, (ull)stage->behind, stage->ring[0] ? stage->ring : "-", (ull)stage->stalls);
}

static void draw_foot(const struct screen *screen, struct cells *cells, const struct dash_model *model,
                      const struct tape *tape)
{
    int y = cells->height - 1;
    uint32_t row = screen->selected[screen->focus];
    bool chosen = screen->selecting && row < screen->row_count[screen->focus];
    if (chosen && screen->focus == PART_STAGES) {
        draw_selected_stage(cells, y, &model->stages[screen->order[PART_STAGES][row]]);
    } else if (chosen && screen->focus == PART_INSTRUMENTS) {
        const struct tape_instrument *at = &tape->instruments[screen->order[PART_INSTRUMENTS][row]];
        cells_print(cells, y, 1, LOOK_BOLD, "%s  number %u  since the start: %llu orders, %llu trades, %llu shares",
                    at->symbol, at->number, (ull)at->counts.orders, (ull)at->counts.trades, (ull)at->counts.shares);
    } else if (chosen && screen->focus == PART_SESSIONS) {
        const struct tape_session *at = &tape->sessions[screen->order[PART_SESSIONS][row]];
        cells_print(cells, y, 1, LOOK_BOLD, "%s  number %u  since the start: %llu messages, %llu orders, %llu rejects",
                    at->user, at->number, (ull)at->counts.events, (ull)at->counts.orders, (ull)at->counts.rejects);
    } else {
        cells_text(cells, y, 1, -1, LOOK_DIM,
                   "q quit  tab next part  up/down select  s sort  r reverse  p pause  h help");
    }
}

static void draw_help(struct cells *cells)
{
    static const char *const lines[] = {
        "",
        "  q          quit                     p, space   pause: the screen stands still",
        "  tab        the next part            s          sort the part by its next key",
        "  up, down   select a row             r          the other way round",
        "  h, ?       this                     +, -       look more, or less, often",
        "",
        "  cpu%     of one core             rec/s    records that it published, or is done with",
        "  batch    records at one go       behind   records that wait for it; of the persister,",
        "                                            events that a store does not have yet",
        "  ring     how full the ring is that it fills; stalls: times a second that it was full",
        "  p50 p99  sequencer: from the gateway's read to the sequencing; journaler: a sync;",
        "           matcher: from the sequencing to the event, syncing included;",
        "           gateway: from the event to the socket; persister: a batch of a store",
        "  way      from the gateway's read of a request to its answer, or to its first event",
        "",
    };
    int count = (int)(sizeof(lines) / sizeof(lines[0]));
    int y = cells->height > count + 4 ? 4 : 0;
    for (int i = 0; i < count; i++, y++) {
        for (int x = 0; x < cells->width; x++)
            cells_text(cells, y, x, 1, LOOK_PLAIN, " ");
        cells_text(cells, y, 0, -1, LOOK_PLAIN, lines[i]);
    }
}

/* ---- the whole ----------------------------------------------------------------------------------------------------
 */

static const char *sorted_by(const struct screen *screen, enum part part, uint32_t count, char text[48])
{
    snprintf(text, 48, "%u, by %s", count, screen_sort_name(screen, part));
    return text;
}

static void draw_market(const struct screen *screen, struct cells *cells, int y, int height, const struct tape *tape)
{
    char instruments[48];
    char sessions[48];
    sorted_by(screen, PART_INSTRUMENTS, screen->row_count[PART_INSTRUMENTS], instruments);
    sorted_by(screen, PART_SESSIONS, screen->row_count[PART_SESSIONS], sessions);
    if (cells->width >= WIDE) {
        struct region left = {.y = y + 1, .x = 0, .width = 82, .height = height - 1};
        struct region right = {.y = y + 1, .x = 84, .width = cells->width - 84, .height = height - 1};
        char title[128];
        snprintf(title, sizeof(title), "instruments (%s)", instruments);
        cells_rule(cells, y, title, sessions, screen->focus == PART_INSTRUMENTS);
        cells_text(cells, y, 84, -1, LOOK_TITLE, screen->focus == PART_SESSIONS ? " > sessions " : " sessions ");
        draw_instruments(screen, cells, &left, tape);
        draw_sessions(screen, cells, &right, tape);
        return;
    }
    int upper = height - height * 2 / 5;
    struct region top = {.y = y + 1, .x = 0, .width = cells->width, .height = upper - 1};
    struct region bottom = {.y = y + upper + 1, .x = 0, .width = cells->width, .height = height - upper - 1};
    cells_rule(cells, y, "instruments", instruments, screen->focus == PART_INSTRUMENTS);
    draw_instruments(screen, cells, &top, tape);
    cells_rule(cells, y + upper, "sessions", sessions, screen->focus == PART_SESSIONS);
    draw_sessions(screen, cells, &bottom, tape);
}

/* Lines that instruments and sessions could fill, with their headings. */
static int market_height(const struct screen *screen, int width)
{
    int instruments = (int)screen->row_count[PART_INSTRUMENTS] + 3;
    int sessions = (int)screen->row_count[PART_SESSIONS] + 3;
    if (width >= WIDE)
        return instruments > sessions ? instruments : sessions;
    return 2 * (instruments > sessions ? instruments : sessions);
}

void screen_draw(struct screen *screen, struct cells *cells, const struct dash_model *model, const struct tape *tape)
{
    screen_sort(screen, model, tape);
    draw_title(screen, cells, model);
    draw_totals(cells, model, tape);
    draw_lags(cells, model);
    int stages = (int)screen->row_count[PART_STAGES] + 1;
    int left = cells->height - 3 - (stages + 1) - 1; /* for the market and the alarms, with their rules */
    int alarms = left / 4 > 3 ? left / 4 : left > 8 ? 3 : left < 2 ? left : 2;
    if (alarms < left - market_height(screen, cells->width))
        alarms = left - market_height(screen, cells->width);
    struct region stage_region = {.y = 4, .width = cells->width, .height = stages};
    struct region alarm_region = {.y = cells->height - alarms, .width = cells->width, .height = alarms - 1};
    draw_stages(screen, cells, &stage_region, model);
    if (left - alarms > 1)
        draw_market(screen, cells, 4 + stages, left - alarms, tape);
    if (alarms > 0)
        draw_alarms(screen, cells, &alarm_region, model);
    if (screen->help)
        draw_help(cells);
    draw_foot(screen, cells, model, tape);
}
