#include "exchange.h"

#include "admin.h"
#include "base/require.h"
#include "base/units.h"
#include "disk_side.h"
#include "follower.h"
#include "gateway.h"
#include "journaler.h"
#include "matcher.h"
#include "network.h"
#include "operators.h"
#include "outside.h"
#include "persister.h"
#include "random.h"
#include "sequencer.h"
#include "stores.h"
#include "trimmer.h"
#include "witness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REFUSALS_MAX 3 /* then an operator ends all stages and starts them again */
#define AWAY_NS      ((uint64_t)NS_PER_MS)

#define OPERATOR_RESTARTS_MAX 5

/* Of those that have no role in a run: gateways that are none. */
#define ROLE_FOLLOWER 7
#define ROLE_TRIMMER  8

/* ---- beginning and end --------------------------------------------------------------------------------------------
 */

static void member_add(struct exchange *exchange, const struct stage_definition *definition, uint32_t gateway)
{
    struct member *member = &exchange->members[exchange->count++];
    struct process kept = member->process; /* its arena stays from one simulation to the next */
    *member = (struct member){.definition = definition, .gateway = gateway};
    member->process.arena = kept.arena;
    member->process.name = definition->name;
    member->start_ns = outside.now_ns + random_below(4 * (uint64_t)NS_PER_MS);
}

static void set(struct config *config, const char *setting)
{
    struct error error;
    if (config_set(config, setting, &error) < 0)
        violation("simulator: %s: %s", setting, error.what);
}

static void configure(struct config *config, const struct plan *plan, const char *directory)
{
    config_init(config);
    snprintf(config->exchange_rings_directory, CONFIG_TEXT_BYTES, "%.200s/rings", directory);
    snprintf(config->gateway_accounts, CONFIG_TEXT_BYTES, "%.200s/accounts", directory);
    snprintf(config->journal_directory, CONFIG_TEXT_BYTES, "/journal");
    snprintf(config->events_directory, CONFIG_TEXT_BYTES, "/events");
    snprintf(config->snapshots_directory, CONFIG_TEXT_BYTES, "/snapshots");
    config->snapshots_every_commands = plan->snapshot_commands;
    config->exchange_gateways = plan->gateways;
    config->journal_durability = plan->durability;
    config->journal_segment_bytes = plan->segment_bytes;
    config->journal_batch_bytes = plan->batch_bytes;
    config->rings_inbound_slots = plan->inbound_slots;
    config->rings_command_slots = plan->command_slots;
    config->rings_event_slots = plan->event_slots;
    config->engine_orders_max = 1024;
    config->engine_instruments_max = 4;
    config->engine_sessions_max = WITNESS_USERS_MAX;
    config->engine_levels_max = 64;
    config->gateway_connections_max = 32;
    config->gateway_output_bytes = 8192;
    config->gateway_index_bytes = 65536;
    config->gateway_note_events = 32;
    if (plan->archives)
        snprintf(config->retention_archive_path, CONFIG_TEXT_BYTES, "/archive");
    snprintf(config->postgres_connection, CONFIG_TEXT_BYTES, "host=/simulated");
    config->postgres_batch_events = plan->postgres_events;
    config->postgres_batch_ms = plan->postgres_ms;
    snprintf(config->redis_address, CONFIG_TEXT_BYTES, "/simulated");
    config->redis_batch_events = plan->redis_events;
    config->redis_batch_ms = plan->redis_ms;
    config->redis_stream_entries_max = plan->stream_entries;
    config->redis_stream_age_s = plan->stream_age_s;
    config->metrics_enabled = SWITCH_NO; /* what a file of each life would cost is most of what a life costs */
    set(config, "instruments.AAPL=tick 0.01 lot 1 reference 100");
    set(config, "instruments.MSFT=tick 0.01 lot 1 reference 100");
}

static void write_accounts(const struct exchange *exchange, uint32_t clients)
{
    FILE *file = fopen(exchange->config.gateway_accounts, "we");
    if (!file)
        violation("simulator: cannot write %s", exchange->config.gateway_accounts);
    for (uint32_t i = 1; i <= clients; i++)
        fprintf(file, "u%02u FRM%c %s\n", i % 100, 'A' + (int)(i % 2), OUTSIDE_PASSWORD_HASH);
    fclose(file);
}

void exchange_begin(struct exchange *exchange, const struct plan *plan, const char *directory)
{
    exchange->count = 0;
    exchange->faults_excuse = false;
    exchange->cold_start_count = exchange->kill_count = exchange->operator_restarts = 0;
    configure(&exchange->config, plan, directory);
    write_accounts(exchange, plan->clients);
    member_add(exchange, &journaler_stage, 0);
    member_add(exchange, &sequencer_stage, 0);
    member_add(exchange, &matcher_stage, 0);
    for (uint32_t gateway = 1; gateway <= plan->gateways; gateway++)
        member_add(exchange, &gateway_stage, gateway);
    member_add(exchange, &persister_stage, 0);
    member_add(exchange, &admin_stage, 0);
    if (plan->snapshot_commands > 0)
        member_add(exchange, &follower_stage, ROLE_FOLLOWER);
    if (plan->trims)
        member_add(exchange, &trimmer_stage, ROLE_TRIMMER);
}

static void remove_rings(const char *directory)
{
    DIR *stream = opendir(directory);
    if (!stream)
        return;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(stream), entry->d_name, 0);
    closedir(stream);
}

void exchange_end(struct exchange *exchange)
{
    for (uint32_t i = 0; i < exchange->count; i++)
        process_drop(&exchange->members[i].process);
    remove_rings(exchange->config.exchange_rings_directory);
    config_finish(&exchange->config);
}

/* ---- dying --------------------------------------------------------------------------------------------------------
 */

static void away(struct member *member, uint64_t away_ns)
{
    process_drop(&member->process);
    disk_side_forget(&member->process);
    network_forget(&member->process);
    stores_forget(&member->process);
    operators_forget(&member->process);
    if (member->definition == &matcher_stage)
        outside.engine = NULL;
    memset(&member->runner, 0, sizeof(member->runner));
    member->alive = member->stopping = false;
    member->start_ns = outside.now_ns + away_ns;
}

void exchange_kill(struct exchange *exchange, struct member *member, uint64_t away_ns)
{
    TRACE("%s %u is killed", member->definition->name, member->gateway);
    exchange->kill_count++;
    away(member, away_ns);
}

void exchange_kill_all(struct exchange *exchange, bool power)
{
    TRACE("%s", power ? "the power goes" : "everybody is killed");
    for (uint32_t i = 0; i < exchange->count; i++)
        away(&exchange->members[i], random_skewed(AWAY_NS));
    witness_forget_rings();
    exchange->cold_start_count++;
    if (!power)
        return;
    disk_side_power_cut();
    remove_rings(exchange->config.exchange_rings_directory);
    outside.now_ns += random_skewed(NS_PER_SECOND);
}

/* ---- living -------------------------------------------------------------------------------------------------------
 */

static void close_work(void *argument)
{
    struct member *member = argument;
    runner_close(&member->runner);
}

/*
 * Restarting one stage does not help: an operator ends them all, and starts them again. That cannot mend everything,
 * and what a lying disk has lost would be given up by it, knowingly: there the story ends.
 */
static void operator_restarts(struct exchange *exchange)
{
    for (uint32_t i = 0; i < exchange->count; i++)
        exchange->members[i].refusals = 0;
    if (++exchange->operator_restarts > OPERATOR_RESTARTS_MAX || disk_damage_count > 0)
        noticed("%s", outside.last_error);
    exchange_kill_all(exchange, false);
}

/* Somebody is in the middle of a poll. */
static bool anybody_runs(const struct exchange *exchange)
{
    for (uint32_t i = 0; i < exchange->count; i++)
        if (exchange->members[i].process.running)
            return true;
    return false;
}

/* It has ended by itself: what its main does then, and a restart. */
static void ended(struct exchange *exchange, struct member *member)
{
    int exit_code = member->runner.exit_code;
    bool excused = exit_code == EXIT_STAGE_OK || exit_code == EXIT_STAGE_RUN || exit_code == EXIT_STAGE_HELD;
    TRACE("%s %u ends with %d", member->definition->name, member->gateway, exit_code);
    if (!excused && !exchange->faults_excuse && disk_fault_count == 0)
        violation("%s ends though nothing is wrong: %s", member->definition->name, outside.last_error);
    (void)process_run(&member->process, close_work, member);
    away(member, random_skewed(AWAY_NS));
    bool may_help = exit_code == EXIT_STAGE_FAILED; /* a full disk: there may be space by and by */
    if (!excused && !may_help && ++member->refusals > REFUSALS_MAX && !anybody_runs(exchange))
        operator_restarts(exchange);
}

struct start {
    struct exchange *exchange;
    struct member *member;
    bool opened;
    int work;
};

static void start_work(void *argument)
{
    struct start *start = argument;
    start->opened = runner_open(&start->member->runner, start->member->definition, &start->exchange->config,
                                start->member->gateway);
}

static void start_member(struct exchange *exchange, struct member *member)
{
    struct start start = {.exchange = exchange, .member = member};
    TRACE("%s %u starts", member->definition->name, member->gateway);
    if (member->definition == &journaler_stage)
        witness_look_at_log();
    if (!process_run(&member->process, start_work, &start)) {
        TRACE("killed at %s", member->process.killed_at);
        exchange_kill(exchange, member, random_skewed(AWAY_NS));
        return;
    }
    if (!start.opened) {
        ended(exchange, member);
        return;
    }
    member->alive = true;
    if (member->definition == &journaler_stage) {
        witness_excuse(disk_fault_count > 0, disk_damage_count > 0);
        witness_forget_rings();
        witness_read_journal(true);
    }
}

bool exchange_start_due(struct exchange *exchange)
{
    bool any = false;
    for (uint32_t i = 0; i < exchange->count; i++) {
        struct member *member = &exchange->members[i];
        if (member->alive || outside.now_ns < member->start_ns)
            continue;
        start_member(exchange, member);
        any = true;
    }
    return any;
}

static void poll_work(void *argument)
{
    struct start *start = argument;
    start->work = runner_poll(&start->member->runner, outside.now_ns);
    if (start->work >= 0 && start->member->stopping)
        start->opened = !runner_stopped(&start->member->runner, outside.now_ns);
}

int exchange_poll(struct exchange *exchange, struct member *member)
{
    struct start start = {.exchange = exchange, .member = member, .opened = true};
    if (!process_run(&member->process, poll_work, &start)) {
        TRACE("%s: killed at %s", member->definition->name, member->process.killed_at);
        exchange_kill(exchange, member, random_skewed(AWAY_NS));
        return 1;
    }
    if (start.work < 0 || !start.opened)
        ended(exchange, member);
    else if (member->runner.ready)
        member->refusals = 0;
    if (exchange->operator_restarts > 0 && exchange_all_ready(exchange))
        exchange->operator_restarts = 0;
    return start.work < 0 ? 1 : start.work;
}

bool exchange_all_ready(const struct exchange *exchange)
{
    for (uint32_t i = 0; i < exchange->count; i++)
        if (!exchange->members[i].alive || !exchange->members[i].runner.ready)
            return false;
    return true;
}
