/*
 * Watches the room that is left for journal and event log. When less is left than the reserve, the sequencer is told,
 * which then refuses new orders with a reason; cancels, logins and the operator's commands go on within the reserve. So
 * a disk that fills up is heard of by clients and operator while everything can still be written.
 */
#ifndef RINGSIDE_JOURNALER_SPACE_H
#define RINGSIDE_JOURNALER_SPACE_H

#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

struct space {
    const char *directories[2];
    uint64_t reserve_bytes; /* 0: nothing is watched */
    uint64_t look_next_ns;
    bool low;
};

void space_init(struct space *space, const struct config *config);

/* Looks now and then. `no_segment`: the journal found no room for one. Logs what changes. */
void space_tend(struct space *space, bool no_segment, uint64_t now_ns);

#endif
