#include "machine.h"

#include <stdio.h>
#include <sys/resource.h>

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
    unsigned long long ticks[8] = {0}; /* user nice system idle iowait irq softirq steal */
    int got = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[0], &ticks[1], &ticks[2], &ticks[3],
                     &ticks[4], &ticks[5], &ticks[6], &ticks[7]); // NOLINT(cert-err34-c): the kernel's own numbers
    fclose(file);
    if (got != 8)
        return;
    for (int i = 0; i < 8; i++)
        times->all_ticks += ticks[i];
    times->stolen_ticks = ticks[7];
}

double machine_stolen(const struct machine_times *before, const struct machine_times *after)
{
    if (after->all_ticks <= before->all_ticks)
        return -1;
    return (double)(after->stolen_ticks - before->stolen_ticks) / (double)(after->all_ticks - before->all_ticks);
}
