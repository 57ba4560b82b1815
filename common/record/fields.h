/*
 * The fields of the records as data, for who shows them: names, places and sizes from COMMAND_FIELDS and EVENT_FIELDS,
 * and which of them a kind uses.
 */
#ifndef RINGSIDE_RECORD_FIELDS_H
#define RINGSIDE_RECORD_FIELDS_H

#include "record/command.h"
#include "record/event.h"

#include <stdbool.h>
#include <stdint.h>

struct record_field {
    const char *name; /* "order.quantity" */
    uint16_t offset;
    uint16_t bytes;
};

extern const struct record_field command_fields[];
extern const uint32_t command_field_count;
extern const struct record_field event_fields[];
extern const uint32_t event_field_count;

/* The name to show of a field ("quantity"), or NULL if a record of this kind does not use it. Never head, kind. */
const char *command_field_shown(const struct record_field *field, uint8_t kind);
const char *event_field_shown(const struct record_field *field, uint8_t kind);

/* What a value is, told by the name that is shown. */
enum record_value {
    RECORD_NUMBER,
    RECORD_TEXT,   /* padded with spaces, or zeros */
    RECORD_LETTER, /* one byte: a letter, or a small number */
    RECORD_BITS,
    RECORD_TICKS,   /* signed, ten-thousandths of the currency unit */
    RECORD_TIME,    /* ns since the epoch */
    RECORD_ADDRESS, /* 16 bytes of IPv6, or of IPv4 in the form of it */
};
enum record_value record_value_of(const struct record_field *field, const char *shown);

#endif
