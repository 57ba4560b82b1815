/* What is wrong with a run, by one sample and the one before: the part of the model that raises and ends alarms. */
#ifndef RINGSIDE_DASH_ALARMS_H
#define RINGSIDE_DASH_ALARMS_H

#include "perf/dash/model.h"

/* After the rows are filled. */
void alarms_take(struct dash_model *model);

void alarms_log(struct dash_model *model, bool bad, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The ring that a process fills; "" for none. */
void model_output_ring(const char *process, char ring[32]);

/* The process whose line it is. */
const char *model_line_owner(const char *line);

#endif
