#include "yardstick.h"

#include "base/units.h"
#include "env/clock.h"
#include "perf/machine/round_trip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define APPEND_BYTES     4096u
#define APPEND_COUNT_MAX 2000u
#define MEASURE_NS       (NS_PER_SECOND / 2)

/* ---- a durable append ---- */

static int time_appends(int fd, void *block, struct histogram *times)
{
    const struct iovec part = {.iov_base = block, .iov_len = APPEND_BYTES};
    for (uint32_t i = 0; i < APPEND_COUNT_MAX; i++)
        if (pwritev2(fd, &part, 1, (off_t)i * APPEND_BYTES, 0) != (ssize_t)APPEND_BYTES)
            return -1;
    if (fsync(fd) < 0)
        return -1;
    uint64_t until_ns = clock_monotonic_ns() + MEASURE_NS;
    memset(block, 0x5a, APPEND_BYTES);
    for (uint32_t i = 0; i < APPEND_COUNT_MAX; i++) {
        uint64_t start_ns = clock_monotonic_ns();
        if (start_ns > until_ns)
            break;
        if (pwritev2(fd, &part, 1, (off_t)i * APPEND_BYTES, RWF_DSYNC) != (ssize_t)APPEND_BYTES)
            return -1;
        histogram_record(times, clock_monotonic_ns() - start_ns);
    }
    return times->count > 0 ? 0 : -1;
}

static int measure_append(const char *directory, struct histogram *times)
{
    char path[512];
    if (snprintf(path, sizeof(path), "%s/yardstick.XXXXXX", directory) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    void *block = aligned_alloc(APPEND_BYTES, APPEND_BYTES);
    if (!block)
        return -1;
    memset(block, 0, APPEND_BYTES);
    int fd = mkostemp(path, O_DIRECT | O_CLOEXEC);
    int result = fd < 0 ? -1 : time_appends(fd, block, times);
    int failed = errno;
    if (fd >= 0) {
        unlink(path);
        close(fd);
    }
    free(block);
    errno = failed;
    return result;
}

/* ---- both ---- */

void yardstick_clear(struct yardstick *yardstick)
{
    histogram_clear(&yardstick->round_trip_ns);
    histogram_clear(&yardstick->append_ns);
}

bool yardstick_measure(const char *directory, struct yardstick *yardstick, char *why, size_t why_bytes)
{
    if (round_trip_measure(MEASURE_NS, &yardstick->round_trip_ns) < 0) {
        snprintf(why, why_bytes, "the TCP round trip: %s", strerror(errno));
        return false;
    }
    if (measure_append(directory, &yardstick->append_ns) < 0) {
        snprintf(why, why_bytes, "the durable append in %s: %s", directory, strerror(errno));
        return false;
    }
    return true;
}

uint64_t yardstick_round_trip_p50_ns(const struct yardstick *yardstick)
{
    return histogram_quantile(&yardstick->round_trip_ns, 0.5);
}

uint64_t yardstick_round_trip_p99_ns(const struct yardstick *yardstick)
{
    return histogram_quantile(&yardstick->round_trip_ns, 0.99);
}

uint64_t yardstick_append_p50_ns(const struct yardstick *yardstick)
{
    return histogram_quantile(&yardstick->append_ns, 0.5);
}
