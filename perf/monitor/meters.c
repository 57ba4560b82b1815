#include "perf/monitor/meters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drop_windows(struct meter *meter)
{
    free(meter->windows);
    meter->windows = NULL;
    meter->window_count = 0;
}

/* A window for each histogram of a file just attached. Without memory for them there are no recent figures. */
static void make_windows(struct meter *meter)
{
    uint32_t count = 0;
    drop_windows(meter);
    for (uint32_t i = 0; i < meter->reader.entry_count; i++)
        count += metrics_entry(&meter->reader, i)->type == METRICS_HISTOGRAM;
    if (count == 0)
        return;
    meter->windows = calloc(count, sizeof(*meter->windows));
    if (!meter->windows)
        return;
    for (uint32_t i = 0; i < meter->reader.entry_count; i++) {
        const struct metrics_entry *entry = metrics_entry(&meter->reader, i);
        if (entry->type != METRICS_HISTOGRAM)
            continue;
        struct meter_window *window = &meter->windows[meter->window_count++];
        window->entry = i;
        metrics_histogram_read(&meter->reader, entry, &window->earlier);
    }
}

void meters_follow(struct meters *meters, uint32_t index, const char *directory, const char *process)
{
    struct meter *meter = &meters->meters[index];
    char path[METRICS_PATH_BYTES + 32];
    struct error error = {0};
    meter->process = process;
    snprintf(path, sizeof(path), "%s/%s.metrics", directory, process);
    int result = metrics_follow(&meter->reader, path, &error);
    meter->why[0] = '\0';
    if (result < 0 && result != ERROR_NOT_YET)
        memcpy(meter->why, error.what, sizeof(meter->why));
    if (result < 0)
        drop_windows(meter);
    if (result == 1)
        make_windows(meter);
}

static void sample_window(struct meters *meters, const struct meter *meter, struct meter_window *window)
{
    struct metrics_distribution *since = &meters->since;
    metrics_histogram_read(&meter->reader, metrics_entry(&meter->reader, window->entry), &meters->now);
    *since = meters->now;
    metrics_distribution_since(since, &window->earlier);
    window->earlier = meters->now;
    window->recent = (struct meter_recent){0};
    if (since->count == 0)
        return;
    window->recent = (struct meter_recent){
        .count = since->count,
        .p50 = metrics_quantile(since, 0.5),
        .p99 = metrics_quantile(since, 0.99),
        .p999 = metrics_quantile(since, 0.999),
        .max = since->max,
    };
}

void meters_sample(struct meters *meters)
{
    for (uint32_t i = 0; i < meters->count; i++) {
        struct meter *meter = &meters->meters[i];
        for (uint32_t window = 0; window < meter->window_count; window++)
            sample_window(meters, meter, &meter->windows[window]);
    }
}

void meters_close(struct meters *meters)
{
    for (uint32_t i = 0; i < TOPOLOGY_PROCESSES_MAX; i++) {
        drop_windows(&meters->meters[i]);
        metrics_detach(&meters->meters[i].reader);
    }
}

const struct meter_recent *meter_recent(const struct meter *meter, uint32_t entry)
{
    for (uint32_t i = 0; i < meter->window_count; i++)
        if (meter->windows[i].entry == entry)
            return &meter->windows[i].recent;
    return NULL;
}

double meters_max(const struct meters *meters, const char *name, bool *ret_found)
{
    double max = 0;
    *ret_found = false;
    for (uint32_t i = 0; i < meters->count; i++) {
        const struct metrics_reader *reader = &meters->meters[i].reader;
        for (uint32_t at = 0; reader->file && at < reader->entry_count; at++) {
            const struct metrics_entry *entry = metrics_entry(reader, at);
            if ((entry->type != METRICS_COUNTER && entry->type != METRICS_GAUGE) || strcmp(entry->name, name) != 0)
                continue;
            double value = metrics_value_scaled(reader, entry);
            max = *ret_found && value <= max ? max : value;
            *ret_found = true;
        }
    }
    return max;
}
