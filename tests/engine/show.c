/* Records for the eye: all fields of a kind by the names of COMMAND_FIELDS and EVENT_FIELDS. */
#include "bench.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct field {
    const char *name;
    size_t offset, bytes;
};

static const struct field command_fields[] = {
#define X(type, field, offset, bytes) {#field, offset, bytes},
    COMMAND_FIELDS(X)
#undef X
};

static const struct field event_fields[] = {
#define X(type, field, offset, bytes) {#field, offset, bytes},
    EVENT_FIELDS(X)
#undef X
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- which fields a kind has --------------------------------------------------------------------------------------
 */

static const char *part_of_command(uint8_t kind)
{
    if (kind <= COMMAND_ACCOUNT_QUERY)
        return "order.";
    if (kind == COMMAND_REFUSED)
        return "refused.";
    if (kind == COMMAND_DAY_START || kind == COMMAND_DAY_END)
        return "day.";
    if (kind == COMMAND_TRADE_BREAK)
        return "trade.";
    return kind >= COMMAND_INSTRUMENT_ADD && kind <= COMMAND_FIRM_LIMITS ? "admin." : "login.";
}

static const char *part_of_event(uint8_t kind)
{
    static const struct {
        uint8_t kind;
        const char *part;
    } parts[] = {
        {EVENT_ACCEPTED, "accepted."},    {EVENT_REPLACED, "replaced."},
        {EVENT_CANCELED, "cut."},         {EVENT_SELF_MATCH_CANCELED, "cut."},
        {EVENT_PRIORITY_UPDATED, "cut."}, {EVENT_MODIFIED, "cut."},
        {EVENT_RESTATED, "cut."},         {EVENT_EXECUTED, "trade."},
        {EVENT_BROKEN, "trade."},         {EVENT_REJECTED, "refused."},
        {EVENT_MASS_CANCELED, "mass."},   {EVENT_ENTRY_DISABLED, "mass."},
        {EVENT_ENTRY_ENABLED, "mass."},   {EVENT_ORDER_OPTIONS, "options."},
        {EVENT_LOGIN_ACCEPTED, "login."}, {EVENT_LOGIN_REFUSED, "login."},
        {EVENT_SESSION_CLOSED, "login."}, {EVENT_DAY_STARTED, "day."},
        {EVENT_DAY_ENDED, "day."},        {EVENT_BOOK_TOP, "top."},
    };
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].kind == kind)
            return parts[i].part;
    }
    return "admin.";
}

/* The name without the part; NULL if the field is of another part or nothing to look at. */
static const char *name_in(const struct field *field, const char *part)
{
    const char *dot = strchr(field->name, '.');
    if (strcmp(field->name, "head") == 0 || strstr(field->name, "reserved"))
        return NULL;
    if (!dot)
        return field->name;
    return strncmp(field->name, part, strlen(part)) == 0 ? dot + 1 : NULL;
}

/* ---- values -------------------------------------------------------------------------------------------------------
 */

static bool is_text(const char *name)
{
    return strcmp(name, "symbol") == 0 || strcmp(name, "firm") == 0 || strcmp(name, "user") == 0 ||
           strcmp(name, "client_order_id") == 0 || strcmp(name, "operator_name") == 0;
}

static void print_value(char *text, size_t text_bytes, const char *name, const uint8_t *value, size_t bytes)
{
    uint64_t number = 0;
    if (is_text(name)) {
        snprintf(text, text_bytes, "\"%.*s\"", (int)bytes, (const char *)value);
        return;
    }
    memcpy(&number, value, bytes <= sizeof(number) ? bytes : sizeof(number));
    if (bytes == 1 && isalpha((int)number))
        snprintf(text, text_bytes, "%c", (char)number);
    else if (strcmp(name, "options") == 0)
        snprintf(text, text_bytes, "0x%llx", (unsigned long long)number);
    else if (strstr(name, "_ticks") && bytes == sizeof(int32_t))
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

static void show_fields(const struct field *fields, size_t count, const void *record, const char *part)
{
    char text[64];
    for (size_t i = 0; i < count; i++) {
        const uint8_t *value = (const uint8_t *)record + fields[i].offset;
        const char *name = name_in(&fields[i], part);
        bool wanted = name && !zero(value, fields[i].bytes) && strcmp(name, "kind") != 0 &&
                      strcmp(name, "client_order_id") != 0 && strcmp(name, "command_seq") != 0;
        if (!wanted)
            continue;
        print_value(text, sizeof(text), name, value, fields[i].bytes);
        printf(" %s %s", name, text);
    }
    printf("\n");
}

void show_command(const struct command *command)
{
    printf("  %4llu %s", (unsigned long long)command->command_seq, command_kind_name(command->kind));
    show_fields(command_fields, COUNT(command_fields), command, part_of_command(command->kind));
}

void show_event(const struct event *event)
{
    printf("    %s", event_kind_name(event->kind));
    show_fields(event_fields, COUNT(event_fields), event, part_of_event(event->kind));
}

void show_difference(char *text, size_t bytes, const struct event *engine, const struct event *model)
{
    const char *part = part_of_event(model->kind);
    char left[64];
    char right[64];
    if (engine->kind != model->kind) {
        snprintf(text, bytes, "event %u: engine %s, model %s", model->index, event_kind_name(engine->kind),
                 event_kind_name(model->kind));
        return;
    }
    for (size_t i = 0; i < COUNT(event_fields); i++) {
        const struct field *field = &event_fields[i];
        const char *name = name_in(field, part);
        const uint8_t *values[2] = {(const uint8_t *)engine + field->offset, (const uint8_t *)model + field->offset};
        if (!name || memcmp(values[0], values[1], field->bytes) == 0)
            continue;
        print_value(left, sizeof(left), name, values[0], field->bytes);
        print_value(right, sizeof(right), name, values[1], field->bytes);
        snprintf(text, bytes, "event %u, %s: %s is %s in the engine, %s in the model", model->index,
                 event_kind_name(model->kind), name, left, right);
        return;
    }
    snprintf(text, bytes, "event %u, %s: bytes without a name differ", model->index, event_kind_name(model->kind));
}
