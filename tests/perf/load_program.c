/* `ringside load` as a program of its own, so that its tests need no other part of the exchange. */
#include "perf/load/load.h"

int main(int argc, char **argv)
{
    return load_main(argc, argv);
}
