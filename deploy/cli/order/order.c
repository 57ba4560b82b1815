/* `ringside order PART`: orders by hand, and a look at what they do. */
#include "../cli.h"
#include "order_cli.h"
#include "stage/stage.h"

#include <string.h>

static const struct {
    const char *name;
    const char *summary;
    int (*main)(int argc, char **argv);
} parts[] = {
    {"buy", "QUANTITY SYMBOL @ PRICE  enters an order, and tells what becomes of it at once", order_enter_main},
    {"sell", "QUANTITY SYMBOL @ PRICE  the same, selling", order_enter_main},
    {"short", "QUANTITY SYMBOL @ PRICE  the same, selling short", order_enter_main},
    {"replace", "REF QUANTITY @ PRICE     a new order in the place of an open one", order_replace_main},
    {"cancel", "REF [TOTAL]              takes an order back, or down to a total", order_cancel_main},
    {"watch", "                         prints each event of the user's session until Ctrl-C", order_watch_main},
    {"list", "                         prints the open orders of the user's session", order_list_main},
};

#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

static void print_parts(FILE *to)
{
    fprintf(to, "usage: ringside order PART ... [options]\n\n");
    for (size_t i = 0; i < PART_COUNT; i++)
        fprintf(to, "  %-8s %s\n", parts[i].name, parts[i].summary);
    fprintf(to, "\n  ringside order buy 100 AAPL @ 585.33 --user DEMO01\n"
                "  ringside order sell 100 AAPL @ market --tif ioc --user DEMO01\n"
                "  ringside order cancel 7 --user DEMO01\n"
                "\nringside order PART --help tells more. A later login of the same user takes its session over: an\n"
                "order interrupts a watch of that user, which comes back by itself, but a program that trades as that\n"
                "user is pushed out as well. Give people and programs users of their own.\n"
                "\nExit codes: 0 done, or accepted; 1 failed; 2 rejected, or no such open order; 64 usage; 69 nobody\n"
                "answers there; 75 sent, but the outcome is not known; 77 login refused; 78 configuration.\n");
}

int order_main(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < PART_COUNT; i++)
        if (strcmp(parts[i].name, wanted) == 0)
            return parts[i].main(argc - 1, argv + 1);
    bool helped = strcmp(wanted, "--help") == 0 || strcmp(wanted, "-h") == 0;
    if (!helped && *wanted)
        fprintf(stderr, "ringside order: there is no part '%s'\n", wanted);
    print_parts(helped ? stdout : stderr);
    return helped ? EXIT_STAGE_OK : EXIT_STAGE_USAGE;
}
