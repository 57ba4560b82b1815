#include "check.h"

#include "check_replay.h"
#include "journal/journal_codec.h"
#include "journal/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN_COMMANDS  64
#define AHEAD_BYTES_MIN ((uint64_t)4 << 20) /* for less no thread is worth while */

/* ---- what headers say ---------------------------------------------------------------------------------------------
 */

static int odd_batch(const struct check *check, const struct journal_batch_header *header, const char *why,
                     struct error *error)
{
    char path[DISK_PATH_BYTES];
    journal_segment_path(check->place.directory, header->segment, path);
    return error_set(error, ERROR_CORRUPT, path, "at offset %llu, command %llu: %s, though its checksums are right",
                     (ull)header->offset, (ull)header->first_seq, why);
}

/* The first segment of a journal begins it; the oldest of one that was trimmed does not. */
static const char *odd_beginning(const struct journal_segment_header *header)
{
    if (header->previous_segment != 0)
        return NULL;
    if (header->segment != 1 || header->first_seq != 1 || header->previous_end != 0)
        return "segment header: is no beginning, and tells of nothing before it";
    return header->chain == journal_chain_first(header->instance) ? NULL : "segment header: chain";
}

/* The rule that a whole header breaks; NULL: none. */
static const char *odd_header(const struct check *check, const struct journal_batch_header *header)
{
    const struct journal_batch_header *before = &check->before;
    if (header->durable_offset > header->offset)
        return "batch header: says that more was durable than there was";
    if (header->durable_seq > header->first_seq)
        return "batch header: says that later commands were durable";
    if (header->checkpoint.command_seq >= header->first_seq + header->count)
        return "batch header: has a checkpoint of a later command";
    if (header->reserved != 0)
        return "batch header: a reserved field is not zero";
    if (before->magic == 0 || before->epoch != header->epoch)
        return NULL;
    return header->durable_seq < before->durable_seq ? "batch header: the durable number goes back" : NULL;
}

/* ---- records ------------------------------------------------------------------------------------------------------
 */

static const char *odd_records(struct check *check, const struct command *commands, int count)
{
    for (int i = 0; i < count; i++) {
        if (UNLIKELY(commands[i].time_ns < check->time_ns))
            return "a command's time is before that of the command before it";
        check->time_ns = commands[i].time_ns;
    }
    check->command_count += (uint64_t)count;
    return NULL;
}

/*
 * Without a replay, and before it begins, the records are read all the same: each must be one, and their bytes those of
 * the batch.
 */
static int take_records(struct check *check, const struct command **ret_commands, struct command *own,
                        struct error *error)
{
    uint64_t next = journal_reader_seq(check->reader);
    uint64_t most = TAKEN_COMMANDS;
    if (check->replays && next >= check->replay_first_seq)
        return replayer_take(&check->replayer, check->reader, UINT64_MAX, ret_commands, error);
    if (check->replays && check->replay_first_seq - next < most)
        most = check->replay_first_seq - next;
    *ret_commands = own;
    return journal_reader_records(check->reader, own, (uint32_t)most, error);
}

static int check_records(struct check *check, const struct journal_batch_header *header, struct error *error)
{
    struct command own[TAKEN_COMMANDS];
    const struct command *commands;
    int count;
    while ((count = take_records(check, &commands, own, error)) > 0) {
        const char *why = odd_records(check, commands, count);
        int result = why               ? odd_batch(check, header, why, error)
                     : commands != own ? replayer_apply(&check->replayer, error)
                                       : 0;
        if (result < 0)
            return result;
    }
    if (count == 0 && check->time_ns != header->last_time_ns)
        return odd_batch(check, header, "batch header: time of its last command", error);
    return count;
}

/* ---- batch by batch -----------------------------------------------------------------------------------------------
 */

/* Segment by segment, with the first batch of each; a segment that has begun has one. */
static int note_segment(struct check *check, const struct journal_batch_header *header, struct error *error)
{
    const struct journal_segment_header *segment = journal_reader_segment(check->reader);
    char path[DISK_PATH_BYTES];
    journal_segment_path(check->place.directory, segment->segment, path);
    check->segment_count++;
    check->byte_count += JOURNAL_BLOCK_BYTES;
    if (check->segment_count == 1) {
        check->segment_first = segment->segment;
        check->epoch_first = segment->epoch;
        check->seq_first = segment->first_seq;
        check->time_ns = segment->last_time_ns;
        const char *why = odd_beginning(segment);
        if (why)
            return error_set(error, ERROR_CORRUPT, path, "at offset 0: %s", why);
    }
    if (segment->last_time_ns != check->time_ns)
        return error_set(error, ERROR_CORRUPT, path,
                         "at offset 0, command %llu: segment header: time of the last command before it",
                         (ull)header->first_seq);
    return 0;
}

static int check_batch(struct check *check, const struct journal_batch_header *header, struct error *error)
{
    int result = 0;
    if (check->before.magic == 0 || check->before.segment != header->segment)
        result = note_segment(check, header, error);
    const char *why = result == 0 ? odd_header(check, header) : NULL;
    if (why)
        result = odd_batch(check, header, why, error);
    if (result == 0)
        result = check_records(check, header, error);
    if (result == 0 && check->replays)
        result = check_checkpoint(check, header, error);
    check->before = *header;
    check->batch_count++;
    check->byte_count += journal_batch_bytes(header->payload_bytes);
    progress_show(&check->progress, check->byte_count, check->command_count);
    return result;
}

static int check_batches(struct check *check, struct error *error)
{
    const struct journal_batch_header *header;
    int result;
    while ((result = journal_reader_batch(check->reader, check->place.durable_end, &header, error)) > 0) {
        result = check_batch(check, header, error);
        if (result < 0)
            return result;
    }
    return result;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------
 */

static int open_journal(struct check *check, struct error *error)
{
    struct journal_survey survey;
    int result = journal_survey_make(&survey, check->place.directory, error);
    if (result < 0)
        return result;
    uint64_t bytes = journal_survey_bytes(&survey);
    progress_begin(&check->progress, check->replays ? "verifying, with a replay" : "verifying", bytes);
    journal_survey_finish(&survey);
    result = journal_reader_open_oldest(&check->reader, check->place.directory, error);
    if (result == 0 && bytes >= AHEAD_BYTES_MIN)
        result = journal_reader_read_ahead(check->reader, error);
    return result;
}

int check_run(struct check *check, struct error *error)
{
    int result = open_journal(check, error);
    if (result == 0 && check->replays)
        result = check_replay_begin(check, error);
    if (result == 0)
        result = check_batches(check, error);
    if (result == 0 && check->replays)
        result = check_replay_end(check, error);
    if (check->reader)
        journal_reader_position(check->reader, &check->position);
    check->seconds = progress_seconds(&check->progress);
    progress_end(&check->progress);
    return result;
}

void check_finish(struct check *check)
{
    journal_reader_close(check->reader);
    eventlog_reader_close(check->log);
    replayer_close(&check->replayer);
    free(check->checkpoints);
    free(check->logged);
}
