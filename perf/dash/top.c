/* The command line and the loop: listens to the rings often, takes a sample once a period, draws, heeds keys. */
#include "base/units.h"
#include "env/clock.h"
#include "log/log.h"
#include "perf/dash/dash.h"
#include "perf/dash/sample.h"
#include "perf/dash/terminal.h"
#include "stage/command_line.h"
#include "stage/signals.h"
#include "stage/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LISTEN_MS     20
#define PERIOD_MS     1000
#define PERIOD_MS_MIN 250
#define PERIOD_MS_MAX 16000
#define NICENESS      5 /* the stages come first */

enum own_option { ONCE, EVERY, SIZE, OWN_OPTIONS };

static const struct command_line_option options[OWN_OPTIONS] = {
    [ONCE] = {"once", NULL, "looks for a second, prints one screen (one object with --json) and ends"},
    [EVERY] = {"every", "SECONDS", "looks so often (1); keys + and - change it"},
    [SIZE] = {"size", "WIDTHxHEIGHT", "of the screen that --once prints (80x24)"},
};

static const struct command_line_form form = {
    .program = "ringside top",
    .summary = "a running exchange at a glance, once a second",
    .takes_json = true,
    .options = options,
    .option_count = OWN_OPTIONS,
    .brief = true,
    .extra =
        "\nStages, hops, instruments, sessions and alarms, in a terminal of 80x24 or more; --json needs --once. In it "
        "h\nexplains the columns. It reads rings, metrics and /proc and holds nobody up: it may be stopped or killed "
        "at any\ntime. docs/observing.md tells more. Ends with 1 if --once finds an alarm or no exchange.\n",
};

struct top {
    struct sampler sampler;
    struct dash_model model;
    struct screen screen;
    struct cells cells;
    int period_ms;
    int width, height; /* of --once */
    bool unicode;
};

static void take(struct top *top)
{
    static struct dash_sample sample;
    sampler_take(&top->sampler, &sample);
    model_take(&top->model, &sample);
}

static void draw(struct top *top, int width, int height)
{
    cells_clear(&top->cells, width, height, top->unicode);
    screen_draw(&top->screen, &top->cells, &top->model, &top->sampler.tape);
}

/* ---- once ---------------------------------------------------------------------------------------------------------
 */

static void listen_for(struct top *top, int ms)
{
    uint64_t end_ns = clock_monotonic_ns() + (uint64_t)ms * NS_PER_MS;
    while (clock_monotonic_ns() < end_ns && signals_end_requests() == 0) {
        sampler_listen(&top->sampler);
        usleep(LISTEN_MS * 1000);
    }
}

/* Two looks for the rates, and as many again for what must last before it is an alarm. */
static int once(struct top *top, bool json)
{
    take(top);
    for (int looks = 0; looks < 2; looks++) {
        listen_for(top, top->period_ms);
        take(top);
    }
    draw(top, top->width, top->height);
    if (json)
        dash_print_json(&top->screen, &top->model, &top->sampler.tape);
    else
        cells_write(&top->cells, stdout);
    return top->model.now.run.present && top->model.alarm_count == 0 ? EXIT_STAGE_OK : EXIT_STAGE_FAILED;
}

/* ---- the loop -----------------------------------------------------------------------------------------------------
 */

static void change_period(struct top *top, bool faster)
{
    int period = faster ? top->period_ms / 2 : top->period_ms * 2;
    if (period >= PERIOD_MS_MIN && period <= PERIOD_MS_MAX)
        top->period_ms = period;
}

static void show(struct top *top)
{
    int width;
    int height;
    terminal_size(&width, &height);
    draw(top, width, height);
    terminal_show(&top->cells);
}

/* True: it is over. */
static bool heed_keys(struct top *top)
{
    enum screen_key key = KEY_NOTHING;
    enum terminal_input input = terminal_input(LISTEN_MS, &key);
    if (input == INPUT_QUIT)
        return true;
    if (input == INPUT_FASTER || input == INPUT_SLOWER)
        change_period(top, input == INPUT_FASTER);
    if (input == INPUT_KEY)
        screen_key(&top->screen, key);
    if (input != INPUT_NONE)
        show(top);
    return false;
}

static int watch(struct top *top)
{
    const char *wrong = terminal_open();
    if (wrong) {
        fprintf(stderr, "ringside top: no screen here: %s\n", wrong);
        return EXIT_STAGE_USAGE;
    }
    uint64_t next_ns = 0;
    while (signals_end_requests() == 0 && !heed_keys(top)) {
        sampler_listen(&top->sampler);
        if (top->screen.paused || clock_monotonic_ns() < next_ns)
            continue;
        next_ns = clock_monotonic_ns() + (uint64_t)top->period_ms * NS_PER_MS;
        take(top);
        show(top);
    }
    terminal_close();
    return EXIT_STAGE_OK;
}

/* ---- the command line ---------------------------------------------------------------------------------------------
 */

static bool take_every(struct top *top, const char *text)
{
    char *end = NULL;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds * 1000 >= PERIOD_MS_MIN && seconds * 1000 <= PERIOD_MS_MAX)) {
        fprintf(stderr, "ringside top: every: '%s' is no number of seconds from 0.25 to 16\n", text);
        return false;
    }
    top->period_ms = (int)(seconds * 1000);
    return true;
}

static bool take_size(struct top *top, const char *text)
{
    char *x = NULL;
    char *end = NULL;
    long width = strtol(text, &x, 10);
    long height = *x == 'x' ? strtol(x + 1, &end, 10) : 0;
    if (!end || *end != '\0' || width < 1 || height < 1 || width > CELLS_WIDTH_MAX || height > CELLS_HEIGHT_MAX) {
        fprintf(stderr, "ringside top: size: '%s' is not like 80x24, up to %dx%d\n", text, CELLS_WIDTH_MAX,
                CELLS_HEIGHT_MAX);
        return false;
    }
    top->width = (int)width;
    top->height = (int)height;
    return true;
}

static bool take_options(struct top *top, const struct command_line *line)
{
    top->period_ms = PERIOD_MS;
    top->width = 80;
    top->height = 24;
    if (line->values[EVERY] && !take_every(top, line->values[EVERY]))
        return false;
    if (line->values[SIZE] && !take_size(top, line->values[SIZE]))
        return false;
    if (line->json && !line->values[ONCE]) {
        fprintf(stderr, "ringside top: --json goes with --once\n");
        return false;
    }
    return true;
}

int top_main(int argc, char **argv)
{
    struct command_line line;
    log_open("top", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    struct top *top = calloc(1, sizeof(*top));
    code = EXIT_STAGE_FAILED;
    if (!top)
        fprintf(stderr, "ringside top: no memory\n");
    else if (!take_options(top, &line))
        code = EXIT_STAGE_USAGE;
    else {
        signals_install(false);
        (void)!nice(NICENESS);
        top->unicode = terminal_unicode();
        top->screen.focus = PART_INSTRUMENTS;
        top->screen.durability = config_durability_name(line.config.journal_durability);
        top->screen.directory = line.config.exchange_rings_directory;
        sampler_init(&top->sampler, &line.config);
        code = line.values[ONCE] ? once(top, line.json) : watch(top);
        sampler_finish(&top->sampler);
    }
    free(top);
    config_finish(&line.config);
    return code;
}
