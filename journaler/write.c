/* Batches through the journal: filled, submitted, completed, sealed. */
#include "journal.h"

#include "base/units.h"
#include "env/clock.h"
#include "log/log.h"

#include <stdio.h>

#define SEAL_IDLE_NS     (100 * (uint64_t)NS_PER_MS)
#define SPARE_IDLE_NS    (2 * (uint64_t)NS_PER_MS)
#define LAZY_INTERVAL_NS ((uint64_t)NS_PER_SECOND)

/* What is left of a segment is not worth a batch when it is less than this part of a full one. */
#define REST_PART 4

static uint64_t room_left(const struct journal *journal)
{
    return journal->current.header.segment_bytes - journal->current.offset;
}

/* The other buffer takes what comes next. It is limited to what the segment still holds, unless that is too little. */
static void begin_next(struct journal *journal, uint64_t seq)
{
    uint64_t left = room_left(journal);
    uint64_t limit =
        left < journal->batch_bytes / REST_PART || left < JOURNAL_BLOCK_BYTES ? journal->batch_bytes : left;
    batch_begin(&journal->batches[journal->filling], seq, journal->last_time_ns, limit);
}

/* ---- rotation -----------------------------------------------------------------------------------------------------
 */

/* With lazy syncs the segment before is kept until it is on the medium: only then can the next one count. */
static void retire_current(struct journal *journal)
{
    if (journal->durability == DURABILITY_SYNC) {
        disk()->queue_forget(journal->queue, journal->current.file);
        disk()->close(journal->current.file);
    } else {
        journal->retiring = journal->current.file;
    }
}

static void rotate(struct journal *journal, const struct batch *batch)
{
    struct journal_segment_header header = journal->current.header;
    header.previous_segment = header.segment;
    header.previous_end = journal->current.offset;
    header.segment = journal->spare.number;
    header.segment_bytes = journal->spare.bytes;
    header.compatible_flags = journal->spare.recycled ? JOURNAL_FLAG_RECYCLED : 0;
    header.first_seq = batch->first_seq;
    header.chain = journal->chain;
    header.last_time_ns = journal->last_time_ns;
    header.created_ns = clock_realtime_ns();
    journal_segment_seal(&header);
    retire_current(journal);
    journal->current =
        (struct journal_segment_file){.header = header, .file = journal->spare.file, .offset = JOURNAL_BLOCK_BYTES};
    journal->spare = (struct spare){.file = -1, .zeros = journal->spare.zeros};
    journal->acknowledged_offset = journal->durable_offset = 0;
    memcpy(batch->buffer, &header, sizeof(header));
}

static bool can_rotate(const struct journal *journal)
{
    return spare_usable(&journal->spare) && journal->retiring < 0;
}

/* ---- submitting ---------------------------------------------------------------------------------------------------
 */

static struct journal_batch_header place_of(const struct journal *journal)
{
    struct journal_batch_header place = {
        .segment = journal->current.header.segment,
        .epoch = journal->current.header.epoch,
        .offset = journal->current.offset,
        .previous_chain = journal->chain,
        .durable_seq = journal->durable_seq,
        .durable_offset = journal->durable_offset,
        .events_synced = journal->events_synced,
        .checkpoint = journal->checkpoint,
    };
    memcpy(&place.instance_low, journal->current.header.instance, sizeof(place.instance_low));
    return place;
}

static void note_hold(struct journal *journal)
{
    if (journal->held)
        return;
    journal->held = true;
    journal->hold_count++;
    log_warning("segment %u is full and the next one is not ready: commands wait", journal->current.header.segment);
}

static void note_submitted(struct journal *journal, uint64_t command_count, uint64_t bytes)
{
    if (!journal->values)
        return;
    journal->submitted_ns = clock_monotonic_ns();
    metrics_add(&journal->values->batches, 1);
    metrics_add(&journal->values->bytes, bytes);
    if (command_count > 0)
        metrics_record(&journal->values->batch, command_count);
}

/* 1: submitted. 0: there is no segment for it yet. */
static int submit_batch(struct journal *journal, uint64_t now_ns, struct error *error)
{
    struct batch *batch = &journal->batches[journal->filling];
    bool begins = journal_batch_bytes(batch->payload_bytes) > room_left(journal);
    if (begins && !can_rotate(journal)) {
        note_hold(journal);
        return 0;
    }
    if (begins)
        rotate(journal, batch);
    journal->held = false;
    const struct journal_batch_header place = place_of(journal);
    uint64_t bytes = batch_finish(batch, &place);
    uint64_t lead = begins ? JOURNAL_BLOCK_BYTES : 0; /* the segment's header goes with its first batch */
    const struct disk_request request = {
        .action = journal->durability == DURABILITY_SYNC ? DISK_WRITE_DURABLE : DISK_WRITE,
        .file = journal->current.file,
        .offset = journal->current.offset - lead,
        .bytes = bytes + lead,
        .data = batch->buffer + JOURNAL_BLOCK_BYTES - lead,
        .tag = TAG_BATCH,
    };
    int result = disk()->queue_submit(journal->queue, &request, 1, error);
    if (result < 0)
        return result;
    journal->in_flight = true;
    journal->in_flight_bytes = request.bytes;
    journal->current.offset += bytes;
    journal->chain = batch_header(batch)->chain;
    journal->last_time_ns = batch->last_time_ns;
    journal->sealed = batch->count == 0;
    journal->events_told = journal->events_synced;
    journal->active_ns = now_ns;
    journal->batch_count++;
    journal->byte_count += request.bytes;
    note_submitted(journal, batch->count, request.bytes);
    spare_pace(journal, request.bytes);
    journal->filling ^= 1;
    begin_next(journal, batch_seq_next(batch));
    return 1;
}

int journal_submit(struct journal *journal, uint64_t now_ns, struct error *error)
{
    if (journal->in_flight || journal->batches[journal->filling].count == 0)
        return 0;
    return submit_batch(journal, now_ns, error);
}

/* ---- completions --------------------------------------------------------------------------------------------------
 */

static int failed(const struct journal *journal, int64_t result, const char *what, struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(journal->directory, journal->current.header.segment, path);
    return error_set(error, ERROR_IO, path, "%s: %s; nothing after command %llu was acknowledged", what,
                     result < 0 ? strerrordesc_np((int)-result) : "a part was written only",
                     (unsigned long long)(journal->acknowledged_seq - 1));
}

static int complete_batch(struct journal *journal, int64_t result, uint64_t now_ns, struct error *error)
{
    REQUIRE(journal->in_flight);
    if (result < 0 || (uint64_t)result != journal->in_flight_bytes)
        return failed(journal, result, "cannot write a batch", error);
    journal->in_flight = false;
    journal->active_ns = now_ns;
    if (journal->values)
        metrics_record(&journal->values->sync_ns, clock_monotonic_ns() - journal->submitted_ns);
    journal->acknowledged_seq = journal->batches[journal->filling].first_seq;
    journal->acknowledged_offset = journal->current.offset;
    if (journal->durability == DURABILITY_SYNC) {
        journal->durable_seq = journal->acknowledged_seq;
        journal->durable_offset = journal->acknowledged_offset;
    }
    return 0;
}

/* The segment before is on the medium: all commands before the current one's first are. */
static void retired(struct journal *journal)
{
    disk()->queue_forget(journal->queue, journal->retiring);
    disk()->close(journal->retiring);
    journal->retiring = -1;
    journal->durable_seq = journal->current.header.first_seq;
}

/* Where the next segment began meanwhile, the offset was one of the segment before; the number holds all the same. */
static int complete_lazy_sync(struct journal *journal, int64_t result, struct error *error)
{
    if (result < 0)
        return failed(journal, result, "cannot sync", error);
    journal->lazy_in_flight = false;
    if (journal->lazy_retires) {
        retired(journal);
        return 0;
    }
    journal->durable_seq = journal->lazy_seq;
    if (journal->retiring < 0)
        journal->durable_offset = journal->lazy_offset;
    return 0;
}

int journal_complete(struct journal *journal, const struct disk_completion *completion, uint64_t now_ns,
                     struct error *error)
{
    switch (completion->tag) {
    case TAG_BATCH:
        return complete_batch(journal, completion->result, now_ns, error);
    case TAG_LAZY_SYNC:
        return complete_lazy_sync(journal, completion->result, error);
    default:
        return spare_complete(journal, completion, now_ns, error);
    }
}

/* ---- beside the path ----------------------------------------------------------------------------------------------
 */

/*
 * write and off only. Beside a batch in flight, for there may always be one; that one is not part of what it makes
 * durable: it vouches for the batches that had completed when it began. The segment before goes first, and whole.
 */
static int sync_lazily(struct journal *journal, uint64_t now_ns, bool idle, struct error *error)
{
    bool retires = journal->retiring >= 0;
    bool dirty = journal->durable_offset != journal->acknowledged_offset;
    bool due = idle || now_ns >= journal->lazy_next_ns;
    if (journal->durability == DURABILITY_SYNC || journal->lazy_in_flight || !(retires || (dirty && due)))
        return 0;
    journal->lazy_in_flight = true;
    journal->lazy_retires = retires;
    if (!retires)
        journal->lazy_next_ns = now_ns + LAZY_INTERVAL_NS;
    journal->lazy_seq = journal->acknowledged_seq;
    journal->lazy_offset = journal->acknowledged_offset;
    const struct disk_request request = {
        .action = DISK_SYNC,
        .file = retires ? journal->retiring : journal->current.file,
        .tag = TAG_LAZY_SYNC,
    };
    return disk()->queue_submit(journal->queue, &request, 1, error);
}

/* Once more when the event log's end has reached the medium: who starts from there learns of it. */
static bool may_seal(const struct journal *journal)
{
    bool known_durable = journal->durable_offset == journal->current.offset;
    bool news = !journal->sealed || (journal->events_synced > journal->events_told && !journal->stopping);
    return news && !journal->in_flight && journal->batches[journal->filling].count == 0 && known_durable;
}

int journal_tend(struct journal *journal, uint64_t now_ns, struct error *error)
{
    uint64_t quiet_ns = now_ns - journal->active_ns;
    bool idle = !journal->in_flight && journal->batches[journal->filling].count == 0;
    bool quiet = idle && (journal->stopping || quiet_ns >= SEAL_IDLE_NS);
    int result = sync_lazily(journal, now_ns, quiet, error);
    if (result == 0 && quiet && may_seal(journal))
        result = submit_batch(journal, now_ns, error);
    if (result >= 0 && !journal->stopping)
        result = spare_tend(journal, now_ns, idle && quiet_ns >= SPARE_IDLE_NS, error);
    return result < 0 ? result : 0;
}

/* What has no segment to go to is still in its ring, and was told to nobody: it need not be waited for. */
bool journal_settled(const struct journal *journal)
{
    bool empty = journal->batches[journal->filling].count == 0 && journal->sealed;
    return (empty || journal->held) && !journal->in_flight && !journal->lazy_in_flight;
}
