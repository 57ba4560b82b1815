/*
 * The command line that all programs of Ringside share: --config, --instance, --set, --gateway, --check, --json,
 * --version, --help, and what a program has of its own.
 */
#ifndef RINGSIDE_STAGE_COMMAND_LINE_H
#define RINGSIDE_STAGE_COMMAND_LINE_H

#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

#define COMMAND_LINE_GO (-1)

#define CONFIG_PATH_DEFAULT  "/etc/ringside/ringside.conf"
#define CONFIG_PATH_INSTANCE "/etc/ringside/%s.conf" /* of --instance NAME */
#define CONFIG_PATH_VARIABLE "RINGSIDE_CONFIG"

#define INSTANCE_BYTES_MAX 32

#define COMMAND_LINE_OPTIONS_MAX  24
#define COMMAND_LINE_OPERANDS_MAX 8

struct command_line_option {
    const char *name;  /* "from" */
    const char *value; /* what it takes, for --help: "SEQ"; NULL: nothing */
    const char *help;
};

struct command_line_form {
    const char *program;                       /* "ringside-sequencer" */
    const char *summary;                       /* one line for --help */
    bool takes_gateway;                        /* --gateway N */
    bool takes_json;                           /* --json */
    const char *extra;                         /* lines of --help about this program alone, or NULL */
    const struct command_line_option *options; /* of this program alone */
    uint32_t option_count;
    const char *operand;        /* arguments that are no options, for --help: "DIRECTORY"; NULL: none */
    uint32_t operand_count_max; /* 0: one, which may be left out */
    bool brief;                 /* --help does not list the configuration */
};

struct command_line {
    struct config config;                  /* read, overridden and checked; the caller releases it by config_finish */
    uint32_t gateway;                      /* 1 unless --gateway says otherwise */
    char instance[INSTANCE_BYTES_MAX + 1]; /* of --instance NAME; "": the default exchange */
    bool json;
    const char *values[COMMAND_LINE_OPTIONS_MAX]; /* of the form's options; "" without one; NULL: not given */
    const char *operand;                          /* the first; NULL: not given */
    const char *operands[COMMAND_LINE_OPERANDS_MAX];
    uint32_t operand_count;
};

/*
 * COMMAND_LINE_GO with a filled *line, or the exit code with which the program should end: what there was to say has
 * been said. The configuration is the file of --config or --instance, else of $RINGSIDE_CONFIG, else
 * CONFIG_PATH_DEFAULT, which alone may be absent. --instance is what systemd gives a template: NAME (a file beside the
 * default one), for gateways also NAME:N or N, the N-th gateway of NAME or of the default exchange. What follows the
 * options is refused, unless the form has an operand.
 */
int command_line_read(struct command_line *line, int argc, char **argv, const struct command_line_form *form);

const char *ringside_version(void);

#endif
