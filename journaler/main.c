/* ringside-journaler: the stage and nothing else. */
#include "journaler.h"

int main(int argc, char **argv)
{
    return stage_main(argc, argv, &journaler_stage);
}
