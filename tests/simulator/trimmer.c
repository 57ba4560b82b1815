#include "trimmer.h"

#include "base/units.h"
#include "deploy/cli/journal/events_limit.h"
#include "deploy/cli/journal/trim_limit.h"
#include "eventlog/trim.h"
#include "journal/trim.h"
#include "outside.h"
#include "random.h"

#include <errno.h>
#include <stdlib.h>

#define PAUSE_NS (100 * (uint64_t)NS_PER_MS)

struct trimmer {
    const struct config *config;
    uint64_t next_ns;
};

static int trimmer_open(void **ret_stage, const struct stage_context *context, struct error *error)
{
    struct trimmer *trimmer = calloc(1, sizeof(*trimmer));
    if (!trimmer)
        return error_system(error, ENOMEM, "trimmer", "no memory");
    trimmer->config = context->config;
    *ret_stage = trimmer;
    return 0;
}

static const char *archive_of(const struct config *config)
{
    return *config->retention_archive_path ? config->retention_archive_path : NULL;
}

static int trim_journal(const struct config *config, struct error *error)
{
    struct journal_trim_limit limit;
    int result = journal_trim_limit_find(&limit, config, error);
    if (result < 0 || limit.needed_seq <= 1)
        return result;
    struct journal_trim trim = {.directory = config->journal_directory,
                                .archive = archive_of(config),
                                .recycled_bytes = config->journal_segment_bytes,
                                .needed_seq = limit.needed_seq};
    result = journal_trim(&trim, error);
    TRACE("trimmed %u segments, needed from command %llu on", trim.count, (unsigned long long)limit.needed_seq);
    return result;
}

static int trim_events(const struct config *config, struct error *error)
{
    struct events_limit limit;
    int result = events_limit_find(&limit, config, error);
    if (result < 0)
        return result;
    struct eventlog_trim trim = {
        .directory = config->events_directory, .archive = archive_of(config), .needed_seq = limit.needed_seq};
    result = eventlog_trim(&trim, error);
    TRACE("trimmed %u files of events, needed from event %llu on by %s", trim.count,
          (unsigned long long)limit.needed_seq, limit.keeper);
    return result;
}

static int trimmer_poll(void *stage, uint64_t now_ns, struct error *error)
{
    struct trimmer *trimmer = stage;
    if (now_ns < trimmer->next_ns)
        return 0;
    trimmer->next_ns = now_ns + random_skewed(PAUSE_NS);
    int result = trim_journal(trimmer->config, error);
    if (result >= 0)
        result = trim_events(trimmer->config, error);
    return result == ERROR_NOT_YET ? 0 : result;
}

static bool trimmer_ready(const void *stage)
{
    (void)stage;
    return true;
}

static void trimmer_close(void *stage)
{
    free(stage);
}

/* It has no role in a run; here it takes that of a gateway that is none. */
const struct stage_definition trimmer_stage = {
    .name = "trimmer",
    .kind = PROCESS_GATEWAY,
    .summary = "takes away what nothing needs any more",
    .open = trimmer_open,
    .poll = trimmer_poll,
    .ready = trimmer_ready,
    .close = trimmer_close,
};
