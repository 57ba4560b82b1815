/* The journaler: makes commands durable, then lets the matcher have them; keeps the event log. */
#ifndef RINGSIDE_JOURNALER_H
#define RINGSIDE_JOURNALER_H

#include "stage/stage.h"

extern const struct stage_definition journaler_stage;

#endif
