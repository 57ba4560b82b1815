#include "space.h"

#include "base/require.h"
#include "base/units.h"
#include "env/disk.h"
#include "log/log.h"

#define LOOK_INTERVAL_NS (200 * (uint64_t)NS_PER_MS)

/* Low below the reserve, good again from so many percent of it on: so that it does not change with every segment. */
#define GOOD_AGAIN_PERCENT 125

void space_init(struct space *space, const struct config *config)
{
    *space = (struct space){.directories = {config->journal_directory, config->events_directory},
                            .reserve_bytes = config->journal_reserve_segments * config->journal_segment_bytes};
}

/* Of the disk that has least; what cannot be asked for has enough. */
static uint64_t least_free(const struct space *space, const char **ret_directory)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < ARRAY_COUNT(space->directories); i++) {
        uint64_t bytes;
        if (disk()->space(space->directories[i], &bytes, NULL) < 0 || bytes >= least)
            continue;
        least = bytes;
        *ret_directory = space->directories[i];
    }
    return least;
}

void space_tend(struct space *space, bool no_segment, uint64_t now_ns)
{
    if (space->reserve_bytes == 0 || now_ns < space->look_next_ns)
        return;
    space->look_next_ns = now_ns + LOOK_INTERVAL_NS;
    const char *directory = space->directories[0];
    uint64_t bytes = least_free(space, &directory);
    uint64_t wanted = space->low ? space->reserve_bytes * GOOD_AGAIN_PERCENT / 100 : space->reserve_bytes;
    bool low = no_segment || bytes < wanted;
    if (low == space->low)
        return;
    space->low = low;
    if (low)
        log_failure(
            "the disk of %s is filling up, %llu MiB are left of a reserve of %llu: new orders are refused until "
            "there is more; free some",
            directory, (unsigned long long)(bytes / MIB), (unsigned long long)(space->reserve_bytes / MIB));
    else
        log_info("there is enough space again: new orders are taken");
}
