#include "order_run.h"

#include "base/units.h"
#include "log/log.h"
#include "stage/stage.h"

#include <string.h>

int order_refused(const char *part, const struct error *error)
{
    fprintf(stderr, "ringside order %s: %s: %s\n", part, error->where, error->what);
    return EXIT_STAGE_USAGE;
}

int order_run_read(struct order_run *run, int argc, char **argv, const struct command_line_form *form)
{
    *run = (struct order_run){.part = argv[0]};
    log_open("order", LOG_LEVEL_INFO);
    int code = command_line_read(&run->line, argc, argv, form);
    if (code == COMMAND_LINE_GO && run->line.json)
        setvbuf(stdout, NULL, _IOLBF, 0); /* an object a line for who reads along */
    return code;
}

/* ---- what comes ---- */

static void note_answer(struct order_run *run, const uint8_t *message, size_t bytes)
{
    uint32_t user_ref = bytes >= 13 ? load_be32(message + 9) : 0;
    uint32_t replaced_by = bytes >= 17 && message[0] == OUCH_TYPE_REPLACED ? load_be32(message + 13) : 0;
    if (message[0] == OUCH_TYPE_ACCEPTED && user_ref == run->user_ref)
        run->entered = true;
    if (replaced_by != 0 && replaced_by == run->user_ref)
        run->entered = true;
    if (message[0] == OUCH_TYPE_REJECTED && user_ref == run->user_ref)
        run->rejected = true;
    if (message[0] == OUCH_TYPE_CANCELED && user_ref == run->user_ref)
        run->canceled = true;
}

static void on_message(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes)
{
    struct order_run *run = context;
    if (message_bytes == 0)
        return;
    order_book_note(&run->book, message, message_bytes);
    if (run->sent)
        note_answer(run, message, message_bytes);
    if (!run->shows || message[0] == OUCH_TYPE_ACCOUNT_ANSWER)
        return; /* the answers to our own questions are no news */
    if (run->line.json)
        order_show_json(stdout, sequence, message, message_bytes);
    else
        order_show_text(stdout, sequence, message, message_bytes);
    fflush(stdout);
}

static void on_debug(void *context, const char *text, size_t text_bytes)
{
    struct order_run *run = context;
    char line[256];
    snprintf(line, sizeof(line), "%.*s", (int)text_bytes, text);
    run->taken_over = strstr(line, "later login") != NULL;
    fprintf(stderr, "ringside order: the exchange says: %s\n", line);
}

/* ---- the session ---- */

static void count_ready(void *context, uint32_t user_ref_next)
{
    struct order_run *run = context;
    (void)user_ref_next;
    run->ready++;
}

static void count_gone(void *context, int error, const char *why, uint32_t retry_ms)
{
    struct order_run *run = context;
    (void)why;
    (void)retry_ms;
    run->gone += error != RS_CLIENT_REFUSED; /* who refuses is there */
}

int order_run_open(struct order_run *run, uint64_t sequence, const struct rs_trader_callbacks *callbacks,
                   uint32_t backoff_ms_min)
{
    struct error error = {0};
    char why[ERROR_WHAT_BYTES];
    if (order_login_read(&run->login, &run->line, &error) < 0)
        return order_refused(run->part, &error);
    struct rs_trader_options options = {
        .client = {.addresses = run->login.addresses,
                   .user = run->login.user,
                   .password = run->login.password,
                   .sequence_next = sequence,
                   .on_message = on_message,
                   .on_debug = on_debug,
                   .context = run},
        .callbacks =
            callbacks ? *callbacks : (struct rs_trader_callbacks){.on_ready = count_ready, .on_gone = count_gone},
        .backoff_ms_min = backoff_ms_min};
    if (run->login.tls)
        rs_tls_use(run->login.tls, &options.client);
    run->trader = rs_trader_create(&options, why, sizeof(why));
    explicit_bzero(run->login.password, sizeof(run->login.password));
    if (run->trader)
        return 0;
    fprintf(stderr, "ringside order %s: %s\n", run->part, why);
    return EXIT_ORDER_UNREACHABLE;
}

/* One attempt an address is enough to know that nobody is there. */
static uint32_t address_count(const char *addresses)
{
    uint32_t count = 1;
    for (; *addresses; addresses++)
        count += *addresses == ',';
    return count;
}

int order_run_ready(struct order_run *run)
{
    uint32_t attempts = address_count(run->login.addresses);
    uint64_t tries = run->login.timeout_ms / 50;
    int result = 0;
    while (!rs_trader_ready(run->trader)) {
        result = rs_trader_ready_wait(run->trader, 50);
        if (result == RS_CLIENT_TIMEOUT && run->gone < attempts && tries-- > 0)
            continue;
        if (result < 0)
            return order_failed(&run->login, run->trader, result, false);
    }
    return 0;
}

void order_run_close(struct order_run *run)
{
    if (run->trader)
        rs_trader_close(run->trader);
    rs_trader_destroy(run->trader);
    order_login_finish(&run->login);
    order_book_finish(&run->book);
    config_finish(&run->line.config);
}
