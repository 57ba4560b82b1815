/* Where the dashboard's figures come from. Whatever is not there (metrics off, no ring yet) is left out, not guessed.
 */
#include "perf/dash/sample.h"

#include "base/units.h"
#include "env/clock.h"
#include "metrics/values.h"
#include "perf/probe/learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(DASH_STORES_MAX == STORE_NAME_COUNT, "a place for each store");

#define LISTEN_RECORDS 1024u /* of one ring, each time */

/* ---- the rings ----------------------------------------------------------------------------------------------------
 */

void sampler_init(struct sampler *sampler, const struct config *config)
{
    memset(sampler, 0, sizeof(*sampler));
    sampler->config = config;
    run_viewer_init(&sampler->viewer, config);
    tap_init(&sampler->commands, config->exchange_rings_directory, RING_NAME_COMMAND);
    tap_init(&sampler->events, config->exchange_rings_directory, RING_NAME_EVENT);
    hops_clear(&sampler->hops);
    batches_clear(&sampler->command_batches);
    batches_clear(&sampler->event_batches);
}

static void take_command(struct sampler *sampler, const struct command *command)
{
    batches_note(&sampler->command_batches, tap_seq(command), command->head.published_ns_low);
    hops_command(&sampler->hops, command);
}

static void take_event(struct sampler *sampler, const struct event *event)
{
    struct record_head cause;
    bool known = event->index == 0 && tap_peek(&sampler->commands, event->command_seq, &cause);
    batches_note(&sampler->event_batches, tap_seq(event), event->head.published_ns_low);
    hops_event(&sampler->hops, event, known ? &cause : NULL);
    tape_take(&sampler->tape, event);
}

void sampler_listen(struct sampler *sampler)
{
    static union {
        struct command commands[LISTEN_RECORDS];
        struct event events[LISTEN_RECORDS];
    } records;
    uint32_t count = tap_read(&sampler->commands, &records, LISTEN_RECORDS);
    for (uint32_t i = 0; i < count; i++)
        take_command(sampler, &records.commands[i]);
    if (count == LISTEN_RECORDS)
        tap_pass_over(&sampler->commands);
    count = tap_read(&sampler->events, &records, LISTEN_RECORDS);
    for (uint32_t i = 0; i < count; i++)
        take_event(sampler, &records.events[i]);
    if (count == LISTEN_RECORDS)
        tap_pass_over(&sampler->events);
}

/* A ring of a new run: what was counted was another's. */
static void refresh(struct sampler *sampler)
{
    (void)tap_refresh(&sampler->commands, NULL);
    if (tap_refresh(&sampler->events, NULL) == 1)
        sampler_learn(sampler);
}

static void learn_event(void *tape, const struct event *event)
{
    tape_take(tape, event);
}

void sampler_learn(struct sampler *sampler)
{
    struct event event;
    learn_from_log(sampler->config->events_directory, learn_event, &sampler->tape);
    if (sampler->events.ring.file) {
        uint64_t now = sampler->events.observer.next;
        tap_seek(&sampler->events, 0);
        while (sampler->events.observer.next < now && tap_read(&sampler->events, &event, 1) == 1)
            tape_take(&sampler->tape, &event);
    }
    tape_forget_counts(&sampler->tape);
    sampler->settled_ns = clock_monotonic_ns();
}

/* ---- processes ----------------------------------------------------------------------------------------------------
 */

/* Words of /proc/PID/stat after the name, from 0: the state first. */
enum stat_word { STAT_STATE = 0, STAT_USER = 11, STAT_SYSTEM = 12, STAT_PAGES = 21 };

/* State, processor time and memory from /proc/PID/stat; what cannot be read stays 0. */
static void take_words(struct stage_sample *stage, char *words)
{
    uint64_t ticks = 0;
    char *rest = NULL;
    char *word = strtok_r(words, " ", &rest);
    for (int i = 0; word; i++, word = strtok_r(NULL, " ", &rest)) {
        if (i == STAT_STATE)
            stage->state = word[0];
        else if (i == STAT_USER || i == STAT_SYSTEM)
            ticks += strtoull(word, NULL, 10);
        else if (i == STAT_PAGES)
            stage->resident_bytes = strtoull(word, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    }
    stage->cpu_ns = ticks * (NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void read_proc(struct stage_sample *stage, pid_t pid)
{
    char path[64];
    char line[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = pid > 0 ? fopen(path, "re") : NULL;
    if (!file)
        return;
    size_t bytes = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[bytes] = '\0';
    char *name_end = strrchr(line, ')'); /* the name before it may hold anything */
    if (name_end)
        take_words(stage, name_end + 1);
}

static bool follow_metrics(struct sampler *sampler, uint32_t index, const char *process)
{
    char path[METRICS_PATH_BYTES + 64];
    snprintf(path, sizeof(path), "%s/%s.metrics", sampler->config->exchange_rings_directory, process);
    return metrics_follow(&sampler->readers[index], path, NULL) >= 0;
}

static void read_metrics(struct stage_sample *stage, const struct metrics_reader *reader)
{
    static struct metrics_distribution batch;
    const struct metrics_entry *entry = metrics_find(reader, "ringside_process_batch_records", "");
    stage->beat_ns = atomic_load_explicit(&metrics_writer_of(reader)->heartbeat_ns, memory_order_relaxed);
    stage->measured = true;
    if (!entry)
        return;
    metrics_histogram_read(reader, entry, &batch);
    stage->records = batch.sum;
    stage->batches = batch.count;
}

/* ---- hops ---------------------------------------------------------------------------------------------------------
 */

static void of_histogram(struct hop_sample *hop, const struct histogram *histogram)
{
    hop->count = histogram->count;
    hop->p50_ns = histogram_quantile(histogram, 0.5);
    hop->p99_ns = histogram_quantile(histogram, 0.99);
}

/* What came since the last look, if that is more than another source has told already. */
static void of_metrics(struct hop_sample *hop, struct sampled *sampled, const struct metrics_reader *reader,
                       const char *name, const char *label)
{
    static struct metrics_distribution now, since;
    const struct metrics_entry *entry = metrics_find(reader, name, label);
    if (!entry)
        return;
    metrics_histogram_read(reader, entry, &now);
    since = now;
    bool goes_on = sampled->taken && sampled->before.count <= now.count;
    if (goes_on)
        metrics_distribution_since(&since, &sampled->before);
    sampled->before = now;
    sampled->taken = true;
    if (!goes_on || since.count <= hop->count)
        return;
    *hop = (struct hop_sample){
        .count = since.count, .p50_ns = metrics_quantile(&since, 0.5), .p99_ns = metrics_quantile(&since, 0.99)};
}

static void read_stores(struct sampler *sampler, struct dash_sample *sample, const struct metrics_reader *reader)
{
    char label[64];
    for (uint32_t i = 0; i < STORE_NAME_COUNT; i++) {
        struct store_sample *store = &sample->stores[sample->store_count++];
        snprintf(label, sizeof(label), "store=\"%s\"", store_names[i]);
        snprintf(store->name, sizeof(store->name), "%s", store_names[i]);
        store->configured = metrics_lookup(reader, "ringside_store_configured", label, 0) != 0;
        store->refused = metrics_lookup(reader, "ringside_store_refused", label, 0) != 0;
        store->up = metrics_lookup(reader, "ringside_store_up", label, 0) != 0;
        store->lag_records = metrics_lookup(reader, "ringside_store_lag_records", label, 0);
        store->lag_ns = metrics_lookup(reader, "ringside_store_lag_seconds", label, 0);
        of_metrics(&sample->hops[DASH_HOP_STORED], &sampler->stored[i], reader, "ringside_store_batch_seconds", label);
    }
}

static void read_stage_metrics(struct sampler *sampler, struct dash_sample *sample, uint32_t index, const char *name)
{
    const struct metrics_reader *reader = &sampler->readers[index];
    read_metrics(&sample->stages[index], reader);
    if (strncmp(name, "gateway-", 8) == 0) {
        of_metrics(&sample->hops[DASH_HOP_TOLD], &sampler->told[index], reader, HOP_NAME, "hop=\"event-socket\"");
        of_metrics(&sample->hops[DASH_HOP_WAY], &sampler->way[index], reader, "ringside_way_seconds", "");
    } else if (strcmp(name, "journaler") == 0) {
        of_metrics(&sample->hops[DASH_HOP_SYNCED], &sampler->synced, reader, "ringside_journal_sync_seconds", "");
    } else if (strcmp(name, "persister") == 0) {
        read_stores(sampler, sample, reader);
    } else if (strcmp(name, "matcher") == 0) {
        sample->live_orders = metrics_lookup(reader, "ringside_live_orders", "", UINT64_MAX);
        sample->live_orders_known = sample->live_orders != UINT64_MAX;
    }
}

/* ---- the sample ---------------------------------------------------------------------------------------------------
 */

static void read_batches(struct sampler *sampler, struct dash_sample *sample)
{
    for (uint32_t i = 0; i < sample->run.ring_count; i++) {
        const struct ring_view *ring = &sample->run.rings[i];
        if (strcmp(ring->name, RING_NAME_COMMAND) == 0)
            sample->batch_records[i] = (double)histogram_quantile(&sampler->command_batches.sizes, 0.5);
        if (strcmp(ring->name, RING_NAME_EVENT) == 0)
            sample->batch_records[i] = (double)histogram_quantile(&sampler->event_batches.sizes, 0.5);
    }
    batches_clear(&sampler->command_batches);
    batches_clear(&sampler->event_batches);
}

static bool space_low(const struct run_view *run)
{
    for (uint32_t i = 0; i < run->ring_count; i++)
        for (uint32_t line = 0; strcmp(run->rings[i].name, RING_NAME_COMMAND) == 0 && line < run->rings[i].line_count;
             line++)
            if (strcmp(run->rings[i].lines[line].name, LINE_JOURNALER) == 0)
                return run->rings[i].lines[line].status & JOURNALER_SPACE_LOW;
    return false;
}

static void settle(struct sampler *sampler)
{
    struct tap *events = &sampler->events;
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t read = events->read_count;
    uint64_t published = tap_published(events);
    double scale = read > 0 && published > read ? (double)published / (double)read : 1;
    tape_settle(&sampler->tape, (double)(now_ns - sampler->settled_ns) / NS_PER_SECOND, scale);
    sampler->settled_ns = now_ns;
    events->first_seq = events->observer.next;
    events->read_count = events->missed_count = events->passed_count = 0;
}

void sampler_take(struct sampler *sampler, struct dash_sample *ret)
{
    memset(ret, 0, sizeof(*ret));
    refresh(sampler);
    sampler_listen(sampler);
    run_viewer_read(&sampler->viewer, &ret->run);
    ret->realtime_ns = clock_realtime_ns();
    of_histogram(&ret->hops[DASH_HOP_SEQUENCED], &sampler->hops.hops[HOP_SEQUENCED]);
    of_histogram(&ret->hops[DASH_HOP_MATCHED], &sampler->hops.hops[HOP_MATCHED]);
    for (uint32_t i = 0; i < ret->run.process_count; i++) {
        const struct process_view *process = &ret->run.processes[i];
        read_proc(&ret->stages[i], process->held ? process->pid : 0);
        if (process->held && follow_metrics(sampler, i, process->name))
            read_stage_metrics(sampler, ret, i, process->name);
    }
    if (ret->hops[DASH_HOP_WAY].count == 0)
        of_histogram(&ret->hops[DASH_HOP_WAY], &sampler->hops.hops[HOP_WHOLE]);
    ret->space_low = space_low(&ret->run);
    read_batches(sampler, ret);
    hops_clear(&sampler->hops);
    settle(sampler);
}

void sampler_finish(struct sampler *sampler)
{
    for (uint32_t i = 0; i < DASH_STAGES_MAX; i++)
        metrics_detach(&sampler->readers[i]);
    run_viewer_finish(&sampler->viewer);
    tap_close(&sampler->commands);
    tap_close(&sampler->events);
    tape_finish(&sampler->tape);
}
