/* The signals that end a stage. SIGTERM and SIGINT ask for an end; SIGPIPE is ignored, writes return EPIPE instead. */
#ifndef RINGSIDE_STAGE_SIGNALS_H
#define RINGSIDE_STAGE_SIGNALS_H

#include <stdint.h>

void signals_install(void);

/* How often an end was asked for since signals_install: once, finish what is in flight; twice, end now. */
uint32_t signals_end_requests(void);

#endif
