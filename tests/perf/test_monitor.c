/*
 * The monitor's judgement and memory, from looks made up here: who is said to be gone, silent or in the way, what is a
 * step of the clock, what a second of history holds, and that what is said of nothing is whole too. tests/system has
 * the real thing.
 */
#include "perf/monitor/text.h"

#include "base/histogram.h"
#include "base/units.h"
#include "metrics/metrics.h"
#include "metrics/values.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOW_NS (1000 * (uint64_t)NS_PER_SECOND)

static struct config config;
static struct watch watch;
static struct health health;
static struct history history;
static struct self self;
static const struct scene scene = {.watch = &watch, .health = &health, .history = &history, .self = &self};

/* A run in which all is well: a gateway, and a command ring with two consumers. */
static void begin(void)
{
    config_init(&config);
    memset(&watch, 0, sizeof(watch));
    history_init(&history);
    watch.config = &config;
    struct look *look = &watch.look;
    look->now_ns = NOW_NS;
    look->realtime_ns = NOW_NS;
    look->run.present = true;
    look->stage_count = 1;
    look->stages[0] = (struct stage_look){.name = "matcher", .alive = true, .measured = true, .heartbeat_ns = NOW_NS};
    look->stages[0].state = METRICS_STATE_READY;
    look->run.ring_count = 1;
    struct ring_view *ring = &look->run.rings[0];
    *ring = (struct ring_view){
        .name = "command", .present = true, .capacity_slots = 1000, .next_seq = 5000, .line_count = 2};
    ring->blocked_on = RING_NOBODY;
    ring->lines[0] = (struct line_view){.name = "journaler", .cursor_seq = 5000};
    ring->lines[1] = (struct line_view){.name = "matcher", .cursor_seq = 5000};
    look->disk_count = 1;
    look->disks[0] =
        (struct disk_look){.name = "journal", .directory = "/j", .present = true, .free_bytes = 50, .size_bytes = 100};
}

static const struct reason *judged(const char *check)
{
    health_judge(&health, &watch);
    for (uint32_t i = 0; i < health.reason_count; i++)
        if (strcmp(health.reasons[i].check, check) == 0)
            return &health.reasons[i];
    return NULL;
}

__attribute__((noinline)) static char *written(void (*write)(FILE *to, const struct scene *scene))
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);
    write(to, &scene);
    fclose(to);
    return text;
}

TestSuite(monitor, .init = begin);

/* The metrics file of a journaler, which the monitor reads; gone with scratch_remove. */
static struct metrics_writer writer;

static struct process_values *process_values(void)
{
    return writer.values[0];
}

static struct journaler_values *journaler_values(void)
{
    return writer.values[1];
}

static void measure_a_journaler(void)
{
    static const struct metrics_table *const tables[] = {&process_values_table, &journaler_values_table};
    const struct metrics_identity identity = {.name = "journaler"};
    const char *directory = scratch_make();
    char path[METRICS_PATH_BYTES];
    struct error error = {0};
    snprintf(path, sizeof(path), "%s/journaler.metrics", directory);
    cr_assert_eq(metrics_create(&writer, path, &identity, tables, ARRAY_COUNT(tables), &error), 0, "%s", error.what);
    watch.meters.count = 1;
    meters_follow(&watch.meters, 0, directory, "journaler");
    cr_assert(watch.meters.meters[0].reader.file, "%s", watch.meters.meters[0].why);
}

static void measure_no_more(void)
{
    meters_close(&watch.meters);
    metrics_close(&writer, 0);
    scratch_remove();
}

static void expect_said(void (*write)(FILE *to, const struct scene *scene), const char *words)
{
    char *text = written(write);
    cr_expect(strstr(text, words), "it does not say %s", words);
    free(text);
}

Test(monitor, nothing_is_wrong)
{
    cr_assert_null(judged("stage-gone"));
    cr_assert_eq(health.reason_count, 0);
    cr_assert(health.ready);
}

Test(monitor, who_is_gone_and_since_when)
{
    watch.look.stages[0].alive = false;
    watch.look.stages[0].gone_since_ns = NOW_NS - 3 * (uint64_t)NS_PER_SECOND;
    const struct reason *reason = judged("stage-gone");
    cr_assert(reason && reason->blocking && !health.ready);
    cr_assert_str_eq(reason->subject, "matcher");
    cr_assert_float_eq(reason->for_s, 3, 0.001);
}

Test(monitor, who_is_silent_only_beyond_the_limit)
{
    watch.look.stages[0].silent_ns = config.monitor_silent_ms * NS_PER_MS;
    cr_assert_null(judged("stage-silent"));
    watch.look.stages[0].silent_ns += 1;
    cr_assert(judged("stage-silent") && !health.ready);
}

Test(monitor, nobody_is_called_silent_by_a_monitor_that_slept)
{
    watch.look.stages[0].silent_ns = 60 * (uint64_t)NS_PER_SECOND;
    watch.look.is_late = true;
    cr_assert_null(judged("stage-silent"));
}

Test(monitor, a_stage_that_recovers_is_not_ready_yet)
{
    watch.look.stages[0].state = METRICS_STATE_STARTING;
    cr_assert(judged("stage-starting") && !health.ready);
}

Test(monitor, who_holds_whom_up)
{
    struct ring_view *ring = &watch.look.run.rings[0];
    ring->blocked_ns = 2 * (uint64_t)NS_PER_SECOND;
    ring->blocked_on = 1;
    ring->fill_records = 1000;
    ring->lines[1].behind_records = 1000;
    const struct reason *reason = judged("ring-blocked");
    cr_assert(reason && reason->blocking);
    cr_assert(strstr(reason->text, "waited for matcher for 2.0 s"), "%s", reason->text);
    cr_assert(judged("ring-filling"));
}

Test(monitor, a_ring_filling_up_is_a_warning_that_names_the_slowest)
{
    struct ring_view *ring = &watch.look.run.rings[0];
    ring->fill_records = 800;
    ring->lines[0].behind_records = 800;
    cr_assert_null(judged("ring-filling"));
    ring->fill_records = 801;
    const struct reason *reason = judged("ring-filling");
    cr_assert(reason && !reason->blocking && health.ready);
    cr_assert(strstr(reason->text, "journaler"), "%s", reason->text);
}

Test(monitor, disks_and_clock)
{
    watch.look.disks[0].free_bytes = 9;
    cr_assert(judged("disk-filling") && health.ready);
    watch.look.space_low = true;
    cr_assert(judged("orders-refused") && !health.ready);
    watch.look.clock = (struct clock_look){.synchronized = false, .offset_ns = (int64_t)NS_PER_SECOND};
    cr_assert_null(judged("clock-offset"), "a clock that nobody keeps has no offset");
    watch.look.clock.synchronized = true;
    cr_assert(judged("clock-offset"));
    watch.look.clock.step_at_ns = NOW_NS - NS_PER_SECOND;
    watch.look.clock.step_ns = -1500 * (int64_t)NS_PER_MS;
    const struct reason *reason = judged("clock-stepped");
    cr_assert(reason && strstr(reason->text, "-1.500 s"));
    watch.look.now_ns += 601 * (uint64_t)NS_PER_SECOND;
    cr_assert_null(judged("clock-stepped"));
}

/* A persister that says of itself what is put into the values. */
static struct persister_values *persister_begin(struct metrics_writer *to)
{
    static const struct metrics_table *const tables[] = {&persister_values_table};
    const struct metrics_identity identity = {.name = "persister"};
    struct error error;
    char path[128];
    const char *directory = scratch_make();
    snprintf(path, sizeof(path), "%s/persister.metrics", directory);
    cr_assert_eq(metrics_create(to, path, &identity, tables, 1, &error), 0, "%s", error.what);
    watch.meters.count = 1;
    meters_follow(&watch.meters, 0, directory, "persister");
    return to->values[0];
}

Test(monitor, stores, .fini = scratch_remove)
{
    struct metrics_writer store = {0};
    struct persister_values *values = persister_begin(&store);
    health_judge(&health, &watch);
    cr_assert_eq(health.reason_count, 0, "a store that nobody wants is not missed");
    metrics_set(&values->configured[STORE_REDIS], 1);
    const struct reason *reason = judged("store-away");
    cr_assert(reason && !reason->blocking && health.ready);
    cr_assert_str_eq(reason->subject, "redis");
    metrics_set(&values->refused[STORE_REDIS], 1);
    cr_assert(judged("store-refused") && health.ready);
    cr_assert_null(judged("store-away"), "it answers");
    metrics_set(&values->refused[STORE_REDIS], 0);
    metrics_set(&values->up[STORE_REDIS], 1);
    metrics_set(&values->lag_ns[STORE_REDIS], config.monitor_store_lag_s * NS_PER_SECOND);
    health_judge(&health, &watch);
    cr_assert_eq(health.reason_count, 0);
    metrics_set(&values->lag_ns[STORE_REDIS], config.monitor_store_lag_s * NS_PER_SECOND + NS_PER_MS);
    cr_assert(judged("store-lags") && health.ready);
    meters_close(&watch.meters);
    metrics_close(&store, NOW_NS);
}

Test(monitor, more_reasons_than_there_is_room_for)
{
    struct look *look = &watch.look;
    look->stage_count = TOPOLOGY_PROCESSES_MAX;
    look->run.ring_count = RUN_VIEW_RINGS_MAX;
    for (uint32_t i = 0; i < look->stage_count; i++)
        look->stages[i] = (struct stage_look){.name = "x", .gone_since_ns = 1};
    for (uint32_t i = 0; i < look->run.ring_count; i++)
        look->run.rings[i] = (struct ring_view){.present = true, .capacity_slots = 1, .fill_records = 1};
    health_judge(&health, &watch);
    cr_assert_leq(health.reason_count, HEALTH_REASONS_MAX);
    cr_assert_not(health.ready);
}

Test(monitor, slewing_is_no_step_and_a_step_is_one)
{
    struct clock_watch clock = {.apart_ns = 0};
    for (int64_t look = 1; look <= 100; look++)
        clock_watch_note(&clock, look * CLOCK_STEP_NS / 2, (uint64_t)look);
    cr_assert_eq(clock.step_count, 0);
    clock_watch_note(&clock, clock.apart_ns - INT64_C(3) * CLOCK_STEP_NS, 200);
    clock_watch_note(&clock, clock.apart_ns, 300);
    cr_assert_eq(clock.step_count, 1);
    cr_assert_eq(clock.step_ns, INT64_C(-3) * CLOCK_STEP_NS);
    cr_assert_eq(clock.step_at_ns, 200);
}

Test(monitor, a_second_of_history_has_rates_and_gaps)
{
    history_note(&history, &watch);
    cr_assert(history_last(&history, "rate:command") < 0, "no rate from one look");
    watch.look.now_ns += 2 * (uint64_t)NS_PER_SECOND;
    watch.look.run.rings[0].next_seq += 600;
    watch.look.run.rings[0].fill_records = 250;
    history_note(&history, &watch);
    cr_assert_float_eq((double)history_last(&history, "rate:command"), 300, 0.01);
    cr_assert_float_eq((double)history_last(&history, "fill:command"), 0.25, 0.001);
    watch.look.now_ns += NS_PER_SECOND;
    watch.look.run.rings[0].next_seq = 10; /* another run: the numbers began anew */
    history_note(&history, &watch);
    cr_assert(history_last(&history, "rate:command") < 0);
    watch.look.now_ns += NS_PER_MS;
    history_note(&history, &watch);
    cr_assert_eq(history.count, 3, "a second is not over");
}

Test(monitor, history_holds_ten_minutes)
{
    for (uint32_t second = 0; second < HISTORY_SECONDS + 7; second++) {
        watch.look.now_ns += NS_PER_SECOND;
        watch.look.run.rings[0].next_seq += second;
        history_note(&history, &watch);
    }
    cr_assert_eq(history.count, HISTORY_SECONDS);
    cr_assert_float_eq((double)history_last(&history, "rate:command"), HISTORY_SECONDS + 6, 0.1);
    char *text = written(text_history);
    uint32_t commas = 0;
    for (const char *at = strstr(text, "\"rate:command\":["); *at != ']'; at++)
        commas += *at == ',';
    cr_assert_eq(commas, HISTORY_SECONDS - 1);
    free(text);
}

/* One HELP and one TYPE a name, all its series behind them; counters end in _total. */
Test(monitor, metrics_are_in_form)
{
    watch.look.run.rings[0].blocked_ns = NS_PER_SECOND;
    watch.look.run.rings[0].blocked_on = 1;
    health_judge(&health, &watch);
    char *text = written(text_metrics);
    char family[80] = "";
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "# TYPE ", 7) == 0) {
            cr_assert_eq(sscanf(line, "# TYPE %79s", family), 1);
            bool is_total = strlen(family) > 6 && strcmp(family + strlen(family) - 6, "_total") == 0;
            cr_assert_eq(is_total, strstr(line, " counter") != NULL, "%s", line);
        } else if (*line != '#') {
            cr_assert_eq(strncmp(line, family, strlen(family)), 0, "%s stands under %s", line, family);
        }
        if (strncmp(line, "ringside_ring_blocked_by_seconds", 32) == 0)
            cr_assert_eq(strstr(line, "} 1") != NULL, strstr(line, "consumer=\"matcher\"") != NULL, "%s", line);
    }
    cr_assert_str_eq(family, "ringside_monitor_look_time_seconds", "the last of them");
    free(text);
}

#define EPOCH_NS UINT64_C(1790000003250000000)

Test(monitor, times_since_the_epoch_and_sums_keep_their_digits, .fini = measure_no_more)
{
    measure_a_journaler();
    watch.look.realtime_ns = watch.look.run.created_ns = EPOCH_NS;
    metrics_set(&process_values()->start_time_ns, EPOCH_NS);
    metrics_record_times(&journaler_values()->sync_ns, 123456789, 1000001);
    expect_said(text_metrics, "ringside_process_start_time_seconds{process=\"journaler\"} 1790000003.25\n");
    expect_said(text_metrics, "ringside_monitor_look_time_seconds 1790000003.25\n");
    expect_said(text_metrics, "ringside_run_created_seconds 1790000003.25\n");
    expect_said(text_metrics, "ringside_journal_sync_seconds_sum{process=\"journaler\"} 123456.912456789\n");
    expect_said(text_status, "\"ringside_process_start_time_seconds\":1790000003.25,");
}

#define POWERS 25 /* of two, from 1 on, that a histogram of numbers has a bound for */

static uint64_t number_bound(uint32_t power)
{
    return histogram_upper_at(histogram_bucket_at(UINT64_C(1) << power, METRICS_SUB_BITS), METRICS_SUB_BITS);
}

static uint32_t count_up_to(const uint64_t *values, uint32_t count, uint64_t bound)
{
    uint32_t below = 0;
    for (uint32_t i = 0; i < count; i++)
        below += values[i] <= bound;
    return below;
}

/* Full batches are powers of two, the largest numbers just where a bound lies: "le" is less or equal, and is exact. */
Test(monitor, numbers_are_counted_up_to_their_bounds, .fini = measure_no_more)
{
    uint64_t values[4 * POWERS];
    uint32_t count = 0;
    measure_a_journaler();
    for (uint32_t power = 0; power < POWERS; power++) {
        const uint64_t near[] = {(UINT64_C(1) << power) - 1, UINT64_C(1) << power, number_bound(power),
                                 number_bound(power) + 1};
        for (size_t i = 0; i < ARRAY_COUNT(near); i++) {
            metrics_record(&journaler_values()->batch, near[i]);
            values[count++] = near[i];
        }
    }
    for (uint32_t power = 0; power < POWERS; power++) {
        char words[128];
        snprintf(words, sizeof(words), "ringside_journal_batch_records_bucket{process=\"journaler\",le=\"%lu\"} %u\n",
                 number_bound(power), count_up_to(values, count, number_bound(power)));
        expect_said(text_metrics, words);
    }
}

/* A sequencer's batches end at 1,024: those that are full must not look like some of twice the size. */
Test(monitor, full_batches_count_to_the_bound_of_their_size, .fini = measure_no_more)
{
    measure_a_journaler();
    metrics_record_times(&journaler_values()->batch, 1024, 7);
    metrics_record(&journaler_values()->batch, 128);
    expect_said(text_metrics, "journal_batch_records_bucket{process=\"journaler\",le=\"64\"} 0\n");
    expect_said(text_metrics, "journal_batch_records_bucket{process=\"journaler\",le=\"129\"} 1\n");
    expect_said(text_metrics, "journal_batch_records_bucket{process=\"journaler\",le=\"519\"} 1\n");
    expect_said(text_metrics, "journal_batch_records_bucket{process=\"journaler\",le=\"1039\"} 8\n");
    expect_said(text_metrics, "journal_batch_records_bucket{process=\"journaler\",le=\"+Inf\"} 8\n");
}

Test(monitor, of_nothing_there_is_something_to_say)
{
    memset(&watch.look, 0, sizeof(watch.look));
    health_judge(&health, &watch);
    cr_assert_not(health.ready);
    void (*const writers[])(FILE *, const struct scene *) = {text_metrics, text_status, text_health, text_history};
    for (size_t i = 0; i < ARRAY_COUNT(writers); i++) {
        char *text = written(writers[i]);
        cr_assert_gt(strlen(text), 20);
        free(text);
    }
}
