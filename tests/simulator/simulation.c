/*
 * A seeded scheduler: each step lets one of them do one thing (a stage its poll, a client, the network), now and then
 * something goes wrong, and the witness looks. Then the faults end, everything must come to rest, and is compared.
 */
#include "simulation.h"

#include "base/units.h"
#include "client.h"
#include "configuration.h"
#include "disk_side.h"
#include "env/clock.h"
#include "exchange.h"
#include "network.h"
#include "operators.h"
#include "outside.h"
#include "plan.h"
#include "planted.h"
#include "random.h"
#include "spares.h"
#include "stores.h"
#include "witness.h"

#include <stdio.h>
#include <string.h>

#define START_NS        (1000 * (uint64_t)NS_PER_SECOND)
#define START_REALTIME  (INT64_C(1795428000) * (int64_t)NS_PER_SECOND) /* 2026-11-23 10:00 UTC */
#define PORT            9001
#define REST_ROUNDS_MAX 40000
#define IDLE_ROUNDS     20
#define IDLE_NS         (10 * (uint64_t)NS_PER_MS)
#define IDLE_STEPS      20
#define KILL_POINTS_MAX 400
#define FULL_NS         (200 * (uint64_t)NS_PER_MS)
#define AWAY_NS         (2 * (uint64_t)NS_PER_MS)

static struct exchange exchange;
static struct client clients[PLAN_CLIENTS_MAX];
static struct plan plan;
static bool is_night;     /* clients are away */
static bool stores_go_on; /* to fail, while the exchange comes to rest: they are behind when the next day begins */
static uint64_t disk_full_until_ns;
static uint64_t poll_count;

/* ---- what goes wrong ----------------------------------------------------------------------------------------------
 */

static struct member *any_alive(void)
{
    struct member *member = &exchange.members[random_below(exchange.count)];
    return member->alive ? member : NULL;
}

/* The one whose turn it is. */
static struct member *next_to_poll(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < exchange.count; i++)
        sum += plan.weights[i];
    uint64_t at = random_below(sum);
    uint32_t index = 0;
    while (at >= plan.weights[index])
        at -= plan.weights[index++];
    return exchange.members[index].alive ? &exchange.members[index] : NULL;
}

static void kill_some(void)
{
    for (uint64_t count = random_below(4) == 0 ? 2 : 1; count > 0; count--) {
        struct member *member = any_alive();
        if (member)
            exchange_kill(&exchange, member, random_skewed(AWAY_NS));
    }
}

static void kill_at_point(void)
{
    struct member *member = &exchange.members[random_below(exchange.count)];
    member->process.kill_countdown = random_between(1, random_below(2) ? 20 : KILL_POINTS_MAX);
}

/* While it starts, the others go on. */
static void interlude_at_start(void)
{
    struct member *member = &exchange.members[random_below(exchange.count)];
    if (!member->alive)
        member->process.interlude_countdown = random_between(1, KILL_POINTS_MAX);
}

static void stop_one(void)
{
    struct member *member = any_alive();
    if (member) {
        TRACE("%s %u is asked to end", member->definition->name, member->gateway);
        member->stopping = true;
    }
}

static void fill_disk(void)
{
    disk_capacity_set(disk_used_bytes() + random_below(2 * plan.segment_bytes));
    disk_full_until_ns = outside.now_ns + random_skewed(FULL_NS);
    exchange.faults_excuse = true;
    TRACE("the disk fills up");
}

/* Some polls of others, in the middle of one that is under way. */
static void interlude(void)
{
    for (uint64_t polls = random_between(1, 12); polls > 0; polls--) {
        struct member *member = next_to_poll();
        if (!member || member->process.running)
            continue;
        outside.now_ns += 1 + random_below(plan.step_ns);
        disk_side_advance();
        stores_move();
        (void)exchange_poll(&exchange, member);
        poll_count++;
        witness_look();
    }
}

static void go_wrong(void)
{
    if (random_chance(plan.kill))
        kill_some();
    if (random_chance(plan.kill_at))
        kill_at_point();
    if (random_chance(plan.interlude))
        interlude_at_start();
    if (random_chance(plan.stop))
        stop_one();
    if (random_chance(plan.kill_all))
        exchange_kill_all(&exchange, false);
    if (random_chance(plan.power_cut))
        exchange_kill_all(&exchange, true);
    if (random_chance(plan.disk_full))
        fill_disk();
    if (random_chance(plan.flip))
        disk_side_flip(random_below(3) == 0 ? "/events/" : "/journal/");
    if (random_chance(plan.trim))
        spares_offer(&exchange.config);
    operators_meddle(plan.meddle);
    if (random_chance(plan.time_set_back))
        outside.realtime_ns -= (int64_t)random_below(NS_PER_SECOND);
}

/* ---- steps --------------------------------------------------------------------------------------------------------
 */

static void pass_time(void)
{
    outside.now_ns += random_skewed(plan.step_ns);
    if (disk_full_until_ns != 0 && outside.now_ns > disk_full_until_ns)
        disk_capacity_set(UINT64_MAX);
    disk_side_advance();
    stores_move();
}

static void step(void)
{
    pass_time();
    go_wrong();
    (void)exchange_start_due(&exchange);
    uint64_t kind = random_below(10);
    if (kind < 7) {
        struct member *member = next_to_poll();
        if (member) {
            if (random_chance(plan.interlude))
                member->process.interlude_countdown = random_between(1, random_below(2) ? 20 : KILL_POINTS_MAX);
            (void)exchange_poll(&exchange, member);
            member->process.interlude_countdown = 0;
            poll_count++;
        }
    } else if (kind < 9) {
        client_step(&clients[random_below(plan.clients)], &plan.manners);
    } else {
        network_move(false);
    }
    witness_excuse(disk_fault_count > 0, disk_damage_count > 0);
    witness_look();
}

/* ---- rest ---------------------------------------------------------------------------------------------------------
 */

static bool all_settled(void)
{
    for (uint32_t i = 0; i < plan.clients && !is_night; i++)
        if (!client_settled(&clients[i]))
            return false;
    return exchange_all_ready(&exchange) && witness_drained() && operators_settled() &&
           (stores_go_on || stores_settled());
}

/* Everybody in turn, with nothing going wrong. Returns the work done. */
static int round_of_all(void)
{
    static const struct client_manners calm;
    int work = 0;
    pass_time();
    (void)exchange_start_due(&exchange);
    for (uint32_t i = 0; i < exchange.count; i++) {
        if (exchange.members[i].alive)
            work += exchange_poll(&exchange, &exchange.members[i]);
        poll_count++;
        witness_look();
    }
    for (uint32_t i = 0; i < plan.clients && !is_night; i++)
        client_step(&clients[i], &calm);
    network_move(true);
    if (!stores_go_on)
        stores_rest();
    return work;
}

static void say_what_is_missing(void)
{
    char missing[400] = "", stores_missing[200];
    size_t used = 0;
    stores_describe(stores_missing, sizeof(stores_missing));
    for (uint32_t i = 0; i < plan.clients; i++) {
        const struct client *client = &clients[i];
        if (!client_settled(client) && used < sizeof(missing))
            used += (size_t)snprintf(missing + used, sizeof(missing) - used, " user %.6s (state %d) knows %u of %u;",
                                     client->user, (int)client->state, client->told_count,
                                     witness_message_count(client->user));
    }
    for (uint32_t i = 0; i < exchange.count; i++) {
        const struct member *member = &exchange.members[i];
        if (member->alive && member->runner.ready)
            continue;
        /* It alone reads what lies behind it: what the disk has damaged there stops nobody else. */
        if (disk_damage_count > 0 && strcmp(member->definition->name, "snapshotter") == 0)
            noticed("%s", outside.last_error);
        violation("it does not come to rest: %s %u is %s (%s);%s", member->definition->name, member->gateway,
                  member->alive ? "not ready" : "not there", outside.last_error, missing);
    }
    if (disk_damage_count > 0 && witness_drained() && missing[0] == '\0')
        noticed("%s", stores_missing);
    violation("it does not come to rest: %s%s%s", stores_missing, witness_drained() ? "" : " the rings are not empty;",
              missing);
}

static void come_to_rest(void)
{
    disk_faults.fail = disk_faults.shorten = disk_faults.lose = disk_faults.misdirect = 0;
    disk_capacity_set(UINT64_MAX);
    for (uint32_t i = 0; i < exchange.count; i++)
        exchange.members[i].process.kill_countdown = 0;
    int idle = 0;
    for (uint32_t rounds = 0; !all_settled(); rounds++) {
        if (rounds == REST_ROUNDS_MAX)
            say_what_is_missing();
        idle = round_of_all() > 0 ? 0 : idle + 1;
        if (idle > IDLE_ROUNDS) /* the longer nothing happens, the longer is waited */
            outside.now_ns += IDLE_NS * (uint64_t)(idle - IDLE_ROUNDS < IDLE_STEPS ? idle - IDLE_ROUNDS : IDLE_STEPS);
    }
}

/* ---- a seed -------------------------------------------------------------------------------------------------------
 */

static void clients_come(void)
{
    for (uint32_t i = 0; i < plan.clients; i++)
        client_begin(&clients[i], i + 1, plan.gateways, PORT, plan.requests);
}

static void begin(const char *directory)
{
    outside.now_ns = START_NS;
    outside.realtime_ns = START_REALTIME - (int64_t)START_NS;
    outside.checkpoint_commands = plan.checkpoint_commands;
    outside.engine = NULL;
    disk_full_until_ns = 0;
    poll_count = 0;
    disk_side_begin();
    planted_begin();
    process_interlude = interlude;
    disk_faults = plan.disk;
    network_begin(plan.stream_room);
    exchange_begin(&exchange, &plan, directory);
    stores_begin(&plan.stores, &exchange.config);
    witness_begin(&exchange.config);
    operators_begin();
    is_night = stores_go_on = false;
    clients_come();
}

static void end(struct simulation_result *result)
{
    result->commands = witness_command_count();
    result->events = witness_event_count();
    for (uint32_t i = 0; i < plan.clients; i++)
        result->messages += clients[i].told_count;
    result->polls = poll_count;
    result->kills = exchange.kill_count;
    result->cold_starts = exchange.cold_start_count;
    result->faults = disk_fault_count;
    result->store_faults = store_fault_count;
    result->noticed = outside.noticed;
    result->digest = random_next() ^ outside.now_ns;
    witness_end();
    exchange_end(&exchange);
    stores_end();
}

static void day(bool is_last)
{
    disk_faults = plan.disk;
    stores_rage();
    stores_go_on = !is_last && random_below(4) != 0;
    for (uint32_t i = 0; i < plan.steps; i++)
        step();
    come_to_rest();
    for (uint32_t i = 0; i < plan.clients; i++)
        client_check(&clients[i]);
}

/* The day ends, and another one begins, which is to its users as if there had been none before. */
static void night(void)
{
    struct command command = {.kind = COMMAND_DAY_END};
    is_night = true;
    for (uint32_t i = 0; i < plan.clients; i++)
        client_leave(&clients[i]);
    operators_want(&command);
    come_to_rest();
    outside.realtime_ns += (int64_t)NS_PER_DAY;
    uint64_t now_ns = clock_realtime_ns();
    command = (struct command){.kind = COMMAND_DAY_START};
    command.day.date = configuration_date(now_ns);
    command.day.midnight_ns = now_ns - now_ns % NS_PER_DAY;
    operators_want(&command);
    come_to_rest();
    clients_come();
    is_night = false;
}

static void live(void)
{
    for (uint32_t i = 0; i < plan.days; i++) {
        if (i > 0)
            night();
        day(i + 1 == plan.days);
    }
    witness_read_journal(false);
    witness_check_events();
    stores_check();
    operators_check();
}

bool simulation_run(uint64_t seed, const char *directory, bool tracing, struct simulation_result *result)
{
    memset(result, 0, sizeof(*result));
    outside.tracing = tracing;
    outside.violation[0] = outside.last_error[0] = '\0';
    outside.noticed = false;
    plan_make(&plan, seed);
    plan_describe(&plan, result->plan, sizeof(result->plan));
    begin(directory);
    TRACE("seed %llu: %s", (unsigned long long)seed, result->plan);
    if (setjmp(outside.found) == 0)
        live();
    memcpy(result->violation, outside.violation, sizeof(result->violation));
    end(result);
    return result->violation[0] == '\0';
}
