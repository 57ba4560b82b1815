/*
 * `ringside metrics`: what every process of an exchange says of itself, as its metrics file has it (docs/metrics.md). A
 * table for a person, one JSON object with --json. Reads the files in the run's directory and nothing else, so it shows
 * processes that it knows nothing of, and the last words of those that are gone. Ends with 0 if there is one, else
 * with 1.
 */
#include "base/units.h"
#include "cli.h"
#include "env/clock.h"
#include "log/log.h"
#include "metrics/metrics_read.h"
#include "stage/command_line.h"
#include "stage/stage.h"
#include "view/json_text.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

static const struct {
    const char *name;
    double fraction;
} quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}};

static const char *state_name(uint64_t state)
{
    static const char *const names[] = {"unknown", "starting", "ready", "ended"};
    return state < ARRAY_COUNT(names) ? names[state] : names[0];
}

static const char *type_name(uint32_t type)
{
    return type == METRICS_COUNTER ? "counter" : (type == METRICS_GAUGE ? "gauge" : "histogram");
}

static uint64_t word(const _Atomic uint64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

/* Since it last looked after its values; of the moment of its end for one that has ended. */
static double age_s(const struct metrics_reader *reader)
{
    uint64_t beat_ns = word(&metrics_writer_of(reader)->heartbeat_ns);
    uint64_t now_ns = clock_monotonic_ns();
    return now_ns > beat_ns ? (double)(now_ns - beat_ns) / NS_PER_SECOND : 0.0;
}

/* ---- for a person -------------------------------------------------------------------------------------------------
 */

/* A time with three digits and its unit. */
static void print_time(double seconds)
{
    static const char *const units[] = {"s", "ms", "us", "ns"};
    uint32_t unit = 0;
    while (unit < 3 && seconds < 1.0) {
        seconds *= 1000.0;
        unit++;
    }
    int digits = seconds >= 100.0 || unit == 3 ? 0 : (seconds >= 10.0 ? 1 : 2);
    printf("%.*f %s", digits, seconds, units[unit]);
}

static void print_scaled(const struct metrics_entry *entry, uint64_t value)
{
    if (entry->divisor == NS_PER_SECOND)
        print_time((double)value / NS_PER_SECOND);
    else
        printf("%llu", (ull)value);
}

static void print_distribution(const struct metrics_reader *reader, const struct metrics_entry *entry)
{
    static struct metrics_distribution values;
    metrics_histogram_read(reader, entry, &values);
    printf("%llu values", (ull)values.count);
    for (size_t i = 0; i < ARRAY_COUNT(quantiles) && values.count > 0; i++) {
        printf(", %s ", quantiles[i].name);
        print_scaled(entry, metrics_quantile(&values, quantiles[i].fraction));
    }
    if (values.count > 0)
        printf(", max ");
    if (values.count > 0)
        print_scaled(entry, values.max);
}

static void print_number(const struct metrics_reader *reader, const struct metrics_entry *entry)
{
    double scaled = metrics_value_scaled(reader, entry);
    if (entry->divisor != 1 || entry->flags & METRICS_FLAG_SIGNED)
        printf("%.6f", scaled);
    else
        printf("%llu", (ull)metrics_value(reader, entry));
}

static bool is_zero(const struct metrics_reader *reader, const struct metrics_entry *entry)
{
    return metrics_value(reader, entry) == 0; /* of a histogram the first word is its count */
}

static void print_values(const struct metrics_reader *reader, bool all)
{
    for (uint32_t i = 0; i < reader->entry_count; i++) {
        const struct metrics_entry *entry = metrics_entry(reader, i);
        char name[sizeof(entry->name) + sizeof(entry->label) + 3];
        if (entry->type == METRICS_STAMPS || (!all && is_zero(reader, entry)))
            continue;
        snprintf(name, sizeof(name), "%s%s%s%s", entry->name, *entry->label ? "{" : "", entry->label,
                 *entry->label ? "}" : "");
        printf("  %-60s ", name);
        if (entry->type == METRICS_HISTOGRAM)
            print_distribution(reader, entry);
        else
            print_number(reader, entry);
        printf("\n");
    }
}

static void print_process(const struct metrics_reader *reader, bool all)
{
    const struct metrics_writer_line *line = metrics_writer_of(reader);
    printf("%s: %s, pid %u, %.1f s ago\n", reader->file->name, state_name(word(&line->state)), reader->file->pid,
           age_s(reader));
    print_values(reader, all);
    printf("\n");
}

/* ---- for a program ------------------------------------------------------------------------------------------------
 */

/* `a="x",b="y"` as {"a":"x","b":"y"}. */
static void print_labels(const char *label)
{
    const char *before = "";
    printf("{");
    while (*label) {
        size_t key = strcspn(label, "=");
        const char *value = label + key;
        value += strspn(value, "=\"");
        size_t length = strcspn(value, "\"");
        printf("%s\"%.*s\":\"%.*s\"", before, (int)key, label, (int)length, value);
        before = ",";
        label = value + length;
        label += strspn(label, "\",");
    }
    printf("}");
}

static void print_json_scaled(const struct metrics_entry *entry, uint64_t value)
{
    if (entry->divisor == 1)
        printf("%llu", (ull)value);
    else
        printf("%.9f", (double)value / (double)entry->divisor);
}

static void print_json_distribution(const struct metrics_reader *reader, const struct metrics_entry *entry)
{
    static struct metrics_distribution values;
    metrics_histogram_read(reader, entry, &values);
    printf("\"count\":%llu,\"sum\":", (ull)values.count);
    print_json_scaled(entry, values.sum);
    printf(",\"max\":");
    print_json_scaled(entry, values.max);
    for (size_t i = 0; i < ARRAY_COUNT(quantiles); i++) {
        printf(",\"%s\":", quantiles[i].name);
        print_json_scaled(entry, metrics_quantile(&values, quantiles[i].fraction));
    }
}

static void print_json_value(const struct metrics_reader *reader, const struct metrics_entry *entry)
{
    printf("{\"name\":\"%s\",\"labels\":", entry->name);
    print_labels(entry->label);
    printf(",\"type\":\"%s\",\"stored_unit\":\"%s\",", type_name(entry->type), entry->unit);
    if (entry->type == METRICS_HISTOGRAM) {
        print_json_distribution(reader, entry);
    } else {
        printf("\"value\":");
        if (entry->flags & METRICS_FLAG_SIGNED)
            printf("%.9f", metrics_value_scaled(reader, entry));
        else
            print_json_scaled(entry, metrics_value(reader, entry));
    }
    printf("}");
}

static void print_json_process(const struct metrics_reader *reader, bool first)
{
    const struct metrics_writer_line *line = metrics_writer_of(reader);
    const char *before = "";
    printf("%s{\"name\":", first ? "" : ",");
    json_text_print(stdout, reader->file->name);
    printf(",\"state\":\"%s\",\"pid\":%u,\"age_s\":%.3f,\"layout_hash\":\"%016llx\",\"values\":[",
           state_name(word(&line->state)), reader->file->pid, age_s(reader), (ull)reader->file->layout_hash);
    for (uint32_t i = 0; i < reader->entry_count; i++) {
        const struct metrics_entry *entry = metrics_entry(reader, i);
        if (entry->type == METRICS_STAMPS)
            continue;
        printf("%s", before);
        print_json_value(reader, entry);
        before = ",";
    }
    printf("]}");
}

/* ---- all of them --------------------------------------------------------------------------------------------------
 */

struct wanted {
    const char *process; /* NULL: all */
    bool json;
    bool all;
};

/* Whether it was printed. */
static bool show_file(const char *path, const struct wanted *wanted, bool first)
{
    struct metrics_reader reader = {0};
    struct error error;
    int result = metrics_attach(&reader, path, &error);
    if (result < 0) {
        if (result != ERROR_NOT_YET)
            fprintf(stderr, "ringside metrics: %s: %s\n", error.where, error.what);
        return false;
    }
    bool shown = !wanted->process || strcmp(wanted->process, reader.file->name) == 0;
    if (shown && wanted->json)
        print_json_process(&reader, first);
    else if (shown)
        print_process(&reader, wanted->all);
    metrics_detach(&reader);
    return shown;
}

static uint32_t show_all(const char *directory, const struct wanted *wanted)
{
    char pattern[METRICS_PATH_BYTES + 16];
    glob_t found = {0};
    uint32_t shown = 0;
    snprintf(pattern, sizeof(pattern), "%s/*.metrics", directory);
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            shown += show_file(found.gl_pathv[i], wanted, shown == 0);
    globfree(&found);
    return shown;
}

int metrics_main(int argc, char **argv)
{
    static const struct command_line_option options[] = {{"all", NULL, "values that are 0 too (--json has them)"}};
    static const struct command_line_form form = {
        .program = "ringside metrics",
        .summary = "what every process says of itself: counts, times, lags, memory",
        .takes_json = true,
        .options = options,
        .option_count = ARRAY_COUNT(options),
        .operand = "PROCESS",
        .extra =
            "\nPROCESS is such as matcher or gateway-1. Ends with 0 if there was something to show, else with 1.\n",
        .brief = true,
    };
    struct command_line line;
    log_open("metrics", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    const struct wanted wanted = {.process = line.operand, .json = line.json, .all = line.values[0] != NULL};
    if (wanted.json)
        printf("{\"processes\":[");
    uint32_t shown = show_all(line.config.exchange_rings_directory, &wanted);
    if (wanted.json)
        printf("]}\n");
    else if (shown == 0)
        fprintf(stderr, "ringside metrics: no metrics of %s in %s\n", wanted.process ? wanted.process : "any process",
                line.config.exchange_rings_directory);
    config_finish(&line.config);
    return shown > 0 ? EXIT_STAGE_OK : EXIT_STAGE_FAILED;
}
