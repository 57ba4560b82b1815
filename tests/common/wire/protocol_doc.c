/*
 * Holds docs/protocol.md to the code, and its examples to the decoders.
 *
 *   protocol_doc print         the tables, each between its marks, as the document has them
 *   protocol_doc check FILE    every table of the code stands in FILE word for word; every message there has one
 * example, whose bytes decode, and encode to the same bytes
 */
#include "golden.h"
#include "hex.h"
#include "wire_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 65536

struct text {
    char bytes[TEXT_BYTES];
    size_t count;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int written = vsnprintf(text->bytes + text->count, sizeof(text->bytes) - text->count, format, arguments);
    __builtin_va_end(arguments);
    REQUIRE(written >= 0 && text->count + (size_t)written < sizeof(text->bytes));
    text->count += (size_t)written;
}

/* ---- examples ---- */

/* What the fields of the examples hold, by name. */
static const struct {
    const char *name;
    uint64_t number;
    const char *text;
} samples[] = {
    {"user_ref", 7, NULL},
    {"orig_user_ref", 7, NULL},
    {"user_ref_next", 9, NULL},
    {"quantity", 100, NULL},
    {"prevented_quantity", 100, NULL},
    {"price", 5853300, NULL},
    {"prevented_price", 5853300, NULL},
    {"timestamp_ns", 34200004241176, NULL},
    {"order_ref", 4711, NULL},
    {"match_number", 815, NULL},
    {"symbol", 0, "AAPL"},
    {"firm", 0, "LIME"},
    {"client_order_id", 0, "my first"},
    {"side", 0, "B"},
    {"time_in_force", 0, "0"},
    {"display", 0, "Y"},
    {"capacity", 0, "A"},
    {"sweep", 0, "N"},
    {"cross_type", 0, "N"},
    {"state", 0, "L"},
    {"event", 0, "S"},
    {"liquidity", 0, "R"},
    {"strategy", 0, "O"},
};

static const char *sample_reason(const struct wire_message *message)
{
    if (message->type == OUCH_TYPE_SELF_MATCH_CANCELED)
        return "Q";
    if (message->type == OUCH_TYPE_CANCELED)
        return "U";
    return message->type == OUCH_TYPE_BROKEN ? "E" : "R";
}

static void put_number(uint8_t *at, uint32_t bytes, uint64_t number)
{
    for (uint32_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
}

static void put_sample(const struct wire_message *message, const struct wire_field *field, uint8_t *bytes)
{
    uint64_t number = 0x17; /* a reject reason */
    const char *text = sample_reason(message);
    for (size_t i = 0; i < ARRAY_COUNT(samples); i++) {
        if (strcmp(samples[i].name, field->name) != 0)
            continue;
        number = samples[i].number;
        text = samples[i].text;
    }
    if (message->type == OUCH_TYPE_REPLACE && strcmp(field->name, "user_ref") == 0)
        number = 8;
    if (message->type == OUCH_TYPE_MODIFY && strcmp(field->name, "side") == 0)
        text = "E";
    if (field->kind == WIRE_letter || field->kind == WIRE_text)
        text_pad((char *)bytes + field->offset, field->bytes, text);
    else
        put_number(bytes + field->offset, field->bytes, number);
}

static uint32_t put_example(const struct wire_message *message, uint8_t *bytes)
{
    memset(bytes, 0, OUCH_MESSAGE_BYTES_MAX);
    bytes[0] = message->type;
    for (size_t i = 0; i < message->field_count; i++)
        put_sample(message, &message->fields[i], bytes);
    if (message->type != OUCH_TYPE_ENTER || message->direction != OUCH_IN)
        return message->fixed_bytes;
    const struct ouch_options options = {.present = OUCH_HAS_FIRM, .firm = {'L', 'I', 'M', 'E'}};
    uint32_t count = ouch_options_encode(bytes + message->fixed_bytes, &options);
    store_be16(bytes + message->fixed_bytes - 2, (uint16_t)count);
    return message->fixed_bytes + count;
}

/* ---- tables ---- */

static void add_hex(struct text *text, const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        add(text, "%02x", bytes[i]);
}

static void add_value(struct text *text, const struct wire_field *field, const uint8_t *bytes)
{
    static const char *const kinds[] = {"letter", "u16", "u32", "u64", "text"};
    uint64_t number = 0;
    add(text, "| %u | %u | %s | %s | %s | `", field->offset, field->bytes, field->name, kinds[field->kind],
        field->meaning);
    add_hex(text, bytes + field->offset, field->bytes);
    for (uint32_t i = 0; i < field->bytes; i++)
        number = number << 8 | bytes[field->offset + i];
    if (field->kind == WIRE_letter || field->kind == WIRE_text)
        add(text, "` \"%.*s\" |\n", (int)field->bytes, (const char *)bytes + field->offset);
    else
        add(text, "` %" PRIu64 " |\n", number);
}

static void add_message(struct text *text, const struct wire_message *message)
{
    static const char *const appendages[] = {"and the appendage", "or, with an appendage, two more and the appendage",
                                             "and never an appendage"};
    uint8_t bytes[OUCH_MESSAGE_BYTES_MAX];
    uint32_t count = put_example(message, bytes);
    add(text, "<!-- wire:%s -->\n", message->name);
    add(text, "### %c %s\n\n%u bytes %s.\n\n", message->type, message->title, message->fixed_bytes,
        appendages[message->appendage]);
    add(text, "| offset | bytes | field | kind | meaning | example |\n|---:|---:|---|---|---|---|\n");
    add(text, "| 0 | 1 | type | letter | %c | `%02x` \"%c\" |\n", message->type, message->type, message->type);
    for (size_t i = 0; i < message->field_count; i++)
        add_value(text, &message->fields[i], bytes);
    if (message->appendage == WIRE_ALWAYS)
        add(text, "| %u | 2 | appendage_length | u16 | bytes of what follows | `%02x%02x` %u |\n",
            message->fixed_bytes - 2, bytes[message->fixed_bytes - 2], bytes[message->fixed_bytes - 1],
            load_be16(bytes + message->fixed_bytes - 2));
    if (count > message->fixed_bytes) {
        add(text, "| %u | %u | appendage | options | see Options | `", message->fixed_bytes,
            count - message->fixed_bytes);
        add_hex(text, bytes + message->fixed_bytes, count - message->fixed_bytes);
        add(text, "` tag 2, firm \"LIME\" |\n");
    }
    add(text, "\n    ");
    add_hex(text, bytes, count);
    add(text, "\n<!-- /wire -->\n");
}

static void add_places(struct text *text, uint32_t places)
{
    static const char *const names[] = {"Enter",    "Replace",  "Mass Cancel",          "other in", "Accepted",
                                        "Replaced", "Restated", "Mass Cancel Response", "other out"};
    const char *separator = "";
    if (places == OUCH_PLACES_ALL)
        add(text, "all");
    for (uint32_t i = 0; i < ARRAY_COUNT(names) && places != OUCH_PLACES_ALL; i++) {
        if ((places >> i & 1) == 0)
            continue;
        add(text, "%s%s", separator, names[i]);
        separator = ", ";
    }
}

static void add_options(struct text *text)
{
    add(text, "<!-- wire:options -->\n| tag | bytes | option | kind | meaning | may be in |\n"
              "|---:|---:|---|---|---|---|\n");
    for (size_t i = 0; i < wire_option_count; i++) {
        const struct wire_option *option = &wire_options[i];
        add(text, "| %u | %u | %s | %s | %s | ", option->tag, option->bytes, option->name, option->kind,
            option->meaning);
        add_places(text, option->places);
        add(text, " |\n");
    }
    add(text, "<!-- /wire -->\n");
}

static void add_reasons(struct text *text)
{
    add(text, "<!-- wire:rejects -->\n| reason | meaning |\n|---|---|\n");
#define X(number, NAME, meaning) add(text, "| %04x | %s |\n", number, meaning);
    OUCH_REJECT_REASONS(X)
#undef X
    add(text, "<!-- /wire -->\n\n<!-- wire:cancels -->\n| reason | meaning |\n|---|---|\n");
#define X(letter, NAME, meaning) add(text, "| %c | %s |\n", letter, meaning);
    OUCH_CANCEL_REASONS(X)
#undef X
    add(text, "<!-- /wire -->\n");
}

static void print_all(void)
{
    static struct text text;
    for (size_t i = 0; i < wire_message_count; i++) {
        add_message(&text, &wire_messages[i]);
        add(&text, "\n");
    }
    add_options(&text);
    add(&text, "\n");
    add_reasons(&text);
    fputs(text.bytes, stdout);
}

/* ---- checks ---- */

static int wrong(const char *what, const char *name)
{
    printf("docs/protocol.md: %s %s\n", what, name);
    return 1;
}

static int check_block(const char *document, const struct text *expected, const char *name)
{
    return strstr(document, expected->bytes) ? 0
                                             : wrong("the table is not the code's; update-protocol writes it:", name);
}

/* The example as the document has it. */
static int check_example(const char *document, const struct wire_message *message)
{
    char mark[64];
    uint8_t bytes[OUCH_MESSAGE_BYTES_MAX];
    uint8_t again[OUCH_MESSAGE_BYTES_MAX];
    snprintf(mark, sizeof(mark), "<!-- wire:%s -->", message->name);
    const char *block = strstr(document, mark);
    const char *example = block ? strstr(block, "\n    ") : NULL;
    if (!example)
        return wrong("no example of", message->title);
    size_t count = hex_read(example + 1, bytes, sizeof(bytes));
    const char *broken = NULL;
    uint32_t written = message->recode(bytes, count, again, &broken);
    if (broken)
        return wrong(broken, message->title);
    const char *invalid = ouch_invalid(message->direction, bytes, count);
    if (invalid)
        return wrong(invalid, message->title);
    return written == count && memcmp(again, bytes, count) == 0 ? 0
                                                                : wrong("not the same bytes again:", message->title);
}

static int check_all(const char *document)
{
    static struct text text;
    int failures = 0;
    for (size_t i = 0; i < wire_message_count; i++) {
        text.count = 0;
        add_message(&text, &wire_messages[i]);
        failures += check_block(document, &text, wire_messages[i].title);
        failures += check_example(document, &wire_messages[i]);
    }
    text.count = 0;
    add_options(&text);
    failures += check_block(document, &text, "of the options");
    text.count = 0;
    add_reasons(&text);
    const char *middle = strstr(text.bytes, "\n\n");
    REQUIRE(middle != NULL);
    text.bytes[middle - text.bytes + 1] = '\0';
    failures += check_block(document, &text, "of the reject reasons");
    memmove(text.bytes, middle + 2, strlen(middle + 2) + 1);
    failures += check_block(document, &text, "of the cancel reasons");
    if (!strstr(document, GOLDEN_LOGIN_REQUEST) || !strstr(document, GOLDEN_LOGIN_ACCEPTED))
        failures += wrong("the logins' examples are not", "those that test_soup.c decodes");
    printf("%zu messages, %d differences\n", wire_message_count, failures);
    return failures;
}

int main(int argc, char **argv)
{
    static char document[4 * TEXT_BYTES];
    if (argc == 2 && strcmp(argv[1], "print") == 0) {
        print_all();
        return 0;
    }
    FILE *file = argc == 3 && strcmp(argv[1], "check") == 0 ? fopen(argv[2], "re") : NULL;
    if (!file) {
        fprintf(stderr, "usage: protocol_doc print | check FILE\n");
        return 2;
    }
    size_t count = fread(document, 1, sizeof(document) - 1, file);
    fclose(file);
    document[count] = '\0';
    return check_all(document) == 0 ? 0 : 1;
}
