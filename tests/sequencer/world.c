#include "world.h"

#include "base/require.h"
#include "sequencer.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OR_DIE(call)                                                                                                   \
    do {                                                                                                               \
        if ((call) < 0) {                                                                                              \
            fprintf(stderr, "%s: %s: %s\n", #call, world->error.where, world->error.what);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

void world_init(struct world *world, uint32_t gateway_count)
{
    memset(world, 0, sizeof(*world));
    REQUIRE(gateway_count <= WORLD_GATEWAYS_MAX);
    snprintf(world->directory, sizeof(world->directory), "/dev/shm/ringside-test.XXXXXX");
    REQUIRE(mkdtemp(world->directory));
    config_init(&world->config);
    snprintf(world->config.exchange_rings_directory, sizeof(world->config.exchange_rings_directory), "%s",
             world->directory);
    world->config.exchange_gateways = gateway_count;
    world->config.rings_command_slots = 256;
    world->config.rings_inbound_slots = 256;
    world->base =
        (struct run_base){.command_seq_next = 1, .event_seq_next = 1, .epoch = 1, .gateway_count = gateway_count};
    world->seen = calloc(WORLD_SEEN_MAX, sizeof(*world->seen));
    REQUIRE(world->seen);
}

void world_make_run(struct world *world)
{
    OR_DIE(run_take_role(&world->journaler_run, world->directory, PROCESS_JOURNALER, 0, &world->error));
    OR_DIE(run_join_or_lock(&world->journaler_run, &world->error));
    OR_DIE(run_create(&world->journaler_run, &world->base, &world->error));
}

static bool is_operator(const struct world *world, uint32_t gateway)
{
    return gateway == WORLD_OPERATOR && world->config.exchange_gateways < WORLD_OPERATOR;
}

void world_make_inbound(struct world *world, uint32_t gateway)
{
    struct world_gateway *made = &world->gateways[gateway - 1];
    char name[32];
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters = {0};
    bool of_operators = is_operator(world, gateway);
    if (of_operators)
        snprintf(name, sizeof(name), RING_NAME_ADMIN);
    else
        snprintf(name, sizeof(name), "inbound-%u", gateway);
    run_ring_path(&world->journaler_run, name, path);
    run_ring_parameters(&world->journaler_run, name, &parameters);
    parameters.record_hash = command_layout_hash();
    parameters.capacity = (uint32_t)world->config.rings_inbound_slots;
    parameters.base_seq = 1;
    parameters.gating_count = 1;
    parameters.gating_names[0] = LINE_SEQUENCER;
    OR_DIE(ring_create(&made->ring, path, &parameters, &world->error));
    uint32_t doorbell = topology_doorbell(of_operators ? PROCESS_ADMIN : PROCESS_GATEWAY, gateway);
    OR_DIE(ring_producer_open(&made->producer, &made->ring, doorbell, &world->error));
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void world_finish(struct world *world)
{
    world_stop(world);
    for (uint32_t i = 0; i < WORLD_GATEWAYS_MAX; i++)
        ring_detach(&world->gateways[i].ring);
    ring_detach(&world->command_ring);
    run_leave(&world->journaler_run);
    nftw(world->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    config_finish(&world->config);
    free(world->seen);
}

bool world_put(struct world *world, uint32_t gateway)
{
    struct ring_producer *producer = &world->gateways[gateway - 1].producer;
    struct command *command = ring_claim(producer);
    if (!command)
        return false;
    memset((uint8_t *)command + 8, 0, sizeof(*command) - 8);
    command->head.received_ns_low = (uint32_t)producer->next * 3;
    command->inbound_seq = producer->next;
    command->gateway = is_operator(world, gateway) ? OPERATOR_GATEWAY : (uint8_t)gateway;
    command->tenure = 1;
    command->kind = COMMAND_ENTER;
    command->session = gateway;
    command->user_ref = (uint32_t)producer->next;
    command->order.self_match = 'O'; /* the last byte of the record */
    ring_publish(producer);
    ring_flush(producer);
    return true;
}

void world_put_many(struct world *world, uint32_t gateway, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        REQUIRE(world_put(world, gateway));
}

void world_start(struct world *world)
{
    memset(&world->sequencer_run, 0, sizeof(world->sequencer_run));
    OR_DIE(run_take_role(&world->sequencer_run, world->directory, PROCESS_SEQUENCER, 0, &world->error));
    world->context = (struct stage_context){.config = &world->config, .run = &world->sequencer_run};
    OR_DIE(sequencer_stage.open(&world->stage, &world->context, &world->error));
}

void world_stop(struct world *world)
{
    if (!world->stage)
        return;
    sequencer_stage.close(world->stage);
    run_leave(&world->sequencer_run);
    world->stage = NULL;
}

int world_poll(struct world *world)
{
    static uint64_t now_ns;
    now_ns += 20000000;
    return sequencer_stage.poll(world->stage, now_ns, &world->error);
}

static bool attach_consumers(struct world *world)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters any = {0};
    if (world->command_ring.file)
        return true;
    run_ring_path(&world->journaler_run, RING_NAME_COMMAND, path);
    int result = ring_attach(&world->command_ring, path, true, &any, &world->error);
    if (result == ERROR_NOT_YET)
        return false;
    OR_DIE(result);
    OR_DIE(ring_consumer_open(&world->journaler, &world->command_ring, LINE_JOURNALER, 0, &world->error));
    OR_DIE(ring_consumer_open(&world->matcher, &world->command_ring, LINE_MATCHER, 2, &world->error));
    return true;
}

void world_read(struct world *world)
{
    if (!attach_consumers(world))
        return;
    for (const struct command *command; (command = ring_next(&world->journaler)) != NULL;) {
        REQUIRE(world->seen_count < WORLD_SEEN_MAX);
        memcpy(&world->seen[world->seen_count++], command, sizeof(*command));
    }
    ring_release(&world->journaler, world->journaler.next);
    ring_release(&world->matcher, world->journaler.next);
}

void world_settle(struct world *world)
{
    for (int empty = 0; empty < 3;) {
        int count = world_poll(world);
        OR_DIE(count);
        empty = count == 0 ? empty + 1 : 0;
        world_read(world);
    }
}

uint64_t world_cursor(const struct world *world, uint32_t gateway)
{
    return atomic_load(&world->gateways[gateway - 1].ring.file->consumers[0].cursor);
}

void world_keep_cursors(struct world *world)
{
    for (uint32_t gateway = 1; gateway <= WORLD_GATEWAYS_MAX; gateway++)
        if (world->gateways[gateway - 1].ring.file)
            world->cursors[gateway - 1] = world_cursor(world, gateway);
}

void world_forget_releases(struct world *world)
{
    for (uint32_t gateway = 1; gateway <= WORLD_GATEWAYS_MAX; gateway++)
        if (world->gateways[gateway - 1].ring.file)
            atomic_store(&world->gateways[gateway - 1].ring.file->consumers[0].cursor, world->cursors[gateway - 1]);
}

const char *world_check(const struct world *world)
{
    uint64_t inbound_next[WORLD_GATEWAYS_MAX + 1] = {1, 1, 1, 1};
    uint64_t time_ns = 0;
    for (uint64_t i = 0; i < world->seen_count; i++) {
        const struct command *command = &world->seen[i];
        if (command->command_seq != world->base.command_seq_next + i)
            return "a command's number is not its place";
        if (command->time_ns < time_ns || command->time_ns < world->base.last_time_ns)
            return "time went back";
        time_ns = command->time_ns;
        uint32_t gateway = command->gateway == OPERATOR_GATEWAY ? WORLD_OPERATOR : command->gateway;
        if (gateway > world->config.exchange_gateways && !is_operator(world, gateway))
            return "a gateway that there is not";
        if (command->inbound_seq != inbound_next[gateway]++)
            return "a record is lost, doubled or out of order";
        if (command->gateway == 0)
            continue;
        if (command->user_ref != command->inbound_seq || command->session != gateway ||
            command->order.self_match != 'O' || command->head.received_ns_low != (uint32_t)command->inbound_seq * 3)
            return "a record is not what its gateway wrote";
    }
    return NULL;
}
