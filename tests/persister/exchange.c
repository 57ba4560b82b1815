#include "exchange.h"

#include "base/require.h"
#include "base/units.h"
#include "env/clock.h"
#include "persister.h"

#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOGGED_AT_ONCE 512
#define SLEEP_MS       5

#define OR_DIE(call)                                                                                                   \
    do {                                                                                                               \
        if ((call) < 0) {                                                                                              \
            fprintf(stderr, "%s: %s: %s\n", #call, exchange->error.where, exchange->error.what);                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

void exchange_init(struct exchange *exchange, uint32_t event_slots)
{
    memset(exchange, 0, sizeof(*exchange));
    struct config *config = &exchange->config;
    struct run_base base = {.command_seq_next = 1, .event_seq_next = 1, .epoch = 1, .gateway_count = 1};
    snprintf(exchange->directory, sizeof(exchange->directory), "/dev/shm/ringside-test.XXXXXX");
    REQUIRE(mkdtemp(exchange->directory));
    config_init(config);
    snprintf(config->exchange_rings_directory, sizeof(config->exchange_rings_directory), "%s", exchange->directory);
    snprintf(config->events_directory, sizeof(config->events_directory), "%s/events", exchange->directory);
    config->rings_event_slots = event_slots;
    OR_DIE(run_take_role(&exchange->journaler_run, exchange->directory, PROCESS_JOURNALER, 0, &exchange->error));
    OR_DIE(run_join_or_lock(&exchange->journaler_run, &exchange->error));
    OR_DIE(run_create(&exchange->journaler_run, &base, &exchange->error));
    (void)mkdir(config->events_directory, 0755);
}

void exchange_begin(struct exchange *exchange)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters = {0};
    uint64_t next;
    run_ring_path(&exchange->journaler_run, RING_NAME_EVENT, path);
    run_ring_parameters(&exchange->journaler_run, RING_NAME_EVENT, &parameters);
    parameters.record_hash = event_layout_hash();
    parameters.capacity = (uint32_t)exchange->config.rings_event_slots;
    parameters.base_seq = 1;
    parameters.gating_count = 1;
    parameters.gating_names[0] = LINE_EVENT_LOG;
    OR_DIE(ring_create(&exchange->ring, path, &parameters, &exchange->error));
    OR_DIE(ring_producer_open(&exchange->producer, &exchange->ring, topology_doorbell(PROCESS_MATCHER, 0),
                              &exchange->error));
    OR_DIE(ring_consumer_open(&exchange->log_line, &exchange->ring, LINE_EVENT_LOG,
                              topology_doorbell(PROCESS_JOURNALER, 0), &exchange->error));
    OR_DIE(
        eventlog_writer_open(&exchange->log, exchange->config.events_directory, UINT64_MAX, &next, &exchange->error));
    REQUIRE(next == 1);
}

/* What the journaler does: all that is in the ring into the log. */
static void write_log(struct exchange *exchange)
{
    const struct event *batch[LOGGED_AT_ONCE];
    uint32_t count;
    do {
        for (count = 0; count < LOGGED_AT_ONCE; count++)
            if (!(batch[count] = ring_next(&exchange->log_line)))
                break;
        if (count > 0)
            OR_DIE(eventlog_writer_append(exchange->log, batch, count, &exchange->error));
        ring_release(&exchange->log_line, exchange->log_line.next);
    } while (count == LOGGED_AT_ONCE);
}

void exchange_log(struct exchange *exchange)
{
    write_log(exchange);
}

void exchange_publish(struct exchange *exchange, const struct event *events, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        REQUIRE(events[i].event_seq == exchange->producer.next);
        if (!ring_put(&exchange->producer, &events[i])) {
            ring_flush(&exchange->producer);
            write_log(exchange);
            REQUIRE(ring_put(&exchange->producer, &events[i]));
        }
    }
    ring_flush(&exchange->producer);
}

void exchange_start(struct exchange *exchange)
{
    memset(&exchange->persister_run, 0, sizeof(exchange->persister_run));
    exchange->persister_run.run_fd = exchange->persister_run.role_fd = exchange->persister_run.doorbells.own_fifo = -1;
    OR_DIE(run_take_role(&exchange->persister_run, exchange->directory, PROCESS_PERSISTER, 0, &exchange->error));
    exchange->context = (struct stage_context){.config = &exchange->config, .run = &exchange->persister_run};
    OR_DIE(persister_stage.open(&exchange->stage, &exchange->context, &exchange->error));
}

void exchange_drop(struct exchange *exchange)
{
    if (!exchange->stage)
        return;
    persister_stage.close(exchange->stage);
    run_leave(&exchange->persister_run);
    exchange->stage = NULL;
}

int exchange_poll(struct exchange *exchange)
{
    uint64_t before_ns = clock_monotonic_ns();
    int count = persister_stage.poll(exchange->stage, before_ns, &exchange->error);
    uint64_t took_ns = clock_monotonic_ns() - before_ns;
    OR_DIE(count);
    if (took_ns > exchange->poll_ns_max)
        exchange->poll_ns_max = took_ns;
    if (count == 0) {
        struct pollfd polled = {.fd = persister_stage.descriptor(exchange->stage), .events = POLLIN};
        (void)poll(&polled, 1, SLEEP_MS);
    }
    return count;
}

const char *exchange_describe(struct exchange *exchange)
{
    static char text[256];
    persister_stage.describe(exchange->stage, text, sizeof(text));
    return text;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void exchange_finish(struct exchange *exchange)
{
    exchange_drop(exchange);
    eventlog_writer_close(exchange->log);
    ring_detach(&exchange->ring);
    run_leave(&exchange->journaler_run);
    nftw(exchange->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    config_finish(&exchange->config);
}
