/* A message of the exchange as one JSON object: every field by its name in wire/ouch_layout.h, prices as numbers. */
#include "order_cli.h"
#include "view/json_text.h"

#include <string.h>

static bool is_price(const char *name)
{
    static const char *const names[] = {"price",         "prevented_price", "discretion_price", "display_price",
                                        "trigger_price", "trail_offset",    "peg_offset",       "discretion_offset"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void print_key(FILE *to, const char *name)
{
    fprintf(to, ",\"%s\":", name);
}

static void print_number(FILE *to, const char *name, int64_t number)
{
    char text[ORDER_PRICE_BYTES];
    print_key(to, name);
    if (!is_price(name))
        fprintf(to, "%lld", (long long)number);
    else if (number == RS_PRICE_MARKET)
        fputs("\"market\"", to);
    else
        fprintf(to, "%s%s", number < 0 ? "-" : "", order_price_text((uint64_t)(number < 0 ? -number : number), text));
}

static void print_text(FILE *to, const char *name, const char *field, size_t field_bytes)
{
    char text[32];
    print_key(to, name);
    text_trim(text, field, field_bytes < sizeof(text) ? field_bytes : sizeof(text) - 1);
    json_text_print(to, text);
}

static void print_letter(FILE *to, const char *name, uint8_t letter)
{
    const char text[2] = {(char)letter, '\0'};
    print_key(to, name);
    json_text_print(to, text);
}

#define PRINT_letter(to, name, value, bytes) print_letter(to, name, value)
#define PRINT_u16(to, name, value, bytes)    print_number(to, name, value)
#define PRINT_u32(to, name, value, bytes)    print_number(to, name, value)
#define PRINT_i32(to, name, value, bytes)    print_number(to, name, value)
#define PRINT_u64(to, name, value, bytes)    print_number(to, name, (int64_t)(value))
#define PRINT_text(to, name, value, bytes)   print_text(to, name, value, bytes)

static void print_options(FILE *to, const struct ouch_options *options)
{
#define X(bit, NAME, name, tag, bytes, kind, places, meaning)                                                          \
    if (options->present & OUCH_HAS_##NAME)                                                                            \
        PRINT_##kind(to, #name, options->name, bytes);
    OUCH_OPTIONS(X)
#undef X
}

/* What a reason's number or letter means. */
static void print_meaning(FILE *to, const uint8_t *message, size_t message_bytes)
{
    struct ouch_rejected rejected;
    struct ouch_canceled canceled;
    const char *text = NULL;
    if (!ouch_decode_rejected(message, message_bytes, &rejected))
        text = ouch_reject_text(rejected.reason);
    else if (!ouch_decode_canceled(message, message_bytes, &canceled))
        text = ouch_cancel_text(canceled.reason);
    if (!text)
        return;
    print_key(to, "reason_text");
    json_text_print(to, text);
}

/* NOLINTBEGIN(bugprone-macro-parentheses): names of members and of messages */
#define FIELD(m, kind, name, offset, bytes, meaning) PRINT_##kind(to, #name, m.name, bytes);

static void print_fields(FILE *to, const uint8_t *message, size_t message_bytes)
{
    struct ouch_appendage appendage = {0};
    struct ouch_options options = {0};
    switch (message[0]) {
#define X(name, NAME, letter, fixed_bytes, appendage_rule, title)                                                      \
    case letter: {                                                                                                     \
        struct ouch_##name decoded;                                                                                    \
        if (ouch_decode_##name(message, message_bytes, &decoded))                                                      \
            return;                                                                                                    \
        OUCH_##NAME##_FIELDS(FIELD, decoded) appendage = decoded.appendage;                                            \
        break;                                                                                                         \
    }
        OUCH_MESSAGES_OUT(X)
#undef X
    default:
        return;
    }
    if (!ouch_options_decode(appendage, OUCH_PLACES_ALL, &options))
        print_options(to, &options);
    print_meaning(to, message, message_bytes);
}
/* NOLINTEND(bugprone-macro-parentheses) */

static const char *type_name(uint8_t type)
{
    switch (type) {
#define X(name, NAME, letter, bytes, appendage, title)                                                                 \
    case letter:                                                                                                       \
        return #name;
        OUCH_MESSAGES_OUT(X)
#undef X
    default:
        return "unknown";
    }
}

void order_show_json(FILE *to, uint64_t sequence, const uint8_t *message, size_t message_bytes)
{
    fprintf(to, "{\"sequence\":%llu,\"type\":\"%s\"", (unsigned long long)sequence,
            type_name(message_bytes > 0 ? message[0] : 0));
    if (message_bytes > 0)
        print_fields(to, message, message_bytes);
    fputs("}\n", to);
}
