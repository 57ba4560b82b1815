/* ringside-matcher. */
#include "matcher.h"

int main(int argc, char **argv)
{
    return stage_main(argc, argv, &matcher_stage);
}
