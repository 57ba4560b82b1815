/* The tables of wire/ouch_layout.h as data, for tests that go through all messages. */
#ifndef RINGSIDE_TESTS_WIRE_TABLE_H
#define RINGSIDE_TESTS_WIRE_TABLE_H

#include "wire/ouch.h"

#include <stddef.h>
#include <stdint.h>

enum wire_kind { WIRE_letter, WIRE_u16, WIRE_u32, WIRE_u64, WIRE_text };
enum wire_appendage { WIRE_ALWAYS, WIRE_OPTIONAL, WIRE_NEVER };

struct wire_field {
    enum wire_kind kind;
    const char *name;
    uint32_t offset;
    uint32_t bytes;
    const char *meaning;
};

struct wire_message {
    enum ouch_direction direction;
    uint8_t type;
    uint32_t fixed_bytes;
    enum wire_appendage appendage;
    const char *name;
    const char *title;
    const struct wire_field *fields;
    size_t field_count;
    /* Decodes and encodes again: bytes written to out, or 0 with the rule that is broken. */
    uint32_t (*recode)(const uint8_t *in, size_t count, uint8_t *out, const char **ret_broken);
};

struct wire_option {
    uint8_t tag;
    uint8_t bytes;
    uint32_t places;
    const char *kind;
    const char *name;
    const char *meaning;
};

extern const struct wire_message wire_messages[];
extern const size_t wire_message_count;
extern const struct wire_option wire_options[];
extern const size_t wire_option_count;

/* The message of that direction and type, or NULL. */
const struct wire_message *wire_find(enum ouch_direction direction, uint8_t type);

/* The place of a message's options in the table, told independently of wire/ouch.c. */
uint32_t wire_place(const struct wire_message *message);

#endif
