/*
 * Alarms. Thresholds: a process that is stopped is seen at once; one that lives and does not go round its loop, or has
 * work and does not move, after 1.5 s, so that it is named within 3 s of looking once a second; a ring is full from
 * four fifths on.
 */
#include "perf/dash/alarms.h"

#include "base/units.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STILL_NS      (3 * (uint64_t)NS_PER_SECOND / 2)
#define FULL_FRACTION 0.8

typedef unsigned long long ull;

void alarms_log(struct dash_model *model, bool bad, const char *format, ...)
{
    struct dash_log_line *line = &model->log[model->log_count++ % DASH_LOG_MAX];
    line->realtime_ns = model->now.realtime_ns;
    line->bad = bad;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->text, sizeof(line->text), format, arguments);
    va_end(arguments);
}

const struct dash_alarm *model_alarm(const struct dash_model *model, enum dash_alarm_kind kind, const char *name)
{
    for (uint32_t i = 0; i < model->alarm_count; i++)
        if (model->alarms[i].kind == kind && strcmp(model->alarms[i].name, name) == 0)
            return &model->alarms[i];
    return NULL;
}

static struct dash_alarm *find_or_add(struct dash_model *model, enum dash_alarm_kind kind, const char *name)
{
    const struct dash_alarm *found = model_alarm(model, kind, name);
    if (found)
        return &model->alarms[found - model->alarms];
    if (model->alarm_count == DASH_ALARMS_MAX)
        return NULL;
    struct dash_alarm *alarm = &model->alarms[model->alarm_count++];
    *alarm = (struct dash_alarm){.kind = kind, .since_ns = model->now.realtime_ns};
    snprintf(alarm->name, sizeof(alarm->name), "%s", name);
    return alarm;
}

/* The text may change while the alarm lasts; the log has the first. */
static void raise_alarm(struct dash_model *model, enum dash_alarm_kind kind, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void raise_alarm(struct dash_model *model, enum dash_alarm_kind kind, const char *name, const char *format, ...)
{
    uint32_t count = model->alarm_count;
    struct dash_alarm *alarm = find_or_add(model, kind, name);
    if (!alarm)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(alarm->text, sizeof(alarm->text), format, arguments);
    va_end(arguments);
    alarm->seen = true;
    if (model->alarm_count > count)
        alarms_log(model, true, "%s", alarm->text);
}

/* ---- causes -------------------------------------------------------------------------------------------------------
 */

static void look_at_process(struct dash_model *model, uint32_t index)
{
    const struct dash_stage *stage = &model->stages[index];
    const struct stage_sample *sample = &model->now.stages[index];
    if (!stage->alive) {
        raise_alarm(model, ALARM_GONE, stage->name, "%s is gone", stage->name);
        return;
    }
    if (sample->state == 'T' || sample->state == 't') {
        raise_alarm(model, ALARM_STOPPED, stage->name,
                    "%s (pid %d) is stopped by a signal; kill -CONT %d lets it go on", stage->name, stage->pid,
                    stage->pid);
        return;
    }
    uint64_t now_ns = model->now.run.read_ns;
    if (sample->measured && sample->beat_ns > 0 && now_ns > sample->beat_ns + STILL_NS)
        raise_alarm(model, ALARM_SILENT, stage->name, "%s has not been round its loop for %.1f s", stage->name,
                    (double)(now_ns - sample->beat_ns) / NS_PER_SECOND);
}

/* Whether an alarm about the process says already why it does not move. */
static bool explained(const struct dash_model *model, const char *process)
{
    return model_alarm(model, ALARM_GONE, process) || model_alarm(model, ALARM_STOPPED, process) ||
           model_alarm(model, ALARM_SILENT, process);
}

/* Who waits for room in the ring that it fills is held up by another. */
static bool held_up(const struct dash_model *model, const char *process)
{
    char name[32];
    model_output_ring(process, name);
    for (uint32_t i = 0; i < model->now.run.ring_count; i++)
        if (strcmp(model->now.run.rings[i].name, name) == 0 && model->now.run.rings[i].blocked_ns > 0)
            return true;
    return false;
}

static void look_at_line(struct dash_model *model, uint32_t ring_index, uint32_t line)
{
    const struct ring_view *ring = &model->now.run.rings[ring_index];
    uint64_t since_ns = model->still_since_ns[ring_index][line];
    const char *process = model_line_owner(ring->lines[line].name);
    uint64_t now_ns = model->now.run.read_ns;
    if (since_ns == 0 || now_ns < since_ns + STILL_NS || explained(model, process) || held_up(model, process))
        return;
    raise_alarm(model, ALARM_STUCK, ring->lines[line].name, "%s does not move: %llu records of ring %s wait for it",
                process, (ull)ring->lines[line].behind_records, ring->name);
}

static const char *slowest_line(const struct ring_view *ring)
{
    const char *slowest = "nobody";
    uint64_t behind = 0;
    for (uint32_t i = 0; i < ring->line_count; i++)
        if (ring->lines[i].behind_records > behind) {
            behind = ring->lines[i].behind_records;
            slowest = ring->lines[i].name;
        }
    return slowest;
}

static void look_at_ring(struct dash_model *model, uint32_t index)
{
    const struct ring_view *ring = &model->now.run.rings[index];
    if (!ring->present)
        return;
    for (uint32_t line = 0; line < ring->line_count; line++)
        look_at_line(model, index, line);
    double fill = (double)ring->fill_records / (double)ring->capacity_slots;
    if (fill < FULL_FRACTION)
        return;
    const char *blocker = run_view_blocker(ring);
    raise_alarm(model, ALARM_FULL, ring->name, "ring %s is %.0f %% full, it waits for %s", ring->name, 100 * fill,
                model_line_owner(blocker ? blocker : slowest_line(ring)));
}

static void look_at_stores(struct dash_model *model)
{
    for (uint32_t i = 0; i < model->now.store_count; i++) {
        const struct store_sample *store = &model->now.stores[i];
        if (store->configured && store->refused)
            raise_alarm(model, ALARM_STORE_REFUSES, store->name,
                        "store %s refuses what it must take, its persister's log says why: %llu events wait for it",
                        store->name, (ull)store->lag_records);
        else if (store->configured && !store->up)
            raise_alarm(model, ALARM_STORE_AWAY, store->name, "store %s does not answer: %llu events wait for it",
                        store->name, (ull)store->lag_records);
    }
}

/* ---- all of them --------------------------------------------------------------------------------------------------
 */

static void end_alarms(struct dash_model *model)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->alarm_count; i++) {
        struct dash_alarm *alarm = &model->alarms[i];
        if (alarm->seen) {
            model->alarms[kept++] = *alarm;
            continue;
        }
        uint64_t ns = model->now.realtime_ns - alarm->since_ns;
        alarms_log(model, false, "over after %.0f s: %.100s", (double)ns / NS_PER_SECOND, alarm->text);
    }
    model->alarm_count = kept;
}

static void mark_stages(struct dash_model *model)
{
    for (uint32_t i = 0; i < model->stage_count; i++) {
        struct dash_stage *stage = &model->stages[i];
        for (uint32_t alarm = 0; alarm < model->alarm_count; alarm++)
            if (strcmp(model_line_owner(model->alarms[alarm].name), stage->name) == 0 &&
                model->alarms[alarm].kind != ALARM_FULL)
                stage->bad = true;
        if (stage->bad && stage->alive && strcmp(stage->state, "up") == 0)
            stage->state = model_alarm(model, ALARM_SILENT, stage->name) ? "SILENT" : "STUCK";
    }
}

void alarms_take(struct dash_model *model)
{
    for (uint32_t i = 0; i < model->alarm_count; i++)
        model->alarms[i].seen = false;
    if (model->now.run.present) {
        for (uint32_t i = 0; i < model->stage_count; i++)
            look_at_process(model, i);
        for (uint32_t i = 0; i < model->now.run.ring_count; i++)
            look_at_ring(model, i);
        look_at_stores(model);
        if (model->now.space_low)
            raise_alarm(model, ALARM_SPACE, "journal", "the journal's disk is filling up: new orders are refused");
    }
    end_alarms(model);
    mark_stages(model);
}
