#include "topology/topology.h"

#include "base/checksum.h"
#include "base/require.h"

#include <stddef.h>

/* Everything that two builds must agree on to share rings. */
static const struct {
    const char *ring;
    const char *producer;
    const char *gating; /* consumer lines in order */
} rings[] = {
    {"inbound", "gateway", LINE_SEQUENCER},
    {RING_NAME_ADMIN, "admin", LINE_SEQUENCER},
    {RING_NAME_COMMAND, "sequencer", LINE_JOURNALER "," LINE_MATCHER},
    {RING_NAME_EVENT, "matcher", LINE_EVENT_LOG},
};

static const char *const process_names[PROCESS_KIND_COUNT] = {
    [PROCESS_JOURNALER] = "journaler", [PROCESS_SEQUENCER] = "sequencer", [PROCESS_MATCHER] = "matcher",
    [PROCESS_PERSISTER] = "persister", [PROCESS_GATEWAY] = "gateway",     [PROCESS_ADMIN] = "admin",
};

const char *topology_process_name(enum process_kind kind)
{
    REQUIRE(kind < PROCESS_KIND_COUNT);
    return process_names[kind];
}

uint32_t topology_doorbell(enum process_kind kind, uint32_t gateway)
{
    if (kind == PROCESS_ADMIN)
        return TOPOLOGY_ADMIN;
    if (kind != PROCESS_GATEWAY)
        return kind;
    REQUIRE(gateway >= 1 && gateway <= TOPOLOGY_GATEWAYS_MAX);
    return TOPOLOGY_GATEWAY_FIRST + gateway - 1;
}

static uint32_t bell(enum process_kind kind)
{
    return 1u << kind;
}

static uint32_t gateway_bells(uint32_t gateway_count)
{
    return ((1u << gateway_count) - 1) << TOPOLOGY_GATEWAY_FIRST;
}

uint32_t topology_listeners(enum process_kind kind, uint32_t gateway_count)
{
    REQUIRE(gateway_count <= TOPOLOGY_GATEWAYS_MAX);
    switch (kind) {
    case PROCESS_GATEWAY:
    case PROCESS_ADMIN:
        return bell(PROCESS_SEQUENCER);
    case PROCESS_SEQUENCER:
        return bell(PROCESS_JOURNALER) | gateway_bells(gateway_count);
    case PROCESS_JOURNALER:
        return bell(PROCESS_MATCHER) | bell(PROCESS_SEQUENCER);
    case PROCESS_MATCHER:
        return bell(PROCESS_JOURNALER) | bell(PROCESS_SEQUENCER) | gateway_bells(gateway_count);
    case PROCESS_PERSISTER:
    case PROCESS_KIND_COUNT:
        break;
    }
    return 0;
}

uint64_t topology_hash(uint32_t gateway_count)
{
    uint64_t hash = 0;
    for (size_t ring = 0; ring < ARRAY_COUNT(rings); ring++) {
        hash = fnv1a64(hash, rings[ring].ring);
        hash = fnv1a64(hash, rings[ring].producer);
        hash = fnv1a64(hash, rings[ring].gating);
    }
    const char gateways[2] = {(char)('0' + gateway_count), '\0'};
    return fnv1a64(hash, gateways);
}
