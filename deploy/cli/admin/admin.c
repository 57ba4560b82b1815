/*
 * `ringside admin`: what an operator does to a running exchange, by hand or by script. The request goes to
 * ringside-admin over its socket; what is printed is what came of it, and the exit code says so too.
 */
#include "../cli.h"
#include "admin_cli.h"
#include "log/log.h"
#include "stage/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TIMEOUT_S_DEFAULT 30
#define TIMEOUT_S_MAX     3600

static const struct command_line_option options[ADMIN_OPTION_COUNT] = {
    [ADMIN_TICK] = {"tick", "PRICE", "prices are multiples of it"},
    [ADMIN_LOT] = {"lot", "QUANTITY", "quantities are multiples of it"},
    [ADMIN_REFERENCE] = {"reference", "PRICE", "the reference price"},
    [ADMIN_COLLAR] = {"collar", "PRICE", "no trade farther than this from the reference"},
    [ADMIN_FAT_FINGER] = {"fat-finger", "PRICE", "no order farther than this beyond the reference"},
    [ADMIN_QUANTITY_MAX] = {"quantity-max", "QUANTITY", "the largest order"},
    [ADMIN_NOTIONAL_MAX] = {"notional-max", "AMOUNT", "the largest price times quantity of an order"},
    [ADMIN_STATE] = {"state", "STATE", "of a new instrument: open, pre-open, halted, closed, extended"},
    [ADMIN_FIRM] = {"firm", "FIRM", "orders of this firm"},
    [ADMIN_USER] = {"user", "USER", "orders of this user"},
    [ADMIN_SYMBOL] = {"symbol", "SYMBOL", "orders of this instrument"},
    [ADMIN_ALL] = {"all", NULL, "all orders"},
    [ADMIN_REASON] = {"reason", "WORD", "of a broken trade: error, consent, supervisory, external"},
    [ADMIN_IF_NEEDED] = {"if-needed", NULL, "what is so already is no mistake"},
    [ADMIN_YES] = {"yes", NULL, "do not ask back"},
    [ADMIN_TIMEOUT] = {"timeout", "SECONDS", "how long to wait for the answer (30)"},
};

/* Somebody at a terminal is asked before what cannot be taken back. */
static bool confirmed(const struct admin_task *task, const struct command_line *line)
{
    char answer[16] = "";
    if (!task->destroys || line->values[ADMIN_YES] || !isatty(STDIN_FILENO))
        return true;
    fprintf(stderr, "%s cannot be taken back. Type yes to go on: ", task->name);
    return fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0;
}

static uint32_t draw_number(void)
{
    uint32_t number = 0;
    while (number == 0)
        if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
            number = (uint32_t)getpid();
    return number;
}

static int timeout_read(const struct command_line *line, uint32_t *ret_s)
{
    const char *text = line->values[ADMIN_TIMEOUT];
    char *end = NULL;
    unsigned long seconds = text ? strtoul(text, &end, 10) : TIMEOUT_S_DEFAULT;
    *ret_s = (uint32_t)seconds;
    return !text || (*text >= '0' && *text <= '9' && *end == '\0' && seconds >= 1 && seconds <= TIMEOUT_S_MAX) ? 0 : -1;
}

static int do_task(const struct admin_task *task, const struct command_line *line)
{
    uint32_t timeout_s = 0;
    int code = EXIT_STAGE_OK;
    if (timeout_read(line, &timeout_s) < 0) {
        fprintf(stderr, "ringside admin: --timeout: '%s' is not 1 to %d seconds\n", line->values[ADMIN_TIMEOUT],
                TIMEOUT_S_MAX);
        return EXIT_STAGE_USAGE;
    }
    for (uint32_t i = 0; i < task->step_count && code == EXIT_STAGE_OK; i++) {
        struct admin_request request = {
            .magic = ADMIN_MAGIC, .verb = task->reloads ? ADMIN_RELOAD : ADMIN_COMMAND, .command = task->steps[i]};
        struct admin_reply reply;
        request.command.user_ref = draw_number();
        code = admin_ask(&line->config, &request, timeout_s, &reply);
        if (code == EXIT_STAGE_OK)
            code = admin_show(&reply, line->json);
    }
    return code;
}

int admin_main(int argc, char **argv)
{
    static const struct command_line_form form = {.program = "ringside admin",
                                                  .summary = "what an operator does to a running exchange",
                                                  .takes_json = true,
                                                  .extra = admin_actions_help,
                                                  .options = options,
                                                  .option_count = ADMIN_OPTION_COUNT,
                                                  .operand = "ACTION",
                                                  .operand_count_max = 3,
                                                  .brief = true};
    struct command_line line;
    struct admin_task task;
    struct error error = {0};
    log_open("admin", LOG_LEVEL_WARNING);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    if (admin_words_read(&task, &line, &error) < 0) {
        fprintf(stderr, "ringside admin: %s: %s\n", error.where, error.what);
        code = EXIT_STAGE_USAGE;
    } else if (!confirmed(&task, &line)) {
        fprintf(stderr, "ringside admin: nothing was done\n");
        code = EXIT_STAGE_FAILED;
    } else {
        code = do_task(&task, &line);
    }
    config_finish(&line.config);
    return code;
}
