#include "clock_watch.h"

void clock_watch_look(struct clock_watch *watch, uint64_t realtime_ns, uint64_t monotonic_ns)
{
    int64_t offset_ns = (int64_t)(realtime_ns - monotonic_ns);
    if (watch->look_count++ == 0)
        watch->first_ns = watch->last_ns = offset_ns;
    int64_t change_ns = offset_ns - watch->last_ns;
    if (change_ns > CLOCK_STEP_NS || change_ns < -CLOCK_STEP_NS)
        watch->step_count++;
    watch->last_ns = offset_ns;
    watch->drift_ns = offset_ns - watch->first_ns;
}
