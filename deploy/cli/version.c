/* `ringside version`. */
#include "cli.h"
#include "stage/command_line.h"

#include <stdio.h>

int version_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("ringside %s\n", ringside_version());
    return 0;
}
