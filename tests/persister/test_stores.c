/*
 * The persister against the real PostgreSQL and Redis.
 *
 * Goal: whatever is killed, stopped, emptied or refused, and whenever, each store ends with every event once, and the
 * pipeline never waits. Method: a market makes events and, beside them, what the tables must say; the persister runs in
 * this process as the real stage; servers are killed by deploy/stores; at the end each row and each byte of the stream
 * is compared. Cases are seeded: `test_stores CASE SEED` repeats one.
 */
#include "exchange.h"
#include "market.h"
#include "stores.h"

#include "base/require.h"
#include "base/units.h"
#include "env/clock.h"
#include "eventlog/store_marks.h"
#include "eventlog/trim.h"
#include "log/log.h"
#include "persister.h"
#include "postgres_sink.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define POLL_NS_MAX     (50ull * NS_PER_MS) /* far above any poll, far below any wait */
#define SETTLE_NS       (30ull * NS_PER_SECOND)
#define EVENTS_MAX      400000
#define LOW_RATE_EVENTS 25
#define LATENCY_NS_MAX  (20ull * NS_PER_MS)

struct world {
    struct exchange exchange;
    struct market market;
    struct stores stores;
    uint32_t published;
};

static uint64_t seed = 1;

static void world_open(struct world *world, const char *name, uint32_t event_slots)
{
    exchange_init(&world->exchange, event_slots);
    stores_open(&world->stores, name, &world->exchange.config);
    market_init(&world->market, seed, EVENTS_MAX);
    world->exchange.config.postgres_batch_events = 2048;
    world->exchange.config.redis_batch_events = 256;
    world->published = 0;
}

static void world_close(struct world *world)
{
    exchange_finish(&world->exchange);
    market_finish(&world->market);
}

/* Makes events and publishes them, polling the while. */
static void trade(struct world *world, uint32_t events, uint32_t at_once)
{
    market_run(&world->market, events);
    while (world->published < world->market.event_count) {
        uint32_t count = world->market.event_count - world->published;
        if (count > at_once)
            count = at_once;
        exchange_publish(&world->exchange, world->market.events + world->published, count);
        world->published += count;
        if (world->exchange.stage)
            exchange_poll(&world->exchange);
    }
}

static uint64_t mark_in(const char *text, const char *store)
{
    const char *at = strstr(text, store);
    at = at ? strstr(at, "event ") : NULL;
    return at ? strtoull(at + strlen("event "), NULL, 10) : UINT64_MAX;
}

/* Takes " is away at event 17" and so on: what stands before the number, and the number. false: something else. */
static bool take_number(const char **at, const char *before, double *ret)
{
    size_t bytes = strlen(before);
    char *end = NULL;
    if (strncmp(*at, before, bytes) != 0)
        return false;
    *ret = strtod(*at + bytes, &end);
    bool is_number = end != *at + bytes;
    *at = end;
    return is_number;
}

/* Of a store that is away: what was on its way when it went is behind too, and what it shows is so old at least. */
static bool tells_what_it_lacks(struct world *world, const char *store, double age_s_min)
{
    const char *text = exchange_describe(&world->exchange);
    const char *at = strstr(text, store);
    double mark_seq = 0;
    double behind = 0;
    double age_s = 0;
    at = at ? at + strlen(store) : "";
    bool is_away = take_number(&at, " is away at event ", &mark_seq) && take_number(&at, ", ", &behind) &&
                   take_number(&at, " behind, ", &age_s);
    if (is_away && (uint64_t)(mark_seq + behind) == world->published && age_s >= age_s_min)
        return true;
    printf("# %s is away, of %u events: %s\n", store, world->published, text);
    return false;
}

static bool both_level(struct world *world)
{
    const char *text = exchange_describe(&world->exchange);
    return mark_in(text, "PostgreSQL ") == world->market.event_count &&
           mark_in(text, "PostgreSQL (orders)") == world->market.event_count &&
           mark_in(text, "Redis") == world->market.event_count;
}

/* Polls until `is_done` or the time is over. */
static bool poll_until(struct world *world, bool (*is_done)(struct world *world), uint64_t within_ns)
{
    uint64_t until_ns = clock_monotonic_ns() + within_ns;
    while (!is_done(world)) {
        if (clock_monotonic_ns() > until_ns) {
            printf("# not in time: %s, of %u\n", exchange_describe(&world->exchange), world->market.event_count);
            return false;
        }
        exchange_poll(&world->exchange);
    }
    return true;
}

static void poll_for(struct world *world, uint64_t ns)
{
    uint64_t until_ns = clock_monotonic_ns() + ns;
    while (clock_monotonic_ns() < until_ns)
        exchange_poll(&world->exchange);
}

/* Everything there, once, in both. */
static bool agrees(struct world *world)
{
    if (!poll_until(world, both_level, SETTLE_NS))
        return false;
    uint32_t differences =
        stores_check_postgres(&world->stores, &world->market) + stores_check_redis(&world->stores, &world->market);
    if (world->exchange.poll_ns_max > POLL_NS_MAX)
        printf("# a poll took %" PRIu64 " us\n", world->exchange.poll_ns_max / NS_PER_US);
    return differences == 0 && world->exchange.poll_ns_max <= POLL_NS_MAX;
}

/* ---- cases ---- */

static bool case_all_is_there_once(struct world *world)
{
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 20000, 100);
    bool good = agrees(world);
    trade(world, 3, 1); /* and a little more, at once */
    return good && agrees(world);
}

static bool case_dropped_at_any_moment(struct world *world)
{
    exchange_begin(&world->exchange);
    for (int life = 0; life < 25; life++) {
        exchange_start(&world->exchange);
        trade(world, market_random(&world->market, 900), 1 + market_random(&world->market, 200));
        for (uint32_t polls = market_random(&world->market, 60); polls > 0; polls--)
            exchange_poll(&world->exchange);
        exchange_drop(&world->exchange);
        trade(world, market_random(&world->market, 300), 50);
    }
    exchange_start(&world->exchange);
    return agrees(world);
}

static bool case_stores_away_at_start(struct world *world)
{
    stores_do(&world->stores, "stop", "postgres");
    stores_do(&world->stores, "stop", "redis");
    exchange_start(&world->exchange);
    poll_for(world, 100ull * NS_PER_MS); /* no ring either */
    exchange_begin(&world->exchange);
    trade(world, 5000, 50);
    poll_for(world, 300ull * NS_PER_MS);
    bool is_ready = persister_stage.ready(world->exchange.stage);
    bool is_told = tells_what_it_lacks(world, "PostgreSQL", 0.3) &&
                   tells_what_it_lacks(world, "PostgreSQL (orders)", 0.3) && tells_what_it_lacks(world, "Redis", 0.3);
    stores_do(&world->stores, "start", "redis");
    poll_for(world, 300ull * NS_PER_MS);
    stores_do(&world->stores, "start", "postgres");
    return agrees(world) && is_ready && is_told;
}

static bool redis_level(struct world *world)
{
    return mark_in(exchange_describe(&world->exchange), "Redis") == world->market.event_count;
}

static bool case_killed_mid_batch(struct world *world)
{
    bool good = true;
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    for (int round = 0; round < 2 && good; round++) {
        poll_for(world, round == 1 ? 600ull * NS_PER_MS : 0); /* so that what was written is on the disk, or is not */
        trade(world, 3000 + market_random(&world->market, 3000), 200);
        stores_do(&world->stores, "kill", "postgres");
        trade(world, 2000, 100);
        good = poll_until(world, redis_level, SETTLE_NS); /* which goes on meanwhile */
        good =
            good && tells_what_it_lacks(world, "PostgreSQL", 0) && tells_what_it_lacks(world, "PostgreSQL (orders)", 0);
        stores_do(&world->stores, "start", "postgres");
        trade(world, 2000 + market_random(&world->market, 2000), 200);
        stores_do(&world->stores, "kill", "redis");
        trade(world, 2000, 100);
        stores_do(&world->stores, "start", "redis");
    }
    return good && agrees(world);
}

static bool case_redis_forgets(struct world *world)
{
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 4000, 100);
    bool good = agrees(world);
    stores_redis_number(&world->stores, "EVAL return(redis.call('flushall').ok=='OK'and(1)or(0)) 0");
    trade(world, 500, 20);
    good = good && agrees(world);
    stores_redis_number(&world->stores, "DEL %s:mark"); /* the stream still knows */
    trade(world, 500, 20);
    good = good && agrees(world);
    stores_redis_number(&world->stores, "SCRIPT FLUSH");
    trade(world, 500, 20);
    return good && agrees(world);
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* At a low rate an event is in both stores soon, for want of no timer. */
static bool case_low_rate(struct world *world)
{
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 0, 100);
    poll_until(world, both_level, SETTLE_NS);
    uint64_t took_ns[LOW_RATE_EVENTS];
    for (int i = 0; i < LOW_RATE_EVENTS; i++) {
        poll_for(world, (20 + market_random(&world->market, 40)) * (uint64_t)NS_PER_MS);
        uint64_t began_ns = clock_monotonic_ns();
        trade(world, 1, 10);
        poll_until(world, both_level, SETTLE_NS);
        took_ns[i] = clock_monotonic_ns() - began_ns;
    }
    qsort(took_ns, LOW_RATE_EVENTS, sizeof(took_ns[0]), by_size);
    uint64_t middle_ns = took_ns[LOW_RATE_EVENTS / 2];
    printf("# one command at a time: in both stores within %.1f ms, the longest %.1f ms\n",
           (double)middle_ns / NS_PER_MS, (double)took_ns[LOW_RATE_EVENTS - 1] / NS_PER_MS);
    return agrees(world) && middle_ns < LATENCY_NS_MAX;
}

static bool postgres_refuses(struct world *world)
{
    const char *text = exchange_describe(&world->exchange);
    return strstr(text, "PostgreSQL refuses") != NULL || strstr(text, "PostgreSQL (orders) refuses") != NULL;
}

/* What no retry can help is told, holds that store alone, and goes on where it stopped once it is mended. */
static bool case_refusals(struct world *world)
{
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 2000, 100);
    bool good = agrees(world);
    stores_sql(&world->stores, "ALTER TABLE ringside.orders ADD CONSTRAINT no CHECK (entered_event_seq < %u)",
               world->market.event_count + 200);
    trade(world, 2000, 100);
    good = good && poll_until(world, postgres_refuses, SETTLE_NS) && poll_until(world, redis_level, SETTLE_NS);
    good =
        good && stores_sql_number(&world->stores, "SELECT min(event_seq) FROM ringside.high_water") < world->published;
    exchange_drop(&world->exchange);
    stores_sql(&world->stores, "ALTER TABLE ringside.orders DROP CONSTRAINT no");
    stores_sql(&world->stores, "INSERT INTO ringside.schema_version VALUES (99)");
    exchange_start(&world->exchange);
    good = good && poll_until(world, postgres_refuses, SETTLE_NS) &&
           stores_sql_number(&world->stores, "SELECT max(epoch) FROM ringside.high_water") <= 2;
    exchange_drop(&world->exchange);
    stores_sql(&world->stores, "DELETE FROM ringside.schema_version WHERE version = 99");
    exchange_start(&world->exchange);
    return good && agrees(world);
}

static bool postgres_level(struct world *world)
{
    const char *text = exchange_describe(&world->exchange);
    return mark_in(text, "PostgreSQL ") == world->market.event_count &&
           mark_in(text, "PostgreSQL (orders)") == world->market.event_count;
}

static bool orders_level(struct world *world)
{
    return mark_in(exchange_describe(&world->exchange), "PostgreSQL (orders)") == world->market.event_count;
}

static bool added_level(struct world *world)
{
    return mark_in(exchange_describe(&world->exchange), "PostgreSQL ") == world->market.event_count &&
           redis_level(world);
}

static void set_connection(struct world *world, const char *options)
{
    char *connection = world->exchange.config.postgres_connection;
    size_t used = strlen(connection);
    snprintf(connection + used, sizeof(world->exchange.config.postgres_connection) - used, " %s", options);
}

/* A role that may not make the schema is told so; given the right, it makes it, and needs no right to make roles. */
static bool case_poor_role(struct world *world)
{
    stores_sql(&world->stores, "CREATE ROLE poor LOGIN");
    set_connection(world, "user=poor");
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 1000, 100);
    bool good = poll_until(world, postgres_refuses, SETTLE_NS) && poll_until(world, redis_level, SETTLE_NS);
    exchange_drop(&world->exchange);
    stores_sql(&world->stores, "GRANT CREATE ON DATABASE poor_role TO poor");
    exchange_start(&world->exchange);
    return good && agrees(world);
}

/* Of the first host of the list there is no address, the second is gone: the third one is found. */
static bool case_several_hosts(struct world *world)
{
    char hosts[256];
    snprintf(hosts, sizeof(hosts), "host=no-such-host.invalid,127.0.0.1,%s/postgres-socket port=5432,1,5432",
             world->stores.directory);
    set_connection(world, hosts);
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 1000, 100);
    return agrees(world);
}

/* The first host takes the connection, and all the time of the attempt, and says nothing: the next attempt begins with
 * the second. */
static bool case_silent_host(struct world *world)
{
    char hosts[256];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(listener >= 0 && bind(listener, (const struct sockaddr *)&address, bytes) == 0);
    REQUIRE(listen(listener, 8) == 0 && getsockname(listener, (struct sockaddr *)&address, &bytes) == 0);
    snprintf(hosts, sizeof(hosts), "host=127.0.0.1,%s/postgres-socket port=%u,5432", world->stores.directory,
             ntohs(address.sin_port));
    set_connection(world, hosts);
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 1000, 100);
    bool good = agrees(world);
    close(listener);
    return good;
}

static bool redis_refuses(struct world *world)
{
    return strstr(exchange_describe(&world->exchange), "Redis refuses") != NULL;
}

/* A Redis without memory takes nothing, PostgreSQL goes on; with memory again it gets what it missed. */
static bool case_redis_full(struct world *world)
{
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 1000, 100);
    bool good = agrees(world);
    stores_redis_number(&world->stores, "CONFIG SET maxmemory 1");
    trade(world, 2000, 100);
    good = good && poll_until(world, redis_refuses, SETTLE_NS) && poll_until(world, postgres_level, SETTLE_NS);
    stores_redis_number(&world->stores, "CONFIG SET maxmemory 0");
    exchange_drop(&world->exchange);
    exchange_start(&world->exchange);
    return good && agrees(world);
}

/* Orders that cannot be changed for a while hold their own writer alone. */
static bool case_locked_orders(struct world *world)
{
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 1000, 100);
    bool good = agrees(world);
    stores_lock_begin(&world->stores, "ringside.orders");
    trade(world, 2000, 100);
    good = good && poll_until(world, added_level, SETTLE_NS) && !orders_level(world);
    stores_lock_end();
    return good && agrees(world);
}

/* Tables of the first version are set aside, and all is filled anew. */
static bool case_from_version_1(struct world *world)
{
    stores_sql_file(&world->stores, "0001.sql");
    stores_sql(&world->stores, "UPDATE ringside.high_water SET event_seq = 7");
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 1000, 100);
    return agrees(world) && stores_sql_number(&world->stores, "SELECT count(*) FROM ringside_version_1.orders") == 0 &&
           stores_sql_number(&world->stores, "SELECT max(version) FROM ringside.schema_version") == 5;
}

static void point_at_stores_of(struct world *other, const struct world *world)
{
    struct config *config = &other->exchange.config;
    const struct config *from = &world->exchange.config;
    memcpy(config->postgres_connection, from->postgres_connection, sizeof(config->postgres_connection));
    memcpy(config->redis_address, from->redis_address, sizeof(config->redis_address));
    memcpy(config->redis_prefix, from->redis_prefix, sizeof(config->redis_prefix));
}

/* Stores that hold another exchange's events get none of this one's. */
static bool case_foreign_stores(struct world *world)
{
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 1000, 100);
    bool good = agrees(world);
    struct world other = {.stores = world->stores};
    exchange_init(&other.exchange, 1024);
    market_init(&other.market, seed + 1, EVENTS_MAX);
    point_at_stores_of(&other, world);
    exchange_begin(&other.exchange);
    exchange_start(&other.exchange);
    trade(&other, 3000, 100);
    good = good && poll_until(&other, postgres_refuses, SETTLE_NS);
    poll_for(&other, 200ull * NS_PER_MS);
    good = good && strstr(exchange_describe(&other.exchange), "Redis refuses");
    world_close(&other);
    return good && agrees(world);
}

/* Two persisters on the same stores, each taking the mark from the other: nothing is doubled, nothing is missing. */
/* Each of the two has met the other's epoch, in both of PostgreSQL's marks. */
static bool both_have_written(const struct world *world)
{
    return stores_sql_number(&world->stores, "SELECT count(*) FROM pg_tables WHERE schemaname = 'ringside' AND"
                                             " tablename = 'high_water'") == 1 &&
           stores_sql_number(&world->stores, "SELECT min(epoch) FROM ringside.high_water") > 2;
}

static bool case_two_writers(struct world *world)
{
    struct world other = {.stores = world->stores};
    exchange_init(&other.exchange, 1024);
    market_init(&other.market, seed, EVENTS_MAX);
    point_at_stores_of(&other, world);
    exchange_begin(&world->exchange);
    exchange_begin(&other.exchange);
    exchange_start(&world->exchange);
    exchange_start(&other.exchange);
    bool good = false;
    for (int round = 0; round < 40 || (!good && round < 1000); round++) {
        trade(world, 100, 30);
        trade(&other, 100, 30);
        poll_for(world, 5ull * NS_PER_MS);
        poll_for(&other, 5ull * NS_PER_MS);
        good = round >= 39 && both_have_written(world);
    }
    world_close(&other);
    return good && agrees(world);
}

/* No store: ready, idle, ends at once; a store that is configured later is filled from the first event. */
static bool case_no_store(struct world *world)
{
    world->exchange.config.postgres_connection[0] = '\0';
    world->exchange.config.redis_address[0] = '\0';
    exchange_start(&world->exchange);
    bool good = persister_stage.ready(world->exchange.stage);
    exchange_begin(&world->exchange);
    trade(world, 1000, 100);
    poll_for(world, 50ull * NS_PER_MS);
    good = good && persister_stage.stopped(world->exchange.stage, clock_monotonic_ns());
    exchange_drop(&world->exchange);
    stores_open(&world->stores, "later", &world->exchange.config); /* filled in afterwards */
    exchange_start(&world->exchange);
    return good && agrees(world);
}

/* Asked to end, it finishes what it has taken: what the stores hold then is what describe says. */
static bool case_stops_with_what_it_has(struct world *world)
{
    exchange_begin(&world->exchange);
    exchange_start(&world->exchange);
    trade(world, 0, 100);
    poll_until(world, both_level, SETTLE_NS);
    trade(world, 3000, 500);
    uint64_t until_ns = clock_monotonic_ns() + SETTLE_NS;
    while (!persister_stage.stopped(world->exchange.stage, clock_monotonic_ns()) && clock_monotonic_ns() < until_ns)
        exchange_poll(&world->exchange);
    const char *text = exchange_describe(&world->exchange);
    bool good =
        mark_in(text, "PostgreSQL ") == stores_sql_number(&world->stores, "SELECT event_seq FROM ringside.high_water"
                                                                          " WHERE store = 'events'");
    exchange_drop(&world->exchange);
    exchange_start(&world->exchange);
    return good && agrees(world);
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

static void measure(struct world *world, const char *what, bool (*is_done)(struct world *world))
{
    uint64_t began_ns = clock_monotonic_ns();
    double cpu_before_s = cpu_s();
    exchange_start(&world->exchange);
    poll_until(world, is_done, SETTLE_NS);
    double wall_s = (double)(clock_monotonic_ns() - began_ns) / NS_PER_SECOND;
    printf("# %s: %.0f events/s, of them this process %.2f us CPU an event\n", what, world->market.event_count / wall_s,
           (cpu_s() - cpu_before_s) / world->market.event_count * 1e6);
    exchange_drop(&world->exchange);
}

/* How fast each store is filled from the event log. Printed, not judged: a test's machine is busy with tests. */
static bool case_speed(struct world *world)
{
    char connection[CONFIG_TEXT_BYTES];
    struct config *config = &world->exchange.config;
    config->postgres_batch_events = 16384;
    config->redis_batch_events = 1024;
    world->market.is_one_day = true;
    exchange_begin(&world->exchange);
    trade(world, 300000, 1000);
    memcpy(connection, config->postgres_connection, sizeof(connection));
    config->postgres_connection[0] = '\0';
    measure(world, "Redis", redis_level);
    memcpy(config->postgres_connection, connection, sizeof(connection));
    config->redis_address[0] = '\0';
    measure(world, "PostgreSQL", postgres_level);
    return stores_check_postgres(&world->stores, &world->market) == 0;
}

/* ---- a log of which the beginning was trimmed ---- */

#define TRIMMED_DAY_SEQ ((uint32_t)EVENTLOG_FILE_EVENTS + 5000)

static bool needs_rebuild(struct world *world)
{
    const char *text = exchange_describe(&world->exchange);
    return strstr(text, "PostgreSQL needs a rebuild") && strstr(text, "PostgreSQL (orders) needs a rebuild") &&
           redis_level(world);
}

static bool is_marked(struct world *world)
{
    struct store_marks marks;
    REQUIRE(store_marks_read(&marks, world->exchange.config.events_directory, &world->exchange.error) == 0);
    return marks.redis_seq == world->market.event_count && marks.postgres_seq == world->market.event_count;
}

/* From a day on, as `ringside persister rebuild --day` does. */
static void rebuild_from(struct world *world, uint64_t first_seq)
{
    struct postgres_sink *sinks[2];
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int part = 0; part < 2; part++) {
        REQUIRE(postgres_sink_open(&sinks[part], &world->exchange.config, (enum postgres_part)part, epoll_fd,
                                   (uint64_t)part, &world->exchange.error) == 0);
        postgres_sink_join_log(sinks[part], first_seq);
        while (!postgres_sink_is_level(sinks[part])) {
            struct epoll_event event;
            bool is_ready = epoll_wait(epoll_fd, &event, 1, 1) > 0;
            (void)postgres_sink_poll(sinks[part], clock_monotonic_ns(), is_ready);
        }
    }
    for (int part = 0; part < 2; part++)
        postgres_sink_close(sinks[part]);
    close(epoll_fd);
}

/*
 * Neither the log nor an archive has the first file: Redis does without, PostgreSQL says that it must be rebuilt, and
 * is, from the day on. With an archive both get everything.
 */
static bool case_trimmed(struct world *world)
{
    struct exchange *exchange = &world->exchange;
    char archive[128];
    snprintf(archive, sizeof(archive), "%s/archive", exchange->directory);
    market_finish(&world->market);
    market_init(&world->market, seed, TRIMMED_DAY_SEQ + 20000);
    market_idle_until(&world->market, TRIMMED_DAY_SEQ, 20261124);
    exchange_begin(exchange);
    trade(world, 5000, 10000);
    exchange_log(exchange);
    struct eventlog_trim trim = {
        .directory = exchange->config.events_directory, .archive = archive, .needed_seq = TRIMMED_DAY_SEQ};
    REQUIRE(eventlog_trim(&trim, &exchange->error) == 0 && trim.count == 1);

    exchange_start(exchange);
    bool good = poll_until(world, needs_rebuild, SETTLE_NS);
    exchange_drop(exchange);
    good = good && stores_redis_number(&world->stores, "HLEN %s:instruments") == MARKET_INSTRUMENTS &&
           stores_redis_number(&world->stores, "HLEN %s:sessions") == MARKET_SESSIONS;

    stores_sql(&world->stores, "SET client_min_messages = error; DROP SCHEMA ringside CASCADE");
    rebuild_from(world, TRIMMED_DAY_SEQ);
    good = good && stores_check_postgres(&world->stores, &world->market) == 0;

    stores_sql(&world->stores, "SET client_min_messages = error; DROP SCHEMA ringside CASCADE");
    stores_redis_number(&world->stores, "EVAL return(redis.call('flushall').ok=='OK'and(1)or(0)) 0");
    memcpy(exchange->config.retention_archive_path, archive, sizeof(archive));
    exchange_start(exchange);
    good = good && poll_until(world, both_level, 3 * SETTLE_NS) && poll_until(world, is_marked, SETTLE_NS);
    exchange->poll_ns_max = 0; /* of a million events, on cores that others use too, one poll is always long */
    trade(world, 500, 20);
    return good && agrees(world);
}

struct test_case {
    const char *name;
    bool (*run)(struct world *world);
    uint32_t event_slots;
};

static const struct test_case cases[] = {
    {"all_is_there_once", case_all_is_there_once, 1024},
    {"dropped_at_any_moment", case_dropped_at_any_moment, 1024},
    {"stores_away_at_start", case_stores_away_at_start, 1024},
    {"killed_mid_batch", case_killed_mid_batch, 1024},
    {"redis_forgets", case_redis_forgets, 1024},
    {"low_rate", case_low_rate, 1024},
    {"refusals", case_refusals, 1024},
    {"foreign_stores", case_foreign_stores, 1024},
    {"poor_role", case_poor_role, 1024},
    {"several_hosts", case_several_hosts, 1024},
    {"silent_host", case_silent_host, 1024},
    {"redis_full", case_redis_full, 1024},
    {"locked_orders", case_locked_orders, 1024},
    {"from_version_1", case_from_version_1, 1024},
    {"two_writers", case_two_writers, 1024},
    {"no_store", case_no_store, 1024},
    {"stops_with_what_it_has", case_stops_with_what_it_has, 1024},
    {"trimmed", case_trimmed, 16384},
    {"speed", case_speed, 16384},
};

static const struct test_case *case_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        if (strcmp(cases[i].name, name) == 0)
            return &cases[i];
    fprintf(stderr, "no case %s\n", name);
    exit(64);
}

int main(int argc, char **argv)
{
    static struct world world;
    int failures = 0;
    log_open("persister", getenv("RINGSIDE_TEST_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    if (argc > 2 && strtoull(argv[argc - 1], NULL, 10) != 0)
        seed = strtoull(argv[--argc], NULL, 10);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        const struct test_case *test = case_named(argv[i]);
        uint64_t began_ns = clock_monotonic_ns();
        world_open(&world, test->name, test->event_slots);
        bool good = test->run(&world);
        world_close(&world);
        failures += !good;
        printf("%s %d - %s (seed %" PRIu64 ", %.1f s)\n", good ? "ok" : "not ok", i, test->name, seed,
               (double)(clock_monotonic_ns() - began_ns) / NS_PER_SECOND);
    }
    return failures > 0;
}
