/*
 * What the parts of `ringside admin` share: words into commands, one question to ringside-admin, its answer for a
 * person or a program.
 */
#ifndef RINGSIDE_CLI_ADMIN_H
#define RINGSIDE_CLI_ADMIN_H

#include "admin/admin_wire.h"
#include "base/error.h"
#include "stage/command_line.h"

#include <stdbool.h>
#include <stdint.h>

/* Exit codes beside those of stage/stage.h. */
enum admin_exit {
    EXIT_ADMIN_REFUSED = 2,      /* the exchange said no, and changed nothing */
    EXIT_ADMIN_UNREACHABLE = 69, /* no ringside-admin answers there */
    EXIT_ADMIN_UNKNOWN = 75,     /* sent, and no answer came: it may have been done */
    EXIT_ADMIN_DENIED = 77,      /* this user may not */
};

enum admin_option {
    ADMIN_TICK,
    ADMIN_LOT,
    ADMIN_REFERENCE,
    ADMIN_COLLAR,
    ADMIN_FAT_FINGER,
    ADMIN_QUANTITY_MAX,
    ADMIN_NOTIONAL_MAX,
    ADMIN_STATE,
    ADMIN_FIRM,
    ADMIN_USER,
    ADMIN_SYMBOL,
    ADMIN_ALL,
    ADMIN_REASON,
    ADMIN_IF_NEEDED,
    ADMIN_YES,
    ADMIN_TIMEOUT,
    ADMIN_OPTION_COUNT,
};

/* ---- admin_words.c: no I/O but for the date of today ---- */

#define ADMIN_STEPS_MAX 3

/* What the words ask for: commands to be asked for one after the other, without their numbers. */
struct admin_task {
    const char *name; /* "halt" */
    bool destroys;    /* what cannot be taken back */
    bool reloads;     /* no command: the configuration */
    uint32_t step_count;
    struct command steps[ADMIN_STEPS_MAX];
};

int admin_words_read(struct admin_task *ret, const struct command_line *line, struct error *error);
extern const char admin_actions_help[];

/* ---- admin_ask.c ---- */

/* EXIT_STAGE_OK with a filled reply, or the exit code; what there is to say about that has been said. */
int admin_ask(const struct config *config, const struct admin_request *request, uint32_t timeout_s,
              struct admin_reply *ret_reply);

/* ---- admin_show.c ---- */

/* Says what came of it, on stdout; the exit code of it. */
int admin_show(const struct admin_reply *reply, bool json);

#endif
