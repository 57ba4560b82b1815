/*
 * The signals that a stage heeds. SIGTERM and SIGINT ask for an end; SIGHUP asks a stage that has settings to read them
 * again; SIGPIPE is ignored, writes return EPIPE instead.
 */
#ifndef RINGSIDE_STAGE_SIGNALS_H
#define RINGSIDE_STAGE_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/* hangup_reloads false: SIGHUP ends the process, as it does by default. */
void signals_install(bool hangup_reloads);

/* How often an end was asked for since signals_install: once, finish what is in flight; twice, end now. */
uint32_t signals_end_requests(void);

/* Whether settings are to be read again; true once for each time. */
bool signals_take_reload(void);

#endif
