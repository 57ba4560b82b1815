#include "perf/machine/machine.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Of a line of /proc/stat: user nice system idle iowait irq softirq steal. */
enum { STOLEN = 7, TICK_KINDS = 8 };

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void machine_times_read(struct machine_times *times)
{
    struct rusage usage;
    *times = (struct machine_times){0};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        times->own_s = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    FILE *file = fopen("/proc/stat", "re");
    if (!file)
        return;
    char line[256] = "";
    bool is_total = fgets(line, sizeof(line), file) && strncmp(line, "cpu ", 4) == 0;
    fclose(file);
    uint64_t ticks[TICK_KINDS] = {0};
    char *at = line + 4;
    for (int i = 0; i < TICK_KINDS && is_total; i++) {
        ticks[i] = strtoull(at, &at, 10);
        times->all_ticks += ticks[i];
    }
    times->stolen_ticks = ticks[STOLEN];
}

double machine_stolen(const struct machine_times *before, const struct machine_times *after)
{
    if (after->all_ticks <= before->all_ticks)
        return -1;
    return (double)(after->stolen_ticks - before->stolen_ticks) / (double)(after->all_ticks - before->all_ticks);
}
