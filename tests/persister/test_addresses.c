/*
 * Where the stores are: which hosts need a look-up, that a look-up never waits, and addresses that are refused at once.
 */
#include "hosts.h"
#include "postgres_sink.h"
#include "redis_sink.h"
#include "resolve.h"

#include "base/units.h"
#include "env/clock.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define LOOKUP_NS_MAX (10ull * NS_PER_SECOND)
#define CALL_NS_MAX   (20ull * NS_PER_MS)

Test(resolve, only_names_need_a_look_up)
{
    cr_assert_not(resolve_needed("127.0.0.1"));
    cr_assert_not(resolve_needed("::1"));
    cr_assert_not(resolve_needed("/run/postgresql"));
    cr_assert_not(resolve_needed("@abstract"));
    cr_assert_not(resolve_needed(""));
    cr_assert(resolve_needed("localhost"));
    cr_assert(resolve_needed("127.0.0.1.example"));
}

/* Polls until the look-ups are done; every call must return at once. */
static int finish(struct hosts *hosts, struct error *error)
{
    uint64_t began_ns = clock_monotonic_ns();
    int result = hosts_start(hosts, error);
    cr_assert_lt(clock_monotonic_ns() - began_ns, CALL_NS_MAX);
    while (result == 0 && clock_monotonic_ns() - began_ns < LOOKUP_NS_MAX) {
        struct timespec pause = {.tv_nsec = NS_PER_MS};
        nanosleep(&pause, NULL);
        uint64_t call_ns = clock_monotonic_ns();
        result = hosts_poll(hosts, error);
        cr_assert_lt(clock_monotonic_ns() - call_ns, CALL_NS_MAX);
    }
    return result;
}

Test(hosts, paths_and_numbers_are_left_to_libpq)
{
    struct hosts hosts;
    struct error error;
    cr_assert_eq(hosts_open(&hosts, "host=/tmp/a,10.0.0.1 dbname=x", &error), 0);
    cr_assert_eq(finish(&hosts, &error), 1);
    cr_assert_str_eq(hosts.host_list, "/tmp/a,10.0.0.1");
    cr_assert_str_empty(hosts.hostaddr_list);
    cr_assert_eq(hosts_open(&hosts, "dbname=x", &error), 0);
    cr_assert_eq(finish(&hosts, &error), 1);
    cr_assert_str_empty(hosts.host_list);
    cr_assert_str_empty(hosts.hostaddr_list);
    cr_assert_eq(hosts_open(&hosts, "host=db.example hostaddr=10.0.0.1 port=6432", &error), 0);
    cr_assert_eq(finish(&hosts, &error), 1);
    cr_assert_str_eq(hosts.host_list, "db.example");
    cr_assert_str_eq(hosts.hostaddr_list, "10.0.0.1");
    cr_assert_str_empty(hosts.port_list);
}

Test(hosts, a_name_gets_an_address_in_its_place)
{
    struct hosts hosts;
    struct error error;
    cr_assert_eq(hosts_open(&hosts, "postgresql://user@%2Ftmp%2Fa,localhost/x", &error), 0, "%s", error.what);
    cr_assert_eq(finish(&hosts, &error), 1, "%s", error.what);
    cr_assert_str_eq(hosts.host_list, "/tmp/a,localhost");
    cr_assert(strcmp(hosts.hostaddr_list, ",127.0.0.1") == 0 || strcmp(hosts.hostaddr_list, ",::1") == 0, "%s",
              hosts.hostaddr_list);
    hosts_finish(&hosts);
}

/* Each part of the lists goes with its host, or goes as it does. */
Test(hosts, a_name_without_an_address_is_left_out)
{
    struct hosts hosts;
    struct error error;
    cr_assert_eq(hosts_open(&hosts, "host=no-such-host.invalid,10.0.0.2,10.0.0.3 port=1,,3", &error), 0);
    cr_assert_eq(finish(&hosts, &error), 1, "%s", error.what);
    cr_assert_str_eq(hosts.host_list, "10.0.0.2,10.0.0.3");
    cr_assert_str_eq(hosts.port_list, "5432,3");
    cr_assert_eq(hosts_open(&hosts, "host=10.0.0.1,no-such-host.invalid", &error), 0);
    cr_assert_eq(finish(&hosts, &error), 1, "%s", error.what);
    cr_assert_str_eq(hosts.host_list, "10.0.0.1");
    hosts_finish(&hosts);
}

Test(hosts, where_no_name_has_an_address_the_attempt_fails)
{
    struct hosts hosts;
    struct error error;
    cr_assert_eq(hosts_open(&hosts, "host=no-such-host.invalid,nor-this-one.invalid", &error), 0);
    for (int attempt = 0; attempt < 3; attempt++) {
        cr_assert_lt(finish(&hosts, &error), 0);
        cr_assert(strstr(error.what, ".invalid"), "%s", error.what);
    }
    hosts_finish(&hosts);
}

/* A host that says nothing costs its attempt all the time that there is: the next one begins behind it. */
Test(hosts, an_attempt_begins_behind_the_one_that_failed)
{
    static const char *const begins[] = {"10.0.0.1,10.0.0.2,10.0.0.3", "10.0.0.2,10.0.0.3,10.0.0.1",
                                         "10.0.0.3,10.0.0.1,10.0.0.2"};
    struct hosts hosts;
    struct error error;
    cr_assert_eq(hosts_open(&hosts, "hostaddr=10.0.0.1,10.0.0.2,10.0.0.3 port=1,2,3", &error), 0);
    for (int attempt = 0; attempt < 5; attempt++) {
        cr_assert_eq(finish(&hosts, &error), 1);
        cr_assert_str_empty(hosts.host_list);
        cr_assert_str_eq(hosts.hostaddr_list, begins[attempt % 3]);
    }
    cr_assert_str_eq(hosts.port_list, "2,3,1");
    hosts_worked(&hosts);
    cr_assert_eq(finish(&hosts, &error), 1);
    cr_assert_str_eq(hosts.hostaddr_list, begins[1], "what worked is tried first");
    cr_assert_eq(finish(&hosts, &error), 1);
    cr_assert_str_eq(hosts.hostaddr_list, begins[2]);
}

Test(hosts, a_look_up_can_be_given_up)
{
    struct hosts hosts;
    struct error error;
    cr_assert_eq(hosts_open(&hosts, "host=no-such-host.invalid", &error), 0);
    cr_assert_eq(hosts_start(&hosts, &error), 0);
    hosts_finish(&hosts);
    hosts_finish(&hosts);
}

static int open_redis(const char *address, const char *prefix)
{
    struct config config;
    struct redis_sink *sink = NULL;
    struct error error;
    config_init(&config);
    strcpy(config.redis_address, address); /* NOLINT: shorter than the field */
    strcpy(config.redis_prefix, prefix);   /* NOLINT */
    int epoll_fd = epoll_create1(0);
    int result = redis_sink_open(&sink, &config, epoll_fd, 0, &error);
    redis_sink_close(sink);
    close(epoll_fd);
    config_finish(&config);
    return result;
}

Test(redis, addresses_are_checked_at_open)
{
    cr_assert_eq(open_redis("localhost:6379", "p"), 0);
    cr_assert_eq(open_redis("[::1]:6379", "p"), 0);
    cr_assert_eq(open_redis("/run/redis.sock", "p"), 0);
    cr_assert_eq(open_redis("localhost", "p"), ERROR_INVALID);
    cr_assert_eq(open_redis(":6379", "p"), ERROR_INVALID);
    cr_assert_eq(open_redis("host:0", "p"), ERROR_INVALID);
    cr_assert_eq(open_redis("host:65536", "p"), ERROR_INVALID);
    cr_assert_eq(open_redis("host:63x", "p"), ERROR_INVALID);
    cr_assert_eq(open_redis("host:6379", "a-prefix-of-more-than-sixty-four-bytes-which-is-more-than-any-key-needs"),
                 ERROR_INVALID);
}

Test(postgres, a_connection_string_that_libpq_cannot_read_is_refused_at_open)
{
    struct config config;
    struct postgres_sink *sink = NULL;
    struct error error;
    config_init(&config);
    strcpy(config.postgres_connection, "host=/tmp nonsense=1"); /* NOLINT: shorter than the field */
    cr_assert_eq(postgres_sink_open(&sink, &config, POSTGRES_EVENTS, -1, 0, &error), ERROR_INVALID);
    cr_assert_null(sink);
    config_finish(&config);
}
