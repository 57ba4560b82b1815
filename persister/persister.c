#include "persister.h"

#include "eventlog/store_marks.h"
#include "log/log.h"
#include "metrics/values.h"
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
    SOURCE_POSTGRES_ORDERS,
    SOURCE_REDIS,
    SOURCE_TIMER,
    SOURCE_COUNT,
};

#define PARTS_COUNT 2
#define STORES_MAX  (PARTS_COUNT + 1)

#define STATUS_TEXT_BYTES 128

#define LAG_TOLD_EVERY_NS   (60ull * NS_PER_SECOND)
#define MARKS_TOLD_EVERY_NS ((uint64_t)NS_PER_SECOND)

#define LAG_TOLD_NS ((uint64_t)NS_PER_SECOND) /* less than that is no news */

struct persister {
    struct run *run;
    struct ring events;
    bool is_joined;
    bool is_attached;
    bool has_store;
    int epoll_fd;
    int timer_fd;
    uint64_t timer_ns; /* when it goes off; 0: never */
    uint64_t told_ns;  /* when the log last heard of a lag */
    const char *events_directory;
    uint64_t marked_ns;       /* when it was last told how far the stores are */
    struct store_marks marks; /* as they were told */
    bool are_marks_read;
    bool is_marking_refused;                     /* which the log has been told */
    struct postgres_sink *postgres[PARTS_COUNT]; /* by enum postgres_part; NULL: not configured */
    struct redis_sink *redis;
    struct persister_values *values; /* NULL: nothing is measured */
};

static void persister_close(void *stage)
{
    struct persister *persister = stage;
    if (!persister)
        return;
    for (int part = 0; part < PARTS_COUNT; part++)
        postgres_sink_close(persister->postgres[part]);
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

static void measure_batches(struct persister *persister)
{
    for (int part = 0; part < PARTS_COUNT; part++)
        if (persister->postgres[part])
            postgres_sink_measure(persister->postgres[part], &persister->values->batch_ns[STORE_POSTGRES + part]);
    if (persister->redis)
        redis_sink_measure(persister->redis, &persister->values->batch_ns[STORE_REDIS]);
}

static int open_sinks(struct persister *persister, const struct config *config, struct error *error)
{
    int result = 0;
    for (int part = 0; part < PARTS_COUNT && result >= 0 && *config->postgres_connection != '\0'; part++)
        result = postgres_sink_open(&persister->postgres[part], config, (enum postgres_part)part, persister->epoll_fd,
                                    SOURCE_POSTGRES + (uint64_t)part, error);
    if (result >= 0 && persister->postgres[POSTGRES_ORDERS])
        postgres_sink_give_way(persister->postgres[POSTGRES_ORDERS], persister->postgres[POSTGRES_EVENTS]);
    if (result >= 0 && *config->redis_address != '\0')
        result = redis_sink_open(&persister->redis, config, persister->epoll_fd, SOURCE_REDIS, error);
    persister->has_store = persister->postgres[0] || persister->redis;
    if (result >= 0 && persister->values)
        measure_batches(persister);
    return result;
}

static int persister_open(void **ret_stage, const struct stage_context *context, struct error *error)
{
    struct persister *persister = calloc(1, sizeof(*persister));
    if (!persister)
        return error_system(error, ENOMEM, "persister", "no memory");
    persister->run = context->run;
    persister->values = context->values;
    persister->events_directory = context->config->events_directory;
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
        for (int part = 0; part < PARTS_COUNT; part++)
            if (persister->is_attached && persister->postgres[part])
                postgres_sink_join(persister->postgres[part], &persister->events);
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
    for (int part = 0; part < PARTS_COUNT; part++)
        if (persister->postgres[part])
            deadline_ns = earlier(deadline_ns, postgres_sink_deadline_ns(persister->postgres[part]));
    if (persister->redis)
        deadline_ns = earlier(deadline_ns, redis_sink_deadline_ns(persister->redis));
    if (deadline_ns == persister->timer_ns)
        return;
    struct itimerspec at = {
        .it_value = {.tv_sec = (time_t)(deadline_ns / NS_PER_SECOND), .tv_nsec = (long)(deadline_ns % NS_PER_SECOND)}};
    (void)timerfd_settime(persister->timer_fd, TFD_TIMER_ABSTIME, &at, NULL); /* which also takes back a readiness */
    persister->timer_ns = deadline_ns;
}

/* Fills in how each store stands; returns how many there are. */
static uint32_t statuses(const struct persister *persister, struct store_status status[STORES_MAX])
{
    uint32_t count = 0;
    for (int part = 0; part < PARTS_COUNT; part++)
        if (persister->postgres[part])
            postgres_sink_status(persister->postgres[part], &status[count++]);
    if (persister->redis)
        redis_sink_status(persister->redis, &status[count++]);
    return count;
}

static void tell_lag(struct persister *persister, uint64_t now_ns)
{
    struct store_status status[STORES_MAX];
    char text[STATUS_TEXT_BYTES];
    uint32_t count = statuses(persister, status);
    for (uint32_t i = 0; i < count && persister->is_attached; i++) {
        store_status_text(&status[i], text, sizeof(text));
        if (status[i].lag_ns >= LAG_TOLD_NS)
            log_info("%s", text);
        else
            log_debug("%s", text);
    }
    persister->told_ns = now_ns;
}

/* What the stores have for good, as far as they are there to say so; of one that is away, what it said last. */
static struct store_marks marks_now(const struct persister *persister)
{
    struct store_status status = {0};
    struct store_marks marks = persister->marks;
    uint64_t durable_seq = UINT64_MAX;
    for (int part = 0; part < PARTS_COUNT && persister->postgres[part]; part++) {
        postgres_sink_status(persister->postgres[part], &status);
        if (!status.is_up)
            durable_seq = persister->marks.postgres_seq;
        else if (status.durable_seq < durable_seq)
            durable_seq = status.durable_seq;
    }
    if (persister->postgres[0])
        marks.postgres_seq = durable_seq;
    if (persister->redis) {
        redis_sink_status(persister->redis, &status);
        marks.redis_seq = status.is_up ? status.needed_seq : marks.redis_seq;
    }
    return marks;
}

/* Whoever trims the event log must know it: told once a second, in a file beside the log. */
static void tell_marks(struct persister *persister, uint64_t now_ns)
{
    struct error error = {0};
    const char *directory = persister->events_directory;
    persister->marked_ns = now_ns;
    if (!persister->is_attached)
        return;
    if (!persister->are_marks_read)
        persister->are_marks_read = store_marks_read(&persister->marks, directory, &error) == 0;
    struct store_marks marks = marks_now(persister);
    if (marks.postgres_seq == persister->marks.postgres_seq && marks.redis_seq == persister->marks.redis_seq)
        return;
    int result = store_marks_write(directory, &marks, &error);
    if (result < 0 && !persister->is_marking_refused)
        log_error(&error, "the event log cannot be trimmed further");
    persister->is_marking_refused = result < 0;
    if (result == 0)
        persister->marks = marks;
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
    for (int part = 0; part < PARTS_COUNT; part++)
        if (persister->postgres[part])
            done += postgres_sink_poll(persister->postgres[part], now_ns, is_ready[SOURCE_POSTGRES + part]);
    if (persister->redis)
        done += redis_sink_poll(persister->redis, now_ns, is_ready[SOURCE_REDIS]);
    set_timer(persister);
    if (now_ns - persister->marked_ns >= MARKS_TOLD_EVERY_NS)
        tell_marks(persister, now_ns);
    if (now_ns - persister->told_ns >= LAG_TOLD_EVERY_NS)
        tell_lag(persister, now_ns);
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

static void measure_store(struct persister_values *values, enum store_name store, const struct store_status *status)
{
    metrics_set(&values->configured[store], 1);
    metrics_set(&values->up[store], status->is_up);
    metrics_set(&values->refused[store], status->is_refused);
    metrics_set(&values->outages[store], status->outage_count);
    metrics_set(&values->mark[store], status->mark_seq);
    metrics_set(&values->durable[store], status->durable_seq);
    metrics_set(&values->lag[store], status->lag_events);
    metrics_set(&values->lag_ns[store], status->lag_ns);
    metrics_set(&values->written[store], status->written_events);
    metrics_set(&values->batches[store], status->batch_count);
}

static void persister_measure(void *stage, uint64_t now_ns)
{
    const struct persister *persister = stage;
    struct store_status status;
    (void)now_ns;
    for (int part = 0; part < PARTS_COUNT; part++) {
        if (!persister->postgres[part])
            continue;
        postgres_sink_status(persister->postgres[part], &status);
        measure_store(persister->values, (enum store_name)(STORE_POSTGRES + part), &status);
    }
    if (persister->redis) {
        redis_sink_status(persister->redis, &status);
        measure_store(persister->values, STORE_REDIS, &status);
    }
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
    bool postgres = true;
    for (int part = 0; part < PARTS_COUNT; part++)
        postgres = (!persister->postgres[part] || postgres_sink_stop(persister->postgres[part])) && postgres;
    bool redis = !persister->redis || redis_sink_stop(persister->redis);
    return postgres && redis;
}

static void persister_describe(const void *stage, char *text, size_t text_bytes)
{
    const struct persister *persister = stage;
    struct store_status status[STORES_MAX];
    uint32_t count = statuses(persister, status);
    snprintf(text, text_bytes, "%s", persister->has_store ? "" : "no store is configured");
    for (uint32_t i = 0; i < count; i++) {
        char part[STATUS_TEXT_BYTES];
        size_t used = strlen(text);
        store_status_text(&status[i], part, sizeof(part));
        snprintf(text + used, text_bytes - used, "%s%s", i > 0 ? "; " : "", part);
    }
}

const struct stage_definition persister_stage = {
    .name = "persister",
    .kind = PROCESS_PERSISTER,
    .pollable = true,
    .values = &persister_values_table,
    .measure = persister_measure,
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
