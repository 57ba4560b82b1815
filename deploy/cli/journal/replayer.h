/*
 * The journal's commands into a fresh engine, as fast as it goes.
 *
 *   reader --decodes into--> commands (a ring of places) --engine_apply_batch--> events (a ring of places) --> watcher
 *
 * The engine has the limits of the configuration, which must be those that the matcher had: what was refused for want
 * of room then must be refused again.
 */
#ifndef RINGSIDE_CLI_JOURNAL_REPLAYER_H
#define RINGSIDE_CLI_JOURNAL_REPLAYER_H

#include "config/config.h"
#include "journal/journal_read.h"
#include "matcher/engine/ringside_engine.h"
#include "matcher/memory.h"

/* Called with each event in order. Negative ends the replay; it then fills in *error. */
typedef int replay_watcher(void *argument, const struct event *event, struct error *error);

struct replayer {
    struct memory memory;
    struct engine *engine;
    struct command *commands;
    struct event *events;
    struct engine_input input;
    struct engine_output output;
    uint64_t event_next;     /* number of the first event that the watcher has not seen */
    replay_watcher *watcher; /* NULL: none */
    void *argument;
};

/* *replayer is zero but for a watcher and its argument. */
int replayer_open(struct replayer *replayer, const struct config *config, struct error *error);
void replayer_close(struct replayer *replayer);

/*
 * Takes commands of the batch at hand in `reader` that have numbers below `end`. Returns how many, 0 if there are no
 * more of them, or negative. They lie at *ret_commands until replayer_apply, which is due.
 */
int replayer_take(struct replayer *replayer, struct journal_reader *reader, uint64_t end,
                  const struct command **ret_commands, struct error *error);

/* Applies what was taken but for the last few, which wait for what follows so that the engine can look ahead. */
int replayer_apply(struct replayer *replayer, struct error *error);

/* Applies what waits. */
int replayer_settle(struct replayer *replayer, struct error *error);

/* One command, applied at once; nothing waits. */
int replayer_one(struct replayer *replayer, const struct command *command, struct error *error);

#endif
