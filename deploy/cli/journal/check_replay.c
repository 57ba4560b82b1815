/*
 * By replay: the hashes that the journal was told when it was live, and the event log.
 *
 * A checkpoint is compared when the batch that tells it comes by: its command is before that batch's end, so the engine
 * has given it then. The event log may end before the journal does, since it is written lazily; it may not end before
 * what the journal says was synced of it, nor hold anything else than what the replay gives.
 */
#include "check_replay.h"

#include "eventlog/eventlog_files.h"
#include "eventlog/trim.h"
#include "journal/segments.h"
#include "record/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_EVENTS (4096 / RECORD_BYTES)
#define HOLE_TRIES  65536

/* ---- checkpoints --------------------------------------------------------------------------------------------------
 */

static int note_checkpoint(struct check *check, const struct event *event, struct error *error)
{
    if (check->checkpoints_given == check->checkpoint_room) {
        uint64_t room = check->checkpoint_room ? 2 * check->checkpoint_room : 256;
        struct journal_checkpoint *grown = realloc(check->checkpoints, room * sizeof(*grown));
        if (!grown)
            return error_system(error, ENOMEM, "replay", "no memory for %llu checkpoints", (ull)room);
        check->checkpoints = grown;
        check->checkpoint_room = room;
    }
    check->checkpoints[check->checkpoints_given++] =
        (struct journal_checkpoint){.command_seq = event->checkpoint.command_seq,
                                    .event_hash = event->checkpoint.event_hash,
                                    .state_hash = event->checkpoint.state_hash};
    return 0;
}

static const struct journal_checkpoint *find_checkpoint(const struct check *check, uint64_t command_seq)
{
    for (uint64_t i = check->checkpoints_given; i-- > 0 && check->checkpoints[i].command_seq >= command_seq;)
        if (check->checkpoints[i].command_seq == command_seq)
            return &check->checkpoints[i];
    return NULL;
}

int check_checkpoint(struct check *check, const struct journal_batch_header *header, struct error *error)
{
    const struct journal_checkpoint *told = &header->checkpoint;
    char path[DISK_PATH_BYTES];
    if (told->command_seq == check->checkpoint_seq || told->command_seq < check->replay_first_seq)
        return 0;
    int result = replayer_settle(&check->replayer, error);
    if (result < 0)
        return result;
    journal_segment_path(check->place.directory, header->segment, path);
    const struct journal_checkpoint *given = find_checkpoint(check, told->command_seq);
    if (!given)
        return error_set(error, ERROR_CORRUPT, path,
                         "at offset %llu: tells of a checkpoint at command %llu, where the replay has none",
                         (ull)header->offset, (ull)told->command_seq);
    bool same_state = told->state_hash == 0 || told->state_hash == given->state_hash;
    if (told->event_hash != given->event_hash || !same_state)
        return error_set(error, ERROR_CORRUPT, path,
                         "at offset %llu: at command %llu the %s hash was %016llx and by replay is %016llx: another "
                         "engine, other [engine] limits, or other commands",
                         (ull)header->offset, (ull)told->command_seq, same_state ? "event" : "state",
                         (ull)(same_state ? told->event_hash : told->state_hash),
                         (ull)(same_state ? given->event_hash : given->state_hash));
    check->checkpoint_seq = told->command_seq;
    check->checkpoint_count++;
    return 0;
}

/* ---- the event log ------------------------------------------------------------------------------------------------
 */

/* The logged event of this number; NULL and no error: the log does not hold it. */
static int logged_event(struct check *check, uint64_t seq, const struct event **ret, struct error *error)
{
    *ret = NULL;
    if (seq >= check->logged_seq + check->logged_count) {
        int count = eventlog_reader_read(check->log, seq, check->logged, CHECK_EVENTS, error);
        if (count < 0)
            return count;
        check->logged_seq = seq;
        check->logged_count = (uint32_t)count;
    }
    if (seq < check->logged_seq + check->logged_count)
        *ret = &check->logged[seq - check->logged_seq];
    return 0;
}

/* The name of the first field that differs. */
static const char *difference(const struct event *left, const struct event *right)
{
    if (left->kind != right->kind)
        return "kind";
    for (uint32_t i = 0; i < event_field_count; i++) {
        const struct record_field *field = &event_fields[i];
        const char *name = event_field_shown(field, left->kind);
        if (name &&
            memcmp((const uint8_t *)left + field->offset, (const uint8_t *)right + field->offset, field->bytes) != 0)
            return name;
    }
    return "a reserved field";
}

static int compare_logged(struct check *check, const struct event *event, struct error *error)
{
    const struct event *logged;
    if (check->log_end != 0 || event->event_seq < check->log_whole_from)
        return 0;
    int result = logged_event(check, event->event_seq, &logged, error);
    if (result < 0)
        return result;
    if (!logged) {
        check->log_end = event->event_seq;
        return 0;
    }
    check->event_log_count++;
    if (memcmp((const uint8_t *)logged + RECORD_HEAD_BYTES, (const uint8_t *)event + RECORD_HEAD_BYTES,
               RECORD_BODY_BYTES) == 0)
        return 0;
    return error_set(error, ERROR_CORRUPT, check->events_directory,
                     "event %llu of command %llu: %s in the event log differs in %s from %s by replay",
                     (ull)event->event_seq, (ull)event->command_seq, event_kind_name(logged->kind),
                     difference(logged, event), event_kind_name(event->kind));
}

/*
 * Whether something whole lies behind the first event that is not. What was not synced can be lost a page here and
 * there with the power, so places are tried that are a page apart, or evenly over what is very long.
 */
static int look_for_hole(struct check *check, uint64_t next, struct error *error)
{
    uint64_t even = (next - check->log_end) / HOLE_TRIES;
    uint64_t step = even > PAGE_EVENTS ? even : PAGE_EVENTS;
    struct event event;
    for (uint64_t seq = check->log_end + 1; seq < next; seq += step) {
        int count = eventlog_reader_read(check->log, seq, &event, 1, error);
        if (count > 0)
            check->event_log_hole = check->log_end;
        if (count != 0)
            return count < 0 ? count : 0;
    }
    return 0;
}

/* What the log holds must be all that the journal says was synced of it, and nothing that the journal does not give. */
static int check_log_end(struct check *check, struct error *error)
{
    uint64_t next = engine_event_seq_next(check->replayer.engine);
    const struct event *beyond = NULL;
    bool ends_early = check->log_end != 0 && check->log_end < check->position.events_synced;
    if (ends_early)
        return error_set(error, ERROR_CORRUPT, check->events_directory,
                         "event %llu is not whole, but the journal says that all before %llu were on the medium; move "
                         "the event log away, it is made again from the journal",
                         (ull)check->log_end, (ull)check->position.events_synced);
    if (check->place.live)
        return 0;
    if (check->log_end != 0)
        return look_for_hole(check, next, error);
    int result = logged_event(check, next, &beyond, error);
    check->event_log_beyond = beyond != NULL;
    if (result < 0 || !beyond || check->config->journal_durability != DURABILITY_SYNC)
        return result;
    return error_set(error, ERROR_CORRUPT, check->events_directory,
                     "holds event %llu of command %llu, which the journal does not give: it ends before command %llu",
                     (ull)next, (ull)beyond->command_seq, (ull)check->position.command_seq_next);
}

/* ---- begin and end ------------------------------------------------------------------------------------------------
 */

static int take_event(void *argument, const struct event *event, struct error *error)
{
    struct check *check = argument;
    int result = 0;
    check->event_count++;
    if (UNLIKELY(event->kind == EVENT_CHECKPOINT))
        result = note_checkpoint(check, event, error);
    return result < 0 || !check->event_log_present ? result : compare_logged(check, event, error);
}

/* Whether there is a log is told by its first file: one that is there and holds nothing whole is damaged. */
static int open_log(struct check *check, struct error *error)
{
    if (!check->events_directory)
        return 0;
    int file = eventlog_file_open(check->events_directory, 0, false, error);
    if (file == ERROR_NOT_YET)
        return 0;
    if (file < 0)
        return file;
    disk()->close(file);
    file = eventlog_whole_from(check->events_directory, NULL, &check->log_whole_from, error);
    if (file < 0)
        return file;
    check->event_log_present = true;
    check->logged_seq = check->replayer.event_next;
    check->logged = malloc(CHECK_EVENTS * sizeof(*check->logged));
    if (!check->logged)
        return error_system(error, ENOMEM, check->events_directory, "no memory to read the event log");
    return eventlog_reader_open(&check->log, check->events_directory, error);
}

int check_replay_begin(struct check *check, struct error *error)
{
    int result = replayer_open(&check->replayer, check->config, journal_reader_segment(check->reader), error);
    if (result == ERROR_NOT_YET) {
        check->snapshot_missing = true;
        check->replays = false;
        return 0;
    }
    if (result < 0)
        return result;
    check->replayer.watcher = take_event;
    check->replayer.argument = check;
    check->replay_first_seq = engine_command_seq_next(check->replayer.engine);
    return open_log(check, error);
}

int check_replay_end(struct check *check, struct error *error)
{
    int result = replayer_settle(&check->replayer, error);
    if (result < 0)
        return result;
    const struct engine *engine = check->replayer.engine;
    check->event_hash = engine_event_hash(engine);
    check->state_hash = engine_state_hash(engine);
    check->live_orders = engine_live_orders(engine);
    journal_reader_position(check->reader, &check->position);
    return check->event_log_present ? check_log_end(check, error) : 0;
}
