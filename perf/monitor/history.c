#include "perf/monitor/history.h"

#include "base/units.h"

#include <stdio.h>
#include <string.h>

void history_init(struct history *history)
{
    memset(history, 0, sizeof(*history));
}

static struct history_column *find(struct history *history, const char *name)
{
    for (uint32_t i = 0; i < history->column_count; i++)
        if (strcmp(history->columns[i].name, name) == 0)
            return &history->columns[i];
    if (history->column_count == HISTORY_COLUMNS_MAX)
        return NULL;
    struct history_column *column = &history->columns[history->column_count++];
    snprintf(column->name, sizeof(column->name), "%s", name);
    for (uint32_t i = 0; i < HISTORY_SECONDS; i++)
        column->values[i] = HISTORY_GAP;
    return column;
}

static void put(struct history *history, const char *kind, const char *of, double value)
{
    char name[48];
    snprintf(name, sizeof(name), "%s:%.40s", kind, of);
    struct history_column *column = find(history, name);
    if (column)
        column->values[history->next] = (float)value;
}

static void put_ring(struct history *history, uint32_t index, const struct ring_view *ring, double elapsed_s)
{
    uint64_t before = history->ring_seqs[index];
    history->ring_seqs[index] = ring->present ? ring->next_seq : 0;
    if (!ring->present)
        return;
    put(history, "fill", ring->name, (double)ring->fill_records / (double)ring->capacity_slots);
    if (before != 0 && ring->next_seq >= before && elapsed_s > 0)
        put(history, "rate", ring->name, (double)(ring->next_seq - before) / elapsed_s);
}

static void put_cpu(struct history *history, const struct watch *watch, uint32_t index, double elapsed_s)
{
    const struct metrics_reader *reader = &watch->meters.meters[index].reader;
    double cpu_s = 0;
    for (uint32_t at = 0; reader->file && at < reader->entry_count; at++) {
        const struct metrics_entry *entry = metrics_entry(reader, at);
        if (strcmp(entry->name, "ringside_process_cpu_seconds_total") == 0)
            cpu_s += metrics_value_scaled(reader, entry);
    }
    double before_s = history->cpu_s[index];
    history->cpu_s[index] = cpu_s;
    if (before_s > 0 && cpu_s >= before_s && elapsed_s > 0)
        put(history, "cpu", watch->meters.meters[index].process, (cpu_s - before_s) / elapsed_s);
}

/* Of several processes that measure the same, as gateways do, the one that has most of it says how it is. */
static void put_recent_of(struct history *history, const char *of, const struct meter_recent *recent, double divisor)
{
    char name[48];
    snprintf(name, sizeof(name), "p50:%.40s", of);
    struct history_column *column = find(history, name);
    if (!column || column->weight >= recent->count)
        return;
    put(history, "p50", of, (double)recent->p50 / divisor);
    put(history, "p99", of, (double)recent->p99 / divisor);
    column->weight = recent->count;
}

/* Quantiles of the last second; "hop:socket-inbound" from the label hop="socket-inbound". */
static void put_recent(struct history *history, const struct meter *meter, const struct meter_window *window)
{
    char of[40];
    if (!meter->reader.file || window->recent.count == 0)
        return;
    const struct metrics_entry *entry = metrics_entry(&meter->reader, window->entry);
    bool is_hop = strcmp(entry->name, "ringside_hop_seconds") == 0;
    if (is_hop)
        snprintf(of, sizeof(of), "%.*s", (int)strcspn(entry->label + 5, "\""), entry->label + 5);
    else if (strcmp(entry->name, "ringside_way_seconds") == 0)
        snprintf(of, sizeof(of), "way");
    else if (strcmp(entry->name, "ringside_journal_sync_seconds") == 0)
        snprintf(of, sizeof(of), "sync");
    else
        return;
    put_recent_of(history, of, &window->recent, (double)entry->divisor);
}

static void put_meters(struct history *history, const struct watch *watch, double elapsed_s)
{
    const struct meters *meters = &watch->meters;
    for (uint32_t i = 0; i < meters->count; i++) {
        put_cpu(history, watch, i, elapsed_s);
        for (uint32_t window = 0; window < meters->meters[i].window_count; window++)
            put_recent(history, &meters->meters[i], &meters->meters[i].windows[window]);
    }
    bool found = false;
    double lag_s = meters_max(meters, "ringside_store_lag_seconds", &found);
    if (found)
        put(history, "lag", "stores", lag_s);
}

void history_note(struct history *history, const struct watch *watch)
{
    const struct look *look = &watch->look;
    if (look->now_ns < history->next_ns)
        return;
    double elapsed_s = history->ring_ns != 0 ? (double)(look->now_ns - history->ring_ns) / NS_PER_SECOND : 0;
    history->next_ns = look->now_ns + NS_PER_SECOND - (uint64_t)(20 * NS_PER_MS); /* so that looks do not slip */
    history->ring_ns = look->now_ns;
    for (uint32_t i = 0; i < history->column_count; i++) {
        history->columns[i].values[history->next] = HISTORY_GAP;
        history->columns[i].weight = 0;
    }
    history->times_s[history->next] = look->realtime_ns / NS_PER_SECOND;
    for (uint32_t i = 0; i < look->run.ring_count; i++)
        put_ring(history, i, &look->run.rings[i], elapsed_s);
    put_meters(history, watch, elapsed_s);
    history->next = (history->next + 1) % HISTORY_SECONDS;
    if (history->count < HISTORY_SECONDS)
        history->count++;
}

float history_last(const struct history *history, const char *name)
{
    for (uint32_t i = 0; i < history->column_count && history->count > 0; i++)
        if (strcmp(history->columns[i].name, name) == 0)
            return history->columns[i].values[(history->next + HISTORY_SECONDS - 1) % HISTORY_SECONDS];
    return HISTORY_GAP;
}
