/* What a load prints: a table for a person, or one JSON object whose keys carry their units. */
#ifndef RINGSIDE_LOAD_REPORT_H
#define RINGSIDE_LOAD_REPORT_H

#include "drive.h"
#include "yardstick.h"

/* yardstick may be NULL. */
void report_print(const struct load_options *options, const struct load_outcome *outcome,
                  const struct yardstick *yardstick);

/* Text inside a JSON string: quotes and control characters as JSON has them. */
void report_json_text(const char *text);

#endif
