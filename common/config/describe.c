/*
 * The options as text, from their table: the annotated deploy/ringside.conf (which a test compares with this) and the
 * list of a man page.
 */
#include "config/option.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_COLUMNS 96

struct writer {
    char *text;
    size_t text_bytes;
    size_t length; /* as it would be with room enough, like snprintf */
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *format, ...)
{
    bool room = writer->length < writer->text_bytes;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(room ? writer->text + writer->length : NULL, room ? writer->text_bytes - writer->length : 0,
                           format, arguments);
    va_end(arguments);
    writer->length += length > 0 ? (size_t)length : 0;
}

/* Breaks a sentence into comment lines. */
static void put_comment(struct writer *writer, const char *sentence)
{
    while (*sentence) {
        size_t length = strlen(sentence);
        if (length > LINE_COLUMNS) {
            for (length = LINE_COLUMNS; length > 0 && sentence[length] != ' '; length--)
                continue;
            if (length == 0)
                length = strcspn(sentence, " ");
        }
        put(writer, "# %.*s\n", (int)length, sentence);
        sentence += length;
        sentence += strspn(sentence, " ");
    }
}

/* A number with the suffix that loses nothing, as the file may have it. */
static void put_number(struct writer *writer, uint64_t number)
{
    static const char suffixes[] = {'G', 'M', 'K'};
    for (int i = 0; i < 3; i++) {
        int shift = 30 - 10 * i;
        if (number != 0 && (number & ((UINT64_C(1) << shift) - 1)) == 0) {
            put(writer, "%llu%c", (unsigned long long)(number >> shift), suffixes[i]);
            return;
        }
    }
    put(writer, "%llu", (unsigned long long)number);
}

static void put_default(struct writer *writer, const struct config_option *option)
{
    char name[32] = "";
    if (option->kind == OPTION_KIND_TEXT)
        put(writer, "%s", option->text_default);
    else if (option->kind == OPTION_KIND_NUMBER)
        put_number(writer, option->number_default);
    else if (config_choice_name(option->choices, (uint32_t)option->number_default, name, sizeof(name)))
        put(writer, "%s", name);
}

static void put_bounds(struct writer *writer, const struct config_option *option)
{
    if (option->kind == OPTION_KIND_NUMBER) {
        put(writer, "%llu to %llu", (unsigned long long)option->number_min, (unsigned long long)option->number_max);
        return;
    }
    char name[32];
    for (uint32_t i = 0; config_choice_name(option->choices, i, name, sizeof(name)); i++)
        put(writer, "%s%s", i > 0 ? ", " : "", name);
}

/* "name = value" or "name =": no space at the end of a line. */
static void put_file_option(struct writer *writer, const struct config_option *option)
{
    put(writer, "\n");
    put_comment(writer, option->help);
    if (option->kind != OPTION_KIND_TEXT) {
        put(writer, option->kind == OPTION_KIND_NUMBER ? "# (" : "# (one of ");
        put_bounds(writer, option);
        put(writer, ")\n");
    }
    bool empty = option->kind == OPTION_KIND_TEXT && option->text_default[0] == '\0';
    put(writer, "%s =%s", option->name, empty ? "" : " ");
    put_default(writer, option);
    put(writer, "\n");
}

static void describe_file(struct writer *writer)
{
    put(writer, "# Ringside's configuration: every option, with its default. What is left out has its default too.\n"
                "#\n"
                "# Numbers may have a suffix K, M or G (powers of 1024). A line that begins with # or ; is a comment, "
                "and so is\n"
                "# what follows a ; behind a space. Unknown sections and options refuse the start. Any option can be "
                "overridden\n"
                "# on the command line: --set section.name=value.\n");
    const char *section = "";
    for (uint32_t i = 0; i < config_option_count; i++) {
        const struct config_option *option = &config_options[i];
        if (strcmp(section, option->section) != 0)
            put(writer, "\n[%s]\n", option->section);
        section = option->section;
        put_file_option(writer, option);
    }
    put(writer,
        "\n[%s]\n\n"
        "# SYMBOL = tick PRICE lot QUANTITY reference PRICE, every part optional (tick 0.01, lot 1, no reference); "
        "also\n"
        "# collar PRICE, fat_finger PRICE, quantity_max QUANTITY, notional_max AMOUNT, and state, in which it begins:\n"
        "# open, pre-open, halted, closed or extended. Prices are multiples of the tick, quantities of the lot. An\n"
        "# instrument keeps its number for the life of the journal; lines may be added at any time and take effect at\n"
        "# the next start of a run, or when ringside-admin reads the file again (SIGHUP, or ringside admin reload). "
        "So do\n"
        "# limits; of an instrument for which none is named, those that it has stay.\n"
        "# AAPL = tick 0.01 lot 1 reference 585.33 collar 20 quantity_max 100000\n",
        CONFIG_INSTRUMENTS_SECTION);
    put(writer,
        "\n[%s]\n\n"
        "# FIRM = quantity_max QUANTITY notional_max AMOUNT: the largest order that members of a firm may send.\n"
        "# FRMA = quantity_max 50000 notional_max 5000000\n",
        CONFIG_FIRMS_SECTION);
}

static void describe_man_page(struct writer *writer)
{
    const char *section = "";
    for (uint32_t i = 0; i < config_option_count; i++) {
        const struct config_option *option = &config_options[i];
        if (strcmp(section, option->section) != 0)
            put(writer, ".SS [%s]\n", option->section);
        section = option->section;
        put(writer, ".TP\n.B %s\n%s", option->name, option->help);
        if (option->kind != OPTION_KIND_TEXT) {
            put(writer, option->kind == OPTION_KIND_NUMBER ? "; from " : "; one of ");
            put_bounds(writer, option);
        }
        put(writer, ". Default: ");
        put_default(writer, option);
        put(writer, option->kind == OPTION_KIND_TEXT && option->text_default[0] == '\0' ? "empty.\n" : ".\n");
    }
}

size_t config_describe(char *text, size_t text_bytes, bool as_man_page)
{
    struct writer writer = {.text = text, .text_bytes = text_bytes};
    if (text_bytes > 0)
        text[0] = '\0';
    if (as_man_page)
        describe_man_page(&writer);
    else
        describe_file(&writer);
    return writer.length;
}
