#include "perf/probe/probe.h"

#include "base/units.h"
#include "env/clock.h"
#include "log/log.h"
#include "run/run.h"
#include "show/text.h"
#include "stage/command_line.h"
#include "stage/signals.h"
#include "stage/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/*
 * What a turn may cost: with more records than this waiting, it reads so many and leaves the rest out, unless every one
 * is wanted. So the cost of a report has a bound, whatever the exchange does.
 */
#define TURN_RECORDS  512u
#define SLEEP_NS      (5 * (uint64_t)NS_PER_MS)
#define SLEEP_SOON_NS (NS_PER_MS / 4) /* when rings fill fast and every record is wanted */
#define REFRESH_NS    ((uint64_t)NS_PER_SECOND / 2)
#define NICENESS      5 /* the stages come first */
#define FAST_FRACTION 16u

enum own_option { SECONDS, EVERY, FOLLOW, KIND, SESSION, SYMBOL, FROM, TO, COUNT, RAW, ALL, OWN_OPTIONS };

static const struct command_line_option options[OWN_OPTIONS] = {
    [SECONDS] = {"seconds", "N", "ends after so long; without it, when interrupted"},
    [EVERY] = {"every", "N", "reports each N seconds, each time of those alone"},
    [FOLLOW] = {"follow", NULL, "prints the records as they come, in place of a report"},
    [KIND] = {"kind", "KIND,KIND", "follows commands and events of these kinds: enter, executed, book_top, ..."},
    [SESSION] = {"session", "USER", "follows those of this user, or of the session with this number"},
    [SYMBOL] = {"symbol", "SYMBOL", "follows those about this instrument, or the one with this number"},
    [FROM] = {"from", "SEQ", "follows from this record of the ring on, or the oldest that is still there"},
    [TO] = {"to", "SEQ", "follows to this record, itself included, and ends"},
    [COUNT] = {"count", "N", "follows so many and ends"},
    [RAW] = {"raw", "FILE",
             "writes what it follows to FILE: one ring, 128 bytes a record, as docs/records.md has them"},
    [ALL] = {"all", NULL, "reads every record, also for a report"},
};

static const struct command_line_form form = {
    .program = "ringside probe",
    .summary = "watches the rings of a running exchange, from outside",
    .takes_json = true,
    .options = options,
    .option_count = OWN_OPTIONS,
    .operand = "RING ...",
    .operand_count_max = COMMAND_LINE_OPERANDS_MAX,
    .brief = true,
    .extra =
        "\nRings are inbound-1 (one a gateway), command and event; without a name, all of them. The report tells how\n"
        "long commands took from hop to hop, as the stamps in the records say: received (the gateway read the bytes),\n"
        "sequenced, matched (durable before, if durability is sync); and how many records there were, in batches of\n"
        "what size, how many were left out because a report needs no more, how many were overwritten before they\n"
        "could be read (missed), and how many did not bear the number of their place (gaps; there are none).\n"
        "\nA probe reads and holds nobody up: it may be stopped or killed at any time.\n",
};

/* ---- the command line ---------------------------------------------------------------------------------------------
 */

static int take_number(const struct command_line *line, enum own_option option, uint64_t fallback, uint64_t *ret,
                       struct error *error)
{
    *ret = fallback;
    if (!line->values[option] || number_read(line->values[option], ret))
        return 0;
    return error_set(error, ERROR_INVALID, options[option].name, "'%s' is no number", line->values[option]);
}

static int take_seconds(const struct command_line *line, enum own_option option, double *ret, struct error *error)
{
    char *end = NULL;
    *ret = 0;
    if (!line->values[option])
        return 0;
    *ret = strtod(line->values[option], &end);
    if (*end == '\0' && *ret > 0 && *ret < 1e7)
        return 0;
    return error_set(error, ERROR_INVALID, options[option].name, "'%s' is no number of seconds", line->values[option]);
}

/* A kind may be a command's, an event's, or both; each has to be one of the two. */
static int take_kinds(struct probe_filter *filter, const char *text, struct error *error)
{
    char one[64];
    size_t bytes = 0;
    for (; text && *text; text += bytes + (text[bytes] == ',')) {
        bytes = strcspn(text, ",");
        snprintf(one, sizeof(one), "%.*s", (int)(bytes < sizeof(one) ? bytes : sizeof(one) - 1), text);
        size_t ignored;
        bool no_command = kind_set_read(&filter->commands, one, command_kind_name, &ignored) != NULL;
        bool no_event = kind_set_read(&filter->events, one, event_kind_name, &ignored) != NULL;
        if (no_command && no_event)
            return error_set(error, ERROR_INVALID, options[KIND].name,
                             "'%s' is no kind of command or event; docs/records.md lists them", one);
        filter->kinds_given = true;
    }
    return 0;
}

static int take_filter(struct probe *probe, const struct command_line *line, struct error *error)
{
    struct probe_filter *filter = &probe->filter;
    filter->session = line->values[SESSION];
    filter->symbol = line->values[SYMBOL];
    int result = take_number(line, FROM, 0, &filter->from_seq, error);
    if (result == 0)
        result = take_number(line, TO, UINT64_MAX, &filter->to_seq, error);
    if (result == 0)
        result = take_number(line, COUNT, UINT64_MAX, &probe->let_through_most, error);
    return result < 0 ? result : take_kinds(filter, line->values[KIND], error);
}

static bool is_ring_of_run(const struct config *config, const char *name)
{
    uint64_t gateway = 0;
    if (strcmp(name, RING_NAME_COMMAND) == 0 || strcmp(name, RING_NAME_EVENT) == 0)
        return true;
    return strncmp(name, "inbound-", 8) == 0 && number_read(name + 8, &gateway) && gateway >= 1 &&
           gateway <= config->exchange_gateways;
}

static void add_tap(struct probe *probe, const char *name)
{
    if (probe->tap_count < PROBE_RINGS_MAX)
        tap_init(&probe->taps[probe->tap_count++], probe->config->exchange_rings_directory, name);
}

static int take_rings(struct probe *probe, const struct command_line *line, struct error *error)
{
    char name[32];
    for (uint32_t i = 0; i < line->operand_count; i++) {
        if (!is_ring_of_run(probe->config, line->operands[i]))
            return error_set(error, ERROR_INVALID, "RING",
                             "'%s' is no ring of this exchange: inbound-1 to inbound-%llu, command, event",
                             line->operands[i], (unsigned long long)probe->config->exchange_gateways);
        add_tap(probe, line->operands[i]);
    }
    for (uint32_t gateway = 1; line->operand_count == 0 && gateway <= probe->config->exchange_gateways; gateway++) {
        snprintf(name, sizeof(name), "inbound-%u", gateway);
        add_tap(probe, name);
    }
    if (line->operand_count == 0) {
        add_tap(probe, RING_NAME_COMMAND);
        add_tap(probe, RING_NAME_EVENT);
    }
    return 0;
}

static int take_raw(struct probe *probe, const struct command_line *line, struct error *error)
{
    if (!line->values[RAW])
        return 0;
    if (probe->tap_count != 1)
        return error_set(error, ERROR_INVALID, options[RAW].name, "name the one ring whose records it is to write");
    probe->raw = fopen(line->values[RAW], "wbe");
    return probe->raw ? 0 : error_system(error, errno, line->values[RAW], "cannot be written");
}

/* ---- watching -----------------------------------------------------------------------------------------------------
 */

static bool follows(const struct probe *probe)
{
    return probe->follow || probe->raw;
}

static const struct tap *command_tap(const struct probe *probe)
{
    for (uint32_t i = 0; i < probe->tap_count; i++)
        if (probe->taps[i].kind == TAP_COMMAND)
            return &probe->taps[i];
    return NULL;
}

static void measure(struct probe *probe, const struct tap *tap, struct batches *batches, const void *record)
{
    const struct record_head *head = record;
    batches_note(batches, tap_seq(record), head->published_ns_low);
    if (tap->kind == TAP_COMMAND)
        hops_command(&probe->hops, record);
    if (tap->kind != TAP_EVENT)
        return;
    struct record_head cause;
    const struct event *event = record;
    const struct tap *commands = event->index == 0 ? command_tap(probe) : NULL;
    bool known = commands && tap_peek(commands, event->command_seq, &cause);
    hops_event(&probe->hops, event, known ? &cause : NULL);
}

/* A new run, or a ring that was not there: what was asked for by number begins anew. */
static void refresh(struct probe *probe)
{
    for (uint32_t i = 0; i < probe->tap_count; i++)
        if (tap_refresh(&probe->taps[i], NULL) == 1 && follows(probe) && probe->filter.from_seq > 0)
            tap_seek(&probe->taps[i], probe->filter.from_seq);
}

static bool past_the_end(const struct probe *probe)
{
    for (uint32_t i = 0; i < probe->tap_count; i++)
        if (probe->taps[i].observer.next <= probe->filter.to_seq)
            return false;
    return true;
}

static bool handle(struct probe *probe, uint32_t index, const uint8_t *records, uint32_t count)
{
    for (uint32_t i = 0; i < count && probe->let_through < probe->let_through_most; i++) {
        const void *record = records + (size_t)i * RECORD_BYTES;
        if (!follows(probe))
            measure(probe, &probe->taps[index], &probe->batches[index], record);
        else if (!follow_record(probe, &probe->taps[index], record))
            return false;
    }
    return true;
}

/* One look at a ring. False: what is printed is no longer taken. */
static bool turn(struct probe *probe, uint32_t index)
{
    static uint8_t records[TURN_RECORDS * RECORD_BYTES];
    struct tap *tap = &probe->taps[index];
    uint64_t read = 0;
    uint32_t count;
    do {
        count = tap_read(tap, records, TURN_RECORDS);
        if (!handle(probe, index, records, count))
            return false;
        read += count;
    } while (count == TURN_RECORDS && (probe->all || follows(probe)) && read < tap->observer.mask);
    if (count == TURN_RECORDS && !probe->all && !follows(probe))
        tap_pass_over(tap);
    if (tap->ring.file && read * FAST_FRACTION > tap->observer.mask)
        probe->filled_at_most = read;
    return true;
}

/* With the file of a pipe's end gone, or so many told, there is no more to do. */
static bool turns(struct probe *probe)
{
    for (uint32_t i = 0; i < probe->tap_count; i++)
        if (!turn(probe, i))
            return false;
    return probe->let_through < probe->let_through_most && !(follows(probe) && past_the_end(probe));
}

static void rest(struct probe *probe)
{
    uint64_t ns = probe->filled_at_most > 0 ? SLEEP_SOON_NS : SLEEP_NS;
    const struct timespec sleep = {.tv_nsec = (long)ns};
    probe->filled_at_most = 0;
    if (follows(probe))
        fflush(stdout);
    nanosleep(&sleep, NULL);
}

/* What is reported next is of the time from now on. */
static void begin(struct probe *probe)
{
    hops_clear(&probe->hops);
    told_begin(&probe->told);
    for (uint32_t i = 0; i < probe->tap_count; i++) {
        struct tap *tap = &probe->taps[i];
        batches_clear(&probe->batches[i]);
        tap->first_seq = tap->observer.next;
        tap->read_count = tap->missed_count = tap->overrun_count = tap->passed_count = tap->gap_count = 0;
    }
    probe->begun_ns = clock_monotonic_ns();
}

static double seconds_so_far(const struct probe *probe)
{
    return (double)(clock_monotonic_ns() - probe->begun_ns) / NS_PER_SECOND;
}

static void report(struct probe *probe)
{
    double seconds = seconds_so_far(probe);
    if (!follows(probe) && seconds > 0)
        report_probe(probe, seconds);
}

static void watch(struct probe *probe, double seconds, double every)
{
    uint64_t end_ns = seconds > 0 ? clock_monotonic_ns() + (uint64_t)(seconds * NS_PER_SECOND) : UINT64_MAX;
    uint64_t refresh_ns = 0;
    begin(probe);
    while (signals_end_requests() == 0 && clock_monotonic_ns() < end_ns) {
        if (clock_monotonic_ns() >= refresh_ns) {
            refresh(probe);
            refresh_ns = clock_monotonic_ns() + REFRESH_NS;
        }
        if (!turns(probe))
            return;
        if (every > 0 && seconds_so_far(probe) >= every) {
            report(probe);
            begin(probe);
        }
        rest(probe);
    }
    (void)turns(probe); /* what came during the last rest */
    if (every <= 0)
        report(probe);
}

/* There has to be a run, though its rings may come later. */
static int check_run(struct probe *probe, struct error *error)
{
    for (uint32_t i = 0; i < probe->tap_count; i++) {
        int result = tap_refresh(&probe->taps[i], error);
        if (result < 0 && result != ERROR_NOT_YET)
            return result;
        if (result == 1 && follows(probe) && probe->filter.from_seq > 0)
            tap_seek(&probe->taps[i], probe->filter.from_seq);
    }
    for (uint32_t i = 0; i < probe->tap_count; i++)
        if (probe->taps[i].ring.file)
            return 0;
    return error_set(error, ERROR_NOT_YET, probe->config->exchange_rings_directory,
                     "none of the rings is there: is the exchange running, and is this its configuration?");
}

static int open_probe(struct probe *probe, const struct command_line *line, double *ret_seconds, double *ret_every,
                      struct error *error)
{
    probe->config = &line->config;
    probe->follow = line->values[FOLLOW] != NULL;
    probe->json = line->json;
    probe->all = line->values[ALL] != NULL;
    told_init(&probe->told, line->config.exchange_rings_directory, (uint32_t)line->config.exchange_gateways);
    int result = take_filter(probe, line, error);
    if (result == 0)
        result = take_seconds(line, SECONDS, ret_seconds, error);
    if (result == 0)
        result = take_seconds(line, EVERY, ret_every, error);
    if (result == 0)
        result = take_rings(probe, line, error);
    if (result == 0)
        result = take_raw(probe, line, error);
    if (result == 0)
        result = check_run(probe, error);
    return result;
}

static void close_probe(struct probe *probe)
{
    for (uint32_t i = 0; i < probe->tap_count; i++)
        tap_close(&probe->taps[i]);
    told_finish(&probe->told);
    names_finish(&probe->names);
}

int probe_main(int argc, char **argv)
{
    static struct probe probe;
    struct command_line line;
    struct error error = {0};
    double seconds = 0;
    double every = 0;
    log_open("probe", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    signals_install(false);
    prctl(PR_SET_TIMERSLACK, 1);
    (void)!nice(NICENESS);
    int result = open_probe(&probe, &line, &seconds, &every, &error);
    if (result == 0) {
        if (follows(&probe))
            follow_learn_names(&probe);
        watch(&probe, seconds, every);
    }
    if (probe.raw && fclose(probe.raw) != 0 && result == 0)
        result = error_system(&error, errno, line.values[RAW], "cannot be written");
    if (result < 0)
        fprintf(stderr, "ringside probe: %s: %s\n", error.where, error.what);
    close_probe(&probe);
    config_finish(&line.config);
    return result == ERROR_INVALID ? EXIT_STAGE_USAGE : result < 0 ? EXIT_STAGE_FAILED : EXIT_STAGE_OK;
}
