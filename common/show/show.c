#include "show/show.h"

#include "record/fields.h"
#include "show/text.h"
#include "view/json_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define VALUE_BYTES 64

typedef unsigned long long ull;

/* A command or an event, its fields, and what stands at the beginning of its line. */
struct shown {
    const void *record;
    const struct record_field *fields;
    uint32_t field_count;
    const char *(*field_shown)(const struct record_field *field, uint8_t kind);
    const char *kind_name;
    uint64_t seq;
    uint64_t time_ns;
    uint32_t session;
    uint8_t kind;
    bool has_symbol; /* the record itself holds it */
    bool has_user;
};

const char *show_symbol_of(const struct command *command)
{
    switch (command->kind) {
    case COMMAND_INSTRUMENT_ADD:
    case COMMAND_INSTRUMENT_LIMITS:
    case COMMAND_MARKET_STATE:
        return command->admin.instrument == 0 && command->admin.symbol[0] > ' ' ? command->admin.symbol : NULL;
    case COMMAND_ORDERS_CANCEL:
        return command->act.symbol[0] > ' ' ? command->act.symbol : NULL;
    default:
        return NULL;
    }
}

const char *show_user_of(const struct command *command)
{
    switch (command->kind) {
    case COMMAND_LOGIN:
        return command->login.user;
    case COMMAND_SESSION_BLOCK:
    case COMMAND_SESSION_KICK:
    case COMMAND_ORDERS_CANCEL:
        return command->act.user[0] > ' ' ? command->act.user : NULL;
    default:
        return NULL;
    }
}

static bool holds(const struct shown *shown, const char *wanted)
{
    for (uint32_t i = 0; i < shown->field_count; i++) {
        const char *name = shown->field_shown(&shown->fields[i], shown->kind);
        if (name && strcmp(name, wanted) == 0)
            return true;
    }
    return false;
}

static struct shown shown_command(const struct command *command)
{
    return (struct shown){
        .record = command,
        .fields = command_fields,
        .field_count = command_field_count,
        .field_shown = command_field_shown,
        .kind_name = command_kind_name(command->kind),
        .seq = command->command_seq,
        .time_ns = command->time_ns,
        .session = command->session,
        .kind = command->kind,
        .has_symbol = show_symbol_of(command) != NULL,
        .has_user = show_user_of(command) != NULL,
    };
}

static struct shown shown_event(const struct event *event)
{
    struct shown shown = {
        .record = event,
        .fields = event_fields,
        .field_count = event_field_count,
        .field_shown = event_field_shown,
        .kind_name = event_kind_name(event->kind),
        .seq = event->event_seq,
        .time_ns = event->time_ns,
        .session = event->session,
        .kind = event->kind,
    };
    shown.has_symbol = holds(&shown, "symbol");
    shown.has_user = holds(&shown, "user");
    return shown;
}

void show_padded(char *text, size_t text_bytes, const char *field, size_t field_bytes)
{
    size_t count = 0;
    while (field_bytes > 0 && (field[field_bytes - 1] == ' ' || field[field_bytes - 1] == '\0'))
        field_bytes--;
    for (; count < field_bytes && count + 1 < text_bytes; count++)
        text[count] = (char)(field[count] >= ' ' && field[count] <= '~' ? field[count] : '?');
    text[count] = '\0';
}

static uint64_t number_of(const struct record_field *field, const void *record)
{
    uint64_t number = 0;
    memcpy(&number, (const uint8_t *)record + field->offset, field->bytes <= 8 ? field->bytes : 8);
    return number;
}

static const char *address_text(const struct record_field *field, const void *record, char *text)
{
    struct in6_addr address;
    memcpy(&address, (const uint8_t *)record + field->offset, sizeof(address));
    bool is_four = IN6_IS_ADDR_V4MAPPED(&address);
    const void *bytes = is_four ? (const void *)&address.s6_addr[12] : (const void *)&address;
    return inet_ntop(is_four ? AF_INET : AF_INET6, bytes, text, VALUE_BYTES) ? text : "?";
}

static bool zero(const struct record_field *field, const void *record)
{
    const uint8_t *bytes = (const uint8_t *)record + field->offset;
    size_t count = field->bytes;
    while (count > 0 && bytes[count - 1] == 0)
        count--;
    return count == 0;
}

static bool letter(enum record_value kind, uint64_t number)
{
    return kind == RECORD_LETTER && number < 128 && isgraph((int)number);
}

/* ---- for a person -------------------------------------------------------------------------------------------------
 */

/* Stands at the beginning of the line already, or is of interest to the machinery alone. */
static bool left_out(const char *name)
{
    static const char *const names[] = {"command_seq", "time_ns", "session", "instrument", "symbol", "user",
                                        "inbound_seq", "tenure",  "gateway", "shard",      "flags",  "event_seq"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void print_value(FILE *to, const struct record_field *field, const char *name, const void *record)
{
    enum record_value kind = record_value_of(field, name);
    uint64_t number = number_of(field, record);
    char text[VALUE_BYTES];
    if (kind == RECORD_TEXT) {
        show_padded(text, sizeof(text), (const char *)record + field->offset, field->bytes);
        if (*text)
            fprintf(to, " %s \"%s\"", name, text);
    } else if (kind == RECORD_ADDRESS) {
        fprintf(to, " %s %s", name, address_text(field, record, text));
    } else if (kind == RECORD_TICKS) {
        fprintf(to, " %.*s %s", (int)(strlen(name) - strlen("_ticks")), name,
                price_text((int32_t)(uint32_t)number, text));
    } else if (kind == RECORD_TIME) {
        fprintf(to, " %.*s %s", (int)(strlen(name) - strlen("_ns")), name, time_text(number, text));
    } else if (letter(kind, number)) {
        fprintf(to, " %s %c", name, (char)number);
    } else if (kind == RECORD_BITS) {
        fprintf(to, " %s 0x%llx", name, (ull)number);
    } else if (number != ' ' || kind != RECORD_LETTER) {
        fprintf(to, " %s %llu", name, (ull)number);
    }
}

static const char *or_number(const char *name, uint32_t number, char text[16])
{
    if (*name)
        return name;
    snprintf(text, 16, number != 0 ? "#%u" : "-", number);
    return text;
}

static void show_text(FILE *to, const struct shown *shown, const struct record_names *names)
{
    char time[TIME_TEXT_BYTES];
    char instrument[16];
    char session[16];
    fprintf(to, "%10llu  %s  %-17s %-8s %-8s", (ull)shown->seq, time_text(shown->time_ns, time), shown->kind_name,
            or_number(names->user, shown->session, session), or_number(names->symbol, names->instrument, instrument));
    for (uint32_t i = 0; i < shown->field_count; i++) {
        const struct record_field *field = &shown->fields[i];
        const char *name = shown->field_shown(field, shown->kind);
        if (name && !left_out(name) && !zero(field, shown->record))
            print_value(to, field, name, shown->record);
    }
    putc('\n', to);
}

/* ---- for a program ------------------------------------------------------------------------------------------------
 */

static void print_json_value(FILE *to, const struct record_field *field, const char *name, const void *record)
{
    enum record_value kind = record_value_of(field, name);
    uint64_t number = number_of(field, record);
    char text[VALUE_BYTES];
    fprintf(to, ",\"%s\":", name);
    if (kind == RECORD_TEXT) {
        show_padded(text, sizeof(text), (const char *)record + field->offset, field->bytes);
        json_text_print(to, text);
    } else if (kind == RECORD_ADDRESS) {
        json_text_print(to, address_text(field, record, text));
    } else if (letter(kind, number)) {
        const char one[2] = {(char)number, '\0'};
        json_text_print(to, one);
    } else if (kind == RECORD_TICKS || strstr(name, "_ticks")) {
        fprintf(to, "%d,\"%.*s\":\"%s\"", (int)(uint32_t)number, (int)(strlen(name) - strlen("_ticks")), name,
                price_text((int32_t)(uint32_t)number, text));
    } else {
        fprintf(to, "%llu", (ull)number);
    }
}

static void show_json(FILE *to, const struct shown *shown, const struct record_names *names)
{
    char time[TIME_TEXT_BYTES];
    fprintf(to, "{\"kind\":\"%s\",\"time\":\"%s\"", shown->kind_name, time_text(shown->time_ns, time));
    if (*names->user && !shown->has_user)
        fprintf(to, ",\"user\":\"%s\"", names->user);
    if (*names->symbol && !shown->has_symbol)
        fprintf(to, ",\"symbol\":\"%s\"", names->symbol);
    for (uint32_t i = 0; i < shown->field_count; i++) {
        const struct record_field *field = &shown->fields[i];
        const char *name = shown->field_shown(field, shown->kind);
        if (name && !zero(field, shown->record) && !(strcmp(name, "symbol") == 0 && !shown->has_symbol) &&
            !(strcmp(name, "user") == 0 && !shown->has_user))
            print_json_value(to, field, name, shown->record);
    }
    fprintf(to, "}\n");
}

/* ---- commands and events ------------------------------------------------------------------------------------------
 */

void show_command_text(FILE *to, const struct command *command, const struct record_names *names)
{
    struct shown shown = shown_command(command);
    show_text(to, &shown, names);
}

void show_command_json(FILE *to, const struct command *command, const struct record_names *names)
{
    struct shown shown = shown_command(command);
    show_json(to, &shown, names);
}

void show_event_text(FILE *to, const struct event *event, const struct record_names *names)
{
    struct shown shown = shown_event(event);
    show_text(to, &shown, names);
}

void show_event_json(FILE *to, const struct event *event, const struct record_names *names)
{
    struct shown shown = shown_event(event);
    show_json(to, &shown, names);
}
