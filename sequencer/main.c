/* ringside-sequencer. */
#include "sequencer.h"

int main(int argc, char **argv)
{
    return stage_main(argc, argv, &sequencer_stage);
}
