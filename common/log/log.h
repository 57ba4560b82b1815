/*
 * The log: structured lines to systemd's journal where stderr is connected to it, to stderr otherwise. Only mains, the
 * stage runner and stages log; libraries return errors.
 *
 * A line has a level, a sentence, and fields (name=value). On stderr: time, level, stage, sentence, fields. In the
 * journal each field is a field of its own (RINGSIDE_NAME=value).
 */
#ifndef RINGSIDE_LOG_H
#define RINGSIDE_LOG_H

#include "base/error.h"
#include "config/config.h"

void log_open(const char *stage, enum config_log_level level);
void log_set_level(enum config_log_level level);

/* Whose lines follow; the text must live on. For `ringside run`, where several stages share a thread. */
void log_set_stage(const char *stage);

/* fields: "name=value name=value ..." or NULL; the sentence says what happened and, for failures, what to do next. */
void log_line(enum config_log_level level, const char *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_info(...)    log_line(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_failure(...) log_line(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)

/* An error that ends here: "what was being done: where: what". */
void log_error(const struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
