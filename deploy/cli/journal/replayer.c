#include "replayer.h"

#include "journal/journal_layout.h"
#include "matcher/snapshot_files.h"

#include <errno.h>
#include <stdlib.h>

#define COMMAND_PLACES  1024u
#define EVENT_PLACES    1024u
#define BURST_COMMANDS  32u
#define PASSED_COMMANDS 64u
#define LOOK_AHEAD      64u /* commands kept back while there may be more: the engine fetches what they will need */

/* 1: the books are those of the oldest good snapshot from `first_seq` on. 0: there is none. */
static int load_oldest(struct books *books, const struct config *config, const struct journal_segment_header *first,
                       struct error *error)
{
    struct snapshot_list list;
    int result = snapshot_list_read(&list, config->snapshots_directory, error);
    for (uint32_t i = list.count; result == 0 && i-- > 0;) {
        struct snapshot_header header;
        if (list.seqs[i] < first->first_seq)
            continue;
        if (snapshot_load(books, &header, config->snapshots_directory, list.seqs[i], first->instance, NULL) == 0)
            return 1;
        result = books_empty(books, error);
    }
    return result;
}

static int open_books(struct books *books, const struct config *config, const struct journal_segment_header *first,
                      struct error *error)
{
    int result = books_open(books, config, error);
    if (result < 0 || !first || first->first_seq == 1)
        return result;
    result = load_oldest(books, config, first, error);
    if (result != 0)
        return result < 0 ? result : 0;
    return error_set(error, ERROR_NOT_YET, config->snapshots_directory,
                     "the journal begins with command %llu, and there is no good snapshot to go on from",
                     (unsigned long long)first->first_seq);
}

int replayer_open(struct replayer *replayer, const struct config *config, const struct journal_segment_header *first,
                  struct error *error)
{
    int result = open_books(&replayer->books, config, first, error);
    if (result < 0) {
        replayer_close(replayer);
        return result;
    }
    replayer->engine = replayer->books.engine;
    replayer->event_next = engine_event_seq_next(replayer->engine);
    replayer->commands = aligned_alloc(RECORD_BYTES, COMMAND_PLACES * sizeof(struct command));
    replayer->events = aligned_alloc(RECORD_BYTES, EVENT_PLACES * sizeof(struct event));
    if (!replayer->commands || !replayer->events) {
        replayer_close(replayer);
        return error_system(error, ENOMEM, "replay", "no memory");
    }
    replayer->input = (struct engine_input){
        .commands = replayer->commands, .mask = COMMAND_PLACES - 1, .end = engine_command_seq_next(replayer->engine)};
    replayer->output = (struct engine_output){.events = replayer->events, .mask = EVENT_PLACES - 1};
    return 0;
}

void replayer_close(struct replayer *replayer)
{
    books_close(&replayer->books);
    free(replayer->commands);
    free(replayer->events);
    *replayer = (struct replayer){0};
}

static int watch(struct replayer *replayer, struct error *error)
{
    uint64_t end = engine_event_seq_next(replayer->engine);
    if (!replayer->watcher)
        replayer->event_next = end;
    for (; replayer->event_next < end; replayer->event_next++) {
        int result =
            replayer->watcher(replayer->argument, &replayer->events[replayer->event_next & (EVENT_PLACES - 1)], error);
        if (result < 0)
            return result;
    }
    return 0;
}

static int misplaced(const struct replayer *replayer, int misuse, struct error *error)
{
    return error_set(error, ERROR_CORRUPT, "replay", "the engine wants command %llu and is given another (%d)",
                     (unsigned long long)engine_command_seq_next(replayer->engine), misuse);
}

/* Applies until fewer than `kept` commands wait. */
static int apply(struct replayer *replayer, uint64_t kept, struct error *error)
{
    while (engine_command_seq_next(replayer->engine) + kept < replayer->input.end) {
        uint64_t events = 0;
        int count = engine_apply_batch(replayer->engine, &replayer->input, BURST_COMMANDS, &replayer->output,
                                       EVENT_PLACES, &events);
        if (count < 0)
            return misplaced(replayer, count, error);
        int result = watch(replayer, error);
        while (result == 0 && engine_more(replayer->engine)) {
            engine_continue(replayer->engine, &replayer->output);
            result = watch(replayer, error);
        }
        if (result < 0)
            return result;
    }
    return 0;
}

/* Places for commands in a row, from the next one on. */
static uint32_t room(const struct replayer *replayer, uint64_t end)
{
    uint64_t next = replayer->input.end;
    uint64_t waiting = next - engine_command_seq_next(replayer->engine);
    uint64_t count = COMMAND_PLACES - waiting;
    uint64_t to_edge = COMMAND_PLACES - (next & (COMMAND_PLACES - 1));
    count = count < to_edge ? count : to_edge;
    uint64_t wanted = next < end ? end - next : 0;
    return (uint32_t)(count < wanted ? count : wanted);
}

/* What the snapshot knows already. */
static int pass_over(const struct replayer *replayer, struct journal_reader *reader, struct error *error)
{
    struct command known[PASSED_COMMANDS];
    int count = 1;
    while (count > 0 && UNLIKELY(journal_reader_seq(reader) < replayer->input.end)) {
        uint64_t left = replayer->input.end - journal_reader_seq(reader);
        count = journal_reader_records(reader, known, left < PASSED_COMMANDS ? (uint32_t)left : PASSED_COMMANDS, error);
    }
    return count;
}

int replayer_take(struct replayer *replayer, struct journal_reader *reader, uint64_t end,
                  const struct command **ret_commands, struct error *error)
{
    struct command *place = &replayer->commands[replayer->input.end & (COMMAND_PLACES - 1)];
    int result = pass_over(replayer, reader, error);
    if (result < 0)
        return result;
    int count = journal_reader_records(reader, place, room(replayer, end), error);
    if (count > 0)
        replayer->input.end += (uint64_t)count;
    *ret_commands = place;
    return count;
}

int replayer_apply(struct replayer *replayer, struct error *error)
{
    return apply(replayer, LOOK_AHEAD, error);
}

int replayer_settle(struct replayer *replayer, struct error *error)
{
    return apply(replayer, 0, error);
}

int replayer_one(struct replayer *replayer, const struct command *command, struct error *error)
{
    replayer->commands[command->command_seq & (COMMAND_PLACES - 1)] = *command;
    if (command->command_seq != replayer->input.end)
        return misplaced(replayer, ENGINE_WRONG_COMMAND_SEQ, error);
    replayer->input.end++;
    return replayer_settle(replayer, error);
}
