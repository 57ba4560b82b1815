/* One login of `ringside order`, from its options to its end. */
#ifndef RINGSIDE_CLI_ORDER_RUN_H
#define RINGSIDE_CLI_ORDER_RUN_H

#include "order_cli.h"

struct order_run {
    const char *part; /* "buy" */
    struct command_line line;
    struct order_login login;
    struct rs_trader *trader;
    struct order_book book;
    bool shows;     /* events are printed from now on */
    bool sent;      /* the request is out */
    uint32_t ready; /* how often it was */
    uint32_t gone;
    bool taken_over; /* by a later login, as the exchange told */

    /* what came of the request */
    uint32_t user_ref; /* of it, or of the order that is to be cancelled */
    bool entered;      /* accepted or replaced */
    bool rejected;
    bool canceled;
};

/* Reads the command line. COMMAND_LINE_GO, or an exit code. */
int order_run_read(struct order_run *run, int argc, char **argv, const struct command_line_form *form);

/* Makes the trader; messages from `sequence` on, 0: from now on. 0 or an exit code. */
int order_run_open(struct order_run *run, uint64_t sequence, const struct rs_trader_callbacks *callbacks,
                   uint32_t backoff_ms_min);

/* Waits until it is ready: an exchange that is not there is not waited for. 0 or an exit code. */
int order_run_ready(struct order_run *run);
void order_run_close(struct order_run *run);

/* Says on stderr what is wrong with what was typed; EXIT_STAGE_USAGE. */
int order_refused(const char *part, const struct error *error);

#endif
