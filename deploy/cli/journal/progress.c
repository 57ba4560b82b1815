/* How far it is, on a terminal: one line, written over a few times a second and taken away at the end. */
#include "base/units.h"
#include "env/clock.h"
#include "journal_cli.h"

#include <unistd.h>

#define SHOW_INTERVAL_NS (200 * (uint64_t)NS_PER_MS)

void progress_begin(struct progress *progress, const char *doing, uint64_t bytes_total)
{
    *progress = (struct progress){.doing = doing,
                                  .bytes_total = bytes_total,
                                  .begun_ns = clock_monotonic_ns(),
                                  .terminal = isatty(STDERR_FILENO) == 1};
}

double progress_seconds(const struct progress *progress)
{
    return (double)(clock_monotonic_ns() - progress->begun_ns) / NS_PER_SECOND;
}

/* Begins the line again, if that is due. */
static bool show_bytes(struct progress *progress, uint64_t bytes)
{
    if (!progress->terminal)
        return false;
    uint64_t now_ns = clock_monotonic_ns();
    if (now_ns - (progress->shown_ns ? progress->shown_ns : progress->begun_ns) < SHOW_INTERVAL_NS)
        return false;
    progress->shown_ns = now_ns;
    double seconds = progress_seconds(progress);
    fprintf(stderr, "\r\033[K%s", progress->doing);
    if (progress->bytes_total > 0 && bytes <= progress->bytes_total)
        fprintf(stderr, " %3.0f %%", 100.0 * (double)bytes / (double)progress->bytes_total);
    fprintf(stderr, "  %.0f MiB  %.0f MiB/s", (double)bytes / MIB, (double)bytes / MIB / seconds);
    return true;
}

void progress_bytes(struct progress *progress, uint64_t bytes)
{
    if (show_bytes(progress, bytes))
        fflush(stderr);
}

void progress_show(struct progress *progress, uint64_t bytes, uint64_t commands)
{
    if (show_bytes(progress, bytes)) {
        fprintf(stderr, "  %llu commands", (ull)commands);
        fflush(stderr);
    }
}

void progress_end(struct progress *progress)
{
    if (progress->shown_ns != 0)
        fprintf(stderr, "\r\033[K");
    progress->shown_ns = 0;
}
