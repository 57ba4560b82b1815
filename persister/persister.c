#include "persister.h"

#include "postgres_sink.h"
#include "record/event.h"
#include "redis_sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* What the descriptors in the epoll are for. */
enum source {
    SOURCE_POSTGRES,
    SOURCE_REDIS,
    SOURCE_TIMER,
    SOURCE_COUNT,
};

struct persister {
    struct run *run;
    struct ring events;
    bool is_joined;
    bool is_attached;
    bool has_store;
    int epoll_fd;
    int timer_fd;
    uint64_t timer_ns;              /* when it goes off; 0: never */
    struct postgres_sink *postgres; /* NULL: not configured */
    struct redis_sink *redis;
};

static void persister_close(void *stage)
{
    struct persister *persister = stage;
    if (!persister)
        return;
    postgres_sink_close(persister->postgres);
    redis_sink_close(persister->redis);
    if (persister->is_attached)
        ring_detach(&persister->events);
    if (persister->timer_fd >= 0)
        close(persister->timer_fd);
    if (persister->epoll_fd >= 0)
        close(persister->epoll_fd);
    free(persister);
}

static int open_descriptors(struct persister *persister, struct error *error)
{
    persister->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    persister->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = SOURCE_TIMER};
    if (persister->epoll_fd < 0 || persister->timer_fd < 0 ||
        epoll_ctl(persister->epoll_fd, EPOLL_CTL_ADD, persister->timer_fd, &event) < 0)
        return error_system(error, errno, "persister", "no epoll or timer");
    return 0;
}

static int open_sinks(struct persister *persister, const struct config *config, struct error *error)
{
    int result = 0;
    if (*config->postgres_connection != '\0')
        result = postgres_sink_open(&persister->postgres, config, persister->epoll_fd, SOURCE_POSTGRES, error);
    if (result >= 0 && *config->redis_address != '\0')
        result = redis_sink_open(&persister->redis, config, persister->epoll_fd, SOURCE_REDIS, error);
    persister->has_store = persister->postgres || persister->redis;
    return result;
}

static int persister_open(void **ret_stage, const struct stage_context *context, struct error *error)
{
    struct persister *persister = calloc(1, sizeof(*persister));
    if (!persister)
        return error_system(error, ENOMEM, "persister", "no memory");
    persister->run = context->run;
    persister->epoll_fd = persister->timer_fd = -1;
    int result = open_descriptors(persister, error);
    if (result >= 0)
        result = open_sinks(persister, context->config, error);
    if (result < 0) {
        persister_close(persister);
        return result;
    }
    *ret_stage = persister;
    return 0;
}

/* Joins the run, then its event ring, when they are there. */
static int join(struct persister *persister, struct error *error)
{
    int result = 0;
    if (!persister->is_joined) {
        result = run_join(persister->run, error);
        persister->is_joined = result >= 0;
    }
    if (persister->is_joined && !persister->is_attached && persister->has_store) {
        char path[RUN_PATH_BYTES];
        struct ring_parameters expected = {0};
        run_ring_path(persister->run, RING_NAME_EVENT, path);
        run_ring_parameters(persister->run, RING_NAME_EVENT, &expected);
        expected.record_hash = event_layout_hash();
        result = ring_attach(&persister->events, path, false, &expected, error);
        persister->is_attached = result >= 0;
        if (persister->is_attached && persister->postgres)
            postgres_sink_join(persister->postgres, &persister->events);
        if (persister->is_attached && persister->redis)
            redis_sink_join(persister->redis, &persister->events);
    }
    return result == ERROR_NOT_YET ? 0 : result;
}

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
    if (a_ns == 0 || b_ns == 0)
        return a_ns + b_ns;
    return a_ns < b_ns ? a_ns : b_ns;
}

/* The timer makes the descriptor readable when a store has something to do by the clock. */
static void set_timer(struct persister *persister)
{
    uint64_t deadline_ns = 0;
    if (persister->postgres)
        deadline_ns = postgres_sink_deadline_ns(persister->postgres);
    if (persister->redis)
        deadline_ns = earlier(deadline_ns, redis_sink_deadline_ns(persister->redis));
    if (deadline_ns == persister->timer_ns)
        return;
    struct itimerspec at = {
        .it_value = {.tv_sec = (time_t)(deadline_ns / NS_PER_SECOND), .tv_nsec = (long)(deadline_ns % NS_PER_SECOND)}};
    (void)timerfd_settime(persister->timer_fd, TFD_TIMER_ABSTIME, &at, NULL); /* which also takes back a readiness */
    persister->timer_ns = deadline_ns;
}

static int poll_stores(struct persister *persister, uint64_t now_ns)
{
    bool is_ready[SOURCE_COUNT] = {false};
    struct epoll_event events[SOURCE_COUNT];
    int count = epoll_wait(persister->epoll_fd, events, SOURCE_COUNT, 0);
    for (int i = 0; i < count; i++)
        is_ready[events[i].data.u64] = true;
    if (is_ready[SOURCE_TIMER]) { /* gone off: set anew below, whatever the next deadline is */
        uint64_t expirations;
        (void)!read(persister->timer_fd, &expirations, sizeof(expirations));
        persister->timer_ns = 0;
    }
    int done = 0;
    if (persister->postgres)
        done += postgres_sink_poll(persister->postgres, now_ns, is_ready[SOURCE_POSTGRES]);
    if (persister->redis)
        done += redis_sink_poll(persister->redis, now_ns, is_ready[SOURCE_REDIS]);
    set_timer(persister);
    return done;
}

static int persister_poll(void *stage, uint64_t now_ns, struct error *error)
{
    struct persister *persister = stage;
    if (!persister->is_joined || (!persister->is_attached && persister->has_store)) {
        int result = join(persister, error);
        if (result < 0)
            return result;
    }
    return persister->has_store ? poll_stores(persister, now_ns) : 0;
}

static bool persister_ready(const void *stage)
{
    const struct persister *persister = stage;
    return persister->is_attached || !persister->has_store;
}

static int persister_descriptor(const void *stage)
{
    return ((const struct persister *)stage)->epoll_fd;
}

static bool persister_stopped(void *stage, uint64_t now_ns)
{
    struct persister *persister = stage;
    (void)now_ns;
    bool postgres = !persister->postgres || postgres_sink_stop(persister->postgres);
    bool redis = !persister->redis || redis_sink_stop(persister->redis);
    return postgres && redis;
}

static void persister_describe(const void *stage, char *text, size_t text_bytes)
{
    const struct persister *persister = stage;
    char parts[2][96] = {"", ""};
    if (persister->postgres)
        postgres_sink_describe(persister->postgres, parts[0], sizeof(parts[0]));
    if (persister->redis)
        redis_sink_describe(persister->redis, parts[1], sizeof(parts[1]));
    snprintf(text, text_bytes, "%s%s%s", persister->has_store ? parts[0] : "no store is configured",
             *parts[0] && *parts[1] ? "; " : "", parts[1]);
}

const struct stage_definition persister_stage = {
    .name = "persister",
    .kind = PROCESS_PERSISTER,
    .pollable = true,
    .unhurried = true,
    .summary = "writes every event to PostgreSQL and Redis, once",
    .open = persister_open,
    .poll = persister_poll,
    .ready = persister_ready,
    .descriptor = persister_descriptor,
    .stopped = persister_stopped,
    .describe = persister_describe,
    .close = persister_close,
};
