/*
 * `ringside config`: the annotated configuration with every default, as deploy/ringside.conf holds it; or a short one
 * for a further exchange on the same machine.
 */
#include "config/config.h"
#include "cli.h"
#include "stage/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MONITOR_PORT_ABOVE 179 /* as 9180 is above 9001 */

static int print_description(bool as_man_page)
{
    size_t bytes = config_describe(NULL, 0, as_man_page) + 1;
    char *text = malloc(bytes);
    if (!text) {
        fprintf(stderr, "ringside config: no memory\n");
        return EXIT_STAGE_FAILED;
    }
    config_describe(text, bytes, as_man_page);
    fputs(text, stdout);
    free(text);
    return EXIT_STAGE_OK;
}

static int check_file(const char *path)
{
    struct config config;
    struct error error = {0};
    config_init(&config);
    int result = config_read(&config, path, &error);
    if (result == 0)
        result = config_check(&config, &error);
    if (result == 0)
        printf("%s: good, %u instruments\n", path, config.instrument_count);
    else
        fprintf(stderr, "%s: %s\n", error.where, error.what);
    config_finish(&config);
    return result == 0 ? EXIT_STAGE_OK : EXIT_STAGE_CONFIG;
}

/* What two exchanges on one machine cannot have in common. */
static int print_instance(const char *name, const char *port)
{
    size_t bytes = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    char *end = NULL;
    unsigned long number = strtoul(port, &end, 10);
    if (name[bytes] != '\0' || bytes == 0 || bytes > 32 || strchr("-_.0123456789", *name)) {
        fprintf(stderr, "ringside config: '%s' is no name of an instance: letters, digits, '-', '_' and '.'\n", name);
        return EXIT_STAGE_USAGE;
    }
    if (*end != '\0' || number < 1 || number > 65535 - MONITOR_PORT_ABOVE) {
        fprintf(stderr, "ringside config: '%s' is no port\n", port);
        return EXIT_STAGE_USAGE;
    }
    printf("# Ringside's configuration of the exchange %s: what it cannot have in common with another one on this\n"
           "# machine. Every other option, with the default that it has here too: ringside config\n\n"
           "[exchange]\nrings_directory = /dev/shm/ringside-%s\n\n"
           "[journal]\ndirectory = /var/lib/ringside-%s/journal\n\n"
           "[events]\ndirectory = /var/lib/ringside-%s/events\n\n"
           "[snapshots]\ndirectory = /var/lib/ringside-%s/snapshots\n\n"
           "[gateway]\nport = %lu\naccounts = /etc/ringside/%s.accounts\n\n"
           "[redis]\nprefix = ringside-%s\n\n"
           "[monitor]\nport = %lu\n",
           name, name, name, name, name, number, name, name, number + MONITOR_PORT_ABOVE);
    return EXIT_STAGE_OK;
}

int config_main(int argc, char **argv)
{
    if (argc == 1)
        return print_description(false);
    if (argc == 2 && strcmp(argv[1], "--man") == 0)
        return print_description(true);
    if (argc == 3 && strcmp(argv[1], "--check") == 0)
        return check_file(argv[2]);
    if (argc == 5 && strcmp(argv[1], "--instance") == 0 && strcmp(argv[3], "--port") == 0)
        return print_instance(argv[2], argv[4]);
    bool helped = argc == 2 && strcmp(argv[1], "--help") == 0;
    fprintf(helped ? stdout : stderr, "usage: ringside config [--check FILE | --instance NAME --port PORT | --man]\n\n"
                                      "  without options  prints every option with its default, as a file\n"
                                      "  --check FILE     checks a file\n"
                                      "  --instance NAME  prints what a further exchange on this machine needs, for\n"
                                      "                   /etc/ringside/NAME.conf\n"
                                      "  --port PORT      that its first gateway listens on\n"
                                      "  --man            prints the options as a man page's list\n");
    return helped ? EXIT_STAGE_OK : EXIT_STAGE_USAGE;
}
