/*
 * The journal's reader: opening, commands out of batches, position. Going from batch to batch is in step.c.
 */
#include "journal/reader.h"

#include "journal/ahead.h"
#include "journal/segments.h"
#include "journal/tail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define WINDOW_BATCHES   4
#define WINDOW_BYTES_MIN ((size_t)256 << 10)

int journal_reader_fit_window(struct journal_reader *reader, struct error *error)
{
    size_t room = (size_t)WINDOW_BATCHES * reader->segment.batch_bytes_max;
    room = room < WINDOW_BYTES_MIN ? WINDOW_BYTES_MIN : room;
    if (room <= reader->window_room)
        return 0;
    free(reader->window);
    reader->window_count = 0;
    reader->window_room = 0;
    reader->window = aligned_alloc(JOURNAL_BLOCK_BYTES, room);
    if (!reader->window)
        return error_system(error, ENOMEM, reader->directory, "no memory for a reader's window");
    reader->window_room = room;
    return 0;
}

/* ---- opening ------------------------------------------------------------------------------------------------------
 */

static int late_beginning(const struct journal_reader *reader, uint32_t number, const char *why, struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(reader->directory, number, path);
    return error_set(error, ERROR_CORRUPT, path, "at offset 0: %s, but a later segment has begun",
                     why ? why : "segment header: is blank");
}

/* It was listed, and is not there any more: who reads from the beginning on finds what is left. */
static int trimmed_meanwhile(const struct journal_reader *reader, uint32_t number, struct error *error)
{
    return error_set(error, ERROR_GONE, reader->directory,
                     "segment %u and what comes before it were trimmed while they were looked for; begin again",
                     number);
}

/* The newest segment that begins at or before from_seq. Its file is left open in the reader. */
static int find_segment(struct journal_reader *reader, const struct journal_segments *segments, struct error *error)
{
    uint64_t oldest_seq = 0;
    for (uint32_t i = segments->count; i-- > 0;) {
        const char *why = NULL;
        int state =
            journal_segment_open(reader->directory, segments->numbers[i], &reader->file, &reader->segment, &why, error);
        if (state < 0)
            return state;
        if (state == SEGMENT_BEGUN && reader->segment.first_seq <= reader->from_seq)
            return 0;
        disk()->close(state == SEGMENT_NONE ? -1 : reader->file);
        reader->file = -1;
        if (state == SEGMENT_BEGUN)
            oldest_seq = reader->segment.first_seq;
        else if (oldest_seq != 0)
            return state == SEGMENT_NONE ? trimmed_meanwhile(reader, segments->numbers[i], error)
                                         : late_beginning(reader, segments->numbers[i], why, error);
        else {
            bool begun = false;
            int64_t bytes = journal_unbegun_bytes(reader->directory, segments->numbers[i], NULL, &begun, error);
            if (bytes < 0)
                return (int)bytes;
            i += begun; /* since it was looked at, by a journaler that is at work: once more */
        }
    }
    if (oldest_seq == 0)
        return error_set(error, ERROR_NOT_YET, reader->directory, "holds no journal");
    return error_set(error, ERROR_INVALID, reader->directory,
                     "command %llu is not in the journal any more, which begins with %llu",
                     (unsigned long long)reader->from_seq, (unsigned long long)oldest_seq);
}

/*
 * The oldest segment, which must have begun if any has. Its file is left open in the reader. Those that were trimmed
 * since they were listed are not there: the oldest is the first one behind them.
 */
static int find_oldest(struct journal_reader *reader, const struct journal_segments *segments, struct error *error)
{
    const char *why_first = NULL;
    uint32_t first = 0;
    for (uint32_t i = 0; i < segments->count;) {
        const char *why = NULL;
        uint32_t number = segments->numbers[i];
        int state = journal_segment_open(reader->directory, number, &reader->file, &reader->segment, &why, error);
        if (state < 0)
            return state;
        if (state == SEGMENT_BEGUN)
            return i == first ? 0 : late_beginning(reader, segments->numbers[first], why_first, error);
        disk()->close(state == SEGMENT_NONE ? -1 : reader->file);
        reader->file = -1;
        if (state == SEGMENT_NONE) {
            first += i == first;
            i++;
            continue;
        }
        why_first = i == first ? why : why_first;
        bool begun = false;
        int64_t bytes = journal_unbegun_bytes(reader->directory, number, NULL, &begun, error);
        if (bytes < 0)
            return (int)bytes;
        i += !begun; /* since it was looked at, by a journaler that is at work: once more */
    }
    return error_set(error, ERROR_NOT_YET, reader->directory, "holds no journal");
}

static int open_in_place(struct journal_reader *reader, struct error *error)
{
    struct journal_segments segments;
    int result = journal_segments_list(&segments, reader->directory, error);
    if (result < 0)
        return result;
    result = reader->from_seq == 0 ? find_oldest(reader, &segments, error) : find_segment(reader, &segments, error);
    journal_segments_finish(&segments);
    if (result < 0)
        return result;
    reader->cursor = (struct journal_cursor){
        .offset = JOURNAL_BLOCK_BYTES, .chain = reader->segment.chain, .seq = reader->segment.first_seq};
    reader->last_time_ns = reader->segment.last_time_ns;
    return journal_reader_fit_window(reader, error);
}

/* from_seq 0: at the oldest segment. */
static int reader_open(struct journal_reader **ret_reader, const char *directory, uint64_t from_seq,
                       struct error *error)
{
    struct journal_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return error_system(error, ENOMEM, directory, "no memory for a reader");
    snprintf(reader->directory, sizeof(reader->directory), "%s", directory);
    reader->from_seq = from_seq;
    reader->file = reader->next_file = -1;
    int result = open_in_place(reader, error);
    if (result < 0) {
        journal_reader_close(reader);
        return result;
    }
    *ret_reader = reader;
    return 0;
}

int journal_reader_open(struct journal_reader **ret_reader, const char *directory, uint64_t from_seq,
                        struct error *error)
{
    REQUIRE(from_seq > 0);
    return reader_open(ret_reader, directory, from_seq, error);
}

int journal_reader_open_oldest(struct journal_reader **ret_reader, const char *directory, struct error *error)
{
    return reader_open(ret_reader, directory, 0, error);
}

int journal_reader_read_ahead(struct journal_reader *reader, struct error *error)
{
    return reader->ahead ? 0 : journal_ahead_create(&reader->ahead, error);
}

void journal_reader_close(struct journal_reader *reader)
{
    if (!reader)
        return;
    journal_ahead_destroy(reader->ahead);
    disk()->close(reader->file);
    disk()->close(reader->next_file);
    free(reader->window);
    free(reader);
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

static int record_broken(const struct journal_reader *reader, struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(reader->directory, reader->last.segment, path);
    return error_set(error, ERROR_CORRUPT, path,
                     "at offset %llu: record of command %llu is not one, though its batch checks",
                     (unsigned long long)reader->last.offset, (unsigned long long)reader->record_seq);
}

/* Gives out records of the batch at hand. */
static int take_records(struct journal_reader *reader, struct command *commands, uint32_t max, uint64_t durable_end,
                        struct error *error)
{
    uint32_t count = 0;
    while (reader->record_count > 0 && count < max && (durable_end == 0 || reader->record_seq < durable_end)) {
        uint32_t bytes =
            journal_record_decode(reader->record, reader->record_end, reader->record_seq, &commands[count]);
        if (UNLIKELY(bytes == 0))
            return record_broken(reader, error);
        reader->record += bytes;
        reader->record_count--;
        count += reader->record_seq >= reader->from_seq;
        reader->record_seq++;
        if (UNLIKELY(reader->record_count == 0 && reader->record != reader->record_end))
            return record_broken(reader, error);
    }
    return (int)count;
}

int journal_reader_next(struct journal_reader *reader, struct command *commands, uint32_t max, uint64_t durable_end,
                        struct error *error)
{
    uint32_t count = 0;
    while (count < max) {
        int taken = take_records(reader, commands + count, max - count, durable_end, error);
        if (taken < 0)
            return taken;
        count += (uint32_t)taken;
        if (count == max || reader->record_count > 0)
            break;
        if (durable_end != 0 && reader->cursor.seq >= durable_end)
            break;
        int result = journal_reader_step(reader, durable_end, error);
        if (result < 0)
            return result;
        if (result == 0)
            break;
    }
    return (int)count;
}

int journal_reader_batch(struct journal_reader *reader, uint64_t durable_end,
                         const struct journal_batch_header **ret_header, struct error *error)
{
    reader->record_count = 0;
    if (durable_end != 0 && reader->cursor.seq >= durable_end)
        return 0;
    int result = journal_reader_step(reader, durable_end, error);
    if (result > 0)
        *ret_header = &reader->last;
    return result;
}

int journal_reader_records(struct journal_reader *reader, struct command *commands, uint32_t max, struct error *error)
{
    return take_records(reader, commands, max, 0, error);
}

uint64_t journal_reader_seq(const struct journal_reader *reader)
{
    return reader->record_seq;
}

const struct journal_segment_header *journal_reader_segment(const struct journal_reader *reader)
{
    return &reader->segment;
}

void journal_reader_position(const struct journal_reader *reader, struct journal_position *position)
{
    *position = (struct journal_position){
        .command_seq_next = reader->cursor.seq,
        .last_time_ns = reader->last_time_ns,
        .chain = reader->cursor.chain,
        .epoch = reader->segment.epoch,
        .segment = reader->segment.segment,
        .segment_offset = reader->cursor.offset,
        .events_synced = reader->last.events_synced,
        .torn_bytes = reader->torn_bytes,
    };
    memcpy(position->instance, reader->segment.instance, sizeof(position->instance));
}

void journal_reader_witness(const struct journal_reader *reader, struct journal_witness *ret)
{
    bool seal_newer = reader->seal.durable_seq > reader->last.durable_seq ||
                      (reader->seal.durable_seq == reader->last.durable_seq &&
                       reader->seal.events_synced > reader->last.events_synced);
    const struct journal_batch_header *newest = seal_newer ? &reader->seal : &reader->last;
    *ret = (struct journal_witness){
        .durable_seq = newest->durable_seq,
        .events_synced = newest->events_synced,
        .checkpoint_command_seq = newest->checkpoint.command_seq,
        .checkpoint_event_hash = newest->checkpoint.event_hash,
        .checkpoint_state_hash = newest->checkpoint.state_hash,
    };
}
