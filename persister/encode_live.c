#include "encode_live.h"

#include "base/require.h"
#include "base/units.h"

#include <string.h>

/* Which change an instrument has in this batch; one of an earlier batch is none. */
struct live_place {
    uint32_t batch;
    uint32_t index;
};

struct live {
    uint32_t event_count_max;
    uint32_t batch;
    uint32_t count;
    struct live_place tops[INSTRUMENTS_COUNT_MAX];
    struct live_place lasts[INSTRUMENTS_COUNT_MAX];
    struct event changes[]; /* the events that the changes are made from */
};

size_t live_bytes(uint32_t event_count_max)
{
    return sizeof(struct live) + (size_t)event_count_max * sizeof(struct event);
}

struct live *live_init(void *memory, uint32_t event_count_max)
{
    struct live *live = memory;
    memset(live, 0, sizeof(*live));
    live->event_count_max = event_count_max;
    live_clear(live);
    return live;
}

void live_clear(struct live *live)
{
    live->batch++;
    if (live->batch == 0) { /* after four billion batches */
        memset(live->tops, 0, sizeof(live->tops));
        memset(live->lasts, 0, sizeof(live->lasts));
        live->batch = 1;
    }
    live->count = 0;
}

static void append(struct live *live, const struct event *event)
{
    REQUIRE(live->count < live->event_count_max);
    live->changes[live->count++] = *event;
}

static void put(struct live *live, struct live_place *places, const struct event *event)
{
    if (event->instrument >= INSTRUMENTS_COUNT_MAX)
        return;
    struct live_place *place = &places[event->instrument];
    if (place->batch == live->batch) {
        live->changes[place->index] = *event;
        return;
    }
    *place = (struct live_place){.batch = live->batch, .index = live->count};
    append(live, event);
}

void live_add(struct live *live, const struct event *event)
{
    if (event->kind == EVENT_BOOK_TOP)
        put(live, live->tops, event);
    else if (event->kind == EVENT_EXECUTED)
        put(live, live->lasts, event);
    else if (event->kind == EVENT_INSTRUMENT_ADDED || event->kind == EVENT_LOGIN_ACCEPTED)
        append(live, event);
}

uint32_t live_count(const struct live *live)
{
    return live->count;
}

/* ---- as text ----------------------------------------------------------------------------------------------------- */

static void number_text(char *text, uint64_t value)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (count > 0)
        *text++ = digits[--count];
    *text = '\0';
}

/* Ticks as a decimal with four places, such as 101.2500. */
static void price_text(char *text, int32_t ticks)
{
    uint32_t rest = ticks < 0 ? 0 - (uint32_t)ticks : (uint32_t)ticks;
    if (ticks < 0)
        *text++ = '-';
    number_text(text, rest / PRICE_TICKS_PER_UNIT);
    text += strlen(text);
    *text++ = '.';
    rest %= PRICE_TICKS_PER_UNIT;
    for (uint32_t unit = PRICE_TICKS_PER_UNIT / 10; unit != 0; unit /= 10)
        *text++ = (char)('0' + rest / unit % 10);
    *text = '\0';
}

static char *value_of(struct live_fields *fields, const char *name)
{
    REQUIRE(fields->count < LIVE_PAIRS_MAX);
    size_t length = strnlen(name, LIVE_NAME_BYTES - 1);
    memcpy(fields->names[fields->count], name, length);
    fields->names[fields->count][length] = '\0';
    return fields->values[fields->count++];
}

/* An empty side has quantity 0 and an empty price. */
static void side_text(struct live_fields *fields, const char *price, const char *quantity_name, int32_t ticks,
                      uint64_t quantity)
{
    char *text = value_of(fields, price);
    *text = '\0';
    if (quantity != 0)
        price_text(text, ticks);
    number_text(value_of(fields, quantity_name), quantity);
}

static void top_fields(const struct event *event, struct live_fields *fields)
{
    const struct event_top *top = &event->top;
    fields->kind = LIVE_TOP;
    text_trim(fields->symbol, top->symbol, SYMBOL_BYTES);
    side_text(fields, "bid", "bid_quantity", top->bid_ticks, top->bid_quantity);
    side_text(fields, "ask", "ask_quantity", top->ask_ticks, top->ask_quantity);
    number_text(value_of(fields, "time_ns"), event->time_ns);
    number_text(value_of(fields, "event_seq"), event->event_seq);
}

static void last_fields(const struct event *event, const struct symbol_table *symbols, struct live_fields *fields)
{
    fields->kind = LIVE_LAST;
    text_trim(fields->symbol, symbol_of(symbols, event->instrument), SYMBOL_BYTES);
    price_text(value_of(fields, "price"), event->trade.price_ticks);
    number_text(value_of(fields, "quantity"), event->trade.quantity);
    number_text(value_of(fields, "match_number"), event->trade.match_number);
    number_text(value_of(fields, "time_ns"), event->time_ns);
    number_text(value_of(fields, "event_seq"), event->event_seq);
}

/* In hashes of names the field is the number and the value the name. */
static void name_fields(struct live_fields *fields, enum live_kind kind, uint32_t number, const char *name,
                        size_t name_bytes)
{
    char digits[LIVE_NAME_BYTES];
    fields->kind = kind;
    number_text(digits, number);
    text_trim(value_of(fields, digits), name, name_bytes);
}

void live_event_fields(const struct event *event, const struct symbol_table *symbols, struct live_fields *fields)
{
    fields->count = 0;
    fields->symbol[0] = '\0';
    if (event->kind == EVENT_BOOK_TOP)
        top_fields(event, fields);
    else if (event->kind == EVENT_EXECUTED)
        last_fields(event, symbols, fields);
    else if (event->kind == EVENT_INSTRUMENT_ADDED)
        name_fields(fields, LIVE_INSTRUMENTS, event->instrument, event->admin.symbol, SYMBOL_BYTES);
    else
        name_fields(fields, LIVE_SESSIONS, event->session, event->login.user, USER_BYTES);
}

void live_fields(const struct live *live, uint32_t index, const struct symbol_table *symbols,
                 struct live_fields *fields)
{
    live_event_fields(&live->changes[index], symbols, fields);
}

/* A text of JSON: quotes, backslashes and what is not printable ASCII as \\u00xx. */
static char *json_text(char *at, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    *at++ = '"';
    for (; *text != '\0'; text++) {
        uint8_t letter = (uint8_t)*text;
        if (letter >= ' ' && letter <= '~' && letter != '"' && letter != '\\') {
            *at++ = *text;
            continue;
        }
        at = stpcpy(at, "\\u00");
        *at++ = digits[letter >> 4];
        *at++ = digits[letter & 15];
    }
    *at++ = '"';
    return at;
}

void live_json(const struct live_fields *fields, char json[LIVE_JSON_BYTES])
{
    char *at = json;
    *at++ = '{';
    for (uint32_t i = 0; i < fields->count; i++) {
        if (i > 0)
            *at++ = ',';
        at = json_text(at, fields->names[i]);
        *at++ = ':';
        at = json_text(at, fields->values[i]);
    }
    *at++ = '}';
    *at = '\0';
}
