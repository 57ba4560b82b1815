/*
 * The HTTP side, on libmicrohttpd. A text is made when it is first asked for after a look, and handed out as it is
 * until the next look: however many ask, each text is made at most once a look. So an answer is at most
 * monitor.refresh_ms old, and a request costs no more than a send.
 *
 *   GET /               the page
 *   GET /metrics        Prometheus' text format
 *   GET /health/live    200: the monitor itself looks and answers
 *   GET /health/ready   200: orders are taken and answered; else 503; both with the reasons as JSON
 *   GET /status         everything, as JSON
 *   GET /history        the last ten minutes, as JSON
 *
 * No thread of its own: who owns it calls serve_poll, which answers what is there and waits for more.
 */
#ifndef RINGSIDE_MONITOR_SERVE_H
#define RINGSIDE_MONITOR_SERVE_H

#include "base/error.h"
#include "perf/monitor/text.h"

struct serve;

int serve_open(struct serve **ret_serve, const struct config *config, const struct scene *scene, struct self *self,
               struct error *error);

/* After a look: what was made before is too old. */
void serve_forget(struct serve *serve);

/* Answers requests until `wait_ms` have passed with nothing to do, or some were answered. */
void serve_poll(struct serve *serve, int wait_ms);

void serve_close(struct serve *serve);

#endif
