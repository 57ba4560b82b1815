/*
 * What the parts of `ringside journal` share: where they read, how they end, how they print.
 *
 * A part is one file with one subject and a main of its own, whose argv[0] is its name.
 */
#ifndef RINGSIDE_CLI_JOURNAL_H
#define RINGSIDE_CLI_JOURNAL_H

#include "base/error.h"
#include "show/text.h"
#include "stage/command_line.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes beside those of stage/stage.h. */
enum journal_exit {
    EXIT_JOURNAL_TORN =
        2, /* verify: whole but for an end that the next start cuts: a torn tail, a hole in the event log */
    EXIT_JOURNAL_ABSENT = 66, /* there is no journal in the directory */
};

int journal_verify_main(int argc, char **argv);
int journal_dump_main(int argc, char **argv);
int journal_replay_main(int argc, char **argv);
int journal_stat_main(int argc, char **argv);
int journal_trim_main(int argc, char **argv);
int journal_repair_main(int argc, char **argv);

typedef unsigned long long ull;

/* ---- the journal that is meant (place.c) ---- */

struct journal_place {
    const char *directory;
    bool named;           /* on the command line: the configuration says nothing of who writes it */
    bool live;            /* a journaler runs and writes there */
    uint64_t durable_end; /* of a live one: read no command with this number or more; 0: no limit */
};

/* ERROR_NOT_YET: a journaler is starting. */
int journal_place_find(struct journal_place *ret, const struct command_line *line, struct error *error);

/* ---- ending (journal.c) ---- */

/* The exit code for a failure. */
int journal_exit_of(int code);

/* Says on stderr what is wrong, as one object on stdout if `json`, and returns the exit code. */
int command_refused(const char *command, const struct error *error, bool json);

/* The same of `ringside journal PART`. */
int journal_refused(const char *part, const struct error *error, bool json);

/* ---- progress (progress.c): a line on stderr that is written over, if that is a terminal ---- */

struct progress {
    const char *doing;
    uint64_t bytes_total; /* about; 0: not known */
    uint64_t begun_ns;
    uint64_t shown_ns; /* 0: nothing shown yet */
    bool terminal;
};

void progress_begin(struct progress *progress, const char *doing, uint64_t bytes_total);
void progress_bytes(struct progress *progress, uint64_t bytes); /* bytes alone */
void progress_show(struct progress *progress, uint64_t bytes, uint64_t commands);
void progress_end(struct progress *progress);
double progress_seconds(const struct progress *progress);

#endif
