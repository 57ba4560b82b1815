#include "disk_yard.h"

#include "base/units.h"
#include "env/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRIVAL_NS 10000u
#define ZERO_BYTES ((size_t)1 << 20)

static int prepare(int file, size_t file_bytes, const char *path, struct error *error)
{
    void *zeros = aligned_alloc(4096, ZERO_BYTES);
    if (!zeros)
        return error_system(error, ENOMEM, path, "no memory");
    memset(zeros, 0, ZERO_BYTES);
    int result = 0;
    for (size_t at = 0; at < file_bytes && result == 0; at += ZERO_BYTES)
        if (pwrite(file, zeros, ZERO_BYTES, (off_t)at) != (ssize_t)ZERO_BYTES)
            result = error_system(error, errno, path, "cannot write zeros");
    free(zeros);
    return result == 0 && fsync(file) != 0 ? error_system(error, errno, path, "cannot sync") : result;
}

static int write_on(struct disk_yard *yard, int file, size_t bytes, size_t file_bytes, double seconds, const char *path,
                    struct error *error)
{
    uint8_t *block = aligned_alloc(4096, bytes);
    if (!block)
        return error_system(error, ENOMEM, path, "no memory");
    memset(block, 0x5a, bytes);
    uint64_t start_ns = clock_monotonic_ns();
    uint64_t end_ns = start_ns + (uint64_t)(seconds * NS_PER_SECOND);
    uint64_t now_ns = start_ns;
    int result = 0;
    uint64_t before_ns = start_ns;
    histogram_clear(&yard->took_ns);
    histogram_clear(&yard->arrived_ns);
    for (size_t at = 0; now_ns<end_ns; at = at + 2 * bytes> file_bytes ? 0 : at + bytes) {
        memcpy(block, &now_ns, sizeof(now_ns));
        if (pwrite(file, block, bytes, (off_t)at) != (ssize_t)bytes) {
            result = error_system(error, errno, path, "cannot write");
            break;
        }
        uint64_t done_ns = clock_monotonic_ns();
        histogram_record(&yard->took_ns, done_ns - now_ns);
        for (; before_ns < now_ns; before_ns += ARRIVAL_NS) /* they came while the write before this one was going on */
            histogram_record(&yard->arrived_ns, done_ns - before_ns);
        now_ns = done_ns;
    }
    double took_s = (double)(now_ns - start_ns) / NS_PER_SECOND;
    yard->writes_per_s = took_s > 0 ? (double)yard->took_ns.count / took_s : 0;
    yard->bytes_per_s = yard->writes_per_s * (double)bytes;
    free(block);
    return result;
}

int disk_yard_measure(struct disk_yard *ret, const char *directory, size_t bytes, size_t file_bytes, double seconds,
                      struct error *error)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/yardstick-XXXXXX", directory);
    int name = mkostemp(path, O_CLOEXEC);
    if (name < 0)
        return error_system(error, errno, path, "cannot make the yardstick's file");
    close(name);
    int file = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
    int durable = open(path, O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC);
    int result = file < 0 || durable < 0 ? error_system(error, errno, path, "cannot open past the page cache") : 0;
    if (result == 0)
        result = prepare(file, file_bytes, path, error);
    if (result == 0)
        result = write_on(ret, durable, bytes, file_bytes, seconds, path, error);
    if (file >= 0)
        close(file);
    if (durable >= 0)
        close(durable);
    unlink(path);
    return result;
}
