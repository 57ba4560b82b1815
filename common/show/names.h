/*
 * What numbers in commands are called: instruments and sessions, learned from events (the engine alone
 * gives these numbers).
 */
#ifndef RINGSIDE_SHOW_NAMES_H
#define RINGSIDE_SHOW_NAMES_H

#include "record/event.h"

#include <stdint.h>

#define NAME_BYTES 9 /* the longest, and its end */

struct name_list {
    char (*names)[NAME_BYTES]; /* by number; "" if it is not known */
    uint32_t room;
};

struct names {
    struct name_list instruments;
    struct name_list sessions; /* users */
};

/* Notes what an event tells. 0, or -1 if there is no memory. */
int names_note(struct names *names, const struct event *event);

/* "" if it is not known. */
const char *names_instrument(const struct names *names, uint32_t instrument);
const char *names_user(const struct names *names, uint32_t session);

void names_finish(struct names *names);

#endif
