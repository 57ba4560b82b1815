/* `ringside config`: the annotated configuration with every default, as deploy/ringside.conf holds it. */
#include "config/config.h"
#include "cli.h"
#include "stage/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int config_main(int argc, char **argv)
{
    if (argc == 1)
        return print_description(false);
    if (argc == 2 && strcmp(argv[1], "--man") == 0)
        return print_description(true);
    if (argc == 3 && strcmp(argv[1], "--check") == 0)
        return check_file(argv[2]);
    bool helped = argc == 2 && strcmp(argv[1], "--help") == 0;
    fprintf(helped ? stdout : stderr, "usage: ringside config [--check FILE | --man]\n\n"
                                      "  without options  prints every option with its default, as a file\n"
                                      "  --check FILE     checks a file\n"
                                      "  --man            prints the options as a man page's list\n");
    return helped ? EXIT_STAGE_OK : EXIT_STAGE_USAGE;
}
