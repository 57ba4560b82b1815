/* The snapshotter as a member of the simulated exchange: its product code, polled and killed as a stage is. */
#ifndef RINGSIDE_SIMULATOR_FOLLOWER_H
#define RINGSIDE_SIMULATOR_FOLLOWER_H

#include "stage/stage.h"

extern const struct stage_definition follower_stage;

#endif
