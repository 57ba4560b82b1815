#include "stage/measure.h"

#include "base/units.h"
#include "env/clock.h"
#include "ring/owner.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PUBLISH_INTERVAL_NS (100 * (uint64_t)NS_PER_MS)
#define SAMPLE_INTERVAL_NS  ((uint64_t)NS_PER_SECOND)
#define FILES_INTERVAL_NS   (10 * (uint64_t)NS_PER_SECOND)

int measure_open(struct measure *measure, const struct config *config, const char *role,
                 const struct metrics_table *table, struct error *error)
{
    char path[RUN_PATH_BYTES];
    *measure = (struct measure){.statm_fd = -1};
    const char *directory = config->exchange_rings_directory;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s.metrics", directory, role) >= sizeof(path))
        return error_set(error, ERROR_INVALID, directory, "longer than %zu bytes", sizeof(path) - 1);
    if (config->metrics_enabled == SWITCH_NO) {
        unlink(path); /* what an earlier process left says nothing of this one */
        return 0;
    }
    const struct metrics_table *const tables[] = {&process_values_table, table};
    const struct metrics_identity identity = {
        .name = role,
        .pid = (uint32_t)getpid(),
        .start_time = owner_start_time(),
        .now_ns = clock_monotonic_ns(),
        .realtime_ns = clock_realtime_ns(),
    };
    int result = metrics_create(&measure->writer, path, &identity, tables, table ? 2 : 1, error);
    if (result < 0)
        return result;
    measure->values = measure->writer.values[0];
    measure->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    metrics_set(&measure->values->start_time_ns, identity.realtime_ns);
    return 0;
}

/* ---- what the kernel knows ----------------------------------------------------------------------------------------
 */

static uint64_t timeval_ns(struct timeval time)
{
    return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_usec * NS_PER_US;
}

static void sample_usage(struct process_values *values)
{
    struct rusage usage;
    struct rlimit files;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        metrics_set(&values->cpu_user_ns, timeval_ns(usage.ru_utime));
        metrics_set(&values->cpu_system_ns, timeval_ns(usage.ru_stime));
        metrics_set(&values->resident_max_bytes, (uint64_t)usage.ru_maxrss * KIB);
        metrics_set(&values->major_faults, (uint64_t)usage.ru_majflt);
        metrics_set(&values->voluntary_switches, (uint64_t)usage.ru_nvcsw);
        metrics_set(&values->involuntary_switches, (uint64_t)usage.ru_nivcsw);
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        metrics_set(&values->open_files_max, files.rlim_cur);
}

/* The second number of statm, in pages. */
static void sample_resident(const struct measure *measure)
{
    char text[128];
    ssize_t length = measure->statm_fd >= 0 ? pread(measure->statm_fd, text, sizeof(text) - 1, 0) : -1;
    if (length <= 0)
        return;
    text[length] = '\0';
    char *resident = strchr(text, ' ');
    if (resident)
        metrics_set(&measure->values->resident_bytes, strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE));
}

static uint64_t count_names(const char *path)
{
    uint64_t count = 0;
    DIR *directory = opendir(path);
    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count > 3 ? count - 3 : 0; /* itself, ".", ".." */
}

/* Since Linux 6.2 the directory's size is the count. */
static void sample_files(struct measure *measure, uint64_t now_ns)
{
    struct stat status;
    if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0) {
        metrics_set(&measure->values->open_files, (uint64_t)status.st_size);
    } else if (now_ns >= measure->files_next_ns) {
        metrics_set(&measure->values->open_files, count_names("/proc/self/fd"));
        measure->files_next_ns = now_ns + FILES_INTERVAL_NS;
    }
}

/* A directory of tasks has a link for each, and two of its own. */
static void sample_threads(struct process_values *values)
{
    struct stat status;
    if (stat("/proc/self/task", &status) == 0 && status.st_nlink > 2)
        metrics_set(&values->threads, status.st_nlink - 2);
}

static void sample(struct measure *measure, uint64_t now_ns)
{
    sample_usage(measure->values);
    sample_resident(measure);
    sample_files(measure, now_ns);
    sample_threads(measure->values);
}

/* ---- publishing ---------------------------------------------------------------------------------------------------
 */

static void tell_line(struct measure *measure, const struct run *run, bool ready, uint64_t now_ns)
{
    bool joined = run->doorbells.shared != NULL;
    if (joined && !measure->run_told)
        metrics_tell_run(&measure->writer, run->run_id);
    if (ready && !measure->ready_told)
        metrics_tell_state(&measure->writer, METRICS_STATE_READY, now_ns);
    measure->run_told = joined;
    measure->ready_told = ready;
    metrics_beat(&measure->writer, now_ns);
}

void measure_publish(struct measure *measure, const struct run *run, bool ready, uint64_t sleep_count, uint64_t now_ns)
{
    struct process_values *values = measure->values;
    if (!values)
        return;
    measure->next_ns = now_ns + PUBLISH_INTERVAL_NS;
    metrics_set(&values->busy_polls, measure->busy_poll_count);
    metrics_set(&values->empty_polls, measure->empty_poll_count);
    metrics_set(&values->records, measure->record_count);
    metrics_set(&values->sleeps, sleep_count);
    tell_line(measure, run, ready, now_ns);
    if (now_ns < measure->sample_next_ns)
        return;
    measure->sample_next_ns = now_ns + SAMPLE_INTERVAL_NS;
    sample(measure, now_ns);
}

void measure_close(struct measure *measure, uint64_t now_ns)
{
    if (!measure->values)
        return;
    if (measure->statm_fd >= 0)
        close(measure->statm_fd);
    metrics_close(&measure->writer, now_ns);
    measure->values = NULL;
}
