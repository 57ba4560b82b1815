/* ringside-persister: the stage, or what is done to its stores by hand. */
#include "log/log.h"
#include "persister.h"
#include "tools.h"

#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "check") == 0) {
        log_open("check", LOG_LEVEL_INFO);
        return check_main(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "rebuild") == 0) {
        log_open("rebuild", LOG_LEVEL_INFO);
        return rebuild_main(argc - 1, argv + 1);
    }
    return stage_main(argc, argv, &persister_stage);
}
