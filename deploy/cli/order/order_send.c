/* `ringside order buy`, `sell`, `short`, `replace` and `cancel`: one request, and what comes of it at once. */
#include "order_run.h"
#include "stage/stage.h"

#include <string.h>

#define OPTION_COUNT(options) (uint32_t)(sizeof(options) / sizeof((options)[0]))

enum {
    WORD_TIF = ORDER_OWN_OPTIONS,
    WORD_EXPIRE,
    WORD_HIDDEN,
    WORD_POST_ONLY,
    WORD_MIN,
    WORD_DISPLAY,
    WORD_STOP,
    WORD_TRAIL,
    WORD_PEG,
    WORD_OFFSET,
    WORD_SELF_MATCH,
    WORD_ID,
    WORD_CAPACITY, /* of a new order alone, from here on */
    WORD_FIRM,
    WORD_EXEMPT,
};

/* clang-format off */
#define ORDER_WORDS                                                                                                    \
    {"tif", "day|ioc|fok|gtx|gtt|extended", "how long it stands (day)"},                                               \
    {"expire", "SECONDS", "it stands so long (gtt)"},                                                                  \
    {"hidden", NULL, "is not displayed"},                                                                              \
    {"post-only", NULL, "only adds to the book, never takes"},                                                         \
    {"min", "N", "trades N shares at least, or not at all"},                                                           \
    {"display", "N", "shows N shares at a time, the rest in reserve"},                                                 \
    {"stop", "PRICE", "enters the book when the market trades there"},                                                 \
    {"trail", "DISTANCE", "a stop that follows the market at this distance"},                                          \
    {"peg", "primary|market|midpoint", "follows the best prices, hidden; its price is a limit"},                       \
    {"offset", "[-]PRICE", "of the peg"},                                                                              \
    {"self-match", "oldest|newest|decrement", "which one goes when it meets an order of its own"},                     \
    {"id", "TEXT", "a name of yours, 14 characters, which is echoed"}
/* clang-format on */

static struct order_words words_of(const struct command_line *line)
{
    const char *const *values = line->values;
    return (struct order_words){.tif = values[WORD_TIF],
                                .expire = values[WORD_EXPIRE],
                                .hidden = values[WORD_HIDDEN],
                                .post_only = values[WORD_POST_ONLY],
                                .min = values[WORD_MIN],
                                .display = values[WORD_DISPLAY],
                                .stop = values[WORD_STOP],
                                .trail = values[WORD_TRAIL],
                                .peg = values[WORD_PEG],
                                .offset = values[WORD_OFFSET],
                                .self_match = values[WORD_SELF_MATCH],
                                .id = values[WORD_ID],
                                .capacity = values[WORD_CAPACITY],
                                .firm = values[WORD_FIRM],
                                .exempt = values[WORD_EXEMPT]};
}

/* ---- sending, and waiting for all that comes at once ---- */

static int sent_of(struct order_run *run, int result)
{
    if (result == 0) {
        run->sent = run->shows = true;
        result = rs_trader_settle(run->trader, run->login.timeout_ms);
    } else if (result == RS_CLIENT_INVALID) {
        fprintf(stderr, "ringside order %s: this cannot be said in OUCH\n", run->part);
        return EXIT_STAGE_USAGE;
    }
    return result < 0 ? order_failed(&run->login, run->trader, result, run->sent) : 0;
}

static int ended(struct order_run *run, int code)
{
    order_run_close(run);
    return code;
}

/* ---- buy, sell, short ---- */

static int enter(struct order_run *run, const struct order_request *request)
{
    uint32_t user_ref = 0;
    run->user_ref = rs_trader_user_ref_next(run->trader);
    int code = sent_of(run, rs_trader_enter(run->trader, &request->order, &user_ref));
    if (code != 0)
        return code;
    if (run->rejected)
        return EXIT_ORDER_REJECTED;
    if (run->entered) {
        const struct order_entry *entry = order_book_find(&run->book, run->user_ref);
        if (!run->line.json && entry && entry->leaves > 0)
            printf("order %u is open; ringside order cancel %u takes it back\n", run->user_ref, run->user_ref);
        return EXIT_STAGE_OK;
    }
    fprintf(stderr, "ringside order %s: the exchange ignored number %u; try again\n", run->part, run->user_ref);
    return EXIT_ORDER_REJECTED;
}

int order_enter_main(int argc, char **argv)
{
    static const struct command_line_option options[] = {
        ORDER_CONNECT_OPTIONS,
        ORDER_WORDS,
        {"capacity", "agency|principal|riskless|other", "for whom (principal)"},
        {"firm", "FIRM", "another firm than the session's"},
        {"exempt", NULL, "short: as short sell exempt"},
    };
    char program[64];
    snprintf(program, sizeof(program), "ringside order %.16s", argv[0]);
    const struct command_line_form form = {
        .program = program,
        .summary = "enters an order and prints what becomes of it at once",
        .takes_json = true,
        .extra = "\nPRICE has up to four decimals, or is `market`. Ends with 0 if the order is accepted, 2 if it is "
                 "rejected.\n",
        .options = options,
        .option_count = OPTION_COUNT(options),
        .operand = "QUANTITY SYMBOL @ PRICE",
        .operand_count_max = 4,
        .brief = true,
    };
    struct order_run run;
    struct order_request request;
    struct error error = {0};
    char side = (char)(strcmp(argv[0], "buy") == 0 ? 'B' : strcmp(argv[0], "sell") == 0 ? 'S' : 'T');
    int code = order_run_read(&run, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    const struct order_words words = words_of(&run.line);
    if (words.exempt && side != 'T')
        error_set(&error, ERROR_INVALID, "--exempt", "goes with short");
    else
        order_parse_enter(&request, side, run.line.operands, run.line.operand_count, &words, &error);
    if (error.code < 0)
        return ended(&run, order_refused(run.part, &error));
    code = order_run_open(&run, 0, NULL, 0);
    if (code == 0)
        code = order_run_ready(&run);
    if (code == 0)
        code = enter(&run, &request);
    return ended(&run, code);
}

/* ---- replace ---- */

static int not_open(const struct order_run *run, uint32_t target)
{
    fprintf(stderr,
            "ringside order %s: %s has no open order %u: done, canceled, or never there\n"
            "  ringside order list --user %s prints those that are open\n",
            run->part, run->login.user, target, run->login.user);
    return EXIT_ORDER_REJECTED;
}

static int replace(struct order_run *run, struct order_request *request)
{
    uint32_t user_ref = 0;
    struct error error = {0};
    const struct order_entry *original = order_book_find(&run->book, request->target);
    if (!original || original->leaves == 0)
        return not_open(run, request->target);
    if (order_replace_complete(request, original, &error) < 0) {
        fprintf(stderr, "ringside order replace: %s: %s; order %u stays as it is\n", error.where, error.what,
                request->target);
        return EXIT_ORDER_REJECTED;
    }
    run->user_ref = rs_trader_user_ref_next(run->trader);
    int code = sent_of(run, rs_trader_replace(run->trader, request->target, &request->order, &user_ref));
    if (code != 0)
        return code;
    if (run->entered && !run->line.json)
        printf("order %u stands in the place of %u\n", run->user_ref, request->target);
    if (run->entered)
        return EXIT_STAGE_OK;
    original = order_book_find(&run->book, request->target);
    if (!run->rejected && original && original->leaves == 0)
        fprintf(stderr, "ringside order replace: the new order is not valid; order %u was taken back, or is done\n",
                request->target);
    return EXIT_ORDER_REJECTED;
}

int order_replace_main(int argc, char **argv)
{
    static const struct command_line_option options[] = {ORDER_CONNECT_OPTIONS, ORDER_WORDS};
    static const struct command_line_form form = {
        .program = "ringside order replace",
        .summary = "a new order in the place of an open one, behind all others of its price",
        .takes_json = true,
        .extra =
            "\nQUANTITY is the total, shares that have traded included. Time in force and display stay as they are "
            "unless\nnew ones are given. The new order has a number of its own. Ends with 2 if there is no such "
            "open order, or the\nnew one is refused; one whose values are invalid takes the old one back too "
            "(OUCH 5.0 has it so).\n",
        .options = options,
        .option_count = OPTION_COUNT(options),
        .operand = "REF QUANTITY @ PRICE",
        .operand_count_max = 4,
        .brief = true,
    };
    struct order_run run;
    struct order_request request;
    struct error error = {0};
    int code = order_run_read(&run, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    const struct order_words words = words_of(&run.line);
    if (order_parse_replace(&request, run.line.operands, run.line.operand_count, &words, &error) < 0)
        return ended(&run, order_refused(run.part, &error));
    code = order_run_open(&run, 1, NULL, 0);
    if (code == 0)
        code = order_run_ready(&run);
    if (code == 0)
        code = replace(&run, &request);
    return ended(&run, code);
}

/* ---- cancel ---- */

int order_cancel_main(int argc, char **argv)
{
    static const struct command_line_option options[] = {ORDER_CONNECT_OPTIONS};
    static const struct command_line_form form = {
        .program = "ringside order cancel",
        .summary = "takes back what is left of an order, or all above a total",
        .takes_json = true,
        .extra = "\nTOTAL is what the order is to have had in all, shares that have traded included: an order of 500 "
                 "of which\n200 have traded keeps 100 with TOTAL 300. Ends with 2 if nothing was taken back.\n",
        .options = options,
        .option_count = OPTION_COUNT(options),
        .operand = "REF [TOTAL]",
        .operand_count_max = 2,
        .brief = true,
    };
    struct order_run run;
    struct order_request request;
    struct error error = {0};
    int code = order_run_read(&run, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    if (order_parse_cancel(&request, run.line.operands, run.line.operand_count, &error) < 0)
        return ended(&run, order_refused(run.part, &error));
    code = order_run_open(&run, 0, NULL, 0);
    if (code == 0)
        code = order_run_ready(&run);
    if (code == 0) {
        run.user_ref = request.target;
        code = sent_of(&run, rs_trader_cancel(run.trader, request.target, request.quantity));
    }
    if (code == 0 && !run.canceled)
        code = not_open(&run, request.target);
    return ended(&run, code);
}
