/*
 * The journal's commands into an engine, as fast as it goes: into empty books, or those of the oldest snapshot that the
 * journal goes on from, if what came before was trimmed.
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
#include "matcher/books.h"

/* Called with each event in order. Negative ends the replay; it then fills in *error. */
typedef int replay_watcher(void *argument, const struct event *event, struct error *error);

struct replayer {
    struct books books;
    struct engine *engine; /* of the books */
    struct command *commands;
    struct event *events;
    struct engine_input input;
    struct engine_output output;
    uint64_t event_next;     /* number of the first event that the watcher has not seen */
    replay_watcher *watcher; /* NULL: none */
    void *argument;
};

/*
 * *replayer is zero but for a watcher and its argument. `first` is the header of the oldest segment; NULL: the replay
 * begins with nothing. ERROR_NOT_YET: there is no good snapshot that a trimmed journal goes on from.
 */
int replayer_open(struct replayer *replayer, const struct config *config, const struct journal_segment_header *first,
                  struct error *error);
void replayer_close(struct replayer *replayer);

/*
 * Takes commands of the batch at hand in `reader` that have numbers below `end`; those that the books know are left
 * out. Returns how many, 0 if there are no more of them, or negative. They lie at *ret_commands until replayer_apply,
 * which is due.
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
