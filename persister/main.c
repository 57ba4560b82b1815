/* ringside-persister. */
#include "persister.h"

int main(int argc, char **argv)
{
    return stage_main(argc, argv, &persister_stage);
}
