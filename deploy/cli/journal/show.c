#include "show.h"

#include "journal_cli.h"
#include "record/fields.h"
#include "view/json_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define VALUE_BYTES 64

void show_padded(char *text, size_t text_bytes, const char *field, size_t field_bytes)
{
    size_t count = 0;
    while (field_bytes > 0 && (field[field_bytes - 1] == ' ' || field[field_bytes - 1] == '\0'))
        field_bytes--;
    for (; count < field_bytes && count + 1 < text_bytes; count++)
        text[count] = (char)(field[count] >= ' ' && field[count] <= '~' ? field[count] : '?');
    text[count] = '\0';
}

static uint64_t number_of(const struct record_field *field, const struct command *command)
{
    uint64_t number = 0;
    memcpy(&number, (const uint8_t *)command + field->offset, field->bytes <= 8 ? field->bytes : 8);
    return number;
}

static const char *address_text(const struct record_field *field, const struct command *command, char *text)
{
    struct in6_addr address;
    memcpy(&address, (const uint8_t *)command + field->offset, sizeof(address));
    bool is_four = IN6_IS_ADDR_V4MAPPED(&address);
    const void *bytes = is_four ? (const void *)&address.s6_addr[12] : (const void *)&address;
    return inet_ntop(is_four ? AF_INET : AF_INET6, bytes, text, VALUE_BYTES) ? text : "?";
}

static bool zero(const struct record_field *field, const struct command *command)
{
    const uint8_t *bytes = (const uint8_t *)command + field->offset;
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
                                        "inbound_seq", "tenure",  "gateway", "shard",      "flags"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void print_value(FILE *to, const struct record_field *field, const char *name, const struct command *command)
{
    enum record_value kind = record_value_of(field, name);
    uint64_t number = number_of(field, command);
    char text[VALUE_BYTES];
    if (kind == RECORD_TEXT) {
        show_padded(text, sizeof(text), (const char *)command + field->offset, field->bytes);
        if (*text)
            fprintf(to, " %s \"%s\"", name, text);
    } else if (kind == RECORD_ADDRESS) {
        fprintf(to, " %s %s", name, address_text(field, command, text));
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

void show_command_text(FILE *to, const struct command *command, const struct command_names *names)
{
    char time[TIME_TEXT_BYTES];
    char instrument[16];
    char session[16];
    fprintf(to, "%10llu  %s  %-17s %-8s %-8s", (ull)command->command_seq, time_text(command->time_ns, time),
            command_kind_name(command->kind), or_number(names->user, command->session, session),
            or_number(names->symbol, names->instrument, instrument));
    for (uint32_t i = 0; i < command_field_count; i++) {
        const struct record_field *field = &command_fields[i];
        const char *name = command_field_shown(field, command->kind);
        if (name && !left_out(name) && !zero(field, command))
            print_value(to, field, name, command);
    }
    putc('\n', to);
}

/* ---- for a program ------------------------------------------------------------------------------------------------
 */

static void print_json_value(FILE *to, const struct record_field *field, const char *name,
                             const struct command *command)
{
    enum record_value kind = record_value_of(field, name);
    uint64_t number = number_of(field, command);
    char text[VALUE_BYTES];
    fprintf(to, ",\"%s\":", name);
    if (kind == RECORD_TEXT) {
        show_padded(text, sizeof(text), (const char *)command + field->offset, field->bytes);
        json_text_print(to, text);
    } else if (kind == RECORD_ADDRESS) {
        json_text_print(to, address_text(field, command, text));
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

void show_command_json(FILE *to, const struct command *command, const struct command_names *names)
{
    char time[TIME_TEXT_BYTES];
    bool has_symbol = show_symbol_of(command) != NULL;
    bool has_user = show_user_of(command) != NULL;
    fprintf(to, "{\"kind\":\"%s\",\"time\":\"%s\"", command_kind_name(command->kind),
            time_text(command->time_ns, time));
    if (*names->user && !has_user)
        fprintf(to, ",\"user\":\"%s\"", names->user);
    if (*names->symbol && !has_symbol)
        fprintf(to, ",\"symbol\":\"%s\"", names->symbol);
    for (uint32_t i = 0; i < command_field_count; i++) {
        const struct record_field *field = &command_fields[i];
        const char *name = command_field_shown(field, command->kind);
        if (name && !zero(field, command) && !(strcmp(name, "symbol") == 0 && !has_symbol) &&
            !(strcmp(name, "user") == 0 && !has_user))
            print_json_value(to, field, name, command);
    }
    fprintf(to, "}\n");
}
