#include "load.h"

#include "drive.h"
#include "lobster.h"
#include "options.h"
#include "report.h"
#include "yardstick.h"

#include <stdio.h>
#include <stdlib.h>

/* What a run needs beside its options. */
struct mix {
    struct load_outcome outcome;
    struct yardstick yardstick;
};

static bool measure(const struct load_options *options, struct yardstick *yardstick)
{
    char why[512];
    if (options->yardstick[0] == '\0' || yardstick_measure(options->yardstick, yardstick, why, sizeof(why)))
        return true;
    fprintf(stderr, "ringside load: %s\n", why);
    return false;
}

static int run_mix(const struct load_options *options)
{
    struct mix *mix = malloc(sizeof(*mix));
    if (!mix)
        return LOAD_FAILED;
    yardstick_clear(&mix->yardstick);
    int result = LOAD_FAILED;
    if (measure(options, &mix->yardstick)) {
        result = drive_run(options, &mix->outcome);
        if (!measure(options, &mix->yardstick))
            result = LOAD_FAILED;
        report_print(options, &mix->outcome, options->yardstick[0] != '\0' ? &mix->yardstick : NULL);
    }
    free(mix);
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
