/*
 * `ringside trades`: the trades of a day as CSV, for members to reconcile against. Made from the event log, which has
 * every trade once; two lines a trade, the taker's and the maker's, each with the order and the names that the member
 * gave it. A trade that was broken later is there and says so.
 *
 * Rules
 *   1. Four passes: where the day is; which of its trades were broken, known only at its end; who and what there is
 *      from before it; then the lines are printed as they come.
 *   2. Days and names are of all time: trimmed files have them too. Of the day itself every event must be there, in the
 *      log or in the archive, or it is refused: a list that lacks trades is worse than none.
 */
#include "base/bytes.h"
#include "base/date.h"
#include "base/units.h"
#include "cli.h"
#include "eventlog/eventlog.h"
#include "log/log.h"
#include "stage/command_line.h"
#include "stage/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVENTS_AT_ONCE 4096u
#define TIME_BYTES     40

typedef unsigned long long ull;

enum { OPTION_DAY, OPTION_ONLY_FIRM };

/* What a member calls an order. */
struct named_order {
    char firm[FIRM_BYTES];
    char client_order_id[CLIENT_ORDER_ID_BYTES];
};

struct trades {
    const struct config *config;
    struct event events[EVENTS_AT_ONCE];
    uint32_t date; /* wanted; 0: the last one */
    const char *firm;
    uint64_t first_seq; /* of the day: its DAY_STARTED */
    uint64_t end_seq;   /* the event after its last */
    bool ended;
    uint64_t *broken; /* match numbers, rising as they were broken */
    uint32_t broken_count;
    struct named_order *orders; /* from first_ref on */
    uint64_t first_ref, order_room;
    char (*users)[USER_BYTES + 1];
    uint32_t user_room;
    char (*symbols)[SYMBOL_BYTES + 1];
    uint32_t symbol_room;
    uint64_t line_count;
};

static void *larger(void *block, size_t before, size_t after, size_t entry_bytes)
{
    uint8_t *bytes = realloc(block, after * entry_bytes);
    if (!bytes) {
        fprintf(stderr, "ringside trades: no memory\n");
        exit(EXIT_STAGE_FAILED);
    }
    memset(bytes + before * entry_bytes, 0, (after - before) * entry_bytes);
    return bytes;
}

static void trimmed(char *text, const char *field, size_t bytes)
{
    while (bytes > 0 && (field[bytes - 1] == ' ' || field[bytes - 1] == '\0'))
        bytes--;
    for (size_t i = 0; i < bytes; i++) /* nothing that CSV would have to quote */
        text[i] = (char)(field[i] > ' ' && field[i] <= '~' && field[i] != ',' && field[i] != '"' ? field[i] : '_');
    text[bytes] = '\0';
}

/* ---- where the day is, and what was broken ------------------------------------------------------------------------
 */

static void find_day(struct trades *trades, const struct event *event)
{
    if (event->kind == EVENT_DAY_STARTED && (trades->date == 0 || trades->date == event->day.date)) {
        trades->first_seq = event->event_seq;
        trades->end_seq = UINT64_MAX;
        trades->ended = false;
    } else if (event->kind == EVENT_DAY_STARTED && trades->first_seq != 0 && trades->end_seq == UINT64_MAX) {
        trades->end_seq = event->event_seq;
    } else if (event->kind == EVENT_DAY_ENDED && trades->end_seq == UINT64_MAX) {
        trades->ended = true;
    }
}

static void note_broken(struct trades *trades, const struct event *event)
{
    uint32_t count = trades->broken_count;
    if (event->kind != EVENT_BROKEN)
        return;
    if ((count & (count - 1)) == 0)
        trades->broken = larger(trades->broken, count, count == 0 ? 1 : 2 * (size_t)count, sizeof(*trades->broken));
    trades->broken[trades->broken_count++] = event->trade.match_number;
}

static bool is_broken(const struct trades *trades, uint64_t match_number)
{
    for (uint32_t i = 0; i < trades->broken_count; i++)
        if (trades->broken[i] == match_number)
            return true;
    return false;
}

/* ---- names, and lines ---------------------------------------------------------------------------------------------
 */

static struct named_order *order_at(struct trades *trades, uint64_t order_ref)
{
    if (trades->first_ref == 0)
        trades->first_ref = order_ref;
    if (order_ref < trades->first_ref)
        return NULL;
    uint64_t place = order_ref - trades->first_ref;
    if (place >= trades->order_room) {
        uint64_t room = place < 1024 ? 2048 : 2 * place;
        trades->orders = larger(trades->orders, trades->order_room, room, sizeof(*trades->orders));
        trades->order_room = room;
    }
    return &trades->orders[place];
}

static void note_order(struct trades *trades, const struct event *event)
{
    struct named_order *order = order_at(trades, event->accepted.order_ref);
    if (!order)
        return;
    memcpy(order->firm, event->accepted.firm, FIRM_BYTES);
    memcpy(order->client_order_id, event->accepted.client_order_id, CLIENT_ORDER_ID_BYTES);
}

/* It goes on under another number. */
static void note_renumbered(struct trades *trades, const struct event *event)
{
    if (event->cut.previous_order_ref == 0)
        return;
    const struct named_order *before = order_at(trades, event->cut.previous_order_ref);
    struct named_order order = before ? *before : (struct named_order){0}; /* a copy: the table may move */
    struct named_order *now = order_at(trades, event->cut.order_ref);
    if (before && now)
        *now = order;
}

static void note_names(struct trades *trades, const struct event *event)
{
    if (event->kind == EVENT_LOGIN_ACCEPTED) {
        if (event->session >= trades->user_room) {
            trades->users =
                larger(trades->users, trades->user_room, 2 * (size_t)event->session + 2, sizeof(*trades->users));
            trades->user_room = 2 * event->session + 2;
        }
        trimmed(trades->users[event->session], event->login.user, USER_BYTES);
    } else if (event->kind == EVENT_INSTRUMENT_ADDED) {
        if (event->instrument >= trades->symbol_room) {
            trades->symbols = larger(trades->symbols, trades->symbol_room, 2 * (size_t)event->instrument + 2,
                                     sizeof(*trades->symbols));
            trades->symbol_room = 2 * event->instrument + 2;
        }
        trimmed(trades->symbols[event->instrument], event->admin.symbol, SYMBOL_BYTES);
    }
}

static const char *time_text(uint64_t time_ns, char text[TIME_BYTES])
{
    struct tm broken = {0};
    time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
    gmtime_r(&seconds, &broken);
    size_t length = strftime(text, TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &broken);
    snprintf(text + length, TIME_BYTES - length, ".%09lluZ", (ull)(time_ns % NS_PER_SECOND));
    return text;
}

static const char *side_text(uint8_t side)
{
    return side == 'B' ? "buy" : side == 'S' ? "sell" : side == 'T' ? "sell short" : "sell short exempt";
}

static void print_side(struct trades *trades, const struct event *event, bool maker)
{
    const struct event_trade *trade = &event->trade;
    uint64_t order_ref = maker ? trade->maker_order_ref : trade->order_ref;
    uint32_t session = maker ? trade->maker_session : event->session;
    const struct named_order *order = order_at(trades, order_ref);
    char time[TIME_BYTES], firm[FIRM_BYTES + 1] = "", id[CLIENT_ORDER_ID_BYTES + 1] = "";
    if (order) {
        trimmed(firm, order->firm, FIRM_BYTES);
        trimmed(id, order->client_order_id, CLIENT_ORDER_ID_BYTES);
    }
    if (trades->firm && strcmp(trades->firm, firm) != 0)
        return;
    printf("%u,%s,%llu,%s,%s,%u,%d.%04d,%s,%s,%u,%llu,%s,%s,%s\n", trades->date, time_text(event->time_ns, time),
           (ull)trade->match_number, event->instrument < trades->symbol_room ? trades->symbols[event->instrument] : "",
           side_text(maker ? trade->maker_side : event->side), trade->quantity, trade->price_ticks / 10000,
           trade->price_ticks % 10000, firm, session < trades->user_room ? trades->users[session] : "",
           maker ? trade->maker_user_ref : event->user_ref, (ull)order_ref, id, maker ? "maker" : "taker",
           is_broken(trades, trade->match_number) ? "broken" : "good");
    trades->line_count++;
}

static void print_event(struct trades *trades, const struct event *event)
{
    note_names(trades, event);
    if (event->kind == EVENT_DAY_STARTED)
        trades->date = event->day.date;
    else if (event->kind == EVENT_ACCEPTED || event->kind == EVENT_REPLACED)
        note_order(trades, event);
    else if (event->kind == EVENT_PRIORITY_UPDATED || event->kind == EVENT_RESTATED)
        note_renumbered(trades, event);
    else if (event->kind == EVENT_EXECUTED) {
        print_side(trades, event, false);
        print_side(trades, event, true);
    }
}

/* ---- all of it ----------------------------------------------------------------------------------------------------
 */

typedef void event_taker(struct trades *trades, const struct event *event);

static int refuse_trimmed(const struct trades *trades, uint64_t missing_seq, struct error *error)
{
    return error_set(
        error, ERROR_GONE, trades->config->events_directory,
        "the day was trimmed: event %llu of it is neither there nor in retention.archive_path; set that to "
        "the archive that has it, or ask PostgreSQL for the day's executions",
        (ull)missing_seq);
}

/* The events from first_seq to the one before end_seq, as far as there are any; `whole`: none may be missing. */
static int read_events(struct trades *trades, struct eventlog_reader *reader, uint64_t first_seq, uint64_t end_seq,
                       bool whole, event_taker *take, struct error *error)
{
    uint64_t next = first_seq;
    int count = 0;
    while (next < end_seq && (count = eventlog_reader_read(reader, next, trades->events, EVENTS_AT_ONCE, error)) > 0) {
        for (int i = 0; i < count; i++) {
            const struct event *event = &trades->events[i];
            if (whole && next < end_seq && event->event_seq != next)
                return refuse_trimmed(trades, next, error);
            next = event->event_seq + 1;
            if (event->event_seq < end_seq)
                take(trades, event);
        }
    }
    return count < 0 ? count : 0;
}

static int each_event(struct trades *trades, uint64_t first_seq, uint64_t end_seq, bool whole, event_taker *take,
                      struct error *error)
{
    struct eventlog_reader *reader = NULL;
    int code = eventlog_reader_open(&reader, trades->config->events_directory, error);
    if (code < 0)
        return code;
    eventlog_reader_skip(reader, UINT64_MAX);
    if (whole)
        eventlog_reader_archive(reader, trades->config->retention_archive_path);
    code = read_events(trades, reader, first_seq, end_seq, whole, take, error);
    eventlog_reader_close(reader);
    return code;
}

/* What is of all time, before end_seq: quick, of trimmed files little is left to read. */
static int each_known(struct trades *trades, uint64_t end_seq, event_taker *take, struct error *error)
{
    return each_event(trades, 1, end_seq, false, take, error);
}

static int each_of_day(struct trades *trades, event_taker *take, struct error *error)
{
    return each_event(trades, trades->first_seq, trades->end_seq, true, take, error);
}

static int make(struct trades *trades, struct error *error)
{
    int code = each_known(trades, UINT64_MAX, find_day, error);
    if (code == 0 && trades->first_seq == 0)
        code =
            error_set(error, ERROR_INVALID, trades->config->events_directory, "there is no such day in the event log");
    if (code == 0)
        code = each_of_day(trades, note_broken, error);
    if (code == 0)
        code = each_known(trades, trades->first_seq, note_names, error);
    if (code < 0)
        return code;
    printf(
        "day,time,match_number,symbol,side,quantity,price,firm,user,user_ref,order_ref,client_order_id,role,state\n");
    code = each_of_day(trades, print_event, error);
    if (code == 0 && !trades->ended)
        fprintf(stderr, "ringside trades: the day %u is not over, these are its trades so far\n", trades->date);
    return code;
}

static void release(struct trades *trades)
{
    free(trades->broken);
    free(trades->orders);
    free(trades->users);
    free(trades->symbols);
    free(trades);
}

int trades_main(int argc, char **argv)
{
    static const struct command_line_option options[] = {
        [OPTION_DAY] = {"day", "YYYYMMDD", "the trading day; the last one if it is left out"},
        [OPTION_ONLY_FIRM] = {"firm", "FIRM", "only this firm's sides"},
    };
    static const struct command_line_form form = {.program = "ringside trades",
                                                  .summary = "the trades of a day as CSV, from the event log",
                                                  .options = options,
                                                  .option_count = 2,
                                                  .brief = true};
    struct command_line line;
    struct error error = {0};
    log_open("trades", LOG_LEVEL_WARNING);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    struct trades *trades = larger(NULL, 0, 1, sizeof(*trades));
    trades->config = &line.config;
    trades->firm = line.values[OPTION_ONLY_FIRM];
    trades->date = line.values[OPTION_DAY] ? date_read(line.values[OPTION_DAY]) : 0;
    if (line.values[OPTION_DAY] && trades->date == 0)
        error_set(&error, ERROR_INVALID, "--day", "'%s' is no date such as 20261124 or 2026-11-24",
                  line.values[OPTION_DAY]);
    else
        make(trades, &error);
    if (error.code < 0)
        fprintf(stderr, "ringside trades: %s: %s\n", error.where, error.what);
    release(trades);
    config_finish(&line.config);
    return error.code < 0 ? stage_exit_code(error.code) : EXIT_STAGE_OK;
}
