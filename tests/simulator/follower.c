#include "follower.h"

#include "snapshotter.h"

#include <errno.h>
#include <stdlib.h>

struct follower {
    const struct config *config;
    struct snapshotter *snapshotter; /* NULL: there is no journal yet */
};

static int follower_open(void **ret_stage, const struct stage_context *context, struct error *error)
{
    struct follower *follower = calloc(1, sizeof(*follower));
    if (!follower)
        return error_system(error, ENOMEM, "snapshotter", "no memory");
    follower->config = context->config;
    *ret_stage = follower;
    return 0;
}

static int follower_poll(void *stage, uint64_t now_ns, struct error *error)
{
    struct follower *follower = stage;
    if (!follower->snapshotter) {
        int result = snapshotter_open(&follower->snapshotter, follower->config, true, error);
        return result == ERROR_NOT_YET ? 0 : result;
    }
    return snapshotter_poll(follower->snapshotter, now_ns, error);
}

static bool follower_ready(const void *stage)
{
    (void)stage;
    return true;
}

static void follower_close(void *stage)
{
    struct follower *follower = stage;
    if (follower)
        snapshotter_close(follower->snapshotter);
    free(follower);
}

/* It has no role in a run; here it takes that of a gateway that is none. */
const struct stage_definition follower_stage = {
    .name = "snapshotter",
    .kind = PROCESS_GATEWAY,
    .summary = "snapshots of the books",
    .open = follower_open,
    .poll = follower_poll,
    .ready = follower_ready,
    .close = follower_close,
};
