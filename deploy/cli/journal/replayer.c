#include "replayer.h"

#include "matcher/config_limits.h"

#include <errno.h>
#include <stdlib.h>

#define COMMAND_PLACES 1024u
#define EVENT_PLACES   1024u
#define BURST_COMMANDS 32u
#define LOOK_AHEAD     64u /* commands kept back while there may be more: the engine fetches what they will need */

int replayer_open(struct replayer *replayer, const struct config *config, struct error *error)
{
    struct engine_limits limits;
    replayer->event_next = 1;
    int result = matcher_limits(&limits, config, error);
    if (result == 0)
        result = memory_open(&replayer->memory, engine_bytes(&limits), error);
    if (result < 0)
        return result;
    replayer->engine = engine_create(replayer->memory.start, &limits);
    REQUIRE(replayer->engine);
    replayer->commands = aligned_alloc(RECORD_BYTES, COMMAND_PLACES * sizeof(struct command));
    replayer->events = aligned_alloc(RECORD_BYTES, EVENT_PLACES * sizeof(struct event));
    if (!replayer->commands || !replayer->events) {
        replayer_close(replayer);
        return error_system(error, ENOMEM, "replay", "no memory");
    }
    replayer->input = (struct engine_input){.commands = replayer->commands, .mask = COMMAND_PLACES - 1, .end = 1};
    replayer->output = (struct engine_output){.events = replayer->events, .mask = EVENT_PLACES - 1};
    return 0;
}

void replayer_close(struct replayer *replayer)
{
    memory_close(&replayer->memory);
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

int replayer_take(struct replayer *replayer, struct journal_reader *reader, uint64_t end,
                  const struct command **ret_commands, struct error *error)
{
    struct command *place = &replayer->commands[replayer->input.end & (COMMAND_PLACES - 1)];
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
