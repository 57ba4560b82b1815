/* The part of a check that needs the engine. Private to check.c. */
#ifndef RINGSIDE_CLI_JOURNAL_CHECK_REPLAY_H
#define RINGSIDE_CLI_JOURNAL_CHECK_REPLAY_H

#include "check.h"

int check_replay_begin(struct check *check, struct error *error);

/* What a batch's header tells of the books, once its commands were taken. */
int check_checkpoint(struct check *check, const struct journal_batch_header *header, struct error *error);

int check_replay_end(struct check *check, struct error *error);

#endif
