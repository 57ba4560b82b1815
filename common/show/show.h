/* One command or event as a line: for a person, or as a JSON object with every field that is not zero. */
#ifndef RINGSIDE_SHOW_SHOW_H
#define RINGSIDE_SHOW_SHOW_H

#include "record/command.h"
#include "record/event.h"

#include <stdio.h>

/* What is known of a record beyond its bytes; "" where nothing is. */
struct record_names {
    uint32_t instrument; /* that it is about, if only through the order that it names; 0: none, or not known */
    const char *symbol;
    const char *user;
};

void show_command_text(FILE *to, const struct command *command, const struct record_names *names);
void show_command_json(FILE *to, const struct command *command, const struct record_names *names);

void show_event_text(FILE *to, const struct event *event, const struct record_names *names);
void show_event_json(FILE *to, const struct event *event, const struct record_names *names);

/* A text field without its padding; bytes that are not printable ASCII are shown as '?'. */
void show_padded(char *text, size_t text_bytes, const char *field, size_t field_bytes);

/* The symbol and the user that a command names in letters; NULL: none. */
const char *show_symbol_of(const struct command *command);
const char *show_user_of(const struct command *command);

#endif
