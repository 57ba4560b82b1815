#include "snapshotter.h"

#include "base/units.h"
#include "books.h"
#include "env/clock.h"
#include "journal/journal_read.h"
#include "journal/segments.h"
#include "journal/tail.h"
#include "log/log.h"
#include "restore.h"
#include "ring/ring.h"
#include "snapshot_files.h"
#include "snapshot_writer.h"
#include "topology/topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BATCH_COMMANDS 2048u                        /* powers of two */
#define EVENT_PLACES   1024u                        /* the events of a batch are dropped */
#define PAUSE_NS       (50u * (uint64_t)NS_PER_MS)  /* between two parts: 80 MB a second */
#define LOOK_NS        (100u * (uint64_t)NS_PER_MS) /* for another run */
#define WRITTEN_NS     ((uint64_t)NS_PER_SECOND)    /* with durability off: what was told then is in the file by now */

struct snapshotter {
    const struct config *config;
    bool follow;
    uint64_t every_commands;
    uint8_t instance[16];
    struct books books;
    struct journal_reader *reader;
    struct snapshot_writer writer;
    bool written;  /* what the writer holds is on the medium, and waits for its witness */
    bool no_space; /* for the last snapshot; the next one is tried when it is due */
    uint64_t part_next_ns;

    struct ring commands; /* mapped for reading; file NULL: there is no run */
    ino_t ring_inode;
    const _Atomic uint64_t *durable; /* the journaler's cursor */
    uint64_t look_next_ns;
    uint64_t tail_end; /* with no run: below this the journal says it is durable */
    /* With durability off the cursor tells what was filled; by when it is written nobody says. */
    uint64_t settled_end; /* the cursor of WRITTEN_NS ago or before */
    uint64_t told_end;    /* the cursor at told_ns */
    uint64_t told_ns;
    uint64_t once_end; /* not following: what could be read at the start is what the snapshot is to hold */

    uint64_t taken_seq; /* command_seq_next of the last snapshot begun or found */
    struct snapshotter_status status;
    struct command batch[BATCH_COMMANDS]; /* command n at n % BATCH_COMMANDS */
    struct event events[EVENT_PLACES];
};

/* ---- how far the journal may be read ------------------------------------------------------------------------------
 */

static const _Atomic uint64_t *journaler_cursor(const struct ring_file *file)
{
    for (uint32_t line = 0; line < file->header.gating_count; line++) {
        if (strcmp(file->consumers[line].name, LINE_JOURNALER) == 0)
            return &file->consumers[line].cursor;
    }
    return NULL;
}

/* Maps the command ring of the run at hand, if there is one; another run's instead of an older one's. */
static int look_for_run(struct snapshotter *snapshotter, struct error *error)
{
    char path[CONFIG_TEXT_BYTES + 32];
    struct stat status;
    const struct ring_parameters expected = {.name = RING_NAME_COMMAND, .record_hash = command_layout_hash()};
    snprintf(path, sizeof(path), "%s/" RING_NAME_COMMAND ".ring", snapshotter->config->exchange_rings_directory);
    if (stat(path, &status) != 0 || (snapshotter->commands.file && status.st_ino == snapshotter->ring_inode))
        return 0;
    ring_detach(&snapshotter->commands);
    int result = ring_attach(&snapshotter->commands, path, false, &expected, error);
    if (result == ERROR_NOT_YET)
        return 0;
    if (result < 0)
        return result;
    snapshotter->durable = journaler_cursor(snapshotter->commands.file);
    if (!snapshotter->durable)
        return error_set(error, ERROR_MISMATCH, path, "it has no line of the journaler");
    snapshotter->ring_inode = status.st_ino;
    return 0;
}

/* Commands below are, or with durability off will be, in the journal. */
static uint64_t known_end(const struct snapshotter *snapshotter)
{
    if (!snapshotter->commands.file)
        return snapshotter->tail_end;
    return atomic_load_explicit(snapshotter->durable, memory_order_acquire);
}

static bool cursor_is_durable(const struct snapshotter *snapshotter)
{
    return !snapshotter->commands.file || snapshotter->config->journal_durability != DURABILITY_OFF;
}

static void settle(struct snapshotter *snapshotter, uint64_t now_ns)
{
    if (cursor_is_durable(snapshotter) || now_ns - snapshotter->told_ns < WRITTEN_NS)
        return;
    snapshotter->settled_end = snapshotter->told_end;
    snapshotter->told_end = known_end(snapshotter);
    snapshotter->told_ns = now_ns;
}

/* Commands below may be read. */
static uint64_t readable_end(const struct snapshotter *snapshotter)
{
    return cursor_is_durable(snapshotter) ? known_end(snapshotter) : snapshotter->settled_end;
}

static int read_tail_end(struct snapshotter *snapshotter, struct error *error)
{
    struct journal_end end;
    int result = journal_end_find(&end, snapshotter->config->journal_directory, error);
    if (result == 0)
        snapshotter->tail_end = end.last.durable_seq;
    return result;
}

/* ---- opening ------------------------------------------------------------------------------------------------------
 */

/* A run's cursor is surer than the journal's own witness, and there at once. */
static int find_bounds(struct snapshotter *snapshotter, struct error *error)
{
    int result = journal_instance_read(snapshotter->config->journal_directory, snapshotter->instance, error);
    if (result == 0)
        result = look_for_run(snapshotter, error);
    if (result == 0 && !snapshotter->commands.file)
        result = read_tail_end(snapshotter, error);
    return result;
}

static int open_books(struct snapshotter *snapshotter, struct error *error)
{
    struct snapshot_header header = {0};
    const struct restore_bounds bounds = {.journal_directory = snapshotter->config->journal_directory,
                                          .command_seq_end = known_end(snapshotter),
                                          .event_seq_end = UINT64_MAX};
    int result = books_open(&snapshotter->books, snapshotter->config, error);
    if (result == 0)
        result = restore_books(&snapshotter->books, &header, snapshotter->config->snapshots_directory, &bounds, error);
    if (result < 0)
        return result;
    if (result > 0)
        snapshotter->status.published_seq = header.command_seq_next;
    snapshotter->taken_seq = engine_command_seq_next(snapshotter->books.engine);
    snapshotter->once_end = bounds.command_seq_end;
    return journal_reader_open(&snapshotter->reader, snapshotter->config->journal_directory, snapshotter->taken_seq,
                               error);
}

int snapshotter_open(struct snapshotter **ret, const struct config *config, bool follow, struct error *error)
{
    struct snapshotter *snapshotter = calloc(1, sizeof(*snapshotter));
    if (!snapshotter)
        return error_system(error, ENOMEM, config->snapshots_directory, "no memory");
    snapshotter->config = config;
    snapshotter->follow = follow;
    snapshotter->every_commands = config->snapshots_every_commands;
    int result = snapshot_writer_open(&snapshotter->writer, config->snapshots_directory, error);
    if (result == 0)
        result = find_bounds(snapshotter, error);
    if (result == 0)
        result = open_books(snapshotter, error);
    if (result < 0) {
        snapshotter_close(snapshotter);
        return result;
    }
    *ret = snapshotter;
    return 0;
}

void snapshotter_close(struct snapshotter *snapshotter)
{
    if (!snapshotter)
        return;
    snapshot_writer_close(&snapshotter->writer);
    journal_reader_close(snapshotter->reader);
    books_close(&snapshotter->books);
    ring_detach(&snapshotter->commands);
    free(snapshotter);
}

/* ---- following ----------------------------------------------------------------------------------------------------
 */

static int apply(struct snapshotter *snapshotter, uint32_t count, struct error *error)
{
    const struct engine_output output = {.events = snapshotter->events, .mask = EVENT_PLACES - 1};
    struct engine *engine = snapshotter->books.engine;
    const struct engine_input input = {
        .commands = snapshotter->batch, .mask = BATCH_COMMANDS - 1, .end = engine_command_seq_next(engine) + count};
    while (engine_command_seq_next(engine) < input.end) {
        uint64_t events;
        int result = engine_apply_batch(engine, &input, count, &output, EVENT_PLACES, &events);
        if (result < 0)
            return error_set(error, ERROR_CORRUPT, snapshotter->config->journal_directory,
                             "command %llu is not where it is due",
                             (unsigned long long)engine_command_seq_next(engine));
        while (engine_more(engine))
            engine_continue(engine, &output);
    }
    return (int)count;
}

static int read_on(struct snapshotter *snapshotter, struct error *error)
{
    uint64_t end = readable_end(snapshotter);
    uint64_t next = engine_command_seq_next(snapshotter->books.engine);
    uint32_t place = (uint32_t)(next % BATCH_COMMANDS);
    uint32_t max = BATCH_COMMANDS - place;
    if (next >= end)
        return 0;
    if (end - next < max)
        max = (uint32_t)(end - next);
    /* A cursor that proves nothing is none for the reader: what is missing it waits for. */
    uint64_t durable_end = cursor_is_durable(snapshotter) ? end : 0;
    int count = journal_reader_next(snapshotter->reader, &snapshotter->batch[place], max, durable_end, error);
    return count <= 0 ? count : apply(snapshotter, (uint32_t)count, error);
}

/* ---- writing ------------------------------------------------------------------------------------------------------
 */

static bool due(const struct snapshotter *snapshotter)
{
    uint64_t next = engine_command_seq_next(snapshotter->books.engine);
    if (snapshotter->follow)
        return next - snapshotter->taken_seq >= snapshotter->every_commands;
    return next > snapshotter->taken_seq && next >= snapshotter->once_end;
}

/*
 * What the snapshot holds is on the medium in the journal, and where more commands come, its events are in the log.
 * With no run it was read no further than that. 1: so it is.
 */
static int witnessed(struct snapshotter *snapshotter, struct error *error)
{
    struct journal_witness witness;
    if (!snapshotter->commands.file)
        return 1;
    int result = journal_reader_seal(snapshotter->reader, error);
    journal_reader_witness(snapshotter->reader, &witness);
    if (result < 0)
        return result;
    return witness.durable_seq >= snapshotter->writer.command_seq_next &&
           (!snapshotter->follow || witness.events_synced >= snapshotter->writer.event_seq_next);
}

static int publish(struct snapshotter *snapshotter, struct error *error)
{
    struct journal_witness witness;
    journal_reader_witness(snapshotter->reader, &witness);
    const struct snapshot_kept kept = {.count = (uint32_t)snapshotter->config->snapshots_keep,
                                       .instance = snapshotter->instance,
                                       .events_synced = witness.events_synced};
    int result = snapshot_writer_publish(&snapshotter->writer, error);
    if (result == 0)
        result = snapshot_prune(snapshotter->config->snapshots_directory, &kept, error);
    if (result < 0)
        return result;
    if (snapshotter->no_space)
        log_info("there is space for snapshots again");
    snapshotter->no_space = false;
    snapshotter->written = false;
    snapshotter->status.published_seq = snapshotter->writer.command_seq_next;
    snapshotter->status.published_count++;
    snapshotter->status.published_bytes = snapshotter->writer.bytes;
    return 1;
}

/* Parts written or snapshots published. */
static int write_part(struct snapshotter *snapshotter, uint64_t now_ns, struct error *error)
{
    if (!snapshot_writer_busy(&snapshotter->writer)) {
        if (!due(snapshotter))
            return 0;
        snapshotter->taken_seq = engine_command_seq_next(snapshotter->books.engine);
        int result = snapshot_writer_begin(&snapshotter->writer, snapshotter->books.engine, snapshotter->instance,
                                           clock_realtime_ns(), error);
        return result < 0 ? result : 1;
    }
    if (snapshotter->written) {
        int result = witnessed(snapshotter, error);
        return result > 0 ? publish(snapshotter, error) : result;
    }
    if (now_ns < snapshotter->part_next_ns)
        return 0;
    int result = snapshot_writer_step(&snapshotter->writer, error);
    snapshotter->part_next_ns = now_ns + PAUSE_NS;
    snapshotter->written = result > 0;
    return result < 0 ? result : 1;
}

/*
 * Who follows goes on without the snapshot for which there is no space: it was dropped, the next one is due as many
 * commands later as ever, and until then a start has more to replay.
 */
static int write_on(struct snapshotter *snapshotter, uint64_t now_ns, struct error *error)
{
    struct error why = {0};
    int result = write_part(snapshotter, now_ns, &why);
    if (result == ERROR_FULL && snapshotter->follow && !snapshot_writer_busy(&snapshotter->writer)) {
        if (!snapshotter->no_space)
            log_error(&why, "no space for a snapshot: none is written until there is");
        snapshotter->no_space = true;
        snapshotter->written = false;
        return 0;
    }
    if (result < 0 && error)
        *error = why;
    return result;
}

int snapshotter_poll(struct snapshotter *snapshotter, uint64_t now_ns, struct error *error)
{
    if (now_ns >= snapshotter->look_next_ns) {
        snapshotter->look_next_ns = now_ns + LOOK_NS;
        int result = look_for_run(snapshotter, error);
        if (result < 0)
            return result;
    }
    settle(snapshotter, now_ns);
    int written = write_on(snapshotter, now_ns, error);
    int read = written < 0 ? written : read_on(snapshotter, error);
    if (read < 0)
        return read;
    snapshotter->status.idle = written == 0 && read == 0 && !snapshot_writer_busy(&snapshotter->writer) &&
                               engine_command_seq_next(snapshotter->books.engine) >= snapshotter->once_end;
    return written + read;
}

void snapshotter_status(const struct snapshotter *snapshotter, struct snapshotter_status *ret)
{
    *ret = snapshotter->status;
    ret->command_seq_next = engine_command_seq_next(snapshotter->books.engine);
    ret->command_seq_end = known_end(snapshotter);
    ret->live_order_count = engine_live_orders(snapshotter->books.engine);
}
