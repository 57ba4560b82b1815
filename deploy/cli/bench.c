/* `ringside bench NAME`: the benches of perf/bench, by name. */
#include "cli.h"
#include "stage/stage.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void print_usage(FILE *to)
{
    fprintf(to, "usage: ringside bench NAME [--help] [--json] ...\n\n"
                "  ring      records a second, and ns a hop, through a ring between two processes\n"
                "  engine    ns a command in the matching engine alone\n"
                "  matcher   commands a second from ring to ring, through the engine, between two processes\n"
                "  journal   how soon and how much the journaler makes durable, beside the disk alone\n"
                "  recovery  how long a matcher takes to have its books again\n"
                "  sockets   epoll beside io_uring under a gateway's messages\n");
}

int bench_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "ring") == 0)
        return bench_ring_main(argc - 1, argv + 1);
    if (strcmp(name, "engine") == 0)
        return bench_engine_main(argc - 1, argv + 1);
    if (strcmp(name, "matcher") == 0)
        return bench_matcher_main(argc - 1, argv + 1);
    if (strcmp(name, "journal") == 0)
        return bench_journal_main(argc - 1, argv + 1);
    if (strcmp(name, "recovery") == 0)
        return bench_recovery_main(argc - 1, argv + 1);
    if (strcmp(name, "sockets") == 0)
        return bench_sockets_main(argc - 1, argv + 1);
    bool helped = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    print_usage(helped ? stdout : stderr);
    return helped ? EXIT_STAGE_OK : EXIT_STAGE_USAGE;
}
