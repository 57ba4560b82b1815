/*
 * The options' values: defaults, assignment from text within the table's bounds, rules between options.
 *
 * Rules
 *   1. What can be said of one option alone is in the table; config_check holds what is between two, or is no bound.
 *   2. A refused assignment leaves the configuration as it was.
 *
 * No system calls, no clock; memory only for instruments.
 */
#include "config/config.h"

#include "base/require.h"
#include "config/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct config_option config_options[] = {
#define TEXT(option_section, option_name, fallback, option_help)                                                       \
    {.section = #option_section,                                                                                       \
     .name = #option_name,                                                                                             \
     .help = (option_help),                                                                                            \
     .kind = OPTION_KIND_TEXT,                                                                                         \
     .text_default = (fallback),                                                                                       \
     .offset = offsetof(struct config, option_section##_##option_name)},
#define NUMBER(option_section, option_name, fallback, min, max, option_help)                                           \
    {.section = #option_section,                                                                                       \
     .name = #option_name,                                                                                             \
     .help = (option_help),                                                                                            \
     .kind = OPTION_KIND_NUMBER,                                                                                       \
     .number_default = (fallback),                                                                                     \
     .number_min = (min),                                                                                              \
     .number_max = (max),                                                                                              \
     .offset = offsetof(struct config, option_section##_##option_name)},
#define CHOICE(option_section, option_name, type, fallback, option_choices, option_help)                               \
    {.section = #option_section,                                                                                       \
     .name = #option_name,                                                                                             \
     .help = (option_help),                                                                                            \
     .kind = OPTION_KIND_CHOICE,                                                                                       \
     .number_default = (fallback),                                                                                     \
     .choices = (option_choices),                                                                                      \
     .offset = offsetof(struct config, option_section##_##option_name)},
    CONFIG_OPTIONS(TEXT, NUMBER, CHOICE)
#undef TEXT
#undef NUMBER
#undef CHOICE
};
const uint32_t config_option_count = ARRAY_COUNT(config_options);

#define CHOICE(section, name, type, fallback, choices, help)                                                           \
    _Static_assert(sizeof(((struct config *)0)->section##_##name) == 4, "choices are stored as 32 bits");
#define IGNORE(...)
CONFIG_OPTIONS(IGNORE, IGNORE, CHOICE)
#undef CHOICE
#undef IGNORE

const struct config_option *config_option_find(const char *section, const char *name)
{
    for (uint32_t i = 0; i < config_option_count; i++)
        if (strcmp(config_options[i].section, section) == 0 && strcmp(config_options[i].name, name) == 0)
            return &config_options[i];
    return NULL;
}

bool config_section_known(const char *section)
{
    if (strcmp(section, CONFIG_INSTRUMENTS_SECTION) == 0 || strcmp(section, CONFIG_FIRMS_SECTION) == 0)
        return true;
    for (uint32_t i = 0; i < config_option_count; i++)
        if (strcmp(config_options[i].section, section) == 0)
            return true;
    return false;
}

static void *option_field(struct config *config, const struct config_option *option)
{
    return (uint8_t *)config + option->offset;
}

static uint64_t option_number(const struct config *config, const struct config_option *option)
{
    uint64_t value;
    memcpy(&value, (const uint8_t *)config + option->offset, sizeof(value));
    return value;
}

void config_init(struct config *config)
{
    memset(config, 0, sizeof(*config));
    for (uint32_t i = 0; i < config_option_count; i++) {
        const struct config_option *option = &config_options[i];
        uint32_t choice = (uint32_t)option->number_default;
        if (option->kind == OPTION_KIND_TEXT)
            memcpy(option_field(config, option), option->text_default, strlen(option->text_default) + 1);
        else if (option->kind == OPTION_KIND_NUMBER)
            memcpy(option_field(config, option), &option->number_default, sizeof(option->number_default));
        else
            memcpy(option_field(config, option), &choice, sizeof(choice));
    }
}

void config_finish(struct config *config)
{
    if (!config)
        return;
    free(config->instruments);
    free(config->firms);
    config->firms = NULL;
    config->firm_count = 0;
    config->instruments = NULL;
    config->instrument_count = 0;
}

/* ---- one value ----------------------------------------------------------------------------------------------------
 */

static int assign_text(struct config *config, const struct config_option *option, const char *value, const char *where,
                       struct error *error)
{
    size_t length = strlen(value);
    if (length >= CONFIG_TEXT_BYTES)
        return error_set(error, ERROR_INVALID, where, "%s.%s: longer than %d bytes", option->section, option->name,
                         CONFIG_TEXT_BYTES - 1);
    memcpy(option_field(config, option), value, length + 1);
    return 0;
}

/* The power of two that a suffix stands for, or -1. */
static int suffix_shift(const char *suffix)
{
    if (suffix[0] == '\0')
        return 0;
    if (suffix[1] != '\0')
        return -1;
    switch (suffix[0]) {
    case 'K':
        return 10;
    case 'M':
        return 20;
    case 'G':
        return 30;
    default:
        return -1;
    }
}

static int assign_number(struct config *config, const struct config_option *option, const char *value,
                         const char *where, struct error *error)
{
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(value, &end, 10);
    bool digits = value[0] >= '0' && value[0] <= '9';
    int shift = digits ? suffix_shift(end) : -1;
    if (shift < 0)
        return error_set(error, ERROR_INVALID, where, "%s.%s: '%s' is not a whole number with an optional K, M or G",
                         option->section, option->name, value);
    bool too_large = errno == ERANGE || number > (UINT64_MAX >> shift);
    number <<= shift;
    if (too_large || number < option->number_min || number > option->number_max)
        return error_set(error, ERROR_INVALID, where, "%s.%s: '%s' is not within %llu to %llu", option->section,
                         option->name, value, (unsigned long long)option->number_min,
                         (unsigned long long)option->number_max);
    memcpy(option_field(config, option), &number, sizeof(number));
    return 0;
}

bool config_choice_name(const char *choices, uint32_t index, char *name, size_t name_bytes)
{
    for (; index > 0; index--) {
        choices = strchr(choices, '|');
        if (!choices)
            return false;
        choices++;
    }
    size_t length = strcspn(choices, "|");
    if (length >= name_bytes)
        return false;
    memcpy(name, choices, length);
    name[length] = '\0';
    return true;
}

static int assign_choice(struct config *config, const struct config_option *option, const char *value,
                         const char *where, struct error *error)
{
    char name[32];
    for (uint32_t index = 0; config_choice_name(option->choices, index, name, sizeof(name)); index++) {
        if (strcmp(name, value) == 0) {
            memcpy(option_field(config, option), &index, sizeof(index));
            return 0;
        }
    }
    return error_set(error, ERROR_INVALID, where, "%s.%s: '%s' is none of %s", option->section, option->name, value,
                     option->choices);
}

int config_option_assign(struct config *config, const struct config_option *option, const char *value,
                         const char *where, struct error *error)
{
    if (option->kind == OPTION_KIND_TEXT)
        return assign_text(config, option, value, where, error);
    if (option->kind == OPTION_KIND_NUMBER)
        return assign_number(config, option, value, where, error);
    return assign_choice(config, option, value, where, error);
}

/* ---- an override --------------------------------------------------------------------------------------------------
 */

static int set_instrument(struct config *config, const char *symbol, const char *value, const char *where,
                          struct error *error)
{
    struct config_instrument instrument;
    int result = config_instrument_parse(&instrument, symbol, value, where, error);
    return result < 0 ? result : config_instrument_put(config, &instrument, where, error);
}

static int set_firm(struct config *config, const char *name, const char *value, const char *where, struct error *error)
{
    struct config_firm firm;
    int result = config_firm_parse(&firm, name, value, where, error);
    return result < 0 ? result : config_firm_put(config, &firm, true, where, error);
}

int config_set(struct config *config, const char *assignment, struct error *error)
{
    char name[128];
    size_t name_bytes = strcspn(assignment, "=");
    const char *dot = memchr(assignment, '.', name_bytes);
    if (assignment[name_bytes] != '=' || !dot || name_bytes >= sizeof(name))
        return error_set(error, ERROR_INVALID, "--set", "'%s' is not section.name=value", assignment);
    memcpy(name, assignment, name_bytes);
    name[name_bytes] = '\0';
    char *symbol_or_name = name + (dot - assignment);
    *symbol_or_name++ = '\0';
    const char *value = assignment + name_bytes + 1;
    if (strcmp(name, CONFIG_INSTRUMENTS_SECTION) == 0)
        return set_instrument(config, symbol_or_name, value, "--set", error);
    if (strcmp(name, CONFIG_FIRMS_SECTION) == 0)
        return set_firm(config, symbol_or_name, value, "--set", error);
    const struct config_option *option = config_option_find(name, symbol_or_name);
    if (!option)
        return error_set(error, ERROR_INVALID, "--set", "there is no option %s.%s; --help lists them all", name,
                         symbol_or_name);
    return config_option_assign(config, option, value, "--set", error);
}

/* ---- rules between options ----------------------------------------------------------------------------------------
 */

static int check_power_of_two(const struct config *config, const char *section, const char *name, struct error *error)
{
    const struct config_option *option = config_option_find(section, name);
    REQUIRE(option);
    uint64_t value = option_number(config, option);
    if ((value & (value - 1)) == 0)
        return 0;
    return error_set(error, ERROR_INVALID, config->path, "%s.%s: %llu is not a power of two", section, name,
                     (unsigned long long)value);
}

static int check_multiple(const struct config *config, const char *section, const char *name, uint64_t unit,
                          struct error *error)
{
    const struct config_option *option = config_option_find(section, name);
    REQUIRE(option);
    uint64_t value = option_number(config, option);
    if (value % unit == 0)
        return 0;
    return error_set(error, ERROR_INVALID, config->path, "%s.%s: %llu is not a multiple of %llu", section, name,
                     (unsigned long long)value, (unsigned long long)unit);
}

static int check_numbers(const struct config *config, struct error *error)
{
    static const char *const powers[][2] = {
        {"rings", "inbound_slots"},
        {"rings", "command_slots"},
        {"rings", "event_slots"},
        {"engine", "levels_max"},
    };
    static const char *const pages[] = {"segment_bytes", "batch_bytes"};
    int result = 0;
    for (size_t i = 0; i < ARRAY_COUNT(powers) && result == 0; i++)
        result = check_power_of_two(config, powers[i][0], powers[i][1], error);
    for (size_t i = 0; i < ARRAY_COUNT(pages) && result == 0; i++)
        result = check_multiple(config, "journal", pages[i], 4096, error);
    return result;
}

static int check_tls(const struct config *config, struct error *error)
{
    uint64_t port = config->gateway_port;
    uint64_t tls_port = config->gateway_tls_port;
    uint64_t count = config->exchange_gateways;
    const char *where = config->path;
    if (tls_port == 0)
        return 0;
    if (tls_port + count - 1 > 65535)
        return error_set(error, ERROR_INVALID, where,
                         "gateway.tls_port: the last of %llu gateways would be above 65535", (unsigned long long)count);
    bool same =
        config->gateway_tls_address[0] == '\0' || strcmp(config->gateway_tls_address, config->gateway_address) == 0;
    if (same && tls_port < port + count && port < tls_port + count)
        return error_set(error, ERROR_INVALID, where, "gateway.tls_port: the ports are those of gateway.port");
    if (config->gateway_tls_certificate[0] == '\0' || config->gateway_tls_key[0] == '\0')
        return error_set(error, ERROR_INVALID, where,
                         "gateway.tls_port: needs gateway.tls_certificate and gateway.tls_key");
    return 0;
}

int config_check(const struct config *config, struct error *error)
{
    int result = check_numbers(config, error);
    if (result < 0)
        return result;
    const char *where = config->path;
    if (config->journal_segment_bytes < 2 * config->journal_batch_bytes)
        return error_set(error, ERROR_INVALID, where, "journal.segment_bytes: less than two batches (batch_bytes)");
    if (config->gateway_port + config->exchange_gateways - 1 > 65535)
        return error_set(error, ERROR_INVALID, where, "gateway.port: the last of %llu gateways would be above 65535",
                         (unsigned long long)config->exchange_gateways);
    result = check_tls(config, error);
    if (result < 0)
        return result;
    if (config->instrument_count > config->engine_instruments_max)
        return error_set(error, ERROR_INVALID, where, "[instruments] has %u lines, engine.instruments_max is %llu",
                         config->instrument_count, (unsigned long long)config->engine_instruments_max);
    if (config->exchange_rings_directory[0] != '/')
        return error_set(error, ERROR_INVALID, where, "exchange.rings_directory: not an absolute path");
    if (config->journal_directory[0] == '\0' || config->events_directory[0] == '\0')
        return error_set(error, ERROR_INVALID, where, "journal.directory and events.directory may not be empty");
    return 0;
}

/* ---- names --------------------------------------------------------------------------------------------------------
 */

const char *config_durability_name(enum config_durability durability)
{
    static const char *const names[] = {"sync", "write", "off"};
    return (size_t)durability < ARRAY_COUNT(names) ? names[durability] : "?";
}

const char *config_wait_name(enum config_wait wait)
{
    static const char *const names[] = {"auto", "spin", "park"};
    return (size_t)wait < ARRAY_COUNT(names) ? names[wait] : "?";
}
