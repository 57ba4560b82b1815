/*
 * `ringside journal dump`: commands as text or JSON, those that a filter lets through.
 *
 * Numbers of instruments and sessions are the engine's, and a cancel names an order and no instrument; so the commands
 * are applied to an engine as they go by, and it is asked. Where that cannot be (the journal was trimmed) or is not
 * wanted (--no-names), numbers are shown.
 */
#include "journal/journal_layout.h"
#include "journal_cli.h"
#include "log/log.h"
#include "replayer.h"
#include "show/filter.h"
#include "show/names.h"
#include "show/show.h"
#include "stage/stage.h"

#include <stdlib.h>
#include <string.h>

#define TAKEN_COMMANDS 128
#define OUTPUT_BYTES   ((size_t)1 << 20)

enum own_option { FROM, TO, SINCE, UNTIL, SESSION, SYMBOL, KIND, NO_NAMES, OWN_OPTIONS };

static const struct command_line_option options[OWN_OPTIONS] = {
    [FROM] = {"from", "SEQ", "from this command on"},
    [TO] = {"to", "SEQ", "to this command, itself included"},
    [SINCE] = {"since", "TIME", "from this time on: 2026-11-23T21:19:08.5 (UTC), any shorter, or ns since the epoch"},
    [UNTIL] = {"until", "TIME", "to this time, itself included"},
    [SESSION] = {"session", "USER", "of this user, or of the session with this number"},
    [SYMBOL] = {"symbol", "SYMBOL", "about this instrument, or the one with this number"},
    [KIND] = {"kind", "KIND,KIND", "of these kinds: enter, cancel, tick, ..."},
    [NO_NAMES] = {"no-names", NULL, "shows numbers in place of names; begins at once wherever --from is"},
};

static const struct command_line_form form = {
    .program = "ringside journal dump",
    .summary = "prints the commands of a journal",
    .takes_json = true,
    .options = options,
    .option_count = OWN_OPTIONS,
    .operand = "DIRECTORY",
    .brief = true,
    .extra = "\nA line a command: number, time, kind, user, symbol, and what it uses that is not zero. With --json an "
             "object a\nline; prices are there as ticks (ten-thousandths) and as text.\n",
};

struct filter {
    uint64_t from_seq, to_seq;
    uint64_t since_ns, until_ns;
    struct kind_set kinds; /* empty: all */
    const char *session;   /* NULL: all */
    const char *symbol;
};

struct dump {
    struct filter filter;
    struct journal_place place;
    struct journal_reader *reader;
    struct replayer replayer;
    struct names names;
    bool named;
    bool json;
    uint64_t printed_count;
};

/* ---- the filter ---------------------------------------------------------------------------------------------------
 */

static int take_seq(const struct command_line *line, enum own_option option, uint64_t fallback, uint64_t *ret,
                    struct error *error)
{
    *ret = fallback;
    if (!line->values[option] || number_read(line->values[option], ret))
        return 0;
    return error_set(error, ERROR_INVALID, options[option].name, "'%s' is no number of a command",
                     line->values[option]);
}

static int take_time(const struct command_line *line, enum own_option option, uint64_t fallback, uint64_t *ret,
                     struct error *error)
{
    *ret = fallback;
    if (!line->values[option] || time_read(line->values[option], ret))
        return 0;
    return error_set(error, ERROR_INVALID, options[option].name,
                     "'%s' is no time: 2026-11-23T21:19:08.123456789, or ns since the epoch", line->values[option]);
}

static int take_kinds(const char *text, struct kind_set *ret, struct error *error)
{
    size_t bytes = 0;
    const char *wrong = text ? kind_set_read(ret, text, command_kind_name, &bytes) : NULL;
    if (!wrong)
        return 0;
    return error_set(error, ERROR_INVALID, "kind", "'%.*s' is no kind of command; docs/records.md lists them",
                     (int)bytes, wrong);
}

static int take_filter(struct filter *filter, const struct command_line *line, struct error *error)
{
    filter->session = line->values[SESSION];
    filter->symbol = line->values[SYMBOL];
    int result = take_seq(line, FROM, 0, &filter->from_seq, error);
    if (result == 0)
        result = take_seq(line, TO, UINT64_MAX, &filter->to_seq, error);
    if (result == 0)
        result = take_time(line, SINCE, 0, &filter->since_ns, error);
    if (result == 0)
        result = take_time(line, UNTIL, UINT64_MAX, &filter->until_ns, error);
    return result < 0 ? result : take_kinds(line->values[KIND], &filter->kinds, error);
}

static bool passes(const struct filter *filter, const struct command *command, const struct record_names *names)
{
    if (command->command_seq < filter->from_seq || command->time_ns < filter->since_ns)
        return false;
    if (!kind_set_empty(&filter->kinds) && !kind_set_has(&filter->kinds, command->kind))
        return false;
    return name_is_meant(filter->session, names->user, command->session) &&
           name_is_meant(filter->symbol, names->symbol, names->instrument);
}

/* ---- names --------------------------------------------------------------------------------------------------------
 */

static int take_event(void *argument, const struct event *event, struct error *error)
{
    if (names_note(argument, event) == 0)
        return 0;
    return error_set(error, ERROR_SYSTEM, "names", "no memory");
}

/* The instrument of the order that a request names. */
static uint32_t instrument_of_target(const struct dump *dump, const struct command *command)
{
    struct engine_order_view view;
    bool found = dump->named && engine_order_find(dump->replayer.engine, command->session,
                                                  command->order.user_ref_index, command->order.target_user_ref, &view);
    return found ? view.instrument : 0;
}

static uint32_t instrument_of(const struct dump *dump, const struct command *command)
{
    switch (command->kind) {
    case COMMAND_ENTER:
    case COMMAND_MASS_CANCEL:
        return command->order.instrument;
    case COMMAND_REPLACE:
    case COMMAND_CANCEL:
    case COMMAND_MODIFY:
        return instrument_of_target(dump, command);
    case COMMAND_MARKET_STATE:
    case COMMAND_INSTRUMENT_LIMITS:
        return command->admin.instrument;
    default:
        return 0;
    }
}

struct name_texts {
    char user[NAME_BYTES];
    char symbol[NAME_BYTES];
};

static void find_names(const struct dump *dump, const struct command *command, struct name_texts *texts,
                       struct record_names *names)
{
    names->instrument = instrument_of(dump, command);
    names->symbol = names_instrument(&dump->names, names->instrument);
    names->user = names_user(&dump->names, command->session);
    const char *symbol = show_symbol_of(command);
    const char *user = show_user_of(command);
    if (symbol) {
        show_padded(texts->symbol, sizeof(texts->symbol), symbol, SYMBOL_BYTES);
        names->symbol = texts->symbol;
    }
    if (user) {
        show_padded(texts->user, sizeof(texts->user), user, USER_BYTES);
        names->user = texts->user;
    }
}

/* ---- going through ------------------------------------------------------------------------------------------------
 */

static int open_reader(struct dump *dump, const struct config *config, bool wants_names, struct error *error)
{
    int result = journal_reader_open_oldest(&dump->reader, dump->place.directory, error);
    if (result < 0)
        return result;
    uint64_t first_seq = journal_reader_segment(dump->reader)->first_seq;
    dump->named = wants_names && first_seq == 1;
    if (wants_names && !dump->named)
        fprintf(stderr, "ringside journal dump: the journal begins with command %llu: numbers in place of names\n",
                (ull)first_seq);
    if (!dump->named && dump->filter.from_seq > first_seq) {
        journal_reader_close(dump->reader);
        dump->reader = NULL;
        result = journal_reader_open(&dump->reader, dump->place.directory, dump->filter.from_seq, error);
    }
    if (result == 0)
        result = journal_reader_read_ahead(dump->reader, error);
    if (result == 0 && dump->named)
        result = replayer_open(&dump->replayer, config, NULL, error);
    dump->replayer.watcher = take_event;
    dump->replayer.argument = &dump->names;
    return result;
}

/* 1: goes on. 0: what follows is beyond the filter. */
static int dump_one(struct dump *dump, const struct command *command, struct error *error)
{
    struct record_names names;
    struct name_texts texts;
    if (command->command_seq > dump->filter.to_seq || command->time_ns > dump->filter.until_ns)
        return 0;
    find_names(dump, command, &texts, &names);
    if (passes(&dump->filter, command, &names)) {
        dump->printed_count++;
        if (dump->json)
            show_command_json(stdout, command, &names);
        else
            show_command_text(stdout, command, &names);
    }
    int result = dump->named ? replayer_one(&dump->replayer, command, error) : 0;
    return result < 0 ? result : 1;
}

static int dump_all(struct dump *dump, struct error *error)
{
    static struct command commands[TAKEN_COMMANDS];
    int count;
    while ((count = journal_reader_next(dump->reader, commands, TAKEN_COMMANDS, dump->place.durable_end, error)) > 0) {
        for (int i = 0; i < count; i++) {
            int result = dump_one(dump, &commands[i], error);
            if (result <= 0)
                return result;
        }
    }
    return count;
}

static int print_end(const struct dump *dump, struct error *error)
{
    struct journal_position end;
    journal_reader_position(dump->reader, &end);
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_set(error, ERROR_SYSTEM, "stdout", "cannot write");
    if (end.torn_bytes > 0)
        fprintf(stderr, "ringside journal dump: a torn tail of %llu bytes follows command %llu\n", (ull)end.torn_bytes,
                (ull)end.command_seq_next - 1);
    return 0;
}

int journal_dump_main(int argc, char **argv)
{
    struct command_line line;
    struct error error = {0};
    struct dump dump = {0};
    log_open("journal", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    dump.json = line.json;
    setvbuf(stdout, NULL, _IOFBF, OUTPUT_BYTES);
    int result = take_filter(&dump.filter, &line, &error);
    if (result == 0)
        result = journal_place_find(&dump.place, &line, &error);
    if (result == 0)
        result = open_reader(&dump, &line.config, !line.values[NO_NAMES], &error);
    if (result == 0)
        result = dump_all(&dump, &error);
    if (result == 0)
        result = print_end(&dump, &error);
    fflush(stdout);
    code = result < 0 ? journal_refused("dump", &error, false) : EXIT_STAGE_OK;
    journal_reader_close(dump.reader);
    replayer_close(&dump.replayer);
    names_finish(&dump.names);
    config_finish(&line.config);
    return code;
}
