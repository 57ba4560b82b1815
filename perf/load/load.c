#include "load.h"

#include "drive.h"
#include "lobster.h"
#include "options.h"
#include "report.h"
#include "yardstick.h"

#include <stdio.h>
#include <stdlib.h>

static int run_mix(const struct load_options *options)
{
    struct yardstick yardstick;
    bool has_yardstick = options->yardstick[0] != '\0';
    char why[512];
    if (has_yardstick && !yardstick_measure(options->yardstick, &yardstick, why, sizeof(why))) {
        fprintf(stderr, "ringside load: %s\n", why);
        return LOAD_FAILED;
    }
    struct load_outcome *outcome = malloc(sizeof(*outcome));
    if (!outcome)
        return LOAD_FAILED;
    int result = drive_run(options, outcome);
    report_print(options, outcome, has_yardstick ? &yardstick : NULL);
    free(outcome);
    return result;
}

int load_main(int argc, char **argv)
{
    struct load_options options;
    int result = load_options_read(&options, argc, argv);
    if (result == LOAD_GO)
        result = options.lobster[0] != '\0' ? lobster_run(&options) : run_mix(&options);
    load_options_finish(&options);
    return result;
}
