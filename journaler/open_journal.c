/*
 * Opening the journal for writing.
 *
 *   1. Read to the end, changing nothing: a torn tail is where it ends, anything worse refuses.
 *   2. Sync what was recovered: a dead process may have left it in the page cache only, and what follows builds on it.
 *   3. Remove the segments that had not begun: prepared ones, and one whose first write was torn.
 *   4. Begin a segment with a new epoch, whose header says where the one before is cut. From here on nothing that still
 *      lands in older segments counts.
 *   5. Give back the space of the older one behind its end.
 */
#include "journal.h"

#include "base/units.h"
#include "env/clock.h"
#include "journal/segments.h"
#include "log/log.h"
#include "record/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define STARTER_BYTES      (UINT64_C(64) << 20)
#define BATCHES_OF_STARTER 4

/* ---- preparing ----------------------------------------------------------------------------------------------------
 */

static int get_memory(struct journal *journal, struct error *error)
{
    uint64_t buffer_bytes = journal->batch_bytes + JOURNAL_BLOCK_BYTES;
    uint64_t bytes = 2 * buffer_bytes + SPARE_CHUNK_BYTES;
    journal->memory = aligned_alloc(JOURNAL_BLOCK_BYTES, bytes);
    if (!journal->memory)
        return error_system(error, ENOMEM, "journal", "no memory for batches");
    memset(journal->memory, 0, bytes);
    for (uint32_t i = 0; i < 2; i++)
        batch_init(&journal->batches[i], journal->memory + i * buffer_bytes, journal->batch_bytes);
    journal->spare.zeros = journal->memory + 2 * buffer_bytes;
    const struct disk_buffer buffers[] = {
        {journal->memory, buffer_bytes},
        {journal->memory + buffer_bytes, buffer_bytes},
        {journal->memory + 2 * buffer_bytes, SPARE_CHUNK_BYTES},
    };
    return disk()->queue_create(&journal->queue, buffers, ARRAY_COUNT(buffers), error);
}

int journal_prepare(struct journal *journal, const struct config *config, struct journal_found *found,
                    struct error *error)
{
    *journal = (struct journal){
        .durability = config->journal_durability,
        .segment_bytes = config->journal_segment_bytes,
        .batch_bytes = config->journal_batch_bytes,
        .directory_file = -1,
        .current.file = -1,
        .spare.file = -1,
        .retiring = -1,
    };
    snprintf(journal->directory, sizeof(journal->directory), "%s", config->journal_directory);
    int result = disk()->make_directory(journal->directory, error);
    if (result == 0)
        result = journal_end_find(&found->end, journal->directory, error);
    if (result == 0)
        result = get_memory(journal, error);
    if (result < 0)
        return result;
    journal->directory_file = disk()->open_directory(journal->directory, error);
    return journal->directory_file < 0 ? journal->directory_file : 0;
}

/* ---- the tail that is there ---------------------------------------------------------------------------------------
 */

static int sync_segment(const struct journal *journal, uint32_t number, struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(journal->directory, number, path);
    int file = disk()->open(path, DISK_WRITABLE, error);
    if (file < 0)
        return file;
    int result = disk()->sync(file, error);
    disk()->close(file);
    return result;
}

/*
 * Segments of older epochs were synced when the last one was begun. The oldest may have been trimmed since the end was
 * looked for; trimming goes from the oldest on and leaves the last.
 */
static int sync_tail(const struct journal *journal, const struct journal_end *end, struct error *error)
{
    bool met = false;
    for (uint32_t number = end->epoch_first_segment; end->position.segment != 0 && number <= end->position.segment;
         number++) {
        int result = sync_segment(journal, number, error);
        bool trimmed = result == ERROR_NOT_YET && !met && number < end->position.segment;
        if (result < 0 && !trimmed)
            return result;
        met = !trimmed;
    }
    return disk()->sync(journal->directory_file, error);
}

static int remove_unbegun(const struct journal *journal, const struct journal_end *end, struct error *error)
{
    for (uint32_t number = end->number_highest; number > end->position.segment; number--) {
        char path[DISK_PATH_BYTES];
        journal_segment_path(journal->directory, number, path);
        int result = disk()->remove(path, error);
        if (result < 0)
            return result;
    }
    return 0;
}

static int shorten_previous(const struct journal *journal, const struct journal_end *end, struct error *error)
{
    if (end->position.segment == 0)
        return 0;
    char path[DISK_PATH_BYTES];
    journal_segment_path(journal->directory, end->position.segment, path);
    int file = disk()->open(path, DISK_WRITABLE, error);
    if (file < 0)
        return file;
    uint64_t bytes = 0;
    int result = disk()->size(file, &bytes, error);
    if (result == 0 && bytes > end->position.segment_offset)
        result = disk()->truncate(file, end->position.segment_offset, error);
    disk()->close(file);
    return result;
}

/* ---- the new segment ----------------------------------------------------------------------------------------------
 */

static int fill_header(struct journal *journal, const struct journal_end *end, struct error *error)
{
    struct journal_segment_header header = {
        .magic = JOURNAL_MAGIC,
        .version = JOURNAL_VERSION,
        .header_bytes = JOURNAL_BLOCK_BYTES,
        .segment = end->position.segment + 1,
        .epoch = end->position.epoch + 1,
        .first_seq = end->position.command_seq_next,
        .chain = end->position.chain,
        .previous_end = end->position.segment != 0 ? end->position.segment_offset : 0,
        .previous_segment = end->position.segment,
        .batch_bytes_max = (uint32_t)journal->batch_bytes,
        .record_hash = command_layout_hash(),
        .last_time_ns = end->position.last_time_ns,
        .created_ns = clock_realtime_ns(),
    };
    memcpy(header.instance, end->segment.instance, sizeof(header.instance));
    if (end->position.segment == 0) {
        if (getrandom(header.instance, sizeof(header.instance), 0) != (ssize_t)sizeof(header.instance))
            return error_system(error, errno, journal->directory, "no random bytes for the journal's identity");
        header.chain = journal_chain_first(header.instance);
    }
    uint64_t starter = BATCHES_OF_STARTER * journal->batch_bytes;
    starter = starter < STARTER_BYTES ? STARTER_BYTES : starter;
    header.segment_bytes = journal->segment_bytes < starter ? journal->segment_bytes : starter;
    journal->current.header = header;
    return 0;
}

/* The space of the first segment, zero-written if that is of use. It is small, so this takes little time. */
static int fill_space(const struct journal *journal, struct error *error)
{
    uint64_t bytes = journal->current.header.segment_bytes;
    int result = disk()->reserve(journal->current.file, bytes, error);
    for (uint64_t at = 0; result == 0 && journal->durability == DURABILITY_SYNC && at < bytes;) {
        uint64_t chunk = bytes - at < SPARE_CHUNK_BYTES ? bytes - at : SPARE_CHUNK_BYTES;
        result = disk()->write(journal->current.file, at, journal->spare.zeros, chunk, error);
        at += chunk;
    }
    if (result == 0)
        result = disk()->sync(journal->current.file, error);
    return result < 0 ? result : disk()->sync(journal->directory_file, error);
}

/* Header and an empty batch in one write, so that a segment that has begun always has a batch. */
static int write_beginning(struct journal *journal, struct error *error)
{
    struct journal_segment_header *header = &journal->current.header;
    struct batch *batch = &journal->batches[0];
    batch_begin(batch, header->first_seq, header->last_time_ns, JOURNAL_BLOCK_BYTES);
    struct journal_batch_header place = {
        .segment = header->segment,
        .epoch = header->epoch,
        .offset = JOURNAL_BLOCK_BYTES,
        .previous_chain = header->chain,
        .durable_seq = header->first_seq,
        .events_synced = journal->events_synced,
        .checkpoint = journal->checkpoint,
    };
    memcpy(&place.instance_low, header->instance, sizeof(place.instance_low));
    memcpy(batch->buffer, header, sizeof(*header));
    uint64_t bytes = JOURNAL_BLOCK_BYTES + batch_finish(batch, &place);
    int result = disk()->write(journal->current.file, 0, batch->buffer, bytes, error);
    if (result == 0)
        result = disk()->sync(journal->current.file, error);
    journal->current.offset = bytes;
    journal->chain = batch_header(batch)->chain;
    return result;
}

static void tell(const struct journal *journal, const struct journal_found *found)
{
    const struct journal_end *end = &found->end;
    if (end->position.torn_bytes > 0)
        log_warning("cut %llu bytes of an unfinished batch after command %llu: segment %u ends at %llu",
                    (unsigned long long)end->position.torn_bytes,
                    (unsigned long long)end->position.command_seq_next - 1, end->position.segment,
                    (unsigned long long)end->position.segment_offset);
    bool queued = disk()->queue_asynchronous(journal->queue);
    if (!queued)
        log_warning("no io_uring (%s): writes are waited for one by one", disk()->queue_kind(journal->queue));
    if (journal->durability == DURABILITY_SYNC && !disk()->direct(journal->current.file))
        log_warning("%s has no direct access: batches go through the page cache and are synced", journal->directory);
    log_info("journal in %s: next command %llu, epoch %u, segment %u, durability %s", journal->directory,
             (unsigned long long)end->position.command_seq_next, journal->current.header.epoch,
             journal->current.header.segment, config_durability_name(journal->durability));
}

/* An older segment's file if there is one: it has its space, and blocks that were written before. */
static int begin_segment(struct journal *journal, const struct journal_end *end, struct error *error)
{
    struct journal_segment_header *header = &journal->current.header;
    int result = fill_header(journal, end, error);
    int recycled = result < 0 ? result : segment_recycle(journal, header->segment, &journal->current.file, error);
    if (recycled < 0)
        return recycled;
    header->compatible_flags = recycled > 0 ? JOURNAL_FLAG_RECYCLED : 0;
    if (recycled > 0)
        header->segment_bytes = journal->segment_bytes;
    else
        result = segment_create(journal, header->segment, &journal->current.file, error);
    journal_segment_seal(header);
    if (result == 0)
        result = recycled > 0 ? disk()->sync(journal->directory_file, error) : fill_space(journal, error);
    return result < 0 ? result : write_beginning(journal, error);
}

int journal_begin(struct journal *journal, const struct journal_found *found, uint64_t now_ns, struct error *error)
{
    const struct journal_end *end = &found->end;
    journal->events_synced = end->last.events_synced != 0 ? end->last.events_synced : 1;
    journal->checkpoint = end->last.checkpoint;
    int result = sync_tail(journal, end, error);
    if (result == 0)
        result = remove_unbegun(journal, end, error);
    if (result == 0)
        result = begin_segment(journal, end, error);
    if (result == 0)
        result = shorten_previous(journal, end, error);
    if (result < 0)
        return result;
    uint64_t seq = end->position.command_seq_next;
    journal->acknowledged_seq = journal->durable_seq = seq;
    journal->acknowledged_offset = journal->durable_offset = journal->current.offset;
    journal->last_time_ns = end->position.last_time_ns;
    journal->active_ns = now_ns;
    journal->sealed = true;
    journal->events_told = journal->events_synced;
    uint64_t left = journal->current.header.segment_bytes - journal->current.offset;
    batch_begin(&journal->batches[journal->filling], seq, journal->last_time_ns, left);
    tell(journal, found);
    return 0;
}

void journal_close(struct journal *journal)
{
    if (!journal->queue) {
        free(journal->memory);
        journal->memory = NULL;
        return;
    }
    struct disk_completion completions[DISK_QUEUE_DEPTH];
    /* Nobody hears of what completes now; the next opening finds it. */
    while (disk()->queue_wait(journal->queue, NULL) == 0 &&
           disk()->queue_reap(journal->queue, completions, DISK_QUEUE_DEPTH, NULL) > 0)
        continue;
    journal->spare.in_flight = 0;
    spare_drop(journal);
    disk()->queue_destroy(journal->queue);
    disk()->close(journal->current.file);
    disk()->close(journal->retiring);
    disk()->close(journal->directory_file);
    free(journal->memory);
    journal->queue = NULL;
    journal->memory = NULL;
}
