#include "world.h"

#include "base/units.h"
#include "journal/segments.h"
#include "log/log.h"
#include "record/event.h"
#include "topology/topology.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLLS_MAX 200000

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

/* ---- directories --------------------------------------------------------------------------------------------------
 */

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_tree(const char *directory)
{
    (void)nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void world_init(struct world *world, const char *parent)
{
    *world = (struct world){.now_ns = 1000 * (uint64_t)NS_PER_SECOND};
    snprintf(world->root, sizeof(world->root), "%s/ringside-journaler-XXXXXX", parent);
    must(mkdtemp(world->root) != NULL, world->root);
    log_set_level(LOG_LEVEL_ERROR);
    struct config *config = &world->config;
    config_init(config);
    snprintf(config->exchange_rings_directory, CONFIG_TEXT_BYTES, "%s/rings", world->root);
    snprintf(config->journal_directory, CONFIG_TEXT_BYTES, "%s/journal", world->root);
    snprintf(config->events_directory, CONFIG_TEXT_BYTES, "%s/events", world->root);
    config->journal_segment_bytes = 1 << 20;
    config->journal_batch_bytes = 1 << 16;
    config->rings_command_slots = 1024;
    config->rings_event_slots = 1024;
}

void world_finish(struct world *world)
{
    world_close(world);
    ring_detach(&world->command_ring);
    ring_detach(&world->event_ring);
    remove_tree(world->root);
    config_finish(&world->config);
    disk_replace(NULL);
}

/* ---- the stage ----------------------------------------------------------------------------------------------------
 */

int world_open(struct world *world)
{
    int result =
        run_take_role(&world->run, world->config.exchange_rings_directory, PROCESS_JOURNALER, 0, &world->error);
    if (result < 0)
        return result;
    world->context = (struct stage_context){.config = &world->config, .run = &world->run, .values = world->values};
    return journaler_stage.open(&world->stage, &world->context, &world->error);
}

void world_close(struct world *world)
{
    if (world->stage) {
        journaler_stage.close(world->stage);
        run_leave(&world->run);
    }
    world->stage = NULL;
}

void world_make_rings(struct world *world)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters;
    ring_detach(&world->command_ring);
    ring_detach(&world->event_ring);
    run_ring_path(&world->run, RING_NAME_COMMAND, path);
    run_ring_parameters(&world->run, RING_NAME_COMMAND, &parameters);
    parameters.record_hash = command_layout_hash();
    parameters.capacity = (uint32_t)world->config.rings_command_slots;
    parameters.base_seq = world->run.base.command_seq_next;
    parameters.gating_count = 1; /* no matcher: the journaler alone holds the ring */
    parameters.gating_names[0] = LINE_JOURNALER;
    must(ring_create(&world->command_ring, path, &parameters, &world->error) == 0, world->error.what);
    must(ring_producer_open(&world->producer, &world->command_ring, 0, &world->error) == 0, world->error.what);
    run_ring_path(&world->run, RING_NAME_EVENT, path);
    run_ring_parameters(&world->run, RING_NAME_EVENT, &parameters);
    parameters.record_hash = event_layout_hash();
    parameters.capacity = (uint32_t)world->config.rings_event_slots;
    parameters.base_seq = world->run.base.event_seq_next;
    parameters.gating_count = 1;
    parameters.gating_names[0] = LINE_EVENT_LOG;
    must(ring_create(&world->event_ring, path, &parameters, &world->error) == 0, world->error.what);
    must(ring_producer_open(&world->event_producer, &world->event_ring, 0, &world->error) == 0, world->error.what);
}

int world_poll(struct world *world)
{
    world->now_ns += NS_PER_MS / 10;
    return journaler_stage.poll(world->stage, world->now_ns, &world->error);
}

uint64_t world_cursor(const struct world *world)
{
    return atomic_load(&world->command_ring.file->consumers[0].cursor);
}

int world_poll_until(struct world *world, uint64_t seq)
{
    int result = 0;
    for (int polls = 0; polls < POLLS_MAX && result >= 0 && world_cursor(world) < seq; polls++) {
        result = world_poll(world);
        if (result == 0)
            usleep(20);
    }
    return result;
}

/* ---- commands -----------------------------------------------------------------------------------------------------
 */

void world_command(uint64_t seq, struct command *command)
{
    uint64_t words[RECORD_BYTES / 8];
    for (uint32_t i = 0; i < ARRAY_COUNT(words); i++) {
        uint64_t value = (seq * 16 + i) * 0x9e3779b97f4a7c15u;
        value ^= value >> 29;
        value *= 0xbf58476d1ce4e5b9u;
        words[i] = value >> 60 < 6 ? 0 : value; /* some words are zero, as in real ones */
    }
    memcpy(command, words, sizeof(*command));
    command->head = (struct record_head){0};
    command->command_seq = seq;
    command->time_ns = 1700000000u * (uint64_t)NS_PER_SECOND + seq;
}

uint64_t world_publish(struct world *world, uint64_t last)
{
    uint64_t count = 0;
    while (world->producer.next <= last) {
        struct command command;
        world_command(world->producer.next, &command);
        if (!ring_put(&world->producer, &command))
            break;
        count++;
    }
    ring_flush(&world->producer);
    return count;
}

void world_publish_events(struct world *world, uint64_t count)
{
    for (; count > 0; count--) {
        struct event event = {.event_seq = world->event_producer.next, .command_seq = 1, .kind = EVENT_BOOK_TOP};
        must(ring_put(&world->event_producer, &event), "event ring full");
    }
    ring_flush(&world->event_producer);
}

int64_t world_read(struct world *world, uint64_t from)
{
    struct journal_reader *reader;
    struct command commands[100];
    uint64_t seq = from;
    int result = journal_reader_open(&reader, world->config.journal_directory, from, &world->error);
    if (result < 0)
        return result;
    while ((result = journal_reader_next(reader, commands, ARRAY_COUNT(commands), 0, &world->error)) > 0)
        for (int i = 0; i < result; i++, seq++) {
            struct command expected;
            world_command(seq, &expected);
            must(memcmp(&expected, &commands[i], sizeof(expected)) == 0, "a command differs");
        }
    journal_reader_close(reader);
    return result < 0 ? result : (int64_t)seq;
}

/* ---- files --------------------------------------------------------------------------------------------------------
 */

void world_segment_path(const struct world *world, uint32_t number, char path[DISK_PATH_BYTES])
{
    journal_segment_path(world->config.journal_directory, number, path);
}

uint8_t *world_load(const char *path, size_t *ret_bytes)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    must(file >= 0 && fstat(file, &status) == 0, path);
    uint8_t *bytes = malloc((size_t)status.st_size + 1);
    must(bytes && read(file, bytes, (size_t)status.st_size) == status.st_size, path);
    close(file);
    *ret_bytes = (size_t)status.st_size;
    return bytes;
}

void world_store(const char *path, const uint8_t *bytes, size_t count)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    must(file >= 0 && write(file, bytes, count) == (ssize_t)count, path);
    close(file);
}
