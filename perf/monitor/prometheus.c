/*
 * /metrics: every value of every process as its metrics file describes it, with the label process="..." in front, and
 * what the monitor sees of rings, lines, clock, disks and itself. Prometheus' text format 0.0.4.
 *
 * Rules
 *   1. One HELP and TYPE a name, all its series behind them, whichever process they are of.
 *   2. Histograms have the same bounds at all times, one for each power of two of what is stored, and each is where a
 *      bucket ends. Seconds from a microsecond to 17 s: the power itself, behind the end of a bucket (a nanosecond more
 *      or less is nothing). Numbers and bytes from 1 to 17 million: the last one of the power's own bucket, since full
 *      batches are just a power of two, and Prometheus' "le" is less or equal.
 *   3. The values of a process that is gone are shown as long as its file is there, with ringside_stage_up 0.
 */
#include "perf/monitor/text.h"

#include "base/histogram.h"
#include "base/units.h"
#include "stage/command_line.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_MAX     (TOPOLOGY_PROCESSES_MAX * 512)
#define NS_BITS_FIRST  10
#define NS_BITS_LAST   34
#define ONE_BITS_FIRST 0
#define ONE_BITS_LAST  24

static void header(FILE *to, const char *name, const char *type, const char *help)
{
    fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* With as many digits as a double surely holds: a time since the epoch has ten before the point. */
static void number(FILE *to, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        fprintf(to, " %.0f\n", value);
    else
        fprintf(to, " %.15g\n", value);
}

/* ---- what the processes count ------------------------------------------------------------------------------------ */

struct series {
    const struct meter *meter;
    const struct metrics_entry *entry;
    uint32_t order; /* as found: a name's series stay in the order of processes and entries */
};

static int compare_series(const void *left, const void *right)
{
    const struct series *a = left;
    const struct series *b = right;
    int names = strcmp(a->entry->name, b->entry->name);
    if (names != 0)
        return names;
    return a->order < b->order ? -1 : a->order > b->order;
}

static uint32_t collect(struct series *series, const struct meters *meters)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < meters->count; i++) {
        const struct meter *meter = &meters->meters[i];
        for (uint32_t at = 0; meter->reader.file && at < meter->reader.entry_count && count < SERIES_MAX; at++) {
            const struct metrics_entry *entry = metrics_entry(&meter->reader, at);
            if (entry->type != METRICS_STAMPS)
                series[count] = (struct series){.meter = meter, .entry = entry, .order = count};
            count += entry->type != METRICS_STAMPS;
        }
    }
    return count;
}

static void labels(FILE *to, const struct series *series, const char *suffix)
{
    const char *own = series->entry->label;
    fprintf(to, "%s%s{process=\"%s\"%s%s", series->entry->name, suffix, series->meter->process, *own ? "," : "", own);
}

static void print_bucket(FILE *to, const struct series *series, double bound, uint64_t count)
{
    labels(to, series, "_bucket");
    fprintf(to, ",le=\"%.10g\"} %" PRIu64 "\n", bound, count);
}

static void print_time_buckets(FILE *to, const struct series *series, const struct metrics_distribution *copy)
{
    for (uint32_t bits = NS_BITS_FIRST; bits <= NS_BITS_LAST; bits++) {
        uint64_t bound = UINT64_C(1) << bits;
        print_bucket(to, series, (double)bound / (double)series->entry->divisor, metrics_count_below(copy, bound));
    }
}

static void print_number_buckets(FILE *to, const struct series *series, const struct metrics_distribution *copy)
{
    for (uint32_t bits = ONE_BITS_FIRST; bits <= ONE_BITS_LAST; bits++) {
        uint32_t bucket = histogram_bucket_at(UINT64_C(1) << bits, copy->sub_bits);
        uint64_t bound = histogram_upper_at(bucket, copy->sub_bits);
        print_bucket(to, series, (double)bound, metrics_count_below(copy, bound + 1));
    }
}

static void print_histogram(FILE *to, const struct series *series, struct metrics_distribution *copy)
{
    metrics_histogram_read(&series->meter->reader, series->entry, copy);
    if (series->entry->divisor > 1)
        print_time_buckets(to, series, copy);
    else
        print_number_buckets(to, series, copy);
    labels(to, series, "_bucket");
    fprintf(to, ",le=\"+Inf\"} %" PRIu64 "\n", copy->count);
    labels(to, series, "_sum");
    putc('}', to);
    number(to, (double)copy->sum / (double)series->entry->divisor);
    labels(to, series, "_count");
    fprintf(to, "} %" PRIu64 "\n", copy->count);
}

static void print_series(FILE *to, const struct series *series, struct metrics_distribution *copy)
{
    if (series->entry->type == METRICS_HISTOGRAM) {
        print_histogram(to, series, copy);
        return;
    }
    labels(to, series, "");
    putc('}', to);
    number(to, metrics_value_scaled(&series->meter->reader, series->entry));
}

static const char *type_name(uint32_t type)
{
    if (type == METRICS_COUNTER)
        return "counter";
    return type == METRICS_HISTOGRAM ? "histogram" : "gauge";
}

static void print_processes(FILE *to, const struct meters *meters)
{
    struct series *series = malloc((size_t)SERIES_MAX * sizeof(*series));
    struct metrics_distribution *copy = malloc(sizeof(*copy));
    uint32_t count = series && copy ? collect(series, meters) : 0;
    if (count > 0)
        qsort(series, count, sizeof(*series), compare_series);
    for (uint32_t i = 0; i < count; i++) {
        const struct metrics_entry *entry = series[i].entry;
        if (i == 0 || strcmp(series[i - 1].entry->name, entry->name) != 0)
            header(to, entry->name, type_name(entry->type), entry->help);
        print_series(to, &series[i], copy);
    }
    free(series);
    free(copy);
}

/* ---- stages ------------------------------------------------------------------------------------------------------ */

static double stage_up(const struct stage_look *stage)
{
    return stage->alive;
}

static double stage_ready(const struct stage_look *stage)
{
    return stage->alive && stage->state == METRICS_STATE_READY;
}

static double stage_silent_s(const struct stage_look *stage)
{
    return (double)stage->silent_ns / NS_PER_SECOND;
}

static void print_stages(FILE *to, const struct look *look)
{
    static const struct {
        const char *name;
        const char *help;
        double (*value)(const struct stage_look *stage);
    } kinds[] = {
        {"ringside_stage_up", "1: somebody holds the role of this process", stage_up},
        {"ringside_stage_ready", "1: it is recovered and at work", stage_ready},
        {"ringside_stage_silent_seconds", "since its last sign of life, about ten a second; 0 where it is gone",
         stage_silent_s},
    };
    for (size_t kind = 0; kind < ARRAY_COUNT(kinds); kind++) {
        header(to, kinds[kind].name, "gauge", kinds[kind].help);
        for (uint32_t i = 0; i < look->stage_count; i++) {
            fprintf(to, "%s{process=\"%s\"}", kinds[kind].name, look->stages[i].name);
            number(to, kinds[kind].value(&look->stages[i]));
        }
    }
}

/* ---- rings ------------------------------------------------------------------------------------------------------- */

static double ring_capacity(const struct ring_view *ring)
{
    return (double)ring->capacity_slots;
}

static double ring_records(const struct ring_view *ring)
{
    return (double)ring->next_seq;
}

static double ring_fill(const struct ring_view *ring)
{
    return (double)ring->fill_records / (double)ring->capacity_slots;
}

static double ring_stalls(const struct ring_view *ring)
{
    return (double)ring->stall_count;
}

static double ring_blocked_s(const struct ring_view *ring)
{
    return (double)ring->blocked_ns_total / NS_PER_SECOND;
}

static void print_rings(FILE *to, const struct run_view *run)
{
    static const struct {
        const char *name;
        const char *type;
        const char *help;
        double (*value)(const struct ring_view *ring);
    } kinds[] = {
        {"ringside_ring_capacity_records", "gauge", "slots of the ring", ring_capacity},
        {"ringside_ring_records_total", "counter", "number of the next record", ring_records},
        {"ringside_ring_fill_ratio", "gauge", "part of the ring that its slowest consumer holds", ring_fill},
        {"ringside_ring_producer_stalls_total", "counter", "times the producer found the ring full", ring_stalls},
        {"ringside_ring_producer_blocked_seconds_total", "counter", "time that the producer waited for space",
         ring_blocked_s},
    };
    for (size_t kind = 0; kind < ARRAY_COUNT(kinds); kind++) {
        header(to, kinds[kind].name, kinds[kind].type, kinds[kind].help);
        for (uint32_t i = 0; i < run->ring_count; i++) {
            if (!run->rings[i].present)
                continue;
            fprintf(to, "%s{ring=\"%s\"}", kinds[kind].name, run->rings[i].name);
            number(to, kinds[kind].value(&run->rings[i]));
        }
    }
}

/* One series for each line, so that the one who was waited for goes back to 0 when it is over. */
static double line_blocks_s(const struct ring_view *ring, uint32_t line)
{
    return ring->blocked_on == line ? (double)ring->blocked_ns / NS_PER_SECOND : 0;
}

static double line_behind(const struct ring_view *ring, uint32_t line)
{
    return (double)ring->lines[line].behind_records;
}

static double line_records(const struct ring_view *ring, uint32_t line)
{
    return (double)ring->lines[line].cursor_seq;
}

static double line_empty(const struct ring_view *ring, uint32_t line)
{
    return (double)ring->lines[line].stall_count;
}

static void print_lines(FILE *to, const struct run_view *run)
{
    static const struct {
        const char *name;
        const char *type;
        const char *help;
        double (*value)(const struct ring_view *ring, uint32_t line);
    } kinds[] = {
        {"ringside_ring_blocked_by_seconds", "gauge", "how long the producer has been waiting for this consumer by now",
         line_blocks_s},
        {"ringside_ring_consumer_behind_records", "gauge", "records published and not done with", line_behind},
        {"ringside_ring_consumer_records_total", "counter", "number of the next record wanted", line_records},
        {"ringside_ring_consumer_empty_total", "counter", "times it found nothing", line_empty},
    };
    for (size_t kind = 0; kind < ARRAY_COUNT(kinds); kind++) {
        header(to, kinds[kind].name, kinds[kind].type, kinds[kind].help);
        for (uint32_t i = 0; i < run->ring_count; i++) {
            for (uint32_t line = 0; line < run->rings[i].line_count; line++) {
                fprintf(to, "%s{ring=\"%s\",consumer=\"%s\"}", kinds[kind].name, run->rings[i].name,
                        run->rings[i].lines[line].name);
                number(to, kinds[kind].value(&run->rings[i], line));
            }
        }
    }
}

/* ---- the machine, health, the monitor itself --------------------------------------------------------------------- */

static void one(FILE *to, const char *name, const char *type, const char *help, double value)
{
    header(to, name, type, help);
    fputs(name, to);
    number(to, value);
}

static void print_clock(FILE *to, const struct clock_look *clock)
{
    one(to, "ringside_host_clock_synchronized", "gauge", "1: somebody keeps the machine's clock", clock->synchronized);
    one(to, "ringside_host_clock_offset_seconds", "gauge", "its offset from true time, as the one who keeps it says",
        (double)clock->offset_ns / NS_PER_SECOND);
    one(to, "ringside_host_clock_error_seconds", "gauge", "the largest error that the kernel allows for",
        (double)clock->error_ns_max / NS_PER_SECOND);
    one(to, "ringside_host_clock_steps_total", "counter", "times it was set by more than 20 ms, as the monitor saw it",
        (double)clock->step_count);
    one(to, "ringside_host_clock_last_step_seconds", "gauge", "by how much, the last time",
        (double)clock->step_ns / NS_PER_SECOND);
}

static void print_disks(FILE *to, const struct look *look)
{
    header(to, "ringside_disk_free_bytes", "gauge", "space left on the disk of this directory");
    for (uint32_t i = 0; i < look->disk_count; i++)
        if (look->disks[i].present)
            fprintf(to, "ringside_disk_free_bytes{of=\"%s\"} %" PRIu64 "\n", look->disks[i].name,
                    look->disks[i].free_bytes);
    header(to, "ringside_disk_size_bytes", "gauge", "size of the disk of this directory");
    for (uint32_t i = 0; i < look->disk_count; i++)
        if (look->disks[i].present)
            fprintf(to, "ringside_disk_size_bytes{of=\"%s\"} %" PRIu64 "\n", look->disks[i].name,
                    look->disks[i].size_bytes);
}

static void print_health(FILE *to, const struct health *health)
{
    one(to, "ringside_ready", "gauge", "1: orders are taken and answered, as /health/ready says", health->ready);
    header(to, "ringside_health_reason", "gauge", "1: what /health/ready finds wrong; blocking: why it is not ready");
    for (uint32_t i = 0; i < health->reason_count; i++) {
        const struct reason *reason = &health->reasons[i];
        fprintf(to, "ringside_health_reason{check=\"%s\",subject=\"%s\",blocking=\"%s\"} 1\n", reason->check,
                reason->subject, reason->blocking ? "yes" : "no");
    }
}

static void print_self(FILE *to, const struct scene *scene)
{
    const struct look *look = &scene->watch->look;
    header(to, "ringside_build_info", "gauge", "1; the version of the monitor");
    fprintf(to, "ringside_build_info{version=\"%s\"} 1\n", ringside_version());
    one(to, "ringside_monitor_requests_total", "counter", "HTTP requests answered", (double)scene->self->request_count);
    one(to, "ringside_monitor_looks_total", "counter", "looks at the exchange", (double)scene->self->look_count);
    one(to, "ringside_monitor_look_seconds", "gauge", "what the last look took",
        (double)look->taken_ns / NS_PER_SECOND);
    one(to, "ringside_monitor_look_time_seconds", "gauge", "when it was, since the epoch",
        (double)look->realtime_ns / NS_PER_SECOND);
}

static void print_run(FILE *to, const struct run_view *run)
{
    char id[33];
    run_view_id(run, id);
    one(to, "ringside_run_present", "gauge", "1: there is a run in the rings directory", run->present);
    if (!run->present)
        return;
    header(to, "ringside_run_info", "gauge", "1; which run it is");
    fprintf(to, "ringside_run_info{run=\"%.8s\",epoch=\"%u\"} 1\n", id, run->epoch);
    one(to, "ringside_run_created_seconds", "gauge", "when it was made, since the epoch",
        (double)run->created_ns / NS_PER_SECOND);
}

void text_metrics(FILE *to, const struct scene *scene)
{
    const struct look *look = &scene->watch->look;
    print_health(to, scene->health);
    print_run(to, &look->run);
    print_stages(to, look);
    print_rings(to, &look->run);
    print_lines(to, &look->run);
    print_processes(to, &scene->watch->meters);
    print_clock(to, &look->clock);
    print_disks(to, look);
    print_self(to, scene);
}
