/*
 * `ringside top`: a running exchange in a terminal. sample.c reads, model.c and alarms.c reckon, draw.c draws into
 * cells, terminal.c shows them; top.c is the loop.
 */
#ifndef RINGSIDE_DASH_H
#define RINGSIDE_DASH_H

#include "perf/dash/model.h"
#include "perf/dash/screen.h"
#include "perf/dash/tape.h"

/* The same figures as one JSON object. */
void dash_print_json(const struct screen *screen, const struct dash_model *model, const struct tape *tape);

int top_main(int argc, char **argv);

#endif
