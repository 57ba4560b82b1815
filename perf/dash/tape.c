/* What each kind of event changes, and rates by period. */
#include "perf/dash/tape.h"

#include <stdlib.h>
#include <string.h>

static void take_text(char *text, const char *field, size_t bytes)
{
    while (bytes > 0 && (field[bytes - 1] == ' ' || field[bytes - 1] == '\0'))
        bytes--;
    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)(field[i] >= ' ' && field[i] <= '~' ? field[i] : '?');
    text[bytes] = '\0';
}

/* Room for the element with this number in an array by number, new ones zero; NULL: beyond the limit. */
static void *element(void **array, uint32_t *room, size_t element_bytes, uint32_t number, uint32_t limit)
{
    if (number == 0 || number >= limit)
        return NULL;
    if (number >= *room) {
        uint32_t larger = *room == 0 ? 64 : *room;
        while (larger <= number)
            larger *= 2;
        uint8_t *grown = realloc(*array, larger * element_bytes);
        if (!grown)
            return NULL;
        memset(grown + *room * element_bytes, 0, (larger - *room) * element_bytes);
        *array = grown;
        *room = larger;
    }
    return (uint8_t *)*array + number * element_bytes;
}

static struct tape_instrument *instrument_of(struct tape *tape, uint32_t number)
{
    struct tape_instrument *instrument =
        element((void **)&tape->instruments, &tape->instrument_room, sizeof(*instrument), number, TAPE_INSTRUMENTS_MAX);
    if (instrument)
        instrument->number = number;
    tape->overflow_count += number != 0 && !instrument;
    return instrument;
}

static struct tape_session *session_of(struct tape *tape, uint32_t number)
{
    struct tape_session *session =
        element((void **)&tape->sessions, &tape->session_room, sizeof(*session), number, TAPE_SESSIONS_MAX);
    if (session)
        session->number = number;
    tape->overflow_count += number != 0 && !session;
    return session;
}

/* ---- events -------------------------------------------------------------------------------------------------------
 */

static void count(struct tape_counts *counts, const struct event *event)
{
    counts->events++;
    switch (event->kind) {
    case EVENT_ACCEPTED:
    case EVENT_REPLACED:
        counts->orders++;
        break;
    case EVENT_EXECUTED:
        counts->trades++;
        counts->shares += event->trade.quantity;
        break;
    case EVENT_REJECTED:
        counts->rejects++;
        break;
    default:
        break;
    }
}

static void take_instrument(struct tape_instrument *instrument, const struct event *event)
{
    count(&instrument->counts, event);
    switch (event->kind) {
    case EVENT_ACCEPTED:
    case EVENT_REPLACED:
        if (instrument->symbol[0] == '\0')
            take_text(instrument->symbol, event->accepted.symbol, SYMBOL_BYTES);
        break;
    case EVENT_INSTRUMENT_ADDED:
    case EVENT_MARKET_STATE_CHANGED:
        take_text(instrument->symbol, event->admin.symbol, SYMBOL_BYTES);
        instrument->state = (char)event->admin.market_state;
        break;
    case EVENT_BOOK_TOP:
        take_text(instrument->symbol, event->top.symbol, SYMBOL_BYTES);
        instrument->bid_ticks = event->top.bid_ticks;
        instrument->ask_ticks = event->top.ask_ticks;
        instrument->bid_quantity = event->top.bid_quantity;
        instrument->ask_quantity = event->top.ask_quantity;
        break;
    case EVENT_EXECUTED:
        instrument->last_ticks = event->trade.price_ticks;
        instrument->last_quantity = event->trade.quantity;
        break;
    default:
        break;
    }
}

static void take_session(struct tape_session *session, const struct event *event)
{
    if (event->message_no != 0)
        count(&session->counts, event);
    if (event->kind == EVENT_SESSION_CLOSED)
        session->open = false;
    if (event->kind != EVENT_LOGIN_ACCEPTED)
        return;
    session->open = true;
    session->gateway = event->login.gateway;
    take_text(session->user, event->login.user, USER_BYTES);
    take_text(session->firm, event->login.firm, FIRM_BYTES);
}

void tape_take(struct tape *tape, const struct event *event)
{
    count(&tape->counts, event);
    struct tape_instrument *instrument = instrument_of(tape, event->instrument);
    if (instrument)
        take_instrument(instrument, event);
    struct tape_session *session = session_of(tape, event->session);
    if (session)
        take_session(session, event);
    if (event->kind != EVENT_EXECUTED || event->trade.maker_session == event->session)
        return;
    struct tape_session *maker = session_of(tape, event->trade.maker_session);
    if (maker)
        count(&maker->counts, event);
}

/* ---- periods ------------------------------------------------------------------------------------------------------
 */

static double rate(uint64_t now, uint64_t before, double per)
{
    return (double)(now - before) * per;
}

static void settle(const struct tape_counts *now, struct tape_counts *before, struct tape_rates *rates, double per)
{
    rates->events = rate(now->events, before->events, per);
    rates->orders = rate(now->orders, before->orders, per);
    rates->trades = rate(now->trades, before->trades, per);
    rates->shares = rate(now->shares, before->shares, per);
    rates->rejects = rate(now->rejects, before->rejects, per);
    *before = *now;
}

void tape_settle(struct tape *tape, double seconds, double scale)
{
    double per = seconds > 0 ? scale / seconds : 0;
    settle(&tape->counts, &tape->before, &tape->rates, per);
    for (uint32_t i = 0; i < tape->instrument_room; i++)
        settle(&tape->instruments[i].counts, &tape->instruments[i].before, &tape->instruments[i].rates, per);
    for (uint32_t i = 0; i < tape->session_room; i++)
        settle(&tape->sessions[i].counts, &tape->sessions[i].before, &tape->sessions[i].rates, per);
}

void tape_forget_counts(struct tape *tape)
{
    const struct tape_counts none = {0};
    tape->counts = tape->before = none;
    for (uint32_t i = 0; i < tape->instrument_room; i++)
        tape->instruments[i].counts = tape->instruments[i].before = none;
    for (uint32_t i = 0; i < tape->session_room; i++)
        tape->sessions[i].counts = tape->sessions[i].before = none;
}

uint32_t tape_instrument_count(const struct tape *tape)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < tape->instrument_room; i++)
        known += tape->instruments[i].number != 0;
    return known;
}

uint32_t tape_open_sessions(const struct tape *tape)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < tape->session_room; i++)
        open += tape->sessions[i].open;
    return open;
}

void tape_finish(struct tape *tape)
{
    free(tape->instruments);
    free(tape->sessions);
    *tape = (struct tape){0};
}
