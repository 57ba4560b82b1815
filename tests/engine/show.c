/* Records for the eye: all fields of a kind by the names of COMMAND_FIELDS and EVENT_FIELDS. */
#include "bench.h"

#include "record/fields.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- values -------------------------------------------------------------------------------------------------------
 */

typedef const char *field_shown(const struct record_field *field, uint8_t kind);

static void print_value(char *text, size_t text_bytes, const struct record_field *field, const char *name,
                        const void *record)
{
    const uint8_t *value = (const uint8_t *)record + field->offset;
    enum record_value kind = record_value_of(field, name);
    uint64_t number = 0;
    if (kind == RECORD_TEXT) {
        snprintf(text, text_bytes, "\"%.*s\"", (int)field->bytes, (const char *)value);
        return;
    }
    memcpy(&number, value, field->bytes <= sizeof(number) ? field->bytes : sizeof(number));
    if (field->bytes == 1 && isalpha((int)number))
        snprintf(text, text_bytes, "%c", (char)number);
    else if (kind == RECORD_BITS)
        snprintf(text, text_bytes, "0x%llx", (unsigned long long)number);
    else if (kind == RECORD_TICKS)
        snprintf(text, text_bytes, "%d", (int32_t)(uint32_t)number);
    else
        snprintf(text, text_bytes, "%llu", (unsigned long long)number);
}

static bool zero(const uint8_t *value, size_t bytes)
{
    while (bytes > 0 && value[bytes - 1] == 0)
        bytes--;
    return bytes == 0;
}

static void show_fields(const struct record_field *fields, uint32_t count, field_shown *shown, const void *record,
                        uint8_t kind)
{
    char text[64];
    for (uint32_t i = 0; i < count; i++) {
        const char *name = shown(&fields[i], kind);
        bool wanted = name && !zero((const uint8_t *)record + fields[i].offset, fields[i].bytes) &&
                      strcmp(name, "client_order_id") != 0 && strcmp(name, "command_seq") != 0;
        if (!wanted)
            continue;
        print_value(text, sizeof(text), &fields[i], name, record);
        printf(" %s %s", name, text);
    }
    printf("\n");
}

void show_command(const struct command *command)
{
    printf("  %4llu %s", (unsigned long long)command->command_seq, command_kind_name(command->kind));
    show_fields(command_fields, command_field_count, command_field_shown, command, command->kind);
}

void show_event(const struct event *event)
{
    printf("    %s", event_kind_name(event->kind));
    show_fields(event_fields, event_field_count, event_field_shown, event, event->kind);
}

void show_difference(char *text, size_t bytes, const struct event *engine, const struct event *model)
{
    char left[64];
    char right[64];
    if (engine->kind != model->kind) {
        snprintf(text, bytes, "event %u: engine %s, model %s", model->index, event_kind_name(engine->kind),
                 event_kind_name(model->kind));
        return;
    }
    for (uint32_t i = 0; i < event_field_count; i++) {
        const struct record_field *field = &event_fields[i];
        const char *name = event_field_shown(field, model->kind);
        if (!name ||
            memcmp((const uint8_t *)engine + field->offset, (const uint8_t *)model + field->offset, field->bytes) == 0)
            continue;
        print_value(left, sizeof(left), field, name, engine);
        print_value(right, sizeof(right), field, name, model);
        snprintf(text, bytes, "event %u, %s: %s is %s in the engine, %s in the model", model->index,
                 event_kind_name(model->kind), name, left, right);
        return;
    }
    snprintf(text, bytes, "event %u, %s: bytes without a name differ", model->index, event_kind_name(model->kind));
}
