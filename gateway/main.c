/* ringside-gateway: one gateway as a process of its own. */
#include "gateway.h"

int main(int argc, char **argv)
{
    return stage_main(argc, argv, &gateway_stage);
}
