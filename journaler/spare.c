/*
 * The next segment, made beside the path:
 *
 *   NONE --create--> RESERVING --> NAMING --> ZEROING --> SYNCING --> READY
 *    | ^                 |            |          |           |          ^
 *    | +-- no space: an alarm, and again in a second --------+          |
 *    |                                                                  |
 *    +-- a trimmed segment's file, used anew (journal/spares.h): NAMING +
 *
 * Zero-writing matters for direct durable writes alone: a block that was written before needs no change of the file
 * system's own books, and a durable write then costs one write. In the page cache (write, off) it is left out.
 */
#include "journal.h"

#include "base/units.h"
#include "journal/segments.h"
#include "journal/spares.h"
#include "log/log.h"

#include <errno.h>
#include <stdio.h>

#define RETRY_NS ((uint64_t)NS_PER_SECOND)

/* Segments after an opening grow to their full size by this, so that the first one need not be large (and zeroed). */
#define GROWTH 4

/*
 * The spare is ready when so much of the current segment is used. Every zero-written chunk makes a batch beside it
 * wait, so they are spread over nearly all of the segment; what is left is for a batch that is held up.
 */
#define READY_PERCENT 80

static uint64_t next_bytes(const struct journal *journal)
{
    uint64_t bytes = journal->current.header.segment_bytes * GROWTH;
    return bytes < journal->segment_bytes ? bytes : journal->segment_bytes;
}

void spare_pace(struct journal *journal, uint64_t bytes)
{
    uint64_t used = journal->current.header.segment_bytes / 100 * READY_PERCENT;
    journal->spare.credit += bytes * next_bytes(journal) / used + 1;
}

bool spare_usable(const struct spare *spare)
{
    return spare->state >= SPARE_ZEROING && spare->in_flight == 0;
}

int segment_create(const struct journal *journal, uint32_t number, int *ret_file, struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(journal->directory, number, path);
    unsigned direct = journal->durability == DURABILITY_SYNC ? DISK_DIRECT : 0;
    int file = disk()->open(path, DISK_WRITABLE | DISK_CREATE | direct, error);
    if (file < 0)
        return file;
    disk()->queue_adopt(journal->queue, file);
    *ret_file = file;
    return 0;
}

int segment_recycle(const struct journal *journal, uint32_t number, int *ret_file, struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(journal->directory, number, path);
    unsigned direct = journal->durability == DURABILITY_SYNC ? DISK_DIRECT : 0;
    int result = journal_spare_take(journal->directory, path, journal->segment_bytes, direct, ret_file, error);
    if (result > 0)
        disk()->queue_adopt(journal->queue, *ret_file);
    return result;
}

void spare_drop(struct journal *journal)
{
    struct spare *spare = &journal->spare;
    REQUIRE(spare->in_flight == 0);
    if (spare->state != SPARE_NONE) {
        char path[DISK_PATH_BYTES];
        struct error ignored;
        journal_segment_path(journal->directory, spare->number, path);
        disk()->queue_forget(journal->queue, spare->file);
        disk()->close(spare->file);
        (void)disk()->remove(path, &ignored); /* whoever opens the journal next removes it */
    }
    spare->state = SPARE_NONE;
    spare->file = -1;
}

static bool is_full(int64_t result)
{
    return result == -ENOSPC || result == -EDQUOT || result == -EFBIG;
}

/* Gives up and tries again later. Clients are held by the command ring when the current segment is full too. */
static void alarm_no_space(struct journal *journal, uint64_t now_ns)
{
    struct spare *spare = &journal->spare;
    if (!spare->no_space)
        log_failure("no space for the next segment of %llu bytes in %s: free some; %llu bytes are left before commands "
                    "have to wait",
                    (unsigned long long)spare->bytes, journal->directory,
                    (unsigned long long)(journal->current.header.segment_bytes - journal->current.offset));
    spare->no_space = true;
    spare->try_ns = now_ns + RETRY_NS;
    spare_drop(journal);
}

/* ---- requests -----------------------------------------------------------------------------------------------------
 */

static int submit(struct journal *journal, enum disk_action action, uint64_t bytes, struct error *error)
{
    struct spare *spare = &journal->spare;
    const struct disk_request request = {
        .action = action,
        .file = spare->file,
        .offset = action == DISK_WRITE ? spare->zeroed : 0,
        .bytes = bytes,
        .data = action == DISK_WRITE ? spare->zeros : NULL,
        .tag = TAG_SPARE,
    };
    spare->in_flight++;
    return disk()->queue_submit(journal->queue, &request, 1, error);
}

static int name_spare(struct journal *journal, struct error *error)
{
    const struct disk_request request = {
        .action = DISK_SYNC, .file = journal->directory_file, .tag = TAG_SPARE_DIRECTORY};
    journal->spare.state = SPARE_NAMING;
    journal->spare.in_flight++;
    int result = disk()->queue_submit(journal->queue, &request, 1, error);
    return result < 0 ? result : submit(journal, DISK_SYNC, 0, error);
}

static int begin_spare(struct journal *journal, uint64_t now_ns, struct error *error)
{
    struct spare *spare = &journal->spare;
    spare->number = journal->current.header.segment + 1;
    spare->zeroed = 0;
    int recycled = segment_recycle(journal, spare->number, &spare->file, error);
    if (recycled < 0)
        return recycled;
    spare->recycled = recycled > 0;
    spare->bytes = recycled > 0 ? journal->segment_bytes : next_bytes(journal);
    if (recycled > 0)
        return name_spare(journal, error);
    int result = segment_create(journal, spare->number, &spare->file, error);
    if (result == ERROR_FULL) {
        alarm_no_space(journal, now_ns);
        return 0;
    }
    if (result < 0)
        return result;
    spare->state = SPARE_RESERVING;
    return submit(journal, DISK_RESERVE, spare->bytes, error);
}

static uint64_t chunk_bytes(const struct spare *spare)
{
    uint64_t left = spare->bytes - spare->zeroed;
    return left < SPARE_CHUNK_BYTES ? left : SPARE_CHUNK_BYTES;
}

static int zero_chunk(struct journal *journal, bool idle, struct error *error)
{
    struct spare *spare = &journal->spare;
    uint64_t bytes = chunk_bytes(spare);
    if (journal->held || (!idle && spare->credit < bytes))
        return 0;
    spare->credit -= spare->credit < bytes ? spare->credit : bytes;
    return submit(journal, DISK_WRITE, bytes, error);
}

int spare_tend(struct journal *journal, uint64_t now_ns, bool idle, struct error *error)
{
    struct spare *spare = &journal->spare;
    if (spare->in_flight > 0)
        return 0;
    if (spare->state == SPARE_NONE)
        return now_ns >= spare->try_ns ? begin_spare(journal, now_ns, error) : 0;
    return spare->state == SPARE_ZEROING ? zero_chunk(journal, idle, error) : 0;
}

/* ---- completions --------------------------------------------------------------------------------------------------
 */

static void note_named(struct journal *journal)
{
    if (journal->spare.no_space)
        log_info("there is space for segment %u again", journal->spare.number);
    journal->spare.no_space = false;
    bool zeroes = journal->durability == DURABILITY_SYNC && !journal->spare.recycled;
    journal->spare.state = zeroes ? SPARE_ZEROING : SPARE_READY;
}

static int advance(struct journal *journal, struct error *error)
{
    struct spare *spare = &journal->spare;
    switch (spare->state) {
    case SPARE_RESERVING:
        return name_spare(journal, error);
    case SPARE_NAMING:
        note_named(journal);
        return 0;
    case SPARE_ZEROING:
        spare->zeroed += chunk_bytes(spare);
        if (spare->zeroed < spare->bytes)
            return 0;
        spare->state = SPARE_SYNCING;
        return submit(journal, DISK_SYNC, 0, error);
    case SPARE_SYNCING:
        spare->state = SPARE_READY;
        return 0;
    case SPARE_NONE:
    case SPARE_READY:
        break; /* nothing is in flight */
    }
    REQUIRE(spare->state != SPARE_NONE && spare->state != SPARE_READY);
    return 0;
}

int spare_complete(struct journal *journal, const struct disk_completion *completion, uint64_t now_ns,
                   struct error *error)
{
    struct spare *spare = &journal->spare;
    int64_t result = completion->result;
    REQUIRE(spare->in_flight > 0);
    spare->in_flight--;
    if (spare->state == SPARE_RESERVING && result == -EOPNOTSUPP)
        result = 0;
    bool short_chunk = spare->state == SPARE_ZEROING && result >= 0 && (uint64_t)result != chunk_bytes(spare);
    if (is_full(result) || short_chunk)
        spare->failed_full = true;
    else if (result < 0) {
        char path[DISK_PATH_BYTES];
        journal_segment_path(journal->directory, spare->number, path);
        return error_set(error, ERROR_IO, path, "cannot prepare the next segment: %s", strerrordesc_np((int)-result));
    }
    if (spare->in_flight > 0)
        return 0;
    if (spare->failed_full) {
        spare->failed_full = false;
        alarm_no_space(journal, now_ns);
        return 0;
    }
    return advance(journal, error);
}
