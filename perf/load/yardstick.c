#include "yardstick.h"

#include "base/units.h"
#include "env/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE_BYTES    64
#define APPEND_BYTES     4096u
#define APPEND_COUNT_MAX 2000u
#define ROUND_TRIPS_MAX  20000u
#define MEASURE_NS       (NS_PER_SECOND / 2)

/* ---- a round trip ---- */

static int loopback_pair(int *ret_near, int *ret_far)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int far = -1;
    if (listener >= 0 && near >= 0 && bind(listener, (struct sockaddr *)&address, bytes) == 0 &&
        listen(listener, 1) == 0 && getsockname(listener, (struct sockaddr *)&address, &bytes) == 0 &&
        connect(near, (struct sockaddr *)&address, bytes) == 0)
        far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (listener >= 0)
        close(listener);
    if (far < 0) {
        if (near >= 0)
            close(near);
        return -1;
    }
    const int one = 1;
    setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    *ret_near = near;
    *ret_far = far;
    return 0;
}

_Noreturn static void echo(int fd)
{
    char message[MESSAGE_BYTES];
    while (recv(fd, message, sizeof(message), MSG_WAITALL) == (ssize_t)sizeof(message))
        if (send(fd, message, sizeof(message), MSG_NOSIGNAL) != (ssize_t)sizeof(message))
            break;
    _exit(0);
}

static void time_round_trips(int fd, struct histogram *times)
{
    char message[MESSAGE_BYTES] = {0};
    uint64_t until_ns = clock_monotonic_ns() + MEASURE_NS;
    for (uint32_t i = 0; i < ROUND_TRIPS_MAX; i++) {
        uint64_t start_ns = clock_monotonic_ns();
        if (start_ns > until_ns || send(fd, message, sizeof(message), MSG_NOSIGNAL) != (ssize_t)sizeof(message) ||
            recv(fd, message, sizeof(message), MSG_WAITALL) != (ssize_t)sizeof(message))
            break;
        histogram_record(times, clock_monotonic_ns() - start_ns);
    }
}

static int measure_round_trip(struct histogram *times)
{
    int near = -1;
    int far = -1;
    if (loopback_pair(&near, &far) < 0)
        return -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(near);
        echo(far);
    }
    close(far);
    if (child > 0)
        time_round_trips(near, times);
    close(near);
    if (child > 0)
        waitpid(child, NULL, 0);
    return child > 0 && times->count > 0 ? 0 : -1;
}

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
    if (measure_round_trip(&yardstick->round_trip_ns) < 0) {
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
