#include "perf/monitor/health.h"

#include "base/units.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STEP_MEMORY_NS (600 * (uint64_t)NS_PER_SECOND) /* a step of the clock is a reason for so long */

__attribute__((format(printf, 6, 7))) static void add(struct health *health, const char *check, const char *subject,
                                                      bool blocking, double for_s, const char *format, ...)
{
    if (health->reason_count == HEALTH_REASONS_MAX)
        return;
    struct reason *reason = &health->reasons[health->reason_count++];
    va_list arguments;
    *reason = (struct reason){.check = check, .for_s = for_s, .blocking = blocking};
    snprintf(reason->subject, sizeof(reason->subject), "%s", subject);
    va_start(arguments, format);
    vsnprintf(reason->text, sizeof(reason->text), format, arguments);
    va_end(arguments);
    if (blocking)
        health->ready = false;
}

static double seconds(uint64_t ns)
{
    return (double)ns / NS_PER_SECOND;
}

/* ---- processes and rings ----------------------------------------------------------------------------------------- */

static void judge_stage(struct health *health, const struct look *look, const struct stage_look *stage,
                        uint64_t silent_ns)
{
    if (!stage->alive)
        add(health, "stage-gone", stage->name, true, seconds(look->now_ns - stage->gone_since_ns),
            "%s is not there: nobody holds its role", stage->name);
    else if (!look->is_late && stage->silent_ns > silent_ns)
        add(health, "stage-silent", stage->name, true, seconds(stage->silent_ns),
            "%s lives but has given no sign of life for %.1f s: it is stopped, stuck or starved", stage->name,
            seconds(stage->silent_ns));
    else if (stage->measured && stage->state == METRICS_STATE_STARTING)
        add(health, "stage-starting", stage->name, true, 0, "%s is not at work yet: it opens, joins or recovers",
            stage->name);
}

static void judge_blocked(struct health *health, const struct ring_view *ring, uint64_t blocked_ns_max)
{
    const char *blocker = run_view_blocker(ring);
    if (blocker && ring->blocked_ns > blocked_ns_max)
        add(health, "ring-blocked", ring->name, true, seconds(ring->blocked_ns),
            "ring %s is full: its producer has waited for %s for %.1f s", ring->name, blocker,
            seconds(ring->blocked_ns));
}

static void judge_fill(struct health *health, const struct ring_view *ring, uint64_t fill_percent_max)
{
    const struct line_view *last = NULL;
    if (ring->fill_records * 100 <= ring->capacity_slots * fill_percent_max)
        return;
    for (uint32_t i = 0; i < ring->line_count; i++)
        if (!last || ring->lines[i].behind_records > last->behind_records)
            last = &ring->lines[i];
    add(health, "ring-filling", ring->name, false, 0, "ring %s is %.0f %% full: %s is %" PRIu64 " records behind",
        ring->name, 100.0 * (double)ring->fill_records / (double)ring->capacity_slots, last ? last->name : "nobody",
        ring->fill_records);
}

static void judge_rings(struct health *health, const struct look *look, const struct config *config)
{
    for (uint32_t i = 0; i < look->run.ring_count; i++)
        if (look->run.rings[i].present)
            judge_blocked(health, &look->run.rings[i], config->monitor_blocked_ms * NS_PER_MS);
    for (uint32_t i = 0; i < look->run.ring_count; i++)
        if (look->run.rings[i].present)
            judge_fill(health, &look->run.rings[i], config->monitor_ring_fill_percent);
}

/* ---- disks, clock, stores ---------------------------------------------------------------------------------------- */

static void judge_disks(struct health *health, const struct look *look, const struct config *config)
{
    if (look->space_low)
        add(health, "orders-refused", "journal", true, 0,
            "the journal's disk is filling up: new orders are refused until there is space");
    for (uint32_t i = 0; i < look->disk_count; i++) {
        const struct disk_look *disk = &look->disks[i];
        double free_percent = disk->size_bytes > 0 ? 100.0 * (double)disk->free_bytes / (double)disk->size_bytes : 0;
        if (disk->present && free_percent < (double)config->monitor_disk_free_percent)
            add(health, "disk-filling", disk->name, false, 0, "the disk of %s has %.1f %% free, %.1f GiB",
                disk->directory, free_percent, (double)disk->free_bytes / (1024.0 * MIB));
    }
}

static void judge_clock(struct health *health, const struct look *look, const struct config *config)
{
    const struct clock_look *clock = &look->clock;
    double offset_ms = fabs((double)clock->offset_ns) / NS_PER_MS;
    if (clock->synchronized && offset_ms > (double)config->monitor_clock_offset_ms)
        add(health, "clock-offset", "clock", false, 0, "the clock is %.1f ms off, as the one who keeps it says",
            (double)clock->offset_ns / NS_PER_MS);
    if (clock->step_at_ns != 0 && look->now_ns - clock->step_at_ns < STEP_MEMORY_NS)
        add(health, "clock-stepped", "clock", false, seconds(look->now_ns - clock->step_at_ns),
            "the clock was set by %+.3f s, %.0f s ago; orders keep their order, their times stand still or jump",
            (double)clock->step_ns / NS_PER_SECOND, seconds(look->now_ns - clock->step_at_ns));
}

/* The value of a label, as in store="redis"; the whole label if it is not of that form. */
static void label_value(const char *label, char *text, size_t text_bytes)
{
    const char *begin = strchr(label, '"');
    const char *end = begin ? strchr(begin + 1, '"') : NULL;
    if (end)
        snprintf(text, text_bytes, "%.*s", (int)(end - begin - 1), begin + 1);
    else
        snprintf(text, text_bytes, "%.39s", label);
}

/* It is to be filled, and does not refuse: that has a reason of its own. */
static bool is_store_missed(const struct metrics_reader *reader, const char *label)
{
    return metrics_lookup(reader, "ringside_store_configured", label, 0) != 0 &&
           metrics_lookup(reader, "ringside_store_refused", label, 0) == 0;
}

static void judge_value(struct health *health, const struct config *config, const struct metrics_reader *reader,
                        const struct metrics_entry *entry)
{
    char of[40];
    double value = metrics_value_scaled(reader, entry);
    label_value(entry->label, of, sizeof(of));
    if (strcmp(entry->name, "ringside_store_up") == 0 && value == 0 && is_store_missed(reader, entry->label))
        add(health, "store-away", of, false, 0, "%s does not answer, or does not let the persister in", of);
    if (strcmp(entry->name, "ringside_store_lag_seconds") == 0 && value > (double)config->monitor_store_lag_s)
        add(health, "store-lags", of, false, value, "%s shows what was true %.0f s ago", of, value);
    if (strcmp(entry->name, "ringside_store_refused") == 0 && value > 0)
        add(health, "store-refused", of, false, 0,
            "%s answers, but refuses what it must take: the persister's log says why", of);
    if (strcmp(entry->name, "ringside_replay_hash_differs") == 0 && value > 0)
        add(health, "hash-differs", "matcher", true, 0,
            "a replay of the journal gave other hashes than were live: its log says between which commands");
    if (strcmp(entry->name, "ringside_eventlog_no_space") == 0 && value > 0)
        add(health, "orders-refused", "events", true, 0, "the event log waits for space on its disk");
}

static void judge_meters(struct health *health, const struct watch *watch)
{
    for (uint32_t i = 0; i < watch->meters.count; i++) {
        const struct metrics_reader *reader = &watch->meters.meters[i].reader;
        for (uint32_t at = 0; reader->file && at < reader->entry_count; at++) {
            const struct metrics_entry *entry = metrics_entry(reader, at);
            if (entry->type == METRICS_GAUGE)
                judge_value(health, watch->config, reader, entry);
        }
    }
}

void health_judge(struct health *health, const struct watch *watch)
{
    const struct look *look = &watch->look;
    *health = (struct health){.ready = true};
    if (!look->run.present)
        add(health, "no-run", "run", true, 0, "there is no run in %s", watch->config->exchange_rings_directory);
    for (uint32_t i = 0; i < look->stage_count; i++)
        judge_stage(health, look, &look->stages[i], watch->config->monitor_silent_ms * NS_PER_MS);
    judge_rings(health, look, watch->config);
    judge_disks(health, look, watch->config);
    judge_clock(health, look, watch->config);
    judge_meters(health, watch);
}
