#include "perf/machine/round_trip.h"

#include "env/clock.h"
#include "perf/machine/cores.h"
#include "perf/machine/echo.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn static void time_round_trips(int fd, uint64_t for_ns, struct histogram *times)
{
    core_pin(0);
    char message[ECHO_BYTES] = {0};
    uint64_t until_ns = clock_monotonic_ns() + for_ns;
    for (;;) {
        uint64_t start_ns = clock_monotonic_ns();
        if (start_ns > until_ns || send(fd, message, sizeof(message), MSG_NOSIGNAL) != (ssize_t)sizeof(message) ||
            recv(fd, message, sizeof(message), MSG_WAITALL) != (ssize_t)sizeof(message))
            break;
        histogram_record(times, clock_monotonic_ns() - start_ns);
    }
    _exit(0);
}

static int run_both(uint64_t for_ns, struct histogram *shared)
{
    struct echo echo;
    if (echo_open(&echo, 1) < 0)
        return -1;
    pid_t timing = fork();
    if (timing == 0)
        time_round_trips(echo.fd, for_ns, shared);
    int failed = timing > 0 ? EPIPE : errno;
    if (timing > 0)
        waitpid(timing, NULL, 0);
    echo_close(&echo);
    errno = failed;
    return shared->count > 0 ? 0 : -1;
}

int round_trip_measure(uint64_t for_ns, struct histogram *times)
{
    struct histogram *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return -1;
    histogram_clear(shared);
    int result = run_both(for_ns, shared);
    histogram_merge(times, shared);
    int failed = errno;
    munmap(shared, sizeof(*shared));
    errno = failed;
    return result;
}
