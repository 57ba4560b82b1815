/* Rates of two samples, one row a process, and the history of the whole. What is wrong is alarms.c's. */
#include "perf/dash/model.h"

#include "base/units.h"
#include "perf/dash/alarms.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- finding ------------------------------------------------------------------------------------------------------
 */

static const struct ring_view *ring_of(const struct run_view *run, const char *name)
{
    for (uint32_t i = 0; i < run->ring_count; i++)
        if (run->rings[i].present && strcmp(run->rings[i].name, name) == 0)
            return &run->rings[i];
    return NULL;
}

static const struct line_view *line_of(const struct ring_view *ring, const char *name)
{
    for (uint32_t i = 0; ring && i < ring->line_count; i++)
        if (strcmp(ring->lines[i].name, name) == 0)
            return &ring->lines[i];
    return NULL;
}

static bool is_gateway(const char *name)
{
    return strncmp(name, "gateway-", 8) == 0;
}

void model_output_ring(const char *process, char ring[32])
{
    ring[0] = '\0';
    if (is_gateway(process))
        snprintf(ring, 32, "inbound-%s", process + 8);
    else if (strcmp(process, "sequencer") == 0)
        snprintf(ring, 32, RING_NAME_COMMAND);
    else if (strcmp(process, "matcher") == 0)
        snprintf(ring, 32, RING_NAME_EVENT);
}

const char *model_line_owner(const char *line)
{
    return strcmp(line, LINE_EVENT_LOG) == 0 ? topology_process_name(PROCESS_JOURNALER) : line;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------
 */

static double per_second(const struct dash_model *model, uint64_t now, uint64_t before)
{
    return model->ready && model->seconds > 0 && now >= before ? (double)(now - before) / model->seconds : 0;
}

static uint64_t next_of(const struct run_view *run, const char *ring)
{
    const struct ring_view *view = ring_of(run, ring);
    return view ? view->next_seq : 0;
}

static uint64_t cursor_of(const struct run_view *run, const char *ring, const char *line)
{
    const struct line_view *view = line_of(ring_of(run, ring), line);
    return view ? view->cursor_seq : 0;
}

/* Records handled so far: what it has published, or is done with. */
static uint64_t progress_of(const struct dash_sample *sample, uint32_t index, const char *ring)
{
    const char *name = sample->run.processes[index].name;
    if (strcmp(name, "matcher") == 0 || strcmp(name, "journaler") == 0)
        return cursor_of(&sample->run, RING_NAME_COMMAND, name);
    return ring[0] ? next_of(&sample->run, ring) : sample->stages[index].records;
}

/* What waits for this process in the rings, all of its lines together. */
static uint64_t behind_of(const struct run_view *run, const char *process)
{
    uint64_t behind = 0;
    for (uint32_t i = 0; i < run->ring_count; i++)
        for (uint32_t line = 0; run->rings[i].present && line < run->rings[i].line_count; line++)
            if (strcmp(model_line_owner(run->rings[i].lines[line].name), process) == 0)
                behind += run->rings[i].lines[line].behind_records;
    return behind;
}

static uint64_t store_lag(const struct dash_sample *sample)
{
    uint64_t lag = 0;
    for (uint32_t i = 0; i < sample->store_count; i++)
        if (sample->stores[i].configured && sample->stores[i].lag_records > lag)
            lag = sample->stores[i].lag_records;
    return lag;
}

static enum dash_hop hop_of(const char *process)
{
    if (is_gateway(process))
        return DASH_HOP_TOLD;
    if (strcmp(process, "sequencer") == 0)
        return DASH_HOP_SEQUENCED;
    if (strcmp(process, "matcher") == 0)
        return DASH_HOP_MATCHED;
    return strcmp(process, "journaler") == 0 ? DASH_HOP_SYNCED : DASH_HOP_STORED;
}

static double batch_of(const struct dash_model *model, uint32_t index, const char *ring)
{
    const struct stage_sample *now = &model->now.stages[index];
    const struct stage_sample *before = &model->before.stages[index];
    if (model->ready && now->measured && before->measured && now->batches > before->batches &&
        now->records >= before->records)
        return (double)(now->records - before->records) / (double)(now->batches - before->batches);
    for (uint32_t i = 0; i < model->now.run.ring_count; i++)
        if (ring[0] && strcmp(model->now.run.rings[i].name, ring) == 0)
            return model->now.batch_records[i];
    return 0;
}

static const char *state_text(const struct process_view *process, char state)
{
    if (!process->held)
        return "gone";
    return state == 'T' || state == 't' ? "STOPPED" : "up";
}

static void fill_stage(struct dash_model *model, uint32_t index)
{
    const struct process_view *process = &model->now.run.processes[index];
    const struct stage_sample *now = &model->now.stages[index];
    const struct stage_sample *before = &model->before.stages[index];
    struct dash_stage *stage = &model->stages[index];
    *stage =
        (struct dash_stage){.alive = process->held, .pid = (int)process->pid, .cpu = (double)NAN, .fill = (double)NAN};
    memcpy(stage->name, process->name, sizeof(stage->name));
    model_output_ring(process->name, stage->ring);
    stage->state = state_text(process, now->state);
    stage->resident_bytes = now->resident_bytes;
    stage->hop = hop_of(process->name);
    if (model->ready && now->cpu_ns >= before->cpu_ns && before->cpu_ns > 0)
        stage->cpu = (double)(now->cpu_ns - before->cpu_ns) / (model->seconds * NS_PER_SECOND);
    stage->records_per_s = per_second(model, progress_of(&model->now, index, stage->ring),
                                      progress_of(&model->before, index, stage->ring));
    stage->batch = batch_of(model, index, stage->ring);
    stage->behind =
        strcmp(process->name, "persister") == 0 ? store_lag(&model->now) : behind_of(&model->now.run, process->name);
    const struct ring_view *ring = ring_of(&model->now.run, stage->ring);
    const struct ring_view *ring_before = ring_of(&model->before.run, stage->ring);
    if (!ring)
        return;
    stage->fill = (double)ring->fill_records / (double)ring->capacity_slots;
    stage->stalls = ring->stall_count;
    stage->stalls_per_s = ring_before ? per_second(model, ring->stall_count, ring_before->stall_count) : 0;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------
 */

static void remember(struct dash_model *model)
{
    if (model->history_count == DASH_HISTORY_MAX)
        memmove(model->history, model->history + 1, sizeof(model->history) - sizeof(model->history[0]));
    else
        model->history_count++;
    model->history[model->history_count - 1] = model->commands_per_s;
}

static void fill_totals(struct dash_model *model)
{
    const struct run_view *now = &model->now.run;
    const struct run_view *before = &model->before.run;
    model->commands_per_s = per_second(model, next_of(now, RING_NAME_COMMAND), next_of(before, RING_NAME_COMMAND));
    model->events_per_s = per_second(model, next_of(now, RING_NAME_EVENT), next_of(before, RING_NAME_EVENT));
    const struct line_view *journaler = line_of(ring_of(now, RING_NAME_COMMAND), LINE_JOURNALER);
    const struct line_view *event_log = line_of(ring_of(now, RING_NAME_EVENT), LINE_EVENT_LOG);
    model->journal_lag = journaler ? journaler->behind_records : 0;
    model->event_log_lag = event_log ? event_log->behind_records : 0;
    if (model->ready)
        remember(model);
}

/* Since when each line has had work to do and not moved; by CLOCK_MONOTONIC, 0: it moves, or has none. */
static void fill_still(struct dash_model *model)
{
    for (uint32_t i = 0; i < model->now.run.ring_count; i++) {
        const struct ring_view *ring = &model->now.run.rings[i];
        uint64_t barrier = cursor_of(&model->now.run, RING_NAME_COMMAND, LINE_JOURNALER);
        for (uint32_t line = 0; line < RING_CONSUMERS_MAX; line++) {
            const struct line_view *view = &ring->lines[line];
            const struct line_view *before = &model->before.run.rings[i].lines[line];
            bool behind_barrier = strcmp(view->name, LINE_MATCHER) == 0;
            uint64_t end = behind_barrier && barrier < ring->next_seq ? barrier : ring->next_seq;
            bool still = ring->present && line < ring->line_count && model->ready && view->cursor_seq < end &&
                         view->cursor_seq == before->cursor_seq;
            if (!still)
                model->still_since_ns[i][line] = 0;
            else if (model->still_since_ns[i][line] == 0)
                model->still_since_ns[i][line] = model->before.run.read_ns;
        }
    }
}

static bool same_run(const struct run_view *a, const struct run_view *b)
{
    return a->present && b->present && memcmp(a->run_id, b->run_id, sizeof(a->run_id)) == 0;
}

void model_take(struct dash_model *model, const struct dash_sample *sample)
{
    model->before = model->now;
    model->now = *sample;
    const struct run_view *now = &model->now.run;
    const struct run_view *before = &model->before.run;
    model->ready = model->sample_count > 0 && same_run(now, before) && now->read_ns > before->read_ns;
    model->seconds = model->ready ? (double)(now->read_ns - before->read_ns) / NS_PER_SECOND : 0;
    if (model->sample_count > 0 && now->present && !same_run(now, before))
        alarms_log(model, false, "a new run has begun, journal epoch %u", now->epoch);
    model->sample_count++;
    model->stage_count = now->process_count;
    for (uint32_t i = 0; i < model->stage_count; i++)
        fill_stage(model, i);
    fill_totals(model);
    fill_still(model);
    alarms_take(model);
}
