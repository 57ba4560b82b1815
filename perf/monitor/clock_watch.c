#include "perf/monitor/clock_watch.h"

#include "base/units.h"
#include "env/clock.h"

#include <stdlib.h>
#include <sys/timex.h>

/* CLOCK_MONOTONIC is read on both sides of CLOCK_REALTIME: of three tries the one that was least interrupted. */
static int64_t measure_apart(void)
{
    int64_t apart_ns = 0;
    uint64_t width_ns_min = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        uint64_t before_ns = clock_monotonic_ns();
        uint64_t realtime_ns = clock_realtime_ns();
        uint64_t width_ns = clock_monotonic_ns() - before_ns;
        if (width_ns >= width_ns_min)
            continue;
        width_ns_min = width_ns;
        apart_ns = (int64_t)(realtime_ns - before_ns - width_ns / 2);
    }
    return apart_ns;
}

void clock_watch_open(struct clock_watch *watch)
{
    *watch = (struct clock_watch){.apart_ns = measure_apart()};
}

void clock_watch_note(struct clock_watch *watch, int64_t apart_ns, uint64_t now_ns)
{
    int64_t moved_ns = apart_ns - watch->apart_ns;
    watch->apart_ns = apart_ns;
    if (llabs(moved_ns) < CLOCK_STEP_NS)
        return;
    watch->step_count++;
    watch->step_ns = moved_ns;
    watch->step_at_ns = now_ns;
}

void clock_watch_look(struct clock_watch *watch, struct clock_look *ret, uint64_t now_ns)
{
    struct timex kernel = {0}; /* modes 0: asks, sets nothing */
    int state = adjtimex(&kernel);
    clock_watch_note(watch, measure_apart(), now_ns);
    *ret = (struct clock_look){
        .synchronized = state >= 0 && state != TIME_ERROR && (kernel.status & STA_UNSYNC) == 0,
        .offset_ns = (kernel.status & STA_NANO) != 0 ? kernel.offset : kernel.offset * NS_PER_US,
        .error_ns_max = kernel.maxerror * NS_PER_US,
        .step_count = watch->step_count,
        .step_ns = watch->step_ns,
        .step_at_ns = watch->step_at_ns,
    };
}
