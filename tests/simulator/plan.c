#include "plan.h"

#include "base/units.h"
#include "random.h"

#include <stdio.h>

/* A fault kind is in one plan of `one_in`; its chance is then drawn, too. */
static uint32_t maybe(uint32_t one_in, uint32_t most)
{
    return random_below(one_in) == 0 ? (uint32_t)random_between(most / 20 + 1, most) : 0;
}

static uint32_t power_of_two(uint32_t low_bits, uint32_t high_bits)
{
    return 1u << random_between(low_bits, high_bits);
}

static void draw_sizes(struct plan *plan)
{
    plan->days = random_below(2) == 0 ? (uint32_t)random_between(2, 3) : 1;
    plan->steps = (uint32_t)random_between(500, 6000) / plan->days;
    plan->gateways = random_below(4) == 0 ? 2 : 1;
    plan->clients = (uint32_t)random_between(1, 5);
    plan->requests = (uint32_t)random_between(5, 120) / plan->days;
    plan->stream_room = power_of_two(9, 15);
    plan->step_ns = random_between(2, 200) * NS_PER_US;
    plan->inbound_slots = power_of_two(6, 9);
    plan->command_slots = power_of_two(6, 9);
    plan->event_slots = power_of_two(7, 10);
    plan->segment_bytes = random_between(16, 64) * 4096;
    plan->batch_bytes = random_between(2, 4) * 4096;
    plan->checkpoint_commands = (uint32_t)random_between(10, 200);
    for (uint32_t i = 0; i < PLAN_MEMBERS_MAX; i++) /* some are slow: rings fill up, followers are overrun */
        plan->weights[i] = random_below(6) == 0 ? 1 : 20;
}

static void draw_faults(struct plan *plan)
{
    uint32_t frenzy = random_below(8) == 0 ? 8 : 1; /* hardly anybody lives to see his recovery end */
    plan->kill = maybe(2, 5000 * frenzy);
    plan->kill_at = maybe(2, 5000 * frenzy);
    plan->interlude = maybe(2, 300000);
    plan->stop = maybe(4, 2000 * frenzy);
    plan->kill_all = maybe(4, 1000 * frenzy);
    plan->power_cut = plan->durability == DURABILITY_SYNC ? maybe(2, 2000 * frenzy) : 0;
    plan->disk_full = maybe(8, 2000);
    plan->time_set_back = maybe(4, 2000);
    plan->manners.vanish = maybe(2, 20000);
    plan->manners.logout = maybe(4, 10000);
    plan->manners.garbage = maybe(4, 10000);
    plan->manners.from_the_start = maybe(2, 500000);
    plan->manners.request = (uint32_t)random_between(20000, 500000);
    plan->disk.latency_ns = random_between(1, 400) * NS_PER_US;
    if (random_below(4) == 0) {
        plan->disk.fail = maybe(2, 5000);
        plan->disk.shorten = maybe(2, 20000);
    }
}

static void draw_stores(struct plan *plan)
{
    plan->postgres_events = random_below(3) == 0 ? 1 + random_below(8) : 8 + random_below(120);
    plan->postgres_ms = random_below(2) ? 0 : random_below(8);
    plan->stores.room = power_of_two(8, 16);
    plan->stores.move =
        (uint32_t)(random_below(4) == 0 ? random_between(10000, 100000) : random_between(100000, 800000));
    plan->stores.refuse = maybe(4, 20000);
    plan->stores.drop = maybe(2, 10000);
    plan->stores.stop = maybe(3, 2000);
    plan->stores.crash = maybe(2, 3000);
    plan->stores.hang = maybe(4, 2000);
    plan->stores.steal = maybe(4, 3000);
    plan->stores.lose = maybe(3, 5000);
    plan->redis_events = random_below(3) == 0 ? 1 + random_below(8) : 8 + random_below(120);
    plan->redis_ms = random_below(2) ? 0 : random_below(4);
    plan->stream_entries = random_below(3) == 0 ? 1 + random_below(20) : 100000;
    plan->stream_age_s = random_below(4) == 0;
}

/* A disk that lies, in few plans: what it leads to ends most of them early. */
static void draw_damage(struct plan *plan)
{
    plan->damages = random_below(10) == 0;
    if (!plan->damages)
        return;
    plan->flip = maybe(2, 1000);
    plan->disk.lose = maybe(3, 5000);
    plan->disk.misdirect = maybe(3, 5000);
}

void plan_make(struct plan *plan, uint64_t seed)
{
    random_seed(seed);
    *plan = (struct plan){.seed = seed};
    draw_sizes(plan);
    plan->durability = random_below(5) == 0 ? DURABILITY_WRITE : DURABILITY_SYNC;
    draw_faults(plan);
    draw_damage(plan);
    plan->snapshot_commands = random_below(3) == 0 ? 0 : (uint32_t)random_between(5, 200);
    plan->trim = maybe(2, 20000);
    plan->trims = random_below(3) != 0;
    plan->archives = random_below(3) == 0;
    plan->meddle = maybe(2, 5000);
    draw_stores(plan);
}

void plan_describe(const struct plan *plan, char *text, size_t text_bytes)
{
    snprintf(
        text, text_bytes,
        "%s, %u days of %u steps of %llu us, %u gateways, %u clients of %u requests, slots %u/%u/%u, segments of %llu, "
        "snapshots every %u, trims %d, archives %d; in a "
        "million: kill %u, inside %u, all %u, stop %u, power %u, full %u, time %u, trim %u, disk fails %u, short "
        "%u, flip "
        "%u, lost %u, astray %u, vanish %u, stores move %u, refuse %u, drop %u, stop %u, crash %u, hang %u, steal "
        "%u, lose %u",
        config_durability_name(plan->durability), plan->days, plan->steps,
        (unsigned long long)(plan->step_ns / NS_PER_US), plan->gateways, plan->clients, plan->requests,
        plan->inbound_slots, plan->command_slots, plan->event_slots, (unsigned long long)plan->segment_bytes,
        plan->snapshot_commands, plan->trims, plan->archives, plan->kill, plan->kill_at, plan->kill_all, plan->stop,
        plan->power_cut, plan->disk_full, plan->time_set_back, plan->trim, plan->disk.fail, plan->disk.shorten,
        plan->flip, plan->disk.lose, plan->disk.misdirect, plan->manners.vanish, plan->stores.move, plan->stores.refuse,
        plan->stores.drop, plan->stores.stop, plan->stores.crash, plan->stores.hang, plan->stores.steal,
        plan->stores.lose);
}
