/*
 * /status, /health/ready and /history as JSON. /status is what `ringside status --json` prints, and more: health, each
 * process's values, and of histograms the quantiles of the last second. Members are added here, never renamed.
 */
#include "perf/monitor/text.h"

#include "base/units.h"
#include "view/json_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char *yes(bool value)
{
    return value ? "true" : "false";
}

/* ---- health ------------------------------------------------------------------------------------------------------ */

static void print_reason(FILE *to, const struct reason *reason)
{
    fprintf(to, "{\"check\":\"%s\",\"subject\":\"%s\",\"blocking\":%s,\"for_s\":%.3f,\"text\":", reason->check,
            reason->subject, yes(reason->blocking), reason->for_s);
    json_text_print(to, reason->text);
    putc('}', to);
}

static void print_health(FILE *to, const struct health *health)
{
    fprintf(to, "{\"ready\":%s,\"reasons\":[", yes(health->ready));
    for (uint32_t i = 0; i < health->reason_count; i++) {
        if (i > 0)
            putc(',', to);
        print_reason(to, &health->reasons[i]);
    }
    fputs("]}", to);
}

void text_health(FILE *to, const struct scene *scene)
{
    print_health(to, scene->health);
    putc('\n', to);
}

/* ---- status ------------------------------------------------------------------------------------------------------ */

static const char *state_name(const struct stage_look *stage)
{
    if (!stage->alive)
        return "gone";
    if (!stage->measured)
        return "alive";
    return stage->state == METRICS_STATE_READY ? "ready" : "starting";
}

static void print_stages(FILE *to, const struct look *look)
{
    fputs(",\"stages\":[", to);
    for (uint32_t i = 0; i < look->stage_count; i++) {
        const struct stage_look *stage = &look->stages[i];
        fprintf(to, "%s{\"name\":\"%s\",\"state\":\"%s\",\"silent_s\":%.3f,\"gone_s\":%.3f}", i > 0 ? "," : "",
                stage->name, state_name(stage), (double)stage->silent_ns / NS_PER_SECOND,
                stage->alive ? 0 : (double)(look->now_ns - stage->gone_since_ns) / NS_PER_SECOND);
    }
    putc(']', to);
}

static void print_machine(FILE *to, const struct look *look)
{
    const struct clock_look *clock = &look->clock;
    fprintf(to,
            ",\"clock\":{\"synchronized\":%s,\"offset_s\":%.9f,\"error_s\":%.6f,\"steps\":%" PRIu64
            ",\"last_step_s\":%.6f},\"disks\":[",
            yes(clock->synchronized), (double)clock->offset_ns / NS_PER_SECOND,
            (double)clock->error_ns_max / NS_PER_SECOND, clock->step_count, (double)clock->step_ns / NS_PER_SECOND);
    for (uint32_t i = 0; i < look->disk_count; i++) {
        const struct disk_look *disk = &look->disks[i];
        fprintf(to, "%s{\"of\":\"%s\",\"directory\":", i > 0 ? "," : "", disk->name);
        json_text_print(to, disk->directory);
        fprintf(to, ",\"present\":%s,\"free_bytes\":%" PRIu64 ",\"size_bytes\":%" PRIu64 "}", yes(disk->present),
                disk->free_bytes, disk->size_bytes);
    }
    fprintf(to, "],\"space_low\":%s", yes(look->space_low));
}

/* With as many digits as a double surely holds, as in /metrics. */
static void print_number(FILE *to, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        fprintf(to, "%.0f", value);
    else
        fprintf(to, "%.15g", value);
}

/* The key is the series' name, as in /metrics, without the process. */
static void print_key(FILE *to, const struct metrics_entry *entry)
{
    char key[sizeof(entry->name) + sizeof(entry->label) + 4];
    if (*entry->label)
        snprintf(key, sizeof(key), "%s{%s}", entry->name, entry->label);
    else
        snprintf(key, sizeof(key), "%s", entry->name);
    json_text_print(to, key);
    putc(':', to);
}

static void print_recent(FILE *to, const struct metrics_entry *entry, const struct meter_recent *recent)
{
    double unit = (double)entry->divisor;
    fprintf(to, "{\"count\":%" PRIu64 ",\"p50\":%.9g,\"p99\":%.9g,\"p999\":%.9g,\"max\":%.9g}", recent->count,
            (double)recent->p50 / unit, (double)recent->p99 / unit, (double)recent->p999 / unit,
            (double)recent->max / unit);
}

static void print_meter(FILE *to, const struct meter *meter)
{
    bool first = true;
    for (uint32_t at = 0; meter->reader.file && at < meter->reader.entry_count; at++) {
        const struct metrics_entry *entry = metrics_entry(&meter->reader, at);
        const struct meter_recent *recent = meter_recent(meter, at);
        bool is_word = entry->type == METRICS_COUNTER || entry->type == METRICS_GAUGE;
        if (!is_word && !recent)
            continue;
        if (is_word && entry->type == METRICS_COUNTER && metrics_value(&meter->reader, entry) == 0 && *entry->label)
            continue; /* of the many kinds and reasons those that occurred */
        if (!first)
            putc(',', to);
        first = false;
        print_key(to, entry);
        if (recent)
            print_recent(to, entry, recent);
        else
            print_number(to, metrics_value_scaled(&meter->reader, entry));
    }
}

static void print_meters(FILE *to, const struct meters *meters)
{
    fputs(",\"values\":{", to);
    for (uint32_t i = 0; i < meters->count; i++) {
        fprintf(to, "%s\"%s\":{", i > 0 ? "," : "", meters->meters[i].process);
        print_meter(to, &meters->meters[i]);
        putc('}', to);
    }
    putc('}', to);
}

static void print_last(FILE *to, const struct history *history)
{
    fputs(",\"last_second\":{", to);
    bool first = true;
    for (uint32_t i = 0; i < history->column_count; i++) {
        const char *name = history->columns[i].name;
        float value = history_last(history, name);
        if (value < 0)
            continue;
        fprintf(to, "%s\"%s\":%.7g", first ? "" : ",", name, (double)value);
        first = false;
    }
    putc('}', to);
}

void text_status(FILE *to, const struct scene *scene)
{
    const struct look *look = &scene->watch->look;
    fprintf(to, "{\"time_ns\":%" PRIu64 ",", look->realtime_ns);
    run_view_print_json(to, &look->run, scene->watch->config);
    print_stages(to, look);
    fputs(",\"health\":", to);
    print_health(to, scene->health);
    print_machine(to, look);
    print_last(to, scene->history);
    print_meters(to, &scene->watch->meters);
    fputs("}\n", to);
}

/* ---- history ----------------------------------------------------------------------------------------------------- */

static uint32_t oldest(const struct history *history)
{
    return (history->next + HISTORY_SECONDS - history->count) % HISTORY_SECONDS;
}

static void print_column(FILE *to, const struct history *history, const struct history_column *column)
{
    fprintf(to, "\"%s\":[", column->name);
    for (uint32_t i = 0; i < history->count; i++) {
        float value = column->values[(oldest(history) + i) % HISTORY_SECONDS];
        if (i > 0)
            putc(',', to);
        if (value < 0)
            fputs("null", to);
        else
            fprintf(to, "%.5g", (double)value);
    }
    putc(']', to);
}

void text_history(FILE *to, const struct scene *scene)
{
    const struct history *history = scene->history;
    fputs("{\"times_s\":[", to);
    for (uint32_t i = 0; i < history->count; i++)
        fprintf(to, "%s%" PRIu64, i > 0 ? "," : "", history->times_s[(oldest(history) + i) % HISTORY_SECONDS]);
    fputs("],\"columns\":{", to);
    for (uint32_t i = 0; i < history->column_count; i++) {
        if (i > 0)
            putc(',', to);
        print_column(to, history, &history->columns[i]);
    }
    fputs("}}\n", to);
}
