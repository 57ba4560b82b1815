/*
 * `ringside journal trim` as a member of the simulated exchange: run again and again while the others work, and killed.
 * What may go is found, and taken away, by the product's own code.
 */
#ifndef RINGSIDE_SIMULATOR_TRIMMER_H
#define RINGSIDE_SIMULATOR_TRIMMER_H

#include "stage/stage.h"

extern const struct stage_definition trimmer_stage;

#endif
