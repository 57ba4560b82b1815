/*
 * The beginning of the event log, for who wants to know what instruments and users are called. Files that were trimmed
 * are read to their end: they hold nothing else. Of whole files only so much that nobody waits for it.
 */
#ifndef RINGSIDE_PROBE_LEARN_H
#define RINGSIDE_PROBE_LEARN_H

#include "record/event.h"

typedef void learn_taker(void *argument, const struct event *event);

/* Gives each event to `take`. A log that is not there, or cannot be read, has nothing to tell. */
void learn_from_log(const char *events_directory, learn_taker *take, void *argument);

#endif
