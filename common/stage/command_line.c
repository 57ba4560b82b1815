/*
 * The shared command line, in two steps: the arguments are collected, then the file is read and the overrides applied
 * over it in their order, so that it does not matter on which side of --config a --set stands.
 */
#include "stage/command_line.h"

#include "base/require.h"
#include "log/log.h"
#include "stage/stage.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETS_MAX       256
#define DESCRIBE_BYTES 65536
#define OWN_OPTION     256 /* and up: an option of the form */

enum { SHARED_OPTIONS = 8 };

struct arguments {
    const char *config_path;
    char instance[INSTANCE_BYTES_MAX + 1];
    char instance_path[128]; /* what config_path points to after --instance NAME */
    const char *sets[SETS_MAX];
    uint32_t set_count;
    uint32_t gateway;
    bool json;
    bool check;
    const char *values[COMMAND_LINE_OPTIONS_MAX];
    const char *operands[COMMAND_LINE_OPERANDS_MAX];
    uint32_t operand_count;
};

const char *ringside_version(void)
{
    return RINGSIDE_VERSION;
}

static int usage_refused(const struct command_line_form *form, const char *why, const char *argument)
{
    fprintf(stderr, "%s: %s%s%s; --help tells more\n", form->program, why, argument ? ": " : "",
            argument ? argument : "");
    return EXIT_STAGE_USAGE;
}

#define OPTION_COLUMNS 25

static void print_own_options(const struct command_line_form *form)
{
    for (uint32_t i = 0; i < form->option_count; i++) {
        const struct command_line_option *option = &form->options[i];
        char name[96];
        int length = snprintf(name, sizeof(name), "--%s%s%s", option->name, option->value ? " " : "",
                              option->value ? option->value : "");
        if (length > OPTION_COLUMNS) /* a line of its own */
            printf("  %s\n  %-*s %s\n", name, OPTION_COLUMNS, "", option->help);
        else
            printf("  %-*s %s\n", OPTION_COLUMNS, name, option->help);
    }
}

static int print_help(const struct command_line_form *form)
{
    printf("%s: %s\n\n", form->program, form->summary);
    if (form->operand && form->operand_count_max > 0)
        printf("usage: %s %s [options]\n\n", form->program, form->operand);
    else if (form->operand)
        printf("usage: %s [options] [%s]\n\n", form->program, form->operand);
    print_own_options(form);
    printf("  --config FILE             configuration (else $%s, else %s)\n"
           "  --instance NAME           the exchange of that name: reads " CONFIG_PATH_INSTANCE "\n"
           "  --set section.name=value  overrides one option; may be given many times\n"
           "%s%s"
           "  --check                   checks the configuration and ends\n"
           "  --version                 prints the version and ends\n"
           "  --help                    prints this and ends\n"
           "%s",
           CONFIG_PATH_VARIABLE, CONFIG_PATH_DEFAULT, "NAME",
           form->takes_gateway ? "  --gateway N               which gateway of the run this is, from 1\n" : "",
           form->takes_json ? "  --json                    prints one JSON object instead of a table\n" : "",
           form->extra ? form->extra : "");
    char *text = form->brief ? NULL : malloc(DESCRIBE_BYTES);
    if (text && config_describe(text, DESCRIBE_BYTES, false) < DESCRIBE_BYTES)
        printf("\nThe options:\n\n%s", text);
    free(text);
    return EXIT_STAGE_OK;
}

static int take_gateway(struct arguments *arguments, const struct command_line_form *form, const char *text)
{
    char *end = NULL;
    unsigned long gateway = strtoul(text, &end, 10);
    if (!form->takes_gateway)
        return usage_refused(form, "only a gateway takes --gateway", NULL);
    if (*text < '1' || *text > '9' || *end != '\0' || gateway > TOPOLOGY_GATEWAYS_MAX)
        return usage_refused(form, "no number of a gateway", text);
    arguments->gateway = (uint32_t)gateway;
    return COMMAND_LINE_GO;
}

/* NAME, NAME:N or N: what stands behind the @ of a unit. */
static int take_instance(struct arguments *arguments, const struct command_line_form *form, const char *text)
{
    const char *colon = strchr(text, ':');
    const char *number = colon ? colon + 1 : isdigit((unsigned char)*text) ? text : NULL;
    size_t name_bytes = colon ? (size_t)(colon - text) : number ? 0 : strlen(text);
    for (size_t i = 0; i < name_bytes; i++)
        if (!isalnum((unsigned char)text[i]) && (i == 0 || !strchr("-_.", text[i])))
            return usage_refused(form, "the name of an instance is letters, digits, '-', '_' and '.'", text);
    if (name_bytes > INSTANCE_BYTES_MAX || (name_bytes == 0 && !number) || colon == text)
        return usage_refused(form, "no name of an instance", text);
    if (name_bytes > 0) {
        char *name = arguments->instance;
        snprintf(name, sizeof(arguments->instance), "%.*s", (int)name_bytes, text);
        snprintf(arguments->instance_path, sizeof(arguments->instance_path), CONFIG_PATH_INSTANCE, name);
        arguments->config_path = arguments->instance_path;
    }
    return number ? take_gateway(arguments, form, number) : COMMAND_LINE_GO;
}

static int take_option(struct arguments *arguments, const struct command_line_form *form, int option, char **argv)
{
    if (option >= OWN_OPTION) {
        arguments->values[option - OWN_OPTION] = optarg ? optarg : "";
        return COMMAND_LINE_GO;
    }
    switch (option) {
    case 'c':
        arguments->config_path = optarg;
        return COMMAND_LINE_GO;
    case 'i':
        return take_instance(arguments, form, optarg);
    case 's':
        if (arguments->set_count == SETS_MAX)
            return usage_refused(form, "too many --set", optarg);
        arguments->sets[arguments->set_count++] = optarg;
        return COMMAND_LINE_GO;
    case 'g':
        return take_gateway(arguments, form, optarg);
    case 'j':
        if (!form->takes_json)
            return usage_refused(form, "this program does not take --json", NULL);
        arguments->json = true;
        return COMMAND_LINE_GO;
    case 'k':
        arguments->check = true;
        return COMMAND_LINE_GO;
    case 'v':
        printf("%s %s\n", form->program, ringside_version());
        return EXIT_STAGE_OK;
    case 'h':
        return print_help(form);
    case ':':
        return usage_refused(form, "an option lacks its value", argv[optind - 1]);
    default:
        return usage_refused(form, "there is no such option", argv[optind - 1]);
    }
}

static void own_options(const struct command_line_form *form, struct option options[])
{
    REQUIRE(form->option_count <= COMMAND_LINE_OPTIONS_MAX);
    for (uint32_t i = 0; i < form->option_count; i++)
        options[i] = (struct option){.name = form->options[i].name,
                                     .has_arg = form->options[i].value ? required_argument : no_argument,
                                     .val = OWN_OPTION + (int)i};
}

static int collect(struct arguments *arguments, int argc, char **argv, const struct command_line_form *form)
{
    struct option options[SHARED_OPTIONS + COMMAND_LINE_OPTIONS_MAX + 1] = {
        {"config", required_argument, NULL, 'c'}, {"instance", required_argument, NULL, 'i'},
        {"set", required_argument, NULL, 's'},    {"gateway", required_argument, NULL, 'g'},
        {"json", no_argument, NULL, 'j'},         {"check", no_argument, NULL, 'k'},
        {"version", no_argument, NULL, 'v'},      {"help", no_argument, NULL, 'h'},
    };
    own_options(form, options + SHARED_OPTIONS);
    optind = 0; /* a new argv: getopt starts afresh */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        int code = take_option(arguments, form, option, argv);
        if (code != COMMAND_LINE_GO)
            return code;
    }
    uint32_t operands_max = form->operand && form->operand_count_max == 0 ? 1 : form->operand_count_max;
    REQUIRE(operands_max <= COMMAND_LINE_OPERANDS_MAX);
    while (arguments->operand_count < operands_max && optind < argc)
        arguments->operands[arguments->operand_count++] = argv[optind++];
    if (optind < argc)
        return usage_refused(form, "unexpected", argv[optind]);
    return COMMAND_LINE_GO;
}

/* The file to read, or NULL where only the default could be meant and it is absent. */
static const char *config_path(const struct arguments *arguments)
{
    if (arguments->config_path)
        return arguments->config_path;
    const char *named = getenv(CONFIG_PATH_VARIABLE);
    if (named && *named)
        return named;
    return access(CONFIG_PATH_DEFAULT, F_OK) == 0 ? CONFIG_PATH_DEFAULT : NULL;
}

static int read_config(struct config *config, const struct arguments *arguments, struct error *error)
{
    const char *path = config_path(arguments);
    int result = path ? config_read(config, path, error) : 0;
    for (uint32_t i = 0; i < arguments->set_count && result == 0; i++)
        result = config_set(config, arguments->sets[i], error);
    if (result == 0)
        result = config_check(config, error);
    if (result == 0 && arguments->gateway > config->exchange_gateways)
        result = error_set(error, ERROR_INVALID, "--gateway", "%u is above exchange.gateways, which is %llu",
                           arguments->gateway, (unsigned long long)config->exchange_gateways);
    return result;
}

int command_line_read(struct command_line *line, int argc, char **argv, const struct command_line_form *form)
{
    struct arguments arguments = {.gateway = 1};
    struct error error = {0};
    int code = collect(&arguments, argc, argv, form);
    if (code != COMMAND_LINE_GO)
        return code;
    config_init(&line->config);
    if (read_config(&line->config, &arguments, &error) < 0) {
        log_error(&error, "the configuration is refused");
        config_finish(&line->config);
        return EXIT_STAGE_CONFIG;
    }
    if (arguments.check) {
        const char *path = line->config.path;
        printf("%s: good, %u instruments\n", *path ? path : "defaults", line->config.instrument_count);
        config_finish(&line->config);
        return EXIT_STAGE_OK;
    }
    line->gateway = arguments.gateway;
    memcpy(line->instance, arguments.instance, sizeof(line->instance));
    line->json = arguments.json;
    line->operand = arguments.operands[0];
    line->operand_count = arguments.operand_count;
    memcpy(line->operands, arguments.operands, sizeof(line->operands));
    memcpy(line->values, arguments.values, sizeof(line->values));
    return COMMAND_LINE_GO;
}
