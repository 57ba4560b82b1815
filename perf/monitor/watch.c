#include "perf/monitor/watch.h"

#include "base/units.h"
#include "env/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define DISKS_INTERVAL_NS  ((uint64_t)NS_PER_SECOND)
#define METERS_INTERVAL_NS ((uint64_t)NS_PER_SECOND)
#define LATE_NS            (500 * (uint64_t)NS_PER_MS)

/* ---- signs of life ----------------------------------------------------------------------------------------------- */

/* Which process a ring's producer or one of its lines belongs to. */
static bool is_producer(const char *process, const char *ring)
{
    if (strncmp(ring, "inbound-", 8) == 0)
        return strncmp(process, "gateway-", 8) == 0 && strcmp(process + 8, ring + 8) == 0;
    return strcmp(ring, RING_NAME_COMMAND) == 0 ? strcmp(process, "sequencer") == 0 : strcmp(process, "matcher") == 0;
}

static bool is_consumer(const char *process, const char *line)
{
    return strcmp(process, line) == 0 || (strcmp(line, LINE_EVENT_LOG) == 0 && strcmp(process, "journaler") == 0);
}

static void note_beat(struct stage_look *stage, uint64_t heartbeat_ns)
{
    if (heartbeat_ns > stage->heartbeat_ns)
        stage->heartbeat_ns = heartbeat_ns;
}

/* A line left behind by an earlier life of the process says nothing. Pid 0: the kernel does not tell whose it is. */
static bool is_own(const struct process_view *process, uint32_t pid)
{
    return process->pid <= 0 || (uint32_t)process->pid == pid;
}

static void note_ring_beats(struct stage_look *stage, const struct process_view *process, const struct ring_view *ring)
{
    if (is_producer(process->name, ring->name) && is_own(process, ring->pid))
        note_beat(stage, ring->heartbeat_ns);
    for (uint32_t i = 0; i < ring->line_count; i++)
        if (is_consumer(process->name, ring->lines[i].name) && is_own(process, ring->lines[i].pid))
            note_beat(stage, ring->lines[i].heartbeat_ns);
}

static void note_meter_beat(struct stage_look *stage, const struct process_view *process, const struct meter *meter)
{
    if (!meter->reader.file || !is_own(process, meter->reader.file->pid))
        return;
    const struct metrics_writer_line *line = metrics_writer_of(&meter->reader);
    stage->measured = true;
    stage->state = (enum metrics_state)atomic_load_explicit(&line->state, memory_order_relaxed);
    note_beat(stage, atomic_load_explicit(&line->heartbeat_ns, memory_order_relaxed));
}

static void look_at_stage(struct look *look, struct stage_look *stage, const struct process_view *process,
                          const struct meter *meter)
{
    uint64_t gone_since_ns = stage->gone_since_ns;
    *stage = (struct stage_look){.name = process->name, .alive = process->held};
    if (!process->held) {
        stage->gone_since_ns = gone_since_ns != 0 ? gone_since_ns : look->now_ns;
        return;
    }
    for (uint32_t i = 0; i < look->run.ring_count; i++)
        if (look->run.rings[i].present)
            note_ring_beats(stage, process, &look->run.rings[i]);
    note_meter_beat(stage, process, meter);
    if (stage->heartbeat_ns != 0 && look->now_ns > stage->heartbeat_ns)
        stage->silent_ns = look->now_ns - stage->heartbeat_ns;
}

static void look_at_stages(struct watch *watch)
{
    struct look *look = &watch->look;
    look->stage_count = look->run.process_count;
    for (uint32_t i = 0; i < look->stage_count; i++)
        look_at_stage(look, &look->stages[i], &look->run.processes[i], &watch->meters.meters[i]);
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static void look_at_disk(struct disk_look *disk)
{
    struct statvfs status;
    disk->present = statvfs(disk->directory, &status) == 0;
    disk->free_bytes = disk->present ? (uint64_t)status.f_bavail * status.f_frsize : 0;
    disk->size_bytes = disk->present ? (uint64_t)status.f_blocks * status.f_frsize : 0;
}

static void look_at_disks(struct watch *watch)
{
    if (watch->look.now_ns < watch->disks_next_ns)
        return;
    watch->disks_next_ns = watch->look.now_ns + DISKS_INTERVAL_NS;
    for (uint32_t i = 0; i < watch->look.disk_count; i++)
        look_at_disk(&watch->look.disks[i]);
}

static bool space_is_low(const struct run_view *run)
{
    for (uint32_t i = 0; i < run->ring_count; i++) {
        const struct ring_view *ring = &run->rings[i];
        if (!ring->present || strcmp(ring->name, RING_NAME_COMMAND) != 0)
            continue;
        for (uint32_t line = 0; line < ring->line_count; line++)
            if (strcmp(ring->lines[line].name, LINE_JOURNALER) == 0)
                return (ring->lines[line].status & JOURNALER_SPACE_LOW) != 0;
    }
    return false;
}

static void look_at_meters(struct watch *watch)
{
    struct look *look = &watch->look;
    for (uint32_t i = 0; i < look->run.process_count; i++)
        meters_follow(&watch->meters, i, watch->config->exchange_rings_directory, look->run.processes[i].name);
    watch->meters.count = look->run.process_count;
    if (look->now_ns < watch->meters_next_ns)
        return;
    watch->meters_next_ns = look->now_ns + METERS_INTERVAL_NS;
    meters_sample(&watch->meters);
}

void watch_open(struct watch *watch, const struct config *config, uint64_t now_ns)
{
    memset(watch, 0, sizeof(*watch));
    watch->config = config;
    run_viewer_init(&watch->viewer, config);
    clock_watch_open(&watch->clock);
    watch->look.now_ns = now_ns;
    watch->look.disk_count = WATCH_DISKS_MAX;
    watch->look.disks[0] = (struct disk_look){.name = "journal", .directory = config->journal_directory};
    watch->look.disks[1] = (struct disk_look){.name = "events", .directory = config->events_directory};
    watch->look.disks[2] = (struct disk_look){.name = "snapshots", .directory = config->snapshots_directory};
}

void watch_look(struct watch *watch, uint64_t now_ns)
{
    struct look *look = &watch->look;
    uint64_t due_ns = look->now_ns + watch->config->monitor_refresh_ms * NS_PER_MS;
    look->is_late = now_ns > due_ns + LATE_NS;
    look->now_ns = now_ns;
    look->realtime_ns = clock_realtime_ns();
    run_viewer_read(&watch->viewer, &look->run);
    look_at_meters(watch);
    look_at_stages(watch);
    look_at_disks(watch);
    clock_watch_look(&watch->clock, &look->clock, now_ns);
    look->space_low = space_is_low(&look->run);
    look->taken_ns = clock_monotonic_ns() - now_ns;
}

void watch_close(struct watch *watch)
{
    run_viewer_finish(&watch->viewer);
    meters_close(&watch->meters);
}
