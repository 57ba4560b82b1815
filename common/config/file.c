/*
 * Reads the configuration file, by inih.
 *
 * Rules
 *   1. Every refusal names file and line. Debian's inih does not tell its handler the line, so the reader given to it
 *      counts them; the handler is called right after the reader.
 *   2. The first refusal ends it: inih goes on to the end of the file, what it then finds is not looked at.
 *   3. Refused: unknown sections (even empty ones) and options, bad values, an option or symbol given twice, a line
 *      longer than inih's buffer (it would be cut in silence).
 */
#include "base/require.h"
#include "config/option.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 128

struct symbol_line {
    char symbol[8];
    uint32_t line;
};

struct reading {
    struct config *config;
    FILE *file;
    const char *path;
    uint32_t line;
    int result; /* 0, or the first error */
    struct error *error;
    uint32_t option_lines[OPTIONS_MAX]; /* where each was given; 0: nowhere yet */
    struct symbol_line *symbols;
    uint32_t symbol_count;
};

/* "path:line", for struct error. */
static const char *reading_where(const struct reading *reading, char where[ERROR_WHERE_BYTES])
{
    snprintf(where, ERROR_WHERE_BYTES, "%s:%u", reading->path, reading->line);
    return where;
}

static void reading_section(struct reading *reading, const char *line)
{
    char where[ERROR_WHERE_BYTES];
    char section[64];
    line += strspn(line, " \t");
    if (*line != '[' || reading->result < 0)
        return;
    size_t length = strcspn(++line, "]\n");
    snprintf(section, sizeof(section), "%.*s", (int)(length < 64 ? length : 63), line);
    if (!config_section_known(section))
        reading->result = error_set(reading->error, ERROR_INVALID, reading_where(reading, where),
                                    "there is no section [%s]", section);
}

/* inih's reader: as fgets, counting lines. */
static char *reading_line(char *buffer, int buffer_bytes, void *user)
{
    struct reading *reading = user;
    char where[ERROR_WHERE_BYTES];
    if (!fgets(buffer, buffer_bytes, reading->file))
        return NULL;
    reading->line++;
    size_t length = strlen(buffer);
    bool cut = length + 1 == (size_t)buffer_bytes && buffer[length - 1] != '\n' && !feof(reading->file);
    if (cut && reading->result == 0)
        reading->result = error_set(reading->error, ERROR_INVALID, reading_where(reading, where),
                                    "the line is longer than %d bytes", buffer_bytes - 2);
    reading_section(reading, buffer);
    return buffer;
}

static int reading_option(struct reading *reading, const char *section, const char *name, const char *value,
                          const char *where)
{
    const struct config_option *option = config_option_find(section, name);
    if (!option)
        return error_set(reading->error, ERROR_INVALID, where, "there is no option %s in [%s]", name, section);
    uint32_t *first_line = &reading->option_lines[option - config_options];
    if (*first_line != 0)
        return error_set(reading->error, ERROR_INVALID, where, "%s.%s is given twice, first in line %u", section, name,
                         *first_line);
    *first_line = reading->line;
    return config_option_assign(reading->config, option, value, where, reading->error);
}

static int reading_instrument(struct reading *reading, const char *symbol, const char *value, const char *where)
{
    struct config_instrument instrument;
    int result = config_instrument_parse(&instrument, symbol, value, where, reading->error);
    if (result == 0)
        result = config_instrument_add(reading->config, &instrument, where, reading->error);
    if (result < 0)
        return result;
    uint32_t count = reading->symbol_count;
    if ((count & (count - 1)) == 0) {
        size_t capacity = count == 0 ? 1 : 2 * (size_t)count;
        struct symbol_line *larger = realloc(reading->symbols, capacity * sizeof(*larger));
        if (!larger)
            return error_set(reading->error, ERROR_FULL, where, "no memory");
        reading->symbols = larger;
    }
    memcpy(reading->symbols[count].symbol, instrument.symbol, sizeof(instrument.symbol));
    reading->symbols[count].line = reading->line;
    reading->symbol_count = count + 1;
    return 0;
}

static int reading_firm(struct reading *reading, const char *name, const char *value, const char *where)
{
    struct config_firm firm;
    int result = config_firm_parse(&firm, name, value, where, reading->error);
    return result < 0 ? result : config_firm_put(reading->config, &firm, false, where, reading->error);
}

/* inih's handler: 0 is a refusal. */
static int reading_value(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    char where[ERROR_WHERE_BYTES];
    if (reading->result < 0)
        return 0;
    reading_where(reading, where);
    if (strcmp(section, CONFIG_INSTRUMENTS_SECTION) == 0)
        reading->result = reading_instrument(reading, name, value, where);
    else if (strcmp(section, CONFIG_FIRMS_SECTION) == 0)
        reading->result = reading_firm(reading, name, value, where);
    else
        reading->result = reading_option(reading, section, name, value, where);
    return reading->result == 0;
}

static int symbol_compare(const void *left, const void *right)
{
    const struct symbol_line *a = left;
    const struct symbol_line *b = right;
    int order = memcmp(a->symbol, b->symbol, sizeof(a->symbol));
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

/* Sorted afterwards, since looking for each among all before it would take minutes for 100,000. */
static int reading_check_symbols(struct reading *reading)
{
    char where[ERROR_WHERE_BYTES];
    struct symbol_line *symbols = reading->symbols;
    if (reading->symbol_count > 1)
        qsort(symbols, reading->symbol_count, sizeof(*symbols), symbol_compare);
    for (uint32_t i = 1; i < reading->symbol_count; i++) {
        if (memcmp(symbols[i - 1].symbol, symbols[i].symbol, sizeof(symbols[i].symbol)) != 0)
            continue;
        reading->line = symbols[i].line;
        return error_set(reading->error, ERROR_INVALID, reading_where(reading, where),
                         "instrument %.8s is given twice, first in line %u", symbols[i].symbol, symbols[i - 1].line);
    }
    return 0;
}

static int reading_run(struct reading *reading)
{
    char where[ERROR_WHERE_BYTES];
    ini_allow_multiline = false; /* an indented line is an option like any other, not more of the line above */
    int first_bad_line = ini_parse_stream(reading_line, reading, reading_value, reading);
    if (reading->result < 0)
        return reading->result;
    if (ferror(reading->file))
        return error_system(reading->error, errno, reading->path, "cannot read the configuration");
    if (first_bad_line != 0) {
        reading->line = first_bad_line > 0 ? (uint32_t)first_bad_line : 0;
        return error_set(reading->error, ERROR_INVALID, reading_where(reading, where),
                         "neither [section] nor name = value");
    }
    return reading_check_symbols(reading);
}

int config_read(struct config *config, const char *path, struct error *error)
{
    REQUIRE(config_option_count <= OPTIONS_MAX);
    if (strlen(path) >= sizeof(config->path))
        return error_set(error, ERROR_INVALID, path, "the path is longer than %zu bytes", sizeof(config->path) - 1);
    FILE *file = fopen(path, "re");
    if (!file)
        return error_system(error, errno, path, "cannot open the configuration");
    struct reading reading = {.config = config, .file = file, .path = path, .error = error};
    int result = reading_run(&reading);
    free(reading.symbols);
    fclose(file);
    if (result == 0)
        memcpy(config->path, path, strlen(path) + 1);
    return result;
}
