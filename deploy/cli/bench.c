/* `ringside bench NAME`: the benches of perf/bench, by name. */
#include "cli.h"
#include "stage/stage.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void print_usage(FILE *to)
{
    fprintf(to, "usage: ringside bench ring|engine [--json] ...\n\n"
                "  ring    records a second, and ns a hop, through a ring between two processes\n"
                "  engine  orders a second through the matching engine alone\n");
}

int bench_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "ring") == 0)
        return bench_ring_main(argc - 1, argv + 1);
    if (strcmp(name, "engine") == 0)
        return bench_engine_main(argc - 1, argv + 1);
    bool helped = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    print_usage(helped ? stdout : stderr);
    return helped ? EXIT_STAGE_OK : EXIT_STAGE_USAGE;
}
