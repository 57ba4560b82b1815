/*
 * The dashboard without a terminal and without an exchange: made-up samples into the model, made-up events into the
 * tape, and the screen read as text, at several sizes.
 */
#include "perf/dash/model.h"
#include "perf/dash/screen.h"
#include "perf/dash/tape.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

static struct dash_model model;
static struct dash_sample sample;
static struct tape tape;
static struct screen screen;
static struct cells cells;

static const char *const stages[] = {"journaler", "sequencer", "matcher", "persister", "gateway-1"};
#define STAGES (sizeof(stages) / sizeof(stages[0]))

static void add_ring(uint32_t index, const char *name, uint32_t line_count, const char *first, const char *second)
{
    struct ring_view *ring = &sample.run.rings[index];
    snprintf(ring->name, sizeof(ring->name), "%s", name);
    ring->present = true;
    ring->capacity_slots = 1000;
    ring->next_seq = 1000;
    ring->blocked_on = RING_NOBODY;
    ring->line_count = line_count;
    snprintf(ring->lines[0].name, sizeof(ring->lines[0].name), "%s", first);
    snprintf(ring->lines[1].name, sizeof(ring->lines[1].name), "%s", second);
    for (uint32_t line = 0; line < line_count; line++)
        ring->lines[line].cursor_seq = 1000;
}

enum { INBOUND, COMMAND, EVENT_RING };

/* A run at rest, all up. */
static void make(void)
{
    memset(&model, 0, sizeof(model));
    memset(&sample, 0, sizeof(sample));
    memset(&tape, 0, sizeof(tape));
    memset(&screen, 0, sizeof(screen));
    screen.durability = "sync";
    screen.directory = "/dev/shm/nowhere";
    sample.realtime_ns = UINT64_C(1790000000) * SECOND;
    sample.run.present = true;
    sample.run.read_ns = 100 * SECOND;
    sample.run.created_ns = sample.realtime_ns - 3725 * SECOND;
    sample.run.process_count = sample.run.alive_count = STAGES;
    for (uint32_t i = 0; i < STAGES; i++) {
        snprintf(sample.run.processes[i].name, sizeof(sample.run.processes[i].name), "%s", stages[i]);
        sample.run.processes[i].held = true;
        sample.run.processes[i].pid = (pid_t)(1000 + i);
        sample.stages[i] = (struct stage_sample){.state = 'S', .cpu_ns = SECOND, .resident_bytes = UINT64_C(11) << 20};
    }
    sample.run.ring_count = 3;
    add_ring(INBOUND, "inbound-1", 1, "sequencer", "");
    add_ring(COMMAND, "command", 2, "journaler", "matcher");
    add_ring(EVENT_RING, "event", 1, "event-log", "");
    model_take(&model, &sample);
}

static void unmake(void)
{
    tape_finish(&tape);
}

static void later(double seconds)
{
    uint64_t ns = (uint64_t)(seconds * (double)SECOND);
    sample.run.read_ns += ns;
    sample.realtime_ns += ns;
}

static void advance(struct ring_view *ring, uint64_t count)
{
    ring->next_seq += count;
    for (uint32_t line = 0; line < ring->line_count; line++)
        ring->lines[line].cursor_seq += count;
}

static const struct dash_stage *stage(const char *name)
{
    for (uint32_t i = 0; i < model.stage_count; i++)
        if (strcmp(model.stages[i].name, name) == 0)
            return &model.stages[i];
    cr_assert_fail("no stage %s", name);
    return NULL;
}

static bool logged(const char *words)
{
    for (uint32_t i = 0; i < model.log_count; i++)
        if (strstr(model.log[i % DASH_LOG_MAX].text, words))
            return true;
    return false;
}

/* ---- the model ----------------------------------------------------------------------------------------------------
 */

TestSuite(model, .init = make, .fini = unmake);

Test(model, rates_are_of_the_time_between_two_samples)
{
    cr_assert_not(model.ready);
    cr_assert(isnan(stage("matcher")->cpu));
    later(2);
    advance(&sample.run.rings[INBOUND], 4000);
    advance(&sample.run.rings[COMMAND], 4002);
    advance(&sample.run.rings[EVENT_RING], 6000);
    sample.run.rings[COMMAND].stall_count = 6;
    sample.stages[2].cpu_ns += SECOND / 2;
    model_take(&model, &sample);
    cr_assert(model.ready);
    cr_assert_float_eq(model.commands_per_s, 2001, 0.01);
    cr_assert_float_eq(model.events_per_s, 3000, 0.01);
    cr_assert_float_eq(stage("gateway-1")->records_per_s, 2000, 0.01);
    cr_assert_float_eq(stage("sequencer")->records_per_s, 2001, 0.01);
    cr_assert_float_eq(stage("matcher")->records_per_s, 2001, 0.01);
    cr_assert_float_eq(stage("sequencer")->stalls_per_s, 3, 0.01);
    cr_assert_float_eq(stage("matcher")->cpu, 0.25, 0.001);
    cr_assert_eq(model.alarm_count, 0);
    cr_assert_eq(model.history_count, 1);
}

Test(model, batches_are_those_of_the_metrics_if_there_are_any)
{
    sample.batch_records[COMMAND] = 7;
    later(1);
    model_take(&model, &sample);
    cr_assert_float_eq(stage("sequencer")->batch, 7, 0.01);
    sample.stages[1].measured = true;
    later(1);
    model_take(&model, &sample);
    sample.stages[1].records += 300;
    sample.stages[1].batches += 20;
    sample.stages[1].beat_ns = sample.run.read_ns + SECOND;
    later(1);
    model_take(&model, &sample);
    cr_assert_float_eq(stage("sequencer")->batch, 15, 0.01);
}

Test(model, a_stopped_process_is_named_at_the_next_look)
{
    sample.stages[0].state = 'T';
    later(1);
    model_take(&model, &sample);
    const struct dash_alarm *alarm = model_alarm(&model, ALARM_STOPPED, "journaler");
    cr_assert(alarm && strstr(alarm->text, "kill -CONT 1000"));
    cr_assert_eq(model.alarm_count, 1);
    cr_assert_str_eq(stage("journaler")->state, "STOPPED");
    cr_assert(stage("journaler")->bad && !stage("matcher")->bad);
    later(1);
    model_take(&model, &sample);
    cr_assert_eq(model.log_count, 1); /* it is told once */
    sample.stages[0].state = 'S';
    later(1);
    model_take(&model, &sample);
    cr_assert_eq(model.alarm_count, 0);
    cr_assert(logged("over after 2 s: journaler (pid 1000) is stopped"));
}

/* No state in /proc tells of it: it lives, has work, and does not move. Who waits behind it is not blamed. */
Test(model, a_stuck_consumer_is_named_within_three_seconds)
{
    sample.run.rings[COMMAND].next_seq += 500;
    for (int looks = 0; looks < 3; looks++) {
        later(1);
        model_take(&model, &sample);
    }
    const struct dash_alarm *alarm = model_alarm(&model, ALARM_STUCK, "journaler");
    cr_assert(alarm && strstr(alarm->text, "of ring command wait"), "%s", alarm ? alarm->text : "none");
    cr_assert_null(model_alarm(&model, ALARM_STUCK, "matcher"), "it waits for the journaler");
    cr_assert_eq(model.alarm_count, 1);
    cr_assert_str_eq(stage("journaler")->state, "STUCK");
}

Test(model, who_is_held_up_is_not_stuck)
{
    struct ring_view *command = &sample.run.rings[COMMAND];
    command->next_seq += 1000; /* full */
    command->fill_records = 1000;
    command->blocked_ns = 1;
    command->blocked_on = 1;
    command->lines[0].cursor_seq += 1000;
    command->lines[1].behind_records = 1000;
    sample.run.rings[INBOUND].next_seq += 10;
    for (int looks = 0; looks < 3; looks++) {
        later(1);
        command->blocked_ns += SECOND;
        model_take(&model, &sample);
    }
    cr_assert(model_alarm(&model, ALARM_STUCK, "matcher"));
    cr_assert_null(model_alarm(&model, ALARM_STUCK, "sequencer"));
    const struct dash_alarm *full = model_alarm(&model, ALARM_FULL, "command");
    cr_assert(full && strcmp(full->text, "ring command is 100 % full, it waits for matcher") == 0);
}

Test(model, a_consumer_that_moves_is_not_stuck)
{
    for (int looks = 0; looks < 5; looks++) {
        later(1);
        sample.run.rings[COMMAND].next_seq += 500;
        sample.run.rings[COMMAND].lines[0].cursor_seq += 1;
        sample.run.rings[COMMAND].lines[1].cursor_seq += 1;
        model_take(&model, &sample);
        cr_assert_eq(model.alarm_count, 0);
    }
}

Test(model, other_causes)
{
    sample.run.processes[2].held = false;
    sample.run.alive_count--;
    sample.stages[1] = (struct stage_sample){.state = 'R', .measured = true, .beat_ns = sample.run.read_ns};
    sample.stores[0] = (struct store_sample){.name = "postgres", .configured = true, .lag_records = 77};
    sample.stores[1] = (struct store_sample){.name = "redis"};
    sample.stores[2] = (struct store_sample){.name = "orders", .configured = true, .refused = true};
    sample.store_count = 3;
    sample.space_low = true;
    later(2);
    model_take(&model, &sample);
    cr_assert(model_alarm(&model, ALARM_GONE, "matcher"));
    cr_assert(model_alarm(&model, ALARM_SILENT, "sequencer"));
    cr_assert(model_alarm(&model, ALARM_STORE_AWAY, "postgres"));
    cr_assert(model_alarm(&model, ALARM_STORE_REFUSES, "orders"));
    cr_assert_null(model_alarm(&model, ALARM_STORE_AWAY, "orders"));
    cr_assert(model_alarm(&model, ALARM_SPACE, "journal"));
    cr_assert_eq(model.alarm_count, 5);
    cr_assert_eq(stage("persister")->behind, 77);
}

Test(model, a_new_run_is_told_and_makes_no_rates)
{
    sample.run.run_id[0] = 9;
    sample.run.epoch = 4;
    sample.run.rings[COMMAND].next_seq = 5;
    later(1);
    model_take(&model, &sample);
    cr_assert(logged("a new run has begun, journal epoch 4"));
    cr_assert_not(model.ready);
    cr_assert_float_eq(model.commands_per_s, 0, 0.01);
}

/* ---- the tape -----------------------------------------------------------------------------------------------------
 */

static void take_login(uint32_t session, const char *user)
{
    struct event event = {.kind = EVENT_LOGIN_ACCEPTED, .session = session, .login = {.gateway = 1}};
    memcpy(event.login.user, user, USER_BYTES);
    memcpy(event.login.firm, "FIRM", FIRM_BYTES);
    tape_take(&tape, &event);
}

static void take_trade(uint32_t instrument, uint32_t taker, uint32_t maker)
{
    const struct event event = {
        .kind = EVENT_EXECUTED,
        .instrument = instrument,
        .session = taker,
        .message_no = 1,
        .trade = {.price_ticks = 1000100, .quantity = 30, .maker_session = maker, .maker_message_no = 1}};
    tape_take(&tape, &event);
}

static void take_top(uint32_t instrument, const char *symbol)
{
    struct event event = {
        .kind = EVENT_BOOK_TOP,
        .instrument = instrument,
        .top = {.bid_ticks = 1000000, .ask_ticks = 1000200, .bid_quantity = 12345, .ask_quantity = 7}};
    memcpy(event.top.symbol, symbol, SYMBOL_BYTES);
    tape_take(&tape, &event);
}

static void make_market(void)
{
    make();
    take_login(1, "USER01");
    take_login(2, "USER02");
    take_top(1, "AAPL    ");
    take_top(2, "MSFT    ");
    take_trade(2, 1, 2);
    take_trade(2, 1, 2);
    take_trade(1, 2, 2);
}

TestSuite(tape, .init = make_market, .fini = unmake);

Test(tape, tells_instruments_and_sessions)
{
    tape_settle(&tape, 2, 1);
    cr_assert_eq(tape_instrument_count(&tape), 2);
    cr_assert_eq(tape_open_sessions(&tape), 2);
    cr_assert_str_eq(tape.instruments[2].symbol, "MSFT");
    cr_assert_eq(tape.instruments[2].last_ticks, 1000100);
    cr_assert_float_eq(tape.instruments[2].rates.trades, 1, 0.001);
    cr_assert_float_eq(tape.rates.trades, 1.5, 0.001);
    cr_assert_eq(tape.sessions[1].counts.trades, 2);
    cr_assert_eq(tape.sessions[2].counts.trades, 3); /* one with itself, told once */
    tape_settle(&tape, 1, 1);
    cr_assert_float_eq(tape.rates.trades, 0, 0.001);
}

Test(tape, scales_what_was_left_out)
{
    tape_settle(&tape, 1, 4);
    cr_assert_float_eq(tape.rates.trades, 12, 0.001);
}

Test(tape, bounds_what_it_keeps)
{
    take_top(TAPE_INSTRUMENTS_MAX, "BIG     ");
    take_top(UINT32_MAX, "BIG     ");
    take_login(TAPE_SESSIONS_MAX, "USER99");
    cr_assert_eq(tape.overflow_count, 3);
    cr_assert_eq(tape_instrument_count(&tape), 2);
}

Test(tape, a_session_that_has_left)
{
    const struct event closed = {.kind = EVENT_SESSION_CLOSED, .session = 2};
    tape_take(&tape, &closed);
    cr_assert_eq(tape_open_sessions(&tape), 1);
}

/* ---- the screen ---------------------------------------------------------------------------------------------------
 */

TestSuite(screen, .init = make_market, .fini = unmake);

static char text[CELLS_HEIGHT_MAX * (CELLS_WIDTH_MAX * 3 + 1)];

static const char *drawn(int width, int height, bool unicode)
{
    cells_clear(&cells, width, height, unicode);
    screen_draw(&screen, &cells, &model, &tape);
    FILE *to = fmemopen(text, sizeof(text), "w");
    cells_write(&cells, to);
    fclose(to);
    return text;
}

static void expect(const char *words)
{
    cr_assert(strstr(text, words), "\"%s\" is not on the screen:\n%s", words, text);
}

static void settle(void)
{
    later(1);
    advance(&sample.run.rings[COMMAND], 20012);
    sample.hops[DASH_HOP_WAY] = (struct hop_sample){.count = 9, .p50_ns = 196000, .p99_ns = 1300000};
    sample.run.rings[COMMAND].fill_records = 430;
    model_take(&model, &sample);
    tape_settle(&tape, 1, 1);
}

Test(screen, shows_all_parts_at_80x24)
{
    settle();
    drawn(80, 24, false);
    static const char *const wanted[] = {"5 of 5 up",
                                         "durability sync",
                                         "for 1:02:06",
                                         "commands 20,012/s",
                                         "way 196us p99 1.3ms",
                                         "gateway-1",
                                         "sequencer",
                                         "journaler",
                                         "matcher",
                                         "persister",
                                         "43%",
                                         "instruments",
                                         "AAPL",
                                         "MSFT",
                                         "12,345",
                                         "100.00",
                                         "100.02",
                                         "100.01",
                                         "sessions",
                                         "USER01",
                                         "on",
                                         "alarms",
                                         "none now",
                                         "q quit"};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        expect(wanted[i]);
    int lines = 0;
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    cr_assert_eq(lines, 24);
    for (const char *at = text; *at;) {
        size_t bytes = strcspn(at, "\n");
        cr_assert_leq(bytes, 80);
        at += bytes + 1;
    }
}

Test(screen, names_who_is_stopped)
{
    sample.stages[0].state = 'T';
    settle();
    drawn(80, 24, false);
    expect("STOPPED");
    expect("now       journaler (pid 1000) is stopped by a signal");
    expect("1 now");
}

/* No size may write outside its cells; what fits is there. */
Test(screen, any_size)
{
    static const int sizes[][2] = {{1, 1}, {20, 5}, {79, 23}, {80, 10}, {132, 43}, {200, 60}, {400, 200}, {1000, 1000}};
    settle();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        drawn(sizes[i][0], sizes[i][1], true);
        if (sizes[i][0] >= 79 && sizes[i][1] >= 10)
            expect("matcher");
    }
    drawn(140, 40, false);
    expect("instruments (2, by trades)");
    expect("gateway-1");
}

Test(screen, sorts_and_selects)
{
    settle();
    screen.focus = PART_INSTRUMENTS;
    drawn(80, 24, false);
    cr_assert_lt(strstr(text, "MSFT"), strstr(text, "AAPL")); /* by trades */
    for (int i = 0; i < 4; i++)
        screen_key(&screen, KEY_SORT);
    cr_assert_str_eq(screen_sort_name(&screen, PART_INSTRUMENTS), "symbol");
    drawn(80, 24, false);
    cr_assert_lt(strstr(text, "AAPL"), strstr(text, "MSFT"));
    screen_key(&screen, KEY_REVERSE);
    drawn(80, 24, false);
    cr_assert_lt(strstr(text, "MSFT"), strstr(text, "AAPL"));
    screen_key(&screen, KEY_DOWN_ROW);
    screen_key(&screen, KEY_DOWN_ROW);
    drawn(80, 24, false);
    cr_assert_eq(screen.selected[PART_INSTRUMENTS], 1);
    expect("AAPL  number 1  since the start: 0 orders, 1 trades, 30 shares");
    screen_key(&screen, KEY_SORT);
    cr_assert_str_eq(screen_sort_name(&screen, PART_INSTRUMENTS), "trades");
}

Test(screen, goes_through_the_parts)
{
    settle();
    screen.focus = PART_STAGES;
    for (int i = 0; i < PART_COUNT; i++) {
        screen_key(&screen, KEY_DOWN_ROW);
        screen_key(&screen, KEY_SORT);
        drawn(80, 24, false);
        screen_key(&screen, KEY_NEXT_PART);
    }
    cr_assert_eq(screen.focus, PART_STAGES);
    screen_key(&screen, KEY_SHOW_HELP);
    drawn(80, 24, false);
    expect("the next part");
}

Test(screen, without_an_exchange)
{
    sample.run.present = false;
    settle();
    drawn(80, 24, false);
    expect("no exchange runs in /dev/shm/nowhere");
}

Test(screen, figures_in_few_columns)
{
    static const struct {
        double number;
        const char *text;
    } numbers[] = {{0, "0"},          {0.5, "0.5"},     {7, "7"},           {42.4, "42"},    {1000, "1,000"},
                   {99999, "99,999"}, {100000, "100k"}, {1726791, "1.73M"}, {250e6, "250M"}, {3.2e9, "3.2G"}};
    static const struct {
        uint64_t ns;
        const char *text;
    } spans[] = {{980, "980ns"},     {2400, "2.4us"},      {196000, "196us"},
                 {1300000, "1.3ms"}, {250000000, "250ms"}, {2 * SECOND, "2.0s"}};
    char buffer[NUMBER_BYTES];
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        cr_assert_str_eq(number_text(numbers[i].number, buffer), numbers[i].text);
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
        cr_assert_str_eq(span_text(spans[i].ns, buffer), spans[i].text);
    cr_assert_str_eq(bytes_text(UINT64_C(11) << 20, buffer), "11M");
}
