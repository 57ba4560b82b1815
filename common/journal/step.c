/*
 * From one batch of the journal to the next, over segments, and what to make of one that is not there.
 *
 * The order of questions at a place where a batch is due:
 *   1. Has a next segment begun? Then its header says where this one was cut: there, go over to it; before that, a
 * batch that does not check is corrupt; nothing beyond it counts. With a durable_end the question is asked again
 *      whenever the number due was not durable at the last answer, since a restarted journaler may have cut here.
 *   2. Is the batch whole? Then it is next.
 *   3. Is its number below durable_end? Then it was acknowledged: corrupt.
 *   4. Does anything further on prove that it was acknowledged? Then corrupt, else the end, with a torn tail perhaps.
 *
 * A journaler may be at work. So an answer that needs two looks (not whole here, but proof further on; not begun, but
 * batches in it) counts only if the first look still says the same after the second; else all is asked again.
 */
#include "journal/reader.h"

#include "journal/ahead.h"
#include "journal/segments.h"
#include "journal/tail.h"

#include <stdio.h>

#define WINDOW_READ_BYTES ((size_t)1 << 20) /* read at once */

static int corrupt(const struct journal_reader *reader, struct error *error, const char *why, const char *proof)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(reader->directory, reader->segment.segment, path);
    return error_set(error, ERROR_CORRUPT, path, "at offset %llu, command %llu: %s; %s",
                     (unsigned long long)reader->cursor.offset, (unsigned long long)reader->cursor.seq, why, proof);
}

/* ---- the window onto the file -------------------------------------------------------------------------------------
 */

/* What is to be fresh is read past what was read ahead. */
static int read_file(const struct journal_reader *reader, uint64_t offset, uint8_t *to, size_t bytes, bool fresh,
                     size_t *ret_count, struct error *error)
{
    if (!reader->ahead)
        return disk()->read(reader->file, offset, to, bytes, ret_count, error);
    if (fresh)
        journal_ahead_stop(reader->ahead);
    return journal_ahead_read(reader->ahead, reader->file, offset, to, bytes, ret_count, error);
}

/* Makes `bytes` from the cursor on readable. `fresh`: what was read before may be out of date. Returns how many are. */
static int64_t fill_window(struct journal_reader *reader, uint64_t bytes, bool fresh, struct error *error)
{
    uint64_t offset = reader->cursor.offset;
    uint64_t window_end = reader->window_offset + reader->window_count;
    uint64_t kept = 0;
    if (!fresh && offset >= reader->window_offset && offset < window_end) {
        kept = window_end - offset;
        if (kept >= bytes)
            return (int64_t)kept;
        memmove(reader->window, reader->window + (offset - reader->window_offset), kept);
        kept -= kept % JOURNAL_BLOCK_BYTES;
    }
    size_t wanted = WINDOW_READ_BYTES;
    if (wanted < bytes - kept)
        wanted = bytes - kept;
    if (wanted > reader->window_room - kept)
        wanted = reader->window_room - kept;
    size_t count = 0;
    reader->window_count = 0;
    int result = read_file(reader, offset + kept, reader->window + kept, wanted, fresh, &count, error);
    if (result < 0)
        return result;
    reader->window_offset = offset;
    reader->window_count = kept + count;
    return (int64_t)reader->window_count;
}

static struct journal_batch_header *batch_at_cursor(const struct journal_reader *reader)
{
    return (struct journal_batch_header *)(void *)(reader->window + (reader->cursor.offset - reader->window_offset));
}

/* NULL: a whole batch lies at the cursor, in the window. Otherwise the check that failed; *result < 0: could not read.
 */
static const char *look_at_batch(struct journal_reader *reader, bool fresh, int *result, struct error *error)
{
    *result = 0;
    if (reader->cursor.offset + JOURNAL_BLOCK_BYTES > reader->segment.segment_bytes)
        return "the segment is full";
    int64_t count = fill_window(reader, JOURNAL_BLOCK_BYTES, fresh, error);
    if (count >= (int64_t)JOURNAL_BLOCK_BYTES) {
        const struct journal_batch_header *header = batch_at_cursor(reader);
        const char *why = journal_batch_invalid(header, &reader->segment, reader->cursor.offset);
        why = why ? why : journal_batch_misfits(header, &reader->cursor);
        if (why)
            return why;
        uint64_t bytes = journal_batch_bytes(header->payload_bytes);
        count = fill_window(reader, bytes, false, error);
        if (count >= (int64_t)bytes)
            return journal_batch_damaged(batch_at_cursor(reader));
    }
    *result = count < 0 ? (int)count : 0;
    return "batch: the file ends in it";
}

/* ---- segments -----------------------------------------------------------------------------------------------------
 */

static int look_for_next_segment(struct journal_reader *reader, uint64_t durable_end, struct error *error)
{
    const char *why = NULL;
    int state = journal_segment_open(reader->directory, reader->segment.segment + 1, &reader->next_file, &reader->next,
                                     &why, error);
    if (state < 0)
        return state;
    reader->next_known = state == SEGMENT_BEGUN;
    reader->none_before_seq = durable_end != 0 ? durable_end : UINT64_MAX;
    if (!reader->next_known) {
        disk()->close(state == SEGMENT_NONE ? -1 : reader->next_file);
        reader->next_file = -1;
        return 0;
    }
    if (memcmp(reader->next.instance, reader->segment.instance, sizeof(reader->next.instance)) != 0)
        return corrupt(reader, error, "next segment: instance", "it belongs to another journal");
    if (reader->next.previous_end < reader->cursor.offset)
        return corrupt(reader, error, "next segment: says that this one ends before", "files have been mixed up");
    return 0;
}

static int go_to_next_segment(struct journal_reader *reader, struct error *error)
{
    const char *why = journal_segment_breaks(&reader->segment, &reader->cursor, &reader->next);
    if (why)
        return corrupt(reader, error, why, "the two segments do not belong together");
    journal_ahead_stop(reader->ahead);
    disk()->close(reader->file);
    reader->file = reader->next_file;
    reader->next_file = -1;
    reader->segment = reader->next;
    reader->next_known = false;
    reader->none_before_seq = 0;
    reader->window_count = 0;
    reader->searched_offset = 0;
    reader->cursor.offset = JOURNAL_BLOCK_BYTES;
    return journal_reader_fit_window(reader, error);
}

/* ---- the end ------------------------------------------------------------------------------------------------------
 */

/* The journal has gone on while its end was looked at. */
#define LOOK_AGAIN 2

/* Whether the segment that is read has been trimmed meanwhile, and so have those that follow: trimming goes upwards. */
static int look_whether_trimmed(const struct journal_reader *reader, struct error *error)
{
    struct journal_segments segments;
    int result = journal_segments_list(&segments, reader->directory, error);
    if (result < 0)
        return result;
    bool trimmed = segments.count > 0 && segments.numbers[0] > reader->segment.segment + 1;
    journal_segments_finish(&segments);
    if (!trimmed)
        return 0;
    return error_set(error, ERROR_GONE, reader->directory,
                     "segment %u and what follows it were trimmed while they were read; begin again",
                     reader->segment.segment);
}

static int begun_without(const struct journal_reader *reader, uint32_t number, struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(reader->directory, number, path);
    int result = look_whether_trimmed(reader, error);
    if (result < 0)
        return result;
    return error_set(error, ERROR_CORRUPT, path, "has begun, though the segment before it is missing");
}

/* Segments after the one that ends here: none of them may have begun. *ret_again: the next one has, just now. */
static int64_t check_later_segments(const struct journal_reader *reader, bool *ret_again, struct error *error)
{
    struct journal_segments segments;
    int64_t used = 0;
    int result = journal_segments_list(&segments, reader->directory, error);
    if (result < 0)
        return result;
    for (uint32_t i = 0; i < segments.count && used >= 0 && !*ret_again; i++) {
        uint32_t number = segments.numbers[i];
        if (number <= reader->segment.segment)
            continue;
        bool begun = false;
        int64_t bytes = journal_unbegun_bytes(reader->directory, number, reader->segment.instance, &begun, error);
        *ret_again = begun && number == reader->segment.segment + 1;
        if (begun && !*ret_again)
            bytes = begun_without(reader, number, error);
        used = bytes < 0 ? bytes : used + bytes;
    }
    journal_segments_finish(&segments);
    return used;
}

static int end_of_journal(struct journal_reader *reader, const char *why, struct error *error)
{
    if (reader->searched_offset == reader->cursor.offset)
        return 0;
    struct journal_proof proof;
    int result = journal_proof_search(reader->file, &reader->segment, reader->cursor.offset, &proof, error);
    if (result < 0)
        return result;
    if (proof.offset != 0 && !look_at_batch(reader, true, &result, error) && result == 0)
        return LOOK_AGAIN; /* it has been written in the meantime */
    if (result < 0)
        return result;
    if (proof.offset != 0) {
        char text[96];
        snprintf(text, sizeof(text), "the batch at offset %llu proves that it was acknowledged",
                 (unsigned long long)proof.offset);
        return corrupt(reader, error, why, text);
    }
    bool again = false;
    int64_t unbegun_bytes = check_later_segments(reader, &again, error);
    if (unbegun_bytes < 0 || again)
        return again ? LOOK_AGAIN : (int)unbegun_bytes;
    reader->torn_bytes = proof.used_end - reader->cursor.offset + (uint64_t)unbegun_bytes;
    reader->searched_offset = reader->cursor.offset;
    return 0;
}

/* ---- stepping -----------------------------------------------------------------------------------------------------
 */

static void accept_batch(struct journal_reader *reader)
{
    const struct journal_batch_header *header = batch_at_cursor(reader);
    reader->last = *header;
    reader->record = (const uint8_t *)(header + 1);
    reader->record_end = reader->record + header->payload_bytes;
    reader->record_seq = header->first_seq;
    reader->record_count = header->count;
    reader->last_time_ns = header->last_time_ns;
    reader->torn_bytes = 0;
    reader->cursor.offset += journal_batch_bytes(header->payload_bytes);
    reader->cursor.seq += header->count;
    reader->cursor.chain = header->chain;
}

int journal_reader_seal(struct journal_reader *reader, struct error *error)
{
    const struct journal_cursor here = reader->cursor;
    int result = 0;
    bool found = false;
    if (reader->record_count > 0)
        return 0;
    while (!look_at_batch(reader, true, &result, error) && result == 0) {
        const struct journal_batch_header *seal = batch_at_cursor(reader);
        if (seal->count > 0)
            break;
        reader->seal = *seal;
        reader->cursor.offset += journal_batch_bytes(seal->payload_bytes);
        reader->cursor.chain = seal->chain;
        found = true;
    }
    reader->cursor = here;
    return result < 0 ? result : found;
}

/* Nothing whole lies where a batch is due. */
static int absent(struct journal_reader *reader, const char *why, uint64_t durable_end, struct error *error)
{
    if (reader->next_known)
        return corrupt(reader, error, why, "the next segment proves that it was acknowledged");
    int result = durable_end != 0 ? look_whether_trimmed(reader, error) : 0;
    if (result < 0)
        return result;
    if (durable_end != 0)
        return corrupt(reader, error, why,
                       "the durable cursor proves that it was acknowledged (unless "
                       "journal.durability is off, and the journaler was killed)");
    return end_of_journal(reader, why, error);
}

/* Question 1 has no answer yet, or one that is out of date. */
static bool must_look(const struct journal_reader *reader, uint64_t durable_end)
{
    if (reader->next_known)
        return false;
    if (reader->none_before_seq == UINT64_MAX)
        return durable_end != 0;
    return reader->cursor.seq >= reader->none_before_seq;
}

int journal_reader_step(struct journal_reader *reader, uint64_t durable_end, struct error *error)
{
    for (;;) {
        int result = 0;
        if (must_look(reader, durable_end))
            result = look_for_next_segment(reader, durable_end, error);
        if (result == 0 && reader->next_known && reader->next.previous_end == reader->cursor.offset) {
            result = go_to_next_segment(reader, error);
            if (result == 0)
                continue;
        }
        if (result < 0)
            return result;
        const char *why = look_at_batch(reader, false, &result, error);
        if (why && result == 0)
            why = look_at_batch(reader, true, &result, error);
        if (result < 0)
            return result;
        if (!why) {
            accept_batch(reader);
            return 1;
        }
        /* It may have moved on to the next segment since the question was asked. */
        result = reader->next_known ? 0 : look_for_next_segment(reader, durable_end, error);
        if (result < 0)
            return result;
        if (reader->next_known && reader->next.previous_end == reader->cursor.offset)
            continue;
        result = absent(reader, why, durable_end, error);
        if (result != LOOK_AGAIN)
            return result;
    }
}
