#include "ticks.h"

#include "record/command.h"
#include "record/event.h"
#include "topology/topology.h"

void ticks_open(struct ticks *ticks, const struct config *config)
{
    ticks->interval_ns = config->exchange_tick_ms * NS_PER_MS;
}

int ticks_attach(struct ticks *ticks, struct run *run, struct error *error)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters = {0};
    if (ticks->events.file)
        return 0;
    run_ring_path(run, RING_NAME_EVENT, path);
    run_ring_parameters(run, RING_NAME_EVENT, &parameters);
    parameters.record_hash = event_layout_hash();
    int result = ring_attach(&ticks->events, path, false, &parameters, error);
    return result == ERROR_NOT_YET ? 0 : result;
}

static bool armed(const struct ticks *ticks)
{
    return ticks->events.file && (atomic_load_explicit(&ticks->events.file->producer.status, memory_order_acquire) &
                                  EVENT_RING_TIMER_ARMED) != 0;
}

int ticks_publish(struct ticks *ticks, struct merge *merge, uint64_t realtime_ns, uint64_t now_ns)
{
    static const struct command tick = {.kind = COMMAND_TICK};
    if (now_ns < ticks->next_ns || !armed(ticks))
        return 0;
    int count = merge_own(merge, &tick, realtime_ns, now_ns);
    ticks->next_ns = count > 0 ? now_ns + ticks->interval_ns : ticks->next_ns;
    return count;
}

void ticks_close(struct ticks *ticks)
{
    ring_detach(&ticks->events);
}
